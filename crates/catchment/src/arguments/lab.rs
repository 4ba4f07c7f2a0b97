//! `catchment lab` on the command line.

use super::cables::Cables;
use clap::{Args, Subcommand, ValueHint};
use lab::LabName;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `catchment lab`.
#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Brings a world up, serves its map, and runs until Ctrl-C
    #[command(
        after_help = "Example:\n  catchment lab up\n  catchment lab up --tui\n  catchment lab up tiny --duration 30s"
    )]
    Up(LabUp),
    /// Writes a world file to begin with, full of comments
    #[command(after_help = "Example:\n  catchment lab new\n  catchment lab up world.toml")]
    New(LabNew),
    /// Plays scenarios, each in a world of its own, and prints what was measured against what was expected
    #[command(
        after_help = "Example:\n  catchment lab test scenarios/*.toml --json out.json\n  catchment lab test scenarios/power-cut.toml --html replay.html"
    )]
    Test(LabTest),
    /// The part of `lab up` that is the world
    #[command(hide = true)]
    Init,
    /// The echo service of a site of the lab
    #[command(hide = true)]
    Echo,
    /// The stream service of a site of the lab
    #[command(hide = true)]
    Stream,
    /// Runs a command inside a node and passes its exit code on
    #[command(
        after_help = "Example:\n  catchment lab exec tokyo -- dig @198.18.0.53 CH TXT id.server +short"
    )]
    Exec(LabExec),
    /// Lists who lives in a running world
    #[command(after_help = "Example:\n  catchment lab nodes --json | jq -r '.nodes[].name'")]
    Nodes(LabNodes),
    /// Makes something go wrong in a running world, or puts it right again
    #[command(
        after_help = "Example:\n  catchment lab fault power-cut site london\n  catchment lab fault restore site london"
    )]
    Fault(LabFault),
    /// Has a host send a packet, in one of four ways, and says who received it
    #[command(
        after_help = "Example:\n  catchment lab send unicast from thames-1 to sumida-3\n  catchment lab send broadcast from thames-1 to hudson\n  catchment lab send multicast from thames-1 to 239.18.0.7\n  catchment lab send anycast from thames-1"
    )]
    Send(LabSend),
    /// Has a host join a multicast group
    #[command(after_help = "Example:\n  catchment lab join 239.18.0.7 at thames-2")]
    Join(LabMembership),
    /// Has a host leave a multicast group
    #[command(after_help = "Example:\n  catchment lab leave 239.18.0.7 at thames-2")]
    Leave(LabMembership),
    /// Ends a running world
    #[command(after_help = "Example:\n  catchment lab down")]
    Down(Running),
}

/// Which of the worlds on this machine.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// The name of the lab, by which its other commands find it
    #[arg(long, default_value = "default")]
    pub(crate) name: LabName,
}

/// `catchment lab up`.
#[derive(Debug, Args)]
pub(crate) struct LabUp {
    /// A world file, or one of the built-in worlds: earth, tiny, dozens, dns-root
    #[arg(value_name = "WORLD.toml", value_hint = ValueHint::FilePath)]
    pub(crate) world: Option<PathBuf>,
    /// Draws the world `dozens` with this seed: the same seed draws the same world
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) running: Running,
    /// Where the map is served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = lab::DEFAULT_LISTEN)]
    pub(crate) listen: SocketAddr,
    /// Ends by itself after this long, such as 30s
    #[arg(long, value_parser = document::parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Shows the world in this terminal, beside the map: who answers whom, what happened, and faults by key (`?` lists
    /// the keys)
    #[arg(long)]
    pub(crate) tui: bool,
    #[command(flatten)]
    pub(crate) cables: Cables,
    #[command(flatten)]
    pub(crate) history: LabHistory,
}

/// Files with everything that was seen of a world.
#[derive(Debug, Args)]
pub(crate) struct LabHistory {
    /// Writes a replay to this file at the end: the page in one file, with everything that was seen and a seek bar
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Writes everything that was seen to this file at the end, as one JSON document
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) history: Option<PathBuf>,
}

/// `catchment lab new`.
#[derive(Debug, Args)]
pub(crate) struct LabNew {
    /// Where it is written; nothing is written over
    #[arg(value_name = "WORLD.toml", default_value = lab::DEFAULT_FILE, value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}

/// `catchment lab test`.
#[derive(Debug, Args)]
pub(crate) struct LabTest {
    /// The scenario files
    #[arg(required = true, value_name = "SCENARIO.toml", value_hint = ValueHint::FilePath)]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Writes what was judged and measured to this file, as one JSON document
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) json: Option<PathBuf>,
    /// Writes the same to this file as JUnit's XML, for continuous integration
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) history: LabHistory,
    /// Multiplies every time limit, for slow machines; the result says so
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = slack)]
    pub(crate) slack: f64,
    #[command(flatten)]
    pub(crate) cables: Cables,
}

/// A factor that leaves a limit a limit.
fn slack(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (1.0..=1000.0).contains(factor));
    factor.ok_or_else(|| "write a number from 1 to 1000".to_owned())
}

/// `catchment lab exec`.
#[derive(Debug, Args)]
pub(crate) struct LabExec {
    #[command(flatten)]
    pub(crate) running: Running,
    /// The node: a city, a router or a site's host, as `lab nodes` lists them
    pub(crate) node: String,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// `catchment lab nodes`.
#[derive(Debug, Args)]
pub(crate) struct LabNodes {
    /// Prints one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `catchment lab fault`.
#[derive(Debug, Args)]
pub(crate) struct LabFault {
    /// What to do: kill, hang, reboot, power-cut, cut, blackhole, half-broken, flap, flood, shift, urpf, starve, remove,
    /// drain, withdraw, resume, drop, end, change, reload, restart, restore
    pub(crate) kind: String,
    /// To what: `london` (the site, or its service), `site london`, `service london`, `daemon london`,
    /// `cable atlas-london - atlas-newyork`, `node atlas-london`, `store`, `everything`,
    /// `198.18.0.99 at site london for 10m`; the reference of scenarios lists every form
    #[arg(required = true)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `catchment lab send`.
#[derive(Debug, Args)]
pub(crate) struct LabSend {
    /// How, from whom and to whom: `unicast from HOST to HOST`, `broadcast from HOST to LAN`,
    /// `multicast from HOST to GROUP`, `anycast from HOST`
    #[arg(required = true, value_name = "WAY")]
    pub(crate) way: Vec<String>,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `catchment lab join` and `catchment lab leave`.
#[derive(Debug, Args)]
pub(crate) struct LabMembership {
    /// Which group, and who: `239.18.0.7 at HOST`
    #[arg(required = true, value_name = "GROUP at HOST")]
    pub(crate) who: Vec<String>,
    #[command(flatten)]
    pub(crate) running: Running,
}
