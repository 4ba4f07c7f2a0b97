//! One zone from primaries, without any: how long what was kept may be served, and how often a primary is asked.

use super::super::secondary::Keeper;
use super::*;
use terms::Timestamp;
use transfer::Journal;

fn turns() -> Arc<tokio::sync::Semaphore> {
    Arc::new(tokio::sync::Semaphore::new(1))
}

const DAY: Duration = Duration::from_secs(86_400);

/// The shelf of `example.` that may be served for a week, after a start; a primary has confirmed it so long ago.
fn kept_for(age: Duration) -> (TempDir, Shelf, ZoneTransfers) {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::new(folder.path(), &"dns".parse().unwrap());
    let zone = zone::parse(&zone_text(1, "3600 900 604800")).unwrap();
    images.write(&zone, zone.image().unwrap(), &Journal::default()).unwrap().1.put().unwrap();
    let image = std::fs::File::open(folder.path().join("zones/dns/example.image")).unwrap();
    image.set_modified(std::time::SystemTime::now() - age).unwrap();
    let written = secondary(vec![server_at(peers::ADDRESS)]);
    let shelf = Shelf::new(&written, images, Teller::for_test()).unwrap();
    (folder, shelf, written.transfers[0].clone())
}

/// What a process that has just begun makes of it.
fn held(shelf: &Shelf, transfers: &ZoneTransfers) -> (Held, Duration) {
    let clock = Clock::start();
    let keeper = Keeper::new(transfers.clone(), shelf.clone(), clock, Bus::for_test(), turns());
    let held = keeper.view().borrow().held;
    (held, held.expires().unwrap().since(clock.now()))
}

#[test]
fn a_restart_does_not_begin_the_time_anew() {
    let (_folder, shelf, transfers) = kept_for(6 * DAY);
    let (held_of_it, left) = held(&shelf, &transfers);
    assert!(matches!(held_of_it, Held::Current { .. }) && left <= DAY, "{left:?}");
    let (_folder, shelf, transfers) = kept_for(8 * DAY);
    assert!(matches!(held(&shelf, &transfers).0, Held::Expired { .. }));
}

#[test]
fn a_reload_counts_from_the_last_answer() {
    let (_folder, shelf, transfers) = kept_for(6 * DAY);
    shelf.confirm(&transfers.zone);
    let (_, left) = held(&shelf, &transfers);
    assert!(left > 6 * DAY, "{left:?}");
}

/// A disk on which nothing can be noted does not change what a primary has said.
#[test]
fn a_reload_counts_from_the_last_answer_without_a_disk() {
    // What is on disk is too old, and not what was confirmed.
    let (folder, shelf, transfers) = kept_for(8 * DAY);
    shelf.images().fall_behind(&transfers.zone);
    shelf.confirm(&transfers.zone);
    assert!(shelf.images().age(&transfers.zone).unwrap() >= 8 * DAY);
    let (_, left) = held(&shelf, &transfers);
    assert!(left > 6 * DAY, "{left:?}");
    // Nothing is there at all.
    drop(folder);
    let clock = Clock::start();
    std::thread::sleep(Duration::from_millis(20));
    let keeper = Keeper::new(transfers.clone(), shelf, clock, Bus::for_test(), turns());
    let expires = keeper.view().borrow().held.expires().unwrap();
    assert!(expires.since(Timestamp::ZERO) < 7 * DAY + Duration::from_millis(10), "{expires:?}");
}

#[test]
fn what_has_expired_is_answered_no_more_once_that_is_told() {
    let (_folder, shelf, transfers) = kept_for(Duration::ZERO);
    let published = shelf.published();
    for is_expired in [true, false].into_iter().cycle().take(20) {
        // Whoever waits for others waits now.
        let (zone, _) = shelf.held(&transfers.zone).unwrap();
        shelf.fold(zone);
        shelf.set_expired(&transfers.zone, is_expired);
        assert_eq!(published.borrow().zones.get(&transfers.zone).is_none(), is_expired);
    }
}

/// A service that has left the site file, and comes back when its zones are long too old.
#[test]
fn what_is_closed_serves_nothing_and_leaves_what_is_on_disk() {
    let (folder, shelf, transfers) = kept_for(DAY);
    let images = shelf.images().clone();
    let published = shelf.published();
    let bell = shelf.bell(&transfers.zone).unwrap().hear();
    let zone = Arc::downgrade(&shelf.held(&transfers.zone).unwrap().0);
    shelf.close();
    assert!(shelf.held(&transfers.zone).is_none() && shelf.transfers().is_empty());
    assert!(published.borrow().zones.get(&transfers.zone).is_none());
    drop(shelf);
    // Whoever keeps it ends with its bell.
    while zone.strong_count() > 0 || bell.has_changed().is_ok() {
        std::thread::yield_now();
    }
    images.date(&transfers.zone, 8 * DAY).unwrap();
    let next = Shelf::new(&secondary(vec![server_at(peers::ADDRESS)]), images, Teller::for_test()).unwrap();
    assert!(next.published().borrow().zones.get(&transfers.zone).is_none(), "too old");
    drop(folder);
}

/// Anybody can send NOTIFY from the address of a primary.
#[tokio::test]
async fn a_flood_of_notify_is_heard_once_a_second() {
    let primary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let written = secondary(vec![server_at(primary.local_addr().unwrap())]);
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(&written, Images::new(folder.path(), &"dns".parse().unwrap()), Teller::for_test())
        .unwrap();
    let bell = shelf.bell(&name("example.")).unwrap();
    let clock = Clock::start();
    let keeper = Keeper::new(written.transfers[0].clone(), shelf, clock, Bus::for_test(), turns());
    let keeping = tokio::spawn(keeper.run());
    for _ in 0..6 {
        assert!(bell.ring(transfer::Client { address: "127.0.0.1".parse().unwrap(), key: None }));
        // Closed at once, which is no answer.
        drop(primary.accept().await.unwrap());
    }
    keeping.abort();
    // By NOTIFY once a second, and so often at most by its own pauses, each beginning with one at once.
    assert!(clock.now().since(Timestamp::ZERO) >= 2 * transfer::SHORTEST);
}
