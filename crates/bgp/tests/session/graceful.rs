//! Graceful restart (RFC 4724, RFC 8538).

mod hard_reset;
mod monitored;
mod ours;
mod theirs;

use crate::bench::{Bench, FIRST, settings, their_open};
use crate::negotiated;
use bgp::session::{ConnectionId, Direction, Graceful, Input, Output, Settings};
use bgp::wire::capability::{Capability, GracefulRestart};
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::open::Open;
use bgp::wire::update::Update;
use std::time::Duration;
use terms::Family;

/// With graceful restart as it is by default.
fn graceful() -> Settings {
    Settings { graceful: Some(Graceful::default()), ..settings() }
}

/// A neighbour that survives NOTIFICATIONs, is back within 60 s, and went on forwarding both families.
fn promise() -> GracefulRestart {
    let families = Family::ALL.map(|family| (family, true)).into();
    GracefulRestart { restarting: false, notification: true, time: 60, families }
}

fn open_with(promise: Option<GracefulRestart>) -> Open {
    let mut open = their_open();
    open.capabilities.extend(promise.map(Capability::GracefulRestart));
    open
}

/// Leads a session up on a connection that the neighbour opened.
fn come_up(bench: &mut Bench, connection: ConnectionId, promise: Option<GracefulRestart>) -> Vec<Output> {
    bench.connected(connection, Direction::Inbound);
    bench.say(connection, &[open_with(promise).encode(), KEEPALIVE.to_vec()].concat())
}

/// A session that is up.
fn up(settings: Settings, promise: Option<GracefulRestart>) -> Bench {
    let mut bench = Bench::new(settings);
    bench.feed(Input::Start);
    come_up(&mut bench, FIRST, promise);
    bench
}

fn end_of_rib(family: Family) -> Vec<u8> {
    Update::end_of_rib(family).encode(&negotiated()).unwrap()
}

/// What the one OPEN among the messages says of graceful restart.
fn offered(outputs: &[Output]) -> Option<GracefulRestart> {
    let mut opens = crate::sent(outputs).into_iter().filter_map(|message| match message {
        Message::Open(open) => Some(open),
        Message::Update(_) | Message::Notification(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let open = opens.next().expect("an OPEN");
    open.capabilities.into_iter().find_map(|capability| match capability {
        Capability::GracefulRestart(graceful) => Some(graceful),
        _ => None,
    })
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
