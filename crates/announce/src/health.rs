//! How the checks of a group add up: all of them must pass.

use serde::{Deserialize, Serialize};
use terms::{Timestamp, Verdict};

use crate::tally::{Standing, Tally};
use crate::{CheckId, CheckSettings, Settings};

/// The tallies of all checks, in the order of [`Settings::checks`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    tallies: Vec<Tally>,
}

/// What the checks of a group say together. The worst one speaks for all, and of equals the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fold {
    /// This check has failed for good.
    Failed(CheckId),
    /// This check has failed, but not for good.
    Doubtful(CheckId),
    /// This check has not passed often enough, or says nothing any more.
    Rising(CheckId),
    /// Every check has passed often enough.
    Proven,
}

impl Health {
    pub(crate) fn new(settings: &Settings, now: Timestamp) -> Self {
        Health { tallies: settings.checks.iter().map(|_| Tally::new(now)).collect() }
    }

    /// Takes a result in. True when this is the first fail of the check since it last passed.
    pub(crate) fn note(
        &mut self,
        check: CheckId,
        settings: &Settings,
        verdict: Verdict,
        now: Timestamp,
    ) -> bool {
        let (Some(tally), Some(check)) = (self.tallies.get_mut(check.0), settings.checks.get(check.0)) else {
            return false;
        };
        let passed_before = matches!(tally.standing, Standing::Passing { .. });
        tally.note(verdict, check.interval, now);
        passed_before && matches!(tally.standing, Standing::Failing(_))
    }

    /// What the checks say together.
    pub(crate) fn fold(&self, settings: &Settings) -> Fold {
        self.each(settings)
            .map(|(id, check, tally)| verdict_on(id, check, tally))
            .min()
            .unwrap_or(Fold::Proven)
    }

    /// Every check with its settings and its tally.
    pub(crate) fn each<'a>(
        &'a self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (CheckId, &'a CheckSettings, &'a Tally)> {
        let ids = (0..).map(CheckId);
        ids.zip(&settings.checks).zip(&self.tallies).map(|((id, check), tally)| (id, check, tally))
    }

    /// Every check with its settings and its tally, to change.
    pub(crate) fn each_mut<'a>(
        &'a mut self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (CheckId, &'a CheckSettings, &'a mut Tally)> {
        let ids = (0..).map(CheckId);
        ids.zip(&settings.checks).zip(&mut self.tallies).map(|((id, check), tally)| (id, check, tally))
    }
}

fn verdict_on(id: CheckId, check: &CheckSettings, tally: &Tally) -> Fold {
    match tally.standing {
        Standing::Failing(fails) if fails.are_final(check) => Fold::Failed(id),
        Standing::Failing(_) => Fold::Doubtful(id),
        Standing::Passing { run } if run < check.rise.get() || tally.blind => Fold::Rising(id),
        Standing::Passing { .. } => Fold::Proven,
    }
}
