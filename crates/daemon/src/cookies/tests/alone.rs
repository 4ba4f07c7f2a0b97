//! The keeper of a site on its own.

use crate::cookies::*;
use crate::memory;
use ::dns::Secrets;
use terms::WallTime;

#[tokio::test]
async fn a_secret_survives_a_restart_and_is_changed_after_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let (bus, clock) = (Bus::for_test(), Clock::start());
    let open = || memory::open(directory.path(), &bus).unwrap();
    let recall = || Keeper::recall(open(), clock, bus.clone());
    let mut keeper = recall().await;
    keeper.look().await;
    let first = keeper.keyring().borrow().secrets().active;
    drop(keeper);
    let mut keeper = recall().await;
    assert_eq!(keeper.keyring().borrow().secrets(), Secrets::new(first));
    keeper.keyring = Keyring::new(7, first, WallTime(clock.wall().0 - 24 * 3_600_000));
    keeper.look().await;
    let secrets = keeper.keyring().borrow().secrets();
    assert_eq!((secrets.previous, secrets.staging), (Some(first), None));
    drop(keeper);
    assert_eq!(recall().await.keyring().borrow().secrets(), secrets);
    let told: Vec<String> = bus.latest().into_iter().map(|row| row.kind).collect();
    assert_eq!(told, ["cookie-secret-changed"]);
}

#[tokio::test]
async fn secrets_that_are_not_understood_are_told_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let bus = Bus::for_test();
    let store = memory::open(directory.path(), &bus).unwrap();
    local::keep(store.as_ref().unwrap(), &Key::cookies(), &"words").await.unwrap();
    let keeper = Keeper::recall(store.clone(), Clock::start(), bus.clone()).await;
    assert_eq!(bus.latest()[0].kind, "cookie-secrets-unreadable");
    let kept = local::recall::<Keyring>(store.as_ref().unwrap(), &Key::cookies()).await.unwrap();
    assert_eq!(kept, Some(keeper.keyring));
}
