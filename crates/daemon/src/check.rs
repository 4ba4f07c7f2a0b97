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
        found: mpsc::Sender<Found>,
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
            if found.send(run).await.is_err() {
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
