//! dnstap: what was asked and what was answered, told to a program that keeps it (<https://dnstap.info>).
//!
//! ```text
//!  threads that answer -- queue, bounded -- thread (dnstap) -- Frame Streams --> a socket's reader, or a file
//! ```
//! Answers come first. A thread that answers copies two messages into a queue and never waits: what does not fit is dropped
//! and counted. Everything else, encoding too, happens on a thread of its own.

mod frames;
mod message;
mod writer;

use ::dns::Transport;
use config::DnstapOutput;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use terms::WallTime;

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

/// Where exchanges are told to. The thread ends, and what waits is lost, when the last copy is gone.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    queue: SyncSender<Seen>,
    account: Arc<Account>,
    /// Held by every copy.
    _teller: Arc<()>,
}

impl Tap {
    /// Starts the thread. Who reads need not be there yet.
    pub(super) fn start(output: &DnstapOutput, identity: &str, account: Arc<Account>) -> io::Result<Tap> {
        let (queue, waiting) = sync_channel(WAITING);
        let teller = Arc::new(());
        let told_by = Arc::downgrade(&teller);
        writer::start(output.clone(), identity.to_owned(), waiting, told_by, Arc::clone(&account))?;
        Ok(Tap { queue, account, _teller: teller })
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
