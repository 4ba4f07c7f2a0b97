//! Classes of DNS records.

use std::fmt;
use std::str::FromStr;

/// The class of a question or record (RFC 1035 section 3.2.4). One without a name here is written `CLASS5` (RFC 3597
/// section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u16);

/// Why a text names no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no class: write IN, CH, HS, or a number such as CLASS5")]
pub struct ClassError(String);

impl Class {
    /// The Internet.
    pub const IN: Class = Class(1);
    /// CHAOS, in which a server tells about itself (RFC 4892).
    pub const CHAOS: Class = Class(3);
    const NAMES: [(Class, &str); 5] = [
        (Class::IN, "IN"),
        (Class::CHAOS, "CH"),
        (Class::CHAOS, "CHAOS"),
        (Class(4), "HS"),
        (Class(254), "NONE"),
    ];

    /// The class of that number.
    pub const fn new(number: u16) -> Self {
        Class(number)
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for Class {
    type Err = ClassError;
    fn from_str(text: &str) -> Result<Self, ClassError> {
        if let Some((class, _)) = Class::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)) {
            return Ok(*class);
        }
        let head = text.get(..5).filter(|head| head.eq_ignore_ascii_case("CLASS"));
        let digits =
            head.and_then(|_| text.get(5..)).filter(|it| it.bytes().all(|octet| octet.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Class).ok_or_else(|| ClassError(text.to_owned()))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Class::NAMES.iter().find(|(class, _)| class == self) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "CLASS{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_round_trips() {
        for number in 0..=u16::MAX {
            assert_eq!(Class(number).to_string().parse(), Ok(Class(number)));
        }
        assert_eq!("chaos".parse(), Ok(Class::CHAOS));
        for wrong in ["", "INN", "CLASS", "CLASS+1", "CLASS65536", "ANY"] {
            assert!(wrong.parse::<Class>().is_err(), "{wrong}");
        }
    }
}
