//! `catchment dns query`.

use clap::Args;
use std::net::IpAddr;
use std::time::Duration;
use terms::Family;

/// Whom to ask what, and how.
#[derive(Debug, Args)]
#[command(
    override_usage = "catchment dns query [@SERVER] NAME [TYPE] [CLASS] [OPTIONS]\n       \
                      catchment dns query [@SERVER] -x ADDRESS [OPTIONS]",
    after_help = "Exit codes: 0 the server answered that there is such a name (NOERROR) or none (NXDOMAIN); 1 it \
                  refused or failed, or nobody answered; 2 bad input or usage.\n\n\
                  Example:\n  catchment dns query @198.18.0.53 example. SOA\n  \
                  catchment dns query @198.18.0.53 id.server TXT CH --tcp --json"
)]
pub(crate) struct DnsQuery {
    /// In any order, as for `dig`: @SERVER, an address or a name, with a port if need be (@[2001:db8::53]:5353), by
    /// default the first of /etc/resolv.conf; NAME; TYPE, by default A; CLASS, by default IN. A name that looks like a
    /// type takes a dot: `mx.`
    #[arg(value_name = "WORD", required_unless_present = "reverse")]
    pub(crate) words: Vec<String>,
    /// Asks for the name of an address (PTR)
    #[arg(short = 'x', long, value_name = "ADDRESS")]
    pub(crate) reverse: Option<IpAddr>,
    /// The server's port, by default 53
    #[arg(short, long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Asks over IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Asks over IPv6 only
    #[arg(short = '6', long)]
    ipv6: bool,
    /// Asks over TCP from the beginning; otherwise only where an answer over UDP is truncated
    #[arg(long)]
    pub(crate) tcp: bool,
    /// Asks for signatures (DO)
    #[arg(long, conflicts_with = "no_edns")]
    pub(crate) dnssec: bool,
    /// Asks for recursion (RD); by default only a server of /etc/resolv.conf is asked for it
    #[arg(long)]
    rec: bool,
    /// Asks for no recursion
    #[arg(long, conflicts_with = "rec")]
    norec: bool,
    /// Asks for `id.server` in class CHAOS, too, if the answer names no site (NSID); another site may answer that
    #[arg(long)]
    pub(crate) site: bool,
    /// Does not ask for the name of the server (NSID)
    #[arg(long)]
    pub(crate) no_nsid: bool,
    /// Sends no cookie
    #[arg(long)]
    pub(crate) no_cookie: bool,
    /// Asks without EDNS, and so without NSID and cookie, for old servers
    #[arg(long)]
    pub(crate) no_edns: bool,
    /// How long to wait for each try
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = patience)]
    pub(crate) timeout: Duration,
    /// How often to ask over UDP
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
    /// Prints one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

impl DnsQuery {
    /// The family that the server has to be asked over, if it has to.
    pub(crate) fn family(&self) -> Option<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (_, true) => Some(Family::Ipv6),
            (false, false) => None,
        }
    }

    /// Whether to ask for recursion, if that was said.
    pub(crate) fn recursion(&self) -> Option<bool> {
        (self.rec || self.norec).then_some(self.rec)
    }
}

/// How long an answer may take.
fn patience(text: &str) -> Result<Duration, String> {
    let duration = document::parse_duration(text).map_err(|error| error.to_string())?;
    let bounds = Duration::from_millis(1)..=Duration::from_secs(60);
    if bounds.contains(&duration) { Ok(duration) } else { Err("write 1ms to 60s".to_owned()) }
}
