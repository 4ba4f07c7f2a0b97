//! `tcp = { port = 25, banner = "220 " }`

use super::Question;
use super::target::Target;
use check::tcp::Expectation;
use document::Table;
use std::net::IpAddr;

/// A TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Tcp {
    expectation: Expectation,
    target: Target,
}

impl Tcp {
    pub(super) fn name(&self) -> String {
        format!("tcp {}", self.target.port())
    }

    pub(super) fn questions(&self, addresses: &[IpAddr]) -> Vec<(String, Question)> {
        let question = |way| Question::Tcp { way, expectation: self.expectation.clone() };
        self.target.ways(addresses).into_iter().map(|(called, way)| (called, question(way))).collect()
    }
}

pub(super) fn read(table: &Table) -> Option<Tcp> {
    let port = table.required("port").number_in(1..=u16::MAX);
    let banner = table.optional("banner").text();
    let banner = banner.map(|text| {
        if text.len() > Expectation::LONGEST || text.is_empty() {
            let message = format!("a banner has 1 to {} octets", Expectation::LONGEST);
            table.document().fault(text.span.clone(), message);
        }
        text.value.to_owned()
    });
    // The port is part of the check's name, so it is the usual one.
    let target = port.and_then(|port| Target::with_port(table, port.value, port.value));
    Some(Tcp { expectation: Expectation { banner }, target: target? })
}
