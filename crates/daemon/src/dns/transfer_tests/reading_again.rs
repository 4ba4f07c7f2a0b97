//! Zone files that are read again: what is said of them, and what becomes of the version before.

use super::*;
use ::dns::Zone;
use std::sync::Mutex;
use std::thread;

fn version(serial: u32) -> BuiltInDns {
    primary(&[&zone_text(serial, PATIENT)], &[])
}

#[test]
fn of_two_quick_reloads_nobody_is_told_before_both_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let shelf =
        Shelf::new(&version(1), Images::new(folder.path(), &"dns".parse().unwrap()), Teller::for_test())
            .unwrap();
    let published = shelf.published();
    let is_compared = || !published.borrow().comparing.contains(&name("example."));
    let (first, second) = (shelf.change(&version(2)), shelf.change(&version(3)));
    assert!(!is_compared());
    shelf.compare(first);
    assert!(!is_compared(), "the version that is served is not compared yet");
    shelf.compare(second);
    assert!(is_compared());
    let served = Arc::clone(&published.borrow());
    let newest = served.zones.get(&name("example.")).unwrap().authority().unwrap();
    assert!(served.journals[&name("example.")].since(2, &newest).is_some());
    // A zone that is left out has no past when it comes back.
    shelf.change(&primary(&["$ORIGIN other.\n@ 60 SOA a. b. 1 1 1 1 1\n@ 60 NS ns.a.\n"], &[]));
    assert!(published.borrow().journals.is_empty());
}

#[test]
fn of_two_quick_reloads_the_last_one_is_the_last_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::new(folder.path(), &"dns".parse().unwrap());
    let text = |serial| format!("$ORIGIN example.\n$TTL 60\n@ SOA a. b. {serial} 1 1 1 1\n NS ns.a.\n");
    let version = |serial| primary(&[&text(serial)], &[]);
    let shelf = Shelf::new(&version(1), images.clone(), Teller::for_test()).unwrap();
    for serial in (2..400).step_by(2) {
        let (first, second) = (shelf.change(&version(serial)), shelf.change(&version(serial + 1)));
        thread::scope(|scope| {
            scope.spawn(|| shelf.compare(first));
            scope.spawn(|| shelf.compare(second));
        });
        let (on_disk, _) = images.journal(&name("example."));
        assert_eq!(on_disk.end(), Some(serial + 1));
    }
}

/// Octets of an image that say on which thread they were given back.
struct Traced(Vec<u8>, Arc<Mutex<Option<String>>>);

impl AsRef<[u8]> for Traced {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        *self.1.lock().unwrap() = thread::current().name().map(str::to_owned);
    }
}

/// To give back a zone of a million names takes longer than a query may wait.
#[test]
fn no_thread_that_answers_frees_what_was_served_before() {
    let world = World::new(&version(1));
    let freed = Arc::new(Mutex::new(None));
    let image = zone::parse(&zone_text(2, PATIENT)).unwrap().image().unwrap().to_vec();
    let traced = Zone::from_image(Traced(image, Arc::clone(&freed))).unwrap();
    world.shelf.change(&built_in(Zones::new(vec![Arc::new(traced)]).unwrap(), Vec::new()));
    world.wait_until("the second version", || world.serial() == "2");
    assert_eq!(*freed.lock().unwrap(), None, "it is served");
    // Nobody asks any more.
    world.shelf.change(&version(3));
    world.wait_until("its end", || freed.lock().unwrap().is_some());
    assert_eq!(freed.lock().unwrap().as_deref(), Some("dns-publish"));
}
