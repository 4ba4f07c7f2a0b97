//! The types that zones are full of, in the form in which they are nearly always written.

use super::append_name;
use super::number::Number;
use crate::zone::entries::Token;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, Ipv6Addr};
use terms::{DomainName, RecordType};

/// Octets of the longest type bitmap (RFC 4034 section 4.1.2): 256 windows of 32 octets, with their heads.
const WINDOWS: usize = 256;

/// Appends the data, or says nothing about it: what was appended then is to be forgotten.
pub(super) fn encode(
    kind: RecordType,
    tokens: &[Token<'_>],
    origin: Option<&DomainName>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut fields = Fields { tokens, origin, out };
    match kind {
        RecordType::A => fields.put(&fields.text()?.parse::<Ipv4Addr>().ok()?.octets()),
        RecordType::AAAA => fields.put(&fields.text()?.parse::<Ipv6Addr>().ok()?.octets()),
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => fields.name()?,
        RecordType::MX => {
            fields.number::<u16>()?;
            fields.name()?;
        }
        RecordType::SRV => {
            fields.number::<u16>()?;
            fields.number::<u16>()?;
            fields.number::<u16>()?;
            fields.name()?;
        }
        RecordType::TXT => fields.texts()?,
        RecordType::DS => {
            fields.number::<u16>()?;
            fields.number::<u8>()?;
            fields.number::<u8>()?;
            fields.hexadecimal()?;
        }
        RecordType::DNSKEY => {
            fields.number::<u16>()?;
            fields.number::<u8>()?;
            fields.number::<u8>()?;
            fields.base64()?;
        }
        RecordType::RRSIG => {
            fields.kind()?;
            fields.number::<u8>()?;
            fields.number::<u8>()?;
            fields.number::<u32>()?;
            fields.moment()?;
            fields.moment()?;
            fields.number::<u16>()?;
            fields.name()?;
            fields.base64()?;
        }
        RecordType::NSEC => {
            fields.name()?;
            fields.bitmap()?;
        }
        RecordType::NSEC3 => {
            fields.number::<u8>()?;
            fields.number::<u8>()?;
            fields.number::<u16>()?;
            fields.salt()?;
            fields.hash()?;
            fields.bitmap()?;
        }
        _ => return None,
    }
    fields.is_done().then_some(())
}

/// The fields that are left, and where they go.
struct Fields<'f, 'a> {
    tokens: &'f [Token<'a>],
    origin: Option<&'f DomainName>,
    out: &'f mut Vec<u8>,
}

impl<'f, 'a> Fields<'f, 'a> {
    fn put(&mut self, octets: &[u8]) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        self.out.extend_from_slice(octets);
    }

    fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The next field, without quotes and escapes.
    fn text(&self) -> Option<&'a str> {
        let text = self.tokens.first()?.text;
        (!text.contains(['\\', '"'])).then_some(text)
    }

    fn number<N: Number>(&mut self) -> Option<()> {
        let text = self.text().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?;
        let number: N = text.parse().ok()?;
        number.append(self.out);
        self.put(&[]);
        Some(())
    }

    fn name(&mut self) -> Option<()> {
        let text = self.tokens.first()?.text;
        // A quoted name is none.
        if text.contains('"') {
            return None;
        }
        match self.origin {
            Some(origin) => append_name(text, origin, self.out).ok()?,
            None if text.ends_with('.') => append_name(text, &DomainName::root(), self.out).ok()?,
            None => return None,
        }
        self.put(&[]);
        Some(())
    }

    fn kind(&mut self) -> Option<()> {
        let kind: RecordType = self.text()?.parse().ok()?;
        self.put(&kind.get().to_be_bytes());
        Some(())
    }

    /// Texts of up to 255 octets each (RFC 1035 section 3.3).
    fn texts(&mut self) -> Option<()> {
        self.tokens.first()?;
        while let Some(token) = self.tokens.first() {
            let text = token.text;
            let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
            if text.contains(['\\', '"']) || token.text == "\"" {
                return None;
            }
            self.out.push(u8::try_from(text.len()).ok()?);
            self.put(text.as_bytes());
        }
        Some(())
    }

    /// Everything that is left, which may be in pieces.
    fn rest(&mut self) -> Option<Vec<u8>> {
        let mut characters = Vec::new();
        while !self.tokens.is_empty() {
            characters.extend_from_slice(self.text()?.as_bytes());
            self.put(&[]);
        }
        (!characters.is_empty()).then_some(characters)
    }

    fn hexadecimal(&mut self) -> Option<()> {
        let characters = self.rest()?;
        self.append_hexadecimal(&characters)
    }

    fn append_hexadecimal(&mut self, characters: &[u8]) -> Option<()> {
        let digit = |&character: &u8| char::from(character).to_digit(16).map(|digit| digit as u8);
        let pairs = characters.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        for pair in pairs {
            self.out.push(digit(&pair[0])? << 4 | digit(&pair[1])?);
        }
        Some(())
    }

    fn base64(&mut self) -> Option<()> {
        let characters = self.rest()?;
        STANDARD.decode_vec(&characters, self.out).ok()
    }

    /// A moment as YYYYMMDDHHmmSS in UTC, or in seconds (RFC 4034 section 3.2).
    fn moment(&mut self) -> Option<()> {
        let text = self.text().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?;
        if text.len() != 14 {
            return self.number::<u32>();
        }
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
        // A leap day is left to the `domain` crate.
        let days_in_month =
            [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].get(usize::try_from(month - 1).ok()?)?;
        if !(1970..2106).contains(&year) || !(1..=*days_in_month).contains(&day) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
        self.put(&(seconds as u32).to_be_bytes());
        Some(())
    }

    /// `-` is none.
    fn salt(&mut self) -> Option<()> {
        let text = self.text()?;
        let characters = if text == "-" { &[] } else { text.as_bytes() };
        self.out.push(u8::try_from(characters.len() / 2).ok()?);
        self.put(&[]);
        self.append_hexadecimal(characters)
    }

    /// Base 32 with extended hex digits, without padding (RFC 4648 section 7).
    fn hash(&mut self) -> Option<()> {
        let text = self.text().filter(|text| !text.is_empty() && text.len() % 8 == 0)?;
        self.out.push(u8::try_from(text.len() / 8 * 5).ok()?);
        for eight in text.as_bytes().chunks_exact(8) {
            let mut bits = 0u64;
            for &character in eight {
                bits = bits << 5 | u64::from(char::from(character).to_digit(32)?);
            }
            self.out.extend_from_slice(&bits.to_be_bytes()[3..]);
        }
        self.put(&[]);
        Some(())
    }

    /// The types of a name, as a bitmap (RFC 4034 section 4.1.2).
    fn bitmap(&mut self) -> Option<()> {
        let mut kinds = Vec::with_capacity(self.tokens.len());
        while !self.tokens.is_empty() {
            kinds.push(self.text()?.parse::<RecordType>().ok()?.get());
            self.put(&[]);
        }
        kinds.sort_unstable();
        for window in 0..WINDOWS {
            let mut octets = [0u8; 32];
            let here = kinds.iter().filter(|&&kind| usize::from(kind) / 256 == window);
            let length = here.map(|&kind| {
                let bit = usize::from(kind) % 256;
                octets[bit / 8] |= 0x80 >> (bit % 8);
                bit / 8 + 1
            });
            if let Some(length) = length.max() {
                self.out.extend_from_slice(&[window as u8, length as u8]);
                self.out.extend_from_slice(&octets[..length]);
            }
            if kinds.last().is_none_or(|&last| usize::from(last) / 256 <= window) {
                break;
            }
        }
        Some(())
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469
}
