//! The neighbour restarts.

use super::{come_up, end_of_rib, graceful, open_with, promise, seconds, up};
use crate::bench::{Bench, FIRST, SECOND, THIRD, describe, events, routes, settings};
use crate::{announcement, negotiated, refusal};
use bgp::session::{
    ConnectionId, Direction, ErrorCode, Graceful, Input, KeepReceived, Notification, Output, Settings,
    StateName, StopKind,
};
use bgp::wire::attribute::{MpReach, PathAttributes};
use bgp::wire::capability::{Capability, GracefulRestart};
use bgp::wire::message::KEEPALIVE;
use bgp::wire::update::Update;
use std::collections::BTreeMap;
use terms::{Family, Prefix};

const OLD: &str = "192.0.2.0/24";
const KEPT: &str = "198.51.100.0/24";
const SIXTH: &str = "2001:db8:7::/48";

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    routes(texts).into_keys().collect()
}

fn announcement6(text: &str) -> Vec<u8> {
    let prefixes = vec![text.parse::<Prefix>().unwrap().into()];
    let reach = MpReach {
        family: Family::Ipv6,
        next_hop: "2001:db8::1".parse().unwrap(),
        link_local: None,
        prefixes,
    };
    let said = PathAttributes { mp_reach: Some(reach), ..v4_attributes() };
    Update { attributes: said, ..Update::default() }.encode(&negotiated()).unwrap()
}

fn v4_attributes() -> PathAttributes {
    PathAttributes {
        origin: Some(terms::Origin::Igp),
        as_path: Some(bgp::wire::as_path::AsPath::sequence(vec![settings().peer_asn])),
        ..PathAttributes::default()
    }
}

/// A neighbour that told two IPv4 routes and an IPv6 one, all of them kept.
fn telling(settings: Settings, promise: Option<GracefulRestart>) -> Bench {
    let mut bench = up(settings, promise);
    bench.session.keep(Some(KeepReceived::default()));
    bench.say(FIRST, &announcement(&prefixes(&[OLD, KEPT])));
    bench.say(FIRST, &announcement6(SIXTH));
    assert_eq!(shown(&bench), [(OLD, false), (KEPT, false), (SIXTH, false)]);
    bench
}

/// The routes that are kept, and whether each is stale.
fn shown(bench: &Bench) -> Vec<(&'static str, bool)> {
    let stale = |text: &&'static str| {
        let about = bench.session.heard_about(text.parse().unwrap()).unwrap();
        about.first().map(|heard| (*text, heard.stale))
    };
    [OLD, KEPT, SIXTH].iter().filter_map(stale).collect()
}

fn lose(bench: &mut Bench) -> Vec<Output> {
    bench.feed(Input::Closed { connection: FIRST })
}

/// RFC 4724 section 4.2.
#[test]
fn its_routes_stay_until_it_has_told_them_again() {
    let mut bench = telling(graceful(), Some(promise()));
    let outputs = lose(&mut bench);
    assert!(
        events(&outputs).contains(
            &"the neighbour may be restarting: its ipv4 and ipv6 routes stay for 60 s at most, until it is back"
                .to_owned()
        ),
        "{}",
        describe(&outputs)
    );
    assert_eq!(shown(&bench), [(OLD, true), (KEPT, true), (SIXTH, true)]);
    assert_eq!(bench.session.state(), StateName::Active, "where it can call at once");
    bench.pass(seconds(50));
    come_up(&mut bench, SECOND, Some(GracefulRestart { restarting: true, ..promise() }));
    assert_eq!(shown(&bench), [(OLD, true), (KEPT, true), (SIXTH, true)]);
    bench.say(SECOND, &announcement(&prefixes(&[KEPT])));
    assert_eq!(shown(&bench), [(OLD, true), (KEPT, false), (SIXTH, true)]);
    bench.say(SECOND, &end_of_rib(Family::Ipv4));
    assert_eq!(shown(&bench), [(KEPT, false), (SIXTH, true)]);
    let (families, _) = bench.session.stale_until().unwrap();
    assert_eq!(families, &[Family::Ipv6].into());
    bench.say(SECOND, &end_of_rib(Family::Ipv6));
    assert_eq!((shown(&bench), bench.session.stale_until()), (vec![(KEPT, false)], None));
    assert_eq!(bench.session.kept().unwrap().stale, 0);
}

#[test]
fn without_graceful_restart_on_either_side_nothing_stays() {
    for (ours, theirs) in [(settings(), Some(promise())), (graceful(), None)] {
        let mut bench = telling(ours, theirs);
        lose(&mut bench);
        assert_eq!((shown(&bench), bench.session.state()), (vec![], StateName::Idle));
    }
    let none = GracefulRestart { families: BTreeMap::new(), ..promise() };
    let mut bench = telling(graceful(), Some(none));
    lose(&mut bench);
    assert_eq!(shown(&bench), [], "it keeps no family");
}

#[test]
fn what_it_did_not_promise_goes_at_once() {
    let half = GracefulRestart { families: [(Family::Ipv6, false)].into(), ..promise() };
    let mut bench = telling(graceful(), Some(half));
    lose(&mut bench);
    assert_eq!(shown(&bench), [(SIXTH, true)]);
}

/// RFC 4724 section 4.2: F = 0, no family, no capability.
#[test]
fn what_it_does_not_stand_by_when_it_is_back_goes_at_once() {
    let forwarding = |families: &[(Family, bool)]| {
        Some(GracefulRestart { families: families.iter().copied().collect(), ..promise() })
    };
    let rows = [
        (forwarding(&[(Family::Ipv4, false), (Family::Ipv6, true)]), vec![(SIXTH, true)]),
        (forwarding(&[(Family::Ipv4, true)]), vec![(OLD, true), (KEPT, true)]),
        (forwarding(&[]), vec![]),
        (None, vec![]),
    ];
    for (theirs, stay) in rows {
        let mut bench = telling(graceful(), Some(promise()));
        lose(&mut bench);
        let outputs = come_up(&mut bench, SECOND, theirs.clone());
        assert_eq!(shown(&bench), stay, "{theirs:?}");
        let told = events(&outputs);
        assert!(told.iter().any(|told| told.contains("does not say that it went on forwarding")), "{told:?}");
    }
}

#[test]
fn a_neighbour_that_does_not_come_back_is_forgotten() {
    let mut bench = telling(graceful(), Some(promise()));
    lose(&mut bench);
    bench.pass(seconds(59));
    assert_eq!(shown(&bench).len(), 3);
    let outputs = bench.pass(seconds(1));
    assert_eq!(shown(&bench), []);
    assert!(events(&outputs).iter().any(|told| told.ends_with("it did not come back in time")));
    // An attempt under way does not count as being back.
    let mut bench = telling(graceful(), Some(promise()));
    lose(&mut bench);
    bench.connected(SECOND, Direction::Inbound);
    bench.say(SECOND, &open_with(Some(promise())).encode());
    assert_eq!(bench.session.state(), StateName::OpenConfirm);
    bench.now = bench.now + seconds(60);
    bench.say(SECOND, &KEEPALIVE);
    assert_eq!(bench.session.state(), StateName::Established);
    assert_eq!(shown(&bench).len(), 3, "back in the same moment is back");
}

#[test]
fn a_neighbour_that_never_says_that_it_has_told_all_is_believed_for_the_stale_time() {
    let patient = Graceful { stale_time: seconds(100), ..Graceful::default() };
    let mut bench = telling(Settings { graceful: Some(patient), ..settings() }, Some(promise()));
    lose(&mut bench);
    come_up(&mut bench, SECOND, Some(promise()));
    bench.say(SECOND, &announcement(&prefixes(&[KEPT])));
    for _ in 0..99 {
        bench.pass(seconds(1));
        bench.say(SECOND, &KEEPALIVE);
    }
    assert_eq!(shown(&bench), [(OLD, true), (KEPT, false), (SIXTH, true)]);
    let outputs = bench.pass(seconds(1));
    assert_eq!(shown(&bench), [(KEPT, false)], "{}", describe(&outputs));
    assert!(events(&outputs).iter().any(|told| told.contains("did not tell all of its routes in time")));
}

/// RFC 4724 section 4.2 deletes what was stale before; RFC 8538 section 4.1 leaves it until it has to go.
#[test]
fn restarts_in_a_row() {
    for (notification, stay) in
        [(false, vec![(KEPT, true)]), (true, vec![(OLD, true), (KEPT, true), (SIXTH, true)])]
    {
        let theirs = GracefulRestart { notification, ..promise() };
        let mut bench = telling(graceful(), Some(theirs.clone()));
        lose(&mut bench);
        come_up(&mut bench, SECOND, Some(theirs.clone()));
        bench.say(SECOND, &announcement(&prefixes(&[KEPT])));
        bench.feed(Input::Closed { connection: SECOND });
        assert_eq!(shown(&bench), stay, "N = {notification}");
        bench.pass(seconds(2)); // the pause of a neighbour that flaps
        come_up(&mut bench, THIRD, Some(theirs));
        bench.say(THIRD, &announcement(&prefixes(&[OLD])));
        bench.say(THIRD, &[end_of_rib(Family::Ipv4), end_of_rib(Family::Ipv6)].concat());
        assert_eq!(shown(&bench), [(OLD, false)]);
    }
}

/// RFC 8538 section 4.1: the stale timer. Without it a neighbour that flaps and never tells all would be believed for
/// ever.
#[test]
fn what_is_stale_has_an_end_however_often_the_neighbour_restarts() {
    let mut bench = telling(graceful(), Some(promise()));
    let mut connections = (2..).map(ConnectionId);
    let mut connection = FIRST;
    let mut last_shown = 0;
    for second in 0..200 {
        match bench.session.state() {
            StateName::Established if second % 50 == 0 => drop(bench.feed(Input::Closed { connection })),
            StateName::Established => drop(bench.say(connection, &KEEPALIVE)),
            StateName::Connect | StateName::Active => {
                connection = connections.next().unwrap();
                come_up(&mut bench, connection, Some(promise()));
                bench.say(connection, &announcement(&prefixes(&[KEPT])));
            }
            StateName::Idle | StateName::OpenSent | StateName::OpenConfirm => {}
        }
        let shown = shown(&bench);
        if shown.iter().any(|(text, _)| *text == OLD) {
            last_shown = second;
        }
        assert!(shown.iter().any(|(text, _)| *text == KEPT), "it is told again and again: {second} s");
        bench.pass(seconds(1));
    }
    // It outlives two restarts and not the third, which might last until after its time is over.
    assert_eq!(last_shown, 149);
}

#[test]
fn a_neighbour_may_be_away_for_longer_than_its_routes_may_be_stale() {
    let impatient = Graceful { stale_time: seconds(20), ..Graceful::default() };
    let mut bench = telling(Settings { graceful: Some(impatient), ..settings() }, Some(promise()));
    let outputs = lose(&mut bench);
    assert!(events(&outputs).iter().any(|told| told.contains("stay for 20 s at most")), "{outputs:?}");
    bench.pass(seconds(19));
    assert_eq!(shown(&bench).len(), 3);
    bench.pass(seconds(1));
    assert_eq!(shown(&bench), []);
}

/// RFC 8538 section 3.2: it ends everything, also on the way back.
#[test]
fn a_neighbour_that_is_on_its_way_back_can_end_it() {
    let cease = Notification::from(ErrorCode::ADMINISTRATIVE_SHUTDOWN);
    let hard = Notification::hard_reset(&cease);
    let introduced = |bench: &mut Bench| drop(bench.say(SECOND, &open_with(Some(promise())).encode()));
    let unknown = |_: &mut Bench| ();
    for (said, stay) in [(&cease, 3), (&hard, 0)] {
        for on_the_way in [&introduced as &dyn Fn(&mut Bench), &unknown] {
            let mut bench = telling(graceful(), Some(promise()));
            lose(&mut bench);
            bench.connected(SECOND, Direction::Inbound);
            on_the_way(&mut bench);
            let outputs = bench.say(SECOND, &said.encode());
            assert_eq!((shown(&bench).len(), bench.session.stale_until().is_some()), (stay, stay > 0));
            let told = events(&outputs)
                .iter()
                .any(|told| told.ends_with("it says that its session is over for good"));
            assert_eq!(told, stay == 0);
        }
    }
    // On the second of two connections.
    let mut bench = telling(graceful(), Some(promise()));
    lose(&mut bench);
    bench.connected(SECOND, Direction::Outbound);
    bench.connected(THIRD, Direction::Inbound);
    bench.say(THIRD, &hard.encode());
    assert_eq!((shown(&bench), bench.session.state()), (vec![], StateName::OpenSent));
}

/// RFC 8538 section 4: with the N bit on both sides, all but a hard reset.
#[test]
fn notifications_and_silence() {
    let cease = Notification::from(ErrorCode::ADMINISTRATIVE_RESET);
    let hard = Notification::hard_reset(&cease);
    for (notification, soft_stays) in [(true, 3), (false, 0)] {
        let theirs = || Some(GracefulRestart { notification, ..promise() });
        let mut bench = telling(graceful(), theirs());
        bench.say(FIRST, &cease.encode());
        assert_eq!(shown(&bench).len(), soft_stays, "NOTIFICATION, N = {notification}");
        let mut bench = telling(graceful(), theirs());
        let outputs = bench.pass(seconds(9));
        assert_eq!(refusal(&outputs).error, ErrorCode::HOLD_TIMER_EXPIRED);
        assert_eq!(shown(&bench).len(), soft_stays, "silence, N = {notification}");
        let mut bench = telling(graceful(), theirs());
        bench.say(FIRST, &hard.encode());
        assert_eq!(shown(&bench), [], "hard reset, N = {notification}");
    }
}

#[test]
fn what_is_meant_by_us_keeps_nothing() {
    let off = Settings { graceful: None, ..graceful() };
    let stop = Input::Stop { kind: StopKind::Shutdown, text: None };
    for input in [stop, Input::Reconfigured(Box::new(off)), Input::PathDown { reason: "silent".into() }] {
        let mut bench = telling(graceful(), Some(promise()));
        bench.feed(input.clone());
        assert_eq!(shown(&bench), [], "{input:?}");
        // And while it is waited for, except that a path says nothing then: its end may be the restart itself.
        let mut bench = telling(graceful(), Some(promise()));
        lose(&mut bench);
        bench.feed(input.clone());
        let stay = if let Input::PathDown { .. } = input { 3 } else { 0 };
        assert_eq!(shown(&bench).len(), stay, "{input:?}");
    }
}

/// RFC 4724 section 4.2: its call is the news that the old connection is gone.
#[test]
fn a_neighbour_that_calls_anew_takes_the_place_of_its_old_connection() {
    let mut bench = telling(graceful(), Some(promise()));
    bench.want(&["198.18.0.0/24"]);
    let outputs = bench.connected(SECOND, Direction::Inbound);
    assert_eq!(
        (describe(&outputs).as_str(), bench.session.state()),
        ("send OPEN on 2", StateName::Established)
    );
    // A call alone ends nothing.
    assert_eq!(describe(&bench.say(FIRST, &KEEPALIVE)), "");
    assert_eq!(shown(&bench).len(), 3);
    let outputs =
        bench.say(SECOND, &open_with(Some(GracefulRestart { restarting: true, ..promise() })).encode());
    assert_eq!(bench.session.state(), StateName::OpenConfirm);
    let done = describe(&outputs);
    assert!(done.starts_with("close 1, ") && done.ends_with("send KEEPALIVE on 2"), "{done}");
    assert!(!done.contains("NOTIFICATION"), "{done}");
    assert_eq!(shown(&bench), [(OLD, true), (KEPT, true), (SIXTH, true)]);
    let outputs = bench.say(SECOND, &KEEPALIVE);
    assert_eq!(bench.session.state(), StateName::Established);
    assert_eq!(crate::updates(&outputs).iter().flat_map(Update::announced).count(), 1, "all is told again");
    bench.say(SECOND, &[announcement(&prefixes(&[KEPT])), end_of_rib(Family::Ipv4)].concat());
    assert_eq!(shown(&bench), [(KEPT, false), (SIXTH, true)]);
}

#[test]
fn a_caller_that_is_not_the_neighbour_ends_nothing() {
    let mut stranger = open_with(Some(promise()));
    stranger.capabilities.retain(|said| !matches!(said, Capability::FourOctetAsn(_)));
    stranger.asn = "64999".parse().unwrap();
    for words in [stranger.encode(), KEEPALIVE.to_vec(), vec![0; 19]] {
        let mut bench = telling(graceful(), Some(promise()));
        bench.connected(SECOND, Direction::Inbound);
        refusal(&bench.say(SECOND, &words));
        assert_eq!((bench.session.state(), shown(&bench).len()), (StateName::Established, 3));
    }
    // One after another: one is listened to at a time.
    let mut bench = telling(graceful(), Some(promise()));
    bench.connected(SECOND, Direction::Inbound);
    assert_eq!(refusal(&bench.connected(THIRD, Direction::Inbound)).error, ErrorCode::CONNECTION_COLLISION);
    for _ in 0..240 {
        bench.pass(seconds(1));
        bench.say(FIRST, &KEEPALIVE);
    }
    bench.feed(Input::Closed { connection: THIRD });
    assert_eq!(bench.session.state(), StateName::Established);
    // Our own call, or a neighbour that did not promise to restart: as ever.
    assert_eq!(refusal(&bench.connected(SECOND, Direction::Outbound)).error, ErrorCode::CONNECTION_COLLISION);
    let mut plain = telling(graceful(), None);
    assert_eq!(refusal(&plain.connected(SECOND, Direction::Inbound)).error, ErrorCode::CONNECTION_COLLISION);
}

#[test]
fn the_newcomer_goes_on_where_the_old_connection_ends() {
    let mut bench = telling(graceful(), Some(promise()));
    bench.connected(SECOND, Direction::Inbound);
    lose(&mut bench);
    assert_eq!((bench.session.state(), shown(&bench).len()), (StateName::OpenSent, 3));
    bench.say(SECOND, &[open_with(Some(promise())).encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!((bench.session.state(), shown(&bench).len()), (StateName::Established, 3));
}

/// What comes up and breaks at once again and again is damped as any other session.
#[test]
fn a_neighbour_that_flaps_has_to_wait() {
    let mut bench = up(graceful(), Some(promise()));
    lose(&mut bench);
    assert_eq!(bench.session.state(), StateName::Active);
    come_up(&mut bench, SECOND, Some(promise()));
    bench.feed(Input::Closed { connection: SECOND });
    assert_eq!(bench.session.state(), StateName::Idle);
    assert_eq!(bench.connected(THIRD, Direction::Inbound), [Output::Close { connection: THIRD }]);
}

/// Memory stays in its bound: what is told again takes the place of what is stale.
#[test]
fn stale_routes_and_their_successors_share_the_memory() {
    let mut bench = telling(graceful(), Some(promise()));
    let before = bench.session.kept().unwrap().octets;
    for restart in 0..20 {
        let (old, new) = if restart % 2 == 0 { (FIRST, SECOND) } else { (SECOND, FIRST) };
        bench.now = bench.now + seconds(100);
        bench.feed(Input::Closed { connection: old });
        bench.pass(seconds(1));
        come_up(&mut bench, new, Some(promise()));
        bench.say(new, &[announcement(&prefixes(&[OLD, KEPT])), announcement6(SIXTH)].concat());
        bench.say(new, &[end_of_rib(Family::Ipv4), end_of_rib(Family::Ipv6)].concat());
        bench.pass(seconds(1));
        let kept = bench.session.kept().unwrap();
        assert_eq!((kept.ipv4, kept.ipv6, kept.stale, kept.octets), (2, 1, 0, before), "restart {restart}");
    }
}
