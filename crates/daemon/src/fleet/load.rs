//! How much of its load a host tells the other sites.
//!
//! The load is measured once a second and hardly ever the same twice, and every word about it is a write to the store
//! that all sites hear. So a great change is told as soon as it is measured, a small one within ten seconds.

use crate::load::{Load, Loads};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{GroupName, ServiceName, Timestamp};

/// How old what was told may be that is a little wrong.
const SMALL_CHANGES_EVERY: Duration = Duration::from_secs(10);

/// A change of more than this part of what was told is great: 5 %.
const GREAT_PART: u64 = 20;

/// A smaller change is never great, answers per second: a quiet service comes and goes by more than 5 %.
const NEVER_GREAT: u64 = 100;

/// What a group has to do, and what it is good for, answers per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupLoad {
    pub(super) load: Option<u64>,
    pub(super) capacity: Option<u64>,
}

impl GroupLoad {
    /// The sums over the services of a group. One that leaves a service out would be taken for the whole: there is
    /// none then.
    pub(super) fn of(services: &[ServiceName], loads: &Loads) -> Self {
        let sum = |number: fn(&Load) -> Option<u64>| {
            let mut numbers = services.iter().map(|service| number(loads.get(service)?));
            numbers.try_fold(0, |sum: u64, number| Some(sum.saturating_add(number?)))
        };
        GroupLoad { load: sum(|load| Some(load.per_second)), capacity: sum(|load| load.capacity) }
    }

    /// Whether it is so different from what was told that others should know at once.
    fn is_far_from(self, told: GroupLoad) -> bool {
        let far = match (self.load, told.load) {
            (Some(now), Some(told)) => now.abs_diff(told) > (told / GREAT_PART).max(NEVER_GREAT),
            (now, told) => now != told,
        };
        far || self.capacity != told.capacity
    }
}

/// What others are told, which stays for a while when it changes little.
#[derive(Debug, Default)]
pub(super) struct Steady {
    told: BTreeMap<GroupName, GroupLoad>,
    /// Since when everything in it is told.
    since: Timestamp,
}

impl Steady {
    /// Takes in what was measured.
    pub(super) fn follow(&mut self, views: &[api::Group], loads: &Loads, now: Timestamp) {
        let load = |group: &api::Group| (group.name.clone(), GroupLoad::of(&group.services, loads));
        let measured: BTreeMap<GroupName, GroupLoad> = views.iter().map(load).collect();
        let far = |(name, load): (&GroupName, &GroupLoad)| load.is_far_from(self.of(name));
        if measured.iter().any(far) || now.since(self.since) >= SMALL_CHANGES_EVERY {
            *self = Steady { told: measured, since: now };
        }
    }

    /// What others are told of a group.
    pub(super) fn of(&self, group: &GroupName) -> GroupLoad {
        self.told.get(group).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(each: &[(&str, u64, Option<u64>)]) -> Loads {
        let load = |per_second, capacity| Load { per_second, capacity, dropped: 0, overloaded: false };
        each.iter().map(|(name, much, capacity)| (name.parse().unwrap(), load(*much, *capacity))).collect()
    }

    fn views() -> Vec<api::Group> {
        let json = serde_json::json!({
            "name": "dns", "services": ["dns", "web"], "state": "up", "output": "normal", "since": 0,
            "reason": "", "alarms": [], "prefixes": [], "checks": [],
        });
        vec![serde_json::from_value(json).unwrap()]
    }

    #[test]
    fn a_sum_leaves_no_service_out() {
        let services = ["dns", "web"].map(|name| name.parse().unwrap());
        let of = |each: &[_]| {
            let GroupLoad { load, capacity } = GroupLoad::of(&services, &loads(each));
            (load, capacity)
        };
        assert_eq!(of(&[("dns", 30, Some(100)), ("web", 12, Some(50))]), (Some(42), Some(150)));
        assert_eq!(of(&[("dns", 30, Some(100)), ("web", 12, None)]), (Some(42), None));
        assert_eq!(of(&[("dns", 30, Some(100)), ("other", 12, Some(50))]), (None, None));
        assert_eq!(of(&[("dns", u64::MAX, Some(1)), ("web", 1, Some(1))]).0, Some(u64::MAX));
    }

    #[test]
    fn a_great_change_is_told_at_once_and_a_small_one_within_ten_seconds() {
        let mut steady = Steady::default();
        let mut told = |second, dns| {
            let now = Timestamp::ZERO + Duration::from_secs(second);
            steady.follow(&views(), &loads(&[("dns", dns, None), ("web", 0, None)]), now);
            steady.of(&"dns".parse().unwrap()).load
        };
        assert_eq!(told(20, 40_000), Some(40_000));
        assert_eq!(told(21, 42_000), Some(40_000), "5 %");
        assert_eq!(told(22, 42_001), Some(42_001), "more than 5 %");
        assert_eq!(told(23, 40_500), Some(42_001));
        assert_eq!(told(31, 40_500), Some(42_001));
        assert_eq!(told(32, 40_500), Some(40_500));
        assert_eq!(told(33, 0), Some(0));
        assert_eq!(told(34, 100), Some(0), "next to nothing");
        assert_eq!(told(35, 101), Some(101));
    }
}
