//! The zones of a service that are there because catalogs list them.

use super::{Shelf, Stock};
use ::dns::Zone;
use config::{Catalog, ZoneTransfers};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use terms::{DomainName, Reason};
use transfer::{Fate, Membership, Owner, Step};

impl Shelf {
    /// The catalogs, and the version of each that may be followed now.
    pub(in crate::dns) fn catalogs(&self) -> Vec<(DomainName, Catalog, Option<Arc<Zone>>)> {
        let stock = self.stock();
        let catalogs = stock.written.catalogs.iter();
        catalogs.map(|(name, catalog)| (name.clone(), catalog.clone(), stock.current(name))).collect()
    }

    /// The zones that are there because catalogs list them.
    pub(in crate::dns) fn membership(&self) -> Membership {
        self.stock().membership.clone()
    }

    /// Whether a zone is there because a catalog lists it.
    pub(in crate::dns) fn is_member(&self, zone: &DomainName) -> bool {
        self.stock().members.contains_key(zone)
    }

    /// What was wrong with the list of an earlier process; once.
    pub(in crate::dns) fn take_members_fault(&self) -> Option<Reason> {
        self.stock().members_fault.take()
    }

    /// The zones that the site file names.
    pub(in crate::dns) fn by_hand(&self) -> BTreeSet<DomainName> {
        self.stock().by_hand()
    }

    /// Has the zones that catalogs list from now on. What there is of those that are gone or begin anew is thrown away,
    /// before this returns also on disk. Answers with what keeps the list from being on disk, if something does.
    pub(in crate::dns) fn enrol(&self, step: &Step) -> io::Result<()> {
        let lost: Vec<&DomainName> = step.lost().collect();
        // Before the list is written: with images of what the list has anew, a restart would take them for the new ones.
        lost.iter().for_each(|zone| self.images.forget(zone));
        let kept = self.images.keep_members(&step.membership);
        self.publish(|stock| {
            for &zone in &lost {
                stock.received.remove(zone);
                stock.journals.remove(zone);
                Arc::make_mut(&mut stock.bells).remove(zone);
            }
            let awaited = stock.late(step);
            stock.awaited.extend(awaited);
            stock.membership = step.membership.clone();
            stock.take_up(&self.images);
        });
        kept
    }
}

impl Stock {
    pub(super) fn by_hand(&self) -> BTreeSet<DomainName> {
        let zones = self.written.zones.iter().map(|zone| zone.apex());
        zones.chain(self.written.zones.unavailable()).cloned().collect()
    }

    /// How the zones that catalogs list come and go. A zone that the site file names is none of them, nor is one of a
    /// catalog that it has no more.
    pub(super) fn treated(&self) -> BTreeMap<DomainName, ZoneTransfers> {
        let by_hand = self.by_hand();
        let members = self.membership.iter().filter(|(zone, _)| Owner::by_hand(zone, &by_hand).is_none());
        let treated = members.filter_map(|(zone, member)| {
            let catalog = self.written.catalogs.get(&member.catalog)?;
            Some((zone.clone(), catalog.transfers(zone, member.group.as_deref())))
        });
        treated.collect()
    }

    /// The zones of a step for which the site is not to blame until they come: those that begin anew, and new ones of a
    /// catalog that has others already.
    fn late(&self, step: &Step) -> Vec<DomainName> {
        let catalogs = self.membership.catalogs();
        let is_late = |zone: &DomainName, fate: Fate| match fate {
            Fate::Reset => true,
            Fate::Added => step.membership.get(zone).is_some_and(|member| catalogs.contains(&member.catalog)),
            Fate::Removed | Fate::Left | Fate::Moved | Fate::Regrouped => false,
        };
        let fates = step.fates.iter().filter(|(zone, fate)| is_late(zone, **fate));
        fates.map(|(zone, _)| zone.clone()).collect()
    }

    /// After a restart: members that had not come before, while others of their catalog had.
    pub(super) fn await_missing(&mut self) {
        let catalog = |zone: &DomainName| self.membership.get(zone).map(|member| &member.catalog);
        let (there, missing): (Vec<_>, Vec<_>) =
            self.members.keys().partition(|zone| self.received.contains_key(*zone));
        let with_others: BTreeSet<&DomainName> = there.into_iter().filter_map(catalog).collect();
        let is_late = |zone: &&DomainName| catalog(zone).is_some_and(|catalog| with_others.contains(catalog));
        self.awaited = missing.into_iter().filter(is_late).cloned().collect();
    }
}
