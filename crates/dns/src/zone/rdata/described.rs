//! Types that neither zones are full of nor the `domain` crate reads: each is a list of fields, as its RFC says.

mod address_prefixes;
mod place;
#[cfg(test)]
mod tests;

use super::number::Number;
use super::{RdataFault, append_name};
use crate::zone::entries::Token;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{DomainName, RecordType};

/// Certificate types (RFC 4398 section 2.1).
const CERTIFICATES: &[(&str, u16)] = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];
/// Algorithms of DNSSEC keys (the registry "DNS Security Algorithm Numbers").
const ALGORITHMS: &[(&str, u8)] = &[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
];

/// Why a field cannot be read.
type Wrong = &'static str;

/// Appends the data of a type that is described here; nothing where it is not, or where it is written in the form of RFC
/// 3597.
pub(super) fn encode(
    kind: RecordType,
    tokens: &[Token<'_>],
    origin: Option<&DomainName>,
    out: &mut Vec<u8>,
) -> Option<Result<(), RdataFault>> {
    if tokens.first().is_some_and(|token| token.text == "\\#") {
        return None;
    }
    let mut fields = Fields { tokens, at: 0, origin, out };
    let read = fields.read(kind.get())?;
    let read = read.and_then(|()| match fields.is_done() {
        true => Ok(()),
        false => Err("there is more than this type has fields"),
    });
    let token = fields.at.min(tokens.len().saturating_sub(1));
    Some(read.map_err(|message| RdataFault { token, message: message.to_owned() }))
}

/// The fields that are left, and where they go.
struct Fields<'f, 'a> {
    tokens: &'f [Token<'a>],
    at: usize,
    origin: Option<&'f DomainName>,
    out: &'f mut Vec<u8>,
}

impl<'f, 'a> Fields<'f, 'a> {
    /// Reads the data of a type, field by field; none for a type that is not described.
    fn read(&mut self, kind: u16) -> Option<Result<(), Wrong>> {
        Some(match kind {
            // AFSDB, RT (RFC 1183), KX (RFC 2230), LP (RFC 6742)
            18 | 21 | 36 | 107 => self.number::<u16>().and_then(|()| self.name()),
            19 => self.text(),                             // X25 (RFC 1183)
            20 => self.text().and_then(|()| self.texts()), // ISDN (RFC 1183)
            23 => self.name(),                             // NSAP-PTR (RFC 1706)
            25 | 57 => self.key(),                         // KEY (RFC 2535), RKEY
            26 => self.number::<u16>().and_then(|()| self.name()).and_then(|()| self.name()), // PX (RFC 2163)
            27 => self.text().and_then(|()| self.text()).and_then(|()| self.text()), // GPOS (RFC 1712)
            29 => place::read(self),                       // LOC (RFC 1876)
            37 => self.certificate(),                      // CERT (RFC 4398)
            42 => address_prefixes::read(self),            // APL (RFC 3123)
            49 => self.base64(),                           // DHCID (RFC 4701)
            53 => self.association(),                      // SMIMEA (RFC 8162)
            55 => self.host_identity(),                    // HIP (RFC 8005)
            58 => self.name().and_then(|()| self.name()),  // TALINK
            62 => self.number::<u32>().and_then(|()| self.number::<u16>()).and_then(|()| self.bitmap()), // CSYNC (RFC 7477)
            66 => self.delegation_sync(), // DSYNC (RFC 9859)
            // NINFO, SPF (RFC 7208), AVC, RESINFO (RFC 9606), WALLET
            56 | 99 | 258 | 261 | 262 => self.text().and_then(|()| self.texts()),
            104 | 106 => self.number::<u16>().and_then(|()| self.groups(4)), // NID, L64 (RFC 6742)
            105 => self.number::<u16>().and_then(|()| self.ipv4()),          // L32 (RFC 6742)
            108 => self.hardware_address(6),                                 // EUI48 (RFC 7043)
            109 => self.hardware_address(8),                                 // EUI64 (RFC 7043)
            256 => self.uri(),                                               // URI (RFC 7553)
            260 => self.relay(),                                             // AMTRELAY (RFC 8777)
            // TA, DLV (RFC 4431): as DS
            32768 | 32769 => self.number::<u16>().and_then(|()| self.digest()),
            _ => return None,
        })
    }

    fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The next field as it is written.
    fn next(&mut self) -> Result<&'a str, Wrong> {
        let token = self.tokens.get(self.at).ok_or("a field is missing at the end")?;
        self.at += 1;
        Ok(token.text)
    }

    /// The next field, which is what `read` makes of it.
    fn next_as<T>(&mut self, wrong: Wrong, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
        let text = self.next()?;
        read(text).ok_or_else(|| {
            self.at -= 1;
            wrong
        })
    }

    fn number_of<N: std::str::FromStr>(&mut self) -> Result<N, Wrong> {
        self.next_as("this is no number of the right size", |text| {
            text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
        })
    }

    fn number<N: Number>(&mut self) -> Result<(), Wrong> {
        let number: N = self.number_of()?;
        number.append(self.out);
        Ok(())
    }

    /// A number, or the word that stands for it.
    fn mnemonic<N: Number + Copy>(&mut self, words: &[(&str, N)]) -> Result<(), Wrong> {
        let number =
            self.next_as("neither a number of the right size nor a word that stands for one", |text| {
                let word = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
                word.map(|&(_, number)| number).or_else(|| text.parse().ok())
            })?;
        number.append(self.out);
        Ok(())
    }

    fn name(&mut self) -> Result<(), Wrong> {
        let (origin, out) = (self.origin, &mut *self.out);
        let token = self.tokens.get(self.at).ok_or("a field is missing at the end")?;
        match origin {
            Some(origin) => append_name(token.text, origin, out).map_err(|_| "this is no domain name")?,
            None if token.text.ends_with('.') => {
                append_name(token.text, &DomainName::root(), out).map_err(|_| "this is no domain name")?;
            }
            None => return Err("a relative name, but no `$ORIGIN` before it"),
        }
        self.at += 1;
        Ok(())
    }

    fn names(&mut self) -> Result<(), Wrong> {
        while !self.is_done() {
            self.name()?;
        }
        Ok(())
    }

    /// A text of up to 255 octets (RFC 1035 section 3.3).
    fn text(&mut self) -> Result<(), Wrong> {
        let text = self.next_as("this is no text", unquoted)?;
        let length = u8::try_from(text.len()).map_err(|_| "a text is longer than 255 octets")?;
        self.out.push(length);
        self.out.extend_from_slice(&text);
        Ok(())
    }

    /// All texts that are left, perhaps none.
    fn texts(&mut self) -> Result<(), Wrong> {
        while !self.is_done() {
            self.text()?;
        }
        Ok(())
    }

    /// Everything that is left, which may be in pieces.
    fn rest(&mut self) -> Result<String, Wrong> {
        let mut rest = self.next()?.to_owned();
        while let Ok(more) = self.next() {
            rest += more;
        }
        Ok(rest)
    }

    fn base64(&mut self) -> Result<(), Wrong> {
        let rest = self.rest()?;
        STANDARD.decode_vec(rest, self.out).map_err(|_| "this is not in base 64")
    }

    fn hexadecimal(&mut self) -> Result<(), Wrong> {
        let rest = self.rest()?;
        let octets = hexadecimal(&rest).ok_or("these are not pairs of hexadecimal digits")?;
        self.out.extend_from_slice(&octets);
        Ok(())
    }

    fn ipv4(&mut self) -> Result<(), Wrong> {
        let address: Ipv4Addr = self.next_as("this is no IPv4 address", |text| text.parse().ok())?;
        self.out.extend_from_slice(&address.octets());
        Ok(())
    }

    /// Groups of up to four hexadecimal digits, with colons between them (RFC 6742 section 2.1.2).
    fn groups(&mut self, groups: usize) -> Result<(), Wrong> {
        let octets =
            self.next_as("this is not four groups of hexadecimal digits, such as 2001:db8:0:1", |text| {
                let read = |group: &str| {
                    (1..=4).contains(&group.len()).then(|| u16::from_str_radix(group, 16).ok())?
                };
                let all: Vec<u16> = text.split(':').map(read).collect::<Option<_>>()?;
                (all.len() == groups && !text.contains('+')).then_some(all)
            })?;
        octets.iter().for_each(|group| self.out.extend_from_slice(&group.to_be_bytes()));
        Ok(())
    }

    /// Pairs of hexadecimal digits, with hyphens between them (RFC 7043 sections 3.2 and 4.2).
    fn hardware_address(&mut self, octets: usize) -> Result<(), Wrong> {
        let address = self.next_as("this is no hardware address such as 00-00-5e-00-53-2a", |text| {
            let pairs = text.split('-').map(|pair| (pair.len() == 2).then(|| hexadecimal(pair))?);
            let all: Vec<u8> = pairs.collect::<Option<Vec<_>>>()?.concat();
            (all.len() == octets).then_some(all)
        })?;
        self.out.extend_from_slice(&address);
        Ok(())
    }

    /// The types of a name, as a bitmap (RFC 4034 section 4.1.2).
    fn bitmap(&mut self) -> Result<(), Wrong> {
        let mut windows = BTreeMap::<u8, Vec<u8>>::new();
        while !self.is_done() {
            let kind: RecordType = self.next_as("this is no record type", |text| text.parse().ok())?;
            let [window, bit] = kind.get().to_be_bytes();
            let octets = windows.entry(window).or_default();
            let at = usize::from(bit / 8);
            octets.resize(octets.len().max(at + 1), 0);
            octets[at] |= 0x80 >> (bit % 8);
        }
        for (window, octets) in windows {
            self.out.extend_from_slice(&[window, octets.len() as u8]); // at most 32
            self.out.extend_from_slice(&octets);
        }
        Ok(())
    }

    fn certificate(&mut self) -> Result<(), Wrong> {
        self.mnemonic(CERTIFICATES)?;
        self.number::<u16>()?;
        self.mnemonic(ALGORITHMS)?;
        self.base64()
    }

    fn key(&mut self) -> Result<(), Wrong> {
        self.number::<u16>()?;
        self.number::<u8>()?;
        self.mnemonic(ALGORITHMS)?;
        self.base64()
    }

    fn digest(&mut self) -> Result<(), Wrong> {
        self.mnemonic(ALGORITHMS)?;
        self.number::<u8>()?;
        self.hexadecimal()
    }

    fn association(&mut self) -> Result<(), Wrong> {
        self.number::<u8>()?;
        self.number::<u8>()?;
        self.number::<u8>()?;
        self.hexadecimal()
    }

    /// RFC 8005 section 6: in text the algorithm comes first, on the wire the lengths do.
    fn host_identity(&mut self) -> Result<(), Wrong> {
        let algorithm: u8 = self.number_of()?;
        let tag = self.next_as("the tag is not in hexadecimal, up to 255 octets", |text| {
            hexadecimal(text).filter(|tag| !tag.is_empty() && tag.len() <= 255)
        })?;
        let key = self.next_as("the key is not in base 64", |text| {
            STANDARD.decode(text).ok().filter(|key| !key.is_empty() && key.len() <= usize::from(u16::MAX))
        })?;
        self.out.extend_from_slice(&[tag.len() as u8, algorithm]);
        self.out.extend_from_slice(&(key.len() as u16).to_be_bytes());
        self.out.extend_from_slice(&tag);
        self.out.extend_from_slice(&key);
        self.names()
    }

    /// RFC 9859 section 2.1.
    fn delegation_sync(&mut self) -> Result<(), Wrong> {
        let kind: RecordType = self.next_as("this is no record type", |text| text.parse().ok())?;
        self.out.extend_from_slice(&kind.get().to_be_bytes());
        self.mnemonic(&[("NOTIFY", 1u8)])?;
        self.number::<u16>()?;
        self.name()
    }

    /// RFC 7553 section 4: the target has no length in front of it.
    fn uri(&mut self) -> Result<(), Wrong> {
        self.number::<u16>()?;
        self.number::<u16>()?;
        let is_uri = |text: &str| unquoted(text).filter(|uri| !uri.is_empty() && text.starts_with('"'));
        let uri = self.next_as("the target is a URI in quotes", is_uri)?;
        self.out.extend_from_slice(&uri);
        Ok(())
    }

    /// RFC 8777 section 4.3.
    fn relay(&mut self) -> Result<(), Wrong> {
        self.number::<u8>()?;
        let may_be_discovered = self.next_as("this is 0 or 1", |text| match text {
            "0" => Some(0),
            "1" => Some(0x80),
            _ => None,
        })?;
        let form = self.next_as("this is 0 for none, 1 for IPv4, 2 for IPv6, 3 for a name", |text| {
            text.parse().ok().filter(|form: &u8| *form <= 3)
        })?;
        self.out.push(may_be_discovered | form);
        match form {
            0 => self.next_as("no relay is written `.`", |text| (text == ".").then_some(())),
            1 => self.ipv4(),
            2 => {
                let address: Ipv6Addr = self.next_as("this is no IPv6 address", |text| text.parse().ok())?;
                self.out.extend_from_slice(&address.octets());
                Ok(())
            }
            _ => self.name(),
        }
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// The octets of a text, without its quotes and escapes (RFC 1035 section 5.1).
fn unquoted(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let (mut octets, mut rest) = (Vec::new(), inner.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        (octets, rest) = match (first, after) {
            (b'\\', [d0, d1, d2, after @ ..]) if d0.is_ascii_digit() => {
                let number = std::str::from_utf8(&[*d0, *d1, *d2]).ok()?.parse().ok()?;
                (with(octets, number), after)
            }
            (b'\\', [escaped, after @ ..]) => (with(octets, *escaped), after),
            (b'\\', []) => return None,
            (octet, after) => (with(octets, octet), after),
        };
    }
    Some(octets)
}

fn with(mut octets: Vec<u8>, octet: u8) -> Vec<u8> {
    octets.push(octet);
    octets
}

/// The family and the octets of an address.
fn family(address: IpAddr) -> (u16, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (1, address.octets().into()),
        IpAddr::V6(address) => (2, address.octets().into()),
    }
}
