//! What the fuzz targets try: plain functions, so that the ordinary tests run their corpora.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{
    ConnectionId, Direction, Graceful, HoldTime, Input, KeepReceived, Output, PeerKind, Session, Settings,
    StateName, StopKind,
};
use bgp::wire::capability::{AddPath, Capability, GracefulRestart};
use bgp::wire::framer::Framer;
use bgp::wire::message::{KEEPALIVE, MAX_MESSAGE, Message};
use bgp::wire::negotiated::Negotiated;
use bgp::wire::open::Open;
use bgp::wire::role::Role;
use bgp::wire::update::{Update, Verdict};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use terms::{Attributes, Family, RouteSet, Timestamp};

/// Any octets as a stream from a neighbour. The first octet says what was negotiated, path identifiers in both
/// directions alike. Whatever can be read is written and read again.
pub(crate) fn message(octets: &[u8]) {
    let Some((&choice, stream)) = octets.split_first() else { return };
    let bit = |number: u8| choice >> number & 1 == 1;
    let mut families = BTreeSet::from(Family::ALL);
    if bit(2) {
        families.pop_first();
    }
    let negotiated = Negotiated {
        peer_kind: if bit(0) { PeerKind::Internal } else { PeerKind::External },
        families,
        four_octet_asn: bit(1),
        extended_messages: bit(3),
        add_path: Family::ALL
            .into_iter()
            .filter(|&family| bit(if family == Family::Ipv4 { 4 } else { 5 }))
            .map(|family| (family, AddPath { receive: true, send: true }))
            .collect(),
        extended_next_hop: bit(6).then_some(Family::Ipv4).into_iter().collect(),
        ..Negotiated::plain(PeerKind::External)
    };
    let mut framer = Framer::default();
    if negotiated.extended_messages {
        framer.allow_extended_messages();
    }
    framer.push(stream);
    while let Ok(Some(octets)) = framer.next_message() {
        match Message::decode(octets) {
            Ok(Message::Open(open)) => assert_eq!(Message::decode(&open.encode()), Ok(Message::Open(open))),
            Ok(Message::Update(body)) => update(&body, &negotiated),
            Ok(Message::Notification(notification)) => {
                assert_eq!(notification.encode()[19..], octets[19..octets.len().min(MAX_MESSAGE)]);
                assert!(!notification.to_string().is_empty());
            }
            Ok(Message::Keepalive) => assert_eq!(octets, KEEPALIVE),
            Ok(Message::RouteRefresh(refresh)) => {
                assert_eq!(Message::decode(&refresh.encode()), Ok(Message::RouteRefresh(refresh)));
            }
            Err(notification) => assert!(notification.error.name().is_some(), "{notification}"),
        }
    }
}

fn update(body: &[u8], negotiated: &Negotiated) {
    let mut verdict = Verdict::decode(body, negotiated);
    while let Verdict::DisableFamily { rest, .. } = verdict {
        verdict = *rest;
    }
    let (Verdict::Accept(update) | Verdict::DiscardAttribute(update, _)) = verdict else { return };
    // What a two-octet neighbour's AS4_PATH completes may be written in fewer segments: once, and not again.
    let Some(first) = again(&update, negotiated) else { return };
    assert_eq!(Some(&first), again(&first, negotiated).as_ref());
    assert!(first.announced_paths().eq(update.announced_paths()));
    assert!(first.withdrawn_paths().eq(update.withdrawn_paths()));
}

/// Written and read; none if it no longer fits a message.
fn again(update: &Update, negotiated: &Negotiated) -> Option<Update> {
    let message = update.encode(negotiated).ok()?;
    let Ok(Message::Update(body)) = Message::decode(&message) else { panic!("we wrote no UPDATE") };
    match Verdict::decode(&body, negotiated) {
        Verdict::Accept(update) => Some(update),
        other => panic!("we wrote a faulty UPDATE: {other:?}"),
    }
}

/// Any octets as what a driver and a neighbour do to one session: each is an act, some take the next ones as theirs.
pub(crate) fn session(octets: &[u8]) {
    let asn = |number: u32| number.try_into().unwrap();
    let id = |number: u32| number.try_into().unwrap();
    let both = AddPath { receive: true, send: true };
    let settings = Settings {
        max_prefixes: [(Family::Ipv4, 3)].into(),
        role: Some(Role::Customer),
        add_path: both,
        extended_next_hop: true,
        graceful: Some(Graceful::default()),
        ..Settings::new(asn(64501), asn(64500), id(0x0a01_000a))
    };
    let plain = Open {
        asn: settings.peer_asn,
        hold_time: HoldTime::DEFAULT,
        router_id: id(0x0a01_0001),
        capabilities: Family::ALL.map(Capability::Multiprotocol).into(),
    };
    let mut rich = plain.clone();
    rich.capabilities.extend([
        Capability::RouteRefresh,
        Capability::EnhancedRouteRefresh,
        Capability::ExtendedMessage,
        Capability::ExtendedNextHop([Family::Ipv4].into()),
        Capability::Role(Role::Provider),
        Capability::AddPath(Family::ALL.map(|family| (family, both)).into()),
        Capability::FourOctetAsn(settings.peer_asn),
        Capability::GracefulRestart(GracefulRestart {
            restarting: false,
            notification: true,
            time: 120,
            families: [(Family::Ipv4, true), (Family::Ipv6, false)].into(),
        }),
    ]);
    let route = |address: &str| Attributes::originated(address.parse().unwrap());
    let sets = [
        RouteSet::new(),
        RouteSet::from([("198.18.0.0/24".parse().unwrap(), route("10.1.0.10"))]),
        RouteSet::from([
            ("198.18.0.0/24".parse().unwrap(), route("10.1.0.11")),
            ("2001:db8:53::/48".parse().unwrap(), route("2001:db8::1")),
        ]),
    ];
    let mut play =
        Play { session: Session::new(settings, 1), open: BTreeSet::new(), opened: 0, now: Timestamp::ZERO };
    play.session.keep(Some(KeepReceived { max_memory: 1 << 16 }));
    let mut acts = octets.iter().copied();
    while let Some(act) = acts.next() {
        let connection = ConnectionId(u64::from(act >> 4) % (play.opened + 1));
        let bytes = |bytes: Vec<u8>| Input::Bytes { connection, bytes };
        match act & 0x0f {
            0 => play.feed(Input::Start),
            1 => play.feed(Input::Stop { kind: StopKind::Shutdown, text: None }),
            2 => play.connect(Direction::Outbound),
            3 => play.connect(Direction::Inbound),
            4 if act >= 0xc0 => play.feed(Input::Restarted { forwarding: [Family::Ipv4].into() }),
            4 if act >= 0x80 => play.feed(Input::Decided),
            4 => play.feed(Input::ConnectFailed { reason: "refused".into() }),
            5 if act >= 0x80 => play.feed(Input::PathDown { reason: "silent".into() }),
            5 => {
                play.open.remove(&connection);
                play.feed(Input::Closed { connection });
            }
            6 => play.feed(Input::Written { connection, octets: 100_000 }),
            7 => play.feed(Input::Wanted(Arc::new(sets[usize::from(act >> 4) % sets.len()].clone()))),
            8 => play.feed(bytes(if act < 0x80 { plain.encode() } else { rich.encode() })),
            9 => play.feed(bytes(KEEPALIVE.to_vec())),
            10 => {
                let count = acts.next().unwrap_or_default();
                let raw = acts.by_ref().take(count.into()).collect();
                play.feed(bytes(raw));
            }
            11 => {
                let body: Vec<u8> = acts.by_ref().take(23).collect();
                let length = u16::try_from(19 + body.len()).unwrap().to_be_bytes();
                play.feed(bytes([&[0xff; 16][..], &length, &[2], &body].concat()));
            }
            12..=13 => {
                play.now = play.session.deadline().unwrap_or(play.now).max(play.now);
                play.feed(Input::Timer);
            }
            14 => {
                let kind = 2 + (act >> 5) % 4;
                let count = acts.next().unwrap_or_default();
                let body: Vec<u8> = acts.by_ref().take(count.into()).collect();
                let length = u16::try_from(19 + body.len()).unwrap().to_be_bytes();
                play.feed(bytes([&[0xff; 16][..], &length, &[kind], &body].concat()));
            }
            _ => {
                play.now = play.now + Duration::from_secs(u64::from(act));
                play.feed(Input::Timer);
            }
        }
    }
}

/// A session and the connections that its driver has.
struct Play {
    session: Session,
    open: BTreeSet<ConnectionId>,
    opened: u64,
    now: Timestamp,
}

impl Play {
    fn connect(&mut self, direction: Direction) {
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        self.open.insert(connection);
        self.feed(Input::Connected { connection, direction });
    }

    /// Feeds one input; what the session asks for has to make sense to a driver.
    fn feed(&mut self, input: Input) {
        self.session.handle(input, self.now);
        for count in 0.. {
            assert!(count < 10_000, "outputs without end");
            match self.session.poll_output() {
                Some(Output::Send { connection, bytes }) => {
                    assert!(self.open.contains(&connection), "sends on a connection that is not open");
                    assert!(Message::decode(&bytes).is_ok());
                }
                Some(Output::Close { connection }) => {
                    assert!(self.open.remove(&connection), "closes what is not open");
                }
                Some(Output::Connect) => {}
                Some(Output::Event(event)) => assert!(!event.to_string().is_empty()),
                None => match self.session.poll_input() {
                    Some(input) => self.session.handle(input, self.now),
                    None => break,
                },
            }
        }
        let state = self.session.state();
        let connections = match state {
            StateName::Idle | StateName::Connect | StateName::Active => 0..=0,
            StateName::OpenSent | StateName::OpenConfirm => 1..=2,
            StateName::Established => 1..=2,
        };
        assert!(connections.contains(&self.open.len()), "{} connections in {state}", self.open.len());
        assert!(state == StateName::Established || self.session.told().is_empty());
        // Memory is given back in small steps, each of them at once.
        for _ in 0..100 {
            if self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.session.handle(Input::Timer, self.now);
            }
        }
        let stale = self.session.kept().map_or(0, |kept| kept.stale);
        assert!(state == StateName::Established || stale == 0 || self.session.stale_until().is_some());
        assert!(
            self.session.deadline().is_none_or(|deadline| deadline > self.now),
            "a timer that has expired"
        );
    }
}
