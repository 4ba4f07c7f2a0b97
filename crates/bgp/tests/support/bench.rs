//! One session on a bench: the test is its neighbour, its driver and its clock.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{ConnectionId, Direction, Event, Input, Output, Session, Settings, StateName};
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::open::{HoldTime, Open};
use std::sync::Arc;
use std::time::Duration;
use terms::{Attributes, Family, RouteSet, Timestamp};

/// The connection that [`Bench::in_state`] opens.
pub(crate) const FIRST: ConnectionId = ConnectionId(1);
pub(crate) const SECOND: ConnectionId = ConnectionId(2);
pub(crate) const THIRD: ConnectionId = ConnectionId(3);

pub(crate) fn settings() -> Settings {
    Settings::new("64501".parse().unwrap(), "64500".parse().unwrap(), "10.1.0.10".parse().unwrap())
}

/// What a good neighbour says. Its identifier is smaller than ours.
pub(crate) fn their_open() -> Open {
    let asn = settings().peer_asn;
    Open {
        asn,
        hold_time: HoldTime::CONSERVATIVE,
        router_id: "10.1.0.1".parse().unwrap(),
        capabilities: vec![
            Capability::Multiprotocol(Family::Ipv4),
            Capability::Multiprotocol(Family::Ipv6),
            Capability::RouteRefresh,
            Capability::FourOctetAsn(asn),
        ],
    }
}

/// Routes with plain attributes, each towards the next hop of its family.
pub(crate) fn routes(prefixes: &[&str]) -> RouteSet {
    let route = |prefix: &&str| {
        let prefix: terms::Prefix = prefix.parse().unwrap();
        let next_hop = match prefix.family() {
            Family::Ipv4 => "10.1.0.10",
            Family::Ipv6 => "2001:db8:1::10",
        };
        (prefix, Attributes::originated(next_hop.parse().unwrap()))
    };
    prefixes.iter().map(route).collect()
}

pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    /// Whether the neighbour takes what it is sent.
    pub(crate) reads: bool,
}

impl Bench {
    pub(crate) fn new(settings: Settings) -> Self {
        Bench { session: Session::new(settings, 7), now: Timestamp::ZERO, reads: true }
    }

    /// A session with these settings that was led to a state the ordinary way.
    pub(crate) fn in_state(state: StateName, settings: Settings) -> Self {
        let mut bench = Bench::new(settings);
        let way: &[&dyn Fn(&mut Bench)] = &[
            &|bench| drop(bench.feed(Input::Start)),
            &|bench| drop(bench.feed(Input::ConnectFailed { reason: "refused".into() })),
            &|bench| drop(bench.connected(FIRST, Direction::Outbound)),
            &|bench| drop(bench.say(FIRST, &their_open().encode())),
            &|bench| drop(bench.say(FIRST, &KEEPALIVE)),
        ];
        for step in way {
            if bench.session.state() == state {
                break;
            }
            step(&mut bench);
        }
        assert_eq!(bench.session.state(), state);
        bench
    }

    /// One input; the answer is everything the session wants done.
    pub(crate) fn feed(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(input, self.now);
        let mut outputs = Vec::new();
        while let Some(output) = self.session.poll_output() {
            if let (true, Output::Send { connection, bytes }) = (self.reads, &output) {
                self.session
                    .handle(Input::Written { connection: *connection, octets: bytes.len() }, self.now);
            }
            outputs.push(output);
        }
        if let Some(input) = self.session.poll_input() {
            outputs.extend(self.feed(input));
        }
        outputs
    }

    pub(crate) fn connected(&mut self, connection: ConnectionId, direction: Direction) -> Vec<Output> {
        self.feed(Input::Connected { connection, direction })
    }

    /// The neighbour sends octets.
    pub(crate) fn say(&mut self, connection: ConnectionId, bytes: &[u8]) -> Vec<Output> {
        self.feed(Input::Bytes { connection, bytes: bytes.to_vec() })
    }

    pub(crate) fn want(&mut self, prefixes: &[&str]) -> Vec<Output> {
        self.feed(Input::Wanted(Arc::new(routes(prefixes))))
    }

    /// Time passes in silence; timers fire at the end of it.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Output> {
        self.now = self.now + time;
        self.feed(Input::Timer)
    }

    /// Time passes, every timer fires when it is due, and the neighbour sends KEEPALIVE when we do.
    pub(crate) fn live(&mut self, time: Duration) -> Vec<Output> {
        let end = self.now + time;
        let mut outputs = Vec::new();
        while let Some(deadline) = self.session.deadline().filter(|&deadline| deadline <= end) {
            self.now = deadline;
            outputs.extend(self.feed(Input::Timer));
            outputs.extend(self.say(FIRST, &KEEPALIVE));
        }
        self.now = end;
        outputs
    }
}

/// The messages that were sent, whole.
pub(crate) fn sent(outputs: &[Output]) -> Vec<Message> {
    let octets = outputs.iter().filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(bytes),
        Output::Connect | Output::Close { .. } | Output::Event(_) => None,
    });
    octets.map(|bytes| Message::decode(bytes).unwrap()).collect()
}

/// The events as sentences.
pub(crate) fn events(outputs: &[Output]) -> Vec<String> {
    let events = outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event.to_string()),
        Output::Connect | Output::Close { .. } | Output::Send { .. } => None,
    });
    events.collect()
}

/// The outputs as a reader wants to see them, changes of state left out.
pub(crate) fn describe(outputs: &[Output]) -> String {
    let words = outputs.iter().filter_map(|output| match output {
        Output::Connect => Some("connect".to_owned()),
        Output::Close { connection } => Some(format!("close {}", connection.0)),
        Output::Event(Event::StateChanged { .. } | Event::NotificationSent(_)) => None,
        Output::Event(event) => Some(format!("tell: {event}")),
        Output::Send { connection, bytes } => {
            let name = match Message::decode(bytes).unwrap() {
                Message::Open(_) => "OPEN".to_owned(),
                Message::Update(_) => "UPDATE".to_owned(),
                Message::Notification(notification) => format!("NOTIFICATION {notification}"),
                Message::Keepalive => "KEEPALIVE".to_owned(),
                Message::RouteRefresh(_) => "ROUTE-REFRESH".to_owned(),
            };
            Some(format!("send {name} on {}", connection.0))
        }
    });
    words.collect::<Vec<_>>().join(", ")
}
