//! Names of the DNS.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A complete domain name (RFC 1035 section 3.1): labels of 1 to 63 octets, at most 255 octets on the wire.
///
/// The letter case of the text is kept, but names that differ only in the case of ASCII letters are equal (RFC 4343).
/// Order is the canonical one of RFC 4034 section 6.1: a name comes directly before everything below it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(Box<[u8]>);

/// Why a text or octets are no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    /// Nothing at all, or nothing between two dots.
    #[error("an empty label: a name has no leading or doubled dot, and the root is written `.`")]
    EmptyLabel,
    /// RFC 1035 section 2.3.4.
    #[error("the label `{0}` is longer than 63 octets")]
    LongLabel(String),
    /// RFC 1035 section 2.3.4.
    #[error("the name is longer than 255 octets")]
    LongName,
    /// A backslash that is followed by neither a character nor three digits up to 255.
    #[error("`\\` must be followed by a character or by three digits up to 255")]
    Escape,
    /// A character that has no single octet.
    #[error("`{0}` is not ASCII: write the name in its `xn--` form (RFC 5891)")]
    NotAscii(char),
    /// Octets that are not labels which end with the root.
    #[error("these octets are no uncompressed domain name")]
    Octets,
}

impl DomainName {
    /// Most octets of a name on the wire.
    pub const MAX_OCTETS: usize = 255;

    /// The root, written `.`.
    pub fn root() -> Self {
        DomainName(Box::new([0]))
    }

    /// Reads a name as it is written in a zone file: complete when it ends with a dot, otherwise below `origin`
    /// (RFC 1035 section 5.1).
    pub fn parse_below(text: &str, origin: &DomainName) -> Result<Self, DomainNameError> {
        let mut octets = Vec::with_capacity(text.len() + 1 + origin.0.len());
        DomainName::append_below(text, origin, &mut octets)?;
        Ok(DomainName(octets.into()))
    }

    /// Reads a name like [`parse_below`](DomainName::parse_below) and appends its wire form, for whoever reads
    /// millions of them. After an error, what was appended means nothing.
    pub fn append_below(
        text: &str,
        origin: &DomainName,
        octets: &mut Vec<u8>,
    ) -> Result<(), DomainNameError> {
        let before = octets.len();
        if !read_labels(text, octets)? {
            octets.extend_from_slice(&origin.0);
        } else {
            octets.push(0);
        }
        match octets.len() - before {
            ..=Self::MAX_OCTETS => Ok(()),
            _ => Err(DomainNameError::LongName),
        }
    }

    /// Reads a name from its uncompressed wire form, which must be the whole slice.
    pub fn from_wire(octets: &[u8]) -> Result<Self, DomainNameError> {
        let mut at = 0;
        loop {
            match octets.get(at) {
                Some(0) if at + 1 == octets.len() && octets.len() <= Self::MAX_OCTETS => {
                    return Ok(DomainName(octets.into()));
                }
                Some(&length @ 1..=63) => at += 1 + usize::from(length),
                _ => return Err(DomainNameError::Octets),
            }
        }
    }

    /// The uncompressed wire form, with the closing zero of the root.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The labels from the leftmost to the one below the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            (length > 0).then_some(label)
        })
    }

    /// Where each label begins, from the leftmost, and how many there are.
    fn label_starts(&self) -> ([u8; 128], usize) {
        let (mut starts, mut count, mut at) = ([0; 128], 0, 0u8);
        while let length @ 1.. = self.0[usize::from(at)] {
            starts[count] = at;
            count += 1;
            at += 1 + length;
        }
        (starts, count)
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<DomainName> {
        let first = usize::from(self.0[0]);
        (first > 0).then(|| DomainName(self.0[1 + first..].into()))
    }

    /// Whether this name is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &DomainName) -> bool {
        let mut name = &self.0[..];
        loop {
            if name.eq_ignore_ascii_case(&ancestor.0) {
                return true;
            }
            let Some((&length @ 1.., after)) = name.split_first() else { return false };
            name = &after[usize::from(length)..];
        }
    }
}

/// The label whose length octet is at `start`.
fn label_at(octets: &[u8], start: u8) -> &[u8] {
    let start = usize::from(start);
    &octets[start + 1..start + 1 + usize::from(octets[start])]
}

/// Appends the labels of `text` and says whether it ended with a dot.
fn read_labels(text: &str, octets: &mut Vec<u8>) -> Result<bool, DomainNameError> {
    if text == "." {
        return Ok(true);
    }
    let mut characters = text.chars();
    loop {
        let start = octets.len();
        octets.push(0);
        let dot = read_label(&mut characters, octets)?;
        let label = &octets[start + 1..];
        match u8::try_from(label.len()) {
            Ok(0) => return Err(DomainNameError::EmptyLabel),
            Ok(length @ 1..=63) => octets[start] = length,
            _ => return Err(DomainNameError::LongLabel(String::from_utf8_lossy(label).into_owned())),
        }
        if !dot || characters.as_str().is_empty() {
            return Ok(dot);
        }
    }
}

/// Appends one label and says whether a dot ended it.
fn read_label(characters: &mut std::str::Chars<'_>, octets: &mut Vec<u8>) -> Result<bool, DomainNameError> {
    while let Some(character) = characters.next() {
        match character {
            '.' => return Ok(true),
            '\\' => octets.push(read_escape(characters)?),
            _ if character.is_ascii() => octets.push(character as u8),
            _ => return Err(DomainNameError::NotAscii(character)),
        }
    }
    Ok(false)
}

fn read_escape(characters: &mut std::str::Chars<'_>) -> Result<u8, DomainNameError> {
    let first = characters.next().filter(char::is_ascii).ok_or(DomainNameError::Escape)?;
    let Some(hundreds) = first.to_digit(10) else { return Ok(first as u8) };
    let mut digit =
        || characters.next().and_then(|character| character.to_digit(10)).ok_or(DomainNameError::Escape);
    let value = hundreds * 100 + digit()? * 10 + digit()?;
    u8::try_from(value).map_err(|_| DomainNameError::Escape)
}

impl FromStr for DomainName {
    type Err = DomainNameError;
    /// Reads a complete name; its closing dot may be left out.
    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        DomainName::parse_below(text, &DomainName::root())
    }
}

impl TryFrom<String> for DomainName {
    type Error = DomainNameError;
    fn try_from(text: String) -> Result<Self, DomainNameError> {
        text.parse()
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> String {
        name.to_string()
    }
}

impl fmt::Display for DomainName {
    /// The name with its closing dot; octets that mean something in a zone file are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() == 1 {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainName({self})")
    }
}

impl PartialEq for DomainName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for DomainName {}

impl Hash for DomainName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in &self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for DomainName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DomainName {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((ours, our_count), (theirs, their_count)) = (self.label_starts(), other.label_starts());
        let pairs = ours[..our_count].iter().rev().zip(theirs[..their_count].iter().rev());
        for (&our, &their) in pairs {
            let (our, their) = (label_at(&self.0, our), label_at(&other.0, their));
            let lower = u8::to_ascii_lowercase;
            match our.iter().map(lower).cmp(their.iter().map(lower)) {
                Ordering::Equal => {}
                decided => return decided,
            }
        }
        our_count.cmp(&their_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    fn text_becomes_labels() {
        assert_eq!(name("www.Example.").as_wire(), b"\x03www\x07Example\0");
        assert_eq!(name("."), DomainName::root());
        assert_eq!(name(r"a\.b\032c.example").to_string(), r"a\.b\032c.example.");
        assert_eq!(DomainName::parse_below("www", &name("example.")), Ok(name("www.example.")));
        assert_eq!(DomainName::parse_below("www.", &name("example.")), Ok(name("www.")));
    }

    #[test]
    fn wrong_names_say_why() {
        let why = |text: &str| text.parse::<DomainName>().unwrap_err();
        assert_eq!(why(""), DomainNameError::EmptyLabel);
        assert_eq!(why("a..b"), DomainNameError::EmptyLabel);
        assert_eq!(why(".a"), DomainNameError::EmptyLabel);
        assert_eq!(why(&"x".repeat(64)), DomainNameError::LongLabel("x".repeat(64)));
        assert_eq!(why(&"x.".repeat(128)), DomainNameError::LongName);
        assert_eq!(why(r"a\25"), DomainNameError::Escape);
        assert_eq!(why(r"a\256"), DomainNameError::Escape);
        assert_eq!(why("käse."), DomainNameError::NotAscii('ä'));
        assert!(DomainName::from_wire(b"\x03www").is_err());
        assert!(DomainName::from_wire(b"\xc0\x0c").is_err());
        assert!(DomainName::from_wire(b"\0\0").is_err());
    }

    #[test]
    fn case_does_not_matter_and_ancestors_come_first() {
        assert_eq!(name("WWW.example."), name("www.EXAMPLE."));
        let mut names = [name("z.example."), name("example."), name("a.b.example."), name("Z.a.example.")];
        names.sort();
        assert_eq!(names.map(|n| n.to_string()), ["example.", "Z.a.example.", "a.b.example.", "z.example."]);
        assert!(name("a.b.example.").is_within(&name("B.example.")));
        assert!(!name("ab.example.").is_within(&name("b.example.")));
        assert!(name("example.").is_within(&DomainName::root()));
        assert_eq!(name("a.example.").parent(), Some(name("example.")));
        assert_eq!(DomainName::root().parent(), None);
    }

    proptest! {
        #[test]
        fn octets_and_text_round_trip(
            labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=63), 0..4)
        ) {
            let mut octets = Vec::new();
            for label in &labels {
                octets.push(label.len() as u8);
                octets.extend_from_slice(label);
            }
            octets.push(0);
            let name = DomainName::from_wire(&octets).unwrap();
            let again: DomainName = name.to_string().parse().unwrap();
            prop_assert_eq!(again.as_wire(), &octets[..]);
        }

        #[test]
        fn any_text_is_a_name_or_an_error(text: String) {
            if let Ok(name) = text.parse::<DomainName>() {
                prop_assert!(DomainName::from_wire(name.as_wire()).is_ok());
            }
        }
    }
}
