//! Reads DER (X.690) that nobody trusts: every read is bounded by the element around it.

/// Tags of the elements that certificates are made of.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'o>(pub(super) &'o [u8]);

impl<'o> Elements<'o> {
    /// The next element: its tag and its content; none at the end and where there is no element.
    pub(super) fn next(&mut self) -> Option<(u8, &'o [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        let (length, rest) = match first {
            ..=0x7f => (usize::from(first), rest),
            // Four octets of length are 4 GiB: more than anybody sends.
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, which must have that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'o [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// The content of the next element if it has that tag; otherwise nothing is read.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'o [u8]> {
        let mut ahead = *self;
        let content = ahead.expect(tag)?;
        *self = ahead;
        Some(content)
    }
}
