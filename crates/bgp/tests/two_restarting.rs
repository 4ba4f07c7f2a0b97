//! Two sessions that restart gracefully, against each other, under any order of whatever can happen to them, crashes of
//! either program included: what is kept is true or stale, what is stale has an end, and once the faults end both agree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;
#[path = "support/world.rs"]
mod world;

use bench::{routes, settings};
use bgp::session::{ErrorCode, Graceful, HoldTime, Output, Session, Settings, StateName};
use bgp::wire::message::Message;
use proptest::prelude::*;
use std::time::Duration;
use terms::{Prefix, RouteSet};
use world::{Step, World, any_step_of_programs, both_families};

const END_OF_RIB_WITHIN: Duration = Duration::from_secs(30);

fn ends() -> [Settings; 2] {
    let graceful = Some(Graceful { end_of_rib_within: END_OF_RIB_WITHIN, ..Graceful::default() });
    let ours = Settings { graceful, ..settings() };
    let theirs = Settings::new(ours.peer_asn, ours.local_asn, "10.1.0.1".parse().unwrap());
    [ours, Settings { graceful, ..theirs }]
}

fn wanted() -> Vec<RouteSet> {
    vec![
        RouteSet::new(),
        routes(&["198.18.0.0/24"]),
        routes(&["198.18.0.0/24", "2001:db8:53::/48"]),
        routes(&["198.18.1.0/24", "2001:db8:54::/48", "2001:db8:55::/48"]),
    ]
}

fn prefixes() -> Vec<Prefix> {
    wanted().into_iter().flatten().map(|(prefix, _)| prefix).collect()
}

fn world() -> World {
    let settings = ends();
    let may_become = settings.clone().map(|settings| {
        let off = Settings { graceful: None, ..settings.clone() };
        let slower = Settings { hold_time: HoldTime::CONSERVATIVE, ..settings.clone() };
        vec![settings, off, slower]
    });
    let mut world = World::new(settings, both_families(HoldTime::DEFAULT), wanted());
    world.settings = may_become;
    world.keep();
    world
}

/// What one end keeps of the other's routes: fresh and stale.
fn kept(session: &Session) -> (Vec<Prefix>, Vec<Prefix>) {
    let about =
        |prefix: Prefix| session.heard_about(prefix).unwrap().into_iter().find(|it| it.prefix == prefix);
    let (mut fresh, mut stale) = (Vec::new(), Vec::new());
    let mut all = prefixes();
    all.sort_unstable();
    all.dedup();
    for heard in all.into_iter().filter_map(about) {
        if heard.stale { &mut stale } else { &mut fresh }.push(heard.prefix);
    }
    (fresh, stale)
}

/// What holds at any moment, whatever was done.
fn judge(world: &World) {
    for end in &world.ends {
        let (fresh, stale) = kept(end);
        let is_up = end.state() == StateName::Established;
        assert!(is_up || fresh.is_empty(), "a route of a session that is over is fresh in {}", end.state());
        assert!(stale.is_empty() || end.stale_until().is_some(), "stale without an end in {}", end.state());
        if let Some((families, until)) = end.stale_until() {
            assert!(stale.iter().all(|prefix| families.contains(&prefix.family())));
            assert!(end.deadline().is_some_and(|deadline| deadline <= until));
        }
        assert!(
            end.end_of_rib_deferred()
                .is_none_or(|since| world.now.since(since) <= END_OF_RIB_WITHIN || !is_up)
        );
    }
}

fn any_steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    // Bursts, and between them a time in which everything gets through: sessions that never come up restart nothing.
    proptest::collection::vec(proptest::collection::vec(any_step_of_programs(), 0..25), 0..8)
}

proptest! {
    #[test]
    fn what_is_kept_is_true_or_stale_and_what_is_stale_has_an_end(bursts in any_steps(), wants in (0..4usize, 0..4usize)) {
        let mut world = world();
        for burst in bursts {
            for step in burst {
                world.step(step);
                judge(&world);
            }
            world.step(Step::Start(0));
            world.step(Step::Start(1));
            for _ in 0..6 {
                world.hurry();
                judge(&world);
            }
        }
        world.step(Step::Want(0, wants.0));
        world.step(Step::Want(1, wants.1));
        prop_assert!(world.settle(), "{:?} and {:?}", world.ends[0].state(), world.ends[1].state());
        judge(&world);
        world.step(Step::Decide(0));
        world.step(Step::Decide(1));
        world.hurry();
        for end in [0, 1] {
            let told: Vec<Prefix> = world.ends[1 - end].told().keys().copied().collect();
            prop_assert_eq!(kept(&world.ends[end]), (told, vec![]), "end {}", end);
            prop_assert_eq!(world.ends[end].stale_until(), None);
        }
    }
}

proptest! {
    /// The same inputs give the same outputs, whether or not routes are kept, also after a session was written down and
    /// read back in the middle of it.
    #[test]
    fn a_recording_of_a_restart_replays(
        steps in proptest::collection::vec(any_step_of_programs(), 0..150),
        saved_before in 0..200usize,
    ) {
        let mut world = world();
        world.restart(0);
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Crash(_))) {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(world.replayed(ends(), saved_before), world.outputs);
    }
}

fn agreed() -> World {
    let mut world = world();
    world.step(Step::Want(0, 2));
    world.step(Step::Want(1, 3));
    assert!(world.settle());
    world
}

/// The whole of it, step by step: a program is killed, its neighbour keeps what it told, and forgets what the new
/// program has not told again.
#[test]
fn a_program_that_is_killed_and_comes_back() {
    let mut world = agreed();
    let told = kept(&world.ends[1]).0;
    assert_eq!(told.len(), 2);
    world.step(Step::Crash(0));
    world.hurry();
    assert_eq!(kept(&world.ends[1]), (vec![], told.clone()), "the connection is gone");
    while world.ends.iter().any(|end| end.state() != StateName::Established) {
        world.step(Step::Timer);
        world.hurry();
    }
    assert_eq!(kept(&world.ends[1]), (vec![], told.clone()), "it is back and has decided nothing");
    assert!(world.ends[0].told().is_empty(), "nothing is told that was not decided");
    world.step(Step::Want(0, 1));
    world.hurry();
    assert_eq!(kept(&world.ends[1]), (vec![told[0]], vec![told[1]]));
    world.step(Step::Decide(0));
    world.hurry();
    assert_eq!(kept(&world.ends[1]), (vec![told[0]], vec![]));
}

/// Nobody told the survivor that the old connection is gone: the call of the new program does.
#[test]
fn a_program_that_is_killed_behind_a_broken_cable_and_comes_back() {
    let mut world = agreed();
    world.step(Step::Want(0, 2));
    world.step(Step::Break(0));
    world.step(Step::Crash(0));
    world.step(Step::Want(0, 2));
    world.outputs.clear();
    let start = world.now;
    while world.ends[0].state() != StateName::Established {
        world.hurry_but_closing();
        assert_eq!(world.now, start, "without waiting for a timer");
    }
    world.hurry();
    let (fresh, stale) = kept(&world.ends[1]);
    assert_eq!((fresh.len(), stale.len()), (2, 0));
    let ends = world.outputs.iter().filter_map(|(_, output)| match output {
        Output::Send { bytes, .. } => match Message::decode(bytes) {
            Ok(Message::Notification(said)) => Some(said.error),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<ErrorCode>>(), [], "RFC 4724 section 4.2: closed without a word");
}
