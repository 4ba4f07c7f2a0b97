//! How each kind of check is asked: one shape for all of them.

use super::{clock, dns, exec, file, http, icmp, passive, tcp, tls, zones};
use crate::address::Presence;
use crate::clock::Clock;
use crate::dns::{Inventory, Tally};
use check::Finding;
use config::{Question, Way};
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use terms::{Family, ServiceName, Verdict};
use tokio::sync::watch;
use tokio::time::Instant;

/// What checks need of the daemon around them.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    /// Where runs are made that may be held up.
    pub(crate) workshop: tokio::runtime::Handle,
    /// What the threads of the built-in DNS service count.
    pub(crate) tallies: watch::Receiver<Vec<Tally>>,
    /// What zones it serves.
    pub(crate) inventory: watch::Receiver<Inventory>,
}

/// How one check is asked.
#[derive(Debug)]
pub(crate) enum Asker {
    Dns(dns::Asker),
    Http(http::Asker),
    Tcp(tcp::Asker),
    Tls(tls::Asker),
    Icmp(icmp::Asker),
    Exec(exec::Asker),
    File(file::Asker),
    Clock(clock::Asker),
    Passive(passive::Asker),
    Zones(zones::Asker),
}

/// How long a program gets to be killed, beyond its time-out.
const GRACE: Duration = Duration::from_millis(500);

impl Asker {
    /// The one that asks this question on behalf of a service.
    pub(crate) fn new(service: &ServiceName, question: &Question, surroundings: &Surroundings) -> Self {
        let clock = surroundings.clock;
        match question.clone() {
            Question::Dns { way, expectation } => Asker::Dns(dns::Asker { way, expectation, clock }),
            Question::Http { way, tls, expectation } => Asker::Http(http::Asker {
                way,
                expectation,
                tls: tls.map(|tls| tls::Client::new(&tls, tls::HTTP, clock)),
            }),
            Question::Tcp { way, expectation } => Asker::Tcp(tcp::Asker { way, expectation }),
            Question::Tls { way, tls } => {
                Asker::Tls(tls::Asker { way, client: tls::Client::new(&tls, tls::ANY, clock) })
            }
            Question::Icmp { way } => Asker::Icmp(icmp::Asker { way }),
            Question::Exec { command, address } => Asker::Exec(exec::Asker::new(command, service, address)),
            Question::File { path, expectation } => Asker::File(file::Asker::new(path, expectation, clock)),
            Question::Clock { server, expectation } => {
                Asker::Clock(clock::Asker { server, expectation, clock })
            }
            Question::Passive { bad, expectation } => {
                let tallies = surroundings.tallies.clone();
                Asker::Passive(passive::Asker::new(bad, expectation, service.clone(), tallies))
            }
            Question::Zones(expectation) => {
                let (service, inventory) = (service.clone(), surroundings.inventory.clone());
                Asker::Zones(zones::Asker { expectation, service, inventory, clock })
            }
        }
    }

    /// Asks once. What it starts ends with this future. `give_up` is when its answer comes too late.
    pub(crate) async fn ask(&self, give_up: Instant) -> io::Result<Finding> {
        match self {
            Asker::Dns(asker) => asker.ask().await,
            Asker::Http(asker) => asker.ask().await,
            Asker::Tcp(asker) => asker.ask().await,
            Asker::Tls(asker) => asker.ask().await,
            Asker::Icmp(asker) => asker.ask().await,
            Asker::Exec(asker) => asker.ask(give_up).await,
            Asker::File(asker) => asker.ask().await,
            Asker::Clock(asker) => asker.ask().await,
            Asker::Passive(asker) => Ok(asker.ask()),
            Asker::Zones(asker) => Ok(asker.ask()),
        }
    }

    /// Whether it computes so much, or asks the system for such things, that decisions must not wait for it.
    pub(super) fn may_be_held_up(&self) -> bool {
        match self {
            Asker::Http(asker) => asker.tls.is_some(),
            Asker::Tls(_) | Asker::Exec(_) | Asker::File(_) => true,
            Asker::Dns(_)
            | Asker::Tcp(_)
            | Asker::Icmp(_)
            | Asker::Clock(_)
            | Asker::Passive(_)
            | Asker::Zones(_) => false,
        }
    }

    /// A program's time-out is kept by its own asker, which knows what it has printed until then.
    pub(super) fn grace(&self) -> Duration {
        if matches!(self, Asker::Exec(_)) { GRACE } else { Duration::ZERO }
    }

    /// The family it asks over, if it asks over the network.
    pub(super) fn family(&self) -> Option<Family> {
        self.way().map(|way| Family::of(way.to.ip()))
    }

    fn way(&self) -> Option<Way> {
        match self {
            Asker::Dns(dns::Asker { way, .. })
            | Asker::Http(http::Asker { way, .. })
            | Asker::Tcp(tcp::Asker { way, .. })
            | Asker::Tls(tls::Asker { way, .. })
            | Asker::Icmp(icmp::Asker { way }) => Some(*way),
            Asker::Exec(_) | Asker::File(_) | Asker::Clock(_) | Asker::Passive(_) | Asker::Zones(_) => None,
        }
    }

    /// What it means that there was no answer in time.
    pub(super) fn judge_silence(&self, timeout: Duration) -> Verdict {
        let millis = timeout.as_millis();
        match self {
            // A time server that is silent says nothing about our clock.
            Asker::Clock(_) => Verdict::indeterminate(format!("no answer within {millis} ms")),
            Asker::File(_) => Verdict::timeout(format!("the file could not be read within {millis} ms")),
            Asker::Dns(_) | Asker::Http(_) | Asker::Tcp(_) | Asker::Tls(_) | Asker::Icmp(_) => {
                Verdict::timeout(format!("no answer within {millis} ms"))
            }
            Asker::Exec(_) | Asker::Passive(_) | Asker::Zones(_) => {
                Verdict::indeterminate(format!("the check did not end within {millis} ms"))
            }
        }
    }

    /// What an error of the system says about the service.
    pub(super) fn judge_error(&self, error: &io::Error, presence: &Presence) -> Verdict {
        match self.way() {
            Some(way) => judge_socket_error(error, presence, way.from),
            None => Verdict::indeterminate(format!("the check could not run: {error}")),
        }
    }
}

/// What an error of a socket says about the service, which was asked from its own address if there is one.
fn judge_socket_error(error: &io::Error, presence: &Presence, address: Option<IpAddr>) -> Verdict {
    use io::ErrorKind::{
        AddrNotAvailable, BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, TimedOut, UnexpectedEof,
    };
    match (error.kind(), address) {
        (ConnectionRefused, Some(_)) => Verdict::definite("refused: nobody listens on the service address"),
        (ConnectionRefused, None) => Verdict::definite("refused: nobody listens there"),
        (
            ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof | HostUnreachable
            | NetworkUnreachable,
            _,
        ) => Verdict::definite(error.to_string()),
        (TimedOut, _) => Verdict::timeout(error.to_string()),
        (AddrNotAvailable, Some(address)) => match presence.missing(address) {
            Some(reason) => {
                Verdict::definite(format!("{address} is missing and cannot be put back: {reason}"))
            }
            None => Verdict::indeterminate(format!("{address} is being put back")),
        },
        _ => Verdict::indeterminate(format!("the check could not run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::FailKind;

    #[test]
    fn an_error_is_judged_by_whose_fault_it_is() {
        let address: IpAddr = "198.18.0.53".parse().unwrap();
        let judge = |errno: i32, presence: &Presence, from: Option<IpAddr>| match judge_socket_error(
            &io::Error::from_raw_os_error(errno),
            presence,
            from,
        ) {
            Verdict::Pass => "pass",
            Verdict::Fail { kind: FailKind::Definite, .. } => "definite",
            Verdict::Fail { kind: FailKind::Timeout, .. } => "timeout",
            Verdict::Indeterminate { .. } => "indeterminate",
        };
        const ECONNREFUSED: i32 = 111;
        const EHOSTUNREACH: i32 = 113;
        const ENETUNREACH: i32 = 101;
        const ETIMEDOUT: i32 = 110;
        const EADDRNOTAVAIL: i32 = 99;
        const EMFILE: i32 = 24;
        const ENOMEM: i32 = 12;
        let all_there = Presence::default();
        for from in [None, Some(address)] {
            for errno in [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH] {
                assert_eq!(judge(errno, &all_there, from), "definite", "{errno}");
            }
            for errno in [EMFILE, ENOMEM] {
                assert_eq!(judge(errno, &all_there, from), "indeterminate", "{errno}");
            }
            assert_eq!(judge(ETIMEDOUT, &all_there, from), "timeout");
        }
        let lost = Presence::without(address, "not permitted");
        assert_eq!(judge(EADDRNOTAVAIL, &all_there, Some(address)), "indeterminate", "it is being put back");
        assert_eq!(judge(EADDRNOTAVAIL, &lost, Some(address)), "definite");
        assert_eq!(judge(EADDRNOTAVAIL, &lost, None), "indeterminate", "no port is left");
    }
}
