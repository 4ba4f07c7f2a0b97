//! Reads one message from its beginning to its end, whatever it is.

use terms::{DomainName, NamesInData, Record, RecordType};

/// Octets of a message's header (RFC 1035 section 4.1.1).
pub(crate) const HEADER: usize = 12;
pub(crate) const CLASS_IN: u16 = 1;
/// The bit of a header that says reply.
pub(crate) const REPLY: u8 = 0x80;
/// The bit of a header that says that the answer comes from who has the zone.
pub(crate) const AUTHORITATIVE: u8 = 0x04;
/// The bit of a header that says that something was left out.
pub(crate) const TRUNCATED: u8 = 0x02;

/// How many entries each section of a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) questions: u16,
    pub(crate) answers: u16,
    pub(crate) authorities: u16,
    pub(crate) additional: u16,
}

/// A question as it stands in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: DomainName,
    pub(crate) kind: RecordType,
    pub(crate) class: u16,
}

/// A record as it stands in a message, of any class; its data is not compressed any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) record: Record,
    pub(crate) class: u16,
}

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'m> {
    message: &'m [u8],
    at: usize,
}

impl<'m> Cursor<'m> {
    /// Behind the header, and what that counts. None when there is no header.
    pub(crate) fn of(message: &'m [u8]) -> Option<(Counts, Cursor<'m>)> {
        let header = message.first_chunk::<HEADER>()?;
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let counts =
            Counts { questions: count(4), answers: count(6), authorities: count(8), additional: count(10) };
        Some((counts, Cursor { message, at: HEADER }))
    }

    /// Octets before it.
    pub(crate) fn place(self) -> usize {
        self.at
    }

    pub(crate) fn question(&mut self) -> Option<Asked> {
        let name = self.name()?;
        Some(Asked { name, kind: RecordType::new(self.number()?), class: self.number()? })
    }

    /// Goes over a record without a look at its data, and says what type it has.
    pub(crate) fn skip(&mut self) -> Option<RecordType> {
        self.skip_name()?;
        let kind = RecordType::new(self.number()?);
        self.octets(6)?;
        let length = self.number()?;
        self.octets(usize::from(length))?;
        Some(kind)
    }

    pub(crate) fn record(&mut self) -> Option<Row> {
        let owner = self.name()?;
        let (kind, class) = (RecordType::new(self.number()?), self.number()?);
        let ttl = u32::from_be_bytes(*self.octets(4)?.first_chunk()?);
        let length = usize::from(self.number()?);
        let start = self.at;
        let plain = self.octets(length)?;
        let data = match NamesInData::of(kind) {
            NamesInData::None => plain.into(),
            names => Cursor { message: &self.message[..self.at], at: start }.data(names, plain)?,
        };
        // RFC 2181 section 8: a TTL with the highest bit set means 0.
        let ttl = if ttl > i32::MAX as u32 { 0 } else { ttl };
        Some(Row { record: Record { owner, kind, ttl, data }, class })
    }

    /// The data that begins here and ends with the message, its names written out.
    fn data(mut self, names: NamesInData, plain: &[u8]) -> Option<Box<[u8]>> {
        let mut data = self.octets(names.begin(plain)?)?.to_vec();
        for _ in 0..names.count() {
            data.extend_from_slice(self.name()?.as_wire());
        }
        data.extend_from_slice(&self.message[self.at..]);
        // Written out, it could be longer than any data is.
        (data.len() <= usize::from(u16::MAX)).then(|| data.into())
    }

    pub(crate) fn number(&mut self) -> Option<u16> {
        self.octets(2)?.first_chunk().map(|&octets| u16::from_be_bytes(octets))
    }

    pub(crate) fn octets(&mut self, count: usize) -> Option<&'m [u8]> {
        let octets = self.message.get(self.at..)?.get(..count)?;
        self.at += count;
        Some(octets)
    }

    /// A name, following pointers. Each leads to before where the last one led, so that it ends.
    pub(crate) fn name(&mut self) -> Option<DomainName> {
        let (mut wire, mut at, mut begin) = ([0u8; DomainName::MAX_OCTETS], self.at, self.at);
        let (mut length, mut followed) = (0, false);
        loop {
            match *self.message.get(at)? {
                label @ 0..=63 => {
                    let octets = self.message.get(at..=at + usize::from(label))?;
                    wire.get_mut(length..length + octets.len())?.copy_from_slice(octets);
                    length += octets.len();
                    at += octets.len();
                    if !followed {
                        self.at = at;
                    }
                    if label == 0 {
                        return DomainName::from_wire(&wire[..length]).ok();
                    }
                }
                high @ 0xc0.. => {
                    let to = usize::from(u16::from_be_bytes([high & 0x3f, *self.message.get(at + 1)?]));
                    if !followed {
                        self.at = at + 2;
                    }
                    followed = true;
                    begin = Some(to).filter(|&to| to < begin)?;
                    at = to;
                }
                _ => return None,
            }
        }
    }

    /// Goes over a name without a look at where it leads.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match *self.message.get(self.at)? {
                0 => return self.octets(1).map(|_| ()),
                label @ 1..=63 => _ = self.octets(1 + usize::from(label))?,
                0xc0.. => return self.octets(2).map(|_| ()),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at<'m>(message: &'m [u8]) -> Cursor<'m> {
        Cursor { message, at: 0 }
    }

    #[test]
    fn pointers_lead_back_only() {
        let message = b"\x07example\0\x03www\xc0\0\xc0\x0f";
        let mut cursor = at(message);
        assert_eq!(cursor.name().unwrap().to_string(), "example.");
        assert_eq!(cursor.name().unwrap().to_string(), "www.example.");
        assert_eq!(cursor.place(), 15);
        assert_eq!(cursor.name(), None, "a pointer to itself");
        assert_eq!(at(b"\xc0\0").name(), None);
        assert_eq!(at(b"\xc0\x02\x01a\0").name(), None, "forward");
        assert_eq!(at(b"\x01a\xc0\0").name(), None);
        assert_eq!(at(b"\x40a").name(), None);
    }

    #[test]
    fn names_in_data_are_written_out() {
        let mut message = b"\x07example\0".to_vec();
        message.extend_from_slice(b"\xc0\0\0\x0f\0\x01\0\0\x0e\x10\0\x09\0\x0a\x04mail\xc0\0");
        let mut cursor = at(&message);
        cursor.name().unwrap();
        let row = cursor.record().unwrap();
        assert_eq!(&row.record.data[..], b"\0\x0a\x04mail\x07example\0");
        assert_eq!((row.record.ttl, row.class, cursor.place()), (3600, 1, message.len()));
        // The name of the data must end where the data does.
        let length_at = 9 + 2 + 8;
        message[length_at + 1] = 8;
        let mut cursor = at(&message);
        cursor.name().unwrap();
        assert_eq!(cursor.record(), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut cursor = at(&octets);
            while let Some(row) = cursor.record() {
                prop_assert!(row.record.data.len() <= usize::from(u16::MAX));
                prop_assert!(cursor.place() <= octets.len());
            }
            let mut cursor = at(&octets);
            while cursor.skip().is_some() {}
            prop_assert!(cursor.place() <= octets.len());
        }
    }
}
