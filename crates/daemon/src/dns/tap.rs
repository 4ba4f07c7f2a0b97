//! dnstap: what was asked and what was answered, told to a program that keeps it (<https://dnstap.info>).
//!
//! ```text
//!  threads that answer -- queue, bounded -- thread (dnstap) -- Frame Streams --> a socket's reader, or a file
//! ```
//! Answers come first. A thread that answers copies two messages into a queue and never waits: what does not fit is dropped
//! and counted. Everything else, encoding too, happens on a thread of its own.

mod event;
mod frames;
mod hearing;
mod message;
mod writer;

use crate::event::Source;
use crate::events::Bus;
use ::dns::Transport;
use config::DnstapOutput;
use event::Event;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use terms::{ServiceName, SiteName, WallTime};

/// Exchanges that may wait for the reader.
const WAITING: usize = 8192;
/// Octets of them.
const WAITING_OCTETS: usize = 8 << 20;

/// One exchange with a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange<'a> {
    pub(super) client: SocketAddr,
    /// The address that was asked.
    pub(super) server: SocketAddr,
    pub(super) transport: Transport,
    pub(super) at: WallTime,
    pub(super) query: &'a [u8],
    /// None where there is no reply, or one of many messages.
    pub(super) reply: Option<&'a [u8]>,
}

/// The same, as it waits in the queue.
#[derive(Debug)]
struct Seen {
    client: SocketAddr,
    server: SocketAddr,
    transport: Transport,
    at: WallTime,
    /// The query, and behind it the reply.
    octets: Box<[u8]>,
    query: usize,
    is_answered: bool,
}

impl Seen {
    /// How many messages of dnstap it makes.
    fn messages(&self) -> u64 {
        1 + u64::from(self.is_answered)
    }
}

/// What became of the messages, counted for as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Handed to the reader, or written into the file.
    pub(super) written: AtomicU64,
    /// Left out: the reader was too slow, or not there.
    pub(super) dropped: AtomicU64,
    waiting_octets: AtomicUsize,
}

/// Who tells of exchanges, and whom it says that nobody hears it.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    service: ServiceName,
    /// Whose name is in the messages.
    identity: String,
    bus: Bus,
}

impl Teller {
    /// A service of a site.
    pub(crate) fn new(service: &ServiceName, site: &SiteName, bus: &Bus) -> Teller {
        Teller { service: service.clone(), identity: site.to_string(), bus: bus.clone() }
    }

    fn say(&self, event: &Event) {
        self.bus.tell(event, Source::Service(&self.service));
    }
}

#[cfg(test)]
impl Teller {
    pub(super) fn for_test() -> Teller {
        Teller::new(&"dns".parse().unwrap(), &"london".parse().unwrap(), &Bus::for_test())
    }
}

/// Where exchanges are told to. The thread ends, and what waits is lost, when the last copy is gone.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    queue: SyncSender<Seen>,
    account: Arc<Account>,
    is_heard: Arc<AtomicBool>,
    /// Held by every copy.
    _teller: Arc<()>,
}

impl Tap {
    /// Starts the thread. Who reads need not be there yet.
    pub(super) fn start(output: &DnstapOutput, teller: &Teller, account: Arc<Account>) -> io::Result<Tap> {
        let (queue, waiting) = sync_channel(WAITING);
        let (held, is_heard) = (Arc::new(()), Arc::<AtomicBool>::default());
        let (told_by, shared) = (Arc::downgrade(&held), Arc::clone(&is_heard));
        writer::start(output.clone(), teller.clone(), waiting, told_by, Arc::clone(&account), shared)?;
        Ok(Tap { queue, account, is_heard, _teller: held })
    }

    /// Tells of an exchange, unless too many wait.
    pub(super) fn tell(&self, exchange: &Exchange<'_>) {
        let Exchange { client, server, transport, at, query, reply } = *exchange;
        let is_answered = reply.is_some();
        let reply = reply.unwrap_or_default();
        let octets = query.len() + reply.len();
        let waiting = self.account.waiting_octets.fetch_add(octets, Ordering::Relaxed);
        if waiting + octets > WAITING_OCTETS {
            return self.drop_one(octets, 1 + u64::from(is_answered));
        }
        let both = [query, reply].concat().into_boxed_slice();
        let seen = Seen { client, server, transport, at, octets: both, query: query.len(), is_answered };
        let messages = seen.messages();
        if self.queue.try_send(seen).is_err() {
            self.drop_one(octets, messages);
        }
    }

    /// Whether a reader has taken the offer and is there, or the file is.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Relaxed)
    }

    /// How many messages the reader took.
    pub(super) fn written(&self) -> u64 {
        self.account.written.load(Ordering::Relaxed)
    }

    /// How many it did not.
    pub(super) fn dropped(&self) -> u64 {
        self.account.dropped.load(Ordering::Relaxed)
    }

    fn drop_one(&self, octets: usize, messages: u64) {
        self.account.waiting_octets.fetch_sub(octets, Ordering::Relaxed);
        self.account.dropped.fetch_add(messages, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
