//! The keys that the store has, has lost, or has in a form that nobody understands.

use super::*;
use ::fleet::{Connection, Listing};
use std::collections::BTreeSet;
use std::num::NonZeroU16;

const HOUR: Duration = Duration::from_secs(3600);

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

fn speaker(name: &str) -> Speaker {
    Speaker { site: name.parse().unwrap(), host: name.parse().unwrap() }
}

pub(in crate::continuity) fn knowledge() -> Knowledge {
    let section = config::Continuity {
        number: SiteNumber::try_from(1).unwrap(),
        interfaces: Vec::new(),
        source4: Some("10.0.0.1".parse().unwrap()),
        source6: None,
        port: NonZeroU16::new(9057).unwrap(),
        mtu: 1500,
        budget: NonZeroU32::new(1000).unwrap(),
        connections: 1000,
        pins: "/sys/fs/bpf/catchment".into(),
        services: None,
    };
    let wanted = Wanted { section, services: BTreeSet::new(), addresses: BTreeMap::new(), at: None };
    Knowledge::new(wanted, &speaker("london"), Duration::from_secs(10), WallTime(0))
}

fn entry(value: Vec<u8>) -> Entry {
    Entry { key: Key::continuity_keys(), revision: Revision(7), value }
}

fn everything(entries: Vec<Entry>) -> Heard {
    Heard::Everything(Listing { over: Connection(1), at: Revision(7), entries })
}

fn revision(known: &Knowledge) -> Option<Revision> {
    known.keys.as_ref().unwrap().revision
}

#[test]
fn keys_that_the_store_has_lost_are_put_back_at_once() {
    for lost in [Heard::Gone(Key::continuity_keys()), everything(Vec::new())] {
        let (mut known, keys) = (knowledge(), Keys::fresh());
        known.hear(everything(vec![entry(keys.encode())]), at(100));
        assert_eq!((revision(&known), known.step_at), (Some(Revision(7)), at(100) + HOUR));
        known.hear(lost, at(200));
        assert_eq!(
            (revision(&known), known.step_at),
            (None, at(200)),
            "the next step puts the same ones back"
        );
        assert_eq!(known.keys.as_ref().unwrap().keys, keys);
        known.hear(Heard::Put(entry(keys.encode())), at(201));
        assert_eq!((revision(&known), known.step_at), (Some(Revision(7)), at(201) + HOUR));
    }
}

#[test]
fn keys_that_are_not_understood_are_noticed_until_they_have_gone_or_others_come() {
    for better in [
        Heard::Gone(Key::continuity_keys()),
        everything(Vec::new()),
        Heard::Put(entry(Keys::fresh().encode())),
    ] {
        let mut known = knowledge();
        known.hear(everything(vec![entry(b"{}".to_vec())]), at(100));
        assert!(known.are_keys_strange && known.keys.is_none());
        known.hear(better, at(200));
        assert!(!known.are_keys_strange);
    }
}

/// Who has left out whom is known beyond a reload, so that the alarm ends when its reason does.
#[test]
fn another_wording_of_the_site_file_forgets_nothing_that_was_heard() {
    let mut known = knowledge();
    let (host, said) = (speaker("tokyo"), super::super::said::tests::said(1));
    let entry_of_host =
        Entry { key: Key::continuity_host(&host), revision: Revision(8), value: said.encode() };
    known.hear(everything(vec![entry(Keys::fresh().encode()), entry_of_host]), at(100));
    known.left_out = [(host, LeftOut::OwnNumber)].into();
    known.trouble = Some((Reason::from("no such interface"), at(105)));
    let mut wanted = known.wanted.clone();
    wanted.section.number = SiteNumber::try_from(2).unwrap();
    known.follow(wanted.clone());
    assert!(known.is_heard && known.keys.is_some() && known.left_out.len() == 1);
    assert_eq!(known.trouble, None, "tried at once");
    assert_eq!((known.own.number, &known.wanted), (wanted.section.number, &wanted));
    assert!(known.others.seen_by(&known.own).iter().all(|seen| seen.site.is_ok()));
}

/// Groups by their names; each has one service, which is called the same.
fn groups(states: &[(&str, (GroupState, Output))]) -> Vec<api::Group> {
    let group = |(name, (state, output)): &(&str, (GroupState, Output))| {
        let json = serde_json::json!({
            "name": name, "services": [name], "state": state, "output": output, "since": 0, "reason": "",
            "alarms": [], "prefixes": [], "checks": [],
        });
        serde_json::from_value(json).unwrap()
    };
    states.iter().map(group).collect()
}

#[test]
fn a_group_is_being_left_from_its_drain_on_until_it_comes_back() {
    let (drain, down) = ((GroupState::Drain, Output::Gshut), (GroupState::Down, Output::None));
    let (up, held) = ((GroupState::Up, Output::Normal), (GroupState::Held, Output::Gshut));
    let (off, boot) = ((GroupState::Off, Output::None), (GroupState::Boot, Output::None));
    let names =
        |names: &[&str]| -> BTreeSet<GroupName> { names.iter().map(|name| name.parse().unwrap()).collect() };
    // What is so, what was in order before, what is now, and what is being left.
    for (states, before, now, left) in [
        (&[("a", drain)][..], &[][..], &["a"][..], &["a"][..]),
        (&[("a", drain), ("b", down)], &[], &["a"], &["a", "b"]),
        (&[("a", drain), ("b", boot)], &[], &["a"], &["a"]),
        (&[("a", drain), ("b", up)], &[], &["a"], &["a"]),
        (&[("a", down), ("b", up)], &["a"], &["a"], &["a"]),
        (&[("a", down), ("b", down), ("c", up)], &["a"], &["a"], &["a"]),
        (&[("a", down)], &[], &[], &[]),
        (&[("a", down)], &["a"], &["a"], &["a"]),
        (&[("a", up), ("b", down)], &["a", "b"], &["b"], &["b"]),
        (&[("a", held)], &["a"], &[], &[]),
        (&[("a", off)], &[], &["a"], &["a"]),
        (&[("a", off), ("b", up)], &[], &["a"], &["a"]),
        (&[("a", off), ("b", boot)], &[], &["a"], &["a"]),
        (&[], &["a"], &[], &[]),
    ] {
        let groups = groups(states);
        let in_order = in_order(&groups, &names(before));
        assert_eq!(in_order, names(now), "{states:?}, {before:?}");
        assert_eq!(being_left(&groups, &in_order), names(left), "{states:?}, {before:?}");
    }
}

/// Whoever went only because the last one went is not being left once that one is back.
#[test]
fn a_group_that_is_down_stays_when_another_one_comes_back_from_its_drain() {
    let mut known = knowledge();
    for (service, last) in [("a", 1), ("b", 2)] {
        known.wanted.addresses.insert(service.parse().unwrap(), [IpAddr::from([198, 18, 0, last])].into());
    }
    let (drain, down) = ((GroupState::Drain, Output::Gshut), (GroupState::Down, Output::None));
    let up = (GroupState::Up, Output::Normal);
    let mut left = |states: &[(&str, (GroupState, Output))]| {
        let groups = groups(states);
        known.in_order = in_order(&groups, &known.in_order);
        known.addresses_being_left(&groups).len()
    };
    assert_eq!(left(&[("a", drain), ("b", down)]), 2);
    assert_eq!(left(&[("a", up), ("b", down)]), 0);
}

/// SIGTERM where the fleet permits no drain: at the deadline everything is withdrawn, and connections go while the site lingers.
#[test]
fn a_site_that_leaves_without_a_permit_is_left_when_it_has_withdrawn() {
    let mut known = knowledge();
    known.wanted.addresses.insert("a".parse().unwrap(), [IpAddr::from([198, 18, 0, 1])].into());
    let states = [
        (GroupState::Up, Output::Normal),
        (GroupState::Held, Output::Gshut),
        (GroupState::Off, Output::None),
    ];
    let left = states.map(|state| {
        let groups = groups(&[("a", state)]);
        known.in_order = in_order(&groups, &known.in_order);
        known.addresses_being_left(&groups).len()
    });
    assert_eq!(left, [0, 0, 1]);
}

#[test]
fn the_connections_of_a_group_go_with_it_and_no_others() {
    let mut known = knowledge();
    let addresses =
        |last: &[u8]| last.iter().map(|last| IpAddr::from([198, 18, 0, *last])).collect::<BTreeSet<_>>();
    for (service, last) in [("a", &[1, 9][..]), ("b", &[2, 9])] {
        known.wanted.addresses.insert(service.parse().unwrap(), addresses(last));
    }
    let (drain, up) = ((GroupState::Drain, Output::Gshut), (GroupState::Up, Output::Normal));
    for (states, left) in [
        ([("a", drain), ("b", up)], &[1][..]),
        ([("a", drain), ("b", drain)], &[1, 2, 9]),
        ([("a", up), ("b", up)], &[]),
    ] {
        let groups = groups(&states);
        known.in_order = in_order(&groups, &known.in_order);
        assert_eq!(known.addresses_being_left(&groups), addresses(left), "{states:?}");
    }
}
