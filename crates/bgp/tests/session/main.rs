//! One session and a neighbour that does everything a neighbour can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/bench.rs"]
mod bench;
mod ending;
mod graceful;
mod keeping;
mod limits;
mod living;
mod monitored;
mod opening;
mod paths;
mod refreshing;
mod roles;
mod settings;
mod telling;

use bench::{Bench, sent, settings};
use bgp::session::{Direction, Notification, Output};
use bgp::wire::as_path::AsPath;
use bgp::wire::message::Message;
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::nlri::Nlri;
use bgp::wire::open::Open;
use bgp::wire::update::{Update, Verdict};
use std::time::Duration;
use terms::{Attributes, Community, Origin, Prefix, RouteSet};

pub(crate) const SECOND_OF_TIME: Duration = Duration::from_secs(1);

pub(crate) fn negotiated() -> Negotiated {
    Negotiated::plain(PeerKind::External)
}

/// The UPDATEs among what was sent, as the neighbour reads them.
pub(crate) fn updates(outputs: &[Output]) -> Vec<Update> {
    let bodies = sent(outputs).into_iter().filter_map(|message| match message {
        Message::Update(body) => Some(body),
        Message::Open(_) | Message::Notification(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let read = bodies.map(|body| match Verdict::decode(&body, &negotiated()) {
        Verdict::Accept(update) => update,
        other => panic!("we sent a faulty UPDATE: {other:?}"),
    });
    read.collect()
}

/// The one NOTIFICATION among what was sent.
pub(crate) fn refusal(outputs: &[Output]) -> Notification {
    let mut found = sent(outputs).into_iter().filter_map(|message| match message {
        Message::Notification(notification) => Some(notification),
        Message::Open(_) | Message::Update(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let first = found.next().expect("a NOTIFICATION");
    assert_eq!(found.next(), None);
    first
}

/// What the neighbour says to announce IPv4 prefixes.
pub(crate) fn announcement(prefixes: &[Prefix]) -> Vec<u8> {
    let mut update = Update::default();
    update.attributes.origin = Some(Origin::Igp);
    update.attributes.as_path = Some(AsPath::sequence(vec![settings().peer_asn]));
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.reached = prefixes.iter().copied().map(Nlri::from).collect();
    update.encode(&negotiated()).unwrap()
}

/// What our OPEN says on a fresh connection.
pub(crate) fn our_open(bench: &mut Bench) -> Open {
    let connection = bgp::session::ConnectionId(99);
    match &sent(&bench.connected(connection, Direction::Inbound))[..] {
        [Message::Open(open)] => open.clone(),
        other => panic!("{other:?}"),
    }
}

/// 10.0.0.0/24, 10.0.1.0/24 and so on, with so many different attributes.
pub(crate) fn many(count: u32, kinds: u32) -> RouteSet {
    let route = |i: u32| {
        let prefix = Prefix::new(std::net::Ipv4Addr::from(0x0a00_0000 + (i << 8)).into(), 24).unwrap();
        let mut attributes = Attributes::originated([10, 1, 0, 10].into());
        attributes.communities.insert(Community(i % kinds));
        (prefix, attributes)
    };
    (0..count).map(route).collect()
}
