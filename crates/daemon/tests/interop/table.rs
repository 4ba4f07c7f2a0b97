//! The table of peers and features, and how a cell of it is found.

use crate::host::comes_true;
use crate::implementation::{At, Implementation, Route, version};
use crate::peers::{Peers, peer_name};
use crate::site::{ANNOUNCED, Site};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What was found about one feature and one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// It does what the RFC says.
    Passes,
    /// This version of the peer has no such thing; what it does instead was seen.
    Lacks(&'static str),
}

/// A session as both sides see it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) site: &'a Site,
    pub(crate) implementation: &'a dyn Implementation,
    pub(crate) at: At<'a>,
}

impl View<'_> {
    /// What the site calls the peer.
    pub(crate) fn name(&self) -> String {
        peer_name(self.implementation.name(), self.at.session)
    }

    /// Waits until something holds of this peer.
    pub(crate) fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        assert!(comes_true(holds), "still not so: {what}\n{}", self.evidence());
    }

    /// What both sides say about the session, for whoever has to find out why it is not as it should be.
    fn evidence(&self) -> String {
        let (status, sentences) = (self.site.peer(&self.name()), self.site.sentences(&self.name()));
        let routes = ANNOUNCED.map(|prefix| self.route(prefix));
        let theirs = self.implementation.says(&self.at);
        format!(
            "the site: {status:#}\n{sentences:#?}\nits routes at the peer: {routes:#?}\nthe peer: {theirs}"
        )
    }

    /// The site's route in the peer's table.
    pub(crate) fn route(&self, prefix: &str) -> Option<Route> {
        self.implementation.route(&self.at, prefix)
    }

    /// Both sides call the session established.
    pub(crate) fn is_established(&self) -> bool {
        self.site.peer(&self.name())["state"] == "established" && self.implementation.is_established(&self.at)
    }

    /// The session is up and the peer has every route of the site that the session can carry.
    pub(crate) fn is_served(&self) -> bool {
        let carried = self.at.session.families.iter().map(|&family| ANNOUNCED[family as usize]);
        self.is_established() && carried.into_iter().all(|prefix| self.route(prefix).is_some())
    }

    /// How many sentences of the site about this peer contain the words.
    pub(crate) fn heard(&self, words: &str) -> usize {
        self.site.sentences(&self.name()).iter().filter(|sentence| sentence.contains(words)).count()
    }
}

/// Rows in the order in which they were tried.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(&'static str, Vec<Result<Cell, String>>)>,
}

impl Table {
    /// Tries one feature with all peers at once.
    pub(crate) fn row(
        &mut self,
        feature: &'static str,
        peers: &Peers,
        session: usize,
        judge: fn(View<'_>) -> Cell,
    ) {
        let cells: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = peers
                .views(session)
                .map(|view| scope.spawn(move || catch_unwind(AssertUnwindSafe(|| judge(view)))))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap().map_err(sentence)).collect()
        });
        eprintln!("{feature}: {cells:?}");
        self.rows.push((feature, cells));
    }

    /// The table as it stands in the documentation; panics with everything that went wrong.
    pub(crate) fn render(&self, peers: &Peers) -> String {
        let columns: Vec<&dyn Implementation> = peers.implementations().collect();
        let mut faults = Vec::new();
        let mut text = "| |".to_owned();
        for column in &columns {
            let version = version(column.package());
            let upstream = version.split(['-', '+']).next().unwrap_or_default();
            let _ = write!(text, " {} {upstream} |", column.name());
        }
        text.push_str("\n|---|");
        text.push_str(&"---|".repeat(columns.len()));
        for (feature, cells) in &self.rows {
            let _ = write!(text, "\n| {feature} |");
            for (column, cell) in columns.iter().zip(cells) {
                match cell {
                    Ok(Cell::Passes) => text.push_str(" passes |"),
                    Ok(Cell::Lacks(why)) => drop(write!(text, " lacks: {why} |")),
                    Err(fault) => faults.push(format!("{feature}, {}: {fault}", column.name())),
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
        text
    }
}

fn sentence(panic: Box<dyn std::any::Any + Send>) -> String {
    let said = panic.downcast::<String>().map(|text| *text);
    said.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|_| "it panicked".to_owned())
}
