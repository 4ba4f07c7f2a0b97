//! Is what the built-in DNS service serves still what its zones' owners want?
//!
//! A zone that has expired here, or whose signatures are about to end, may be good at other sites, which heard of a
//! newer one. So it is something that sites share: the site is less preferred, and an alarm stands. Where it is the
//! same everywhere nobody goes dark for it.

use crate::Finding;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{DomainName, Verdict, WallTime};

/// What good zones are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// How long every signature is still good for.
    pub signatures: Duration,
}

/// How one zone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has expired, or has not come yet: nothing of it is served.
    Unavailable,
    /// It is served, and has no signatures.
    Unsigned,
    /// It is served, and the first of its signatures ends then.
    SignedUntil(WallTime),
}

impl Expectation {
    /// Judges all zones of a service.
    pub fn judge<'z>(
        &self,
        zones: impl IntoIterator<Item = (&'z DomainName, Standing)>,
        now: WallTime,
    ) -> Finding {
        let (mut all, mut faults) = (0, Vec::new());
        for (zone, standing) in zones {
            all += 1;
            faults.extend(self.fault(standing, now).map(|fault| format!("{zone} {fault}")));
        }
        let Some(first) = faults.first() else {
            return Finding::new(Verdict::Pass, &format!("{all} zones are good"));
        };
        let words = match faults.len() - 1 {
            0 => first.clone(),
            more => format!("{first}; and {more} more of {all} zones"),
        };
        Finding::new(Verdict::definite(&words), &words)
    }

    fn fault(&self, standing: Standing, now: WallTime) -> Option<String> {
        match standing {
            Standing::Unavailable => Some("has expired or was not transferred yet".to_owned()),
            Standing::Unsigned => None,
            Standing::SignedUntil(end) => {
                let left = Duration::from_millis(end.0.saturating_sub(now.0));
                if left.is_zero() {
                    let ago = Duration::from_millis(now.0 - end.0);
                    Some(format!("has a signature that ended {} ago", hours(ago)))
                } else {
                    (left < self.signatures).then(|| format!("has a signature that ends in {}", hours(left)))
                }
            }
        }
    }
}

/// A span of time as people say it: to the hour, or to the minute.
fn hours(time: Duration) -> String {
    match time.as_secs() {
        minutes @ ..7200 => format!("{} min", minutes / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: WallTime = WallTime(1_800_000_000_000);

    fn judge(standings: &[(&str, Standing)]) -> String {
        let expectation = Expectation { signatures: Duration::from_secs(3 * 86_400) };
        let zones: Vec<(DomainName, Standing)> =
            standings.iter().map(|&(name, standing)| (name.parse().unwrap(), standing)).collect();
        let finding = expectation.judge(zones.iter().map(|(name, standing)| (name, *standing)), NOW);
        match finding.verdict {
            Verdict::Pass => "pass".to_owned(),
            Verdict::Fail { reason, .. } => reason.to_string(),
            Verdict::Indeterminate { .. } => "indeterminate".to_owned(),
        }
    }

    fn until(hours: i64) -> Standing {
        Standing::SignedUntil(WallTime(NOW.0.saturating_add_signed(hours * 3_600_000)))
    }

    #[test]
    fn zones_that_are_no_good_are_named() {
        assert_eq!(judge(&[]), "pass");
        assert_eq!(judge(&[("a.", Standing::Unsigned), ("b.", until(72))]), "pass");
        assert_eq!(judge(&[("a.", until(71))]), "a. has a signature that ends in 2 d");
        assert_eq!(judge(&[("a.", until(40))]), "a. has a signature that ends in 40 h");
        assert_eq!(judge(&[("a.", until(1))]), "a. has a signature that ends in 60 min");
        assert_eq!(judge(&[("a.", until(0))]), "a. has a signature that ended 0 min ago");
        assert_eq!(judge(&[("a.", until(-30))]), "a. has a signature that ended 30 h ago");
        let two = [("a.", Standing::Unsigned), ("b.", Standing::Unavailable), ("c.", until(-1))];
        assert_eq!(judge(&two), "b. has expired or was not transferred yet; and 1 more of 3 zones");
    }

    proptest! {
        #[test]
        fn a_later_end_is_never_worse(end: u64, later: u64, now: u64, days in 0..400u64) {
            let expectation = Expectation { signatures: Duration::from_secs(days * 86_400) };
            let is_good = |end| expectation.fault(Standing::SignedUntil(WallTime(end)), WallTime(now)).is_none();
            prop_assert!(!is_good(end) || is_good(end.saturating_add(later)));
        }
    }
}
