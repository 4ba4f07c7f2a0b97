//! What the decision loop hands to the program that takes over, and how it goes on from it.

use super::group::Beside;
use super::{Decider, Grants, Wishes};
use announce::{Level, Machine};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use terms::{Prefix, Timestamp};

/// The groups, and what is decided about them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    groups: Vec<KeptGroup>,
    /// When something was announced last.
    announced: Option<Timestamp>,
    wishes: Wishes,
    /// What the fleet has answered.
    pub(crate) grants: Grants,
    /// Whether the daemon was on its way out.
    pub(crate) leaving: bool,
}

/// One group.
#[derive(Debug, Serialize, Deserialize)]
struct KeptGroup {
    machine: Machine,
    prefixes: BTreeSet<Prefix>,
    withheld: BTreeSet<Prefix>,
    beside: Beside,
}

impl Decider {
    /// Everything that the next program should know.
    pub(super) fn keep(&self) -> Kept {
        let keep = |(group, beside): &(super::Group, Beside)| KeptGroup {
            machine: group.machine.clone(),
            prefixes: group.prefixes.iter().copied().collect(),
            withheld: group.withheld.clone(),
            beside: beside.clone(),
        };
        let (wishes, grants) = self.permits.keep();
        let groups = self.groups.iter().map(keep).collect();
        Kept { groups, announced: self.announced, wishes, grants, leaving: self.leaving }
    }

    /// Goes on where the program before stood. A group that it did not have stays at its start; a prefix that it did
    /// not have waits until the checks have proven themselves.
    pub(crate) fn going_on(mut self, from: Kept) -> Self {
        let (now, mut kept) = (self.mouth.clock.now(), from.groups);
        for (group, beside) in &mut self.groups {
            let its = |one: &KeptGroup| one.machine.settings().group == *group.name();
            let Some(at) = kept.iter().position(its) else { continue };
            let before = kept.swap_remove(at);
            let settings = group.machine.settings().clone();
            if *before.machine.settings() == settings {
                *beside = before.beside;
            }
            group.withheld = before.withheld;
            if before.machine.level() > Level::None {
                let added = group.prefixes.iter().filter(|prefix| !before.prefixes.contains(prefix));
                group.withheld.extend(added.copied());
            }
            group.machine = before.machine;
            group.machine.reconfigure(settings, now);
            self.mouth.bus.stand(group.name(), group.alarms(now));
        }
        self.permits.go_on(from.wishes);
        self.announced = from.announced;
        self.publish(None);
        self.show();
        self
    }
}
