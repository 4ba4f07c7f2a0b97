//! The store of one machine: a redb file that survives a crash at any point.
//!
//! ```text
//!   call ──> blocking thread ──> redb transaction ──> file, synced
//!                └── under the same lock: watchers are told in the order of the changes
//! ```
//! Entries that live by a lease are kept in memory only: who would keep them alive is gone with the process.

use crate::store::{complete, fitting};
use crate::{
    Change, Connection, Entry, Key, Lease, Listing, Reading, ReplaceError, Revision, Store, Unavailable,
    Watch, Written,
};
use redb::{Builder, Database, ReadableDatabase, TableDefinition};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use terms::Reason;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Key to the change that put the value there, and the value.
const ENTRIES: TableDefinition<'static, &str, (u64, &[u8])> = TableDefinition::new("entries");
/// One row: the latest change of the store.
const LATEST: TableDefinition<'static, (), u64> = TableDefinition::new("latest");

/// A file is not connected to: what is read is always what was written.
const FILE: Connection = Connection(0);

/// Memory that redb may use for pages: what a site keeps is a few kilobytes.
const CACHE: usize = 1 << 20;
/// What the file's owner may do with it, and nobody else; all that anybody may be permitted.
const PRIVATE: u32 = 0o600;
const PERMISSIONS: u32 = 0o777;

/// The store of one machine. A copy is the same store.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Shared>);

/// An open store.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Embedded,
    /// A file that lay in its place and could not be read, what was wrong with it, and where it lies now.
    pub damaged: Option<(Reason, PathBuf)>,
}

/// Why the store of one machine cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process: one daemon per state directory", .0.display())]
    InUse(PathBuf),
    /// It is unreadable and cannot be set aside.
    #[error("{} is damaged ({reason}) and cannot be moved away: {source}", .path.display())]
    Stuck {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        reason: Reason,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let it be made or opened.
    #[error("cannot open {}: {reason}", .path.display())]
    Refused {
        /// Where it should lie.
        path: PathBuf,
        /// What the system said.
        reason: Reason,
    },
}

#[derive(Debug)]
struct Shared {
    database: Database,
    living: Mutex<Living>,
}

/// What is not on disk. Its lock is held over every change, so that watchers hear of changes in their order.
#[derive(Debug, Default)]
struct Living {
    leased: BTreeMap<Key, Leased>,
    next_lease: i64,
    /// Changes of leased entries since the start: they count, but are not worth a write.
    unwritten: u64,
    watchers: Vec<(Key, mpsc::Sender<Change>)>,
}

#[derive(Debug)]
struct Leased {
    id: i64,
    until: Instant,
    entry: Entry,
}

impl Embedded {
    /// Opens the file at `path`, or makes it. A damaged file is moved to `*.damaged` and a new one begun: what it held
    /// is comfort (back-offs, orders), and a site that does not start is an outage.
    pub fn open(path: &Path) -> Result<Opened, OpenError> {
        match open(path) {
            Ok(store) => Ok(Opened { store, damaged: None }),
            Err(Trouble::InUse) => Err(OpenError::InUse(path.to_owned())),
            Err(Trouble::Refused(reason)) => Err(OpenError::Refused { path: path.to_owned(), reason }),
            Err(Trouble::Damaged(reason)) => {
                let aside = aside(path);
                if let Err(source) = fs::rename(path, &aside) {
                    return Err(OpenError::Stuck { path: path.to_owned(), reason, source });
                }
                let again = open(path).map_err(|trouble| OpenError::Refused {
                    path: path.to_owned(),
                    reason: trouble.words(),
                })?;
                Ok(Opened { store: again, damaged: Some((reason, aside)) })
            }
        }
    }

    /// Runs `work` where it may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shared = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.map_err(|broken| Unavailable::because(broken.to_string()))
    }
}

/// What may stand in the way of opening.
enum Trouble {
    InUse,
    Damaged(Reason),
    Refused(Reason),
}

impl Trouble {
    fn words(self) -> Reason {
        match self {
            Trouble::InUse => Reason::from("in use by another process"),
            Trouble::Damaged(reason) | Trouble::Refused(reason) => reason,
        }
    }
}

impl From<redb::DatabaseError> for Trouble {
    fn from(error: redb::DatabaseError) -> Self {
        match redb::Error::from(error) {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Trouble::InUse,
            error => Trouble::from(error),
        }
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        let reason = Reason::from(error.to_string());
        match error {
            redb::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => Trouble::Refused(reason),
            _ => Trouble::Damaged(reason),
        }
    }
}

fn open(path: &Path) -> Result<Embedded, Trouble> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|error| Trouble::Refused(Reason::from(error.to_string())))?;
    }
    keep_private(path).map_err(|error| Trouble::Refused(Reason::from(error.to_string())))?;
    let database = Builder::new().set_cache_size(CACHE).set_check_integrity_on_open(true).create(path)?;
    let shared = Shared { database, living: Mutex::default() };
    shared.prepare().map_err(Trouble::from)?;
    Ok(Embedded(Arc::new(shared)))
}

/// Makes the file one that only its owner reads: secrets lie in it.
fn keep_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path)?;
    match file.metadata()?.mode() & !PRIVATE & PERMISSIONS {
        0 => Ok(()),
        _ => file.set_permissions(Permissions::from_mode(PRIVATE)),
    }
}

/// `state.redb` is set aside as `state.redb.damaged`, and once more as `state.redb.damaged-1`: the first accident is
/// the one to look at, so it is not overwritten while there are names.
fn aside(path: &Path) -> PathBuf {
    let named = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let first = named(".damaged");
    let more = (1..10).map(|count| named(&format!(".damaged-{count}")));
    std::iter::once(first.clone()).chain(more).find(|name| !name.exists()).unwrap_or(first)
}

impl Shared {
    /// Makes the tables, so that reading finds them.
    fn prepare(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(ENTRIES)?;
        transaction.open_table(LATEST)?;
        Ok(transaction.commit()?)
    }

    fn living(&self) -> MutexGuard<'_, Living> {
        let mut living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        living.expire(Instant::now());
        living
    }

    fn written(&self) -> Result<u64, redb::Error> {
        let table = self.database.begin_read()?.open_table(LATEST)?;
        Ok(table.get(())?.map_or(0, |row| row.value()))
    }

    fn at(&self, living: &Living) -> Result<Revision, redb::Error> {
        Ok(Revision(self.written()?.saturating_add(living.unwritten)))
    }

    fn read(&self, key: &Key) -> Result<Reading, redb::Error> {
        let living = self.living();
        let at = self.at(&living)?;
        if let Some(leased) = living.leased.get(key) {
            return Ok(Reading { over: FILE, at, entry: Some(leased.entry.clone()) });
        }
        let table = self.database.begin_read()?.open_table(ENTRIES)?;
        let entry = table.get(key.as_str())?.map(|row| entry(key.clone(), row.value()));
        Ok(Reading { over: FILE, at, entry })
    }

    fn list(&self, living: &Living, prefix: &Key) -> Result<Listing, redb::Error> {
        let table = self.database.begin_read()?.open_table(ENTRIES)?;
        let below = format!("{prefix}/");
        let mut entries: BTreeMap<Key, Entry> = BTreeMap::new();
        for row in table.range(below.as_str()..)? {
            let (key, value) = row?;
            if !key.value().starts_with(&below) || entries.len() > crate::MOST_LISTED {
                break;
            }
            // A key of the file was a `Key` when it was written.
            if let Ok(key) = key.value().parse::<Key>() {
                entries.insert(key.clone(), entry(key, value.value()));
            }
        }
        let leased = living.leased.iter().filter(|(key, _)| key.below(prefix).is_some());
        entries.extend(leased.map(|(key, leased)| (key.clone(), leased.entry.clone())));
        Ok(Listing { over: FILE, at: self.at(living)?, entries: entries.into_values().collect() })
    }

    fn replace(
        &self,
        key: &Key,
        expected: Option<Revision>,
        value: Vec<u8>,
    ) -> Result<Written, ReplaceError> {
        let mut living = self.living();
        let standing = match living.leased.get(key) {
            Some(leased) => Some(leased.entry.revision),
            None => self.standing(key).map_err(unavailable)?,
        };
        if standing != expected {
            return Err(ReplaceError::Conflict);
        }
        let revision = Revision(self.at(&living).map_err(unavailable)?.0.saturating_add(1));
        // Once the commit has begun, only reading tells whether it took place.
        self.commit(key, revision, &value)
            .map_err(|error| ReplaceError::Ambiguous(Reason::from(error.to_string())))?;
        (living.unwritten, _) = (0, living.leased.remove(key));
        living.tell(&Change::Put(Entry { key: key.clone(), revision, value }));
        Ok(Written { over: FILE, revision })
    }

    fn standing(&self, key: &Key) -> Result<Option<Revision>, redb::Error> {
        let table = self.database.begin_read()?.open_table(ENTRIES)?;
        Ok(table.get(key.as_str())?.map(|row| Revision(row.value().0)))
    }

    fn commit(&self, key: &Key, revision: Revision, value: &[u8]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(ENTRIES)?.insert(key.as_str(), (revision.0, value))?;
        transaction.open_table(LATEST)?.insert((), revision.0)?;
        Ok(transaction.commit()?)
    }

    fn present(
        &self,
        key: Key,
        value: Vec<u8>,
        until: Instant,
        lease: Option<Lease>,
    ) -> Result<Lease, redb::Error> {
        let mut living = self.living();
        let held = lease.filter(|lease| living.leased.get(&key).is_some_and(|leased| leased.id == lease.id));
        if let (Some(lease), Some(leased)) = (&held, living.leased.get_mut(&key))
            && lease.said == value
        {
            leased.until = until;
            return Ok(lease.clone());
        }
        let id = held.map_or(living.next_lease + 1, |lease| lease.id);
        living.next_lease = living.next_lease.max(id);
        living.unwritten += 1;
        let entry = Entry { key: key.clone(), revision: self.at(&living)?, value: value.clone() };
        living.leased.insert(key, Leased { id, until, entry: entry.clone() });
        living.tell(&Change::Put(entry));
        Ok(Lease { id, said: value })
    }
}

impl Living {
    /// Lets go of every entry whose lease is over.
    fn expire(&mut self, now: Instant) {
        let over = self.leased.iter().filter(|(_, leased)| leased.until <= now);
        for key in over.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.end(&key);
        }
    }

    /// Lets go of the entry of this lease, if it has not lapsed.
    fn give_back(&mut self, lease: &Lease) {
        let held = self.leased.iter().find(|(_, leased)| leased.id == lease.id);
        if let Some(key) = held.map(|(key, _)| key.clone()) {
            self.end(&key);
        }
    }

    fn end(&mut self, key: &Key) {
        self.unwritten += 1;
        self.leased.remove(key);
        self.tell(&Change::Gone(key.clone()));
    }

    /// Tells every watcher that keeps up; the watch of one that does not is over.
    fn tell(&mut self, change: &Change) {
        let key = match change {
            Change::Put(entry) => &entry.key,
            Change::Gone(key) => key,
        };
        self.watchers.retain(|(prefix, watcher)| match key.below(prefix) {
            Some(_) => watcher.try_send(change.clone()).is_ok(),
            None => !watcher.is_closed(),
        });
    }
}

fn entry(key: Key, (revision, value): (u64, &[u8])) -> Entry {
    Entry { key, revision: Revision(revision), value: value.to_owned() }
}

fn unavailable(error: redb::Error) -> Unavailable {
    Unavailable::because(error.to_string())
}

impl Store for Embedded {
    async fn read(&self, key: &Key) -> Result<Reading, Unavailable> {
        let key = key.clone();
        self.blocking(move |shared| shared.read(&key)).await?.map_err(unavailable)
    }

    async fn replace(
        &self,
        key: &Key,
        expected: Option<Revision>,
        value: Vec<u8>,
    ) -> Result<Written, ReplaceError> {
        fitting(&value)?;
        let key = key.clone();
        self.blocking(move |shared| shared.replace(&key, expected, value)).await?
    }

    async fn list(&self, prefix: &Key) -> Result<Listing, Unavailable> {
        let below = prefix.clone();
        let listed = self.blocking(move |shared| shared.list(&shared.living(), &below)).await?;
        let listing = listed.map_err(unavailable)?;
        complete(listing.entries.len(), prefix)?;
        Ok(listing)
    }

    async fn watch(&self, prefix: &Key) -> Result<(Listing, Watch), Unavailable> {
        let below = prefix.clone();
        let (sender, watch) = Watch::new();
        let listed = self.blocking(move |shared| {
            let mut living = shared.living();
            let listing = shared.list(&living, &below);
            living.watchers.push((below, sender));
            listing
        });
        let listing = listed.await?.map_err(unavailable)?;
        complete(listing.entries.len(), prefix)?;
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
        let (key, value, until) = (key.clone(), value.to_owned(), Instant::now() + lifetime);
        let lease = self.blocking(move |shared| shared.present(key, value, until, lease)).await?;
        // Watchers hear of the end when it comes, not when somebody looks next.
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            if let Some(shared) = shared.upgrade() {
                drop(shared.living());
            }
        });
        lease.map_err(unavailable)
    }

    async fn give_back(&self, lease: Lease) -> Result<(), Unavailable> {
        self.blocking(move |shared| shared.living().give_back(&lease)).await
    }
}
