//! Writes one reply into octets that the caller owns. Nothing is allocated: what does not fit is not written, and
//! the reply remembers that.

mod placing;

use crate::query::{HEADER, Header};
pub(crate) use placing::{Form, Owner, Placed};

/// A reply under way: its question and records so far.
pub(crate) struct Reply<'o> {
    out: &'o mut [u8],
    at: usize,
    question_end: usize,
    /// Where records must end.
    limit: usize,
    overflowed: bool,
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

/// A moment in the making of a reply, to which it can be taken back.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    at: usize,
    counts: [u8; 6],
    overflowed: bool,
}

impl<'o> Reply<'o> {
    /// A header with all counts zero, and the question if there is one; none when `out` is too small. Records end
    /// before `limit`.
    pub(crate) fn begin(out: &'o mut [u8], question: &[u8], limit: usize) -> Option<Reply<'o>> {
        let header = out.first_chunk_mut::<HEADER>()?;
        *header = [0; HEADER];
        header[5] = u8::from(!question.is_empty());
        let question_end = HEADER + question.len();
        out.get_mut(HEADER..question_end)?.copy_from_slice(question);
        let limit = limit.min(out.len());
        Some(Reply { out, at: question_end, question_end, limit, overflowed: false })
    }

    /// Octets so far.
    pub(crate) fn length(&self) -> usize {
        self.at
    }

    /// Everything so far.
    pub(crate) fn message(&self) -> &[u8] {
        &self.out[..self.at]
    }

    /// Whether something that belongs into it did not fit.
    pub(crate) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    pub(crate) fn mark(&self) -> Mark {
        let mut counts = [0; 6];
        counts.copy_from_slice(&self.out[6..12]);
        Mark { at: self.at, counts, overflowed: self.overflowed }
    }

    /// Takes everything back that was done since then.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.at = mark.at;
        self.out[6..12].copy_from_slice(&mark.counts);
        self.overflowed = mark.overflowed;
    }

    /// Takes every record back.
    pub(crate) fn clear(&mut self) {
        self.at = self.question_end;
        self.out[6..12].fill(0);
        self.overflowed = false;
    }

    /// Octets that still fit.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.at)
    }

    /// Lets records go on until there.
    pub(crate) fn extend_limit(&mut self, limit: usize) {
        self.limit = limit.min(self.out.len());
    }

    /// Appends records as they are. Says whether they fit.
    pub(crate) fn records(&mut self, section: Section, count: u16, octets: &[u8]) -> bool {
        let fits = self.put(octets);
        if fits {
            self.count(section, count);
        }
        fits
    }

    /// Counts records that were put.
    pub(crate) fn count(&mut self, section: Section, more: u16) {
        let at = section as usize;
        let count = u16::from_be_bytes([self.out[at], self.out[at + 1]]).saturating_add(more);
        self.out[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    /// Appends octets, or nothing at all.
    pub(crate) fn put(&mut self, octets: &[u8]) -> bool {
        let end = self.at + octets.len();
        if self.overflowed || end > self.limit {
            self.overflowed = true;
            return false;
        }
        self.out[self.at..end].copy_from_slice(octets);
        self.at = end;
        true
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
