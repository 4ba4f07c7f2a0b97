//! The keys that ids are sealed with, and what an id says under them.

use super::{ConnectionId, Destination, Nonce, destination};
use crate::SiteNumber;
use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use std::fmt;

/// The low five bits of the first octet: how many octets follow (QUIC-LB, *length self-description*).
const LENGTH: u8 = ConnectionId::LEN as u8 - 1;

/// Which key an id was sealed with, 0 to 6: its first three bits (QUIC-LB, *config rotation*). An id with 7 there
/// is of a server that was told no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rotation(u8);

/// A number that no key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys have numbers from 0 to 6, not {0}")]
pub struct RotationError(pub u8);

impl Rotation {
    /// So many keys have a number.
    pub const COUNT: usize = 7;

    /// The number itself.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Rotation {
    type Error = RotationError;

    fn try_from(number: u8) -> Result<Self, RotationError> {
        if usize::from(number) < Self::COUNT { Ok(Rotation(number)) } else { Err(RotationError(number)) }
    }
}

/// Why a datagram says of no site that it belongs there. It belongs to the site that it came to: it may be a client's first,
/// or of a connection that there is not, and that site's server knows what to say to either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unroutable {
    /// It ends before its id does.
    #[error("the datagram ends before its connection id does")]
    Truncated,
    /// Its id is longer or shorter than those that sites give out: so many octets.
    #[error("connection ids of sites have {length} octets, not {0}", length = ConnectionId::LEN)]
    Length(usize),
    /// Its id was sealed with a key that is not known here, not yet or no more, if with any.
    #[error("no key {0} is known")]
    Unknown(u8),
    /// Its id names no site under that key.
    #[error("the connection id names no site")]
    Foreign,
}

/// The keys that the sites of a fleet share. All know a new key before the first of them seals with it, and no key is forgotten
/// while a connection has an id of it. With seven numbers a fleet that takes a new key each day can let a connection be
/// idle for five.
#[derive(Clone, Default)]
pub struct Keys([Option<Aes128>; Rotation::COUNT]);

impl Keys {
    /// From now on, ids that were sealed with this key are read.
    pub fn learn(&mut self, rotation: Rotation, key: [u8; 16]) {
        self.0[usize::from(rotation.0)] = Some(Aes128::new(&key.into()));
    }

    /// From now on, they are not.
    pub fn forget(&mut self, rotation: Rotation) {
        self.0[usize::from(rotation.0)] = None;
    }

    /// An id for a connection of this site, if the key is known.
    pub fn seal(&self, rotation: Rotation, site: SiteNumber, nonce: Nonce) -> Option<ConnectionId> {
        let cipher = self.0[usize::from(rotation.0)].as_ref()?;
        let mut block = [0; 16];
        block[3] = site.get();
        block[4..].copy_from_slice(&nonce);
        Some(ConnectionId::new(rotation.0 << 5 | LENGTH, encrypt(cipher, block)))
    }

    /// Which site has given out an id, and with which nonce.
    ///
    /// # Errors
    /// Why it is no id of a site.
    pub fn open(&self, id: &[u8]) -> Result<(SiteNumber, Nonce), Unroutable> {
        let [first, block @ ..] =
            *<&[u8; ConnectionId::LEN]>::try_from(id).map_err(|_| Unroutable::Length(id.len()))?;
        let rotation = first >> 5;
        let cipher = self.0.get(usize::from(rotation)).and_then(Option::as_ref);
        let block = decrypt(cipher.ok_or(Unroutable::Unknown(rotation))?, block);
        match block {
            [0, 0, 0, site, nonce @ ..] if first == rotation << 5 | LENGTH => {
                SiteNumber::try_from(site).map(|site| (site, nonce)).map_err(|_| Unroutable::Foreign)
            }
            _ => Err(Unroutable::Foreign),
        }
    }

    /// Which site a datagram belongs to.
    ///
    /// # Errors
    /// Why it says of none.
    pub fn site_of(&self, datagram: &[u8]) -> Result<SiteNumber, Unroutable> {
        let id = match destination(datagram).ok_or(Unroutable::Truncated)? {
            Destination::Long(id) => id,
            Destination::Short(rest) => rest.get(..ConnectionId::LEN).ok_or(Unroutable::Truncated)?,
        };
        self.open(id).map(|(site, _)| site)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = (0..).zip(&self.0).filter_map(|(number, key)| key.as_ref().map(|_| number));
        f.debug_set().entries(known.map(Rotation)).finish()
    }
}

/// One block, the only one of its message: ECB (QUIC-LB, *single pass encryption*).
fn encrypt(cipher: &Aes128, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    block.into()
}

fn decrypt(cipher: &Aes128, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    cipher.decrypt_block(&mut block);
    block.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second vector of QUIC-LB's appendix B.2, whose server id and nonce have eight octets each: one block, too.
    #[test]
    fn the_block_is_that_of_the_draft() {
        let octets = |text: u128| text.to_be_bytes();
        let cipher = Aes128::new(&octets(0x8f95_f092_4576_5f80_2569_34e5_0c66_207f).into());
        let plain = octets(0xed79_3a51_d49b_8f5f_ee08_0dbf_48c0_d1e5);
        let sealed = octets(0x4dd2_d05a_7b0d_e9b2_b990_7afb_5ecf_8cc3);
        assert_eq!(encrypt(&cipher, plain), sealed);
        assert_eq!(decrypt(&cipher, sealed), plain);
    }
}
