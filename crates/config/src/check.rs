//! `[[service.check]]`: what is asked, how often, and what counts as a failure.
//!
//! A check has exactly one kind, a key whose value says what to ask; each kind has a module here. What all kinds have
//! in common is read in this file: how often, how long, how many.

mod clock;
mod dns;
mod exec;
mod file;
mod http;
mod icmp;
mod passive;
mod probe;
mod target;
mod tcp;
mod tls;
mod url;
mod zones;

use announce::Scope;
use document::{Spanned, Table, Value};
pub use probe::{Command, Issuers, Probe, Question, ServerCertificate, Way};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// A check as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) kind: Spanned<Kind>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) fall: NonZeroU32,
    pub(crate) rise: NonZeroU32,
    pub(crate) hang_after: Duration,
    pub(crate) scope: Scope,
}

/// What a check asks, of whom the file says.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Dns(dns::Dns),
    Http(http::Http),
    Tcp(tcp::Tcp),
    Tls(tls::Endpoint),
    Icmp(icmp::Icmp),
    Exec(Command),
    File(file::File),
    Clock(clock::Clock),
    Passive(passive::Passive),
    Zones(zones::Zones),
}

/// How often a kind is run, unless the file says otherwise.
#[derive(Clone, Copy)]
struct Pace {
    interval: Duration,
    timeout: Duration,
}

/// Asked over the network or not at all: as fast as failures are to be noticed.
const QUICK: Pace = Pace { interval: Duration::from_millis(100), timeout: Duration::from_millis(80) };
/// A handshake costs both ends a signature; a file and a count of answers change slowly.
const STEADY: Pace = Pace { interval: Duration::from_secs(1), timeout: Duration::from_millis(800) };
/// A process has to be started.
const HEAVY: Pace = Pace { interval: Duration::from_secs(2), timeout: Duration::from_secs(1) };
/// Somebody else's server, asked about something that drifts.
const RARE: Pace = Pace { interval: Duration::from_secs(10), timeout: Duration::from_secs(1) };

/// One kind: its key, how often it is run, and what reads it.
struct Reader {
    key: &'static str,
    pace: Pace,
    read: fn(&Table, &Path) -> Option<Kind>,
}

const KINDS: [Reader; 10] = [
    Reader { key: "dns", pace: QUICK, read: |table, _| dns::read(table).map(Kind::Dns) },
    Reader {
        key: "http",
        pace: QUICK,
        read: |table, directory| http::read(table, directory).map(Kind::Http),
    },
    Reader { key: "tcp", pace: QUICK, read: |table, _| tcp::read(table).map(Kind::Tcp) },
    Reader { key: "tls", pace: STEADY, read: |table, directory| tls::read(table, directory).map(Kind::Tls) },
    Reader { key: "icmp", pace: QUICK, read: |table, _| icmp::read(table).map(Kind::Icmp) },
    Reader { key: "exec", pace: HEAVY, read: |table, _| exec::read(table).map(Kind::Exec) },
    Reader {
        key: "file",
        pace: STEADY,
        read: |table, directory| file::read(table, directory).map(Kind::File),
    },
    Reader { key: "clock", pace: RARE, read: |table, _| clock::read(table).map(Kind::Clock) },
    Reader { key: "passive", pace: STEADY, read: |table, _| passive::read(table).map(Kind::Passive) },
    Reader { key: "zones", pace: STEADY, read: |table, _| zones::read(table).map(Kind::Zones) },
];

const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
const MOST_RUNS: u32 = 1000;
const FALL: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const RISE: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

const SCOPES: [(&str, Scope); 2] = [("local", Scope::Local), ("dependency", Scope::Dependency)];

pub(crate) const HANG_AFTER: Duration = Duration::from_secs(1);
/// How long silence may last, by the name of the profile: a pause of less than a second is usually no outage.
pub(crate) const PROFILES: [(&str, Duration); 2] =
    [("normal", HANG_AFTER), ("fast", Duration::from_millis(300))];

/// Reads one check; `hang_after` is what holds where it says neither that nor a profile.
pub(crate) fn read(table: &Table, directory: &Path, hang_after: Duration) -> Option<Check> {
    let written_scope = table.optional("scope").one_of(&SCOPES);
    let given = the_one_kind(table, directory);
    let kind = given.as_ref().and_then(|(reader, value)| {
        let kind = (reader.read)(&value.table()?, directory)?;
        Some(Spanned { value: kind, span: value.span() })
    });
    let pace = given.map_or(QUICK, |(reader, _)| reader.pace);
    let times = SHORTEST_INTERVAL..=LONGEST_INTERVAL;
    let interval = table.optional("interval").duration_in(times.clone());
    let timeout = table.optional("timeout").duration_in(Duration::from_millis(1)..=LONGEST_INTERVAL);
    let fall = table.optional("fall").number_in(1..=MOST_RUNS);
    let rise = table.optional("rise").number_in(1..=MOST_RUNS);
    let profile = table.optional("profile").one_of(&PROFILES);
    let given_hang_after = table.optional("hang_after").duration_in(times);
    let interval_is_given = interval.is_some();
    let interval = interval.map_or(pace.interval, |interval| interval.value);
    if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value > interval) {
        let message = format!("the timeout {:?} is longer than the interval {interval:?}", timeout.value);
        let hint = match interval_is_given {
            true => "a run must end before the next begins".to_owned(),
            false => {
                format!("a run must end before the next begins: add interval = \"{}ms\"", timeout.as_millis())
            }
        };
        table.document().fault_with_hint(timeout.span.clone(), message, hint);
    }
    let scope = scope(table, kind.as_ref().map(|kind| &kind.value), written_scope);
    // The default belongs to the default interval; a shorter interval keeps room for the next run.
    let timeout = timeout.map_or(pace.timeout.min(interval * 4 / 5), |timeout| timeout.value);
    let silence = given_hang_after.or(profile).map_or(hang_after, |given| given.value);
    Some(Check {
        kind: kind?,
        interval,
        timeout,
        fall: fall.map_or(Some(FALL), |fall| NonZeroU32::new(fall.value))?,
        rise: rise.map_or(Some(RISE), |rise| NonZeroU32::new(rise.value))?,
        // The file counts from the question, the decision from the first timeout, which is when it hears of silence.
        hang_after: silence.saturating_sub(timeout),
        scope,
    })
}

/// What a failure of the check means. Zones are the same at every site: for their sake none may be withdrawn.
fn scope(table: &Table, kind: Option<&Kind>, written: Option<Spanned<Scope>>) -> Scope {
    let is_shared = matches!(kind, Some(Kind::Zones(_)));
    match written {
        Some(Spanned { value: Scope::Local, span }) if is_shared => {
            let message = "every site serves the same zones, so this would withdraw all of them at once";
            table.document().fault_with_hint(span, message, "write scope = \"dependency\", or leave it out");
            Scope::Local
        }
        Some(written) => written.value,
        None if is_shared => Scope::Dependency,
        None => Scope::Local,
    }
}

/// The kind that the file gives, which must be one.
fn the_one_kind<'d>(table: &Table<'d>, directory: &Path) -> Option<(&'static Reader, Value<'d>)> {
    let values = KINDS.iter().map(|reader| (reader, table.optional(reader.key)));
    let mut given: Vec<_> = values.filter(|(_, value)| value.is_given()).collect();
    let document = table.document();
    if given.is_empty() && document.syntax_is_good() {
        let keys: Vec<&str> = KINDS.iter().map(|reader| reader.key).collect();
        let hint =
            format!("add one of {}, as in dns = {{ name = \"example.\", type = \"SOA\" }}", keys.join(", "));
        document.fault_with_hint(table.span(), "the check does not say what to ask", hint);
    }
    for (reader, value) in given.iter().skip(1) {
        let message = format!("`{}` is the second kind of one check", reader.key);
        document.fault_with_hint(value.key_span(), message, "write a [[service.check]] for each kind");
        // Its keys are known all the same.
        let _ = value.table().and_then(|table| (reader.read)(&table, directory));
    }
    (!given.is_empty()).then(|| given.swap_remove(0))
}

impl Check {
    /// The check that every built-in DNS service has: whether its zones are still good.
    pub(crate) fn of_zones(span: Range<usize>) -> Self {
        let Pace { interval, timeout } = STEADY;
        Check {
            kind: Spanned { value: Kind::Zones(zones::Zones::default()), span },
            interval,
            timeout,
            fall: FALL,
            rise: RISE,
            hang_after: HANG_AFTER.saturating_sub(timeout),
            scope: Scope::Dependency,
        }
    }

    /// What tells it apart from other checks of its service.
    pub(crate) fn name(&self) -> String {
        match &self.kind.value {
            Kind::Dns(dns) => dns.name(),
            Kind::Http(http) => http.name(),
            Kind::Tcp(tcp) => tcp.name(),
            Kind::Tls(endpoint) => endpoint.name(),
            Kind::Icmp(icmp) => icmp.name(),
            Kind::Exec(command) => format!("exec {command}"),
            Kind::File(file) => format!("file {}", file.path.display()),
            Kind::Clock(clock) => format!("clock by {}", clock.server),
            Kind::Passive(_) => "passive".to_owned(),
            Kind::Zones(_) => "zones".to_owned(),
        }
    }

    /// How it is run: once for each address of the service, or once where it does not ask the service's addresses.
    /// Each comes with its own name.
    pub(crate) fn probes(&self, addresses: &[IpAddr]) -> Vec<(String, Probe)> {
        let probe = |(suffix, question): (String, Question)| {
            (format!("{}{suffix}", self.name()), Probe { question, timeout: self.timeout })
        };
        let once = |question| vec![(String::new(), question)];
        let questions = match &self.kind.value {
            Kind::Dns(dns) => dns.questions(addresses),
            Kind::Http(http) => http.questions(addresses),
            Kind::Tcp(tcp) => tcp.questions(addresses),
            Kind::Tls(endpoint) => endpoint.questions(addresses),
            Kind::Icmp(icmp) => icmp.questions(addresses),
            Kind::Exec(command) => {
                let question = |&address| {
                    (format!(" at {address}"), Question::Exec { command: command.clone(), address })
                };
                addresses.iter().map(question).collect()
            }
            Kind::File(file) => once(file.question()),
            Kind::Clock(clock) => once(clock.question()),
            Kind::Passive(passive) => once(passive.question()),
            Kind::Zones(zones) => once(zones.question()),
        };
        questions.into_iter().map(probe).collect()
    }
}
