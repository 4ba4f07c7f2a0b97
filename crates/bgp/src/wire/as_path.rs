//! AS_PATH and AS4_PATH: the networks a route came through (RFC 4271 section 4.3, RFC 6793).

use crate::wire::reader::Reader;
use terms::Asn;

/// Segments from the neighbour's end of the path to the origin's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsPath {
    /// None for a route of the neighbour's own AS.
    pub segments: Vec<Segment>,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// How to understand the numbers.
    pub kind: SegmentKind,
    /// 1 to 255 networks.
    pub networks: Vec<Asn>,
}

/// How to understand the numbers of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentKind {
    /// AS_SET: in no order.
    Set = 1,
    /// AS_SEQUENCE: one behind the other.
    Sequence = 2,
    /// AS_CONFED_SEQUENCE (RFC 5065).
    ConfederationSequence = 3,
    /// AS_CONFED_SET (RFC 5065).
    ConfederationSet = 4,
}

impl SegmentKind {
    fn read(number: u8) -> Option<Self> {
        match number {
            1 => Some(SegmentKind::Set),
            2 => Some(SegmentKind::Sequence),
            3 => Some(SegmentKind::ConfederationSequence),
            4 => Some(SegmentKind::ConfederationSet),
            _ => None,
        }
    }

    fn is_confederation(self) -> bool {
        match self {
            SegmentKind::Set | SegmentKind::Sequence => false,
            SegmentKind::ConfederationSequence | SegmentKind::ConfederationSet => true,
        }
    }
}

/// Octets of an AS number on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsnWidth {
    Two,
    Four,
}

impl AsnWidth {
    /// Octets per number.
    pub(crate) fn octets(self) -> usize {
        match self {
            AsnWidth::Two => 2,
            AsnWidth::Four => 4,
        }
    }

    pub(crate) fn read(self, reader: &mut Reader<'_>) -> Option<u32> {
        match self {
            AsnWidth::Two => reader.u16().map(u32::from),
            AsnWidth::Four => reader.u32(),
        }
    }

    /// Appends the number; AS_TRANS where it does not fit (RFC 6793 section 4.2.2).
    pub(crate) fn write(self, asn: Asn, out: &mut Vec<u8>) {
        match self {
            AsnWidth::Two => {
                let short = if asn.fits_two_octets() { asn } else { Asn::TRANS };
                out.extend_from_slice(&short.get().to_be_bytes()[2..]);
            }
            AsnWidth::Four => out.extend_from_slice(&asn.get().to_be_bytes()),
        }
    }
}

/// Why a path cannot be read (RFC 7606 section 7.2, RFC 7607).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsPathError {
    /// Neither set nor sequence.
    #[error("unknown segment type {0}")]
    SegmentType(u8),
    /// A segment of no networks.
    #[error("an empty segment")]
    Empty,
    /// A segment that is longer than the attribute, or octets after the last one.
    #[error("a segment is cut short")]
    CutShort,
    /// AS 0 in the path.
    #[error("AS 0 in the path")]
    AsZero,
}

impl AsPath {
    /// A path of one sequence; empty for no networks. Long ones are cut into segments of 255 when written.
    pub fn sequence(networks: Vec<Asn>) -> Self {
        let segment = Segment { kind: SegmentKind::Sequence, networks };
        AsPath { segments: if segment.networks.is_empty() { Vec::new() } else { vec![segment] } }
    }

    /// Whether a confederation shows, which it must not outside of it (RFC 5065 section 5).
    pub fn has_confederation(&self) -> bool {
        self.segments.iter().any(|segment| segment.kind.is_confederation())
    }

    /// Every network named, in the order of the wire.
    pub fn networks(&self) -> impl Iterator<Item = Asn> {
        self.segments.iter().flat_map(|segment| segment.networks.iter().copied())
    }

    pub(crate) fn decode(octets: &[u8], width: AsnWidth) -> Result<AsPath, AsPathError> {
        let mut reader = Reader::new(octets);
        // Most paths are one sequence.
        let mut segments = Vec::with_capacity(octets.len().min(1));
        while let Some(number) = reader.u8() {
            let kind = SegmentKind::read(number).ok_or(AsPathError::SegmentType(number))?;
            let count = usize::from(reader.u8().ok_or(AsPathError::CutShort)?);
            if count == 0 {
                return Err(AsPathError::Empty);
            }
            let mut numbers = Reader::new(reader.take(count * width.octets()).ok_or(AsPathError::CutShort)?);
            let mut networks = Vec::with_capacity(count);
            while let Some(number) = width.read(&mut numbers) {
                networks.push(Asn::try_from(number).map_err(|_| AsPathError::AsZero)?);
            }
            segments.push(Segment { kind, networks });
        }
        Ok(AsPath { segments })
    }

    pub(crate) fn encode(&self, width: AsnWidth, out: &mut Vec<u8>) {
        for segment in &self.segments {
            for networks in segment.networks.chunks(255) {
                out.extend([segment.kind as u8, u8::try_from(networks.len()).unwrap_or(u8::MAX)]);
                networks.iter().for_each(|&asn| width.write(asn, out));
            }
        }
    }

    /// AS4_PATH for a neighbour that knows two octets only: the path outside of confederations, if two octets cannot
    /// hold it (RFC 6793 section 4.2.2).
    pub(crate) fn four_octet_remainder(&self) -> Option<AsPath> {
        let outside = self.segments.iter().filter(|segment| !segment.kind.is_confederation());
        let remainder = AsPath { segments: outside.cloned().collect() };
        let needed = remainder.networks().any(|asn| !asn.fits_two_octets());
        needed.then_some(remainder)
    }

    /// The path that a two-octet AS_PATH and its AS4_PATH stand for: the newer part comes from the former, the older
    /// from the latter (RFC 6793 section 4.2.3). An AS4_PATH that is longer is ignored.
    pub(crate) fn completed_by(self, four_octets: &AsPath) -> AsPath {
        let outside = four_octets.segments.iter().filter(|segment| !segment.kind.is_confederation());
        let older: Vec<Segment> = outside.cloned().collect();
        let older_hops: usize = older.iter().map(Segment::hops).sum();
        let Some(mut keep) = self.hops().checked_sub(older_hops) else {
            return self;
        };
        let mut segments = Vec::new();
        for mut segment in self.segments {
            let is_confederation = segment.kind.is_confederation();
            if keep == 0 && !is_confederation {
                break;
            }
            if segment.kind == SegmentKind::Sequence {
                segment.networks.truncate(keep);
            }
            keep -= segment.hops();
            segments.push(segment);
        }
        segments.extend(older);
        AsPath { segments: merged(segments) }
    }

    /// Length of the path as route selection counts it (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3).
    fn hops(&self) -> usize {
        self.segments.iter().map(Segment::hops).sum()
    }
}

impl Segment {
    fn hops(&self) -> usize {
        match self.kind {
            SegmentKind::Sequence => self.networks.len(),
            SegmentKind::Set => 1,
            SegmentKind::ConfederationSequence | SegmentKind::ConfederationSet => 0,
        }
    }
}

/// Joins sequences that follow each other as far as one segment can hold them.
fn merged(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for segment in segments {
        match joined.last_mut() {
            Some(last)
                if last.kind == SegmentKind::Sequence
                    && segment.kind == SegmentKind::Sequence
                    && last.networks.len() + segment.networks.len() <= 255 =>
            {
                last.networks.extend(segment.networks);
            }
            _ => joined.push(segment),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(numbers: &[u32]) -> AsPath {
        AsPath::sequence(numbers.iter().map(|&number| Asn::try_from(number).unwrap()).collect())
    }

    fn written(path: &AsPath, width: AsnWidth) -> Vec<u8> {
        let mut octets = Vec::new();
        path.encode(width, &mut octets);
        octets
    }

    #[test]
    fn long_paths_are_cut_into_segments() {
        let long = path(&[64500; 300]);
        let read = AsPath::decode(&written(&long, AsnWidth::Four), AsnWidth::Four).unwrap();
        assert_eq!(read.segments.iter().map(|s| s.networks.len()).collect::<Vec<_>>(), [255, 45]);
    }

    #[test]
    fn an_old_neighbour_carries_large_numbers_unharmed() {
        let whole = path(&[64500, 4_200_000_000, 65536, 64501]);
        let short = AsPath::decode(&written(&whole, AsnWidth::Two), AsnWidth::Two).unwrap();
        assert_eq!(short, path(&[64500, 23456, 23456, 64501]));
        let remainder = whole.four_octet_remainder().unwrap();
        assert_eq!(short.completed_by(&remainder), whole);
        assert_eq!(path(&[1, 2]).four_octet_remainder(), None);
    }

    #[test]
    fn an_old_network_in_between_adds_itself_in_front() {
        let short = path(&[3, 23456, 64501]);
        assert_eq!(short.completed_by(&path(&[65536, 64501])), path(&[3, 65536, 64501]));
    }

    #[test]
    fn a_remainder_longer_than_the_path_is_ignored() {
        assert_eq!(path(&[23456]).completed_by(&path(&[65536, 65537])), path(&[23456]));
    }
}
