//! Writes one reply into octets that the caller owns. Nothing is allocated: what does not fit is not written.

use crate::query::{HEADER, Header};

/// A reply under way: its question and records so far.
pub(crate) struct Reply<'o> {
    out: &'o mut [u8],
    at: usize,
}

/// The section of a message that has records (RFC 1035 section 4.1).
#[derive(Clone, Copy)]
pub(crate) enum Section {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

/// Flags of the third octet of a header (RFC 1035 section 4.1.1).
#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) authoritative: bool,
    pub(crate) truncated: bool,
}

impl<'o> Reply<'o> {
    /// A header with all counts zero, and the question if there is one; none when `out` is too small.
    pub(crate) fn begin(out: &'o mut [u8], question: &[u8]) -> Option<Reply<'o>> {
        let header = out.first_chunk_mut::<HEADER>()?;
        *header = [0; HEADER];
        header[5] = u8::from(!question.is_empty());
        let mut reply = Reply { out, at: HEADER };
        reply.put(question, usize::MAX)?;
        Some(reply)
    }

    /// Appends records that end before `limit`, or nothing at all.
    pub(crate) fn records(
        &mut self,
        section: Section,
        count: u16,
        octets: &[u8],
        limit: usize,
    ) -> Option<()> {
        self.put(octets, limit)?;
        self.count(section, count);
        Some(())
    }

    /// Appends one record that `write` puts into the room up to `limit`, or nothing at all.
    pub(crate) fn record_with(
        &mut self,
        section: Section,
        limit: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<()> {
        let end = limit.min(self.out.len());
        self.at += write(self.out.get_mut(self.at..end)?)?;
        self.count(section, 1);
        Some(())
    }

    /// Appends octets to the last record.
    pub(crate) fn append(&mut self, octets: &[u8], limit: usize) -> Option<()> {
        self.put(octets, limit)
    }

    fn count(&mut self, section: Section, count: u16) {
        let at = section as usize;
        self.out[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn put(&mut self, octets: &[u8], limit: usize) -> Option<()> {
        let end = self.at.checked_add(octets.len()).filter(|&end| end <= limit)?;
        self.out.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }

    /// Fills in the header and says how long the reply is.
    pub(crate) fn finish(self, query: Header, flags: Flags, code: u8) -> usize {
        self.out[..2].copy_from_slice(&query.id);
        let (authoritative, truncated) = (u8::from(flags.authoritative), u8::from(flags.truncated));
        self.out[2] = 0x80 | query.copied_flags() | authoritative << 2 | truncated << 1;
        self.out[3] = code & 0x0f;
        self.at
    }
}
