//! When secrets change, so that no cookie is rejected for it (RFC 9018 section 5).
//!
//! ```text
//!            a day, or an order          every server accepts it          65 minutes
//!  active ────────────────────> staging ────────────────────────> active ────────────> active
//!                               active                            previous
//! ```
//! A keyring is a value that every server of an address has. One of them replaces it, the others follow.

use super::{AHEAD, LIFETIME, Secret, Secrets};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::WallTime;

/// How long a secret is in use: the longest time that RFC 7873 section 7.1 recommends has two hours more.
const IN_USE: Duration = Duration::from_secs(24 * 3600);

/// How long cookies of the secret before are accepted: as long as the last one lives, made by the clock that is ahead
/// most.
const REMEMBERED: Duration = Duration::from_secs((LIFETIME - AHEAD) as u64);

/// The secrets, and since when they are what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    /// Whoever made the first one drew it. A keyring is only compared with others of its origin.
    origin: u64,
    /// How many secrets there have been. Whoever has this keyring accepts cookies of the secret of this number, and of
    /// the one before.
    number: u64,
    active: Secret,
    /// Since when it is in use.
    since: WallTime,
    next: Next,
}

/// What is on its way in or out. Never both: a server accepts two secrets at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Next {
    /// Nothing.
    Nothing,
    /// To be used once every server accepts it.
    Staging(Secret),
    /// Used until `since`.
    Previous(Secret),
}

impl Keyring {
    /// A first secret, and a number that tells this keyring from those that others begin with.
    pub fn new(origin: u64, active: Secret, now: WallTime) -> Keyring {
        Keyring { origin, number: 1, active, since: now, next: Next::Nothing }
    }

    /// Its number: a keyring of a higher one is newer.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Since when cookies are made with the secret that is in use.
    pub fn since(&self) -> WallTime {
        self.since
    }

    /// Whether the other one is what this one was before.
    pub fn supersedes(&self, other: &Keyring) -> bool {
        let progress = |keyring: &Keyring| {
            let step = match keyring.next {
                Next::Staging(_) | Next::Previous(_) => 0,
                Next::Nothing => 1,
            };
            (keyring.number, keyring.since, step)
        };
        self.origin == other.origin && progress(self) > progress(other)
    }

    /// What cookies are made and judged with.
    pub fn secrets(&self) -> Secrets {
        let (staging, previous) = match self.next {
            Next::Nothing => (None, None),
            Next::Staging(secret) => (Some(secret), None),
            Next::Previous(secret) => (None, Some(secret)),
        };
        Secrets { active: self.active, staging, previous }
    }

    /// The keyring that is to replace this one now; none while nothing is to be done. `is_everywhere` says whether every
    /// server has this one: only then is a secret used that others must know.
    pub fn next(
        &self,
        now: WallTime,
        is_everywhere: bool,
        fresh: impl FnOnce() -> Secret,
    ) -> Option<Keyring> {
        // A clock that was far ahead when it was written must not hold a rollover up for ever.
        let has_passed = |time: Duration| now >= later(self.since, time) || self.since > later(now, IN_USE);
        match self.next {
            Next::Nothing if has_passed(IN_USE) => self.stage(fresh()),
            Next::Staging(secret) if is_everywhere => {
                let next = Next::Previous(self.active);
                Some(Keyring { active: secret, since: now, next, ..self.clone() })
            }
            Next::Previous(_) if has_passed(REMEMBERED) => {
                Some(Keyring { next: Next::Nothing, ..self.clone() })
            }
            Next::Nothing | Next::Staging(_) | Next::Previous(_) => None,
        }
    }

    /// The keyring with one more secret, which nobody uses yet; none while another one is on its way in or out.
    pub fn stage(&self, secret: Secret) -> Option<Keyring> {
        match self.next {
            Next::Nothing => {
                Some(Keyring { number: self.number + 1, next: Next::Staging(secret), ..self.clone() })
            }
            Next::Staging(_) | Next::Previous(_) => None,
        }
    }
}

fn later(time: WallTime, by: Duration) -> WallTime {
    WallTime(time.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::{Cookie, Presented};
    use proptest::prelude::*;

    const CLIENT: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn hours(hours: f64) -> WallTime {
        WallTime(1_000_000_000_000 + (hours * 3_600_000.0) as u64)
    }

    fn secret(number: u8) -> Secret {
        Secret([number; 16])
    }

    #[test]
    fn a_day_in_the_life_of_a_secret() {
        let next = |keyring: &Keyring, at: f64, everywhere| keyring.next(hours(at), everywhere, || secret(2));
        let first = Keyring::new(7, secret(1), hours(0.0));
        assert_eq!((next(&first, 0.0, true), next(&first, 23.9, true)), (None, None));
        let staged = next(&first, 24.0, false).unwrap();
        assert_eq!((staged.number(), staged.secrets().active), (2, secret(1)));
        assert_eq!((next(&staged, 99.0, false), staged.stage(secret(3))), (None, None));
        let rolled = next(&staged, 25.0, true).unwrap();
        assert_eq!((rolled.number(), rolled.since()), (2, hours(25.0)));
        assert_eq!(rolled.secrets(), Secrets { previous: Some(secret(1)), ..Secrets::new(secret(2)) });
        assert_eq!((next(&rolled, 26.0, true), rolled.stage(secret(3))), (None, None));
        let alone = next(&rolled, 26.1, false).unwrap();
        assert_eq!(alone.secrets(), Secrets::new(secret(2)));
        assert_eq!(next(&alone, 48.9, true), None);
        let from_the_future = Keyring::new(7, secret(1), hours(1e6));
        assert!(next(&from_the_future, 0.0, false).is_some());

        let life = [first, staged, rolled, alone];
        for (index, one) in life.iter().enumerate() {
            for (other_index, other) in life.iter().enumerate() {
                assert_eq!(one.supersedes(other), index > other_index, "{one:?} {other:?}");
                assert!(!one.supersedes(&Keyring { origin: 8, ..other.clone() }));
            }
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_a_secret_is_not_shown() {
        let keyring = Keyring::new(7, secret(0xab), hours(0.0)).stage(secret(0xcd)).unwrap();
        let json = serde_json::to_string(&keyring).unwrap();
        let (active, staging) = ("ab".repeat(16), "cd".repeat(16));
        let expected = format!(
            r#"{{"origin":7,"number":2,"active":"{active}","since":1000000000000,"next":{{"staging":"{staging}"}}}}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Keyring>(&json).unwrap(), keyring);
        assert!(!format!("{keyring:?}").contains("ab"), "{keyring:?}");
        for wrong in ["", "ab", &"g".repeat(32), &"é".repeat(16), &"a".repeat(33)] {
            assert!(serde_json::from_str::<Secret>(&format!("\"{wrong}\"")).is_err(), "{wrong}");
        }
    }

    /// What servers do: one takes the next step of the newest keyring, or follows it.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Follow(usize),
        Step(usize),
        Pass(u64),
        /// A client is answered by one, and a while later by another.
        Move(usize, u64, usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        let site = 0..4usize;
        prop_oneof![
            3 => site.clone().prop_map(Act::Follow),
            2 => site.clone().prop_map(Act::Step),
            2 => (0..90_000_000u64).prop_map(Act::Pass),
            4 => (site.clone(), 0..3_600_000u64, site).prop_map(|(from, after, to)| Act::Move(from, after, to)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Sites follow late and in any order; a secret is used only once all accept it, as the drivers see to. A site
        /// follows within the time that the one before is remembered.
        #[test]
        fn no_cookie_is_rejected_for_a_rollover(acts in prop::collection::vec(act(), 1..120)) {
            let mut now = 1_000_000_000_000u64;
            let mut store = Keyring::new(7, secret(0), WallTime(now));
            let mut sites = vec![store.clone(); 4];
            let mut made = 0u8;
            for act in acts {
                match act {
                    Act::Follow(site) => sites[site] = store.clone(),
                    Act::Pass(time) => now += time,
                    Act::Step(site) => {
                        let all = sites.iter().all(|keyring| keyring.number() == store.number());
                        // A secret is forgotten long after it was replaced, so everybody has followed by then.
                        let followed = sites.iter().all(|keyring| keyring.secrets().active == store.secrets().active);
                        let passes = |next: &Keyring| {
                            next.secrets().previous.is_some() || store.secrets().previous.is_none() || followed
                        };
                        made += 1;
                        let next = store.next(WallTime(now), all, || secret(made)).filter(passes);
                        if let Some(next) = next {
                            store = next;
                            sites[site] = store.clone();
                        }
                    }
                    Act::Move(from, after, to) => {
                        let presented = Presented::of(&[7; 8]).unwrap();
                        let (_, option) = sites[from].secrets().judge(presented, CLIENT, WallTime(now));
                        let presented = Presented::of(&option[4..]).unwrap();
                        let (said, _) = sites[to].secrets().judge(presented, CLIENT, WallTime(now + after));
                        prop_assert_eq!(said, Cookie::Good, "{:?} then {:?}", sites[from], sites[to]);
                    }
                }
            }
        }
    }
}
