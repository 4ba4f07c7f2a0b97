use crate::bodies::{self, NONCE, NOW};
use crate::corpus;
use check::clock::Expectation;
use check::{Finding, Judged};
use proptest::prelude::*;
use std::time::Duration;
use terms::{Verdict, WallTime};

const LIMIT: Duration = Duration::from_millis(500);

/// A moment as NTP writes it.
fn timestamp(millis: u64) -> [u8; 8] {
    let seconds = millis / 1000 + 2_208_988_800;
    let fraction = ((millis % 1000) << 32) / 1000;
    (((seconds & 0xffff_ffff) << 32) | fraction).to_be_bytes()
}

/// What a server says that takes the query in and sends the reply at these moments.
fn reply(received: u64, sent: u64) -> [u8; 48] {
    let mut reply = [0; 48];
    (reply[0], reply[1]) = (0b0010_0100, 2);
    reply[24..32].copy_from_slice(&NONCE.to_be_bytes());
    reply[32..40].copy_from_slice(&timestamp(received));
    reply[40..48].copy_from_slice(&timestamp(sent));
    reply
}

fn judge(datagram: &[u8], asked: u64, answered: u64) -> Option<Finding> {
    match (Expectation { max_skew: LIMIT }).judge(NONCE, datagram, WallTime(asked), WallTime(answered)) {
        Judged::NotOurs => None,
        Judged::Reply(finding) => Some(finding),
    }
}

fn words(datagram: &[u8]) -> String {
    judge(datagram, NOW.0, NOW.0 + 20)
        .map_or("not ours".to_owned(), |finding| bodies::words(&finding.verdict))
}

#[test]
fn verdicts() {
    let good = reply(NOW.0 + 10, NOW.0 + 10);
    let with = |at: usize, octet: u8| {
        let mut datagram = good;
        datagram[at] = octet;
        datagram
    };
    assert_eq!(words(&good), "pass");
    let behind = reply(NOW.0 + 2010, NOW.0 + 2010);
    assert_eq!(words(&behind), "Definite: the clock is 2 s behind the server, give or take 10 ms");
    let ahead = reply(NOW.0 - 890, NOW.0 - 890);
    assert_eq!(words(&ahead), "Definite: the clock is 900 ms ahead of the server, give or take 10 ms");
    let unknowing = "indeterminate: the time server does not know the time itself";
    assert_eq!([words(&with(0, 0b1110_0100)), words(&with(1, 0)), words(&with(1, 16))], [unknowing; 3]);
    assert_eq!([words(&with(0, 0b0010_0011)), words(&with(24, 0xff)), words(&good[..47])], ["not ours"; 3]);
}

#[test]
fn the_query_tells_nothing_but_the_nonce() {
    let query = Expectation::query(NONCE);
    assert_eq!((query[0], query[40..].to_vec()), (0x23, NONCE.to_be_bytes().to_vec()));
    assert!(query[1..40].iter().all(|&octet| octet == 0));
}

#[test]
fn the_corpus_is_judged() {
    corpus("check_ntp", bodies::ntp);
}

proptest! {
    /// Whatever the way there and back takes, a right clock passes, and a wrong one does unless the way explains it.
    #[test]
    fn only_a_wrong_clock_fails(there in 0_u64..5000, busy in 0_u64..5000, back in 0_u64..5000, skew in -20_000_i64..20_000) {
        let ours = |theirs: u64| theirs.checked_add_signed(skew).unwrap();
        let (received, sent) = (NOW.0 + there, NOW.0 + there + busy);
        let finding = judge(&reply(received, sent), ours(NOW.0), ours(sent + back)).unwrap();
        let failed = matches!(finding.verdict, Verdict::Fail { .. });
        let limit = u64::try_from(LIMIT.as_millis()).unwrap();
        let explained = limit + (there + back) + 3;
        if skew.unsigned_abs() <= limit {
            prop_assert!(!failed, "{finding:?}");
        }
        if skew.unsigned_abs() > explained {
            prop_assert!(failed, "{finding:?}");
        }
    }

    #[test]
    fn any_octets_are_judged(mut octets in prop::collection::vec(any::<u8>(), 40..60), ours: bool) {
        if ours {
            octets[0] = 0b0010_0100;
            octets[24..32].copy_from_slice(&NONCE.to_be_bytes());
        }
        bodies::ntp(&octets);
    }
}
