//! From entries to records: directives, owner, TTL, class and type (RFC 1035 section 5.1, RFC 2308 section 4).

use super::entries::{Entries, Entry, Token};
use super::fault::{Fault, Place};
use super::rdata;
use terms::{DomainName, RecordType};

/// One record of the file.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) owner: DomainName,
    pub(super) kind: RecordType,
    /// Seconds.
    pub(super) ttl: u32,
    /// Without compression.
    pub(super) data: Vec<u8>,
}

/// Largest TTL (RFC 2181 section 8), in seconds.
const TTL_MAX: u32 = i32::MAX as u32;
/// What holds when the file never says a TTL, in seconds.
const TTL_UNSAID: u32 = 3600;

/// What could be read of a file.
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    /// Whether an SOA record is written, even one that cannot be read.
    pub(super) soa_is_written: bool,
}

/// Reads every record; entries that cannot be read become faults.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Records {
    let mut reader = Reader::default();
    let mut read = Records { records: Vec::new(), soa_is_written: false };
    for entry in Entries::of(text) {
        let record = entry.and_then(|entry| {
            read.soa_is_written |= entry.tokens.iter().any(|token| token.text.eq_ignore_ascii_case("SOA"));
            reader.entry(&entry)
        });
        match record {
            Ok(record) => read.records.extend(record),
            Err(fault) => faults.push(fault),
        }
    }
    read
}

/// What earlier entries say about later ones.
#[derive(Default)]
struct Reader {
    /// From `$ORIGIN`.
    origin: Option<DomainName>,
    /// Of the record before.
    owner: Option<DomainName>,
    /// From `$TTL`.
    default_ttl: Option<u32>,
    /// Last one that a record gave.
    last_ttl: Option<u32>,
}

impl Reader {
    fn entry(&mut self, entry: &Entry<'_>) -> Result<Option<Record>, Fault> {
        let Some((first, rest)) = entry.tokens.split_first() else { return Ok(None) };
        if entry.indented {
            return self.record(first.place, &entry.tokens).map(Some);
        }
        if first.text.starts_with('$') {
            self.directive(first, rest)?;
            return Ok(None);
        }
        self.owner = None; // a wrong owner must not hand its records to the owner before
        self.owner = Some(self.name(first)?);
        self.record(first.place, rest).map(Some)
    }

    fn directive(&mut self, directive: &Token<'_>, arguments: &[Token<'_>]) -> Result<(), Fault> {
        let name = directive.text.to_ascii_uppercase();
        match (name.as_str(), arguments) {
            ("$ORIGIN", [origin]) => self.origin = Some(self.name(origin)?),
            ("$TTL", [ttl]) => self.default_ttl = Some(read_ttl(ttl)?),
            ("$ORIGIN" | "$TTL", _) => {
                return Err(directive.place.fault(
                    format!("`{name}` takes one argument, here are {}", arguments.len()),
                    "write `$ORIGIN example.` or `$TTL 3600`",
                ));
            }
            ("$INCLUDE" | "$GENERATE", _) => {
                return Err(directive
                    .place
                    .fault(format!("`{name}` is not supported yet"), "write the records into this file"));
            }
            _ => {
                return Err(directive
                    .place
                    .fault(format!("`{name}` is no directive"), "there are `$ORIGIN` and `$TTL`"));
            }
        }
        Ok(())
    }

    fn name(&self, token: &Token<'_>) -> Result<DomainName, Fault> {
        let ends_with_dot = token.text.ends_with('.');
        let wrong = |error: terms::DomainNameError| {
            token
                .place
                .fault(format!("`{}` is no domain name: {error}", token.text), "see RFC 1035 section 5.1")
        };
        match (&self.origin, token.text) {
            (Some(origin), "@") => Ok(origin.clone()),
            (Some(origin), text) => DomainName::parse_below(text, origin).map_err(wrong),
            (None, text) if ends_with_dot => text.parse().map_err(wrong),
            (None, text) => Err(token.place.fault(
                format!("`{text}` is a relative name, but there is no `$ORIGIN` before it"),
                "begin the file with `$ORIGIN example.` or end the name with a dot",
            )),
        }
    }

    /// A record whose owner is known; `tokens` are what follows the owner.
    fn record(&mut self, place: Place, tokens: &[Token<'_>]) -> Result<Record, Fault> {
        let owner = self.owner.clone().ok_or_else(|| {
            place.fault(
                "there is no owner to take over from the record before",
                "begin the line with a name or `@`",
            )
        })?;
        let (ttl, kind, data) = fields(place, tokens)?;
        let ttl = match ttl {
            Some(said) => *self.last_ttl.insert(said),
            None => self.default_ttl.or(self.last_ttl).unwrap_or(TTL_UNSAID),
        };
        let plain = Plain::of(kind, data)?;
        let data = rdata::encode(kind, &plain.tokens(data), self.origin.as_ref()).map_err(|wrong| {
            let place = data.get(wrong.token).map_or(place, |token| token.place);
            place.fault(format!("{kind} of {owner}: {}", wrong.message), hint_for(kind))
        })?;
        Ok(Record { place, owner, kind, ttl, data })
    }
}

/// TTL, class and type, the first two in any order or not at all; and the tokens of the data.
fn fields<'t, 'a>(
    place: Place,
    tokens: &'t [Token<'a>],
) -> Result<(Option<u32>, RecordType, &'t [Token<'a>]), Fault> {
    let (mut ttl, mut class_said) = (None, false);
    for (index, token) in tokens.iter().enumerate() {
        if let Ok(kind) = token.text.parse::<RecordType>() {
            if !kind.is_data() {
                return Err(token.place.fault(
                    format!("{kind} is for questions and messages, not for zones"),
                    "remove the record",
                ));
            }
            return Ok((ttl, kind, &tokens[index + 1..]));
        } else if !class_said && is_class(token.text) {
            if !token.text.eq_ignore_ascii_case("IN") {
                return Err(token.place.fault(format!("class {} is not served", token.text), "write `IN`"));
            }
            class_said = true;
        } else if ttl.is_none() && token.text.starts_with(|first: char| first.is_ascii_digit()) {
            ttl = Some(read_ttl(token)?);
        } else {
            return Err(token.place.fault(
                format!("`{}` is no record type", token.text),
                "write a type such as A, or TYPE65280 for one without a name",
            ));
        }
    }
    let end = tokens.last().map_or(place, |token| token.place);
    Err(end.fault("the line ends before a record type", "a record is `name [TTL] [IN] TYPE data`"))
}

fn is_class(text: &str) -> bool {
    let numbered = |digits: &str| !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    let upper = text.to_ascii_uppercase();
    matches!(upper.as_str(), "IN" | "CH" | "HS" | "CS") || upper.strip_prefix("CLASS").is_some_and(numbered)
}

/// Seconds as a number, or in BIND's units: `1h30m`, `2w`.
fn read_seconds(text: &str) -> Option<u32> {
    let (mut total, mut number, mut digits) = (0u32, 0u32, 0);
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = number.checked_mul(10)?.checked_add(digit)?;
            digits += 1;
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total = total.checked_add(number.checked_mul(unit)?)?;
        (number, digits) = (0, 0);
    }
    total.checked_add(number)
}

fn read_ttl(token: &Token<'_>) -> Result<u32, Fault> {
    let hint = "write seconds up to 2147483647, or units such as `1h30m` (RFC 2181 section 8)";
    match read_seconds(token.text) {
        Some(ttl @ ..=TTL_MAX) => Ok(ttl),
        _ => Err(token.place.fault(format!("`{}` is no TTL", token.text), hint)),
    }
}

/// The timers of an SOA, which people write as `1h`, in seconds. Empty for every other type.
struct Plain(Vec<(usize, String)>);

impl Plain {
    fn of(kind: RecordType, data: &[Token<'_>]) -> Result<Self, Fault> {
        if kind != RecordType::SOA || data.len() != 7 {
            return Ok(Plain(Vec::new()));
        }
        let timers = data.iter().enumerate().skip(3);
        timers
            .map(|(index, token)| Ok((index, read_ttl(token)?.to_string())))
            .collect::<Result<_, _>>()
            .map(Plain)
    }

    fn tokens<'a>(&'a self, data: &[Token<'a>]) -> Vec<Token<'a>> {
        let mut tokens = data.to_vec();
        for (index, text) in &self.0 {
            tokens[*index].text = text;
        }
        tokens
    }
}

/// What the data of a type looks like.
fn hint_for(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "an A record is one IPv4 address, such as 192.0.2.1",
        RecordType::AAAA => "an AAAA record is one IPv6 address, such as 2001:db8::1",
        RecordType::NS | RecordType::CNAME | RecordType::PTR => "the data is one name",
        RecordType::MX => "an MX record is a preference and a name: `10 mail`",
        RecordType::TXT => {
            "text of up to 255 octets, in quotes when it has blanks; several may follow each other"
        }
        RecordType::SOA => "an SOA record is `server mailbox serial refresh retry expire minimum`",
        RecordType::SRV => "an SRV record is `priority weight port name`",
        RecordType::CAA => "a CAA record is `flags tag \"value\"`",
        _ => "see the RFC of the type, or write its octets as `\\# LENGTH HEX` (RFC 3597 section 5)",
    }
}
