//! What the two sites say to each other. Each message is sealed by whoever carries it.

use super::dump::{Dump, Malformed, Reader};

/// Why a site does not take a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// No service there takes connections of this address and port.
    NoService,
    /// Its kernel cannot make the socket.
    Kernel,
    /// Its service does not want it, or is not there any more.
    Service,
    /// Too much waits there already that never left another kernel.
    NoRoom,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first of each end: it has the key.
    Begin,
    /// A connection, as its kernel has known it.
    Offer {
        /// What its service knows beside it, in the service's own words.
        state: Vec<u8>,
        /// What its kernel knows.
        dump: Dump,
    },
    /// The connection that was offered is there, and waits.
    Accepted,
    /// It is not.
    Refused(Refusal),
    /// The connection is the taker's.
    Released,
    /// It stays the giver's.
    Withdrawn,
}

impl Message {
    /// Octets of the longest state that a service may give along.
    pub const MOST_STATE: usize = 64 << 10;

    /// Octets of the longest message.
    pub const LONGEST: usize = 5 + Self::MOST_STATE + Dump::LONGEST;

    /// Octets of the longest that has no connection in it.
    pub const SHORT: usize = 2;

    /// The octets.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Message::Begin => vec![1],
            Message::Offer { state, dump } => {
                let queued = dump.sent.octets.len() + dump.received.octets.len();
                let around = Self::LONGEST - Self::MOST_STATE - Dump::MOST_QUEUED;
                let mut octets = Vec::with_capacity(around + state.len() + queued);
                octets.push(2);
                // Nobody makes a state longer than MOST_STATE, and whoever does is not understood.
                octets.extend(u32::try_from(state.len()).unwrap_or(u32::MAX).to_be_bytes());
                octets.extend(state);
                dump.encode(&mut octets);
                octets
            }
            Message::Accepted => vec![3],
            Message::Refused(Refusal::NoService) => vec![4, 1],
            Message::Refused(Refusal::Kernel) => vec![4, 2],
            Message::Refused(Refusal::Service) => vec![4, 3],
            Message::Refused(Refusal::NoRoom) => vec![4, 4],
            Message::Released => vec![5],
            Message::Withdrawn => vec![6],
        }
    }

    /// Reads a message, all of it.
    pub fn decode(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(octets);
        let message = match reader.octet()? {
            1 => Message::Begin,
            2 => {
                let state = reader.counted(Self::MOST_STATE)?;
                Message::Offer { state, dump: Dump::read(&mut reader)? }
            }
            3 => Message::Accepted,
            4 => Message::Refused(match reader.octet()? {
                1 => Refusal::NoService,
                2 => Refusal::Kernel,
                3 => Refusal::Service,
                4 => Refusal::NoRoom,
                _ => return Err(Malformed::Unknown),
            }),
            5 => Message::Released,
            6 => Message::Withdrawn,
            _ => return Err(Malformed::Unknown),
        };
        reader.end()?;
        Ok(message)
    }
}
