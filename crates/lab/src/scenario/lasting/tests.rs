//! What was otherwise for one moment must be counted.

use super::*;
use crate::scenario::record::{Outcome, Sample};
use crate::scenario::verdict::Verdict;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use terms::Family;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

fn window() -> Window {
    Window { before: at(0), fault: at(1_000), until: at(2_000), home: at(0), target: None, slack: 1.0 }
}

/// Three sites that are looked at every 50 ms; `announced` says at which of the looks each was.
fn looks(announced: impl Fn(&str, u64) -> bool) -> Record {
    let mut record = Record::default();
    for millis in (0..3_000).step_by(50) {
        let look =
            ["london", "newyork", "tokyo"].map(|site| (site.parse().unwrap(), announced(site, millis)));
        record.add_look(at(millis), &BTreeMap::from(look));
    }
    record
}

fn judge(sentence: &str, record: &Record) -> (Verdict, String) {
    let counted = count(&sentence.parse().unwrap(), record, &window()).unwrap();
    let report = crate::scenario::report::CheckReport::timing(sentence.to_owned(), counted);
    (report.verdict, report.seen)
}

#[test]
fn the_fewest_sites_at_one_moment_count() {
    let one_after_the_other =
        looks(|site, millis| !matches!((site, millis), ("london", 1_100..1_200) | ("tokyo", 1_300..1_400)));
    let (verdict, seen) = judge("at least 2 sites announced throughout", &one_after_the_other);
    assert_eq!((verdict, seen.as_str()), (Verdict::Pass, "the world 2 sites >= 2 sites"));

    let both = looks(|site, millis| site == "newyork" || millis != 1_500);
    let (verdict, seen) = judge("at least 2 sites announced throughout", &both);
    assert_eq!((verdict, seen.as_str()), (Verdict::Fail, "the world 1 sites < 2 sites"));
}

#[test]
fn only_looks_within_the_step_count() {
    let before_and_after = looks(|_, millis| (1_000..=2_000).contains(&millis));
    assert_eq!(judge("site london announced throughout", &before_and_after).0, Verdict::Pass);
    assert_eq!(judge("at least 3 sites announced throughout", &before_and_after).0, Verdict::Pass);
    assert_eq!(judge("site london never announced throughout", &looks(|_, _| false)).0, Verdict::Pass);
}

#[test]
fn one_look_that_found_it_otherwise_fails() {
    let blink = looks(|site, millis| site == "london" && millis == 1_250);
    let (verdict, seen) = judge("site london never announced throughout", &blink);
    assert_eq!((verdict, seen.as_str()), (Verdict::Fail, "london 1 looks otherwise > 0 looks otherwise"));
    let gap = looks(|_, millis| millis != 1_250);
    assert_eq!(judge("site london announced throughout", &gap).0, Verdict::Fail);
}

#[test]
fn nothing_seen_is_no_promise_kept() {
    for sentence in [
        "every client answered throughout",
        "site london announced throughout",
        "site london never announced throughout",
        "at least 1 sites announced throughout",
    ] {
        assert_eq!(judge(sentence, &Record::default()).0, Verdict::Fail, "{sentence}");
    }
}

#[test]
fn one_lost_answer_is_lost() {
    let record = |lost: Option<u64>| {
        let mut record = Record::default();
        for millis in (0..3_000).step_by(20) {
            let outcome = match Some(millis) == lost {
                true => Outcome::Silent,
                false => Outcome::Answered {
                    site: "london".parse().unwrap(),
                    round_trip: Duration::ZERO,
                    cookie: Cookie::Kept,
                },
            };
            let viewpoint = Viewpoint { client: Arc::from("madrid"), service: None, family: Family::Ipv6 };
            record.add(viewpoint, Sample { sent: at(millis), outcome });
        }
        record
    };
    let sentence = "every client answered throughout";
    assert_eq!(judge(sentence, &record(None)).0, Verdict::Pass);
    assert_eq!(judge(sentence, &record(Some(980))).0, Verdict::Pass, "before the fault");
    let (verdict, seen) = judge(sentence, &record(Some(1_500)));
    assert_eq!((verdict, seen.as_str()), (Verdict::Fail, "madrid over ipv6 1 lost > 0 lost"));
}

#[test]
fn one_cookie_that_is_not_taken_is_seen() {
    let record = |other: Option<(u64, Cookie)>| {
        let mut record = Record::default();
        for millis in (0..3_000).step_by(20) {
            let cookie = other.filter(|(at, _)| *at == millis).map_or(Cookie::Kept, |(_, cookie)| cookie);
            let (site, round_trip) = ("london".parse().unwrap(), Duration::ZERO);
            let outcome = Outcome::Answered { site, round_trip, cookie };
            let viewpoint = Viewpoint { client: Arc::from("madrid"), service: None, family: Family::Ipv6 };
            record.add(viewpoint, Sample { sent: at(millis), outcome });
        }
        record
    };
    let sentence = "every client keeps its cookie throughout";
    assert_eq!(judge(sentence, &record(None)).0, Verdict::Pass);
    assert_eq!(judge(sentence, &record(Some((980, Cookie::None)))).0, Verdict::Pass, "before the fault");
    for other in [Cookie::Changed, Cookie::None] {
        let (verdict, seen) = judge(sentence, &record(Some((1_500, other))));
        let expected = "madrid over ipv6 1 other cookies > 0 other cookies";
        assert_eq!((verdict, seen.as_str()), (Verdict::Fail, expected));
    }
}
