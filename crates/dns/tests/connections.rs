//! Which connections are cut: against a plain list that is searched anew each time.

#![allow(clippy::unwrap_used)]

use dns::{ConnectionId, Connections, Limits};
use proptest::prelude::*;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use terms::Timestamp;

const IDLE: Duration = Duration::from_secs(10);

fn limits(connections: usize, per_network: usize) -> Limits {
    let number = |number| NonZeroUsize::new(number).unwrap();
    Limits { connections: number(connections), per_network: number(per_network), idle: IDLE }
}

/// What happens to a server.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody of this network calls.
    Open(u8),
    /// A message passes on the connection with this place in the list, counted round and round.
    Passed(usize),
    /// That client hangs up.
    Close(usize),
    /// So many milliseconds go by, and whoever is overdue is cut.
    Wait(u64),
    /// The system has no descriptor left.
    MakeRoom,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4).prop_map(Step::Open),
        3 => any::<usize>().prop_map(Step::Passed),
        1 => any::<usize>().prop_map(Step::Close),
        2 => (0u64..6000).prop_map(Step::Wait),
        1 => Just(Step::MakeRoom),
    ]
}

/// An address of that network, another one each time.
fn address(network: u8, host: usize) -> IpAddr {
    let host = host as u8;
    match network % 2 {
        0 => IpAddr::from([192, 0, network, host]),
        _ => IpAddr::from([0x2001, 0xdb8, 0, u16::from(network) << 8 | u16::from(host), 0, 0, 0, 1]),
    }
}

#[derive(Clone, Copy, Debug)]
struct Listed {
    id: ConnectionId,
    network: u8,
    since: Timestamp,
}

/// The place of the idlest among those that are meant; of two that are equally idle, the older one.
fn idlest(list: &[Listed], meant: impl Fn(&Listed) -> bool) -> Option<usize> {
    let meant = list.iter().enumerate().filter(|(_, one)| meant(one));
    meant.min_by_key(|(_, one)| (one.since, one.id)).map(|(at, _)| at)
}

proptest! {
    #[test]
    fn the_idlest_goes_first_and_nobody_who_asks(
        connections in 1usize..12,
        per_network in 1usize..8,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let limits = limits(connections, per_network);
        let mut tested = Connections::new(limits);
        let mut list: Vec<Listed> = Vec::new();
        let mut now = Timestamp::ZERO;
        for (number, step) in steps.into_iter().enumerate() {
            let at = |place: usize| (!list.is_empty()).then(|| place % list.len());
            match step {
                Step::Open(network) => {
                    let its = list.iter().filter(|one| one.network == network).count();
                    let goes = if its >= per_network {
                        idlest(&list, |one| one.network == network)
                    } else if list.len() >= connections {
                        idlest(&list, |_| true)
                    } else {
                        None
                    };
                    let opened = tested.open(address(network, number), now);
                    prop_assert_eq!(opened.instead_of, goes.map(|at| list.remove(at).id));
                    list.push(Listed { id: opened.id, network, since: now });
                }
                Step::Passed(place) => if let Some(at) = at(place) {
                    tested.passed(list[at].id, now);
                    list[at].since = now;
                }
                Step::Close(place) => if let Some(at) = at(place) {
                    tested.close(list.remove(at).id);
                }
                Step::Wait(millis) => {
                    now = now + Duration::from_millis(millis);
                    while let Some(id) = tested.overdue(now) {
                        let at = idlest(&list, |_| true).unwrap();
                        prop_assert_eq!(list[at].id, id);
                        prop_assert!(now.since(list[at].since) >= IDLE / 10, "everybody has some time");
                        list.remove(at);
                    }
                    for one in &list {
                        prop_assert!(now.since(one.since) < tested.patience(), "nobody overstays");
                    }
                }
                Step::MakeRoom => {
                    let goes = idlest(&list, |_| true);
                    prop_assert_eq!(tested.make_room(), goes.map(|at| list.remove(at).id));
                }
            }
            prop_assert_eq!(tested.len(), list.len());
            prop_assert!(list.len() <= connections);
            prop_assert!((IDLE / 10..=IDLE).contains(&tested.patience()));
        }
    }
}

#[test]
fn who_asks_keeps_its_place_whatever_the_others_do() {
    let mut connections = Connections::new(limits(1000, 1000));
    let mut now = Timestamp::ZERO;
    let asking = connections.open(address(0, 0), now).id;
    for number in 0..100_000 {
        now = now + Duration::from_millis(1);
        if number % 900 == 0 {
            connections.passed(asking, now);
        }
        let opened = connections.open(address(2, number), now);
        assert_ne!(opened.instead_of, Some(asking));
        while let Some(cut) = connections.overdue(now) {
            assert_ne!(cut, asking);
        }
    }
}

#[test]
fn patience_falls_when_more_than_half_of_the_places_are_taken() {
    let mut connections = Connections::new(limits(10, 10));
    let patience = (0..12).map(|number| {
        connections.open(address(0, number), Timestamp::ZERO);
        connections.patience().as_secs()
    });
    assert_eq!(patience.collect::<Vec<_>>(), [10, 10, 10, 10, 10, 8, 6, 4, 2, 1, 1, 1]);
}

#[test]
fn other_limits_hold_for_newcomers() {
    let mut connections = Connections::new(limits(4, 4));
    let ids: Vec<_> = (0..4).map(|number| connections.open(address(0, number), Timestamp::ZERO).id).collect();
    connections.limit(limits(4, 2));
    assert_eq!(connections.open(address(0, 9), Timestamp::ZERO).instead_of, Some(ids[0]));
    assert_eq!(connections.open(address(2, 9), Timestamp::ZERO).instead_of, Some(ids[1]));
    connections.close(ids[0]);
    assert_eq!(connections.len(), 4);
}
