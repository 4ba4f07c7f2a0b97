//! Records of the DNS, outside of any message.

use crate::{DomainName, RecordType};

/// A record of class IN as it is in a zone: nothing in it is compressed (RFC 1035 section 3.2.1).
///
/// Order is by owner in canonical order (RFC 4034 section 6.1), type, TTL and octets of the data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Whose it is.
    pub owner: DomainName,
    /// What it is.
    pub kind: RecordType,
    /// How long it may be kept, seconds.
    pub ttl: u32,
    /// What it says: at most 65535 octets.
    pub data: Box<[u8]>,
}

/// What an SOA record says about how its zone is kept current (RFC 1035 section 3.3.13). Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The version of the zone (RFC 1982).
    pub serial: u32,
    /// From one question for a newer version to the next.
    pub refresh: u32,
    /// The same after one that failed.
    pub retry: u32,
    /// How long the zone may be served without an answer.
    pub expire: u32,
}

impl Authority {
    /// Reads the data of an SOA record; none where it is too short.
    pub fn of(data: &[u8]) -> Option<Authority> {
        let numbers = data.last_chunk::<20>()?;
        let number =
            |index: usize| numbers[4 * index..].first_chunk().map_or(0, |&number| u32::from_be_bytes(number));
        Some(Authority { serial: number(0), refresh: number(1), retry: number(2), expire: number(3) })
    }

    /// Whether a serial number is newer than another (RFC 1982 section 3.2). Of two that are 2^31 apart neither is.
    pub fn is_newer(serial: u32, than: u32) -> bool {
        let ahead = serial.wrapping_sub(than);
        ahead != 0 && ahead < 1 << 31
    }
}

/// Where names are in the data of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesInData {
    /// Nowhere, or where they are never compressed.
    None,
    /// So many names, one after the other, behind so many octets.
    After {
        /// Octets before the first name.
        octets: usize,
        /// How many names.
        names: usize,
    },
    /// One name behind so many octets and so many texts, each with its length in front.
    AfterTexts {
        /// Octets before the first text.
        octets: usize,
        /// How many texts.
        texts: usize,
    },
}

impl NamesInData {
    /// The types whose names may come compressed, or are in lower case in canonical form: RFC 3597 section 4 and RFC
    /// 4034 section 6.2, without NSEC (RFC 6840 section 5.1).
    pub fn of(kind: RecordType) -> NamesInData {
        let after = |octets, names| NamesInData::After { octets, names };
        match kind.get() {
            // NS, MD, MF, CNAME, MB, MG, MR, PTR, NXT, DNAME
            2..=5 | 7..=9 | 12 | 30 | 39 => after(0, 1),
            // SOA, MINFO, RP
            6 | 14 | 17 => after(0, 2),
            // MX, AFSDB, RT, KX
            15 | 18 | 21 | 36 => after(2, 1),
            // PX
            26 => after(2, 2),
            // SRV
            33 => after(6, 1),
            // SIG, RRSIG
            24 | 46 => after(18, 1),
            // NAPTR
            35 => NamesInData::AfterTexts { octets: 4, texts: 3 },
            _ => NamesInData::None,
        }
    }

    /// Octets before the first name in this data; none where there is no name.
    pub fn begin(self, data: &[u8]) -> Option<usize> {
        match self {
            NamesInData::None => None,
            NamesInData::After { octets, .. } => Some(octets),
            NamesInData::AfterTexts { octets, texts } => Some(
                (0..texts)
                    .fold(octets, |at, _| at + 1 + data.get(at).map_or(0, |&length| usize::from(length))),
            ),
        }
    }

    /// The data with its names in lower case, as the canonical form has it (RFC 4034 section 6.2).
    pub fn canonical(self, data: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        let mut at = self.begin(&data).unwrap_or(0);
        for _ in 0..self.count() {
            while let Some(&length @ 1..) = data.get(at) {
                let end = data.len().min(at + 1 + usize::from(length));
                data[at + 1..end].make_ascii_lowercase();
                at = end;
            }
            at += 1;
        }
        data
    }

    /// How many names there are.
    pub fn count(self) -> usize {
        match self {
            NamesInData::None => 0,
            NamesInData::After { names, .. } => names,
            NamesInData::AfterTexts { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_go_round() {
        for (newer, older) in [(1, 0), (0, u32::MAX), (1 << 31, 1), (5, u32::MAX - 5)] {
            assert!(Authority::is_newer(newer, older), "{newer} {older}");
            assert!(!Authority::is_newer(older, newer), "{older} {newer}");
        }
        assert!(!Authority::is_newer(7, 7));
        assert!(!Authority::is_newer(1 << 31, 0) && !Authority::is_newer(0, 1 << 31));
    }

    #[test]
    fn timers_are_the_end_of_the_data() {
        let numbers: Vec<u8> =
            [7u32, 3600, 900, 604_800, 300].into_iter().flat_map(u32::to_be_bytes).collect();
        let data = [&[0, 0][..], &numbers].concat();
        let authority = Authority { serial: 7, refresh: 3600, retry: 900, expire: 604_800 };
        assert_eq!(Authority::of(&data), Some(authority));
        assert_eq!(Authority::of(&numbers[1..]), None);
    }

    #[test]
    fn the_name_of_a_naptr_is_behind_its_texts() {
        let data = b"\0\x01\0\x02\x01u\x07E2U+sip\x03abc\x01a\0";
        let names = NamesInData::of(RecordType::NAPTR);
        assert_eq!(names.begin(data), Some(4 + 2 + 8 + 4));
        assert_eq!(names.begin(&[0; 3]), Some(7), "beyond the end, where whoever reads finds nothing");
    }
}
