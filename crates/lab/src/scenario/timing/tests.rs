//! Synthetic histories: what was planted must be measured, and blamed on whoever did it.

use super::*;
use crate::scenario::record::{Cookie, Late, Outcome};
use crate::scenario::verdict::Verdict;
use proptest::prelude::*;
use std::sync::Arc;
use terms::Family;

const EVERY: u64 = 20;
const ROUND_TRIP: u64 = 30;
const FAULT: u64 = 5_000;
const UNTIL: u64 = 15_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

fn viewpoint(client: &str) -> Viewpoint {
    Viewpoint { client: Arc::from(client), service: None, family: Family::Ipv4 }
}

fn window() -> Window {
    Window {
        before: at(FAULT - 1_000),
        fault: at(FAULT),
        until: at(UNTIL),
        home: at(FAULT - 1_000),
        target: Some("london".parse().unwrap()),
        slack: 1.0,
    }
}

/// A client that `answer` answers at each moment, or nobody.
fn asks(record: &mut Record, client: &str, answer: impl Fn(u64) -> Option<&'static str>) {
    for sent in (0..=UNTIL).step_by(EVERY as usize) {
        let outcome = match answer(sent) {
            Some(site) => Outcome::Answered {
                site: site.parse().unwrap(),
                round_trip: Duration::from_millis(ROUND_TRIP),
                cookie: Cookie::Kept,
            },
            None => Outcome::Silent,
        };
        record.add(viewpoint(client), Sample { sent: at(sent), outcome });
    }
}

/// London's client is silent from the fault for `outage` ms, then paris answers; tokyo's client notices nothing.
fn failover(outage: u64) -> Record {
    let mut record = Record::default();
    asks(&mut record, "london", |sent| match sent {
        sent if sent < FAULT => Some("london"),
        sent if sent < FAULT + outage => None,
        _ => Some("paris"),
    });
    asks(&mut record, "tokyo", |_| Some("tokyo"));
    record
}

fn check(sentence: &str, record: &Record) -> Vec<Measurement> {
    measure(&sentence.parse().unwrap(), record, &window())
}

fn verdict(sentence: &str, record: &Record) -> Verdict {
    let measurements = check(sentence, record);
    assert!(!measurements.is_empty(), "{sentence}: nobody was measured");
    Verdict::of_all(measurements.iter().map(|measurement| measurement.verdict))
}

#[test]
fn a_sleeping_daemon_fails_on_an_idle_machine() {
    // A daemon that sleeps 400 ms waits for nothing that the kernel would count as delay.
    let record = failover(400);
    assert_eq!(verdict("clients of london answered within 250ms plus path", &record), Verdict::Fail);
    assert_eq!(verdict("other clients silent at most 100ms", &record), Verdict::Pass);
}

#[test]
fn a_starved_machine_is_inconclusive() {
    let mut record = failover(400);
    record.add_lateness(at(FAULT + 100), Late::Process, Duration::from_millis(60));
    record.add_lateness(at(FAULT + 150), Late::Process, Duration::from_millis(70));
    record.add_lateness(at(FAULT + 200), Late::Cable, Duration::from_millis(40));
    assert_eq!(verdict("clients of london answered within 250ms plus path", &record), Verdict::Inconclusive);
}

#[test]
fn lateness_elsewhere_excuses_nothing() {
    let mut record = failover(400);
    record.add_lateness(at(FAULT - 500), Late::Process, Duration::from_secs(1));
    record.add_lateness(at(FAULT + 1_000), Late::Cable, Duration::from_secs(1));
    assert_eq!(verdict("clients of london answered within 250ms plus path", &record), Verdict::Fail);
}

#[test]
fn the_path_is_measured_apart_when_the_sentence_says_so() {
    let record = failover(200);
    let apart = check("clients of london answered within 250ms plus path", &record).remove(0);
    assert_eq!((apart.measured, apart.path), (200.0, Some(ROUND_TRIP as f64)));
    let together = check("clients of london answered within 250ms", &record).remove(0);
    assert_eq!((together.measured, together.path), (200.0 + ROUND_TRIP as f64, None));
}

#[test]
fn a_relapse_counts() {
    let mut record = Record::default();
    asks(&mut record, "london", |sent| match sent {
        sent if sent < FAULT => Some("london"),
        sent if (FAULT..FAULT + 100).contains(&sent) || (FAULT + 2_000..FAULT + 2_100).contains(&sent) => {
            None
        }
        _ => Some("paris"),
    });
    let measured = check("clients of london answered within 1s plus path", &record).remove(0);
    assert_eq!((measured.measured, measured.verdict), (2_100.0, Verdict::Fail));
    assert_eq!(verdict("every client silent at most 100ms", &record), Verdict::Pass);
}

#[test]
fn moves_within_the_time_are_counted() {
    let mut record = Record::default();
    asks(&mut record, "london", |sent| match sent {
        sent if sent < FAULT + 1_000 => Some("london"),
        sent if sent < FAULT + 1_100 => None,
        sent if sent < FAULT + 5_000 => Some("paris"),
        _ => Some("london"),
    });
    let measured = |sentence: &str| check(sentence, &record).remove(0);
    assert_eq!(measured("at most 1 switches within 4s").verdict, Verdict::Pass);
    let twice = measured("at most 1 switches within 6s");
    assert_eq!((twice.measured, twice.verdict), (2.0, Verdict::Fail));
    assert_eq!(measured("at most 2 switches within 6s").verdict, Verdict::Pass);
    assert!(measured("at most 2 switches within 11s").unfinished, "the step ends before");
}

#[test]
fn what_never_ends_is_no_pass() {
    let record = failover(60_000);
    let measured = check("clients of london answered within 5s plus path", &record).remove(0);
    assert!(measured.unfinished);
    assert_eq!((measured.measured, measured.verdict), ((UNTIL - FAULT) as f64, Verdict::Fail));
    assert_eq!(verdict("clients of london answered within 30s plus path", &record), Verdict::Inconclusive);
    assert_eq!(verdict("every client silent at most 30s", &record), Verdict::Inconclusive);
}

#[test]
fn a_client_without_samples_is_no_pass() {
    let mut record = Record::default();
    let outcome = Outcome::Answered {
        site: "london".parse().unwrap(),
        round_trip: Duration::from_millis(ROUND_TRIP),
        cookie: Cookie::Kept,
    };
    record.add(viewpoint("london"), Sample { sent: at(0), outcome });
    assert_eq!(verdict("clients of london answered within 30s", &record), Verdict::Inconclusive);
    assert_eq!(verdict("every client silent at most 30s", &record), Verdict::Inconclusive);
    assert_eq!(verdict("catchment as before within 30s", &record), Verdict::Inconclusive);
}

#[test]
fn the_catchment_returns_with_the_last_client() {
    let mut record = Record::default();
    asks(&mut record, "london", |sent| {
        Some(if (FAULT - 900..FAULT + 3_000).contains(&sent) { "paris" } else { "london" })
    });
    asks(&mut record, "tokyo", |_| Some("tokyo"));
    let measured = check("catchment as before within 5s", &record);
    let worst = measured.iter().map(|measurement| measurement.measured).fold(0.0, f64::max);
    assert_eq!(worst, 3_000.0 + ROUND_TRIP as f64);
    assert_eq!(verdict("catchment as before within 3s", &record), Verdict::Fail);
}

#[test]
fn slack_widens_limits() {
    let sentence = "clients of london answered within 250ms plus path".parse().unwrap();
    let window = Window { slack: 2.0, ..window() };
    let measured = measure(&sentence, &failover(400), &window).remove(0);
    assert_eq!((measured.limit, measured.verdict), (500.0, Verdict::Pass));
}

proptest! {
    /// The three verdicts follow from the numbers alone, and lateness never makes a verdict worse.
    #[test]
    fn verdicts_follow_the_rule(
        outage in 1u64..200,
        limit in 1u64..4_000,
        waits in prop::collection::vec((0u64..4_000, 0u64..500), 0..6),
    ) {
        let outage = outage * EVERY;
        let mut record = failover(outage);
        let sentence = format!("clients of london answered within {limit}ms plus path");
        let idle = check(&sentence, &record).remove(0);
        prop_assert_eq!(idle.measured, outage as f64);
        prop_assert_eq!(idle.verdict == Verdict::Pass, outage <= limit);
        prop_assert_eq!(idle.verdict == Verdict::Fail, outage > limit);
        for (when, by) in waits {
            record.add_lateness(at(FAULT + when), Late::Process, Duration::from_millis(by));
        }
        let busy = check(&sentence, &record).remove(0);
        prop_assert!(busy.verdict <= idle.verdict);
        prop_assert_eq!(busy.verdict == Verdict::Fail, busy.measured - busy.lateness > limit as f64);
        prop_assert_eq!(busy.verdict == Verdict::Pass, idle.verdict == Verdict::Pass);
    }

    /// The order in which answers arrive does not matter, only when their questions were sent.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        samples in prop::collection::vec((0..UNTIL, any::<bool>()), 1..60).prop_shuffle(),
    ) {
        let filled = |samples: &[(u64, bool)]| {
            let mut record = Record::default();
            for (sent, answered) in samples {
                let site = "london".parse().unwrap();
                let round_trip = Duration::from_millis(ROUND_TRIP);
                let outcome = if *answered { Outcome::Answered { site, round_trip, cookie: Cookie::Kept } } else { Outcome::Silent };
                record.add(viewpoint("london"), Sample { sent: at(*sent), outcome });
            }
            record
        };
        let mut samples = samples;
        samples.sort_by_key(|(sent, _)| *sent);
        samples.dedup_by_key(|(sent, _)| *sent);
        let forwards = check("every client silent at most 100ms", &filled(&samples));
        samples.reverse();
        prop_assert_eq!(forwards, check("every client silent at most 100ms", &filled(&samples)));
    }

    /// No silence is longer than the window, and none is missed.
    #[test]
    fn the_longest_silence_is_found(begin in 0u64..400, length in 0u64..90) {
        let (begin, length) = (FAULT + EVERY + begin * EVERY, length * EVERY);
        let mut record = Record::default();
        asks(&mut record, "tokyo", |sent| (!(begin..begin + length).contains(&sent)).then_some("tokyo"));
        let measured = check("every client silent at most 100ms", &record).remove(0);
        prop_assert_eq!(measured.measured, length as f64);
    }
}

#[test]
fn a_median_is_compared_with_the_one_before() {
    let mut record = Record::default();
    for (client, near, far) in [("london", 10, 40), ("paris", 20, 60), ("tokyo", 30, 180)] {
        for sent in (0..=UNTIL).step_by(EVERY as usize) {
            let round_trip = Duration::from_millis(if sent <= FAULT { near } else { far });
            let outcome =
                Outcome::Answered { site: "london".parse().unwrap(), round_trip, cookie: Cookie::Kept };
            record.add(viewpoint(client), Sample { sent: at(sent), outcome });
        }
    }
    let measured = check("median round trip at least 3 times before", &record).remove(0);
    assert_eq!((measured.measured, measured.verdict), (3.0, Verdict::Pass));
    assert_eq!(verdict("median round trip at least 3.1 times before", &record), Verdict::Fail);
    assert_eq!(verdict("median round trip at most 60ms", &record), Verdict::Pass);
    assert_eq!(verdict("median round trip at most 59ms", &record), Verdict::Fail);
}
