//! From a text to records: directives, owner, TTL, class and type (RFC 1035 section 5.1, RFC 2308 section 4).

use super::Include;
use super::entries::{Entries, Token};
use super::fault::{Flaw, Place, Texts};
use super::generate::Generator;
use super::rdata;
use super::records::{Owner, Records, name_of};
use std::borrow::Cow;
use terms::{DomainName, DomainNameError, RecordType};

/// Largest TTL (RFC 2181 section 8), in seconds.
const TTL_MAX: u32 = i32::MAX as u32;
/// What holds when the file never says a TTL, in seconds.
const TTL_UNSAID: u32 = 3600;

/// Files that include each other, one in another: more than anybody needs, and an end where one includes itself.
const DEEPEST: usize = 8;
/// Files that one zone is made of.
const MOST_FILES: usize = 1024;

/// What could be read of a zone.
pub(super) struct Read {
    pub(super) records: Records,
    /// Whether an SOA record is written, even one that cannot be read.
    pub(super) soa_is_written: bool,
}

/// Reads every record; entries that cannot be read become flaws. Answers also with the texts in which they are.
pub(super) fn read<'t>(text: &'t str, include: &mut Include<'_>, flaws: &mut Vec<Flaw>) -> (Read, Texts<'t>) {
    let mut reader = Reader {
        texts: Texts::of(text),
        include,
        flaws,
        files: vec![0],
        records: Records::default(),
        soa_is_written: false,
        origin: None,
        owner: None,
        default_ttl: None,
        last_ttl: None,
        name: Vec::new(),
    };
    reader.text(text, Place::default());
    let Reader { texts, records, soa_is_written, .. } = reader;
    (Read { records, soa_is_written }, texts)
}

/// What earlier entries say about later ones, and the records so far.
struct Reader<'t, 'r> {
    texts: Texts<'t>,
    include: &'r mut Include<'r>,
    flaws: &'r mut Vec<Flaw>,
    /// The number of the file that is read, after those of the ones that include it.
    files: Vec<usize>,
    records: Records,
    soa_is_written: bool,
    /// From `$ORIGIN`.
    origin: Option<DomainName>,
    /// Of the record before.
    owner: Option<Owner>,
    /// From `$TTL`.
    default_ttl: Option<u32>,
    /// Last one that a record gave.
    last_ttl: Option<u32>,
    /// A name, while it is read.
    name: Vec<u8>,
}

impl Reader<'_, '_> {
    /// Reads every entry of a text.
    fn text(&mut self, text: &str, base: Place) {
        let (mut entries, mut tokens) = (Entries::of(text, base), Vec::new());
        while let Some(entry) = entries.next(&mut tokens) {
            if let Err(flaw) = entry.and_then(|indented| self.entry(indented, &tokens)) {
                self.soa_is_written |= tokens.iter().any(|token| token.text.eq_ignore_ascii_case("SOA"));
                self.flaws.push(flaw);
            }
        }
    }

    fn entry(&mut self, indented: bool, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        let Some((first, rest)) = tokens.split_first() else { return Ok(()) };
        if indented {
            return self.record(first.place, tokens);
        }
        if first.text.starts_with('$') {
            return self.directive(first, rest);
        }
        self.owner = None; // a wrong owner must not hand its records to the owner before
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        let read = self.read_name(first, &mut name);
        let owner = read.and_then(|()| self.records.owner(&name, first.place));
        self.name = name;
        self.owner = Some(owner?);
        self.record(first.place, rest)
    }

    fn directive(&mut self, directive: &Token<'_>, arguments: &[Token<'_>]) -> Result<(), Flaw> {
        let name = directive.text.to_ascii_uppercase();
        match (name.as_str(), arguments) {
            ("$ORIGIN", [origin]) => self.origin = Some(self.name(origin)?),
            ("$TTL", [ttl]) => self.default_ttl = Some(read_ttl(ttl)?),
            ("$ORIGIN" | "$TTL", _) => {
                return Err(directive.place.flaw(
                    format!("`{name}` takes one argument, here are {}", arguments.len()),
                    "write `$ORIGIN example.` or `$TTL 3600`",
                ));
            }
            ("$GENERATE", arguments) => {
                for line in Generator::of(directive.place, arguments)?.lines(directive.place) {
                    self.generated(directive.place, &line?)?;
                }
            }
            ("$INCLUDE", [file]) => self.include(file, None)?,
            ("$INCLUDE", [file, origin]) => self.include(file, Some(self.name(origin)?))?,
            ("$INCLUDE", _) => {
                return Err(directive.place.flaw(
                    format!(
                        "`$INCLUDE` takes a file and maybe an origin, here are {} words",
                        arguments.len()
                    ),
                    "write `$INCLUDE hosts.zone` or `$INCLUDE hosts.zone sub.example.`",
                ));
            }
            _ => {
                return Err(directive.place.flaw(
                    format!("`{name}` is no directive"),
                    "there are `$ORIGIN`, `$TTL`, `$INCLUDE` and `$GENERATE`",
                ));
            }
        }
        Ok(())
    }

    /// Another file takes the place of the directive. Afterwards origin and owner are what they were (RFC 1035 section
    /// 5.1).
    fn include(&mut self, file: &Token<'_>, origin: Option<DomainName>) -> Result<(), Flaw> {
        let quoted = file.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let written = quoted.unwrap_or(file.text);
        if self.files.len() > DEEPEST {
            let message = format!("files are included {DEEPEST} deep");
            return Err(file.place.flaw(message, "does one of them include itself?"));
        }
        if self.texts.count() > MOST_FILES {
            return Err(file.place.flaw(format!("more than {MOST_FILES} files"), "put several into one"));
        }
        let from = self.files.last().copied().unwrap_or_default();
        let text = (self.include)(from, written).map_err(|why| {
            file.place.flaw(
                format!("`{written}` cannot be included: {why}"),
                "a file is looked for beside the one that names it",
            )
        })?;
        let Some((number, base)) = self.texts.add(written, &text) else {
            return Err(file.place.flaw("the files are longer than 4 GiB", "split the zone into several"));
        };
        let before = (self.origin.clone(), self.owner);
        self.origin = origin.or_else(|| self.origin.take());
        self.files.push(number);
        self.text(&text, base);
        self.files.pop();
        (self.origin, self.owner) = before;
        Ok(())
    }

    /// A record that a directive wrote: it stands where the directive does.
    fn generated(&mut self, directive: Place, line: &str) -> Result<(), Flaw> {
        let (mut entries, mut tokens) = (Entries::of(line, Place::default()), Vec::new());
        while let Some(entry) = entries.next(&mut tokens) {
            entry.map_err(|flaw| Flaw { place: directive, ..flaw })?;
            tokens.iter_mut().for_each(|token| token.place = directive);
            self.entry(false, &tokens)?;
        }
        Ok(())
    }

    fn name(&self, token: &Token<'_>) -> Result<DomainName, Flaw> {
        let mut wire = Vec::new();
        self.read_name(token, &mut wire)?;
        DomainName::from_wire(&wire).map_err(|error| wrong_name(token, &error))
    }

    /// Appends a name in wire form.
    fn read_name(&self, token: &Token<'_>, wire: &mut Vec<u8>) -> Result<(), Flaw> {
        let read = match (&self.origin, token.text) {
            (Some(origin), text) => rdata::append_name(text, origin, wire),
            (None, text) if text.ends_with('.') => rdata::append_name(text, &DomainName::root(), wire),
            (None, text) => {
                return Err(token.place.flaw(
                    format!("`{text}` is a relative name, but there is no `$ORIGIN` before it"),
                    "begin the file with `$ORIGIN example.` or end the name with a dot",
                ));
            }
        };
        read.map_err(|error| wrong_name(token, &error))
    }

    /// A record whose owner is known; `tokens` are what follows the owner.
    fn record(&mut self, place: Place, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        let owner = self.owner.ok_or_else(|| {
            place.flaw(
                "there is no owner to take over from the record before",
                "begin the line with a name or `@`",
            )
        })?;
        let (ttl, kind, data) = fields(place, tokens)?;
        let ttl = match ttl {
            Some(said) => *self.last_ttl.insert(said),
            None => self.default_ttl.or(self.last_ttl).unwrap_or(TTL_UNSAID),
        };
        self.soa_is_written |= kind == RecordType::SOA;
        let seconds = timers(kind, data)?;
        let plain = in_seconds(data, &seconds);
        let Reader { records, origin, .. } = self;
        let pushed = records.push(owner, kind, ttl, place, |octets| {
            rdata::encode(kind, &plain, origin.as_ref(), octets).map_err(|wrong| {
                let place = data.get(wrong.token).map_or(place, |token| token.place);
                place.flaw(wrong.message, hint_for(kind))
            })
        });
        pushed.map_err(|flaw| {
            let owner = name_of(self.records.key(owner));
            Flaw { message: format!("{kind} of {owner}: {}", flaw.message), ..flaw }
        })
    }
}

fn wrong_name(token: &Token<'_>, error: &DomainNameError) -> Flaw {
    token.place.flaw(format!("`{}` is no domain name: {error}", token.text), "see RFC 1035 section 5.1")
}

/// TTL, class and type, the first two in any order or not at all; and the tokens of the data.
fn fields<'t, 'a>(
    place: Place,
    tokens: &'t [Token<'a>],
) -> Result<(Option<u32>, RecordType, &'t [Token<'a>]), Flaw> {
    let (mut ttl, mut class_said) = (None, false);
    for (index, token) in tokens.iter().enumerate() {
        if ttl.is_none() && token.text.starts_with(|first: char| first.is_ascii_digit()) {
            ttl = Some(read_ttl(token)?);
        } else if !class_said && is_class(token.text) {
            if !token.text.eq_ignore_ascii_case("IN") {
                return Err(token.place.flaw(format!("class {} is not served", token.text), "write `IN`"));
            }
            class_said = true;
        } else if let Ok(kind) = token.text.parse::<RecordType>() {
            if !kind.is_data() {
                return Err(token.place.flaw(
                    format!("{kind} is for questions and messages, not for zones"),
                    "remove the record",
                ));
            }
            return Ok((ttl, kind, &tokens[index + 1..]));
        } else {
            return Err(token.place.flaw(
                format!("`{}` is no record type", token.text),
                "write a type such as A, or TYPE65280 for one without a name",
            ));
        }
    }
    let end = tokens.last().map_or(place, |token| token.place);
    Err(end.flaw("the line ends before a record type", "a record is `name [TTL] [IN] TYPE data`"))
}

fn is_class(text: &str) -> bool {
    let numbered = |digits: &str| !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    match text.get(..5) {
        Some(front) => front.eq_ignore_ascii_case("CLASS") && numbered(&text[5..]),
        None => ["IN", "CH", "HS", "CS"].iter().any(|class| class.eq_ignore_ascii_case(text)),
    }
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

fn read_ttl(token: &Token<'_>) -> Result<u32, Flaw> {
    let hint = "write seconds up to 2147483647, or units such as `1h30m` (RFC 2181 section 8)";
    match read_seconds(token.text) {
        Some(ttl @ ..=TTL_MAX) => Ok(ttl),
        _ => Err(token.place.flaw(format!("`{}` is no TTL", token.text), hint)),
    }
}

/// The timers of an SOA, which people write as `1h`, in seconds. Empty for every other type.
fn timers(kind: RecordType, data: &[Token<'_>]) -> Result<Vec<String>, Flaw> {
    match data {
        [_, _, _, timers @ ..] if kind == RecordType::SOA && timers.len() == 4 => {
            timers.iter().map(|token| Ok(read_ttl(token)?.to_string())).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// The data with its timers in seconds.
fn in_seconds<'a>(data: &'a [Token<'a>], seconds: &'a [String]) -> Cow<'a, [Token<'a>]> {
    if seconds.is_empty() {
        return Cow::Borrowed(data);
    }
    let mut plain = data.to_vec();
    for (token, text) in plain.iter_mut().skip(3).zip(seconds) {
        token.text = text;
    }
    Cow::Owned(plain)
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
