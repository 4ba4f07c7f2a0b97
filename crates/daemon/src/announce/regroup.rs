//! Other groups while the loop runs: what a reload of the site file changes about them, in one step.
//!
//! A group that stays keeps its machine, and with it its state, its tallies and its back-off; equal settings change
//! nothing (law P12). A prefix that is new in an announced group waits until every check of the group has proven
//! itself since the change: it stands for a service that nobody has seen work yet. One decision holds the whole, so a
//! prefix that moves from one group to another is not withdrawn in between, if both are announced.

use super::{Beside, Decider, Group};
use announce::{Level, Machine, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use terms::{GroupName, Prefix, Verdict};
use tokio::sync::oneshot;

/// What the decision loop looks after from now on.
#[derive(Debug)]
pub(crate) struct Regroup {
    /// Every group, in the order of the site file.
    pub(crate) members: Vec<Member>,
    /// What is announced whatever the groups are.
    pub(crate) covers: Arc<[Prefix]>,
    /// Answered when it is decided.
    pub(crate) done: oneshot::Sender<()>,
}

/// One group of a [`Regroup`].
#[derive(Debug)]
pub(crate) enum Member {
    /// The group of that name as it is.
    Same(GroupName),
    /// The group that was called so goes on with other settings, checks, prefixes or another name. The machine of
    /// `group` gives way to its own.
    Changed { was: GroupName, group: Group },
    /// One that was not there.
    New(Group),
}

impl Decider {
    /// Looks after other groups from now on. A group that is no member is withdrawn. A daemon that is stopping has no
    /// use for others.
    pub(super) async fn regroup(&mut self, regroup: Regroup) {
        if self.leaving {
            return;
        }
        let Regroup { members, covers, done } = regroup;
        let (now, before, announced) = (self.mouth.clock.now(), self.announces(), self.told());
        let old = std::mem::take(&mut self.groups).into_iter();
        let mut old: BTreeMap<GroupName, _> =
            old.map(|(group, beside)| (group.name().clone(), (group, beside))).collect();
        for member in members {
            let next = match member {
                Member::Same(name) => old.remove(&name),
                Member::Changed { was, group } => {
                    old.remove(&was).map(|kept| self.renewed(kept, group, &announced))
                }
                Member::New(group) => Some(self.with_beside(group)),
            };
            self.groups.extend(next);
        }
        let mut first_check = 0;
        for (group, _) in &mut self.groups {
            group.first_check = first_check;
            first_check += group.sooner.len();
        }
        self.covers = covers;
        self.addresses = self.addresses();
        if before {
            self.announced = Some(now);
        }
        self.publish(None);
        // The peers' tasks write now.
        tokio::task::yield_now().await;
        // An order about a group stands, whether the group was known or not.
        let intents = self.intents.clone();
        self.intend(&intents).await;
        // What follows from the new settings; also carries out what the machines wanted while they changed.
        self.decide_all(|_, _| Some(announce::Input::Timer)).await;
        // Whoever ordered it may not care any more.
        let _ = done.send(());
    }

    /// Everything that is announced now, covering prefixes aside.
    fn told(&self) -> BTreeSet<Prefix> {
        let announced = self.groups.iter().filter(|(group, _)| group.machine.level() > Level::None);
        announced.flat_map(|(group, _)| group.shown().to_vec()).collect()
    }

    /// A group that goes on with other settings.
    fn renewed(
        &self,
        kept: (Group, Beside),
        mut group: Group,
        announced: &BTreeSet<Prefix>,
    ) -> (Group, Beside) {
        let (old, mut beside) = kept;
        let passed: BTreeSet<_> = names_of(&old.machine, &beside.passed);
        let settings = group.machine.settings().clone();
        group.withheld =
            group.prefixes.iter().filter(|prefix| !announced.contains(prefix)).copied().collect();
        group.machine = old.machine;
        group.machine.reconfigure(settings, self.mouth.clock.now());
        let checks = group.machine.settings().checks.iter().enumerate();
        let known = checks.filter(|(_, check)| passed.contains(&check.to_string()));
        beside.seen.clear();
        beside.passed = known.map(|(at, _)| announce::CheckId(at)).collect();
        if group.machine.level() == Level::None {
            // Whatever it announces next, it has proven before.
            group.withheld.clear();
        }
        (group, beside)
    }

    /// Lets go of prefixes that waited for their group's checks to prove themselves. Answers whether there were any.
    pub(super) fn release(&mut self) -> bool {
        let mut released = false;
        for (group, _) in &mut self.groups {
            if !group.withheld.is_empty() && is_proven(&group.machine) {
                group.withheld.clear();
                released = true;
            }
        }
        released
    }
}

/// Whether every local check has passed so often in a row as announcing takes.
fn is_proven(machine: &Machine) -> bool {
    let passes = |check: announce::CheckStatus<'_>| {
        check.last == Some(&Verdict::Pass) && check.run >= check.settings.rise.get()
    };
    machine.checks().filter(|check| check.settings.scope == Scope::Local).all(passes)
}

fn names_of(machine: &Machine, checks: &BTreeSet<announce::CheckId>) -> BTreeSet<String> {
    let settings = &machine.settings().checks;
    checks.iter().filter_map(|check| Some(settings.get(check.0)?.to_string())).collect()
}
