//! The zones of one service, as they come and go: from files, and from other servers. What of them may be served is
//! published to every thread, always as a whole.

mod members;
mod publishing;

use super::bell::Bell;
use super::images::{Image, Images};
use super::served::Served;
use super::tap::{Account, Tap, Teller};
use ::dns::zone::{Unchangeable, ZoneRecords};
use ::dns::{Zone, Zones};
use config::{BuiltInDns, Server, ZoneTransfers};
pub(super) use publishing::Change;
use publishing::Publisher;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use terms::{DomainName, Reason};
use tokio::sync::watch;
use transfer::{Difference, Journal, Membership, Policy};

/// The zones of one service. A copy is another handle on the same.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    stock: Arc<Mutex<Stock>>,
    published: Arc<watch::Sender<Arc<Served>>>,
    publisher: Publisher,
    images: Images,
    /// Whoever holds this writes journals of zones in files: what is written last is what was noted last.
    noting: Arc<Mutex<()>>,
    account: Arc<Account>,
}

#[derive(Debug)]
struct Stock {
    written: BuiltInDns,
    /// The zones that are there because catalogs list them.
    membership: Membership,
    /// What is wrong with the list of an earlier process, until somebody is told.
    members_fault: Option<Reason>,
    /// How they come and go.
    members: BTreeMap<DomainName, ZoneTransfers>,
    /// Those of a catalog with others that have come, that have not come themselves: nobody has missed them here.
    awaited: BTreeSet<DomainName>,
    /// Who tells of what is asked and answered.
    teller: Teller,
    tap: Option<Tap>,
    /// What has come from other servers.
    received: BTreeMap<DomainName, Holding>,
    journals: BTreeMap<DomainName, Journal>,
    /// What is wrong with journals of an earlier process, until somebody is told.
    faults: BTreeMap<DomainName, Reason>,
    bells: Arc<BTreeMap<DomainName, Bell>>,
    /// Who may have which zone.
    policies: Arc<BTreeMap<DomainName, Policy>>,
    /// Zones whose file was read again, while what has changed in them is being found out, and how often: another
    /// reload does not wait for that.
    comparing: BTreeMap<DomainName, usize>,
    /// How often any of this has changed.
    changes: u64,
    /// Whether some of that is not served yet.
    is_waiting: bool,
}

/// Two versions of a zone whose file was read again.
#[derive(Debug)]
pub(crate) struct Reread {
    old: Arc<Zone>,
    new: Arc<Zone>,
}

/// A zone that came from another server.
#[derive(Clone, Debug)]
struct Holding {
    zone: Arc<Zone>,
    confirmed: Confirmed,
    is_expired: bool,
}

/// When a primary said for the last time that a version is right. A reload does not change it, nor does a disk on which
/// it cannot be noted.
#[derive(Clone, Copy, Debug)]
struct Confirmed {
    /// How long before this moment it was.
    before: Duration,
    moment: Instant,
}

impl Confirmed {
    fn before_now(before: Duration) -> Confirmed {
        Confirmed { before, moment: Instant::now() }
    }

    fn age(&self) -> Duration {
        self.before.saturating_add(self.moment.elapsed())
    }
}

impl Shelf {
    /// The zones that the site file names, and those from other servers that an earlier process has kept.
    ///
    /// # Errors
    /// The system has no thread.
    pub(crate) fn new(written: &BuiltInDns, images: Images, teller: Teller) -> io::Result<Shelf> {
        let account = Arc::<Account>::default();
        let (membership, members_fault) = images.members();
        let mut stock = Stock {
            written: written.clone(),
            membership,
            members_fault,
            members: BTreeMap::new(),
            awaited: BTreeSet::new(),
            teller,
            tap: None,
            received: BTreeMap::new(),
            journals: BTreeMap::new(),
            faults: BTreeMap::new(),
            bells: Arc::default(),
            policies: Arc::default(),
            comparing: BTreeMap::new(),
            changes: 0,
            is_waiting: false,
        };
        stock.take_up(&images);
        stock.await_missing();
        stock.tap(&account);
        stock.remember(&images);
        let published = Arc::new(watch::Sender::new(Arc::new(stock.served())));
        let stock = Arc::new(Mutex::new(stock));
        let publisher = Publisher::start(&stock, &published)?;
        Ok(Shelf { stock, published, publisher, images, noting: Arc::default(), account })
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is served, now and from now on.
    pub(crate) fn published(&self) -> watch::Receiver<Arc<Served>> {
        self.published.subscribe()
    }

    /// Where images of zones are kept.
    pub(super) fn images(&self) -> &Images {
        &self.images
    }

    /// Puts what another site file says in place. Zones from other servers that it still has stay. What is returned is
    /// to be [compared](Shelf::compare).
    pub(crate) fn change(&self, next: &BuiltInDns) -> Vec<Reread> {
        let mut reread = Vec::new();
        self.publish(|stock| {
            for new in next.zones.iter() {
                let Some(old) =
                    stock.written.zones.get(new.apex()).filter(|old| old.serial() != new.serial())
                else {
                    continue;
                };
                *stock.comparing.entry(new.apex().clone()).or_default() += 1;
                reread.push(Reread { old: Arc::clone(old), new: Arc::clone(new) });
            }
            let is_tapped_as_before = stock.written.dnstap == next.dnstap;
            stock.written = next.clone();
            stock.take_up(&self.images);
            if !is_tapped_as_before {
                stock.tap(&self.account);
            }
        });
        reread
    }

    /// Finds out what has changed in zones whose files were read again, for those who ask for changes only. This
    /// takes a while for large zones.
    pub(crate) fn compare(&self, reread: Vec<Reread>) {
        for Reread { old, new } in reread {
            let difference = difference(&old, &new);
            self.publish(|stock| {
                stock.compared(new.apex());
                let is_served = stock.written.zones.get(new.apex()).is_some_and(|now| Arc::ptr_eq(now, &new));
                if is_served {
                    stock.note(new.apex(), Some(difference));
                }
            });
            // Another reload may have noted more meanwhile, and be about to write that.
            let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
            // Where that does not go, those who ask after a restart get all of the zone.
            let _ = self.images.keep_journal(new.apex(), &self.journal(new.apex()));
        }
    }

    /// Serves nothing any more, so that what was served is freed even where its counters are still looked at. Whoever
    /// keeps a zone has nothing more to wait for.
    pub(crate) fn close(&self) {
        self.publish(|stock| {
            if let Ok(none) = Zones::new(Vec::new()) {
                stock.written.zones = Arc::new(none);
            }
            // What is under way comes to nothing.
            stock.written.transfers.clear();
            stock.members.clear();
            stock.received.clear();
            stock.journals.clear();
            stock.bells = Arc::default();
            stock.tap = None;
        });
    }

    /// Whether it is a handle on the same.
    pub(super) fn is_same(&self, other: &Shelf) -> bool {
        Arc::ptr_eq(&self.stock, &other.stock)
    }

    /// How the zones of the service come and go.
    pub(crate) fn transfers(&self) -> Vec<ZoneTransfers> {
        self.stock().transfers().cloned().collect()
    }

    /// What rings when a primary of the zone says that there is news.
    pub(super) fn bell(&self, zone: &DomainName) -> Option<Bell> {
        self.stock().bells.get(zone).cloned()
    }

    /// What came from another server before, served or not, and how long ago a primary said for the last time that it
    /// is right.
    pub(super) fn held(&self, zone: &DomainName) -> Option<(Arc<Zone>, Duration)> {
        self.stock().received.get(zone).map(|holding| (Arc::clone(&holding.zone), holding.confirmed.age()))
    }

    /// Notes that a primary has just said that a zone is right.
    pub(super) fn confirm(&self, zone: &DomainName) {
        if let Some(holding) = self.stock().received.get_mut(zone) {
            holding.confirmed = Confirmed::before_now(Duration::ZERO);
        }
        // Where that cannot be noted, a restart takes the zone for older than it is.
        let _ = self.images.confirm(zone);
    }

    /// Serves a zone that has come from another server, [as soon as](Shelf::served) others that come have been waited for.
    pub(super) fn receive(&self, zone: Arc<Zone>, difference: Option<Difference>) -> Change {
        let apex = zone.apex().clone();
        self.publish_soon(|stock| {
            if !stock.has_secondary(&apex) {
                return;
            }
            stock.note(&apex, difference);
            stock.awaited.remove(&apex);
            let confirmed = Confirmed::before_now(Duration::ZERO);
            stock.received.insert(apex, Holding { zone, confirmed, is_expired: false });
        })
    }

    /// What changed last in a zone.
    pub(super) fn journal(&self, zone: &DomainName) -> Journal {
        self.stock().journals.get(zone).cloned().unwrap_or_default()
    }

    /// What was wrong with the journal of an earlier process; once.
    pub(super) fn take_fault(&self, zone: &DomainName) -> Option<Reason> {
        self.stock().faults.remove(zone)
    }

    /// Serves the same version from another image.
    pub(super) fn fold(&self, zone: Arc<Zone>) {
        self.publish_soon(|stock| {
            if let Some(holding) = stock.received.get_mut(zone.apex()) {
                holding.zone = zone;
            }
        });
    }

    /// Serves a zone no more, or again, before this returns.
    pub(super) fn set_expired(&self, zone: &DomainName, is_expired: bool) {
        self.publish(|stock| {
            if let Some(holding) = stock.received.get_mut(zone) {
                holding.is_expired = is_expired;
            }
        });
    }
}

impl Stock {
    /// How zones come and go: those of the site file, then those that catalogs list.
    fn transfers(&self) -> impl Iterator<Item = &ZoneTransfers> {
        self.written.transfers.iter().chain(self.members.values())
    }

    fn secondaries(&self) -> impl Iterator<Item = &ZoneTransfers> {
        self.transfers().filter(|zone| !zone.primaries.is_empty())
    }

    fn has_secondary(&self, apex: &DomainName) -> bool {
        self.members.contains_key(apex) || self.secondaries().any(|zone| zone.zone == *apex)
    }

    /// The version of a zone of the site file that is good now.
    fn current(&self, zone: &DomainName) -> Option<Arc<Zone>> {
        let received = || self.received.get(zone).filter(|holding| !holding.is_expired).map(|it| &it.zone);
        self.written.zones.get(zone).or_else(received).cloned()
    }

    /// Looks for kept images of zones that have none yet, and forgets those that nobody asks for any more.
    fn take_up(&mut self, images: &Images) {
        self.members = self.treated();
        let wanted = self.secondaries().map(|zone| (zone.zone.clone(), zone.primaries.clone()));
        let wanted: BTreeMap<DomainName, Vec<Server>> = wanted.collect();
        self.received.retain(|apex, _| wanted.contains_key(apex));
        let files = &self.written.zones;
        self.journals.retain(|apex, _| wanted.contains_key(apex) || files.get(apex).is_some());
        images.sweep(wanted.keys().chain(files.iter().map(|zone| zone.apex())).chain(files.unavailable()));
        let bells = Arc::make_mut(&mut self.bells);
        bells.retain(|apex, bell| wanted.get(apex).is_some_and(|primaries| bell.is_of(primaries)));
        for (apex, primaries) in wanted {
            if !self.received.contains_key(&apex)
                && let Some(image) = images.load(&apex)
            {
                let (is_expired, Image { zone, age, journal, fault }) = (image.is_expired(), image);
                self.journals.insert(apex.clone(), journal);
                self.faults.extend(fault.map(|fault| (apex.clone(), fault)));
                let (zone, confirmed) = (Arc::new(zone), Confirmed::before_now(age));
                self.received.insert(apex.clone(), Holding { zone, confirmed, is_expired });
            }
            bells.entry(apex).or_insert_with(|| Bell::new(&primaries));
        }
        let policies = self.transfers().map(|zone| (zone.zone.clone(), zone.allow.clone())).collect();
        self.policies = Arc::new(policies);
        self.awaited.retain(|apex| self.members.contains_key(apex) && !self.received.contains_key(apex));
    }

    fn compared(&mut self, apex: &DomainName) {
        let left = self.comparing.get(apex).map_or(0, |number| number.saturating_sub(1));
        match left {
            0 => _ = self.comparing.remove(apex),
            left => _ = self.comparing.insert(apex.clone(), left),
        }
    }

    /// Begins to tell whom the site file names, and nobody else. Without a thread nobody is told.
    fn tap(&mut self, account: &Arc<Account>) {
        let start = |output| Tap::start(output, &self.teller, Arc::clone(account)).ok();
        self.tap = self.written.dnstap.as_ref().and_then(start);
    }

    /// Takes up what changed last in zones that files have.
    fn remember(&mut self, images: &Images) {
        for zone in self.written.zones.iter() {
            let (journal, fault) = images.journal(zone.apex());
            self.faults.extend(fault.map(|fault| (zone.apex().clone(), fault)));
            // Otherwise the file was changed while nobody looked.
            if journal.end() == Some(zone.serial()) {
                self.journals.insert(zone.apex().clone(), journal);
            }
        }
    }

    fn note(&mut self, apex: &DomainName, difference: Option<Difference>) {
        match difference.filter(|difference| !difference.is_empty()) {
            Some(difference) => {
                let journal = self.journals.entry(apex.clone()).or_default();
                *journal = journal.with(difference);
            }
            None => _ = self.journals.remove(apex),
        }
    }

    /// Those of these names, which are in order, of which there is nothing to serve.
    fn missing<'n>(
        &self,
        names: impl Iterator<Item = &'n DomainName>,
    ) -> impl Iterator<Item = &'n DomainName> {
        let mut there = self.received.iter().filter(|(_, holding)| !holding.is_expired).peekable();
        // Side by side: to look each of them up takes longer than all the rest.
        names.filter(move |name| {
            while there.next_if(|(apex, _)| apex < name).is_some() {}
            there.next_if(|(apex, _)| apex == name).is_none()
        })
    }

    fn served(&self) -> Served {
        let files = self.written.zones.iter().map(Arc::clone);
        let received = self.received.values().filter(|holding| !holding.is_expired);
        let zones: Vec<Arc<Zone>> = files.chain(received.map(|holding| Arc::clone(&holding.zone))).collect();
        let named = self.missing(self.written.zones.unavailable());
        let unavailable = named.chain(self.missing(self.members.keys())).cloned().collect();
        // The site file was refused if it named a zone twice.
        let zones = Zones::with_unavailable(zones, unavailable)
            .map_or_else(|_| Arc::clone(&self.written.zones), Arc::new);
        Served {
            zones,
            tap: self.tap.clone(),
            keys: self.written.keys.clone(),
            policies: Arc::clone(&self.policies),
            journals: self.journals.clone(),
            bells: Arc::clone(&self.bells),
            comparing: self.comparing.keys().cloned().collect(),
            awaited: self.awaited.clone(),
            as_of: Change(self.changes),
        }
    }
}

/// The next version of a zone.
pub(super) fn changed(zone: &Zone, difference: &Difference) -> Result<Zone, Unchangeable> {
    let (removed, added): (Vec<_>, Vec<_>) = (difference.removed().collect(), difference.added().collect());
    zone.changed(&removed, &added)
}

/// What two versions of a zone differ in. It takes a while for large zones.
pub(super) fn difference(old: &Zone, new: &Zone) -> Difference {
    let all = |zone| Zone::authority(zone).into_iter().chain(ZoneRecords::of(zone));
    Difference::between(all(old), all(new))
}
