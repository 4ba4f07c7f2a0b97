//! Runs one health check over and over: a DNS question to a service address, from a new source port each time.
//!
//! ```text
//!   decision loop ──run this one sooner──> [check task] ──what it found──> decision loop
//!                                            │    ^
//!                              query, source │    │ reply
//!                              = the address v    │
//!                                          the service
//! ```
//! The question goes to the service address and comes from it, so that it takes the way of the users' questions into
//! the service and cannot leave the host: were the address missing, binding to it would fail, where an ordinary socket
//! would be answered by another site. The port is new each time, because several workers may share the service port
//! and the kernel picks one by the ports: one hung worker of many is found.
//!
//! A check that could not run says nothing about the service ([`Verdict::Indeterminate`]): no descriptor, no memory,
//! an address that is being put back, or a scheduler of ours that was late by more than an interval.

use crate::address::Presence;
use crate::announce::Slot;
use crate::clock::Clock;
use announce::CheckId;
use check::dns::{Expectation, Judged};
use rand::random;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use terms::{FailKind, Family, Reason, Timestamp, Verdict};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;

/// Largest datagram that is read: more than the query allows.
const REPLY_OCTETS: usize = 4096;

/// One check of one service through one of its addresses.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Which group it belongs to.
    pub(crate) group: Slot,
    /// Which check of its group it is.
    pub(crate) check: CheckId,
    /// The address it asks.
    pub(crate) service: SocketAddr,
    /// What a healthy service answers.
    pub(crate) expectation: Expectation,
    /// From the start of one run to the start of the next.
    pub(crate) interval: Duration,
    /// How long it waits for the answer.
    pub(crate) timeout: Duration,
}

/// What one run found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Which check of its group it was.
    pub(crate) check: CheckId,
    /// What it found.
    pub(crate) verdict: Verdict,
    /// Over which family it asked.
    pub(crate) family: Family,
    /// When the question was sent.
    pub(crate) asked: Timestamp,
    /// When that was known.
    pub(crate) known: Timestamp,
}

impl Probe {
    /// Runs the check until nobody wants to hear of it.
    pub(crate) async fn run(
        self,
        clock: Clock,
        presence: watch::Receiver<Presence>,
        mut sooner: mpsc::Receiver<Timestamp>,
        found: mpsc::Sender<(Slot, Found)>,
    ) {
        let mut due = clock.now();
        loop {
            tokio::select! {
                () = clock.until(Some(due)) => {}
                at = sooner.recv() => match at {
                    Some(at) => { due = due.min(at.max(clock.now())); continue }
                    None => return,
                },
            }
            let asked = clock.now();
            let verdict = match too_late(due, asked, self.interval) {
                Some(reason) => Verdict::Indeterminate { reason },
                None => self.ask(&clock, &presence).await,
            };
            let family = Family::of(self.service.ip());
            let run = Found { check: self.check, verdict, family, asked, known: clock.now() };
            if found.send((self.group, run)).await.is_err() {
                return;
            }
            due = following(due, clock.now(), self.interval);
        }
    }

    async fn ask(&self, clock: &Clock, presence: &watch::Receiver<Presence>) -> Verdict {
        let deadline = clock.now() + self.timeout;
        let give_up = tokio::time::Instant::now() + self.timeout;
        match timeout_at(give_up, self.converse()).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => judge_error(&error, &presence.borrow(), self.service.ip()),
            Err(_) => match too_late(deadline, clock.now(), self.interval) {
                Some(reason) => Verdict::Indeterminate { reason },
                None => Verdict::Fail {
                    kind: FailKind::Timeout,
                    reason: format!("no answer within {} ms", self.timeout.as_millis()).into(),
                },
            },
        }
    }

    /// One question, one answer.
    async fn converse(&self) -> io::Result<Verdict> {
        let socket = UdpSocket::bind(SocketAddr::new(self.service.ip(), 0)).await?;
        socket.connect(self.service).await?;
        let id = random();
        socket.send(&self.expectation.query(id)).await?;
        let mut reply = [0; REPLY_OCTETS];
        loop {
            let octets = socket.recv(&mut reply).await?;
            match self.expectation.judge(id, &reply[..octets]) {
                Judged::NotOurs => {}
                Judged::Reply(verdict) => return Ok(verdict),
            }
        }
    }
}

/// Why a run says nothing, where our own scheduler woke us more than an interval after `due`.
fn too_late(due: Timestamp, now: Timestamp, interval: Duration) -> Option<Reason> {
    let late = now.since(due);
    (late > interval).then(|| format!("our own scheduler was {} ms late", late.as_millis()).into())
}

/// When the next run starts: one interval after this one was due. Runs that were missed are not made up for.
fn following(due: Timestamp, now: Timestamp, interval: Duration) -> Timestamp {
    (due + interval).max(now)
}

/// What an error of a socket says about the service.
fn judge_error(error: &io::Error, presence: &Presence, address: IpAddr) -> Verdict {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
    };
    let definite = |reason: Reason| Verdict::Fail { kind: FailKind::Definite, reason };
    match error.kind() {
        ConnectionRefused => definite("refused: nobody listens on the service address".into()),
        ConnectionReset | HostUnreachable | NetworkUnreachable => definite(error.to_string().into()),
        AddrNotAvailable => match presence.missing(address) {
            Some(reason) => definite(format!("{address} is missing and cannot be put back: {reason}").into()),
            None => Verdict::Indeterminate { reason: format!("{address} is being put back").into() },
        },
        _ => Verdict::Indeterminate { reason: format!("the check could not run: {error}").into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn probe(service: SocketAddr) -> Probe {
        Probe {
            group: Slot(0),
            check: CheckId(0),
            service,
            expectation: Expectation { name: "example.".parse().unwrap(), qtype: "SOA".parse().unwrap() },
            interval: Duration::from_secs(3600),
            timeout: Duration::from_secs(3600),
        }
    }

    fn start(probe: Probe) -> (mpsc::Sender<Timestamp>, mpsc::Receiver<(Slot, Found)>) {
        let (sooner, told) = mpsc::channel(1);
        let (found_by, found) = mpsc::channel(1);
        let presence = watch::channel(Presence::default()).1;
        tokio::spawn(probe.run(Clock::start(), presence, told, found_by));
        (sooner, found)
    }

    /// The query turned into the reply of a healthy server: with authority, and one empty SOA record.
    fn healthy(query: &[u8]) -> Vec<u8> {
        let question = 12 + "\x07example\0".len() + 4;
        let mut reply = query[..question].to_vec();
        reply[2] = 0x84;
        (reply[7], reply[11]) = (1, 0);
        reply.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 0]);
        reply
    }

    #[tokio::test]
    async fn each_run_asks_from_a_port_of_its_own_and_the_next_can_be_sooner() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (sooner, mut found) = start(probe(service.local_addr().unwrap()));
        let (mut ports, mut query) = (BTreeSet::new(), [0; 512]);
        // The interval is an hour: every run but the first happens because it was asked for.
        for _ in 0..8 {
            let (octets, asker) = service.recv_from(&mut query).await.unwrap();
            ports.insert(asker.port());
            // Another id: a late reply to another query, which must not count.
            let mut stray = healthy(&query[..octets]);
            stray[0] ^= 0xff;
            stray[3] = 2;
            service.send_to(&stray, asker).await.unwrap();
            service.send_to(&healthy(&query[..octets]), asker).await.unwrap();
            assert_eq!(found.recv().await.unwrap().1.verdict, Verdict::Pass);
            sooner.send(Timestamp::ZERO).await.unwrap();
        }
        assert!(ports.len() > 4, "{ports:?}");
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_a_definite_failure() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (_sooner, mut found) = start(probe(service));
        let verdict = found.recv().await.unwrap().1.verdict;
        assert!(matches!(verdict, Verdict::Fail { kind: FailKind::Definite, .. }), "{verdict:?}");
    }

    #[tokio::test]
    async fn silence_is_a_timeout() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let quick = Probe { timeout: Duration::from_millis(1), ..probe(service.local_addr().unwrap()) };
        let (_sooner, mut found) = start(quick);
        let verdict = found.recv().await.unwrap().1.verdict;
        assert!(matches!(verdict, Verdict::Fail { kind: FailKind::Timeout, .. }), "{verdict:?}");
    }

    #[tokio::test]
    async fn a_check_that_nobody_listens_to_ends() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (sooner, found) = start(probe(service.local_addr().unwrap()));
        drop(found);
        let mut query = [0; 512];
        let (octets, asker) = service.recv_from(&mut query).await.unwrap();
        service.send_to(&healthy(&query[..octets]), asker).await.unwrap();
        // The task holds the other end of this queue for as long as it lives.
        sooner.closed().await;
    }

    #[test]
    fn our_own_lateness_says_nothing_about_the_service() {
        let (due, interval) = (Timestamp::from_nanos(1_000_000_000), Duration::from_millis(100));
        assert_eq!(too_late(due, due + interval, interval), None);
        let late = too_late(due, due + Duration::from_millis(250), interval).unwrap();
        assert_eq!(late.as_str(), "our own scheduler was 250 ms late");
    }

    #[test]
    fn missed_runs_are_not_made_up_for() {
        let (due, interval) = (Timestamp::from_nanos(1_000_000_000), Duration::from_millis(100));
        assert_eq!(following(due, due + Duration::from_millis(30), interval), due + interval);
        let late = due + Duration::from_secs(9);
        assert_eq!(following(due, late, interval), late);
    }

    #[test]
    fn an_error_is_judged_by_whose_fault_it_is() {
        let address: IpAddr = "198.18.0.53".parse().unwrap();
        let judge = |errno: i32, presence: &Presence| match judge_error(
            &io::Error::from_raw_os_error(errno),
            presence,
            address,
        ) {
            Verdict::Pass => "pass",
            Verdict::Fail { kind: FailKind::Definite, .. } => "definite",
            Verdict::Fail { kind: FailKind::Timeout, .. } => "timeout",
            Verdict::Indeterminate { .. } => "indeterminate",
        };
        const ECONNREFUSED: i32 = 111;
        const EHOSTUNREACH: i32 = 113;
        const ENETUNREACH: i32 = 101;
        const EADDRNOTAVAIL: i32 = 99;
        const EMFILE: i32 = 24;
        const ENOMEM: i32 = 12;
        let all_there = Presence::default();
        for errno in [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH] {
            assert_eq!(judge(errno, &all_there), "definite", "{errno}");
        }
        for errno in [EMFILE, ENOMEM] {
            assert_eq!(judge(errno, &all_there), "indeterminate", "{errno}");
        }
        assert_eq!(judge(EADDRNOTAVAIL, &all_there), "indeterminate", "it is being put back");
        assert_eq!(judge(EADDRNOTAVAIL, &Presence::without(address, "not permitted")), "definite");
    }
}
