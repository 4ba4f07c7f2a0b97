//! The rows: UPDATEs with one fault each.

mod attributes;
mod message;
mod old_neighbours;
mod prefixes;

use crate::Session;
use crate::octets::{announce, with};

pub(super) struct Row {
    /// Where the RFC says so.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) session: Session,
    pub(super) body: Vec<u8>,
}

/// Rows of one section, all with the same kind of session.
fn section<const N: usize>(
    section: &'static str,
    session: Session,
    rows: [(&'static str, Vec<u8>); N],
) -> impl Iterator<Item = Row> {
    rows.into_iter().map(move |(name, body)| Row { section, name, session, body })
}

/// Rows about one attribute: its flags, and values that it may not have.
fn values<const N: usize>(
    about: &'static str,
    flags: u8,
    code: u8,
    rows: [(&'static str, &[u8]); N],
) -> impl Iterator<Item = Row> {
    section(about, Session::Plain, rows.map(|(name, value)| (name, announce(&with(flags, code, value)))))
}

pub(super) fn rows() -> Vec<Row> {
    let everything: [Box<dyn Iterator<Item = Row>>; 4] = [
        Box::new(message::rows()),
        Box::new(attributes::rows()),
        Box::new(prefixes::rows()),
        Box::new(old_neighbours::rows()),
    ];
    everything.into_iter().flatten().collect()
}
