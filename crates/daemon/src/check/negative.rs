//! Can each check fail? A check that passes whatever happens protects nobody.
//!
//! Each check of a site file is run against something dead in place of the service: a port of this host where nobody
//! listens, a file that is not there, `false` in place of a program, a network that does not exist. Where a reply is
//! judged, a wrong reply is judged too. Nothing of the service is touched, and nothing is left behind.

#[cfg(test)]
mod tests;

use super::{Asker, Surroundings, ask_in_time};
use crate::address::Presence;
use crate::clock::Clock;
use ::check::dns::ResponseCode;
use ::check::passive::Answers;
use ::check::zones::Standing;
use ::check::{Finding, Judged, Progress, file};
use config::{Command, Question, SiteFile, Way};
use rand::random;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use terms::{DomainName, Reason, ServiceName, Timestamp, Verdict, WallTime};
use tokio::sync::watch;

/// Whether one check can fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The service that it belongs to.
    pub service: ServiceName,
    /// Its name.
    pub check: String,
    /// Whether it can fail.
    pub can_fail: CanFail,
}

/// Whether a check can fail, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanFail {
    /// It did; in its own words.
    Yes(Reason),
    /// It passed what it must not pass.
    No(Reason),
    /// It could not be run here.
    Unknown(Reason),
}

/// Addresses of networks that lead nowhere (RFC 5737, RFC 6666).
const NOWHERE_4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NOWHERE_6: Ipv6Addr = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1);
/// A program that fails.
const FALSE: &str = "/bin/false";

/// Tries every check of a site file against something dead. Fails only where this host has no sockets to try with.
pub fn prove(site_file: &SiteFile) -> io::Result<Vec<Proof>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let dead = Dead::new()?;
    let surroundings = Surroundings {
        clock: Clock::start(),
        workshop: runtime.handle().clone(),
        tallies: watch::Sender::default().subscribe(),
        inventory: watch::Sender::default().subscribe(),
    };
    let mut proofs = Vec::new();
    for group in &site_file.groups {
        for (settings, probe) in group.settings.checks.iter().zip(&group.probes) {
            let trials = Trials { dead: &dead, surroundings: &surroundings, service: &settings.service };
            let findings = runtime.block_on(trials.of(&probe.question, probe.timeout));
            proofs.push(Proof {
                service: settings.service.clone(),
                check: settings.name.clone(),
                can_fail: CanFail::of(findings),
            });
        }
    }
    runtime.shutdown_background();
    Ok(proofs)
}

impl CanFail {
    /// What trials come to, each with what was tried: one pass is one too many, and one failure is the proof.
    fn of(trials: Vec<(&'static str, Verdict)>) -> CanFail {
        let words = |what: &str, verdict: &Verdict| match verdict.reason() {
            Some(reason) => Reason::from(format!("{what}: {reason}")),
            None => Reason::from(format!("it passes {what}")),
        };
        let first = |wanted: fn(&Verdict) -> bool| {
            trials.iter().find(|(_, verdict)| wanted(verdict)).map(|(what, verdict)| words(what, verdict))
        };
        let passed = first(|verdict| matches!(verdict, Verdict::Pass)).map(CanFail::No);
        let failed = || first(|verdict| matches!(verdict, Verdict::Fail { .. })).map(CanFail::Yes);
        let neither =
            || first(|_| true).unwrap_or_else(|| Reason::from("there is nothing to try it against"));
        passed.or_else(failed).unwrap_or_else(|| CanFail::Unknown(neither()))
    }
}

/// Things of this host that are dead.
struct Dead {
    /// Sockets that hold their ports and listen to nobody.
    held: BTreeMap<bool, Socket>,
    directory: TempDir,
}

impl Dead {
    fn new() -> io::Result<Self> {
        let mut held = BTreeMap::new();
        for (is_ipv4, address) in
            [(true, IpAddr::from(Ipv4Addr::LOCALHOST)), (false, Ipv6Addr::LOCALHOST.into())]
        {
            let address = SocketAddr::new(address, 0);
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            // A host without IPv6 is no reason not to try the rest.
            if socket.bind(&address.into()).is_ok() {
                held.insert(is_ipv4, socket);
            }
        }
        Ok(Dead { held, directory: TempDir::new()? })
    }

    /// A TCP port where nobody listens.
    fn tcp(&self, way: Way) -> Option<Way> {
        let socket = self.held.get(&way.to.is_ipv4())?;
        Some(Way { to: socket.local_addr().ok()?.as_socket()?, from: None })
    }

    /// A UDP port that nobody has: it was free a moment ago.
    fn udp(&self, to: SocketAddr) -> Option<Way> {
        let loopback =
            if to.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
        let free = UdpSocket::bind((loopback, 0)).and_then(|socket| socket.local_addr());
        Some(Way { to: free.ok()?, from: None })
    }

    /// The question, put to something dead; none where there is nothing of the kind.
    fn instead_of(&self, question: &Question) -> Option<(&'static str, Question)> {
        let nobody = "nobody listens";
        Some(match question.clone() {
            Question::Dns { way, expectation } => {
                (nobody, Question::Dns { way: self.udp(way.to)?, expectation })
            }
            Question::Http { way, tls, expectation } => {
                (nobody, Question::Http { way: self.tcp(way)?, tls, expectation })
            }
            Question::Tcp { way, expectation } => {
                (nobody, Question::Tcp { way: self.tcp(way)?, expectation })
            }
            Question::Tls { way, tls } => (nobody, Question::Tls { way: self.tcp(way)?, tls }),
            Question::Icmp { way } => {
                let nowhere = if way.to.is_ipv4() { NOWHERE_4.into() } else { NOWHERE_6.into() };
                let way = Way { to: SocketAddr::new(nowhere, 0), from: None };
                ("a network that is none", Question::Icmp { way })
            }
            Question::Exec { address, .. } => {
                let command = Command { program: PathBuf::from(FALSE), arguments: Vec::new() };
                ("`false` in its place", Question::Exec { command, address })
            }
            Question::File { expectation, .. } => {
                let path = self.directory.path().join("missing");
                ("a file that is not there", Question::File { path, expectation })
            }
            Question::Clock { server, expectation } => {
                (nobody, Question::Clock { server: self.udp(server)?.to, expectation })
            }
            Question::Passive { .. } | Question::Zones(_) => return None,
        })
    }
}

/// Everything that one check is tried against.
struct Trials<'a> {
    dead: &'a Dead,
    surroundings: &'a Surroundings,
    service: &'a ServiceName,
}

impl Trials<'_> {
    async fn of(&self, question: &Question, timeout: Duration) -> Vec<(&'static str, Verdict)> {
        let mut trials = Vec::new();
        if let Some((what, dead)) = self.dead.instead_of(question) {
            let asker = Arc::new(Asker::new(self.service, &dead, self.surroundings));
            // How late this process runs is of no interest here.
            let never_late = Duration::from_secs(3600);
            let clock = self.surroundings.clock;
            let finding = ask_in_time(asker, timeout, never_late, clock, Presence::default()).await;
            trials.push((what, finding.verdict));
        }
        trials.extend(wrong_reply(question));
        trials
    }
}

/// What the check says of a reply that is wrong; none where no reply is judged.
fn wrong_reply(question: &Question) -> Option<(&'static str, Verdict)> {
    match question {
        Question::Dns { expectation, .. } => {
            let id: u16 = random();
            let mut reply = expectation.query(id);
            let code: u8 = if expectation.code == ResponseCode::SERVFAIL { 5 } else { 2 };
            (reply[2], reply[3]) = (reply[2] | 0x84, code);
            replied("an error in place of the answer", expectation.judge(id, &reply, WallTime(0)))
        }
        Question::Http { expectation, .. } => {
            let status =
                (200..600).rev().find(|status| !expectation.statuses.contains(status)).unwrap_or(500);
            let response = format!("HTTP/1.1 {status} Wrong\r\nContent-Length: 0\r\n\r\n");
            decided("an empty error page", expectation.judge(response.as_bytes(), true))
        }
        Question::Tcp { expectation, .. } => {
            let banner = expectation.banner.as_ref()?;
            let wrong: Vec<u8> = banner.bytes().map(|octet| octet ^ 1).collect();
            decided("another greeting", expectation.judge(&wrong, true))
        }
        Question::File { expectation, .. } => {
            if expectation.max_age.is_none() && expectation.contains.is_none() {
                return None;
            }
            let old = file::Facts::File { modified: WallTime(0), content: b"" };
            let finding = expectation.judge(&old, &mut None, Timestamp::ZERO, WallTime(u64::MAX));
            Some(("an old, empty file", finding.verdict))
        }
        Question::Clock { expectation, .. } => {
            // The server says 1900-01-01 and a second, at most 68 years from any time of ours.
            let nonce: u64 = random();
            let mut reply = [0; 48];
            (reply[0], reply[1]) = (0b0010_0100, 1);
            reply[24..32].copy_from_slice(&nonce.to_be_bytes());
            (reply[35], reply[43]) = (1, 1);
            let now = WallTime(0);
            replied("a time of another year", expectation.judge(nonce, &reply, now, now))
        }
        Question::Passive { expectation, .. } => {
            let all = expectation.least_answers.max(1);
            let finding = expectation.judge(Answers { all, bad: all });
            Some(("nothing but bad answers", finding.verdict))
        }
        Question::Zones(expectation) => {
            let ended = [(&DomainName::root(), Standing::SignedUntil(WallTime(0)))];
            Some(("signatures that have ended", expectation.judge(ended, WallTime(1)).verdict))
        }
        Question::Tls { .. } | Question::Icmp { .. } | Question::Exec { .. } => None,
    }
}

fn replied(what: &'static str, judged: Judged) -> Option<(&'static str, Verdict)> {
    match judged {
        Judged::Reply(Finding { verdict, .. }) => Some((what, verdict)),
        Judged::NotOurs => None,
    }
}

fn decided(what: &'static str, progress: Progress) -> Option<(&'static str, Verdict)> {
    match progress {
        Progress::Done(verdict) => Some((what, verdict)),
        Progress::More => None,
    }
}
