//! What is between two sites while connections go from one to the other: sealed with a key that the fleet shares.
//!
//! ```text
//!   giver                                               taker
//!   "CMHO" | 1 | key | its number | the taker's | 32 octets ──>
//!                            <── 32 octets
//!   Begin, sealed ──>        <── Begin, sealed
//!   messages, each:  length (4) | sealed message
//! ```
//! From both ends' random octets and the key of the tunnel's tags that the giver names follow two keys, one for each
//! direction (HKDF, RFC 5869, with SHA-256). Every message is sealed with AES-256-GCM (RFC 5116) under a nonce that counts, so
//! that none can be repeated, left out or exchanged. Who does not have the key says nothing that is believed; until then
//! no more is read from it than a `Begin` has. No key of the fleet is kept for longer than the tunnel uses it, and what was
//! said under one is as secret as that key.

use super::room::{Room, Share};
use ::continuity::handover::{Malformed, Message};
use ::continuity::{Key, KeyId, KeyRing, SiteNumber};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAGIC: [u8; 4] = *b"CMHO";
const VERSION: u8 = 1;
const HELLO: usize = 8;
const RANDOM: usize = 32;

/// Octets that are taken from the socket at once: memory grows with what arrives, not with what is announced.
const PIECE: usize = 64 << 10;

/// Why nothing more is heard from the other site.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the connection between the sites: {0}")]
    Io(#[from] io::Error),
    #[error("it speaks another version")]
    Version,
    #[error("it means another site than this one, or is another one than it says")]
    Stranger,
    #[error("it seals with a key that this site does not know")]
    Key,
    #[error("what it says is not sealed by a site of the fleet")]
    Seal,
    #[error("what it says cannot be read: {0}")]
    Malformed(#[from] Malformed),
    #[error("it says what has no place here")]
    Order,
}

/// The two ends, as they call themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) giver: SiteNumber,
    pub(super) taker: SiteNumber,
}

/// One direction.
struct Direction {
    key: LessSafeKey,
    /// Messages that were sealed with it.
    count: u64,
}

impl Direction {
    fn nonce(&mut self) -> Nonce {
        let mut octets = [0; 12];
        octets[4..].copy_from_slice(&self.count.to_be_bytes());
        self.count += 1;
        Nonce::assume_unique_for_key(octets)
    }
}

/// A way to another site.
pub(super) struct Channel {
    stream: TcpStream,
    sends: Direction,
    hears: Direction,
}

impl Channel {
    /// Begins to speak as the giver.
    pub(super) async fn begin(mut stream: TcpStream, ends: Ends, ring: &KeyRing) -> Result<Self, Fault> {
        let id = ring.sending();
        let key = ring.get(id).ok_or(Fault::Key)?;
        let mut hello = [0; HELLO];
        hello[..4].copy_from_slice(&MAGIC);
        hello[4..].copy_from_slice(&[VERSION, id.get(), ends.giver.get(), ends.taker.get()]);
        let ours: [u8; RANDOM] = rand::random();
        stream.write_all(&[&hello[..], &ours].concat()).await?;
        let mut theirs = [0; RANDOM];
        stream.read_exact(&mut theirs).await?;
        let (sends, hears) = directions(key, &hello, &ours, &theirs)?;
        let mut channel = Channel { stream, sends, hears };
        channel.say(&Message::Begin).await?;
        channel.expect_begin().await?;
        Ok(channel)
    }

    /// Hears who begins as a giver. `may_be` says whether the number is that of the site at the other end.
    pub(super) async fn hear_out(
        mut stream: TcpStream,
        here: SiteNumber,
        ring: &KeyRing,
        may_be: impl Fn(SiteNumber) -> bool,
    ) -> Result<Self, Fault> {
        let mut hello = [0; HELLO];
        stream.read_exact(&mut hello).await?;
        let mut theirs = [0; RANDOM];
        stream.read_exact(&mut theirs).await?;
        let [m, a, g, i, version, id, giver, taker] = hello;
        if [m, a, g, i] != MAGIC || version != VERSION {
            return Err(Fault::Version);
        }
        if taker != here.get() || !SiteNumber::try_from(giver).is_ok_and(may_be) {
            return Err(Fault::Stranger);
        }
        let id = KeyId::ALL.get(usize::from(id)).ok_or(Fault::Key)?;
        let key = ring.get(*id).ok_or(Fault::Key)?;
        let ours: [u8; RANDOM] = rand::random();
        stream.write_all(&ours).await?;
        let (hears, sends) = directions(key, &hello, &theirs, &ours)?;
        let mut channel = Channel { stream, sends, hears };
        channel.expect_begin().await?;
        channel.say(&Message::Begin).await?;
        Ok(channel)
    }

    async fn expect_begin(&mut self) -> Result<(), Fault> {
        match self.hear().await? {
            Message::Begin => Ok(()),
            _ => Err(Fault::Order),
        }
    }

    /// Says one message.
    pub(super) async fn say(&mut self, message: &Message) -> Result<(), Fault> {
        let mut octets = message.encode();
        let nonce = self.sends.nonce();
        self.sends.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut octets).map_err(|_| Fault::Seal)?;
        let length = u32::try_from(octets.len()).map_err(|_| Fault::Malformed(Malformed::TooLong))?;
        octets.splice(..0, length.to_be_bytes());
        Ok(self.stream.write_all(&octets).await?)
    }

    /// Hears the next message, which has no connection in it.
    pub(super) async fn hear(&mut self) -> Result<Message, Fault> {
        let length = self.hear_length(Message::SHORT).await?;
        self.hear_whole(length).await
    }

    /// Waits until a message begins; answers how many octets it has, however many a message may have.
    pub(super) async fn announced(&mut self) -> Result<usize, Fault> {
        self.hear_length(Message::LONGEST).await
    }

    async fn hear_length(&mut self, longest: usize) -> Result<usize, Fault> {
        let length = usize::try_from(self.stream.read_u32().await?).unwrap_or(usize::MAX);
        let is_possible = length <= longest + AES_256_GCM.tag_len();
        if is_possible { Ok(length) } else { Err(Fault::Malformed(Malformed::TooLong)) }
    }

    /// Hears the message that has begun, once there is room for it; it has the room for as long as the share is kept.
    pub(super) async fn hear_in(&mut self, room: &Room, length: usize) -> Result<(Message, Share), Fault> {
        let share = room.wait_for(length).await.ok_or(Fault::Malformed(Malformed::TooLong))?;
        Ok((self.hear_whole(length).await?, share))
    }

    async fn hear_whole(&mut self, length: usize) -> Result<Message, Fault> {
        let mut octets = Vec::new();
        while octets.len() < length {
            let piece = PIECE.min(length - octets.len());
            let begin = octets.len();
            octets.resize(begin + piece, 0);
            self.stream.read_exact(&mut octets[begin..]).await?;
        }
        let nonce = self.hears.nonce();
        let message =
            self.hears.key.open_in_place(nonce, Aad::empty(), &mut octets).map_err(|_| Fault::Seal)?;
        Ok(Message::decode(message)?)
    }
}

/// The giver's direction and the taker's.
fn directions(
    key: Key,
    hello: &[u8; HELLO],
    giver: &[u8; RANDOM],
    taker: &[u8; RANDOM],
) -> Result<(Direction, Direction), Fault> {
    let secret = Salt::new(HKDF_SHA256, &[&giver[..], taker].concat()).extract(&key.octets());
    let direction = |name: &[u8]| {
        let info = [hello, name];
        let expanded = secret.expand(&info, &AES_256_GCM).map_err(|_| Fault::Seal)?;
        Ok::<_, Fault>(Direction { key: LessSafeKey::new(UnboundKey::from(expanded)), count: 0 })
    };
    Ok((direction(b"catchment handover, from the giver")?, direction(b"catchment handover, from the taker")?))
}

#[cfg(test)]
mod tests;
