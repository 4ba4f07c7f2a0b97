//! What a NOTIFY rings: whoever keeps a zone current looks at the primary that rang.

use config::Server;
use std::sync::Arc;
use tokio::sync::watch;
use transfer::Client;

/// The bell of one zone. Rung twice before anybody looked, it has rung once.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    primaries: Arc<[Server]>,
    /// How often it has rung, and which primary it was the last time.
    rung: watch::Sender<(u64, usize)>,
}

impl Bell {
    pub(super) fn new(primaries: &[Server]) -> Bell {
        Bell { primaries: primaries.into(), rung: watch::Sender::new((0, 0)) }
    }

    /// Whether it is there for these primaries.
    pub(super) fn is_of(&self, primaries: &[Server]) -> bool {
        *self.primaries == *primaries
    }

    /// Rings, if it is one of the primaries who does: by its address, or by its key from any address (RFC 1996
    /// section 3.10). A forged one costs a question to a primary, and no more.
    pub(super) fn ring(&self, client: Client<'_>) -> bool {
        let is_it = |primary: &Server| {
            let by_key = primary.key.as_ref().is_some_and(|key| client.key == Some(key.name()));
            by_key || primary.address.ip() == client.address
        };
        let rings = self.primaries.iter().position(is_it);
        if let Some(primary) = rings {
            self.rung.send_modify(|(times, last)| (*times, *last) = (*times + 1, primary));
        }
        rings.is_some()
    }

    /// Hears it from now on.
    pub(super) fn hear(&self) -> watch::Receiver<(u64, usize)> {
        self.rung.subscribe()
    }
}
