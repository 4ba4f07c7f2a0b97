//! Two sessions against each other under any order of connect, open, close, timer and octets: they never panic, they
//! never send on a connection that is closed, and once the faults end they agree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;
#[path = "support/world.rs"]
mod world;

use bench::{routes, settings};
use bgp::session::{HoldTime, Role, Settings};
use proptest::prelude::*;
use terms::{Family, RouteSet};
use world::{Step, World, both_families};

fn step() -> impl Strategy<Value = Step> {
    let end = 0..2usize;
    let which = 0..4usize;
    prop_oneof![
        2 => end.clone().prop_map(Step::Start),
        1 => end.clone().prop_map(Step::Stop),
        1 => end.clone().prop_map(Step::PathDown),
        1 => (end.clone(), 0..8usize).prop_map(|(end, which)| Step::Reconfigure(end, which)),
        2 => (end.clone(), 0..4usize).prop_map(|(end, set)| Step::Want(end, set)),
        6 => end.clone().prop_map(Step::ConnectSucceeds),
        1 => end.clone().prop_map(Step::ConnectFails),
        8 => (end.clone(), which.clone()).prop_map(|(end, which)| Step::Learn(end, which)),
        12 => (end.clone(), which.clone(), 0..120usize).prop_map(|(e, w, count)| Step::Deliver(e, w, count)),
        4 => (end, which.clone()).prop_map(|(end, which)| Step::Confirm(end, which)),
        1 => which.prop_map(Step::Break),
        4 => Just(Step::Timer),
    ]
}

fn ends() -> [Settings; 2] {
    let ours = settings();
    let theirs = Settings::new(ours.peer_asn, ours.local_asn, "10.1.0.1".parse().unwrap());
    [ours, theirs]
}

/// Settings that an operator may give an end while it lives. All of them go with all of the other end's, and the
/// octets on the wire read the same.
fn may_become(settings: &Settings) -> Vec<Settings> {
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings.clone();
        change(&mut settings);
        settings
    };
    vec![
        settings.clone(),
        with(&|settings| settings.max_prefixes = [(Family::Ipv4, 0)].into()),
        with(&|settings| settings.max_prefixes = [(Family::Ipv4, 9), (Family::Ipv6, 1)].into()),
        with(&|settings| settings.max_announced = Some(1)),
        with(&|settings| settings.passive = !settings.passive),
        with(&|settings| settings.hold_time = HoldTime::CONSERVATIVE),
        with(&|settings| settings.role = Some(Role::Peer)),
        with(&|settings| settings.role_strict = true),
    ]
}

fn wanted() -> Vec<RouteSet> {
    vec![
        RouteSet::new(),
        routes(&["198.18.0.0/24"]),
        routes(&["198.18.0.0/24", "2001:db8:53::/48"]),
        routes(&["198.18.1.0/24", "2001:db8:54::/48", "2001:db8:55::/48"]),
    ]
}

fn world(settings: [Settings; 2]) -> World {
    let may_become = [may_become(&settings[0]), may_become(&settings[1])];
    let mut world = World::new(settings, both_families(HoldTime::DEFAULT), wanted());
    world.settings = may_become;
    world
}

#[test]
fn both_connect_at_the_same_moment() {
    // The two connections cross in every order in which the two ends can learn of them.
    for order in 0..24 {
        let mut learns = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
        let mut number = order;
        let mut world = world(ends());
        world.step(Step::Want(0, 2));
        for step in [Step::Start(0), Step::Start(1), Step::ConnectSucceeds(0), Step::ConnectSucceeds(1)] {
            world.step(step);
        }
        while !learns.is_empty() {
            let (end, which) = learns.remove(number % learns.len());
            number /= learns.len() + 1;
            world.step(Step::Learn(end, which));
        }
        let start = world.now;
        assert!(world.settle(), "order {order}");
        assert_eq!(world.now, start, "order {order} needed a second attempt");
    }
}

proptest! {
    #[test]
    fn any_interleaving_ends_in_agreement(
        steps in proptest::collection::vec(step(), 0..150),
        passive in 0..3usize,
        wants in (0..4usize, 0..4usize),
    ) {
        let mut settings = ends();
        if let Some(end) = settings.get_mut(passive) {
            end.passive = true;
        }
        let mut world = world(settings);
        steps.into_iter().for_each(|step| world.step(step));
        world.step(Step::Want(0, wants.0));
        world.step(Step::Want(1, wants.1));
        prop_assert!(world.settle(), "{:?} and {:?}", world.ends[0].state(), world.ends[1].state());
        let told: Vec<&RouteSet> = world.ends.iter().map(|end| end.told()).collect();
        prop_assert_eq!(told, [&wanted()[wants.0], &wanted()[wants.1]]);
    }

    /// The same inputs give the same outputs, also after they were written down and read back.
    #[test]
    fn a_recording_replays(steps in proptest::collection::vec(step(), 0..150)) {
        let mut world = world(ends());
        steps.into_iter().for_each(|step| world.step(step));
        world.settle();

        let written: Vec<String> =
            world.recording.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        let mut again = ends().map(|settings| {
            let read = serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
            assert_eq!(settings, read);
            read
        }).map(Some);
        let mut sessions =
            [1, 2].map(|seed| bgp::session::Session::new(again[seed as usize - 1].take().unwrap(), seed));
        let mut outputs = Vec::new();
        for line in written {
            let (end, now, input): (usize, _, _) = serde_json::from_str(&line).unwrap();
            sessions[end].handle(input, now);
            outputs.extend(std::iter::from_fn(|| sessions[end].poll_output()).map(|output| (end, output)));
        }
        prop_assert_eq!(outputs, world.outputs);
    }
}
