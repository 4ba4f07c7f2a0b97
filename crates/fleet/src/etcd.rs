//! The store that a fleet shares: an etcd cluster (API v3, servers from 3.4 on).
//!
//! ```text
//!   every call ──> the member that answered last ──answer──────> the caller
//!                        │                       └─no answer──> an error; the next call asks the next member
//!                        └── not connected: the next one that can be, each tried once
//! ```
//! Reads are linearizable: a member that is cut off from the majority does not answer them (`hasleader`). Nothing is
//! sent twice: sending a write again to the next member could carry it out twice. So whatever is not a clear answer to
//! a write is [`ReplaceError::Ambiguous`], and the caller reads.

mod member;
mod settings;

pub use settings::{Login, Settings, Tls};

use crate::store::{complete, fitting};
use crate::{
    Change, Entry, Key, LONGEST_VALUE, Lease, Listing, MOST_LISTED, Reading, ReplaceError, Revision, Store,
    Unavailable, Watch, Written,
};
use etcd_client::{
    Client, Compare, CompareOp, GetOptions, KeyValue, KvClient, PutOptions, ResponseHeader, Txn, TxnOp,
    WatchOptions, WatchStream,
};
use member::{Member, Trouble};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// A cluster of etcd members. A copy is the same cluster and shares its connection.
#[derive(Clone, Debug)]
pub struct Etcd(Arc<Cluster>);

#[derive(Debug)]
struct Cluster {
    settings: Settings,
    current: Mutex<Current>,
}

/// Whom to ask.
#[derive(Debug, Default)]
struct Current {
    /// The place of the member to ask in the list of endpoints.
    index: usize,
    /// The connection to it.
    member: Option<Member>,
    /// How many connections there were.
    connections: u64,
}

/// Longest answer that is read, octets: what 64 sites with 500,000 connections each say of them.
const LONGEST_ANSWER: usize = 128 << 20;

/// A client that reads what is longer than usual.
fn reader(client: &Client) -> KvClient {
    client.kv_client().max_decoding_message_size(LONGEST_ANSWER)
}

impl Etcd {
    /// A cluster that nobody has asked anything yet: this connects to nobody.
    pub fn new(settings: Settings) -> Self {
        Etcd(Arc::new(Cluster { settings, current: Mutex::default() }))
    }

    /// The member to ask: the one that answered last, or the next one that can be connected to.
    async fn member(&self) -> Result<Member, Unavailable> {
        let mut current = self.0.current.lock().await;
        if let Some(member) = &current.member {
            return Ok(member.clone());
        }
        let endpoints = &self.0.settings.endpoints;
        let mut last = Unavailable::because("no etcd endpoint is configured");
        for _ in endpoints {
            let endpoint = &endpoints[current.index % endpoints.len()];
            current.connections += 1;
            match Member::connect(endpoint, &self.0.settings, current.connections).await {
                Ok(member) => return Ok(current.member.insert(member).clone()),
                Err(trouble) => last = trouble.into_unavailable(),
            }
            current.index += 1;
        }
        Err(last)
    }

    /// Asks another member from the next call on, unless somebody has turned to one already.
    async fn turn_from(&self, silent: &Member) {
        let mut current = self.0.current.lock().await;
        if current.member.take_if(|standing| standing.over == silent.over).is_some() {
            current.index += 1;
        }
    }

    /// One call to one member.
    async fn call<T, F>(&self, member: &Member, call: impl FnOnce(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let answer = member.call(call).await;
        if let Err(Trouble::Silent(_)) = answer {
            self.turn_from(member).await;
        }
        answer
    }

    /// One call that may have been carried out or not, for all that its caller cares.
    async fn ask<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<(Member, T), Unavailable>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let member = self.member().await?;
        let answer = self.call(&member, call).await.map_err(Trouble::into_unavailable)?;
        Ok((member, answer))
    }

    async fn list_with(&self, prefix: &Key) -> Result<(Member, Listing), Unavailable> {
        let below = self.below(prefix);
        // One more than is taken, so that too many are noticed.
        let limit = i64::try_from(MOST_LISTED + 1).unwrap_or(i64::MAX);
        let options = GetOptions::new().with_prefix().with_limit(limit);
        let (member, answer) =
            self.ask(|client| async move { reader(&client).get(below, Some(options)).await }).await?;
        complete(answer.kvs().len(), prefix)?;
        let entries: Vec<Entry> = answer.kvs().iter().filter_map(|row| self.entry(row)).collect();
        entries.iter().try_for_each(bounded)?;
        let listing = Listing { over: member.over, at: at(answer.header()), entries };
        Ok((member, listing))
    }

    fn full(&self, key: &Key) -> String {
        format!("/{}/{key}", self.0.settings.prefix)
    }

    fn below(&self, prefix: &Key) -> String {
        format!("/{}/{prefix}/", self.0.settings.prefix)
    }

    /// The entry of a row; none for a key that no site has written.
    fn entry(&self, row: &KeyValue) -> Option<Entry> {
        let key = self.key(row)?;
        Some(Entry { key, revision: revision(row.mod_revision()), value: row.value().to_owned() })
    }

    fn key(&self, row: &KeyValue) -> Option<Key> {
        let inside = row.key_str().ok()?.strip_prefix('/')?.strip_prefix(self.0.settings.prefix.as_str())?;
        inside.strip_prefix('/')?.parse().ok()
    }
}

fn revision(number: i64) -> Revision {
    Revision(u64::try_from(number).unwrap_or(0))
}

fn at(header: Option<&ResponseHeader>) -> Revision {
    revision(header.map_or(0, ResponseHeader::revision))
}

/// Refuses what nobody of ours has written: whoever reads it would have to hold it.
fn bounded(entry: &Entry) -> Result<(), Unavailable> {
    fitting(&entry.value)
        .map_err(|Unavailable(reason)| Unavailable::because(format!("{}: {reason}", entry.key)))
}

impl Store for Etcd {
    async fn read(&self, key: &Key) -> Result<Reading, Unavailable> {
        let full = self.full(key);
        let (member, answer) = self.ask(|mut client| async move { client.get(full, None).await }).await?;
        let entry = answer.kvs().first().and_then(|row| self.entry(row));
        entry.iter().try_for_each(bounded)?;
        Ok(Reading { over: member.over, at: at(answer.header()), entry })
    }

    async fn replace(
        &self,
        key: &Key,
        expected: Option<Revision>,
        value: Vec<u8>,
    ) -> Result<Written, ReplaceError> {
        fitting(&value)?;
        let full = self.full(key);
        // No entry has the revision 0.
        let expected = i64::try_from(expected.map_or(0, |revision| revision.0)).unwrap_or(i64::MAX);
        let exchange = Txn::new()
            .when([Compare::mod_revision(full.as_str(), CompareOp::Equal, expected)])
            .and_then([TxnOp::put(full, value, None)]);
        let member = self.member().await?;
        match self.call(&member, |mut client| async move { client.txn(exchange).await }).await {
            Ok(answer) if answer.succeeded() => {
                Ok(Written { over: member.over, revision: at(answer.header()) })
            }
            Ok(_) => Err(ReplaceError::Conflict),
            Err(Trouble::Refused(reason)) => Err(Unavailable(reason).into()),
            Err(Trouble::Silent(reason)) => Err(ReplaceError::Ambiguous(reason)),
        }
    }

    async fn list(&self, prefix: &Key) -> Result<Listing, Unavailable> {
        self.list_with(prefix).await.map(|(_, listing)| listing)
    }

    async fn watch(&self, prefix: &Key) -> Result<(Listing, Watch), Unavailable> {
        let (member, listing) = self.list_with(prefix).await?;
        let below = self.below(prefix);
        let from = i64::try_from(listing.at.0.saturating_add(1)).unwrap_or(i64::MAX);
        let options = WatchOptions::new().with_prefix().with_start_revision(from);
        let watching = |client: Client| async move {
            client.watch_client().max_decoding_message_size(LONGEST_ANSWER).watch(below, Some(options)).await
        };
        let stream = self.call(&member, watching).await.map_err(Trouble::into_unavailable)?;
        let (sender, watch) = Watch::new();
        tokio::spawn(forward(self.clone(), stream, sender));
        Ok((listing, watch))
    }

    async fn present(
        &self,
        key: &Key,
        value: &[u8],
        lifetime: Duration,
        lease: Option<Lease>,
    ) -> Result<Lease, Unavailable> {
        fitting(value)?;
        let full = self.full(key);
        let seconds = i64::try_from(lifetime.as_secs().max(1)).unwrap_or(i64::MAX);
        let renew = |mut client: Client| async move {
            let (id, said) = match lease {
                // A lease that is over cannot be renewed: then there is a new one.
                Some(lease) if client.lease_keep_alive(lease.id).await.is_ok() => {
                    (lease.id, Some(lease.said))
                }
                Some(_) | None => (client.lease_grant(seconds, None).await?.id(), None),
            };
            if said.as_deref() != Some(value) {
                client.put(full, value, Some(PutOptions::new().with_lease(id))).await?;
            }
            Ok(Lease { id, said: value.to_owned() })
        };
        self.ask(renew).await.map(|(_, lease)| lease)
    }

    async fn give_back(&self, lease: Lease) -> Result<(), Unavailable> {
        // The key goes with its lease.
        self.ask(|mut client| async move { client.lease_revoke(lease.id).await }).await.map(drop)
    }
}

/// Hands on what happens until either side is gone.
async fn forward(etcd: Etcd, mut stream: WatchStream, changes: mpsc::Sender<Change>) {
    loop {
        let message = tokio::select! {
            message = stream.message() => message,
            () = changes.closed() => return,
        };
        let Ok(Some(message)) = message else { return };
        if message.canceled() {
            return;
        }
        for row in message.events().iter().filter_map(|event| event.kv()) {
            // A removal is a row without a version.
            let change = match row.version() {
                0 => etcd.key(row).map(Change::Gone),
                _ => etcd.entry(row).filter(|entry| entry.value.len() <= LONGEST_VALUE).map(Change::Put),
            };
            if let Some(change) = change
                && changes.try_send(change).is_err()
            {
                return;
            }
        }
    }
}
