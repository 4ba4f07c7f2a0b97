//! The data of one record, from text to octets. The only module that knows the `domain` crate, which
//! reads the presentation form of most types, and the form of RFC 3597 for every other.
//!
//! What zones are full of is read by [`plain`], which takes a fortieth of the time. It reads the plain form only
//! and never judges: what it does not take goes to the `domain` crate, which finds the words for what is wrong. What that
//! crate does not read is [`described`].

mod described;
mod number;
mod plain;

use super::entries::Token;
use domain::base::ParsedName;
use domain::base::iana::Rtype;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use std::fmt::Write;
use std::ops::Range;
use terms::{DomainName, DomainNameError, RecordType};

/// What is wrong with the data of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdataFault {
    /// The token at or before which it was seen.
    pub(super) token: usize,
    /// In words.
    pub(super) message: String,
}

/// Appends a name as it is written in a zone file, in wire form.
pub(super) fn append_name(text: &str, origin: &DomainName, out: &mut Vec<u8>) -> Result<(), DomainNameError> {
    match text {
        "@" => {
            out.extend_from_slice(origin.as_wire());
            Ok(())
        }
        text => DomainName::append_below(text, origin, out),
    }
}

/// Appends the data that `tokens` write, without compression; relative names are below `origin`.
pub(super) fn encode(
    kind: RecordType,
    tokens: &[Token<'_>],
    origin: Option<&DomainName>,
    out: &mut Vec<u8>,
) -> Result<(), RdataFault> {
    let before = out.len();
    if plain::encode(kind, tokens, origin, out).is_some() {
        return Ok(());
    }
    out.truncate(before);
    match described::encode(kind, tokens, origin, out) {
        Some(read) => read?,
        None => out.extend_from_slice(&scan(kind, tokens, origin)?),
    }
    Ok(())
}

/// Has the `domain` crate read the data.
fn scan(kind: RecordType, tokens: &[Token<'_>], origin: Option<&DomainName>) -> Result<Vec<u8>, RdataFault> {
    let last = tokens.len().saturating_sub(1);
    let whole = |message: &str| RdataFault { token: last, message: message.to_owned() };
    let line = Line::of(kind, tokens, origin);
    let mut scanner = Zonefile::from(line.text.as_str());
    let data = match scanner.next_entry() {
        Ok(Some(Entry::Record(record))) => record.into_data(),
        Ok(_) => return Err(whole("there is no data")),
        Err(error) => return Err(line.fault(&error.to_string(), last)),
    };
    let mut octets = Vec::new();
    data.compose_rdata(&mut octets).map_err(|_| whole("the data is longer than 65535 octets"))?;
    if u16::try_from(octets.len()).is_err() {
        return Err(whole("the data is longer than 65535 octets"));
    }
    if !is_well_formed(kind, &octets) {
        return Err(whole("the octets are not data of this type"));
    }
    Ok(octets)
}

/// Whether the octets read and write as themselves. Of a zone file only data in the form of RFC 3597 can fail here: the
/// rest was encoded by its type (and section 4 forbids pointers in it).
pub(super) fn is_well_formed(kind: RecordType, octets: &[u8]) -> bool {
    let mut parser = Parser::from_ref(octets);
    let parsed =
        ZoneRecordData::<&[u8], ParsedName<&[u8]>>::parse_rdata(Rtype::from_int(kind.get()), &mut parser);
    let mut again = Vec::new();
    match parsed {
        Ok(Some(data)) => data.compose_rdata(&mut again).is_ok() && again == octets,
        Ok(None) | Err(_) => false,
    }
}

/// One record on one line, as the scanner is to read it.
struct Line {
    text: String,
    /// Lines before the record's.
    above: usize,
    /// Where each token ends in its line, in octets.
    ends: Vec<usize>,
}

impl Line {
    fn of(kind: RecordType, tokens: &[Token<'_>], origin: Option<&DomainName>) -> Self {
        let mut text = String::new();
        if let Some(origin) = origin {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "$ORIGIN {origin}");
        }
        let start = text.len();
        let _ = write!(text, ". 0 IN TYPE{}", kind.get());
        let mut ends = Vec::with_capacity(tokens.len());
        for token in tokens {
            text.push(' ');
            match origin {
                // The scanner takes it for a label here.
                Some(origin) if token.text == "@" && has_names(kind) => {
                    let _ = write!(text, "{origin}");
                }
                // A text is octets; the scanner takes those of ASCII only, and others as numbers.
                _ if token.text.starts_with('"') || kind == RecordType::TXT => {
                    append_in_ascii(token.text, &mut text);
                }
                _ => text.push_str(token.text),
            }
            ends.push(text.len() - start);
        }
        text.push('\n');
        Line { text, above: usize::from(origin.is_some()), ends }
    }

    /// The scanner's `line:column: words`, as a fault of one of our tokens.
    fn fault(&self, error: &str, last: usize) -> RdataFault {
        let mut parts = error.splitn(3, ':');
        let mut number =
            || parts.next().and_then(|part| part.trim().parse::<usize>().ok()).unwrap_or(usize::MAX);
        let (line, column) = (number(), number());
        let token = match line.checked_sub(self.above + 1) {
            Some(0) => self.ends.iter().position(|&end| column <= end + 1).unwrap_or(last),
            _ => last,
        };
        RdataFault { token, message: in_plain_words(parts.next().unwrap_or(error).trim()) }
    }
}

/// Appends a text with every octet that is not ASCII as `\DDD` (RFC 1035 section 5.1).
fn append_in_ascii(text: &str, line: &mut String) {
    for character in text.chars() {
        if character.is_ascii() {
            line.push(character);
            continue;
        }
        for octet in character.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\{octet:03}");
        }
    }
}

/// The scanner's words, where they would not help whoever writes a zone.
fn in_plain_words(words: &str) -> String {
    match words {
        "unexpected end of entry" | "short buffer" => "a field is missing at the end".to_owned(),
        "trailing tokens" => "there is more than this type has fields".to_owned(),
        "missing origin" => "a relative name, but no `$ORIGIN` before it".to_owned(),
        "bad name" => "this is no domain name".to_owned(),
        "bad symbol" => {
            "a letter that is not ASCII: write a name in its `xn--` form, an octet as `\\DDD`".to_owned()
        }
        "bad charstr" => "a text is longer than 255 octets".to_owned(),
        "unknown record type with concrete data" => "this type has no text form here".to_owned(),
        _ => words.to_owned(),
    }
}

/// Octets before the names that are compressed in the data of a type, and how many names there are: those of RFC 1035
/// only (RFC 3597 section 4).
pub(crate) fn compressed_names(kind: RecordType) -> (usize, usize) {
    match kind {
        RecordType::NS | RecordType::CNAME | RecordType::PTR => (0, 1),
        RecordType::MX => (2, 1),
        RecordType::SOA => (0, 2),
        _ => (0, 0),
    }
}

/// Whether the data of a type has names, and no text that could be `@`.
fn has_names(kind: RecordType) -> bool {
    // Besides those that are named: MD to MR, MINFO, AFSDB, RT, PX, KX.
    let old = [3, 4, 7, 8, 9, 14, 18, 21, 26, 36];
    matches!(
        kind,
        RecordType::NS
            | RecordType::CNAME
            | RecordType::SOA
            | RecordType::PTR
            | RecordType::MX
            | RecordType::RP
            | RecordType::SRV
            | RecordType::DNAME
            | RecordType::RRSIG
            | RecordType::NSEC
            | RecordType::SVCB
            | RecordType::HTTPS
    ) || old.contains(&kind.get())
}

/// Where in the data the name is whose addresses help whoever asks for the record (RFC 1034 section 4.3.2 step 6, RFC
/// 2782, RFC 9460 section 4.1).
pub(super) fn target(kind: RecordType, data: &[u8]) -> Option<Range<usize>> {
    let start = match kind {
        RecordType::NS => 0,
        RecordType::MX | RecordType::SVCB | RecordType::HTTPS => 2,
        RecordType::SRV => 6,
        _ => return None,
    };
    Some(start..start + name_length(data.get(start..)?))
}

/// Whether the data says that the service is at the owner itself: a target `.` that is no alias (RFC 9460 section
/// 2.5.2).
pub(super) fn is_at_owner(kind: RecordType, data: &[u8]) -> bool {
    matches!(kind, RecordType::SVCB | RecordType::HTTPS)
        && !data.starts_with(&[0, 0])
        && data.get(2) == Some(&0)
}

/// Octets of the name at the front, with its closing zero; all of them when it has none.
pub(super) fn name_length(data: &[u8]) -> usize {
    let labels: usize = crate::name::labels(data).map(|label| 1 + label.len()).sum();
    data.len().min(labels + 1)
}

/// A name of a record's data, as people read it.
pub(super) fn shown_name(data: &[u8]) -> String {
    DomainName::from_wire(&data[..name_length(data)]).map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::fault::Place;
    use proptest::prelude::*;

    /// What the quick reader and the `domain` crate make of a text.
    fn both(kind: &str, text: &str) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let kind: RecordType = kind.parse().unwrap();
        let origin: DomainName = "Example.".parse().unwrap();
        let place = Place::default();
        let tokens: Vec<Token<'_>> =
            text.split_ascii_whitespace().map(|text| Token { text, place }).collect();
        let mut octets = Vec::new();
        let quick = plain::encode(kind, &tokens, Some(&origin), &mut octets).map(|()| octets);
        (quick, scan(kind, &tokens, Some(&origin)).ok())
    }

    #[test]
    fn what_zones_are_full_of_is_read_quickly_and_right() {
        let hash = "2vptu5timamqttgl4luu9kg21e0aor3s";
        let signature = "A 13 2 3600 20360131000000 20260228235959 2371 Example. aGVsbG8gd29ybGQ= ";
        for (kind, text) in [
            ("A", "192.0.2.1"),
            ("AAAA", "2001:db8::1"),
            ("NS", "ns1"),
            ("CNAME", "@"),
            ("MX", "10 @"),
            ("DNAME", "Other.test."),
            ("MX", "10 mail"),
            ("SRV", "1 2 443 host.test."),
            ("TXT", "\"one\" two \"\""),
            ("DS", "12345 13 2 49fd46e6c4b45c55d4ac 69cbd3cd34ac1afe51de49fd46e6c4b45c55d4ac69cb"),
            ("DNSKEY", "257 3 13 aGVsbG8g d29ybGQ="),
            ("RRSIG", signature),
            ("RRSIG", &signature.replace("20360131000000", "2000000000")),
            ("NSEC", "next A NS MX RRSIG NSEC TYPE1234 TYPE65280"),
            ("NSEC3", &format!("1 1 12 aabbccdd {hash} MX DNSKEY NS SOA NSEC3PARAM RRSIG")),
            ("NSEC3", &format!("1 0 0 - {hash}")),
        ] {
            let (quick, slow) = both(kind, text);
            assert!(quick.is_some(), "{kind} {text}");
            assert_eq!(quick, slow, "{kind} {text}");
        }
    }

    #[test]
    fn days_that_there_are_not_are_refused() {
        for moment in
            ["20260230000000", "20260431000000", "20261301000000", "20260100000000", "20260101240000"]
        {
            let text = format!("A 13 2 3600 {moment} 20260101000000 2371 example. aGk=");
            assert_eq!(both("RRSIG", &text), (None, None), "{moment}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn what_is_read_quickly_is_read_right(
            kind in prop::sample::select(vec![
                "A", "AAAA", "NS", "MX", "SRV", "TXT", "DS", "DNSKEY", "RRSIG", "NSEC", "NSEC3",
            ]),
            fields in prop::collection::vec(prop::sample::select(vec![
                "0", "1", "13", "255", "256", "65535", "65536", "4294967295", "007", "+1", "-", "@", "a", "a.b.", ".",
                "a..b", "\\046", "x\\", "\"q\"", "\"", "192.0.2.1", "192.0.2.01", "::", "::1.2.3.4", "fe80::1%eth0",
                "A", "rrsig", "TYPE257", "TYPE0", "aabb", "aab", "aGk=", "aGk", "aGk==", "20360131000000",
                "20260230000000", "20240229000000", "19691231235959", "21060207062816",
                "2vptu5timamqttgl4luu9kg21e0aor3s", "2vptu5ti", "käse",
            ]), 0..9),
        ) {
            let (quick, slow) = both(kind, &fields.join(" "));
            if quick.is_some() {
                prop_assert_eq!(quick, slow);
            }
        }
    }
}
