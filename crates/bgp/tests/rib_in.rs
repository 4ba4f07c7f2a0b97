//! Routes that are kept, against the simplest thing that could keep them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::rib_in::{Heard, KeepReceived, Mark, RibIn};
use bgp::wire::as_path::AsPath;
use bgp::wire::attribute::{MpReach, PathAttributes};
use bgp::wire::nlri::Nlri;
use bgp::wire::update::Update;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{Asn, Community, Family, Origin, Prefix, Timestamp};

fn asn(number: u32) -> Asn {
    number.try_into().unwrap()
}

fn at(second: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(second)
}

fn rib_in(max_memory: usize) -> RibIn {
    RibIn::new(asn(64501), KeepReceived { max_memory }, 42)
}

fn attributes(path: &[u32]) -> PathAttributes {
    PathAttributes {
        origin: Some(Origin::Igp),
        as_path: Some(AsPath::sequence(path.iter().map(|&number| asn(number)).collect())),
        ..PathAttributes::default()
    }
}

/// As the neighbour would write it.
fn announcement(prefixes: &[Prefix], said: &PathAttributes) -> Update {
    let (reached, others): (Vec<Nlri>, Vec<Nlri>) =
        prefixes.iter().copied().map(Nlri::from).partition(|path| path.prefix.family() == Family::Ipv4);
    let mut attributes = said.clone();
    attributes.next_hop = Some("192.0.2.1".parse().unwrap());
    if !others.is_empty() {
        let next_hop = "2001:db8::1".parse().unwrap();
        let family = Family::Ipv6;
        attributes.mp_reach = Some(MpReach { family, next_hop, link_local: None, prefixes: others });
    }
    Update { reached, attributes, ..Update::default() }
}

fn withdrawal(prefixes: &[Prefix]) -> Update {
    let of = |family| -> Vec<Nlri> {
        prefixes.iter().copied().filter(|prefix| prefix.family() == family).map(Nlri::from).collect()
    };
    let mut update = Update::withdraw(Family::Ipv6, of(Family::Ipv6));
    update.withdrawn = of(Family::Ipv4);
    update
}

/// What a neighbour can do. Numbers choose from [`prefix`] and [`said`].
#[derive(Clone, Debug)]
enum Act {
    Announce(Vec<u8>, u8),
    Withdraw(Vec<u8>),
    TreatAsWithdraw(Vec<u8>),
    MarkStale(Family),
    SweepStale(Family),
    Tidy,
    End,
}

/// Prefixes that cover each other, of both families.
fn prefix(number: u8) -> Prefix {
    let (family, number) = (number % 2, number / 2);
    let (length, third) = (16 + number % 4 * 4, number / 4);
    if family == 0 {
        Prefix::containing([100, 10, third, 0].into(), length).unwrap()
    } else {
        Prefix::containing(format!("2a00:{third:x}00::").parse().unwrap(), length).unwrap()
    }
}

fn said(number: u8) -> PathAttributes {
    attributes(&[64500, 1 + u32::from(number)])
}

fn any_act() -> impl Strategy<Value = Act> {
    let numbers = || prop::collection::vec(0..64_u8, 1..6);
    let family = || prop::sample::select(Family::ALL.to_vec());
    prop_oneof![
        8 => (numbers(), 0..6_u8).prop_map(|(prefixes, said)| Act::Announce(prefixes, said)),
        4 => numbers().prop_map(Act::Withdraw),
        1 => numbers().prop_map(Act::TreatAsWithdraw),
        1 => family().prop_map(Act::MarkStale),
        1 => family().prop_map(Act::SweepStale),
        3 => Just(Act::Tidy),
        1 => Just(Act::End),
    ]
}

/// The simplest thing: attributes by number, second and staleness.
type Model = BTreeMap<Prefix, (u8, u64, bool)>;

fn act_on_model(model: &mut Model, act: &Act, second: u64) {
    match act {
        Act::Announce(prefixes, said) => {
            model.extend(prefixes.iter().map(|&number| (prefix(number), (*said, second, false))));
        }
        Act::Withdraw(prefixes) | Act::TreatAsWithdraw(prefixes) => {
            prefixes.iter().for_each(|&number| {
                model.remove(&prefix(number));
            });
        }
        Act::MarkStale(family) => {
            let of_family = model.iter_mut().filter(|(prefix, _)| prefix.family() == *family);
            of_family.for_each(|(_, route)| route.2 = true);
        }
        Act::SweepStale(family) => {
            model.retain(|prefix, (_, _, stale)| !*stale || prefix.family() != *family);
        }
        Act::Tidy => {}
        Act::End => model.clear(),
    }
}

fn act_on_rib(rib_in: &mut RibIn, act: &Act, second: u64) {
    let chosen = |numbers: &[u8]| numbers.iter().map(|&number| prefix(number)).collect::<Vec<_>>();
    match act {
        Act::Announce(prefixes, number) => {
            rib_in.hear(announcement(&chosen(prefixes), &said(*number)), at(second));
        }
        Act::Withdraw(prefixes) => rib_in.hear(withdrawal(&chosen(prefixes)), at(second)),
        Act::TreatAsWithdraw(prefixes) => rib_in.withdraw(chosen(prefixes)),
        Act::MarkStale(family) => rib_in.mark_stale(*family),
        Act::SweepStale(family) => _ = rib_in.sweep_stale(*family),
        Act::Tidy => rib_in.tidy(),
        Act::End => rib_in.clear(),
    }
}

/// Whether both know the same; if not, what is different.
fn agree(rib_in: &RibIn, model: &Model) -> Result<(), String> {
    let same = |what: &str, is: String, should: String| {
        if is == should { Ok(()) } else { Err(format!("{what}: {is} is not {should}")) }
    };
    for number in 0..64 {
        let asked = prefix(number);
        let covering = model.iter().rev().filter(|(prefix, _)| prefix.covers(asked));
        let mut should: Vec<_> = covering.map(|(prefix, route)| (*prefix, *route)).collect();
        should.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.length()));
        let number_of = |heard: &Heard| (0..6).find(|&n| said(n).as_path == heard.attributes.as_path);
        let is = rib_in.about(asked).into_iter().map(|heard| {
            let second = heard.at.since(Timestamp::ZERO).as_secs();
            (heard.prefix, (number_of(&heard).unwrap(), second, heard.stale))
        });
        same(&asked.to_string(), format!("{:?}", is.collect::<Vec<_>>()), format!("{should:?}"))?;
    }
    for family in Family::ALL {
        let steps = (0..rib_in.steps(family)).flat_map(|step| rib_in.step(family, step));
        let mut walked: Vec<Prefix> = steps.map(|heard| heard.prefix).collect();
        walked.sort_unstable();
        let should: Vec<Prefix> = model.keys().copied().filter(|prefix| prefix.family() == family).collect();
        same("walked", format!("{walked:?}"), format!("{should:?}"))?;
    }
    let kept = rib_in.kept();
    let count = |family| model.keys().filter(|prefix| prefix.family() == family).count();
    let stale = model.values().filter(|(_, _, stale)| *stale).count();
    let should = [count(Family::Ipv4), count(Family::Ipv6), stale];
    same("kept", format!("{:?}", [kept.ipv4, kept.ipv6, kept.stale]), format!("{should:?}"))
}

/// Lets both do the same and compares after each act. `skip` lets the rib miss an act.
fn compare(acts: &[Act], skip: impl Fn(&Act) -> bool) -> Result<(), String> {
    let (mut rib_in, mut model) = (rib_in(1 << 24), Model::new());
    for (second, act) in (1..).zip(acts) {
        act_on_model(&mut model, act, second);
        if !skip(act) {
            act_on_rib(&mut rib_in, act, second);
        }
        agree(&rib_in, &model).map_err(|difference| format!("after {act:?}: {difference}"))?;
    }
    // Everything goes, and nothing of it stays held.
    rib_in.withdraw((0..64).map(prefix));
    Family::ALL.into_iter().for_each(|family| rib_in.mark_stale(family));
    Family::ALL.into_iter().for_each(|family| _ = rib_in.sweep_stale(family));
    while rib_in.is_untidy() {
        rib_in.tidy();
    }
    let left = rib_in.kept().attributes;
    if left == 0 { Ok(()) } else { Err(format!("{left} sets of attributes are held by nobody")) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_knows_what_a_simple_map_knows(acts in prop::collection::vec(any_act(), 1..60)) {
        prop_assert_eq!(compare(&acts, |_| false), Ok(()));
    }

    #[test]
    fn memory_never_exceeds_its_bound(
        acts in prop::collection::vec(any_act(), 1..60),
        max_memory in 0..300_000_usize,
    ) {
        let mut rib_in = rib_in(max_memory);
        let mut announced = 0;
        for (second, act) in (1..).zip(&acts) {
            act_on_rib(&mut rib_in, act, second);
            let kept = rib_in.kept();
            prop_assert!(kept.octets <= max_memory, "{} > {max_memory}", kept.octets);
            announced += if let Act::Announce(prefixes, _) = act { prefixes.len() as u64 } else { 0 };
            prop_assert!(kept.left_out <= announced);
        }
    }
}

/// Every act matters: a rib that misses one kind of them is told apart from the model.
#[test]
fn a_rib_that_misses_something_is_noticed() {
    let mut runner = TestRunner::deterministic();
    let scripts: Vec<Vec<Act>> = (0..200)
        .map(|_| prop::collection::vec(any_act(), 20..60).new_tree(&mut runner).unwrap().current())
        .collect();
    type Missed = (&'static str, fn(&Act) -> bool);
    let missed: [Missed; 6] = [
        ("announce", |act| matches!(act, Act::Announce(..))),
        ("withdraw", |act| matches!(act, Act::Withdraw(_))),
        ("treat as withdraw", |act| matches!(act, Act::TreatAsWithdraw(_))),
        ("mark", |act| matches!(act, Act::MarkStale(_))),
        ("sweep", |act| matches!(act, Act::SweepStale(_))),
        ("end", |act| matches!(act, Act::End)),
    ];
    for (name, skip) in missed {
        assert!(scripts.iter().any(|acts| compare(acts, skip).is_err()), "{name}");
    }
}

fn numbered(number: u32) -> Prefix {
    Prefix::containing((0x0100_0000 + (number << 8)).to_be_bytes().into(), 24).unwrap()
}

#[test]
fn routes_beyond_the_bound_are_counted_and_the_rest_stays_true() {
    let mut rib_in = rib_in(200_000);
    for number in 0..20_000 {
        rib_in.hear(announcement(&[numbered(number)], &attributes(&[64500, 1 + number])), at(1));
    }
    let full = rib_in.kept();
    assert!(full.octets <= 200_000 && full.ipv4 > 500, "{full:?}");
    assert_eq!(full.ipv4 + full.left_out, 20_000);

    // A route whose new attributes do not fit is not kept with its old ones.
    let first = numbered(0);
    rib_in.hear(announcement(&[first], &attributes(&[1; 200])), at(2));
    assert_eq!(rib_in.about(first), []);
    // What goes makes room.
    rib_in.withdraw((0..500).map(numbered));
    rib_in.hear(announcement(&[first], &attributes(&[64500, 7])), at(3));
    assert_eq!(rib_in.about(first).len(), 1);
}

#[test]
fn routes_that_share_attributes_take_little_memory() {
    let mut rib_in = rib_in(1 << 30);
    for chunk in 0..1000 {
        let prefixes: Vec<Prefix> = (0..200).map(|number| numbered(chunk * 200 + number)).collect();
        rib_in.hear(announcement(&prefixes, &attributes(&[64500, 1 + chunk])), at(1));
    }
    let kept = rib_in.kept();
    assert_eq!((kept.ipv4, kept.attributes), (200_000, 1000));
    assert!(kept.octets < 200_000 * 36, "{kept:?}");
}

#[test]
fn marks_say_what_is_strange_about_a_route() {
    let mut rib_in = rib_in(1 << 20);
    let looped: Prefix = "1.2.3.0/24".parse().unwrap();
    let going: Prefix = "10.2.0.0/16".parse().unwrap();
    rib_in.hear(announcement(&[looped], &attributes(&[64500, 64501, 3])), at(1));
    let leaving =
        PathAttributes { communities: [Community::GRACEFUL_SHUTDOWN].into(), ..attributes(&[64500]) };
    rib_in.hear(announcement(&[going], &leaving), at(1));
    let marks = |prefix| rib_in.about(prefix)[0].marks.iter().collect::<Vec<_>>();
    assert_eq!(marks(looped), [Mark::Looped]);
    assert_eq!(marks(going), [Mark::GracefulShutdown, Mark::Martian]);
}

#[test]
fn what_was_marked_stale_often_does_not_come_back() {
    let mut rib_in = rib_in(1 << 20);
    let (gone, stays) = (numbered(1), numbered(2));
    rib_in.hear(announcement(&[gone], &attributes(&[64500])), at(1));
    rib_in.mark_stale(Family::Ipv4);
    rib_in.sweep_stale(Family::Ipv4);
    rib_in.hear(announcement(&[stays], &attributes(&[64500])), at(2));
    // Marks are numbers of 16 bits: one that came round must not make old news fresh.
    for _ in 0..3 {
        (0..u16::MAX).for_each(|_| rib_in.mark_stale(Family::Ipv4));
        assert_eq!(rib_in.about(gone), []);
        rib_in.mark_stale(Family::Ipv4);
    }
    let kept = rib_in.about(stays);
    assert!(kept[0].stale && kept.len() == 1);
    assert_eq!((rib_in.kept().ipv4, rib_in.kept().stale), (1, 1));
}

/// RFC 7911: each path of a prefix comes and goes by itself; no prefix has more than a chain can bear.
#[test]
fn paths_of_one_prefix_are_told_apart_and_bounded() {
    let mut rib_in = rib_in(1 << 20);
    let prefix = numbered(1);
    let say = |rib_in: &mut RibIn, path: u32| {
        let mut update = announcement(&[prefix], &attributes(&[64500, path]));
        update.reached = vec![Nlri { prefix, path }];
        rib_in.hear(update, at(1));
    };
    for path in [7, 3, 5, 3] {
        say(&mut rib_in, path);
    }
    let paths = |rib_in: &RibIn| rib_in.about(prefix).iter().map(|heard| heard.path).collect::<Vec<_>>();
    assert_eq!(paths(&rib_in), [3, 5, 7]);
    rib_in.withdraw([Nlri { prefix, path: 5 }]);
    assert_eq!(paths(&rib_in), [3, 7]);
    (100..10_000).for_each(|path| say(&mut rib_in, path));
    let kept = rib_in.kept();
    assert_eq!((kept.ipv4, kept.left_out), (64, 9838));
}
