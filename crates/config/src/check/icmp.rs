//! `icmp = { address = "10.0.0.1" }`

use super::Question;
use super::target::Target;
use document::Table;
use std::net::IpAddr;

/// An echo request.
#[derive(Clone, Debug)]
pub(crate) struct Icmp {
    target: Target,
}

impl Icmp {
    pub(super) fn name(&self) -> String {
        "icmp".to_owned()
    }

    pub(super) fn questions(&self, addresses: &[IpAddr]) -> Vec<(String, Question)> {
        let question = |(called, way)| (called, Question::Icmp { way });
        self.target.ways(addresses).into_iter().map(question).collect()
    }
}

pub(super) fn read(table: &Table) -> Option<Icmp> {
    // ICMP has no ports.
    Some(Icmp { target: Target::with_port(table, 0, 0)? })
}
