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
use world::{Step, World, any_step, both_families};

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
        steps in proptest::collection::vec(any_step(), 0..150),
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

    /// The same inputs give the same outputs, also after everything was written down and read back.
    #[test]
    fn a_recording_replays(
        steps in proptest::collection::vec(any_step(), 0..150),
        saved_before in 0..200usize,
    ) {
        let mut world = world(ends());
        steps.into_iter().for_each(|step| world.step(step));
        world.settle();
        prop_assert_eq!(world.replayed(ends(), saved_before), world.outputs);
    }
}
