//! What happened to queries, counted by each thread for itself and added up when somebody asks.

use super::served::Said;
use ::dns::{Cookie, Outcome, ResponseCode, Silence};
use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering};

const CODES: usize = ResponseCode::ALL.len();
const COOKIES: usize = Cookie::ALL.len();

/// Counters of one thread. A cache line of its own keeps threads from slowing each other down.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Counters {
    queries: AtomicU64,
    /// In the order of [`ResponseCode::ALL`].
    replies: [AtomicU64; CODES],
    /// In the order of [`Cookie::ALL`].
    cookies: [AtomicU64; COOKIES],
    truncated: AtomicU64,
    silent: AtomicU64,
    slipped: AtomicU64,
    dropped: AtomicU64,
    unsent: AtomicU64,
    connections: AtomicU64,
    ended: AtomicU64,
    idle: AtomicU64,
    crowded: AtomicU64,
    handshake_failures: AtomicU64,
}

/// Why a connection was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// No message passed for too long.
    Idle,
    /// It was the idlest when a place was needed.
    Crowded,
}

/// A snapshot of counters. Each of them only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages that arrived.
    pub(super) queries: u64,
    replies: [u64; CODES],
    cookies: [u64; COOKIES],
    /// Replies that left records out for want of room (TC).
    pub(super) truncated: u64,
    /// Messages that deserve no reply.
    pub(super) silent: u64,
    /// Replies that said less, because the client's network is told the same too often.
    pub(super) slipped: u64,
    /// Queries that got no reply for the same reason.
    pub(super) dropped: u64,
    /// Replies that the system did not take.
    pub(crate) unsent: u64,
    /// Connections that were accepted.
    pub(super) connections: u64,
    /// Connections that are no more.
    pub(super) ended: u64,
    /// Connections that were cut because no message passed for too long.
    pub(super) idle: u64,
    /// Connections that were cut because they were the idlest when a place was needed.
    pub(super) crowded: u64,
    /// Connections on which no TLS session came about.
    pub(super) handshake_failures: u64,
}

impl Counts {
    /// Connections that are open.
    pub(super) fn open(&self) -> u64 {
        self.connections.saturating_sub(self.ended)
    }

    /// Replies by what they said.
    pub(crate) fn replies(&self) -> impl Iterator<Item = (ResponseCode, u64)> {
        ResponseCode::ALL.into_iter().zip(self.replies)
    }

    /// Queries with a cookie that were replied to, by what it was worth.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (Cookie, u64)> {
        Cookie::ALL.into_iter().zip(self.cookies)
    }
}

/// One thread writes, others read now and then: no order with other memory is needed, and nobody else's sum is lost.
fn add(counter: &AtomicU64, number: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
}

impl Counters {
    pub(super) fn count(&self, outcome: Outcome) {
        add(&self.queries, 1);
        match outcome {
            Outcome::Reply { code, truncated, cookie, slipped, length: _ } => {
                self.count_code(code);
                let cookies = Cookie::ALL.iter().zip(&self.cookies).find(|&(&listed, _)| listed == cookie);
                if let Some((_, counter)) = cookies {
                    add(counter, 1);
                }
                if slipped {
                    add(&self.slipped, 1);
                }
                if truncated {
                    add(&self.truncated, 1);
                }
            }
            Outcome::Silence(Silence::TooOften) => add(&self.dropped, 1),
            Outcome::Silence(Silence::TooShort | Silence::AlreadyAReply | Silence::NoRoom) => {
                add(&self.silent, 1);
            }
            // See below.
            Outcome::Aside => {}
        }
    }

    /// Counts what was said to a message that [`Counters::count`] has counted as [`Outcome::Aside`].
    pub(super) fn count_aside(&self, said: &Said) {
        let code = match said {
            Said::Nothing => return add(&self.silent, 1),
            Said::Reply(_, code) => *code,
            Said::Stream(..) => ResponseCode::NoError,
        };
        self.count_code(code);
    }

    fn count_code(&self, code: ResponseCode) {
        let counter = ResponseCode::ALL.iter().zip(&self.replies).find(|&(&listed, _)| listed == code);
        if let Some((_, counter)) = counter {
            add(counter, 1);
        }
    }

    pub(super) fn count_unsent(&self, replies: u64) {
        add(&self.unsent, replies);
    }

    pub(super) fn count_connection(&self) {
        add(&self.connections, 1);
    }

    pub(super) fn count_end(&self) {
        add(&self.ended, 1);
    }

    pub(super) fn count_cut(&self, why: Cut) {
        match why {
            Cut::Idle => add(&self.idle, 1),
            Cut::Crowded => add(&self.crowded, 1),
        }
    }

    pub(super) fn count_handshake_failure(&self) {
        add(&self.handshake_failures, 1);
    }

    pub(super) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            queries: read(&self.queries),
            replies: std::array::from_fn(|code| read(&self.replies[code])),
            cookies: std::array::from_fn(|cookie| read(&self.cookies[cookie])),
            truncated: read(&self.truncated),
            silent: read(&self.silent),
            slipped: read(&self.slipped),
            dropped: read(&self.dropped),
            unsent: read(&self.unsent),
            connections: read(&self.connections),
            ended: read(&self.ended),
            idle: read(&self.idle),
            crowded: read(&self.crowded),
            handshake_failures: read(&self.handshake_failures),
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |sum, more| Counts {
            queries: sum.queries + more.queries,
            replies: std::array::from_fn(|code| sum.replies[code] + more.replies[code]),
            cookies: std::array::from_fn(|cookie| sum.cookies[cookie] + more.cookies[cookie]),
            truncated: sum.truncated + more.truncated,
            silent: sum.silent + more.silent,
            slipped: sum.slipped + more.slipped,
            dropped: sum.dropped + more.dropped,
            unsent: sum.unsent + more.unsent,
            connections: sum.connections + more.connections,
            ended: sum.ended + more.ended,
            idle: sum.idle + more.idle,
            crowded: sum.crowded + more.crowded,
            handshake_failures: sum.handshake_failures + more.handshake_failures,
        })
    }
}
