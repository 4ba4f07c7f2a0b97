//! The secrets of DNS cookies: kept on this machine, and changed every day.
//!
//! ```text
//!   state directory ──recall──> keeper ──keyring (latest)──> threads of the DNS service, presence
//!          ^                    │    ^
//!          └────────keeps───────┘    └──shared──> store of the fleet
//! ```
//! A site on its own changes them alone; how the sites of a fleet do it together: [`shared`].
//! A secret that cannot be kept is used all the same: after a restart clients learn new cookies with their answers.

mod event;
mod shared;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use ::fleet::{Embedded, Key, Store, local};
use dns::{Keyring, Secret};
use event::Event;
use std::convert::Infallible;
use std::time::Duration;
use terms::Reason;
use tokio::sync::watch;

/// Between two looks whether a secret is to change, by the clock on the wall, which somebody may set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Looks after the secrets.
#[derive(Debug)]
pub(crate) struct Keeper {
    clock: Clock,
    bus: Bus,
    /// Where the secrets are kept; none where it cannot be opened.
    store: Option<Embedded>,
    keyring: Keyring,
    shown: watch::Sender<Keyring>,
}

impl Keeper {
    /// With what this machine has kept, or with a first secret.
    pub(crate) async fn recall(store: Option<Embedded>, clock: Clock, bus: Bus) -> Self {
        let kept = match &store {
            Some(store) => local::recall::<Keyring>(store, &Key::cookies()).await,
            None => Ok(None),
        };
        let (keyring, is_new) = match kept {
            Ok(Some(keyring)) => (keyring, false),
            Ok(None) => (first(clock), true),
            Err(error) => {
                bus.tell(&Event::Unreadable { reason: Reason::from(error.to_string()) }, Source::Process);
                (first(clock), true)
            }
        };
        let keeper = Keeper { clock, bus, store, shown: watch::Sender::new(keyring.clone()), keyring };
        if is_new {
            keeper.keep().await;
        }
        keeper
    }

    /// The secrets, now and from now on.
    pub(crate) fn keyring(&self) -> watch::Receiver<Keyring> {
        self.shown.subscribe()
    }

    /// Changes them when it is time, with the fleet if there is one.
    pub(crate) async fn run(self, fleet: Option<impl Store>) -> Infallible {
        match fleet {
            Some(store) => self.share(store).await,
            None => self.alone().await,
        }
    }

    async fn alone(mut self) -> Infallible {
        loop {
            self.look().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&mut self) {
        // Nobody else has to know it.
        while let Some(next) = self.keyring.next(self.clock.wall(), true, fresh) {
            self.take(next).await;
        }
    }

    async fn take(&mut self, next: Keyring) {
        if next.secrets().active != self.keyring.secrets().active {
            self.bus.tell(&Event::Changed { number: next.number() }, Source::Process);
        }
        self.keyring = next;
        self.shown.send_replace(self.keyring.clone());
        self.keep().await;
    }

    async fn keep(&self) {
        let Some(store) = &self.store else { return };
        if let Err(error) = local::keep(store, &Key::cookies(), &self.keyring).await {
            let reason = Reason::from(error.to_string());
            self.bus.tell(&Event::Unwritable { reason }, Source::Process);
        }
    }
}

fn first(clock: Clock) -> Keyring {
    Keyring::new(rand::random(), fresh(), clock.wall())
}

/// A secret that nobody knows.
fn fresh() -> Secret {
    Secret(rand::random())
}
