//! One announcement group as the decision loop has it: its machine, and what the machine does not need to know.

use crate::address::Presence;
use crate::load::Loads;
use announce::{Alarm, CheckId, Condition, Input, Level, Machine, Readback, Scope, Warmth};
use recording::Track;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{AlarmName, GroupName, Prefix, Reason, ServiceName, Timestamp, WallTime};
use tokio::sync::mpsc;

/// One announcement group.
#[derive(Debug)]
pub(crate) struct Group {
    /// What its checks call it: no other group was ever called so in this process, and none before a change of its
    /// checks.
    pub(crate) slot: Slot,
    pub(crate) machine: Machine,
    /// Where everything that the machine is told is noted.
    pub(crate) track: Track<Machine>,
    pub(crate) services: Vec<ServiceName>,
    pub(crate) prefixes: Arc<[Prefix]>,
    /// Prefixes that wait for the checks to prove themselves, though the group is announced.
    pub(crate) withheld: BTreeSet<Prefix>,
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// How the services say that they are ready.
    pub(crate) ready: Condition,
    /// How to have each check run sooner, by [`CheckId`].
    pub(crate) sooner: Vec<mpsc::Sender<Timestamp>>,
    /// The place of its first check when the checks of all groups are counted through.
    pub(crate) first_check: usize,
}

/// A group as its checks know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// What is kept about a group beside its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beside {
    /// Checks that have passed since the start.
    pub(super) passed: BTreeSet<CheckId>,
    /// What the last run of each check saw beside its verdict.
    pub(super) seen: BTreeMap<CheckId, String>,
    /// Whether one of the services has more to do than it can.
    pub(super) overloaded: bool,
    pub(super) warmth: Warmth,
    pub(super) since: (Timestamp, WallTime),
    /// What the machine knows of what the peers know; none since the level changed.
    pub(super) told: Option<Readback>,
}

/// A group to look at, apart from the loop: nothing that is done to it is done to the site.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) machine: Machine,
    pub(crate) services: Vec<ServiceName>,
    pub(crate) prefixes: Arc<[Prefix]>,
    /// How strongly it is announced.
    pub(crate) level: Level,
    pub(crate) now: Timestamp,
}

impl Seen {
    pub(crate) fn name(&self) -> &GroupName {
        &self.machine.settings().group
    }
}

impl Beside {
    pub(super) fn new(since: (Timestamp, WallTime)) -> Self {
        Beside {
            passed: BTreeSet::new(),
            seen: BTreeMap::new(),
            overloaded: false,
            warmth: Warmth::unknown(),
            since,
            told: None,
        }
    }
}

impl Group {
    pub(super) fn name(&self) -> &GroupName {
        &self.machine.settings().group
    }

    /// What is announced of it while it is announced.
    pub(super) fn shown(&self) -> Arc<[Prefix]> {
        if self.withheld.is_empty() {
            return Arc::clone(&self.prefixes);
        }
        self.prefixes.iter().filter(|prefix| !self.withheld.contains(prefix)).copied().collect()
    }

    pub(super) fn run_sooner(&self, check: CheckId, at: Timestamp) {
        if let Some(task) = self.sooner.get(check.0) {
            // A full queue means that the check has been told already.
            let _ = task.try_send(at);
        }
    }

    /// The alarms that stand, each with its sentence.
    pub(super) fn alarms(&self, now: Timestamp) -> impl Iterator<Item = (AlarmName, Reason)> {
        let checks = &self.machine.settings().checks;
        let name = |alarm: Alarm| match alarm {
            Alarm::Held | Alarm::Frozen | Alarm::Forced | Alarm::Overloaded | Alarm::Differs => {
                AlarmName::only(alarm.name())
            }
            Alarm::Blind(check) | Alarm::DependencyLost(check) => AlarmName::about(
                alarm.name(),
                checks.get(check.0).map(ToString::to_string).unwrap_or_default(),
            ),
        };
        self.machine.standing_alarms().map(name).zip(self.machine.alarms(now))
    }

    /// The start-up gate as it stands, if it has moved.
    pub(super) fn warmed(&self, beside: &mut Beside, presence: &Presence) -> Option<Input> {
        let missing = self.addresses.iter().find_map(|&at| presence.missing(at).map(|reason| (at, reason)));
        let checks = &self.machine.settings().checks;
        // A dependency never keeps a site from announcing.
        let local = (0..).map(CheckId).zip(checks).filter(|(_, check)| check.scope == Scope::Local);
        let silent = local.map(|(id, _)| id).find(|check| !beside.passed.contains(check));
        let warmth = Warmth {
            ready: self.ready.clone(),
            address: match missing {
                None => Condition::met("on lo"),
                Some((address, reason)) => Condition::missing(format!("{address}: {reason}")),
            },
            self_query: match silent.and_then(|check| checks.get(check.0)) {
                None => Condition::met("answered through the listener"),
                Some(check) => Condition::missing(format!("{check} was not answered yet")),
            },
        };
        if warmth == beside.warmth {
            return None;
        }
        beside.warmth = warmth.clone();
        Some(Input::Warmth(warmth))
    }

    /// Whether a service of the group has more to do than it can, if that has changed.
    pub(super) fn loaded(&self, beside: &mut Beside, loads: &Loads) -> Option<Input> {
        let mut of_ours = self.services.iter().filter_map(|service| loads.get(service));
        let overloaded = of_ours.any(|load| load.overloaded);
        let is_news = overloaded != beside.overloaded;
        beside.overloaded = overloaded;
        is_news.then_some(Input::Overload(overloaded))
    }
}
