//! How the checks of a group add up. The local checks of one service must all pass; of the services, as many must be
//! well as the [`Fold`] says. So the group is as well as its k-th best service. Checks of a dependency never count
//! here: they only bend the level.

use serde::{Deserialize, Serialize};
use terms::{ServiceName, Timestamp, Verdict};

use crate::tally::{Standing, Tally};
use crate::{CheckId, CheckSettings, Fold, Scope, Settings};

/// The tallies of all checks, in the order of [`Settings::checks`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    tallies: Vec<Tally>,
}

/// What checks say together. The worst one speaks for all of a service, and of equals the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
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
        tally.note(verdict, check, now);
        passed_before && matches!(tally.standing, Standing::Failing(_))
    }

    /// Finds out which checks say nothing any more.
    pub(crate) fn watch(&mut self, settings: &Settings, now: Timestamp) {
        for (check, tally) in settings.checks.iter().zip(&mut self.tallies) {
            tally.blind = now >= tally.blind_at(check.interval, settings.blind_after);
        }
    }

    /// What the local checks say together.
    pub(crate) fn finding(&self, settings: &Settings) -> Finding {
        match settings.fold {
            Fold::All => self.findings(settings).map(|(_, finding)| finding).min().unwrap_or(Finding::Proven),
            Fold::Any => self.kth_best(settings, 1),
            Fold::AtLeast(services) => self.kth_best(settings, services.get()),
        }
    }

    fn kth_best(&self, settings: &Settings, k: u32) -> Finding {
        let mut services = self.services(settings);
        services.sort_by(|(_, one), (_, other)| other.cmp(one));
        let k = usize::try_from(k).unwrap_or(usize::MAX).min(services.len());
        services.get(k.saturating_sub(1)).map_or(Finding::Proven, |(_, finding)| *finding)
    }

    /// What the local checks of each service say together, in the order of the services' first checks.
    pub(crate) fn services<'a>(&self, settings: &'a Settings) -> Vec<(&'a ServiceName, Finding)> {
        let mut services: Vec<(&ServiceName, Finding)> = Vec::new();
        for (service, finding) in self.findings(settings) {
            match services.iter_mut().find(|(name, _)| *name == service) {
                Some((_, worst)) => *worst = finding.min(*worst),
                None => services.push((service, finding)),
            }
        }
        services
    }

    fn findings<'a>(&self, settings: &'a Settings) -> impl Iterator<Item = (&'a ServiceName, Finding)> {
        self.local(settings).map(|(id, check, tally)| (&check.service, finding_of(id, check, tally)))
    }

    /// Whether something that other sites share has failed.
    pub(crate) fn dependency_lost(&self, settings: &Settings) -> bool {
        self.each(settings).any(|(_, check, tally)| check.scope == Scope::Dependency && tally.lost)
    }

    /// Whether there are local checks, and all of them say nothing any more.
    pub(crate) fn is_unwatched(&self, settings: &Settings) -> bool {
        let mut local = self.local(settings).peekable();
        local.peek().is_some() && local.all(|(_, _, tally)| tally.blind)
    }

    /// Every check with its settings and its tally.
    pub(crate) fn each<'a>(
        &self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (CheckId, &'a CheckSettings, &Tally)> {
        let ids = (0..).map(CheckId);
        ids.zip(&settings.checks).zip(&self.tallies).map(|((id, check), tally)| (id, check, tally))
    }

    /// Those of them that may withdraw the group.
    pub(crate) fn local<'a>(
        &self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (CheckId, &'a CheckSettings, &Tally)> {
        self.each(settings).filter(|(_, check, _)| check.scope == Scope::Local)
    }

    /// The tallies for other settings: a check that stays keeps its own.
    pub(crate) fn carried(mut self, places: &[Option<CheckId>], settings: &Settings, now: Timestamp) -> Self {
        let mut carried = Health::new(settings, now);
        for (tally, place) in self.tallies.drain(..).zip(places) {
            if let Some(new) = place.and_then(|id| carried.tallies.get_mut(id.0)) {
                *new = tally;
            }
        }
        carried
    }
}

fn finding_of(id: CheckId, check: &CheckSettings, tally: &Tally) -> Finding {
    match tally.standing {
        Standing::Failing(fails) if fails.are_final(check) => Finding::Failed(id),
        Standing::Failing(_) => Finding::Doubtful(id),
        Standing::Passing { run } if run < check.rise.get() || tally.blind => Finding::Rising(id),
        Standing::Passing { .. } => Finding::Proven,
    }
}
