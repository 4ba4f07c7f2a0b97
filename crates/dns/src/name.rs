//! A name that is looked up: in lower case, with the places of its labels. It lives on the stack.

use crate::order::SortKey;
use crate::table::NameHash;
use terms::DomainName;

/// The labels of a name in wire form, from the leftmost on.
pub(crate) fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (&length @ 1.., after) = rest.split_first()? else { return None };
        let (label, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        Some(label)
    })
}

/// The name at `at` in a message of our own without compression, how long that is, and where in the message it ends.
/// Pointers lead back.
pub(crate) fn written_out(
    message: &[u8],
    mut at: usize,
) -> Option<([u8; DomainName::MAX_OCTETS], usize, usize)> {
    let (mut octets, mut written, mut end) = ([0u8; DomainName::MAX_OCTETS], 0, None);
    loop {
        match *message.get(at)? {
            length @ 0..=63 => {
                let label = message.get(at..=at + usize::from(length))?;
                octets.get_mut(written..written + label.len())?.copy_from_slice(label);
                written += label.len();
                at += label.len();
                if length == 0 {
                    return Some((octets, written, end.unwrap_or(at)));
                }
            }
            high @ 0xc0.. => {
                let low = *message.get(at + 1)?;
                end = end.or(Some(at + 2));
                let to = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                at = Some(to).filter(|&to| to < at)?;
            }
            _ => return None,
        }
    }
}

/// A name of a question, or one that an alias leads to.
#[derive(Clone)]
pub(crate) struct Name {
    lower: [u8; DomainName::MAX_OCTETS],
    length: u8,
    starts: [u8; 127],
    labels: u8,
}

impl Name {
    /// Reads the name at the front of `octets`, which has no compression pointers.
    pub(crate) fn of(octets: &[u8]) -> Option<Name> {
        let (mut starts, mut labels, mut at) = ([0; 127], 0u8, 0u8);
        while let length @ 1.. = *octets.get(usize::from(at))? {
            if length > 63 {
                return None;
            }
            *starts.get_mut(usize::from(labels))? = at;
            labels += 1;
            at = at.checked_add(1 + length)?;
        }
        let length = at.checked_add(1)?;
        let mut lower = [0; DomainName::MAX_OCTETS];
        let written = lower.get_mut(..usize::from(length))?;
        written.copy_from_slice(octets.get(..usize::from(length))?);
        written.make_ascii_lowercase();
        Some(Name { lower, length, starts, labels })
    }

    /// Reads the name at `at` in a message of our own, following pointers, which lead back.
    pub(crate) fn at(message: &[u8], at: usize) -> Option<Name> {
        let (octets, length, _) = written_out(message, at)?;
        Name::of(&octets[..length])
    }

    /// Octets on the wire.
    pub(crate) fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// The wire form in lower case.
    pub(crate) fn lower(&self) -> &[u8] {
        &self.lower[..self.length()]
    }

    /// How many labels there are.
    pub(crate) fn depth(&self) -> usize {
        usize::from(self.labels)
    }

    /// Whether it is a name in wire form, or lies below it.
    pub(crate) fn is_within(&self, ancestor: &[u8]) -> bool {
        let at = self.length().checked_sub(ancestor.len());
        at.is_some_and(|at| self.begins_at(at) && self.lower()[at..].eq_ignore_ascii_case(ancestor))
    }

    /// Whether a label, or the closing zero, begins at that octet.
    pub(crate) fn begins_at(&self, octet: usize) -> bool {
        let is_it = |start: &u8| usize::from(*start) == octet;
        octet + 1 == self.length() || self.starts[..self.depth()].iter().any(is_it)
    }

    /// The ancestor with so many labels, or the name itself, in wire form.
    pub(crate) fn suffix(&self, depth: usize) -> &[u8] {
        let from_the_left = self.depth().saturating_sub(depth);
        let start = self.starts[..self.depth()].get(from_the_left).copied().unwrap_or(self.length - 1);
        &self.lower()[usize::from(start)..]
    }

    /// Each label from the rightmost to the leftmost, with the name that begins with it.
    pub(crate) fn labels_from_the_root(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.starts[..self.depth()].iter().rev().map(|&start| {
            let name = &self.lower()[usize::from(start)..];
            (&name[1..1 + usize::from(name[0])], name)
        })
    }

    /// The hash of the ancestor with so many labels, or of the name itself.
    pub(crate) fn hash(&self, depth: usize) -> NameHash {
        let labels = self.labels_from_the_root().take(depth);
        labels.fold(NameHash::ROOT, |hash, (label, _)| hash.below(label))
    }

    /// The key of the ancestor with `depth` labels, without the rightmost `apex` of them.
    pub(crate) fn key(&self, apex: usize, depth: usize) -> SortKey {
        let mut key = SortKey::EMPTY;
        for (label, _) in self.labels_from_the_root().take(depth).skip(apex) {
            key.push(label);
        }
        key
    }
}
