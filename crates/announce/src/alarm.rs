//! Alarms: what is wrong, or dangerous, and stays so until somebody or something ends it.

use serde::{Deserialize, Serialize};

use crate::{CheckId, Intent, Machine, Scope, State};

/// Something that is wrong, or dangerous, and stays so until somebody or something ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// The group has failed and is announced all the same, because it may not be withdrawn.
    Held,
    /// The operator froze it: nothing that happens changes what is announced.
    Frozen,
    /// The operator forced it: it is announced whatever the checks say.
    Forced,
    /// The site has more load than it can answer, so silence of the service says nothing.
    Overloaded,
    /// Peers were told something else than what is decided, and telling them again did not help.
    Differs,
    /// This check has neither passed nor failed for too long: nobody watches what it watches.
    Blind(CheckId),
    /// This check of something that other sites share has failed.
    DependencyLost(CheckId),
}

impl Alarm {
    /// A short stable word in kebab-case.
    pub fn name(self) -> &'static str {
        match self {
            Alarm::Held => "not-permitted",
            Alarm::Frozen => "frozen",
            Alarm::Forced => "forced",
            Alarm::Overloaded => "overloaded",
            Alarm::Differs => "differs",
            Alarm::Blind(_) => "blind",
            Alarm::DependencyLost(_) => "dependency-lost",
        }
    }

    /// What it is called in a sentence.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Alarm::Held => "withdrawal not permitted",
            Alarm::Frozen => "frozen",
            Alarm::Forced => "forced",
            Alarm::Overloaded => "overloaded",
            Alarm::Differs => "peers know something else",
            Alarm::Blind(_) => "nobody watches",
            Alarm::DependencyLost(_) => "dependency lost",
        }
    }

    /// The same alarm after the checks have moved to these places; none if its check is gone.
    pub(crate) fn moved(self, places: &[Option<CheckId>]) -> Option<Alarm> {
        let place = |check: CheckId| places.get(check.0).copied().flatten();
        match self {
            Alarm::Held | Alarm::Frozen | Alarm::Forced | Alarm::Overloaded | Alarm::Differs => Some(self),
            Alarm::Blind(check) => place(check).map(Alarm::Blind),
            Alarm::DependencyLost(check) => place(check).map(Alarm::DependencyLost),
        }
    }
}

impl Machine {
    /// Every alarm that there can be, and whether there is reason for it now.
    pub(crate) fn reasons_for_alarm(&self) -> impl Iterator<Item = (Alarm, bool)> {
        let of_the_group = [
            (Alarm::Held, self.state == State::Held),
            (Alarm::Frozen, matches!(self.intent, Intent::Freeze(_))),
            (Alarm::Forced, matches!(self.intent, Intent::ForceAnnounce(_))),
            (Alarm::Overloaded, self.overload),
            (Alarm::Differs, self.peers.is_stubborn(&self.settings.reconcile)),
        ];
        let of_its_checks = self.health.each(&self.settings).flat_map(|(id, check, tally)| {
            let is_lost = check.scope == Scope::Dependency && tally.lost;
            [(Alarm::Blind(id), tally.blind), (Alarm::DependencyLost(id), is_lost)]
        });
        of_the_group.into_iter().chain(of_its_checks)
    }
}
