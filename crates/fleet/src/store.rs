//! What a store does, and how it can fail to.

use crate::Key;
use std::future::Future;
use std::time::Duration;
use terms::Reason;
use tokio::sync::mpsc;

/// Longest value that a store takes or hands out, octets: a record of the permit protocol may have so many, and an
/// etcd refuses requests of more than 1.5 MiB unless told otherwise.
pub const LONGEST_VALUE: usize = 1_400_000;

/// Most entries of one listing. More of them below one prefix is an error, never a part of the truth.
pub const MOST_LISTED: usize = 1024;

/// Which change of a store a value comes from. Every change of any value has a higher one than all before; a store
/// that was restored from a backup starts again lower than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// Which connection an answer came over. A store that was restored from a backup is only ever reached through a new
/// one: whoever hears over another connection than before must take into account that the store may have forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u64);

/// A value was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The connection that said so.
    pub over: Connection,
    /// The change.
    pub revision: Revision,
}

/// A value, and the change that put it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub key: Key,
    /// The change that put it there.
    pub revision: Revision,
    /// The value.
    pub value: Vec<u8>,
}

/// What lies under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The connection that said so.
    pub over: Connection,
    /// The latest change of the whole store. Lower than one seen before: the store was restored from a backup.
    pub at: Revision,
    /// The value; none if there is none.
    pub entry: Option<Entry>,
}

/// Everything below one prefix, in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The connection that said so; what is watched from here on comes over the same.
    pub over: Connection,
    /// The latest change of the whole store.
    pub at: Revision,
    /// The values.
    pub entries: Vec<Entry>,
}

/// What happened below a watched prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A value was put or replaced.
    Put(Entry),
    /// A value is gone: its lease lapsed.
    Gone(Key),
}

/// Every change below a prefix, in order, from the moment of the listing it came with.
#[derive(Debug)]
pub struct Watch(mpsc::Receiver<Change>);

impl Watch {
    /// How many changes may wait to be taken; the watch of a reader who is slower than that ends.
    const WAITING: usize = 4 * MOST_LISTED;

    pub(crate) fn new() -> (mpsc::Sender<Change>, Self) {
        let (sender, receiver) = mpsc::channel(Self::WAITING);
        (sender, Watch(receiver))
    }

    /// The next change; none when the watch is over: the store is gone or the reader too slow. Then watch again.
    pub async fn next(&mut self) -> Option<Change> {
        self.0.recv().await
    }
}

/// Proof that a key is kept alive. Without [`Store::present`] in time it lapses, and the key is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub(crate) id: i64,
    /// The value that lies under the key, so that saying the same again writes nothing.
    pub(crate) said: Vec<u8>,
}

/// Nothing was changed, and nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub Reason);

impl Unavailable {
    pub(crate) fn because(words: impl AsRef<str>) -> Self {
        Unavailable(Reason::from(words))
    }
}

/// Why a value was not replaced, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// The value is another one by now. Nothing was changed: read it and decide again.
    #[error("somebody else changed it first")]
    Conflict,
    /// The request may have been carried out or not: read the value to find out, and believe neither before.
    #[error("it may have happened or not: {0}")]
    Ambiguous(Reason),
    /// Nothing was changed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Values under keys that several programs share.
///
/// Every call has a time limit of its own and may be dropped at any point; a dropped [`replace`](Store::replace) is
/// [ambiguous](ReplaceError::Ambiguous).
pub trait Store: Clone + Send + Sync + 'static {
    /// The value under `key` as of now: never one that had been replaced before the call.
    fn read(&self, key: &Key) -> impl Future<Output = Result<Reading, Unavailable>> + Send;

    /// Puts `value` under `key` if the entry there is still of revision `expected`; `None` expects no entry.
    fn replace(
        &self,
        key: &Key,
        expected: Option<Revision>,
        value: Vec<u8>,
    ) -> impl Future<Output = Result<Written, ReplaceError>> + Send;

    /// Everything below `prefix`, as of one moment.
    fn list(&self, prefix: &Key) -> impl Future<Output = Result<Listing, Unavailable>> + Send;

    /// Everything below `prefix`, and every change after it.
    fn watch(&self, prefix: &Key) -> impl Future<Output = Result<(Listing, Watch), Unavailable>> + Send;

    /// Has `value` under `key` for as long as this is called again within `lifetime` (whole seconds, at least one).
    /// Hand in the lease of the last call; if it has lapsed meanwhile, a new one is made.
    fn present(
        &self,
        key: &Key,
        value: &[u8],
        lifetime: Duration,
        lease: Option<Lease>,
    ) -> impl Future<Output = Result<Lease, Unavailable>> + Send;

    /// Ends a lease before it lapses: its key is gone at once. One that has lapsed already stays so; a store may
    /// refuse to end it again.
    fn give_back(&self, lease: Lease) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Refuses what no store takes.
pub(crate) fn fitting(value: &[u8]) -> Result<(), Unavailable> {
    if value.len() <= LONGEST_VALUE {
        return Ok(());
    }
    let words =
        format!("a value of {} octets is longer than the {LONGEST_VALUE} that a store takes", value.len());
    Err(Unavailable::because(words))
}

/// Refuses to show a part for the whole.
pub(crate) fn complete(entries: usize, prefix: &Key) -> Result<(), Unavailable> {
    if entries <= MOST_LISTED {
        return Ok(());
    }
    Err(Unavailable::because(format!("more than {MOST_LISTED} entries lie below {prefix}")))
}
