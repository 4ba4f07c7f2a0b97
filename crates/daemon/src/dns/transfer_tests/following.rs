//! What becomes of the zones of catalogs that come from files: nothing is sent, and nobody waits.

use super::super::following::Following;
use super::super::images::Images;
use super::super::shelf::Shelf;
use super::catalogs::{listing, member, settings};
use super::*;
use std::collections::BTreeSet;

/// The first catalog and another one.
const BOTH: [&str; 2] = ["catalog.", "other."];

/// A service with catalogs, each as its text.
fn service(catalogs: &[String], most_removed: Option<usize>) -> BuiltInDns {
    let zones: Vec<_> = catalogs.iter().map(|text| Arc::new(zone::parse(text).unwrap())).collect();
    let names: Vec<DomainName> = zones.iter().map(|zone| zone.apex().clone()).collect();
    let catalogs = names.into_iter().map(|name| (name, settings(most_removed))).collect();
    BuiltInDns { catalogs, ..built_in(Zones::new(zones).unwrap(), Vec::new()) }
}

struct Follower {
    folder: TempDir,
    shelf: Shelf,
    following: Following,
    bus: Bus,
}

impl Follower {
    fn new(written: &BuiltInDns) -> Follower {
        Follower::with(written, tempfile::tempdir().unwrap())
    }

    fn with(written: &BuiltInDns, folder: TempDir) -> Follower {
        let service = "dns".parse().unwrap();
        let shelf = Shelf::new(written, Images::new(folder.path(), &service), Teller::for_test()).unwrap();
        let bus = Bus::for_test();
        let mut following = Following::new(service, shelf.clone(), Clock::start(), bus.clone());
        let news = following.look();
        following.enrol(&news);
        Follower { folder, shelf, following, bus }
    }

    fn restart(self, written: &BuiltInDns) -> Follower {
        Follower::with(written, self.folder)
    }

    fn reload(&mut self, written: &BuiltInDns) {
        self.shelf.change(written);
        let news = self.following.look();
        self.following.enrol(&news);
    }

    /// A zone of a catalog comes, and is kept.
    fn receive(&self, apex: &str) {
        let zone = zone::parse(&member(apex, 7)).unwrap();
        let (kept, written) =
            self.shelf.images().write(&zone, zone.image().unwrap(), &transfer::Journal::default()).unwrap();
        written.put().unwrap();
        let change = self.shelf.receive(Arc::new(kept), None);
        while self.shelf.published().borrow().as_of < change {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn has(&self, apex: &str) -> bool {
        self.shelf.held(&name(apex)).is_some()
    }

    fn awaited(&self) -> BTreeSet<String> {
        self.shelf.published().borrow().awaited.iter().map(DomainName::to_string).collect()
    }

    fn told(&self, kind: &str, subject: &str) -> Vec<String> {
        let rows = self.bus.latest().into_iter();
        let rows = rows.filter(|row| row.kind == kind && row.subject == subject);
        rows.map(|row| row.text.to_string()).collect()
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A catalog with this many zones, under labels of its own. `leaving` is what it says of each beside that.
fn many(catalog: &str, serial: u32, count: usize, leaving: &str) -> String {
    let mut text = listing(serial, "2", &[]).replace("catalog.", catalog);
    for n in 0..count {
        let label = format!("{}{n}", &catalog[..1]);
        text += &format!("{label}.zones 0 PTR zone{n}.\n");
        if !leaving.is_empty() {
            text += &format!("coo.{label}.zones 0 PTR {leaving}\n");
        }
    }
    text
}

#[test]
fn a_takeover_that_begins_everything_anew_is_refused() {
    let empty = many(BOTH[1], 1, 0, "");
    let mut follower = Follower::new(&service(&[many(BOTH[0], 1, 12, ""), empty], None));
    let held = follower.shelf.membership();
    assert_eq!(held.count(&name(BOTH[0])), 12);
    let taking = many(BOTH[1], 2, 12, "");
    follower.reload(&service(&[many(BOTH[0], 1, 12, ""), taking.clone()], None));
    let let_go = [many(BOTH[0], 2, 12, BOTH[1]), taking];
    follower.reload(&service(&let_go, None));
    assert_eq!(follower.shelf.membership(), held, "twelve are too many");
    let refused = follower.told("catalog-refused", BOTH[0]);
    assert!(refused[0].contains("take away or begin anew 12 of 12 zones"), "{refused:?}");
    // The other way round: the first one says so before the other lists anything.
    let mut follower = Follower::new(&service(&[let_go[0].clone(), many(BOTH[1], 1, 0, "")], None));
    follower.reload(&service(&let_go, None));
    assert_eq!(follower.shelf.membership(), held);
    assert_eq!(follower.told("catalog-refused", BOTH[1]).len(), 1);
    follower.reload(&service(&let_go, Some(12)));
    assert_eq!(follower.shelf.membership().count(&name(BOTH[1])), 12, "it is meant");
    for catalog in BOTH {
        let told = follower.told("catalog-followed", catalog);
        assert!(told.last().unwrap().contains("12 begun anew"), "{told:?}");
    }
}

/// A catalog of so many zones, of which the next version takes some away.
fn taking_away(most_removed: Option<usize>, of: usize, gone: usize) -> (Follower, usize) {
    let version = |serial, count| service(&[many(BOTH[0], serial, count, "")], most_removed);
    let mut follower = Follower::new(&version(1, of));
    follower.reload(&version(2, of - gone));
    let left = follower.shelf.membership().count(&name(BOTH[0]));
    (follower, left)
}

#[test]
fn a_catalog_takes_away_as_many_as_it_may() {
    for (most_removed, of, gone, is_followed) in [
        (None, 12, 10, true),
        (None, 12, 11, false),
        (None, 11, 10, true),
        (None, 10, 10, false),
        (None, 2, 1, true),
        (None, 1, 1, false),
        (Some(0), 5, 1, false),
        (Some(1), 5, 1, true),
        (Some(4), 5, 5, false),
        (Some(5), 5, 5, true),
    ] {
        let (follower, left) = taking_away(most_removed, of, gone);
        let title = format!("{gone} of {of} where {most_removed:?} may go");
        assert_eq!(left, if is_followed { of - gone } else { of }, "{title}");
        let refused = follower.told("catalog-refused", BOTH[0]);
        assert_eq!(refused.len(), usize::from(!is_followed), "{title}");
        let says = format!("take away or begin anew {gone} of {of} zones");
        assert!(refused.iter().all(|text| text.contains(&says)), "{refused:?}");
    }
}

#[test]
fn what_a_version_takes_away_is_counted_from_what_is_there() {
    let (mut follower, left) = taking_away(None, 24, 11);
    assert_eq!(left, 24, "eleven are too many");
    let version = |serial, count| service(&[many(BOTH[0], serial, count, "")], None);
    // Of the one that is not followed, these would be none.
    follower.reload(&version(3, 13));
    assert_eq!(follower.shelf.membership().count(&name(BOTH[0])), 24, "the same again");
    for (serial, count) in [(4, 14), (5, 4)] {
        follower.reload(&version(serial, count));
        assert_eq!(follower.shelf.membership().count(&name(BOTH[0])), count, "ten each time");
    }
    assert_eq!(follower.bus.alarms().len(), 0);
    // Under other labels they begin anew, and that is counted like what is taken away.
    let labelled = |count| many(BOTH[0], 6, 14, "").replacen(".zones 0 PTR", "x.zones 0 PTR", count);
    let fourteen = |count| service(&[labelled(count)], None);
    let mut follower = Follower::new(&service(&[many(BOTH[0], 5, 14, "")], None));
    follower.reload(&fourteen(11));
    assert_eq!(follower.told("catalog-refused", BOTH[0]).len(), 1);
    follower.reload(&fourteen(10));
    let told = follower.told("catalog-followed", BOTH[0]);
    assert!(told.last().unwrap().contains("10 begun anew"), "{told:?}");
}

/// However many zones come, and however soon one after the other.
#[tokio::test]
async fn zones_that_come_together_are_served_together() {
    let follower = Follower::new(&service(&[many(BOTH[0], 1, 100, "")], None));
    let (begin, watched) = (std::time::Instant::now(), follower.shelf.published());
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let watching = std::thread::spawn(move || {
        let mut seen = BTreeSet::new();
        while !ends.load(std::sync::atomic::Ordering::Relaxed) {
            seen.insert(watched.borrow().as_of);
            std::thread::yield_now();
        }
        seen.len()
    });
    let mut last = None;
    for serial in 1..=20 {
        for n in 0..100 {
            let zone = Arc::new(zone::parse(&member(&format!("zone{n}."), serial)).unwrap());
            last = Some(follower.shelf.receive(zone, None));
        }
    }
    follower.shelf.served(last.unwrap()).await;
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    let served = Arc::clone(&follower.shelf.published().borrow());
    assert!(
        served.zones.iter().filter(|zone| zone.serial() == 20).count() == 100 && served.awaited.is_empty()
    );
    // No pause is shorter than it is to be, so this holds on any machine.
    let most = 3 + begin.elapsed().as_millis() / 50;
    let seen = watching.join().unwrap() as u128;
    assert!(seen <= most, "{seen} versions of all zones where {most} would do");
}

#[test]
fn a_catalog_that_the_site_file_has_again_has_its_zones_at_once() {
    let with = service(&[listing(1, "2", &["one a.", "two b."])], None);
    let mut follower = Follower::new(&with);
    follower.receive("a.");
    follower.reload(&service(&[], None));
    assert!(!follower.has("a.") && follower.shelf.membership().iter().len() == 0);
    follower.reload(&with);
    assert!(follower.has("a."));
    follower.reload(&service(&[listing(2, "2", &["two b."])], None));
    follower.reload(&with);
    assert!(!follower.has("a."), "one that its catalog removed comes anew");
}

#[test]
fn a_zone_that_has_not_come_is_awaited() {
    let with = |members: &[&str]| service(&[listing(1, "2", members)], None);
    let follower = Follower::new(&with(&["one a.", "two b."]));
    assert_eq!(follower.awaited(), names(&[]), "none of the catalog is there: the site has nothing to serve");
    follower.receive("a.");
    let mut follower = follower.restart(&with(&["one a.", "two b."]));
    assert_eq!(follower.awaited(), names(&["b."]), "all sites wait for it, restarted or not");
    follower.reload(&with(&["three a.", "two b."]));
    assert_eq!(follower.awaited(), names(&["a.", "b."]), "it begins anew");
    follower.receive("a.");
    follower.receive("b.");
    assert_eq!(follower.awaited(), names(&[]));
    // Its image is at hand from before: nobody waits.
    let zone = zone::parse(&member("c.", 7)).unwrap();
    follower
        .shelf
        .images()
        .write(&zone, zone.image().unwrap(), &transfer::Journal::default())
        .unwrap()
        .1
        .put()
        .unwrap();
    follower.reload(&with(&["three a.", "two b.", "four c."]));
    assert!(follower.has("c.") && follower.awaited().is_empty());
}

#[test]
fn what_is_wrong_with_the_list_of_members_is_told() {
    let with = service(&[listing(1, "2", &["one a."])], None);
    let follower = Follower::new(&with);
    std::fs::write(follower.folder.path().join("zones/dns/members"), "a. one.zones.catalog.\nnothing\n")
        .unwrap();
    let mut follower = follower.restart(&with);
    let lost = |follower: &Follower| {
        follower.bus.latest().into_iter().filter(|row| row.kind == "members-lost").count()
    };
    assert_eq!(lost(&follower), 1);
    follower.reload(&with);
    assert_eq!(lost(&follower), 1, "once");
}

#[test]
fn a_name_in_a_zone_of_the_site_file_is_no_zone_of_a_catalog() {
    let both = [listing(1, "2", &["one a."]), member("hand.", 99)];
    let written = service(&both[..1], None);
    let with = |members: &[&str]| {
        let zones = [listing(2, "2", members), both[1].clone()];
        let zones = zones.iter().map(|text| Arc::new(zone::parse(text).unwrap())).collect();
        BuiltInDns { zones: Arc::new(Zones::new(zones).unwrap()), ..written.clone() }
    };
    let follower = Follower::new(&with(&["one a.", "two www.hand."]));
    assert_eq!(follower.shelf.membership().iter().len(), 1);
    assert!(!follower.shelf.is_member(&name("www.hand.")));
    let told = follower.told("catalog-clash", BOTH[0]);
    assert!(told[0].contains("a name in hand. of the site file"), "{told:?}");
}
