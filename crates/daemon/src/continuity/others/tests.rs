//! Who is there, who is dead, who is left out.

use super::super::said::tests::{SERVICE, said};
use super::*;
use proptest::prelude::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn speaker(name: &str) -> Speaker {
    Speaker { site: name.parse().unwrap(), host: name.parse().unwrap() }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

/// London, number 1, with addresses of both families.
fn own() -> Own {
    Own {
        speaker: speaker("london"),
        number: SiteNumber::try_from(1).unwrap(),
        port: NonZeroU16::new(9057).unwrap(),
        has4: true,
        has6: true,
        at: Some(GeoPoint::new(51.5, -0.1).unwrap()),
        services: [SERVICE].into(),
        room: 100,
    }
}

fn state(others: &Others, name: &str) -> Option<State> {
    let seen = others.seen_by(&own());
    seen.iter().find(|seen| seen.speaker == speaker(name))?.site.as_ref().ok().map(|site| site.state)
}

#[test]
fn a_host_is_dead_a_while_after_its_lease_and_forgotten_much_later() {
    let mut others = Others::new(PATIENCE);
    others.hear(speaker("tokyo"), said(2));
    others.gone(&speaker("tokyo"), at(100));
    assert_eq!(others.pass(at(109)), []);
    assert_eq!(state(&others, "tokyo"), Some(State::Alive), "its programs may be there without their daemon");
    assert!(!others.seen_by(&own())[0].is_well, "nobody is relayed to it");
    assert_eq!(others.pass(at(110)), [speaker("tokyo")]);
    assert_eq!(others.pass(at(111)), [], "told once");
    assert_eq!(state(&others, "tokyo"), Some(State::Dead));
    others.hear(speaker("tokyo"), said(2));
    assert_eq!(state(&others, "tokyo"), Some(State::Alive), "it is back");
    others.gone(&speaker("tokyo"), at(200));
    others.pass(at(210));
    others.pass(at(210) + REMEMBERED);
    assert_eq!(state(&others, "tokyo"), None);
}

#[test]
fn a_store_full_of_hosts_does_not_fill_the_memory() {
    let mut others = Others::new(PATIENCE);
    for number in 0..=MOST {
        others.hear(speaker(&format!("host{number}")), said(2));
    }
    assert_eq!(others.seen_by(&own()).len(), 2 * SiteNumber::COUNT);
    const { assert!(MOST * ::fleet::LONGEST_VALUE < 1 << 28, "an eighth of what the packaged unit allows") }
}

#[test]
fn nobody_dies_while_the_store_is_not_heard() {
    let mut others = Others::new(PATIENCE);
    others.hear(speaker("tokyo"), said(2));
    others.gone(&speaker("tokyo"), at(1));
    others.lose();
    assert_eq!(others.pass(at(100)), []);
    others.begin(&BTreeSet::new(), at(101));
    assert_eq!(others.pass(at(110)), [], "its time begins again");
    assert_eq!(others.pass(at(111)), [speaker("tokyo")]);
    others.begin(&[speaker("tokyo")].into(), at(112));
    assert_eq!(state(&others, "tokyo"), Some(State::Dead), "until it says something");
}

#[test]
fn two_hosts_never_share_a_number() {
    let mut others = Others::new(PATIENCE);
    others.hear(speaker("tokyo"), said(2));
    others.hear(speaker("paris"), said(2));
    others.hear(speaker("rome"), said(1));
    assert_eq!((state(&others, "paris"), state(&others, "tokyo")), (Some(State::Alive), None));
    assert_eq!(state(&others, "rome"), None, "that is our own");
    assert_eq!(others.first_with_number(&own()), None, "rome comes after london");
    others.hear(speaker("berlin"), said(1));
    assert_eq!(others.first_with_number(&own()), Some(&speaker("berlin")));
    // The dead make room for the living.
    others.gone(&speaker("paris"), at(0));
    others.pass(at(10));
    assert_eq!((state(&others, "paris"), state(&others, "tokyo")), (None, Some(State::Alive)));
}

#[test]
fn whoever_cannot_be_understood_is_left_out_and_told_why() {
    let why = |said: Said| {
        let mut others = Others::new(PATIENCE);
        others.hear(speaker("tokyo"), said);
        others.seen_by(&own()).remove(0).site.unwrap_err().to_string()
    };
    let port = why(Said { port: NonZeroU16::new(1).unwrap(), ..said(2) });
    let family = why(Said { source4: None, ..said(2) });
    let room = why(Said { filter: continuity::Filter::with_room_for(10_000).into(), ..said(2) });
    insta::assert_snapshot!([port, family, room].join("\n"), @r"
    it takes packets at port 1; all sites need the same one
    it has no address of a family that this host has one of
    it has room for more connections than this host; all sites need the same `connections`
    ");
}

#[test]
fn both_ends_choose_the_same_family() {
    let address6 = "2001:db8::2".parse().unwrap();
    let mut others = Others::new(PATIENCE);
    others.hear(speaker("tokyo"), Said { source6: Some(address6), ..said(2) });
    let address = |own: &Own| others.seen_by(own)[0].site.as_ref().unwrap().address;
    assert_eq!(address(&own()), IpAddr::from([10, 0, 0, 2]), "IPv4 where both have it");
    assert_eq!(address(&Own { has4: false, ..own() }), IpAddr::V6(address6));
}

#[test]
fn a_held_site_is_relayed_by_the_nearest_that_is_well() {
    let place = |lat: f64, lon: f64| Some(GeoPoint::new(lat, lon).unwrap());
    let mut others = Others::new(PATIENCE);
    others.hear(speaker("tokyo"), Said { at: place(35.7, 139.7), ..said(2) });
    others.hear(speaker("paris"), Said { at: place(48.9, 2.4), ..said(3) });
    let chosen = |others: &Others| relay(&others.seen_by(&own()), &own()).map(SiteNumber::get);
    assert_eq!(chosen(&others), Some(3));
    others.hear(speaker("paris"), Said { is_well: false, at: place(48.9, 2.4), ..said(3) });
    assert_eq!(chosen(&others), Some(2));
    others.gone(&speaker("tokyo"), at(0));
    assert_eq!(chosen(&others), None);
}

#[test]
fn nobody_answers_in_the_place_of_another_what_it_does_not_serve() {
    let more = "198.18.0.80".parse().unwrap();
    let own = Own { services: [SERVICE, more].into(), ..own() };
    let mut others = Others::new(PATIENCE);
    let chosen = |others: &Others| relay(&others.seen_by(&own), &own).map(SiteNumber::get);
    others.hear(speaker("paris"), said(2));
    assert_eq!(chosen(&others), None, "it would drop what is for the other address");
    others.hear(speaker("tokyo"), Said { services: [SERVICE, more].into(), ..said(3) });
    assert_eq!(chosen(&others), Some(3));
    others.hear(speaker("tokyo"), Said { services: [more].into(), ..said(3) });
    assert_eq!(chosen(&others), None);
}

#[derive(Clone, Debug)]
enum Step {
    Hear(u8, u8),
    Gone(u8),
    Begin(Vec<u8>),
    Lose,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u8, 0..4_u8).prop_map(|(name, number)| Step::Hear(name, number)),
        (0..6_u8).prop_map(Step::Gone),
        proptest::collection::vec(0..6_u8, 0..6).prop_map(Step::Begin),
        Just(Step::Lose),
        (0..30_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens, no two hosts that packets are exchanged with have one number, none has our own, and nobody is
    /// dead of whom was heard since its lease lapsed last.
    #[test]
    fn numbers_are_never_shared_and_nobody_who_is_there_is_dead(steps in proptest::collection::vec(step(), 0..60)) {
        let name = |name: u8| speaker(["amsterdam", "berlin", "london-2", "paris", "rome", "tokyo"][usize::from(name)]);
        let (mut others, mut now, mut present) = (Others::new(PATIENCE), at(0), BTreeSet::new());
        for step in steps {
            match step {
                Step::Hear(host, number) => {
                    others.hear(name(host), said(number));
                    present.insert(name(host));
                }
                Step::Gone(host) => {
                    others.gone(&name(host), now);
                    present.remove(&name(host));
                }
                Step::Begin(hosts) => {
                    let there: BTreeSet<Speaker> = hosts.into_iter().map(name).collect();
                    others.begin(&there, now);
                    present = &present & &there;
                }
                Step::Lose => others.lose(),
                Step::Pass(seconds) => {
                    now = now + Duration::from_secs(seconds);
                    others.pass(now);
                }
            }
            let seen = others.seen_by(&own());
            let mut numbers = BTreeSet::from([own().number]);
            for seen in seen.iter().filter(|seen| seen.site.is_ok()) {
                prop_assert!(numbers.insert(seen.number), "{seen:?}");
                let is_dead = seen.site.as_ref().is_ok_and(|site| site.state == State::Dead);
                prop_assert!(!(is_dead && present.contains(&seen.speaker)), "{seen:?}");
            }
        }
    }
}
