//! Session tickets with keys of the operator's, so that a client that routing moves to another site goes on there with
//! its session (RFC 5077, RFC 8446 section 4.6.1).
//!
//! ```text
//!  nonce, 12 octets | session, sealed with ChaCha20-Poly1305 | tag, 16 octets
//! ```

use config::TicketKey;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::server::ProducesTickets;
use std::fmt;

/// How long a client may keep a ticket, seconds: half a day, well below the 7 days of RFC 8446 section 4.6.1.
const LIFETIME: u32 = 12 * 3600;

/// Seals tickets with the first key and opens them with any.
pub(super) struct Tickets {
    keys: Vec<LessSafeKey>,
    random: SystemRandom,
}

impl Tickets {
    pub(super) fn new(keys: &[TicketKey]) -> Self {
        // A key of another length cannot be written.
        let keys = keys.iter().filter_map(|key| UnboundKey::new(&CHACHA20_POLY1305, key.octets()).ok());
        Tickets { keys: keys.map(LessSafeKey::new).collect(), random: SystemRandom::new() }
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tickets({} keys)", self.keys.len())
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        !self.keys.is_empty()
    }

    fn lifetime(&self) -> u32 {
        LIFETIME
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        let key = self.keys.first()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<NONCE_LEN>()?;
        self.keys.iter().find_map(|key| {
            let mut octets = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.open_in_place(nonce, Aad::empty(), &mut octets).ok().map(|plain| plain.to_vec())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(octet: char) -> TicketKey {
        octet.to_string().repeat(64).parse().unwrap()
    }

    #[test]
    fn a_ticket_is_opened_by_whoever_has_its_key_and_by_nobody_else() {
        let london = Tickets::new(&[key('b'), key('a')]);
        let tokyo = Tickets::new(&[key('a'), key('b')]);
        let stranger = Tickets::new(&[key('c')]);
        let ticket = london.encrypt(b"session").unwrap();
        assert_eq!(tokyo.decrypt(&ticket).unwrap(), b"session");
        assert_eq!(stranger.decrypt(&ticket), None);
        assert_ne!(london.encrypt(b"session").unwrap(), ticket, "each has a nonce of its own");
        for length in 0..ticket.len() {
            assert_eq!(tokyo.decrypt(&ticket[..length]), None);
        }
        for at in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[at] ^= 1;
            assert_eq!(tokyo.decrypt(&forged), None);
        }
    }
}
