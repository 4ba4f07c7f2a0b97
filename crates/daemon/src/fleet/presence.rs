//! Keeps this host's key alive: as long as the process lives and reaches the store, the others see it.

use super::registry::Said;
use ::fleet::{Key, Lease, Store};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Says what there is to say whenever it changes, and often enough that the lease does not lapse: two of three
/// attempts may fail. What goes wrong is heard by the ears, who ask the same store.
pub(super) async fn keep(store: impl Store, key: Key, lifetime: Duration, mut saying: watch::Receiver<Said>) {
    let mut lease: Option<Lease> = None;
    loop {
        let said = saying.borrow_and_update().encode();
        if let Ok(renewed) = store.present(&key, &said, lifetime, lease.clone()).await {
            lease = Some(renewed);
        }
        // A change is said at once, but not more often than a store likes: several at a time become one.
        tokio::time::sleep(lifetime / 20).await;
        if let Ok(Err(_)) = timeout(lifetime / 3, saying.changed()).await {
            return;
        }
    }
}
