//! Follows the catalogs of one service: the driver of [`transfer::Catalog`] and [`transfer::Membership`].
//!
//! ```text
//!   a version of a catalog --> read --> may it be followed? --> what follows for which zone --> the shelf
//!                               no          no: an alarm says why, and the zones stay as they are
//! ```

use super::event::Event;
use super::shelf::Shelf;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use ::dns::Zone;
use ::dns::zone::ZoneRecords;
use config::Catalog as Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use terms::{DomainName, Reason, ServiceName, WallTime};
use transfer::{Broken, Catalog, Clash, Fate, Membership, Reading, Step};

/// How many zones one version of a catalog may take away, unless the site file says more. It may never take all.
const MOST_REMOVED: usize = 10;

/// The catalogs of one service.
pub(super) struct Following {
    service: ServiceName,
    shelf: Shelf,
    clock: Clock,
    bus: Bus,
    catalogs: BTreeMap<DomainName, Followed>,
    said: Said,
    /// What was told, so that it is told once.
    clashes: BTreeSet<Clash>,
}

/// What the last version of each catalog says that may be followed; none before there was one.
type Said = BTreeMap<DomainName, Option<Catalog>>;

/// One catalog.
struct Followed {
    settings: Settings,
    /// The version that was looked at last.
    seen: Option<Arc<Zone>>,
    /// The last one that is followed.
    serial: Option<u32>,
    /// Why the last one is not followed.
    fault: Option<Refusal>,
    since: WallTime,
}

/// Why a version of a catalog is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Broken(Broken),
    Removes { gone: usize, of: usize, most: usize },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Broken(broken) => broken.fmt(f),
            Refusal::Removes { gone, of, most } => write!(
                f,
                "it would take away or begin anew {gone} of {of} zones, and may do so with {most}: if that is right, \
                 set `most_removed = {gone}` and reload"
            ),
        }
    }
}

/// What follows from what the catalogs say now.
pub(super) struct News {
    pub(super) step: Step,
    /// The versions that are followed from now on.
    versions: Vec<(DomainName, u32)>,
    /// The zones as they were.
    before: Membership,
}

impl News {
    /// The zones whose state is thrown away: nobody may fetch them any more before [`Following::enrol`].
    pub(super) fn lost(&self) -> impl Iterator<Item = &DomainName> {
        self.step.lost()
    }

    /// What becomes of the zones that a catalog has or had: one that is taken over is told of both.
    fn of(&self, catalog: &DomainName) -> BTreeMap<Fate, Vec<DomainName>> {
        let mut fates = BTreeMap::<Fate, Vec<DomainName>>::new();
        for (zone, fate) in &self.step.fates {
            let mut members = [&self.step.membership, &self.before].into_iter().flat_map(|all| all.get(zone));
            if members.any(|member| member.catalog == *catalog) {
                fates.entry(*fate).or_default().push(zone.clone());
            }
        }
        fates
    }
}

impl Following {
    pub(super) fn new(service: ServiceName, shelf: Shelf, clock: Clock, bus: Bus) -> Following {
        let (catalogs, said) = (BTreeMap::new(), Said::new());
        Following { service, shelf, clock, bus, catalogs, said, clashes: BTreeSet::new() }
    }

    /// Whether it is for these zones, and not for those of a service of this name that was away meanwhile.
    pub(super) fn is_of(&self, shelf: &Shelf) -> bool {
        self.shelf.is_same(shelf)
    }

    /// Looks at what catalogs there are and at their versions, and says what follows.
    pub(super) fn look(&mut self) -> News {
        let (before, by_hand) = (self.shelf.membership(), self.shelf.by_hand());
        let there = self.shelf.catalogs();
        self.let_go(|catalog| there.iter().any(|(name, ..)| name == catalog), &before);
        let mut versions = Vec::new();
        for (name, settings, zone) in there {
            let since = self.clock.wall();
            self.said.entry(name.clone()).or_default();
            let followed =
                self.catalogs.entry(name.clone()).or_insert_with(|| Followed::new(&settings, since));
            if followed.settings == settings && is_same(followed.seen.as_ref(), zone.as_ref()) {
                continue;
            }
            (followed.settings, followed.seen) = (settings, zone.clone());
            let Some(zone) = zone else { continue }; // it has expired: what it said holds
            let judged = followed.read(&zone).and_then(|candidate| {
                admit(&mut self.said, &name, candidate, followed.settings.most_removed, &before, &by_hand)
            });
            match followed.take(judged, zone.serial(), since) {
                Some(refusal) => {
                    let reason = Reason::from(refusal.to_string());
                    let event = Event::CatalogRefused { serial: zone.serial(), reason };
                    self.bus.tell(&event, Source::Zone(&name));
                }
                None if followed.fault.is_none() => versions.push((name, zone.serial())),
                None => {}
            }
        }
        let step = before.next(&self.said, &by_hand);
        News { step, versions, before }
    }

    /// Puts in place what follows, and tells it.
    pub(super) fn enrol(&mut self, news: &News) {
        if let Some(reason) = self.shelf.take_members_fault() {
            self.bus.tell(&Event::MembersLost { reason }, Source::Process);
        }
        if news.step.membership != news.before
            && let Err(error) = self.shelf.enrol(&news.step)
        {
            let event = Event::MembersNotKept { reason: Reason::from(error.to_string()) };
            self.bus.tell(&event, Source::Process);
        }
        for (catalog, serial) in &news.versions {
            let event = Event::CatalogFollowed { serial: *serial, fates: news.of(catalog) };
            self.bus.tell(&event, Source::Zone(catalog));
        }
        let clashes: BTreeSet<Clash> = news.step.clashes.iter().cloned().collect();
        for clash in clashes.difference(&self.clashes) {
            let event = Event::CatalogClash { zone: clash.zone.clone(), owner: clash.owner.clone() };
            self.bus.tell(&event, Source::Zone(&clash.catalog));
        }
        self.clashes = clashes;
    }

    /// Forgets the catalogs that the site file has no more.
    fn let_go(&mut self, is_there: impl Fn(&DomainName) -> bool, before: &Membership) {
        let bus = &self.bus;
        self.catalogs.retain(|name, _| {
            let stays = is_there(name);
            if !stays {
                bus.tell(&Event::CatalogLeft { zones: before.count(name) }, Source::Zone(name));
            }
            stays
        });
        self.said.retain(|name, _| is_there(name));
    }

    /// Ends when there is another version of a catalog to look at.
    pub(super) fn another_version(&self) -> impl Future<Output = ()> + Send + use<> {
        let (shelf, mut published) = (self.shelf.clone(), self.shelf.published());
        let seen = self.catalogs.iter().map(|(name, followed)| (name.clone(), followed.seen.clone()));
        let seen: BTreeMap<DomainName, Option<Arc<Zone>>> = seen.collect();
        async move {
            let is_known = |name: &DomainName, version: Option<&Arc<Zone>>| {
                seen.get(name).is_some_and(|seen| is_same(seen.as_ref(), version))
            };
            loop {
                published.mark_unchanged();
                if shelf.catalogs().iter().any(|(name, _, zone)| !is_known(name, zone.as_ref())) {
                    return;
                }
                if published.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// The catalogs as the API shows them.
    pub(super) fn shown(&self) -> Vec<api::Catalog> {
        let membership = self.shelf.membership();
        let shown = |(name, followed): (&DomainName, &Followed)| api::Catalog {
            service: self.service.clone(),
            name: name.clone(),
            serial: followed.serial,
            members: membership.count(name) as u64,
            state: match (&followed.fault, followed.serial) {
                (Some(_), _) => api::CatalogState::Refused,
                (None, Some(_)) => api::CatalogState::Followed,
                (None, None) => api::CatalogState::Missing,
            },
            since: followed.since,
            reason: followed.fault.as_ref().map(|fault| Reason::from(fault.to_string())),
        };
        self.catalogs.iter().map(shown).collect()
    }
}

impl Followed {
    fn new(settings: &Settings, since: WallTime) -> Followed {
        Followed { settings: settings.clone(), seen: None, serial: None, fault: None, since }
    }

    /// What a version says, if it is a catalog.
    fn read(&self, zone: &Zone) -> Result<Catalog, Refusal> {
        let groups = self.settings.group_names();
        let reading = Reading { groups: &groups, most: self.settings.most_members };
        Catalog::of(zone.apex(), ZoneRecords::of(zone), reading).map_err(Refusal::Broken)
    }

    /// Takes in what was judged of a version; answers with what is new about a refusal.
    fn take(&mut self, judged: Result<(), Refusal>, serial: u32, now: WallTime) -> Option<Refusal> {
        match judged {
            Ok(()) => {
                let was_followed = self.serial.is_some() && self.fault.is_none();
                (self.serial, self.fault) = (Some(serial), None);
                self.since = if was_followed { self.since } else { now };
                None
            }
            Err(refusal) if self.fault.as_ref() == Some(&refusal) => None,
            Err(refusal) => {
                self.since = now;
                self.fault = Some(refusal.clone());
                Some(refusal)
            }
        }
    }
}

/// Takes in what a version of a catalog says, unless more would be lost by it than may be, of whichever catalog: one that
/// takes zones over may begin them anew, too.
fn admit(
    said: &mut Said,
    name: &DomainName,
    candidate: Catalog,
    most_removed: Option<usize>,
    before: &Membership,
    by_hand: &BTreeSet<DomainName>,
) -> Result<(), Refusal> {
    let lost = |said: &Said| before.next(said, by_hand).lost().cloned().collect::<BTreeSet<_>>();
    let anyway = lost(said);
    let previous = said.insert(name.clone(), Some(candidate));
    let by_it: BTreeSet<DomainName> = lost(said).difference(&anyway).cloned().collect();
    let losers: BTreeSet<&DomainName> =
        by_it.iter().filter_map(|zone| before.get(zone)).map(|member| &member.catalog).collect();
    let (gone, of) = (by_it.len(), losers.into_iter().map(|catalog| before.count(catalog)).sum::<usize>());
    let most = most_removed.unwrap_or(MOST_REMOVED.min(of.saturating_sub(1)));
    if gone > most {
        said.insert(name.clone(), previous.flatten());
        return Err(Refusal::Removes { gone, of, most });
    }
    Ok(())
}

/// Whether it is one version, not only one of the same serial.
fn is_same(one: Option<&Arc<Zone>>, other: Option<&Arc<Zone>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
