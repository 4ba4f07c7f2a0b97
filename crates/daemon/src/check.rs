//! Runs one health check over and over.
//!
//! ```text
//!   decision loop ──run this one sooner──> [check task] ──what it found──> decision loop
//!                                            │    ^
//!                                     a run  v    │ what it found
//!                                           [Asker]      a module for each kind: how it is asked
//!                                            │    ^
//!                       from the service's   │    │
//!                       own address          v    │
//!                                          the service
//! ```
//! The question goes to the service address and comes from it, so that it takes the way of the users' questions into
//! the service and cannot leave the host: were the address missing, binding to it would fail, where an ordinary socket
//! would be answered by another site. The port is new each time, because several workers may share the service port
//! and the kernel picks one by the ports: one hung worker of many is found.
//!
//! A check that could not run says nothing about the service ([`Verdict::Indeterminate`]): no descriptor, no memory, no
//! process, an address that is being put back, or a scheduler of ours that was late by more than an interval.
//!
//! When a run is due is decided here, on the thread of the decisions. A run that computes (TLS) or that the system may
//! hold up (processes, files) is made on a thread of its own, the [`Workshop`], with its time-out and the judgement
//! whether it was late: were that thread held up, its checks would say nothing, and nothing would be withdrawn for it.

mod asker;
mod clock;
mod dns;
mod exec;
mod file;
mod http;
mod icmp;
mod negative;
mod passive;
mod tcp;
mod tls;
mod way;
mod workshop;

use crate::address::Presence;
use crate::announce::Slot;
use crate::clock::Clock;
use ::check::Finding;
use announce::{CheckId, CheckSettings};
pub(crate) use asker::{Asker, Surroundings};
pub use negative::{CanFail, Proof, prove};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Reason, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
pub(crate) use workshop::Workshop;

/// One check of one service, through one of its addresses where it asks those.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Which group it belongs to.
    group: Slot,
    /// Which check of its group it is.
    check: CheckId,
    /// How it asks.
    asker: Arc<Asker>,
    /// From the start of one run to the start of the next.
    interval: Duration,
    /// How long it waits for the answer.
    timeout: Duration,
    /// Where runs are made that may be held up.
    workshop: tokio::runtime::Handle,
}

/// What one run found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Which check of its group it was.
    pub(crate) check: CheckId,
    /// What it found.
    pub(crate) verdict: Verdict,
    /// What was seen beside the verdict.
    pub(crate) seen: Option<String>,
    /// Over which family it asked, if it asked over the network.
    pub(crate) family: Option<Family>,
    /// When the question was sent.
    pub(crate) asked: Timestamp,
    /// When that was known.
    pub(crate) known: Timestamp,
}

impl Probe {
    /// The check of that place in that group.
    pub(crate) fn new(
        (group, check): (Slot, CheckId),
        settings: &CheckSettings,
        written: &config::Probe,
        surroundings: &Surroundings,
    ) -> Self {
        Probe {
            group,
            check,
            asker: Arc::new(Asker::new(&settings.service, &written.question, surroundings)),
            interval: settings.interval,
            timeout: written.timeout,
            workshop: surroundings.workshop.clone(),
        }
    }

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
            let finding = match too_late(due, asked, self.interval) {
                Some(reason) => Verdict::Indeterminate { reason }.into(),
                None => self.ask(&clock, &presence).await,
            };
            let Finding { verdict, seen } = finding;
            let family = self.asker.family();
            let run = Found { check: self.check, verdict, seen, family, asked, known: clock.now() };
            if found.send((self.group, run)).await.is_err() {
                return;
            }
            due = following(due, clock.now(), self.interval);
        }
    }

    /// One run, wherever runs of its kind are made.
    async fn ask(&self, clock: &Clock, presence: &watch::Receiver<Presence>) -> Finding {
        let run = ask_in_time(
            Arc::clone(&self.asker),
            self.timeout,
            self.interval,
            *clock,
            presence.borrow().clone(),
        );
        if !self.asker.may_be_held_up() {
            return run.await;
        }
        // Dropped, it ends the run.
        let mut workers = JoinSet::new();
        workers.spawn_on(run, &self.workshop);
        match workers.join_next().await {
            Some(Ok(finding)) => finding,
            Some(Err(_)) | None => Verdict::indeterminate("the daemon is ending").into(),
        }
    }
}

/// One run and its time-out.
async fn ask_in_time(
    asker: Arc<Asker>,
    timeout: Duration,
    interval: Duration,
    clock: Clock,
    presence: Presence,
) -> Finding {
    let deadline = clock.now() + timeout;
    let give_up = tokio::time::Instant::now() + timeout;
    match timeout_at(give_up + asker.grace(), asker.ask(give_up)).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(error)) => asker.judge_error(&error, &presence).into(),
        Err(_) => match too_late(deadline, clock.now(), interval) {
            Some(reason) => Verdict::Indeterminate { reason }.into(),
            None => asker.judge_silence(timeout).into(),
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::check::dns::Expectation;
    use config::{Question, Way};
    use std::collections::BTreeSet;
    use std::net::SocketAddr;
    use terms::FailKind;
    use tokio::net::UdpSocket;

    fn probe(service: SocketAddr) -> Probe {
        let expectation = Expectation::new("example.".parse().unwrap(), "SOA".parse().unwrap());
        let question = Question::Dns { way: Way { to: service, from: Some(service.ip()) }, expectation };
        let surroundings = Surroundings {
            clock: Clock::start(),
            workshop: tokio::runtime::Handle::current(),
            tallies: watch::Sender::default().subscribe(),
        };
        Probe {
            group: Slot(0),
            check: CheckId(0),
            asker: Arc::new(Asker::new(&"dns".parse().unwrap(), &question, &surroundings)),
            interval: Duration::from_secs(3600),
            timeout: Duration::from_secs(3600),
            workshop: surroundings.workshop,
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
}
