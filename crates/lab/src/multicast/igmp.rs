//! IGMP on the wire (RFC 3376, 2236, 1112): what hosts say of the groups that they want, and the question to them.
//! Whatever comes is read or refused; nothing of it is believed for longer than a timer.

use std::net::Ipv4Addr;

/// Everybody on a link: where a general question goes.
pub const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// Every router on a link: where IGMPv2 says that it leaves.
pub const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// Where reports of IGMPv3 go.
pub const REPORTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);

/// Records that are read of one report: as many as a packet of 1500 octets can hold, and a few more.
pub const MOST_RECORDS: usize = 192;

const QUERY: u8 = 0x11;
const V1_REPORT: u8 = 0x12;
const V2_REPORT: u8 = 0x16;
const V2_LEAVE: u8 = 0x17;
const V3_REPORT: u8 = 0x22;

/// What a host says about one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The group.
    pub group: Ipv4Addr,
    /// Whether it wants what is sent to it. Sources are not told apart: who wants some of them wants the group.
    pub wanted: bool,
}

/// What the kernel or a host tells a multicast router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The kernel has a packet for a group and does not know where to send it.
    Unresolved {
        /// Who sent it.
        source: Ipv4Addr,
        /// The group.
        group: Ipv4Addr,
        /// The multicast router's number of the interface that it came in by.
        interface: u16,
    },
    /// A host says what it wants.
    Report(Vec<Change>),
    /// What a multicast router has no use for: another one's question, or a message of the kernel about other things.
    Other,
}

/// Why a packet is no IGMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends before it should.
    #[error("it ends early")]
    Short,
    /// It is no packet of IPv4 with IGMP inside.
    #[error("it is no IGMP in IPv4")]
    NoIgmp,
    /// Its sum is wrong.
    #[error("its sum is wrong")]
    Sum,
    /// It names a group that is none.
    #[error("{0} is no group")]
    NoGroup(Ipv4Addr),
    /// It has more records than one packet can have.
    #[error("it has {0} records")]
    Records(usize),
}

/// Reads what a raw socket of a multicast router hands over: a packet from its IPv4 header on, or a message of the kernel
/// (`struct igmpmsg` of linux/mroute.h), which has a zero where a packet has its protocol.
pub fn read(packet: &[u8]) -> Result<Heard, Malformed> {
    const SHORTEST: usize = 20;
    const IGMP: u8 = 2;
    let header = packet.get(..SHORTEST).ok_or(Malformed::Short)?;
    if header[9] == 0 {
        return Ok(asked(header));
    }
    let length = usize::from(header[0] & 0xf) * 4;
    if header[0] >> 4 != 4 || length < SHORTEST || header[9] != IGMP {
        return Err(Malformed::NoIgmp);
    }
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    message(packet.get(length..total).ok_or(Malformed::Short)?)
}

/// The kernel's question what to do with a packet; other messages of it are of no use.
fn asked(header: &[u8]) -> Heard {
    const NO_CACHE: u8 = 1;
    if header[8] != NO_CACHE {
        return Heard::Other;
    }
    let interface = u16::from_le_bytes([header[10], header[11]]);
    Heard::Unresolved { source: address(&header[12..16]), group: address(&header[16..20]), interface }
}

fn message(message: &[u8]) -> Result<Heard, Malformed> {
    let [kind, .., a, b, c, d] = *message.get(..8).ok_or(Malformed::Short)? else {
        return Err(Malformed::Short);
    };
    if sum(message) != 0 {
        return Err(Malformed::Sum);
    }
    let wanted = |wanted| Ok(Heard::Report(vec![Change { group: group(&[a, b, c, d])?, wanted }]));
    match kind {
        V1_REPORT | V2_REPORT => wanted(true),
        V2_LEAVE => wanted(false),
        V3_REPORT => records(message),
        QUERY => Ok(Heard::Other),
        _ => Ok(Heard::Other),
    }
}

/// The records of a report of IGMPv3 (RFC 3376 section 4.2).
fn records(message: &[u8]) -> Result<Heard, Malformed> {
    let count = usize::from(u16::from_be_bytes([message[6], message[7]]));
    if count > MOST_RECORDS {
        return Err(Malformed::Records(count));
    }
    let mut rest = &message[8..];
    let mut changes = Vec::with_capacity(count);
    for _ in 0..count {
        let head = rest.get(..8).ok_or(Malformed::Short)?;
        let sources = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let group = group(&head[4..8])?;
        changes.extend(wanted(head[0], sources).map(|wanted| Change { group, wanted }));
        let length = 8 + 4 * sources + 4 * usize::from(head[1]);
        rest = rest.get(length..).ok_or(Malformed::Short)?;
    }
    Ok(Heard::Report(changes))
}

/// What a record of this kind, with so many sources, says; none where it leaves things as they are.
fn wanted(kind: u8, sources: usize) -> Option<bool> {
    const IS_INCLUDE: u8 = 1;
    const IS_EXCLUDE: u8 = 2;
    const TO_INCLUDE: u8 = 3;
    const TO_EXCLUDE: u8 = 4;
    const ALLOW: u8 = 5;
    match kind {
        IS_EXCLUDE | TO_EXCLUDE => Some(true),
        IS_INCLUDE | TO_INCLUDE => Some(sources > 0),
        ALLOW => Some(true),
        // One that blocks sources stays a member; unknown kinds are passed over (RFC 3376 section 4.2.12).
        _ => None,
    }
}

/// The question who is a member: of any group, or of one (RFC 3376 section 4.1). `patience_ms` is within which a host
/// answers, at most 12.7 s.
pub fn query(group: Option<Ipv4Addr>, patience_ms: u16) -> [u8; 12] {
    /// The querier's robustness variable, which hosts take over.
    const ROBUSTNESS: u8 = 2;
    const INTERVAL_SECONDS: u8 = 5;
    let tenths = u8::try_from(patience_ms / 100).unwrap_or(127).clamp(1, 127);
    let [a, b, c, d] = group.unwrap_or(Ipv4Addr::UNSPECIFIED).octets();
    let mut message = [QUERY, tenths, 0, 0, a, b, c, d, ROBUSTNESS, INTERVAL_SECONDS, 0, 0];
    let [high, low] = sum(&message).to_be_bytes();
    (message[2], message[3]) = (high, low);
    message
}

/// The Internet checksum (RFC 1071): zero over a message that has it in it.
fn sum(message: &[u8]) -> u16 {
    let words = message.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn address(octets: &[u8]) -> Ipv4Addr {
    <[u8; 4]>::try_from(octets).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from)
}

fn group(octets: &[u8]) -> Result<Ipv4Addr, Malformed> {
    let group = address(octets);
    if group.is_multicast() { Ok(group) } else { Err(Malformed::NoGroup(group)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 18, 0, 7);

    /// A message of IGMP with its sum, in a packet with Router Alert.
    fn packet(mut message: Vec<u8>) -> Vec<u8> {
        message[2..4].fill(0);
        let [high, low] = sum(&message).to_be_bytes();
        (message[2], message[3]) = (high, low);
        let total = u16::try_from(24 + message.len()).unwrap().to_be_bytes();
        let mut packet = vec![0x46, 0xc0, total[0], total[1], 0, 0, 0, 0, 1, 2, 0, 0];
        packet.extend([10, 1, 0, 18, 224, 0, 0, 22, 148, 4, 0, 0]);
        packet.extend(message);
        packet
    }

    fn v3(records: &[(u8, u8, usize, Ipv4Addr)]) -> Vec<u8> {
        let count = u16::try_from(records.len()).unwrap().to_be_bytes();
        let mut message = vec![V3_REPORT, 0, 0, 0, 0, 0, count[0], count[1]];
        for (kind, auxiliary, sources, group) in records {
            let number = u16::try_from(*sources).unwrap().to_be_bytes();
            message.extend([*kind, *auxiliary, number[0], number[1]]);
            message.extend(group.octets());
            message.extend(vec![7; 4 * sources + 4 * usize::from(*auxiliary)]);
        }
        message
    }

    fn said(message: Vec<u8>) -> Vec<(Ipv4Addr, bool)> {
        match read(&packet(message)).unwrap() {
            Heard::Report(changes) => changes.iter().map(|change| (change.group, change.wanted)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_version_says_who_wants_what() {
        let [a, b, c, d] = GROUP.octets();
        for (kind, wanted) in [(V1_REPORT, true), (V2_REPORT, true), (V2_LEAVE, false)] {
            assert_eq!(said(vec![kind, 0, 0, 0, a, b, c, d]), [(GROUP, wanted)], "{kind:#x}");
        }
        let other = Ipv4Addr::new(239, 0, 0, 1);
        for (kind, sources, wanted) in [
            (1, 0, Some(false)),
            (1, 2, Some(true)),
            (2, 0, Some(true)),
            (3, 0, Some(false)),
            (3, 1, Some(true)),
            (4, 0, Some(true)),
            (5, 1, Some(true)),
            (6, 1, None),
            (99, 0, None),
        ] {
            let heard = said(v3(&[(kind, 1, sources, other), (4, 0, 0, GROUP)]));
            let expected: Vec<_> = wanted.map(|wanted| (other, wanted)).into_iter().collect();
            assert_eq!(heard, [expected, vec![(GROUP, true)]].concat(), "kind {kind}, {sources} sources");
        }
    }

    #[test]
    fn what_is_broken_is_refused() {
        let good = packet(v3(&[(4, 0, 0, GROUP)]));
        for end in 0..good.len() {
            assert!(read(&good[..end]).is_err(), "{end} octets");
        }
        let mut wrong = good.clone();
        wrong[35] ^= 1;
        assert_eq!(read(&wrong), Err(Malformed::Sum));
        let mut lying = v3(&[(4, 0, 0, GROUP)]);
        (lying[6], lying[7]) = (0xff, 0xff);
        assert_eq!(read(&packet(lying)), Err(Malformed::Records(0xffff)));
        let mut lying = v3(&[(4, 0, 0, GROUP)]);
        lying[7] = 2;
        assert_eq!(read(&packet(lying)), Err(Malformed::Short));
        let no_group = Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(read(&packet(v3(&[(4, 0, 0, no_group)]))), Err(Malformed::NoGroup(no_group)));
    }

    #[test]
    fn the_kernel_asks_about_a_packet() {
        let mut message = [0; 20];
        (message[8], message[10]) = (1, 3);
        message[12..16].copy_from_slice(&[10, 1, 0, 18]);
        message[16..20].copy_from_slice(&GROUP.octets());
        let source = Ipv4Addr::new(10, 1, 0, 18);
        assert_eq!(read(&message), Ok(Heard::Unresolved { source, group: GROUP, interface: 3 }));
        message[8] = 2;
        assert_eq!(read(&message), Ok(Heard::Other));
    }

    #[test]
    fn a_question_is_one_that_hosts_understand() {
        assert_eq!(query(Some(GROUP), 500)[..2], [0x11, 5]);
        assert_eq!(query(Some(GROUP), 500)[4..8], GROUP.octets());
        assert_eq!(sum(&query(None, 1000)), 0);
        assert_eq!(read(&packet(query(None, 1000).to_vec())), Ok(Heard::Other));
    }

    proptest! {
        #[test]
        fn no_octets_make_the_reader_panic_or_keep_more_than_a_packet_holds(octets: Vec<u8>) {
            if let Ok(Heard::Report(changes)) = read(&octets) {
                prop_assert!(changes.len() <= MOST_RECORDS);
            }
        }

        #[test]
        fn a_damaged_report_says_nothing_else_than_a_whole_one(
            records in proptest::collection::vec((1u8..8, 0u8..3, 0usize..4, 0u8..4), 0..8),
            at: prop::sample::Index,
            bit in 0u8..8,
        ) {
            let records: Vec<_> = records
                .into_iter()
                .map(|(kind, auxiliary, sources, last)| (kind, auxiliary, sources, Ipv4Addr::new(239, 0, 0, last)))
                .collect();
            let whole = packet(v3(&records));
            prop_assert!(read(&whole).is_ok());
            let mut damaged = whole.clone();
            // The header has a sum of its own, which the kernel has looked at.
            let place = 24 + at.index(whole.len() - 24);
            damaged[place] ^= 1 << bit;
            prop_assert_eq!(read(&damaged), Err(Malformed::Sum));
        }
    }
}
