//! The control packet (RFC 5880 section 4.1).
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//!  |                       My Discriminator                        |
//!  |                      Your Discriminator                       |
//!  |                    Desired Min TX Interval                    |
//!  |                   Required Min RX Interval                    |
//!  |                 Required Min Echo RX Interval                 |
//! ```

use crate::session::StateName;
use crate::{Diagnostic, Interval};
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU8, NonZeroU32};

/// The only version (RFC 5880 section 4.1).
const VERSION: u8 = 1;
const POLL: u8 = 1 << 5;
const FINAL: u8 = 1 << 4;
const CONTROL_PLANE_INDEPENDENT: u8 = 1 << 3;
const AUTHENTICATED: u8 = 1 << 2;
const DEMAND: u8 = 1 << 1;
const MULTIPOINT: u8 = 1;

/// One end's name for a session; no two sessions of that end share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Discriminator(pub NonZeroU32);

/// A control packet that RFC 5880 section 6.8.6 does not have discarded before its session is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Why the sender's session went down last.
    pub diagnostic: Diagnostic,
    /// Where the sender's session is.
    pub state: StateName,
    /// An answer is wanted at once (section 6.5).
    pub poll: bool,
    /// This is the answer.
    pub r#final: bool,
    /// The sender's forwarding goes on when its control plane restarts.
    pub control_plane_independent: bool,
    /// The sender needs no periodic packets while both ends are up (section 6.6).
    pub demand: bool,
    /// So many missing packets in a row make the sender's session dead.
    pub multiplier: NonZeroU8,
    /// The sender's name for the session.
    pub my_discriminator: Discriminator,
    /// The receiver's name for it; none while the sender has not heard it.
    pub your_discriminator: Option<Discriminator>,
    /// The sender will not send faster than that.
    pub desired_min_tx: Interval,
    /// The sender cannot take packets faster than that; zero: it wants no periodic packets.
    pub required_min_rx: Interval,
    /// The same for echo packets; zero: it sends none back.
    pub required_min_echo_rx: Interval,
}

/// Why a datagram is no packet for any session (RFC 5880 section 6.8.6). It is discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer octets than the mandatory section, or than the length field says.
    #[error("{0} octets are too few")]
    Truncated(usize),
    /// Another version.
    #[error("version {0} is unknown")]
    Version(u8),
    /// A length field below the mandatory section.
    #[error("a length of {0} is too short")]
    Length(u8),
    /// A detection multiplier of zero.
    #[error("the detection multiplier is zero")]
    Multiplier,
    /// The multipoint bit.
    #[error("the multipoint bit is set")]
    Multipoint,
    /// The sender does not name its session.
    #[error("the sender's discriminator is zero")]
    MyDiscriminator,
    /// The receiver's session is not named although the sender must know it.
    #[error("the receiver's discriminator is zero in state {0}")]
    YourDiscriminator(StateName),
    /// Authentication, which no session of ours uses.
    #[error("it is authenticated, and no session here is")]
    Authenticated,
}

impl Packet {
    /// Octets of a packet without authentication.
    pub const LEN: usize = 24;

    /// Reads the payload of a datagram, by the rules of section 6.8.6 in their order. Octets behind the packet are
    /// not looked at.
    pub fn decode(octets: &[u8]) -> Result<Packet, Fault> {
        let Some((packet, rest)) = octets.split_first_chunk::<{ Self::LEN }>() else {
            return Err(Fault::Truncated(octets.len()));
        };
        let [first, flags, multiplier, length, ..] = *packet;
        let authenticated = flags & AUTHENTICATED != 0;
        let least = if authenticated { Self::LEN + 2 } else { Self::LEN };
        if first >> 5 != VERSION {
            return Err(Fault::Version(first >> 5));
        }
        if usize::from(length) < least {
            return Err(Fault::Length(length));
        }
        if usize::from(length) > Self::LEN + rest.len() {
            return Err(Fault::Truncated(octets.len()));
        }
        let multiplier = NonZeroU8::new(multiplier).ok_or(Fault::Multiplier)?;
        if flags & MULTIPOINT != 0 {
            return Err(Fault::Multipoint);
        }
        let [_, mine, yours, desired, required, echo] = words(packet);
        let state = StateName::of_bits(flags >> 6);
        let my_discriminator = NonZeroU32::new(mine).map(Discriminator).ok_or(Fault::MyDiscriminator)?;
        let your_discriminator = NonZeroU32::new(yours).map(Discriminator);
        if your_discriminator.is_none() && !matches!(state, StateName::Down | StateName::AdminDown) {
            return Err(Fault::YourDiscriminator(state));
        }
        if authenticated {
            return Err(Fault::Authenticated);
        }
        Ok(Packet {
            diagnostic: Diagnostic::of_first_octet(first),
            state,
            poll: flags & POLL != 0,
            r#final: flags & FINAL != 0,
            control_plane_independent: flags & CONTROL_PLANE_INDEPENDENT != 0,
            demand: flags & DEMAND != 0,
            multiplier,
            my_discriminator,
            your_discriminator,
            desired_min_tx: Interval::from_micros(desired),
            required_min_rx: Interval::from_micros(required),
            required_min_echo_rx: Interval::from_micros(echo),
        })
    }

    /// The payload of a datagram.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = self.state.bits() << 6
            | bit(self.poll, POLL)
            | bit(self.r#final, FINAL)
            | bit(self.control_plane_independent, CONTROL_PLANE_INDEPENDENT)
            | bit(self.demand, DEMAND);
        let head = [VERSION << 5 | self.diagnostic.code(), flags, self.multiplier.get(), Self::LEN as u8];
        let words = [
            u32::from_be_bytes(head),
            self.my_discriminator.0.get(),
            self.your_discriminator.map_or(0, |yours| yours.0.get()),
            self.desired_min_tx.as_micros(),
            self.required_min_rx.as_micros(),
            self.required_min_echo_rx.as_micros(),
        ];
        let mut octets = [0; Self::LEN];
        for (place, word) in octets.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_be_bytes();
        }
        octets
    }
}

/// The packet as numbers of four octets.
fn words(octets: &[u8; Packet::LEN]) -> [u32; 6] {
    let mut words = [0; 6];
    for (word, place) in words.iter_mut().zip(octets.as_chunks().0) {
        *word = u32::from_be_bytes(*place);
    }
    words
}
