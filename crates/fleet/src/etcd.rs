//! The store that a fleet shares: an etcd cluster (API v3, servers from 3.4 on).
//!
//! ```text
//!   read, list, present ──> the member that answered last ──no answer──> the next member ──> ... each once
//!   replace ─────────────> the member that answered last ──no answer──> Ambiguous: nobody is asked twice
//! ```
//! Reads are linearizable: a member that is cut off from the majority does not answer them (`hasleader`). A write is
//! sent once. Sending it again to the next member could carry it out twice; so whatever is not a clear answer is
//! [`ReplaceError::Ambiguous`], and the caller reads.

mod member;
mod settings;

pub use settings::{Login, Settings, Tls};

use crate::store::{complete, fitting};
use crate::{
    Change, Entry, Key, LONGEST_VALUE, Lease, Listing, MOST_LISTED, Reading, ReplaceError, Revision, Store,
    Unavailable, Watch,
};
use etcd_client::{
    Client, Compare, CompareOp, GetOptions, GetResponse, KeyValue, PutOptions, ResponseHeader, Txn, TxnOp,
    WatchOptions, WatchStream,
};
use member::{Member, Trouble};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// A cluster of etcd members. A copy is the same cluster and shares its connections.
#[derive(Clone, Debug)]
pub struct Etcd(Arc<Cluster>);

#[derive(Debug)]
struct Cluster {
    settings: Settings,
    /// The member that answered last, and the connection to it.
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    /// Its place in the list of endpoints.
    index: usize,
    member: Option<Member>,
}

impl Etcd {
    /// A cluster that nobody has asked anything yet: this cannot fail, and connects to nobody.
    pub fn new(settings: Settings) -> Self {
        Etcd(Arc::new(Cluster { settings, current: Mutex::new(Current { index: 0, member: None }) }))
    }

    /// The member to ask next, connected.
    async fn member(&self) -> Result<Member, Trouble> {
        let mut current = self.0.current.lock().await;
        if let Some(member) = &current.member {
            return Ok(member.clone());
        }
        let endpoints = &self.0.settings.endpoints;
        let endpoint =
            endpoints.get(current.index).ok_or_else(|| Trouble::refused("no endpoint is configured"))?;
        let connected = Member::connect(endpoint, &self.0.settings).await;
        match connected {
            Ok(member) => Ok(current.member.insert(member).clone()),
            Err(trouble) => {
                current.turn(endpoints.len());
                Err(trouble)
            }
        }
    }

    /// Asks another member from now on, unless somebody has turned to one already.
    async fn turn_from(&self, member: &Member) {
        let mut current = self.0.current.lock().await;
        if current.member.as_ref().is_some_and(|standing| standing.is(member)) {
            current.turn(self.0.settings.endpoints.len());
        }
    }

    /// Asks members one after the other, each once, until one answers. For calls that may be repeated.
    async fn ask<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let mut last = Unavailable::because("no etcd endpoint is configured");
        for _ in &self.0.settings.endpoints {
            let trouble = match self.member().await {
                Ok(member) => match member.call(&call).await {
                    Ok(answer) => return Ok(answer),
                    Err(trouble) => {
                        self.turn_from(&member).await;
                        trouble
                    }
                },
                Err(trouble) => trouble,
            };
            let is_final = trouble.is_refusal();
            last = trouble.into_unavailable();
            if is_final {
                break;
            }
        }
        Err(last)
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

    fn listing(&self, prefix: &Key, answer: &GetResponse) -> Result<Listing, Unavailable> {
        complete(answer.kvs().len(), prefix)?;
        let entries = answer.kvs().iter().filter_map(|row| self.entry(row)).collect();
        Ok(Listing { at: at(answer.header()), entries })
    }
}

impl Current {
    fn turn(&mut self, members: usize) {
        self.member = None;
        self.index = (self.index + 1) % members.max(1);
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

fn all_below() -> GetOptions {
    // One more than is taken, so that too many are noticed.
    GetOptions::new().with_prefix().with_limit(i64::try_from(MOST_LISTED + 1).unwrap_or(i64::MAX))
}

impl Store for Etcd {
    async fn read(&self, key: &Key) -> Result<Reading, Unavailable> {
        let full = self.full(key);
        let full = full.as_str();
        let answer = self.ask(|mut client| async move { client.get(full, None).await }).await?;
        let entry = answer.kvs().first().and_then(|row| self.entry(row));
        entry.iter().try_for_each(bounded)?;
        Ok(Reading { at: at(answer.header()), entry })
    }

    async fn replace(
        &self,
        key: &Key,
        expected: Option<Revision>,
        value: Vec<u8>,
    ) -> Result<Revision, ReplaceError> {
        fitting(&value)?;
        let full = self.full(key);
        // No entry has the revision 0.
        let expected = i64::try_from(expected.map_or(0, |revision| revision.0)).unwrap_or(i64::MAX);
        let exchange = Txn::new()
            .when([Compare::mod_revision(full.as_str(), CompareOp::Equal, expected)])
            .and_then([TxnOp::put(full.as_str(), value, None)]);
        let member = self.connected().await?;
        let exchange = &exchange;
        let call = |mut client: Client| async move { client.txn(exchange.clone()).await };
        match member.call(&call).await {
            Ok(answer) if answer.succeeded() => Ok(at(answer.header())),
            Ok(_) => Err(ReplaceError::Conflict),
            Err(trouble) => {
                self.turn_from(&member).await;
                Err(match trouble {
                    Trouble::Refused(reason) => Unavailable(reason).into(),
                    Trouble::Silent(reason) => ReplaceError::Ambiguous(reason),
                })
            }
        }
    }

    async fn list(&self, prefix: &Key) -> Result<Listing, Unavailable> {
        let below = self.below(prefix);
        let below = below.as_str();
        let answer = self.ask(|mut client| async move { client.get(below, Some(all_below())).await }).await?;
        self.listing(prefix, &answer)
    }

    async fn watch(&self, prefix: &Key) -> Result<(Listing, Watch), Unavailable> {
        let listing = self.list(prefix).await?;
        let below = self.below(prefix);
        let from = i64::try_from(listing.at.0.saturating_add(1)).unwrap_or(i64::MAX);
        let options = WatchOptions::new().with_prefix().with_start_revision(from);
        let (below, options) = (below.as_str(), &options);
        let watching = |mut client: Client| async move { client.watch(below, Some(options.clone())).await };
        let stream = self.ask(watching).await?;
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
        let (full, seconds) = (self.full(key), i64::try_from(lifetime.as_secs().max(1)).unwrap_or(i64::MAX));
        let (full, lease) = (full.as_str(), lease.as_ref());
        self.ask(|mut client| async move {
            let (id, said) = match lease {
                // Renewing a lease that is over opens no stream of answers.
                Some(lease) if client.lease_keep_alive(lease.id).await.is_ok() => {
                    (lease.id, Some(&lease.said[..]))
                }
                _ => (client.lease_grant(seconds, None).await?.id(), None),
            };
            if said != Some(value) {
                client.put(full, value, Some(PutOptions::new().with_lease(id))).await?;
            }
            Ok(Lease { id, said: value.to_owned() })
        })
        .await
    }

    async fn leave(&self, _key: &Key, lease: Lease) -> Result<(), Unavailable> {
        self.ask(|mut client| async move { client.lease_revoke(lease.id).await.map(drop) }).await
    }
}

impl Etcd {
    /// A member that has answered before, so that a write is not the first thing a dead one is asked.
    async fn connected(&self) -> Result<Member, Unavailable> {
        if let Some(member) = &self.0.current.lock().await.member {
            return Ok(member.clone());
        }
        let count = || Some(GetOptions::new().with_count_only());
        self.ask(|mut client| async move { client.get("/", count()).await }).await?;
        self.member().await.map_err(Trouble::into_unavailable)
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
