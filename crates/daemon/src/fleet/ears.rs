//! Listens to the store: everything that is there, then every change, and again from the start when that ends.

use ::fleet::{Change, Entry, Key, Listing, Store};
use std::time::Duration;
use terms::Reason;
use tokio::sync::mpsc;

/// From one attempt to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// What is heard of the store.
#[derive(Debug)]
pub(crate) enum Heard {
    /// All of it, as of one moment: what is not in it is not there.
    Everything(Listing),
    /// A value was put or replaced.
    Put(Entry),
    /// A value is gone.
    Gone(Key),
    /// The store cannot be heard.
    Nothing(Reason),
}

/// Tells what is heard below a key, for as long as somebody wants to know. The sender waits for the driver: what is heard
/// is whole.
pub(crate) async fn listen(store: impl Store, below: Key, driver: mpsc::Sender<Heard>) {
    loop {
        let why = match store.watch(&below).await {
            Err(error) => error.0,
            Ok((listing, mut watch)) => {
                let mut heard = Some(Heard::Everything(listing));
                while let Some(news) = heard {
                    if driver.send(news).await.is_err() {
                        return;
                    }
                    heard = watch.next().await.map(|change| match change {
                        Change::Put(entry) => Heard::Put(entry),
                        Change::Gone(key) => Heard::Gone(key),
                    });
                }
                Reason::from("the store stopped telling of changes")
            }
        };
        if driver.send(Heard::Nothing(why)).await.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
