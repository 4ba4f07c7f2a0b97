//! `catchment blackhole`.

use super::{Ask, words};
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;
use terms::{PeerName, Prefix, PrefixError};

/// `catchment blackhole`.
#[derive(Debug, Args)]
pub(crate) struct Blackhole {
    /// The address, or a prefix such as 198.18.0.128/25 where the peers take shorter ones
    #[arg(value_name = "PREFIX", value_parser = target)]
    pub(crate) prefix: Prefix,
    /// For how long, such as 30m, at most 24h; one hour if it is left out
    #[arg(long = "for", value_name = "DURATION", value_parser = dropping)]
    pub(crate) lasting: Option<Duration>,
    /// Why, for everybody who asks later
    #[arg(long, value_name = "TEXT", value_parser = words, required_unless_present = "end")]
    pub(crate) reason: Option<String>,
    /// Asks this peer only; can be given more than once
    #[arg(long = "peer", value_name = "NAME")]
    pub(crate) peers: Vec<PeerName>,
    /// Ends it before its time
    #[arg(long, conflicts_with_all = ["lasting", "peers", "override_guard"])]
    pub(crate) end: bool,
    /// Takes the address of a service, too: whoever reaches it through these peers gets no answer
    #[arg(long)]
    pub(crate) override_guard: bool,
    /// Says who would be told what; changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// A prefix, or an address for the prefix that holds it alone.
fn target(text: &str) -> Result<Prefix, PrefixError> {
    text.parse::<IpAddr>().map(Prefix::host).or_else(|_| text.parse())
}

/// How long traffic may be dropped.
fn dropping(text: &str) -> Result<Duration, String> {
    let duration = document::parse_duration(text).map_err(|error| error.to_string())?;
    let bounds = Duration::from_secs(1)..=Duration::from_millis(api::BlackholeOrder::LONGEST_FOR_MS);
    if bounds.contains(&duration) { Ok(duration) } else { Err("write 1s to 24h".to_owned()) }
}
