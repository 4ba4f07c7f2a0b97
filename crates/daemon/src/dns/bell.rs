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
        let is_there = |primary: &Server| primary.address.ip() == client.address;
        let has_its_key =
            |primary: &Server| primary.key.as_ref().is_some_and(|key| client.key == Some(key.name()));
        // Primaries may share one key.
        let rings =
            self.primaries.iter().position(is_there).or_else(|| self.primaries.iter().position(has_its_key));
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

#[cfg(test)]
mod tests {
    use super::*;
    use terms::SharedKey;
    use transfer::{Algorithm, Key};

    #[test]
    fn the_primary_that_rings_is_the_one_that_is_asked() {
        let secret = SharedKey::new(vec![7; 32]).unwrap();
        let key = Arc::new(Key::new("transfer.".parse().unwrap(), Algorithm::HmacSha256, secret));
        let server =
            |address: &str| Server { address: address.parse().unwrap(), key: Some(Arc::clone(&key)) };
        let bell = Bell::new(&[server("192.0.2.1:53"), server("192.0.2.2:53")]);
        let rung_by = |address: &str, key| {
            let client = Client { address: address.parse().unwrap(), key };
            bell.ring(client).then(|| bell.hear().borrow().1)
        };
        assert_eq!(
            rung_by("192.0.2.2", Some(key.name())),
            Some(1),
            "by its address, though all have the key"
        );
        assert_eq!(rung_by("192.0.2.2", None), Some(1));
        assert_eq!(rung_by("192.0.2.9", Some(key.name())), Some(0), "whoever has the key");
        assert_eq!(rung_by("192.0.2.9", None), None);
    }
}
