//! `dns = { name = "example.", type = "SOA" }`

use super::Question;
use super::target::Target;
use check::dns::{Data, Expectation, ResponseCode, Serial};
use document::{Spanned, Table};
use std::net::IpAddr;
use std::time::Duration;
use terms::RecordType;

/// The port of DNS (RFC 1035 section 4.2).
const PORT: u16 = 53;
/// Signatures and zones are renewed within weeks.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// A question to a name server.
#[derive(Clone, Debug)]
pub(crate) struct Dns {
    pub(crate) expectation: Expectation,
    target: Target,
}

impl Dns {
    pub(super) fn name(&self) -> String {
        format!("dns {} {}", self.expectation.name, self.expectation.qtype)
    }

    /// Whether the service itself is asked, and not an address that the file names.
    pub(crate) fn asks_service(&self) -> bool {
        self.target.is_service() && self.target.port() == PORT
    }

    pub(super) fn questions(&self, addresses: &[IpAddr]) -> Vec<(String, Question)> {
        let question = |way| Question::Dns { way, expectation: self.expectation.clone() };
        self.target.ways(addresses).into_iter().map(|(called, way)| (called, question(way))).collect()
    }
}

pub(super) fn read(table: &Table) -> Option<Dns> {
    let name = table.required("name").parse();
    let qtype = table.optional("type").parse::<RecordType>();
    let qtype = qtype.map_or(RecordType::SOA, |qtype| qtype.value);
    let code = table.optional("code").parse::<ResponseCode>();
    let recursive = table.optional("recursive").flag();
    let answer = answer(table, qtype);
    let serial = serial(table, qtype);
    let signed_for = table.optional("signed_for").duration_in(Duration::ZERO..=LONGEST);
    let target = Target::read(table, PORT);
    let code = code.map_or(ResponseCode::NO_ERROR, |code| code.value);
    if code != ResponseCode::NO_ERROR {
        for key in ["answer", "serial", "serial_within", "signed_for"].map(|key| table.optional(key)) {
            if key.is_given() {
                let message = format!("a reply that says {code} has no records");
                table.document().fault(key.key_span(), message);
            }
        }
    }
    let expectation = Expectation {
        code,
        recursive: recursive.is_some_and(|recursive| recursive.value),
        answer: answer?,
        serial,
        signed_for: signed_for.map(|duration| duration.value),
        ..Expectation::new(name?.value, qtype)
    };
    Some(Dns { expectation, target: target? })
}

/// Data that must be there; none where one of it is faulty.
fn answer(table: &Table, qtype: RecordType) -> Option<Vec<Data>> {
    let items = table.optional("answer").one_or_many();
    let data = |text: Spanned<&str>| match Data::parse(qtype, text.value) {
        Ok(data) => Some(data),
        Err(error) => {
            table.document().fault(text.span, error.to_string());
            None
        }
    };
    let read: Vec<Option<Data>> = items.iter().map(|item| item.text().and_then(data)).collect();
    read.into_iter().collect()
}

fn serial(table: &Table, qtype: RecordType) -> Option<Serial> {
    let (at_least, within) = (table.optional("serial"), table.optional("serial_within"));
    for value in [&at_least, &within] {
        if value.is_given() && qtype != RecordType::SOA {
            let hint = "ask for type = \"SOA\", in a check of its own";
            table.document().fault_with_hint(
                value.key_span(),
                format!("records of type {qtype} have no serial"),
                hint,
            );
        }
    }
    if at_least.is_given() && within.is_given() {
        table.document().fault(within.key_span(), "`serial` and `serial_within` exclude each other");
    }
    let at_least = at_least.number_in(0..=u32::MAX).map(|serial| Serial::AtLeast(serial.value));
    let within = within.duration_in(Duration::from_secs(1)..=LONGEST);
    at_least.or(within.map(|duration| Serial::Within(duration.value)))
}
