//! Response rate limiting: a network that is told the same thing too often is told less.
//!
//! ```text
//!  network of the client, what is said ──> bucket ──> answer as ever
//!                                                └──> slip: truncated, or BADCOOKIE, so that a real client comes back
//!                                                └──> drop
//! ```
//! Whoever floods a victim with our answers writes the victim's address under queries and asks one question again and
//! again, or random names of one zone. A real resolver asks for many different things and keeps what it is told. So
//! what is counted is what is said, not who asks, as in BIND and NSD: one name's answer, one zone's "no such name".
//! A client that has shown that it receives our answers (a good cookie, TCP) is never counted.
//!
//! The table has a fixed size and belongs to one thread. An account for which there is no room loses its past, so a
//! crowded table lets more through, never less.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::Timestamp;

/// Octets of an address that are one network: /24 and /56, what one user has.
const NETWORK_V4: usize = 3;
const NETWORK_V6: usize = 7;
/// Buckets in one row of the table: one of them is given to a new account.
const WAYS: usize = 4;
/// Rows of a table: with 16 octets for a bucket it is 1 MiB.
const ROWS: usize = 1 << 14;
/// How much of what was not used may be used later.
const BURST: Duration = Duration::from_secs(1);

/// When is too often, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How often a network is told one thing, per second.
    pub per_second: NonZeroU32,
    /// Every so many that are too much slips through, truncated; 0: none.
    pub slip: u32,
}

/// What has been said to whom of late. One for each thread.
#[derive(Debug)]
pub struct RateLimiter {
    limit: RateLimit,
    /// Time from one answer to the next.
    interval: Duration,
    hasher: SipHasher13,
    rows: Box<[[Bucket; WAYS]]>,
}

/// One account: a generic cell rate algorithm, which is a token bucket in one number (ITU-T I.371).
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// What is left of the hash.
    tag: u32,
    /// How many were too much.
    refused: u32,
    /// When all that was said would have been said, had it come at its rate.
    due: Timestamp,
}

/// The kind of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records of a name.
    Answer,
    /// A name without the type.
    NoData,
    /// No such name in the zone.
    NoName,
    /// The servers of a child.
    Referral,
    /// A code alone.
    Error,
    /// What others say about a zone as a whole, or with a signature.
    Aside,
}

/// What is said: the same subject is the same answer, or as good as the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'z> {
    pub(crate) kind: Kind,
    /// The zone's name; empty where there is none.
    pub(crate) apex: &'z [u8],
    /// Where in the zone what is said comes from.
    pub(crate) place: u32,
}

impl Subject<'_> {
    /// A code alone.
    pub(crate) const ERROR: Subject<'static> = Subject { kind: Kind::Error, apex: &[], place: 0 };
    /// What others say. An account of its own: whoever has us refused does not keep a primary from being heard.
    pub(crate) const ASIDE: Subject<'static> = Subject { kind: Kind::Aside, apex: &[], place: 0 };
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is sent.
    Answer,
    /// Less is sent.
    Slip,
    /// Nothing is sent.
    Drop,
}

impl RateLimiter {
    /// Nothing has been said yet. `seed` should be secret: whoever knows it can share a bucket with others.
    pub fn new(limit: RateLimit, seed: [u8; 16]) -> RateLimiter {
        RateLimiter {
            limit,
            interval: Duration::from_secs(1) / limit.per_second.get(),
            hasher: SipHasher13::new_with_key(&seed),
            rows: vec![[Bucket::default(); WAYS]; ROWS].into_boxed_slice(),
        }
    }

    /// Counts an answer and says what becomes of it.
    pub(crate) fn judge(&mut self, client: IpAddr, subject: &Subject<'_>, now: Timestamp) -> Verdict {
        let hash = self.hash(client, subject);
        let (row, tag) = (hash as usize % ROWS, (hash >> 32) as u32);
        let Some(bucket) = find(&mut self.rows[row], tag) else { return Verdict::Answer };
        if bucket.due + self.interval <= now + BURST {
            bucket.due = bucket.due.max(now) + self.interval;
            return Verdict::Answer;
        }
        bucket.refused = bucket.refused.wrapping_add(1);
        match self.limit.slip {
            0 => Verdict::Drop,
            every if bucket.refused.is_multiple_of(every) => Verdict::Slip,
            _ => Verdict::Drop,
        }
    }

    fn hash(&self, client: IpAddr, subject: &Subject<'_>) -> u64 {
        let mut head = [0; 1 + NETWORK_V6 + 1 + 4];
        match client {
            IpAddr::V4(address) => head[1..=NETWORK_V4].copy_from_slice(&address.octets()[..NETWORK_V4]),
            IpAddr::V6(address) => {
                head[0] = 1;
                head[1..=NETWORK_V6].copy_from_slice(&address.octets()[..NETWORK_V6]);
            }
        }
        head[NETWORK_V6 + 1] = subject.kind as u8;
        head[NETWORK_V6 + 2..].copy_from_slice(&subject.place.to_le_bytes());
        let mut hasher = self.hasher;
        hasher.write(&head);
        hasher.write(subject.apex);
        hasher.finish()
    }
}

/// The bucket of an account: its own, or the one that needs its past least.
fn find(row: &mut [Bucket; WAYS], tag: u32) -> Option<&mut Bucket> {
    let way = match row.iter().position(|bucket| bucket.tag == tag) {
        Some(way) => way,
        None => {
            let (way, oldest) = row.iter_mut().enumerate().min_by_key(|(_, bucket)| bucket.due)?;
            *oldest = Bucket { tag, ..Bucket::default() };
            way
        }
    };
    row.get_mut(way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn limiter(per_second: u32, slip: u32) -> RateLimiter {
        RateLimiter::new(RateLimit { per_second: per_second.try_into().unwrap(), slip }, [7; 16])
    }

    fn at(micros: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(1000) + Duration::from_micros(micros)
    }

    fn host(network: u8, host: u8) -> IpAddr {
        [198, 18, network, host].into()
    }

    fn answer(place: u32) -> Subject<'static> {
        Subject { kind: Kind::Answer, apex: b"\x07example\0", place }
    }

    #[test]
    fn one_network_is_told_one_thing_at_a_rate() {
        let mut limiter = limiter(10, 2);
        let mut said = |host, place, micros| limiter.judge(host, &answer(place), at(micros));
        for turn in 0..10 {
            assert_eq!(said(host(1, turn), 1, 0), Verdict::Answer);
        }
        let more: Vec<Verdict> = (0..4).map(|turn| said(host(1, 99), 1, turn)).collect();
        assert_eq!(more, [Verdict::Drop, Verdict::Slip, Verdict::Drop, Verdict::Slip]);
        assert_eq!(said(host(1, 99), 2, 0), Verdict::Answer, "something else");
        assert_eq!(said(host(2, 99), 1, 0), Verdict::Answer, "another network");
        assert_eq!(said(host(1, 99), 1, 99_999), Verdict::Drop);
        assert_eq!(
            said(host(1, 99), 1, 100_000),
            Verdict::Answer,
            "a tenth of a second later there is one more"
        );
        assert_eq!(said(host(1, 99), 1, 100_000), Verdict::Slip);
        let ten: Vec<Verdict> = (0..11).map(|_| said(host(1, 99), 1, 5_000_000)).collect();
        assert_eq!(
            ten.iter().filter(|&&verdict| verdict == Verdict::Answer).count(),
            10,
            "not more for waiting"
        );
    }

    #[test]
    fn networks_of_both_families() {
        let mut limiter = limiter(1, 0);
        let mut said = |host: &str| limiter.judge(host.parse().unwrap(), &answer(1), at(0));
        for host in ["2001:db8:0:100::1", "2001:db8:0:200::1", "198.18.0.1", "198.18.1.1"] {
            assert_eq!(said(host), Verdict::Answer, "{host}");
        }
        for host in ["2001:db8:0:1ff:ffff::1", "2001:db8:0:200::2", "198.18.0.255", "198.18.1.0"] {
            assert_eq!(said(host), Verdict::Drop, "{host}");
        }
    }

    #[test]
    fn slips_are_every_so_many() {
        for (slip, expected) in [(0, 0), (1, 100), (2, 50), (3, 33)] {
            let mut limiter = limiter(1, slip);
            let verdicts = (0..101).map(|_| limiter.judge(host(1, 1), &answer(1), at(0)));
            assert_eq!(verdicts.filter(|&verdict| verdict == Verdict::Slip).count(), expected, "{slip}");
        }
    }

    #[test]
    fn a_flood_of_networks_takes_no_memory_and_stops_nobody() {
        let mut limiter = limiter(5, 1);
        let mut turn = 0u32;
        let flood = allocation_counter::measure(|| {
            for _ in 0..ROWS * WAYS * 3 {
                turn += 1;
                let [a, b, c, d] = turn.to_be_bytes();
                let forged = IpAddr::from([11 + a, b, c, d]);
                limiter.judge(forged, &answer(turn), at(u64::from(turn)));
            }
        });
        assert_eq!(flood.count_total, 0);
        for second in 0..20 {
            let verdict = limiter.judge(host(1, 1), &answer(1), at(1_000_000 * (10 + second)));
            assert_eq!(verdict, Verdict::Answer);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Against a bucket that is written down plainly, for accounts that all fit into the table.
        #[test]
        fn it_is_a_token_bucket(
            rate in 1..50u32, queries in prop::collection::vec((0..200_000u64, 0..4u8, 0..3u32), 1..400)
        ) {
            let mut limiter = limiter(rate, 1);
            let mut tokens = BTreeMap::new();
            // In nanoseconds of the time that a token takes to come, as the interval is rounded.
            let (interval, most) = (1_000_000_000 / u64::from(rate), 1_000_000_000u64);
            let mut now = 0;
            for (pause, network, place) in queries {
                now += pause;
                let (left, since) = tokens.entry((network, place)).or_insert((most, now));
                *left = most.min(*left + (now - *since) * 1000);
                *since = now;
                let expected = if *left >= interval {
                    *left -= interval;
                    Verdict::Answer
                } else {
                    Verdict::Slip
                };
                prop_assert_eq!(limiter.judge(host(network, 1), &answer(place), at(now)), expected);
            }
        }

        /// Whoever stays below the rate is always answered, whatever the other networks and the table do.
        #[test]
        fn who_keeps_to_the_rate_is_never_limited(
            rate in 1..50u32, others in prop::collection::vec((any::<[u8; 4]>(), any::<u32>()), 0..200), turns in 1..100u64
        ) {
            let mut limiter = limiter(rate, 0);
            for turn in 0..turns {
                let now = at(turn * (1_000_000 / u64::from(rate) + 1));
                for (network, place) in &others {
                    let forged = IpAddr::from(*network);
                    if forged != host(1, 1) && network[..3] != [198, 18, 1] {
                        limiter.judge(forged, &answer(*place), now);
                    }
                }
                prop_assert_eq!(limiter.judge(host(1, 1), &answer(1), now), Verdict::Answer);
            }
        }
    }
}
