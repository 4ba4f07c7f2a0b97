//! What a monitoring station is told around a restart.

use super::{come_up, end_of_rib, graceful, open_with, promise, seconds, up};
use crate::announcement;
use crate::bench::{Bench, FIRST, SECOND};
use bgp::session::{Direction, Ending, Input, KeepReceived, Monitored, Monitoring, Unsaid};
use bgp::wire::message::KEEPALIVE;
use terms::Family;

fn monitored() -> Bench {
    let mut bench = up(graceful(), Some(promise()));
    bench.session.keep(Some(KeepReceived::default()));
    bench.session.monitor(Monitoring::ToldAndHeard);
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    noted(&mut bench);
    bench
}

fn noted(bench: &mut Bench) -> Vec<Monitored> {
    std::iter::from_fn(|| bench.session.poll_monitored()).collect()
}

/// RFC 4724 section 5: the event that closes the old connection is that the new one is open.
#[test]
fn a_neighbour_that_begins_anew_ends_its_session() {
    let mut bench = monitored();
    bench.connected(SECOND, Direction::Inbound);
    assert_eq!(noted(&mut bench), [], "it may still be turned away");
    bench.say(SECOND, &open_with(Some(promise())).encode());
    assert_eq!(noted(&mut bench), [Monitored::Down(Ending::Unsaid(Unsaid::NeighbourConnects))]);
    assert_eq!(Unsaid::NeighbourConnects.code(), 17);
    bench.say(SECOND, &KEEPALIVE);
    let notes = noted(&mut bench);
    let Some(Monitored::Up(introduction)) = notes.first() else { panic!("{notes:?}") };
    assert_eq!(introduction.connection, SECOND);
}

/// A station forgot everything with Peer Down: what stays here as stale is not in its picture.
#[test]
fn stale_routes_are_our_own_affair_until_they_are_told_again() {
    let mut bench = monitored();
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(noted(&mut bench), [Monitored::Down(Ending::Closed)]);
    bench.pass(seconds(1));
    come_up(&mut bench, SECOND, Some(promise()));
    let notes = noted(&mut bench);
    assert!(!notes.contains(&Monitored::Forgotten), "{notes:?}");
    // Somebody who comes now is told the stale ones, and that they are gone.
    assert_eq!(bench.session.kept().unwrap().stale, 1);
    bench.say(SECOND, &end_of_rib(Family::Ipv4));
    assert_eq!(noted(&mut bench), [Monitored::Heard(end_of_rib(Family::Ipv4)), Monitored::Forgotten]);
}

#[test]
fn what_goes_while_nobody_is_there_is_not_told() {
    let mut bench = monitored();
    bench.feed(Input::Closed { connection: FIRST });
    noted(&mut bench);
    bench.pass(seconds(120));
    assert_eq!(bench.session.kept().unwrap().stale, 0);
    assert_eq!(noted(&mut bench), []);
}
