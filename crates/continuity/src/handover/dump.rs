//! A connection, as a kernel has known it, and its octets.
//!
//! ```text
//!   version 1 | family 4 or 6 | service's address, port | client's address, port
//!   segment size | flags | scales: theirs, ours | timestamp | window: five numbers
//!   unsent | sent: next, length, octets | received: next, length, octets
//! ```
//! Every number is in network order. What a flag does not announce is zero, and nothing follows.

use crate::Flow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const VERSION: u8 = 1;
const HAS_SCALES: u8 = 1;
const IS_SELECTIVE: u8 = 2;
const HAS_TIMESTAMP: u8 = 4;

/// Bits by which a window may be scaled (RFC 7323 section 2.3).
const MOST_SCALE: u8 = 14;

/// One direction of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The sequence number of what follows the queue.
    pub next: u32,
    /// What is in it: not acknowledged by the client yet, or not read by the service yet.
    pub octets: Vec<u8>,
}

/// The windows, as far as both ends know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The sequence number of the segment that has told the client's window last.
    pub updated_by: u32,
    /// The client's window, octets.
    pub theirs: u32,
    /// The largest that it ever was.
    pub largest: u32,
    /// Ours.
    pub ours: u32,
    /// The sequence number from which ours counts.
    pub ours_from: u32,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// The service's end.
    pub service: SocketAddr,
    /// The client's end.
    pub client: SocketAddr,
    /// The segment size that the client has named.
    pub segment_size: u16,
    /// By how many bits windows are scaled, the client's and ours; none: neither is.
    pub scales: Option<(u8, u8)>,
    /// Whether both ends acknowledge selectively.
    pub is_selective: bool,
    /// The clock of our timestamps; none: no segment has them.
    pub timestamp: Option<u32>,
    /// The windows.
    pub window: Window,
    /// What was sent.
    pub sent: Queue,
    /// So many octets at the end of the sent queue have never left.
    pub unsent: u32,
    /// What was received.
    pub received: Queue,
}

/// Why octets are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends before its end.
    #[error("it is cut short")]
    Truncated,
    /// Octets follow its end.
    #[error("octets follow its end")]
    Trailing,
    /// A kind or a version that is not known.
    #[error("its kind or its version is not known")]
    Unknown,
    /// A part is longer than it may be.
    #[error("a part of it is too long")]
    TooLong,
    /// Parts of it cannot be true together.
    #[error("it contradicts itself")]
    Contradiction,
}

impl Dump {
    /// Octets that both queues may hold together. A connection stands still while they go from one site to the other, and many
    /// go at once.
    pub const MOST_QUEUED: usize = 1 << 20;

    /// Octets of the longest.
    pub const LONGEST: usize = 2 + 2 * 18 + 2 + 1 + 2 + 4 + 5 * 4 + 4 + 2 * 8 + Self::MOST_QUEUED;

    /// The flow of the client's packets.
    pub fn flow(&self) -> Flow {
        Flow::new(self.client, self.service)
    }

    pub(super) fn encode(&self, octets: &mut Vec<u8>) {
        octets.extend([VERSION, if self.service.is_ipv4() { 4 } else { 6 }]);
        for end in [self.service, self.client] {
            match end.ip() {
                IpAddr::V4(address) => octets.extend(address.octets()),
                IpAddr::V6(address) => octets.extend(address.octets()),
            }
            octets.extend(end.port().to_be_bytes());
        }
        octets.extend(self.segment_size.to_be_bytes());
        octets.push(self.flags());
        let (theirs, ours) = self.scales.unwrap_or_default();
        octets.extend([theirs, ours]);
        let Window { updated_by, theirs, largest, ours, ours_from } = self.window;
        let numbers =
            [self.timestamp.unwrap_or_default(), updated_by, theirs, largest, ours, ours_from, self.unsent];
        octets.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
        for queue in [&self.sent, &self.received] {
            octets.extend(queue.next.to_be_bytes());
            octets.extend(u32::try_from(queue.octets.len()).unwrap_or(u32::MAX).to_be_bytes());
            octets.extend(&queue.octets);
        }
    }

    fn flags(&self) -> u8 {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        flag(self.scales.is_some(), HAS_SCALES)
            | flag(self.is_selective, IS_SELECTIVE)
            | flag(self.timestamp.is_some(), HAS_TIMESTAMP)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if reader.octet()? != VERSION {
            return Err(Malformed::Unknown);
        }
        let family = reader.octet()?;
        let (service, client) = (reader.end_of(family)?, reader.end_of(family)?);
        let segment_size = reader.short()?;
        let flags = reader.octet()?;
        let scales = (reader.octet()?, reader.octet()?);
        let timestamp = reader.number()?;
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = reader.number()?;
        }
        let [updated_by, theirs, largest, ours, ours_from, unsent] = numbers;
        let mut queue = |most| Ok(Queue { next: reader.number()?, octets: reader.counted(most)? });
        let sent = queue(Self::MOST_QUEUED)?;
        let received = queue(Self::MOST_QUEUED - sent.octets.len())?;
        let has = |flag: u8| flags & flag != 0;
        let dump = Dump {
            service,
            client,
            segment_size,
            scales: has(HAS_SCALES).then_some(scales),
            is_selective: has(IS_SELECTIVE),
            timestamp: has(HAS_TIMESTAMP).then_some(timestamp),
            window: Window { updated_by, theirs, largest, ours, ours_from },
            sent,
            unsent,
            received,
        };
        let says_what_it_has = dump.flags() == flags
            && dump.scales.unwrap_or_default() == scales
            && dump.timestamp.unwrap_or_default() == timestamp;
        let is_possible = scales.0.max(scales.1) <= MOST_SCALE
            && usize::try_from(unsent).is_ok_and(|unsent| unsent <= dump.sent.octets.len())
            && service.port() != 0
            && client.port() != 0;
        if says_what_it_has && is_possible { Ok(dump) } else { Err(Malformed::Contradiction) }
    }
}

/// Octets that are read from their beginning to their end.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Reader { rest: octets }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn octet(&mut self) -> Result<u8, Malformed> {
        self.take::<1>().map(|[octet]| octet)
    }

    fn short(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_be_bytes)
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_be_bytes)
    }

    /// A length and so many octets.
    pub(super) fn counted(&mut self, most: usize) -> Result<Vec<u8>, Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed::TooLong)?;
        if length > most {
            return Err(Malformed::TooLong);
        }
        let (octets, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(octets.to_vec())
    }

    fn end_of(&mut self, family: u8) -> Result<SocketAddr, Malformed> {
        let address = match family {
            4 => IpAddr::V4(Ipv4Addr::from(self.take::<4>()?)),
            6 => IpAddr::V6(Ipv6Addr::from(self.take::<16>()?)),
            _ => return Err(Malformed::Unknown),
        };
        Ok(SocketAddr::new(address, self.short()?))
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Trailing) }
    }
}
