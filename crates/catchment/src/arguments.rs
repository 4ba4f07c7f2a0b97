//! What can be written on the command line.

mod blackhole;
mod cables;
mod explain;
mod flows;
mod lab;
mod query;

pub(crate) use self::lab::{
    Lab, LabFault, LabHistory, LabMembership, LabNew, LabSend, LabTest, LabUp, Running,
};
pub(crate) use blackhole::Blackhole;
pub(crate) use explain::{Explain, Subject};
pub(crate) use flows::Flows;
pub(crate) use query::DnsQuery;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;
use terms::{ServiceName, SiteName};

/// One address, served from everywhere: announces an anycast service, checks it, answers DNS, and builds the whole
/// world on one machine first.
#[derive(Debug, Parser)]
#[command(
    name = "catchment",
    version,
    after_help = "Exit codes: 0 ok; 1 the answer is no; 2 bad input or usage; \
    3 inconclusive.\n\nExample:\n  catchment lab up"
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the daemon of a site in the foreground: SIGTERM ends it in order, SIGINT twice at once
    #[command(after_help = "Example:\n  catchment run /etc/catchment/site.toml")]
    Run {
        /// The site file
        #[arg(value_name = "SITE.toml", value_hint = ValueHint::FilePath)]
        site: PathBuf,
    },
    /// Says what a site file would announce to whom, or everything that is wrong with it; starts nothing
    #[command(
        after_help = "Example:\n  catchment check /etc/catchment/site.toml\n  catchment check --negative site.toml"
    )]
    Check(CheckSite),
    /// Has the running daemon take over its site file, or another one, as far as it differs; changes nothing else
    #[command(
        after_help = "Example:\n  catchment reload --dry-run\n  catchment reload --confirm-within 2m && \
                      catchment reload --confirm"
    )]
    Reload(Reload),
    /// Has the program on disk take the place of the running daemon: no session ends and no answer is lost
    #[command(after_help = "Example:\n  catchment restart")]
    Restart(Ask),
    /// Says what is announced, since when, and why
    #[command(after_help = "Example:\n  catchment status\n  catchment status --json | jq '.groups[].state'")]
    Status(Ask),
    /// Prints what happened, oldest first
    #[command(after_help = "Example:\n  catchment events --follow")]
    Events(Events),
    /// Says what peers were told about one prefix, or where a client's connection goes, and why
    #[command(
        after_help = "Example:\n  catchment explain 198.18.0.0/24\n  catchment explain 203.0.113.7:40000\n  catchment explain 203.0.113.7:40000 198.18.0.53:443"
    )]
    Explain(Explain),
    /// Shows every site of the fleet, and decides about sites that cannot decide themselves
    #[command(subcommand, after_help = "Example:\n  catchment fleet status")]
    Fleet(Fleet),
    /// Shows the connections that routing has moved from one site to another, and who owns them
    #[command(
        after_help = "Example:\n  catchment flows\n  catchment flows --all\n  catchment flows --json | jq '.continuity.forwarded'"
    )]
    Flows(Flows),
    /// Sends the users of this site elsewhere without losing one, then withdraws; the service answers throughout
    #[command(
        after_help = "Example:\n  catchment drain --for 30m --reason 'kernel upgrade'\n  catchment drain --follow --reason 'kernel upgrade'\n  catchment drain dns --dry-run --reason test"
    )]
    Drain(Drain),
    /// Lifts what was ordered: announces again as soon as the checks have proven the service
    #[command(after_help = "Example:\n  catchment resume")]
    Resume(Resume),
    /// Withdraws at once, if the other sites can do without this one
    #[command(after_help = "Example:\n  catchment withdraw dns --reason 'wrong answers, ticket 4711'")]
    Withdraw(Withdraw),
    /// Keeps what is announced as it is, whatever the checks say
    #[command(after_help = "Example:\n  catchment freeze --for 1h --reason 'the checks are being rebuilt'")]
    Freeze(Order),
    /// Announces whatever the checks say, once the service is up at all
    #[command(
        after_help = "Example:\n  catchment force-announce dns --for 10m --reason 'the check is wrong'"
    )]
    ForceAnnounce(Order),
    /// Has peers drop what is sent to one address of this site, for a while; every other route stays as it is
    #[command(
        after_help = "Example:\n  catchment blackhole 198.18.0.99 --for 30m --reason 'flood, ticket 4711'\n  catchment blackhole 198.18.0.99 --end"
    )]
    Blackhole(Blackhole),
    /// Tells recorded inputs to the machines again and prints what comes of them
    #[command(after_help = "Example:\n  catchment replay /var/lib/catchment/recording.jsonl")]
    Replay(ReplayRecording),
    /// Builds a world on this machine: real routers, real distances, real faults, on a live map
    #[command(subcommand, after_help = "Example:\n  catchment lab up")]
    Lab(Lab),
    /// Tools of the DNS service
    #[command(subcommand, after_help = "Example:\n  catchment dns check zones/example.zone")]
    Dns(Dns),
    /// Prints the completions of a shell
    #[command(after_help = "Example:\n  catchment completions bash > /etc/bash_completion.d/catchment")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Writes a manual page for each command into a directory
    #[command(after_help = "Example:\n  catchment man /usr/local/share/man/man1")]
    Man {
        /// Where to write; made if it is not there
        #[arg(value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
}

/// `catchment check`.
#[derive(Debug, Args)]
pub(crate) struct CheckSite {
    /// The site file
    #[arg(value_name = "SITE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) site: PathBuf,
    /// Prints one JSON document, whether the file is good or not
    #[arg(long)]
    pub(crate) json: bool,
    /// Also runs each check against something dead, and says whether it can fail
    #[arg(long)]
    pub(crate) negative: bool,
    /// Says only whether this program would take the site over from a running one that hands over this format
    #[arg(long, value_name = "FORMAT", hide = true)]
    pub(crate) succession: Option<u32>,
}

/// `catchment reload`.
#[derive(Debug, Args)]
pub(crate) struct Reload {
    /// The site file; the one in force if it is left out
    #[arg(value_name = "SITE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) site: Option<PathBuf>,
    /// Says what would change and what would be withdrawn; changes nothing
    #[arg(long, conflicts_with_all = ["confirm_within", "confirm"])]
    pub(crate) dry_run: bool,
    /// Takes everything back after this long, such as 2m, unless `catchment reload --confirm` comes before
    #[arg(long, value_name = "DURATION", value_parser = confirmation)]
    pub(crate) confirm_within: Option<Duration>,
    /// Confirms the reload that waits for it
    #[arg(long, conflicts_with_all = ["site", "confirm_within", "override_guard"])]
    pub(crate) confirm: bool,
    /// Withdraws more than a reload may: users may be left without any site
    #[arg(long, requires = "reason")]
    pub(crate) override_guard: bool,
    /// Why the guard is overridden, for everybody who asks later
    #[arg(long, value_name = "TEXT", requires = "override_guard")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// How long a reload may wait for its confirmation.
fn confirmation(text: &str) -> Result<Duration, String> {
    let duration = document::parse_duration(text).map_err(|error| error.to_string())?;
    let bounds = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
    if bounds.contains(&duration) { Ok(duration) } else { Err("write 1s to 24h".to_owned()) }
}

/// How to ask a running daemon.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Prints one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// The control socket of the daemon
    #[arg(
        long,
        value_name = "PATH",
        env = "CATCHMENT_SOCKET",
        default_value = config::Api::SOCKET,
        value_hint = ValueHint::FilePath
    )]
    pub(crate) socket: PathBuf,
}

/// `catchment events`.
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Goes on with every new event until interrupted; with --json, one JSON object a line
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// `catchment fleet`.
#[derive(Debug, Subcommand)]
pub(crate) enum Fleet {
    /// Says what every site announces, who may be away, and who is
    #[command(
        after_help = "Example:\n  catchment fleet status\n  catchment fleet status --json | jq '.hosts[].site'"
    )]
    Status(Ask),
    /// Frees the permits of a site that cannot free them itself: the fleet then counts one site more than it sees
    #[command(after_help = "Example:\n  catchment fleet release paris --reason 'the site burnt down'")]
    Release(FleetSite),
    /// Takes a site off the list of members for good; it joins again when it announces again
    #[command(after_help = "Example:\n  catchment fleet retire paris --reason 'the contract has ended'")]
    Retire(FleetSite),
}

/// Which site of the fleet, and why.
#[derive(Debug, Args)]
pub(crate) struct FleetSite {
    /// The site
    pub(crate) site: SiteName,
    /// Why, for everybody who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Whom an order concerns, and how it is given.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// The service whose group is meant, with every other service of that group; without it, every group of this site
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<ServiceName>,
    /// Says what would change for whom and whether it would be permitted; changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// An order that stands until it is lifted.
#[derive(Debug, Args)]
pub(crate) struct Order {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Lifts it by itself after this long, such as 10m
    #[arg(long = "for", value_name = "DURATION", value_parser = standing)]
    pub(crate) lasting: Option<Duration>,
    /// Why, for everybody who asks later
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: String,
}

/// `catchment drain`.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    #[command(flatten)]
    pub(crate) order: Order,
    /// Stays until no connection moves any more, some seconds, and says how many have gone to other sites and how many stay
    #[arg(long, conflicts_with_all = ["json", "dry_run"])]
    pub(crate) follow: bool,
}

/// `catchment withdraw`.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    pub(crate) order: Order,
    /// Withdraws even where the fleet does not permit it: users may be left without any site
    #[arg(long)]
    pub(crate) override_guard: bool,
}

/// `catchment resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Why, for everybody who asks later
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: Option<String>,
}

/// How long an order may stand.
fn standing(text: &str) -> Result<Duration, String> {
    let duration = document::parse_duration(text).map_err(|error| error.to_string())?;
    let longest = Duration::from_millis(api::Order::LONGEST_FOR_MS);
    if duration < Duration::from_secs(1) || duration > longest {
        return Err(
            "write 1s to 744h (31 days), or leave it out: the order then stands until `resume`".to_owned()
        );
    }
    Ok(duration)
}

/// A reason that says something.
fn words(text: &str) -> Result<String, String> {
    let (text, longest) = (text.trim(), api::Order::LONGEST_REASON);
    match text.chars().count() {
        0 => Err("say why, in a few words".to_owned()),
        length if length > longest => Err(format!("at most {longest} characters; this has {length}")),
        _ => Ok(text.to_owned()),
    }
}

/// `catchment replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayRecording {
    /// The recording
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) recording: PathBuf,
    /// Prints one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catchment dns`.
#[derive(Debug, Subcommand)]
pub(crate) enum Dns {
    /// Makes the image of a zone, which a daemon takes up in milliseconds
    #[command(
        after_help = "Example:\n  catchment dns compile zones/example.zone -o zones/example.image\n\nWrite the image into `zones` of the site file in the place of the zone file."
    )]
    Compile {
        /// The zone file
        #[arg(value_hint = ValueHint::FilePath)]
        zone: PathBuf,
        /// Where the image goes; one that is there is replaced in one step
        #[arg(short, long, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// Prints one JSON document, whether the file is good or not
        #[arg(long)]
        json: bool,
    },
    /// Prints what a resolver is told that answers at the addresses of a service
    #[command(
        after_help = "Example:\n  catchment dns resolver site.toml > /etc/unbound/unbound.conf.d/catchment.conf"
    )]
    Resolver {
        /// The site file, with [service.resolver]
        #[arg(value_name = "SITE.toml", value_hint = ValueHint::FilePath)]
        site: PathBuf,
        /// Which service, where several bring a resolver along
        #[arg(long)]
        service: Option<ServiceName>,
    },
    /// Asks a server one question, and says which site answered: a small `dig` with NSID, cookie and extended errors
    Query(DnsQuery),
    /// Judges a zone file or an image: says what it is, or everything that is wrong with it
    #[command(after_help = "Example:\n  catchment dns check zones/example.zone")]
    Check {
        /// The zone file
        #[arg(value_hint = ValueHint::FilePath)]
        zone: PathBuf,
        /// Prints one JSON document, whether the file is good or not
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn each(command: &clap::Command, look: &mut impl FnMut(&clap::Command)) {
        if command.is_hide_set() {
            return;
        }
        look(command);
        command.get_subcommands().for_each(|inner| each(inner, look));
    }

    #[test]
    fn the_description_is_sound_and_every_command_shows_an_example() {
        Arguments::command().debug_assert();
        let mut names = Vec::new();
        each(&Arguments::command(), &mut |command| {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Example:\n  catchment "), "{}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
            names.push(command.get_name().to_owned());
        });
        assert!(names.len() > 10, "{names:?}");
    }
}
