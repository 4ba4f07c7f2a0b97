//! Keeps this host's key alive: as long as the process lives and reaches the store, the others see it.

use ::fleet::{Key, Lease, Store};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Is present until there is nobody any more who has something to say, and then gives the lease back: whoever stops in
/// order is seen to leave at once.
pub(crate) async fn keep<T>(
    store: impl Store,
    key: Key,
    lifetime: Duration,
    saying: watch::Receiver<T>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    let mut lease = None;
    let mut last_word = saying.clone();
    tokio::select! {
        () = speak(&store, &key, lifetime, (saying, encode), &mut lease) => {}
        // Also in the middle of a call, which may take longer than the stop has time for.
        _ = last_word.wait_for(|_| false) => {}
    }
    if let Some(lease) = lease {
        // Where it fails the lease lapses.
        let _ = store.give_back(lease).await;
    }
}

/// Says what there is to say whenever it changes, and often enough that the lease does not lapse: two of three
/// attempts may fail. What goes wrong is heard by the ears, who ask the same store.
async fn speak<T>(
    store: &impl Store,
    key: &Key,
    lifetime: Duration,
    (mut saying, encode): (watch::Receiver<T>, impl Fn(&T) -> Vec<u8>),
    lease: &mut Option<Lease>,
) {
    loop {
        let said = encode(&saying.borrow_and_update());
        if let Ok(renewed) = store.present(key, &said, lifetime, lease.clone()).await {
            *lease = Some(renewed);
        }
        // A change is said at once, but not more often than a store likes: several at a time become one.
        tokio::time::sleep(lifetime / 20).await;
        if let Ok(Err(_)) = timeout(lifetime / 3, saying.changed()).await {
            return;
        }
    }
}
