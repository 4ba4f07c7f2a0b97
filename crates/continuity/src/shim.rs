//! The eight octets between the outer UDP header and the packet that is forwarded.
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  +---------------+---+-----------+---+-----------+-----------+---+
//!  |  Magic (202)  |Key|  Origin   |Mor|  Second   |   Third   | 0 |
//!  +---------------+---+-----------+---+-----------+-----------+---+
//!  |                              Tag                              |
//!  +---------------------------------------------------------------+
//! ```
//!
//! *Origin* is the site that took the packet from its client; *More* (0 to 2) says how many of *Second* and *Third* are
//! sites that had it after that; the others are zero. So a packet names every site that it has visited, three of 64 at
//! most, and none twice: it cannot go round in a circle, and it cannot go far.
//!
//! *Tag* is the low half of SipHash-2-4, under the key that *Key* names, of the first four octets and of the flow of the
//! packet behind them ([`Flow::octets`]). The tag proves that a site of the fleet has sent the packet. It is 32 bits long:
//! a stranger who also forges a site's address gets one packet in four billion through, to a service that anybody may send
//! packets to anyway.

use crate::{Flow, KeyId, KeyRing, SiteNumber};

/// The first octet.
const MAGIC: u32 = 0xca;

/// The sites that a packet has visited, in their order: one to three, none twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visited {
    /// The site that took the packet from its client.
    One(SiteNumber),
    /// And one more.
    Two(SiteNumber, SiteNumber),
    /// And another one; there is no room for a fourth.
    Three(SiteNumber, SiteNumber, SiteNumber),
}

impl Visited {
    /// The site that took the packet from its client.
    pub fn origin(self) -> SiteNumber {
        match self {
            Visited::One(origin) | Visited::Two(origin, _) | Visited::Three(origin, _, _) => origin,
        }
    }

    /// The site that has sent it.
    pub fn last(self) -> SiteNumber {
        match self {
            Visited::One(last) | Visited::Two(_, last) | Visited::Three(_, _, last) => last,
        }
    }

    /// Whether the site is one of them.
    pub fn contains(self, site: SiteNumber) -> bool {
        match self {
            Visited::One(first) => site == first,
            Visited::Two(first, second) => site == first || site == second,
            Visited::Three(first, second, third) => [first, second, third].contains(&site),
        }
    }

    /// After a visit to one more; none if it was there before, or if there is no room.
    #[must_use]
    pub fn and(self, site: SiteNumber) -> Option<Visited> {
        match self {
            _ if self.contains(site) => None,
            Visited::One(first) => Some(Visited::Two(first, site)),
            Visited::Two(first, second) => Some(Visited::Three(first, second, site)),
            Visited::Three(..) => None,
        }
    }

    /// *Origin*, *More*, *Second* and *Third* at their places.
    fn bits(self) -> u32 {
        let site = |site: SiteNumber, place: u32| u32::from(site.get()) << place;
        match self {
            Visited::One(first) => site(first, 16),
            Visited::Two(first, second) => site(first, 16) | 1 << 14 | site(second, 8),
            Visited::Three(first, second, third) => {
                site(first, 16) | 2 << 14 | site(second, 8) | site(third, 2)
            }
        }
    }

    fn of_bits(word: u32) -> Result<Self, Fault> {
        let [first, second, third] = [16, 8, 2].map(|place| SiteNumber::of_low_bits(word >> place));
        let visited = match word >> 14 & 3 {
            0 => Some(Visited::One(first)),
            1 => Visited::One(first).and(second),
            2 => Visited::One(first).and(second).and_then(|visited| visited.and(third)),
            _ => return Err(Fault::TooMany),
        };
        visited.ok_or(Fault::Twice)
    }
}

/// The shim of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shim {
    /// What the tag was made with.
    pub key: KeyId,
    /// The sites that had the packet.
    pub visited: Visited,
    /// The proof.
    pub tag: u32,
}

/// Why eight octets are no shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer octets.
    #[error("{0} octets are too few")]
    Truncated(usize),
    /// Something else, or a version that is not known yet.
    #[error("the first octet is {0}")]
    Magic(u8),
    /// More sites than there is room for.
    #[error("it says that it has visited four sites")]
    TooMany,
    /// A site that it names twice.
    #[error("it says that it has visited a site twice")]
    Twice,
    /// A bit that must be zero is not.
    #[error("bits that must be zero are not")]
    Reserved,
}

impl Shim {
    /// Octets of a shim.
    pub const LEN: usize = 8;

    /// Reads the shim that the octets begin with.
    pub fn decode(octets: &[u8]) -> Result<Shim, Fault> {
        let Some((octets, _)) = octets.split_first_chunk::<{ Self::LEN }>() else {
            return Err(Fault::Truncated(octets.len()));
        };
        let [head, tail] = [&octets[..4], &octets[4..]]
            .map(|half| half.iter().fold(0, |word, octet| word << 8 | u32::from(*octet)));
        if head >> 24 != MAGIC {
            return Err(Fault::Magic(octets[0]));
        }
        let visited = Visited::of_bits(head)?;
        let key = KeyId::of_low_bits(head >> 22);
        // What it does not say, it leaves zero.
        if head_of(key, visited) != head {
            return Err(Fault::Reserved);
        }
        Ok(Shim { key, visited, tag: tail })
    }

    /// The octets.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let word = u64::from(head_of(self.key, self.visited)) << 32 | u64::from(self.tag);
        word.to_be_bytes()
    }

    /// The shim of a packet of this flow, tagged with the key that the ring sends with.
    pub fn sign(visited: Visited, flow: &Flow, keys: &KeyRing) -> Shim {
        let key = keys.sending();
        let tag = keys.tag(key, &signed(key, visited, flow)).unwrap_or_default();
        Shim { key, visited, tag }
    }

    /// Whether a site with one of these keys has sent it with a packet of this flow.
    pub fn is_good(&self, flow: &Flow, keys: &KeyRing) -> bool {
        keys.tag(self.key, &signed(self.key, self.visited, flow)) == Some(self.tag)
    }
}

fn head_of(key: KeyId, visited: Visited) -> u32 {
    MAGIC << 24 | u32::from(key.get()) << 22 | visited.bits()
}

/// What the tag is made of.
fn signed(key: KeyId, visited: Visited, flow: &Flow) -> [u8; 4 + Flow::LEN] {
    let mut octets = [0; 4 + Flow::LEN];
    octets[..4].copy_from_slice(&head_of(key, visited).to_be_bytes());
    octets[4..].copy_from_slice(&flow.octets());
    octets
}
