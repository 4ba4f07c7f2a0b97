//! Reads DNS messages that nobody trusts: every read is bounded, and a name that points at itself ends.

use terms::DomainName;

/// Octets of the header of a message (RFC 1035 section 4.1.1).
pub(super) const HEADER: usize = 12;

/// One record of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'m> {
    pub(super) rtype: u16,
    pub(super) class: u16,
    /// Its data. Names in it may point anywhere in the message.
    pub(super) data: &'m [u8],
    message: &'m [u8],
    /// Where in the message its data begins.
    at: usize,
}

/// The `count` records that begin at `at`; none when they are malformed. Each takes 11 octets at least, so there are
/// never more than the message has room for.
pub(super) fn records(message: &[u8], mut at: usize, count: u16) -> Option<Vec<Record<'_>>> {
    let mut records = Vec::new();
    for _ in 0..count {
        let fixed_at = after_name(message, at)?;
        let fixed = message.get(fixed_at..)?.first_chunk::<10>()?;
        let [t0, t1, c0, c1, _, _, _, _, l0, l1] = *fixed;
        let data_at = fixed_at + fixed.len();
        let end = data_at + usize::from(u16::from_be_bytes([l0, l1]));
        records.push(Record {
            rtype: u16::from_be_bytes([t0, t1]),
            class: u16::from_be_bytes([c0, c1]),
            data: message.get(data_at..end)?,
            message,
            at: data_at,
        });
        at = end;
    }
    Some(records)
}

impl<'m> Record<'m> {
    /// The name that is all of its data; none where something else is.
    pub(super) fn name(&self) -> Option<DomainName> {
        let ends = after_name(self.message, self.at)? == self.at + self.data.len();
        if !ends {
            return None;
        }
        name(self.message, self.at)
    }

    /// What follows so many names at the beginning of its data.
    pub(super) fn after_names(&self, count: usize) -> Option<&'m [u8]> {
        let mut at = self.at;
        for _ in 0..count {
            at = after_name(self.message, at)?;
        }
        self.data.get(at.checked_sub(self.at)?..)
    }
}

/// Where a name ends: after the root or after a pointer (RFC 1035 section 4.1.4), which is not followed.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => {
                message.get(at + 1)?;
                return Some(at + 2);
            }
            _ => return None,
        }
    }
}

/// A name with its pointers followed. A pointer must lead backwards, so that every name has an end.
fn name(message: &[u8], mut at: usize) -> Option<DomainName> {
    let (mut octets, mut before) = (Vec::new(), at);
    loop {
        let length = *message.get(at)?;
        match length {
            0 => {
                octets.push(0);
                return DomainName::from_wire(&octets).ok();
            }
            1..=63 => {
                let end = at + 1 + usize::from(length);
                octets.extend_from_slice(message.get(at..end)?);
                if octets.len() > DomainName::MAX_OCTETS {
                    return None;
                }
                at = end;
            }
            0xc0.. => {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, *message.get(at + 1)?]));
                if target >= before {
                    return None;
                }
                (at, before) = (target, target);
            }
            _ => return None,
        }
    }
}
