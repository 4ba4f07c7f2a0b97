//! The data of one record, from text to octets. The only module that knows the `domain` crate: it reads the
//! presentation form of every type that has one, and the form of RFC 3597 for every other.

use super::entries::Token;
use domain::base::ParsedName;
use domain::base::iana::Rtype;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use std::fmt::Write;
use terms::{DomainName, RecordType};

/// What is wrong with the data of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RdataFault {
    /// The token at or before which it was seen.
    pub(super) token: usize,
    /// In words.
    pub(super) message: String,
}

/// Encodes the data that `tokens` write, without compression; relative names are below `origin`.
pub(super) fn encode(
    kind: RecordType,
    tokens: &[Token<'_>],
    origin: Option<&DomainName>,
) -> Result<Vec<u8>, RdataFault> {
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

/// Whether the octets read and write as themselves. Only data in the form of RFC 3597 can fail here: the rest was
/// encoded by its type (and section 4 forbids pointers in it).
fn is_well_formed(kind: RecordType, octets: &[u8]) -> bool {
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
            text.push_str(token.text);
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

/// The scanner's words, where they would not help whoever writes a zone.
fn in_plain_words(words: &str) -> String {
    match words {
        "unexpected end of entry" | "short buffer" => "a field is missing at the end".to_owned(),
        "trailing tokens" => "there is more than this type has fields".to_owned(),
        "missing origin" => "a relative name, but no `$ORIGIN` before it".to_owned(),
        "bad name" => "this is no domain name".to_owned(),
        "bad charstr" => "a text is longer than 255 octets".to_owned(),
        "unknown record type with concrete data" => "this type has no text form here".to_owned(),
        _ => words.to_owned(),
    }
}
