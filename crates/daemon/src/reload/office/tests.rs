//! The office between a fleet's tokens and a site that takes every file.

use super::super::difference::tests::{SITE, site};
use super::*;
use crate::bgp::{Ledger, View};
use crate::blackhole;
use crate::clock::Clock;
use crate::export::NextHops;
use crate::fleet;
use crate::load::Loads;
use crate::metrics::Metrics;
use crate::orders;
use crate::status::{Peer, Shown};
use crate::succession::Program;
use ::bgp::session::StateName;
use ::fleet::{Embedded, Key, Store};
use announce::permit::Record;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use terms::{Attributes, Family, WallTime};
use tokio::sync::{oneshot, watch};

/// A peer that has every prefix of the site.
fn peer(of: &config::Peer, site_file: &SiteFile) -> Peer {
    let next_hops = NextHops::from([
        (Family::Ipv4, "10.1.0.10".parse().unwrap()),
        (Family::Ipv6, "2001:db8::10".parse().unwrap()),
    ]);
    let prefixes = site_file.groups.iter().flat_map(|group| group.prefixes.iter().copied());
    let told = prefixes.chain(site_file.covers());
    let told = told.map(|prefix| (prefix, Attributes::originated(next_hops[&prefix.family()])));
    let mut ledger = Ledger::default();
    ledger.note(&told.collect(), WallTime(1));
    let families = [Family::Ipv4, Family::Ipv6].into();
    let view = View::for_test(StateName::Established, families, next_hops, ledger);
    let view = watch::channel(view).1;
    Peer::for_test(of.name.clone(), of.address.ip(), of.session.peer_asn, view)
}

fn group(of: &config::Group) -> api::Group {
    let row = |prefix: &terms::Prefix| api::PrefixStatus { prefix: *prefix, peers: Vec::new() };
    api::Group {
        name: of.settings.group.clone(),
        services: of.services.clone(),
        state: api::GroupState::Up,
        output: api::Output::Normal,
        since: WallTime(0),
        reason: Reason::from("proven"),
        intent: api::Intent::default(),
        alarms: Vec::new(),
        prefixes: of.prefixes.iter().map(row).collect(),
        checks: Vec::new(),
    }
}

/// An office of one site of this fleet, with a count of the files that were applied.
fn office(name: &str, store: &Embedded) -> (Office, Arc<AtomicUsize>) {
    let site_file = site(&SITE.replace("london", name));
    let clock = Clock::start();
    let bus = Bus::new(clock, Metrics::default());
    let groups = watch::channel(site_file.groups.iter().map(group).collect::<Vec<_>>()).1;
    let loads = watch::channel(Loads::new()).1;
    let dns = fleet::DnsSaid::for_test();
    let (fleet, _, driver) =
        fleet::connect(&site_file, store.clone(), clock, bus.clone(), groups.clone(), loads, dns);
    let (goes_on, stopped) = oneshot::channel();
    tokio::spawn(async move {
        driver.run(stopped).await;
        drop(goes_on);
    });
    let peers = site_file.peers.iter().map(|of| peer(of, &site_file)).collect();
    let board = Board {
        clock,
        site: site_file.site.name.clone(),
        started: clock.wall(),
        groups,
        orders: watch::channel(orders::Shown::new()).1,
        shown: watch::channel(Shown { peers, ..Shown::default() }).1,
        decision: watch::channel(Arc::default()).1,
        blackholes: watch::channel(blackhole::Book::new()).1,
        fleet,
        secondaries: watch::Sender::default().subscribe(),
        moved: crate::continuity::Moved::unwanted(),
        collectors: watch::Sender::default().subscribe(),
        restart: watch::channel(None).1,
        inventory: watch::Sender::default().subscribe(),
        bus,
    };
    let (changes, mut changed) = mpsc::channel::<Change>(1);
    let applied = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&applied);
    tokio::spawn(async move {
        while let Some(change) = changed.recv().await {
            count.fetch_add(1, Ordering::Relaxed);
            change.done.send(Ok(())).unwrap();
        }
    });
    let program = Program::of_this_process().unwrap();
    let exit = Exit { program, departures: mpsc::channel(1).0 };
    (Office::new(Path::new("site.toml"), site_file, board, changes, exit), applied)
}

/// The office is given a file without one of its prefixes.
async fn remove_one(office: &mut Office, order: ReloadOrder) -> ReloadAnswer {
    let name = office.now.site_file.site.name.to_string();
    let text = SITE.replace("london", &name).replacen(", \"192.0.2.0/24\"", "", 1);
    office.judge(order, InForce { path: "site.toml".into(), site_file: site(&text) }).await
}

#[tokio::test]
async fn a_file_that_withdraws_at_one_site_is_refused_at_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("fleet")).unwrap().store;
    let ((mut london, first), (mut paris, second)) = (office("london", &store), office("paris", &store));
    let dry = || ReloadOrder { dry_run: true, ..ReloadOrder::default() };
    assert_eq!(remove_one(&mut london, dry()).await.verdict, ReloadVerdict::WouldChange);
    assert_eq!(remove_one(&mut london, ReloadOrder::default()).await.verdict, ReloadVerdict::Applied);

    for order in [dry(), ReloadOrder::default()] {
        let refused = remove_one(&mut paris, order).await;
        assert_eq!(refused.verdict, ReloadVerdict::Refused);
        let words = refused.refusals.join("; ");
        assert!(words.contains("have acted at london until "), "{words}");
        assert!(words.contains("UTC (a reload of site.toml)"), "{words}");
    }
    assert_eq!(second.load(Ordering::Relaxed), 0);
    let reason = Some(Reason::from("agreed by phone"));
    let boldly = ReloadOrder { override_guard: true, reason, ..ReloadOrder::default() };
    assert_eq!(remove_one(&mut paris, boldly).await.verdict, ReloadVerdict::Applied);
    assert!(paris.board.bus.latest().iter().any(|row| row.kind == "guard-overridden"));
    assert_eq!((first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn a_file_that_withdraws_nothing_takes_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("fleet")).unwrap().store;
    let (mut office, _) = office("london", &store);
    let other = SITE.replacen("asn = 64500", "asn = 64500\nmed = 7", 1);
    let next = InForce { path: "site.toml".into(), site_file: site(&other) };
    assert_eq!(office.judge(ReloadOrder::default(), next).await.verdict, ReloadVerdict::Applied);
    let reading = store.list(&Key::groups()).await.unwrap();
    assert!(reading.entries.iter().all(|entry| Record::decode(&entry.value).unwrap().tokens().is_empty()));
}
