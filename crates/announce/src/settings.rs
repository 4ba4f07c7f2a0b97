//! What an operator decided about one announcement group.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{GroupName, ServiceName};

/// Everything the machine of one group must know before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The prefixes that go up and down together.
    pub group: GroupName,
    /// Every check of every service behind them. A [`CheckId`] is a position in this list.
    pub checks: Vec<CheckSettings>,
    /// How many of the services must be well for the group to be.
    pub fold: Fold,
    /// How long a group that failed stays withdrawn.
    pub backoff: Backoff,
    /// A check without a pass or a fail for so long (and for at least two of its intervals) raises an alarm.
    pub blind_after: Duration,
    /// What it means for the announcement that nobody watches the group.
    pub blind: BlindPolicy,
    /// How a drain ends.
    pub drain: Drain,
    /// No failure and no order withdraws the group, but for an order that overrides this.
    pub never_withdraw: bool,
    /// What happens when the peers know something else than they should.
    pub reconcile: Reconcile,
}

impl Settings {
    /// How long a check may be without a pass or a fail before an alarm is raised, unless the file says otherwise.
    pub const BLIND_AFTER: Duration = Duration::from_secs(3);

    /// What holds for a group of which the file says no more than its checks.
    pub fn new(group: GroupName, checks: Vec<CheckSettings>) -> Self {
        Settings {
            group,
            checks,
            fold: Fold::All,
            backoff: Backoff::DEFAULT,
            blind_after: Settings::BLIND_AFTER,
            blind: BlindPolicy::Alarm,
            drain: Drain::DEFAULT,
            never_withdraw: false,
            reconcile: Reconcile::DEFAULT,
        }
    }
}

/// How many of a group's services must be well for the group to be. A service is as well as the worst of its local
/// checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// Every one.
    #[default]
    All,
    /// One is enough.
    Any,
    /// So many; every one, if there are fewer.
    AtLeast(NonZeroU32),
}

/// What it means for the announcement that no local check has passed or failed for too long. It raises an alarm
/// either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlindPolicy {
    /// Nothing more.
    #[default]
    Alarm,
    /// The group is announced at [`Level::Depref`](crate::Level::Depref) at most.
    Deprefer,
}

/// How a drain ends: after `at_least`; or after `convergence`, when few connections are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// T_drain: so long the drain lasts, whoever is still here.
    pub at_least: Duration,
    /// T_conv: so long other networks are given to hear that there are better ways than this.
    pub convergence: Duration,
    /// So many connections may be cut after that.
    pub connections: u32,
}

impl Drain {
    /// 80 % of the Internet has taken another way after about 10 s (ANRW 2024).
    pub const DEFAULT: Drain =
        Drain { at_least: Duration::from_secs(30), convergence: Duration::from_secs(15), connections: 0 };
}

/// What happens when the peers know something else than they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    /// For so long they may; then they are told again, and again as often as this.
    pub every: Duration,
    /// So many times they are told again before an alarm is raised.
    pub alarm_after: u32,
}

impl Reconcile {
    /// Once a second; the alarm after three.
    pub const DEFAULT: Reconcile = Reconcile { every: Duration::from_secs(1), alarm_after: 3 };
}

/// One health check of one service, as far as the decision is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSettings {
    /// The service that is asked.
    pub service: ServiceName,
    /// Tells the checks of a service apart, such as `dns example. SOA`.
    pub name: String,
    /// Time from the start of one run to the start of the next.
    pub interval: Duration,
    /// So many definite fails, each at least half an interval after the one before, and the check has failed.
    pub fall: NonZeroU32,
    /// So many passes in a row before the group may be announced.
    pub rise: NonZeroU32,
    /// Timeouts unbroken by a pass for so long after the first one, and the check has failed.
    pub hang_after: Duration,
    /// What it watches.
    pub scope: Scope,
}

/// The service and the name, but not one word twice: `web/front-page`, and `dns example. SOA` of the service `dns`.
impl fmt::Display for CheckSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.split(' ').next() != Some(self.service.as_str()) {
            write!(f, "{}/", self.service)?;
        }
        f.write_str(&self.name)
    }
}

/// What a check watches, and so what it may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Something of this site alone: its failure withdraws the group.
    #[default]
    Local,
    /// Something that other sites share: all of them would see it fail at once, so while it has failed the group is
    /// announced at [`Level::Depref`](crate::Level::Depref), and is never withdrawn for it.
    Dependency,
}

/// One check of a group: its position in [`Settings::checks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub usize);

/// How long a group that failed stays withdrawn: the k-th failure in a row costs `base` × 2^(k-1), at most `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// What the first failure costs.
    pub base: Duration,
    /// What no failure exceeds.
    pub cap: Duration,
    /// A group that was announced for so long without failing starts again from `base`.
    pub forgiven_after: Duration,
}

impl Backoff {
    /// For neighbours of one's own and peers.
    pub const DEFAULT: Backoff = Backoff {
        base: Duration::from_secs(5),
        cap: Duration::from_secs(300),
        forgiven_after: Duration::from_secs(600),
    };

    /// Where a neighbour is a transit provider, who may damp a route that flaps (RFC 2439).
    pub const TRANSIT: Backoff = Backoff { base: Duration::from_secs(30), ..Backoff::DEFAULT };

    /// How long the group stays withdrawn after so many failures in a row; zero failures cost nothing.
    pub fn delay(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_names_its_service_once() {
        let check = |service: &str, name: &str| CheckSettings {
            service: service.parse().unwrap(),
            name: name.to_owned(),
            interval: Duration::from_millis(100),
            fall: NonZeroU32::MIN,
            rise: NonZeroU32::MIN,
            hang_after: Duration::from_secs(1),
            scope: Scope::Local,
        };
        let names = [("dns", "dns example. SOA"), ("dns", "dnssec"), ("web", "http /health")];
        let shown = names.map(|(service, name)| check(service, name).to_string());
        assert_eq!(shown, ["dns example. SOA", "dns/dnssec", "web/http /health"]);
    }

    #[test]
    fn the_delay_doubles_up_to_the_cap_and_never_overflows() {
        let delays = [0, 1, 2, 3, 6, 7, 33, u32::MAX].map(|k| Backoff::DEFAULT.delay(k).as_secs());
        assert_eq!(delays, [0, 5, 10, 20, 160, 300, 300, 300]);
    }
}
