//! One image is made of a zone and what lies over it, while other versions come.

use super::super::Teller;
use super::super::transfer_tests::secondary;
use super::*;
use ::dns::zone;
use std::path::Path;
use tempfile::TempDir;

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

/// Whoever keeps the zone, whose first version was kept an hour ago.
fn keeper(folder: &TempDir) -> Keeper {
    let first = version(1, 0);
    let images = images(folder);
    images.write(&first, first.image().unwrap(), None).unwrap().1.put().unwrap();
    let written = secondary(vec![Server { address: "127.0.0.1:1".parse().unwrap(), key: None }]);
    let transfers = written.transfers[0].clone();
    let shelf = Shelf::new(&written, images, Teller::for_test()).unwrap();
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
    let hour = Duration::from_secs(3600);
    images(&folder).date(&apex, hour).unwrap();
    keeper.take_folded(folding.await.unwrap()).await;
    assert_eq!((keeper.serials(), found(&folder, &apex)), ((3, 2), (3, 2, None)));
    let (zone, _) = keeper.shelf.held(&apex).unwrap();
    assert!(zone.compacted().unwrap().image() == version(3, 1101).image() && !zone.should_be_compacted());
    assert!(images(&folder).age(&apex).unwrap() >= hour, "no primary has said anything");
    keeper.comes(&version(4, 1101)).await;
    assert_eq!(found(&folder, &apex), (4, 2, None), "what changes next is noted behind that");
    assert!(images(&folder).age(&apex).unwrap() < hour);
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
