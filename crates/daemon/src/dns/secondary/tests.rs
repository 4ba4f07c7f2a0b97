//! One image is made of a zone and what lies over it, while other versions come.

use super::super::Teller;
use super::super::images::Images;
use super::super::shelf;
use super::super::transfer_tests::secondary;
use super::*;
use ::dns::zone;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use transfer::Journal;

/// A version of `example.` with so many names of its own.
fn version(serial: u32, names: usize) -> Zone {
    let mut text = format!(
        "$ORIGIN example.\n$TTL 60\n@ SOA ns.a. h.a. {serial} 3600 900 604800 300\n NS ns.a.\nv{serial} TXT v\n"
    );
    (0..names).for_each(|n| text += &format!("n{n} TXT n\n"));
    zone::parse(&text).unwrap()
}

fn images(folder: &TempDir) -> Images {
    Images::new(folder.path(), &"dns".parse().unwrap())
}

/// Whoever keeps the zone, whose first version was just kept.
fn keeper(folder: &TempDir) -> Keeper {
    let first = version(1, 0);
    let images = images(folder);
    images.write(&first, first.image().unwrap(), &Journal::default()).unwrap().1.put().unwrap();
    next_keeper(folder)
}

/// Whoever keeps it after a restart.
fn next_keeper(folder: &TempDir) -> Keeper {
    let written = secondary(vec![Server { address: "127.0.0.1:1".parse().unwrap(), key: None }]);
    let transfers = written.transfers[0].clone();
    let shelf = Shelf::new(&written, images(folder), Teller::for_test()).unwrap();
    Keeper::new(transfers, shelf, Clock::start(), Bus::for_test(), Arc::new(Semaphore::new(1)))
}

impl Keeper {
    /// What has changed comes from a primary.
    async fn comes(&mut self, next: &Zone) {
        let (held, _) = self.shelf.held(next.apex()).unwrap();
        let difference = shelf::difference(&held, next);
        let zone = shelf::changed(&held, &difference).unwrap();
        self.receives(zone, Some(difference)).await;
    }

    async fn receives(&mut self, zone: Zone, difference: Option<Difference>) {
        let zone = self.keep(zone, difference.clone()).await;
        let change = self.shelf.receive(Arc::new(zone), difference);
        self.shelf.served(change).await;
    }

    /// Serial numbers of the version that is held, and of its image.
    fn serials(&self) -> (u32, u32) {
        let (zone, _) = self.shelf.held(&self.transfers.zone).unwrap();
        (zone.serial(), zone.image_serial())
    }
}

/// What a restart finds.
fn found(folder: &TempDir, apex: &DomainName) -> (u32, u32, Option<Reason>) {
    let image = images(folder).load(apex).unwrap();
    (image.zone.serial(), image.zone.image_serial(), image.fault)
}

#[tokio::test]
async fn what_changes_while_an_image_is_made_is_laid_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&folder);
    let apex = keeper.transfers.zone.clone();
    assert!(keeper.fold().is_none(), "there is nothing over it");
    keeper.comes(&version(2, 1100)).await;
    assert_eq!(keeper.serials(), (2, 1));
    let folding = keeper.fold().unwrap();
    keeper.comes(&version(3, 1101)).await;
    assert_eq!(found(&folder, &apex), (3, 1, None));
    keeper.take_folded(folding.await.unwrap()).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((3, 2), (3, 2, None)));
    let (zone, _) = keeper.shelf.held(&apex).unwrap();
    assert!(zone.compacted().unwrap().image() == version(3, 1101).image() && !zone.should_be_compacted());
    keeper.comes(&version(4, 1101)).await;
    assert_eq!(found(&folder, &apex), (4, 2, None), "what changes next is noted behind that");
}

#[tokio::test]
async fn another_image_of_the_same_is_no_younger() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = keeper(&folder);
    let apex = first.transfers.zone.clone();
    first.comes(&version(2, 1100)).await;
    let hour = Duration::from_secs(3600);
    images(&folder).date(&apex, hour).unwrap();
    let mut keeper = next_keeper(&folder);
    let folding = keeper.fold().unwrap();
    keeper.take_folded(folding.await.unwrap()).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((2, 2), (2, 2, None)));
    assert!(images(&folder).age(&apex).unwrap() >= hour, "no primary has said anything");
    keeper.comes(&version(3, 1100)).await;
    assert!(images(&folder).age(&apex).unwrap() < hour);
}

/// Says to the test below that it is the one in which files may not grow.
const LIMITED: &str = "CATCHMENT_TEST_IMAGES_ARE_LIMITED";

/// The disk is nearly full: what has changed has room, the zone has not.
#[test]
fn an_image_that_could_not_be_kept_makes_the_one_before_no_younger() {
    if std::env::var_os(LIMITED).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(with_too_little_room());
    }
    // In a process of its own, since the limit holds for all of it. Without the trap the system ends it.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, "sh"]).arg(std::env::current_exe().unwrap());
    let name = "dns::secondary::tests::an_image_that_could_not_be_kept_makes_the_one_before_no_younger";
    let output = command.args(["--exact", name]).env(LIMITED, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn with_too_little_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&folder);
    let apex = keeper.transfers.zone.clone();
    let not_kept =
        |keeper: &Keeper| keeper.bus.latest().iter().filter(|row| row.kind == "zone-not-kept").count();
    let hour = Duration::from_secs(3600);
    images(&folder).date(&apex, hour).unwrap();
    // What has changed is too much for a journal.
    keeper.receives(version(5, 3000), None).await;
    assert_eq!((keeper.serials(), not_kept(&keeper)), ((5, 5), 1));
    keeper.comes(&version(6, 3000)).await;
    keeper.confirm();
    let lies = || (found(&folder, &apex), images(&folder).age(&apex).unwrap() >= hour);
    assert_eq!((keeper.serials(), lies()), ((6, 5), ((1, 1, None), true)));
    // Another image would be of use, but has no room either.
    let folding = keeper.fold().unwrap();
    keeper.take_folded(folding.await.unwrap()).await;
    keeper.comes(&version(7, 3000)).await;
    assert_eq!((keeper.serials(), lies()), ((7, 5), ((1, 1, None), true)), "memory lies as before, too");
    assert_eq!(not_kept(&keeper), 1, "once, not of every version and at every try");
}

#[tokio::test]
async fn an_image_that_could_not_be_kept_comes_to_disk_with_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&folder);
    let apex = keeper.transfers.zone.clone();
    let (zones, aside) = (folder.path().join("zones"), folder.path().join("aside"));
    std::fs::rename(&zones, &aside).unwrap();
    std::fs::write(&zones, "no folder").unwrap();
    keeper.receives(version(5, 0), None).await;
    assert!(keeper.unkept.is_some());
    std::fs::remove_file(&zones).unwrap();
    std::fs::rename(&aside, &zones).unwrap();
    keeper.comes(&version(6, 1)).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((6, 5), (1, 1, None)));
    let folding = keeper.fold().unwrap();
    keeper.comes(&version(7, 2)).await;
    keeper.take_folded(folding.await.unwrap()).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((7, 6), (7, 6, None)));
    assert!(keeper.unkept.is_none() && keeper.fold().is_none());
    let hour = Duration::from_secs(3600);
    images(&folder).date(&apex, hour).unwrap();
    keeper.confirm();
    assert!(images(&folder).age(&apex).unwrap() < hour, "it is the last version");
}

#[tokio::test]
async fn an_image_of_what_is_there_no_more_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&folder);
    let apex = keeper.transfers.zone.clone();
    keeper.comes(&version(2, 1100)).await;
    let folding = keeper.fold().unwrap();
    // All of the zone has come, and what has changed in it is known, too.
    let (held, _) = keeper.shelf.held(&apex).unwrap();
    let difference = shelf::difference(&held, &version(9, 3));
    keeper.receives(version(9, 3), Some(difference)).await;
    keeper.take_folded(folding.await.unwrap()).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((9, 9), (9, 9, None)));
    let files = std::fs::read_dir(folder.path().join(Path::new("zones/dns"))).unwrap().count();
    assert_eq!(files, 2, "an image, a journal and no more");
}

#[tokio::test]
async fn what_goes_wrong_again_and_again_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&folder);
    let primary = "127.0.0.1:1".parse().unwrap();
    for (serial, times) in [(2, 1), (2, 1), (3, 2)] {
        let result = Err(exchange::Error::Serial { said: serial, found: 1 });
        assert_eq!(keeper.take(Ended { primary, result }).await, Input::Failed);
        let told = keeper.bus.latest().iter().filter(|row| row.kind == "zone-not-received").count();
        assert_eq!(told, times, "serial {serial}");
    }
}
