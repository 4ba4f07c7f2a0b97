//! What a difference says to people.

use super::difference::{CollectorChange, Difference, GroupStep, PeerChange, SectionChange, ServiceChange};
use api::ReloadChange;
use std::collections::BTreeSet;
use std::fmt::Display;
use terms::Prefix;

impl Difference {
    /// A row for each thing that changes.
    pub(crate) fn rows(&self) -> Vec<ReloadChange> {
        let row = |what: &str, name: &dyn Display, becomes: &str| ReloadChange {
            what: what.to_owned(),
            name: name.to_string(),
            becomes: becomes.to_owned(),
        };
        let site = self.site.iter().map(|key| row("site", key, "has another value"));
        let peers = self.peers.iter().map(|(name, change)| row("peer", name, peer(*change)));
        let groups = self.groups.iter().filter_map(|step| match step {
            GroupStep::Same(_) => None,
            GroupStep::Added(name) => Some(row("group", name, "added; announced once its checks pass")),
            GroupStep::Changed { was, now, added, removed } => {
                let name = if was == now { String::new() } else { format!("is called {now} now; ") };
                Some(row("group", was, &(name + &prefixes(added, removed))))
            }
        });
        let gone = self.gone.iter().map(|name| row("group", name, "removed; withdrawn at once"));
        let services = self.services.iter().map(|(name, change)| row("service", name, service(*change)));
        let collectors =
            self.collectors.iter().map(|(name, change)| row("collector", name, collector(*change)));
        let continuity =
            self.continuity.iter().map(|change| row("continuity", &"[continuity]", section(*change)));
        let covers_added = self.covers_added.iter().map(|prefix| row("cover", prefix, "announced"));
        let covers_removed = self.covers_removed.iter().map(|prefix| row("cover", prefix, "withdrawn"));
        let rows = site.chain(peers).chain(groups).chain(gone).chain(services).chain(collectors);
        rows.chain(continuity).chain(covers_added).chain(covers_removed).collect()
    }

    /// A sentence for each thing that cannot change while the daemon runs.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let sentence = |key: &&str| format!("{key} cannot change while the daemon runs: it needs a restart");
        self.needs_restart.iter().map(sentence).collect()
    }
}

fn peer(change: PeerChange) -> &'static str {
    match change {
        PeerChange::Added => "added",
        PeerChange::Removed => "removed; its session ends",
        PeerChange::Session => "other session settings: its session begins again",
        PeerChange::Routes => "other attributes, next hops or limits; its session goes on",
        PeerChange::Transport { routes: false } => "another key or distance; its session goes on",
        PeerChange::Transport { routes: true } => {
            "another key or distance, other attributes or next hops; its session goes on"
        }
    }
}

fn service(change: ServiceChange) -> &'static str {
    match change {
        ServiceChange::Added => "added",
        ServiceChange::Removed => "removed; its addresses go once it has lingered",
        ServiceChange::Changed => "other addresses or zones",
    }
}

fn collector(change: CollectorChange) -> &'static str {
    match change {
        CollectorChange::Added => "added",
        CollectorChange::Removed => "removed; its connection ends",
        CollectorChange::Changed => "other settings; its connection begins again",
    }
}

fn section(change: SectionChange) -> &'static str {
    match change {
        SectionChange::Added => "added; packets of moved connections are forwarded",
        SectionChange::Removed => "removed; packets of moved connections are not forwarded any more",
        SectionChange::Changed => "other settings",
    }
}

fn prefixes(added: &BTreeSet<Prefix>, removed: &BTreeSet<Prefix>) -> String {
    let list = |prefixes: &BTreeSet<Prefix>| {
        let words: Vec<String> = prefixes.iter().map(Prefix::to_string).collect();
        words.join(", ")
    };
    match (added.is_empty(), removed.is_empty()) {
        (true, true) => "other settings or checks; its state stays".to_owned(),
        (false, true) => format!("announces {} too, once its checks have passed", list(added)),
        (true, false) => format!("withdraws {}", list(removed)),
        (false, false) => {
            format!("withdraws {}, announces {} once its checks have passed", list(removed), list(added))
        }
    }
}
