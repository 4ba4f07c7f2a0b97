//! The whole table of the state machine, as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;

use bench::{Bench, FIRST, SECOND, THIRD, describe, routes, settings, their_open};
use bgp::session::{
    ConnectionId, Direction, ErrorCode, Graceful, HoldTime, Input, Notification, Settings, StateName,
    StopKind,
};
use bgp::wire::as_path::AsPath;
use bgp::wire::capability::{Capability, GracefulRestart};
use bgp::wire::message::KEEPALIVE;
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::open::Open;
use bgp::wire::route_refresh::RouteRefresh;
use bgp::wire::update::Update;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Origin, Prefix};

fn prefix() -> Prefix {
    "192.0.2.0/24".parse().unwrap()
}

fn update() -> Vec<u8> {
    let negotiated = Negotiated::plain(PeerKind::External);
    Update::withdraw(Family::Ipv4, [prefix()]).encode(&negotiated).unwrap()
}

fn announcement() -> Vec<u8> {
    let mut update = Update { reached: vec![prefix().into()], ..Update::default() };
    update.attributes.origin = Some(Origin::Igp);
    update.attributes.as_path = Some(AsPath::sequence(vec![settings().peer_asn]));
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.encode(&Negotiated::plain(PeerKind::External)).unwrap()
}

/// At most nine prefixes.
fn bounded() -> Settings {
    Settings { max_prefixes: [(Family::Ipv4, 9)].into(), ..settings() }
}

fn settings_with(settings: &Settings, change: impl FnOnce(&mut Settings)) -> Input {
    let mut settings = settings.clone();
    change(&mut settings);
    Input::Reconfigured(Box::new(settings))
}

/// What happens, by name; and what makes it happen. Messages come on one connection, a new one is the third.
fn stimuli(connection: ConnectionId, settings: &Settings) -> Vec<(&'static str, Input)> {
    let message = |bytes: &[u8]| Input::Bytes { connection, bytes: bytes.to_vec() };
    let cease = Notification::from(ErrorCode::ADMINISTRATIVE_RESET);
    let other = Open { router_id: "10.1.0.2".parse().unwrap(), ..their_open() };
    vec![
        ("Start", Input::Start),
        ("Stop \"bye\"", Input::Stop { kind: StopKind::Shutdown, text: Some("bye".parse().unwrap()) }),
        ("path down", Input::PathDown { reason: "BFD heard nothing for 150 ms".into() }),
        ("wanted set changes", Input::Wanted(Arc::new(routes(&["198.18.0.0/24"])))),
        ("own affair changes", settings_with(settings, |settings| settings.connect_retry *= 2)),
        ("terms change", settings_with(settings, |settings| settings.hold_time = HoldTime::CONSERVATIVE)),
        ("to be told again", Input::TellAgain),
        ("a prefix too many", Input::Counted { family: Family::Ipv4, count: 10 }),
        ("outbound connection", Input::Connected { connection: THIRD, direction: Direction::Outbound }),
        ("inbound connection", Input::Connected { connection: THIRD, direction: Direction::Inbound }),
        ("connect failed", Input::ConnectFailed { reason: "connection refused".into() }),
        ("closed", Input::Closed { connection }),
        ("octets written", Input::Written { connection, octets: 1 }),
        ("OPEN", message(&their_open().encode())),
        ("another OPEN", message(&other.encode())),
        ("KEEPALIVE", message(&KEEPALIVE)),
        ("UPDATE", message(&update())),
        ("ROUTE-REFRESH", message(&RouteRefresh::of(Family::Ipv4).encode())),
        ("NOTIFICATION", message(&cease.encode())),
        ("wrong marker", message(&[0])),
    ]
}

/// One line: what happens, the next state if it is another, what is done.
fn line(table: &mut String, name: &str, bench: &mut Bench, act: impl FnOnce(&mut Bench) -> String) {
    let before = bench.session.state();
    let done = act(bench);
    let after = bench.session.state();
    let next = if after == before { String::new() } else { format!("-> {after}") };
    writeln!(table, "{}", format!("  {name:<22}{next:<16}{done}").trim_end()).unwrap();
}

/// What every stimulus does to a session that was set up like this.
fn block(table: &mut String, title: &str, connection: ConnectionId, set_up: impl Fn() -> Bench) {
    writeln!(table, "{title}").unwrap();
    for (name, input) in stimuli(connection, set_up().session.settings()) {
        line(table, name, &mut set_up(), |bench| describe(&bench.feed(input)));
    }
    line(table, "next timer", &mut set_up(), |bench| match bench.session.deadline() {
        Some(deadline) => describe(&bench.pass(deadline.since(bench.now))),
        None => "none runs".to_owned(),
    });
    line(table, "long silence", &mut set_up(), |bench| describe(&bench.pass(Duration::from_secs(240))));
}

/// A session that both sides want to restart gracefully, and its routes outlive NOTIFICATIONs.
fn graceful() -> Bench {
    let settings = Settings { graceful: Some(Graceful::default()), ..bounded() };
    let mut bench = Bench::in_state(StateName::OpenSent, settings);
    let mut open = their_open();
    open.capabilities.push(Capability::GracefulRestart(GracefulRestart {
        notification: true,
        time: 120,
        families: [(Family::Ipv4, true)].into(),
        ..GracefulRestart::default()
    }));
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    bench
}

fn with_newcomer() -> Bench {
    let mut bench = graceful();
    bench.connected(SECOND, Direction::Inbound);
    bench
}

fn with_rival(state: StateName) -> Bench {
    let mut bench = Bench::in_state(state, bounded());
    bench.connected(SECOND, Direction::Inbound);
    bench
}

#[test]
fn every_state_and_every_stimulus() {
    let mut table = String::new();
    for state in StateName::ALL {
        block(&mut table, &state.to_string(), FIRST, || Bench::in_state(state, bounded()));
    }
    block(&mut table, "Idle, in a pause", FIRST, || {
        let mut bench = Bench::in_state(StateName::Established, bounded());
        bench.feed(Input::Closed { connection: FIRST });
        bench
    });
    block(&mut table, "Idle, after too many prefixes", FIRST, || {
        let bound = Settings { max_prefixes: [(Family::Ipv4, 0)].into(), ..settings() };
        let mut bench = Bench::in_state(StateName::Established, bound);
        bench.say(FIRST, &announcement());
        bench
    });
    for state in [StateName::OpenSent, StateName::OpenConfirm] {
        let title = format!("{state} with a rival");
        block(&mut table, &title, FIRST, || with_rival(state));
        let title = format!("{state}: on the rival");
        block(&mut table, &title, SECOND, || with_rival(state));
    }
    block(&mut table, "Established, with graceful restart", FIRST, graceful);
    block(&mut table, "Established, with graceful restart and a newcomer", FIRST, with_newcomer);
    block(&mut table, "Established, with graceful restart: on the newcomer", SECOND, with_newcomer);
    block(&mut table, "Active, with stale routes", FIRST, || {
        let mut bench = graceful();
        bench.feed(Input::Closed { connection: FIRST });
        bench
    });
    insta::assert_snapshot!(table);
}
