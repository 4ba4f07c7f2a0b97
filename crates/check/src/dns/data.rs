//! Data of a record, as an operator writes it and as a server sends it.

use super::message::Record;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use terms::{DomainName, DomainNameError, RecordType};

/// What a record of one type has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// Exactly these octets.
    Octets(Vec<u8>),
    /// A name, which a server may compress and write in any case.
    Name(DomainName),
    /// A text, however a server cuts it into strings of at most 255 octets.
    Text(Vec<u8>),
}

/// Why a text is no data of that type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// Neither an address of the family nor a name.
    #[error("`{text}` is no data of type {qtype}")]
    Wrong {
        /// The type.
        qtype: RecordType,
        /// What was written.
        text: String,
    },
    /// What should be a name is none.
    #[error("{0}")]
    Name(#[from] DomainNameError),
    /// A type whose data has no form of its own here.
    #[error(
        "data of type {0} is written as octets: \\# LENGTH HEX, as in \\# 4 c0000201 (RFC 3597 section 5)"
    )]
    Unknown(RecordType),
}

impl Data {
    /// Reads the data of a record of type A, AAAA, NS, CNAME, DNAME, PTR or TXT as people write it, and of any type in
    /// the form of RFC 3597 section 5. A name is complete without its last dot.
    pub fn parse(qtype: RecordType, text: &str) -> Result<Data, DataError> {
        let wrong = || DataError::Wrong { qtype, text: text.to_owned() };
        if let Some(octets) = text.strip_prefix("\\#") {
            return unknown(octets).map(Data::Octets).ok_or_else(wrong);
        }
        match qtype {
            RecordType::A => {
                let address: Ipv4Addr = text.parse().map_err(|_| wrong())?;
                Ok(Data::Octets(address.octets().to_vec()))
            }
            RecordType::AAAA => {
                let address: Ipv6Addr = text.parse().map_err(|_| wrong())?;
                Ok(Data::Octets(address.octets().to_vec()))
            }
            RecordType::TXT => Ok(Data::Text(text.as_bytes().to_vec())),
            RecordType::NS | RecordType::CNAME | RecordType::DNAME | RecordType::PTR => {
                Ok(Data::Name(DomainName::parse_below(text, &DomainName::root())?))
            }
            _ => Err(DataError::Unknown(qtype)),
        }
    }

    /// Whether the record says this.
    pub(super) fn is_in(&self, record: &Record<'_>) -> bool {
        match self {
            Data::Octets(octets) => record.data == octets,
            Data::Name(name) => record.name().is_some_and(|said| said == *name),
            Data::Text(text) => strings(record.data).is_some_and(|said| said == *text),
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Octets(octets) => {
                match (<[u8; 4]>::try_from(&octets[..]), <[u8; 16]>::try_from(&octets[..])) {
                    (Ok(four), _) => Ipv4Addr::from(four).fmt(f),
                    (_, Ok(sixteen)) => Ipv6Addr::from(sixteen).fmt(f),
                    _ => {
                        write!(f, "\\# {} ", octets.len())?;
                        octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
                    }
                }
            }
            Data::Name(name) => name.fmt(f),
            Data::Text(text) => write!(f, "\"{}\"", String::from_utf8_lossy(text)),
        }
    }
}

/// Octets as ` LENGTH HEX`, the hex with blanks anywhere between octets.
fn unknown(text: &str) -> Option<Vec<u8>> {
    let (length, hex) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let hex: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let octet = |pair: &[char]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    let octets: Vec<u8> = hex.chunks(2).map(octet).collect::<Option<_>>()?;
    (length.parse() == Ok(octets.len())).then_some(octets)
}

/// The strings of TXT data, joined; none when they are malformed.
fn strings(mut data: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while let Some((&length, after)) = data.split_first() {
        let (string, rest) = after.split_at_checked(usize::from(length))?;
        text.extend_from_slice(string);
        data = rest;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_by_type() {
        let read = |qtype: &str, text: &str| Data::parse(qtype.parse().unwrap(), text);
        for (qtype, text) in
            [("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("NS", "ns1.example."), ("TLSA", "\\# 3 010203")]
        {
            assert_eq!(read(qtype, text).unwrap().to_string(), text);
        }
        assert_eq!(read("CNAME", "a.example").unwrap(), read("CNAME", "A.example.").unwrap());
        assert_eq!(read("TXT", "v=1").unwrap().to_string(), "\"v=1\"");
        assert_eq!(read("A", "\\# 4 c0 00 02 01"), read("A", "192.0.2.1"));
        for (qtype, text) in [
            ("A", "2001:db8::1"),
            ("AAAA", "x"),
            ("NS", "a..b"),
            ("TLSA", "1 1 1"),
            ("A", "\\# 4 c0"),
            ("A", "\\# 1 é0"),
        ] {
            assert!(read(qtype, text).is_err(), "{qtype} {text}");
        }
    }
}
