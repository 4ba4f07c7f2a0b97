//! What a monitoring station is told of a session: a model of such a station follows it from any moment on.

use crate::bench::{Bench, FIRST, THIRD, routes, settings, their_open};
use crate::{SECOND_OF_TIME, announcement, many};
use bgp::session::{
    Direction, Ending, ErrorCode, Input, KeepReceived, Monitored, Monitoring, Notification, Output, Session,
    Settings, StateName, StopKind, Unsaid,
};
use bgp::wire::capability::{AddPath, Capability};
use bgp::wire::message::{HEADER, KEEPALIVE, MARKER};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::nlri::Nlri;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::{Update, Verdict};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Prefix, RouteSet};

fn noted(session: &mut Session) -> Vec<Monitored> {
    std::iter::from_fn(|| session.poll_monitored()).collect()
}

/// An established session that is monitored, with a neighbour that knows the marks of RFC 7313.
fn monitored(settings: Settings) -> Bench {
    let mut bench = Bench::in_state(StateName::OpenSent, settings);
    bench.session.monitor(Monitoring::ToldAndHeard);
    let mut open = their_open();
    open.capabilities.push(Capability::EnhancedRouteRefresh);
    bench.say(FIRST, &open.encode());
    bench.say(FIRST, &KEEPALIVE);
    assert_eq!(bench.session.state(), StateName::Established);
    bench
}

#[test]
fn both_opens_are_handed_out_octet_by_octet() {
    let mut bench = Bench::in_state(StateName::Active, settings());
    bench.session.monitor(Monitoring::Told);
    let outputs = bench.connected(FIRST, Direction::Inbound);
    let [Output::Send { bytes: ours, .. }, ..] = &outputs[..] else { panic!("{outputs:?}") };
    let mut theirs = their_open();
    theirs.capabilities.push(Capability::Unknown { code: 200, value: vec![1, 2, 3] });
    bench.say(FIRST, &theirs.encode());
    assert_eq!(bench.session.introduction(), None, "the session is not up");
    assert_eq!(noted(&mut bench.session), []);
    bench.say(FIRST, &KEEPALIVE);
    let notes = noted(&mut bench.session);
    let Some(Monitored::Up(introduction)) = notes.first() else { panic!("{notes:?}") };
    assert_eq!(introduction.connection, FIRST);
    assert_eq!((&introduction.opens.sent, &introduction.opens.received), (ours, &theirs.encode()));
    assert_eq!(introduction.router_id, theirs.router_id);
    // Whoever comes later, or after the session was saved and read back, is told the same.
    let saved = serde_json::to_string(&bench.session).unwrap();
    let read: Session = serde_json::from_str(&saved).unwrap();
    assert_eq!(read.introduction().as_ref(), Some(&**introduction));
}

#[test]
fn what_is_noted_is_what_was_sent_in_that_order() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    let mut outputs = bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    outputs.extend(bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode()));
    outputs.extend(bench.want(&["2001:db8:53::/48"]));
    outputs.extend(bench.live(Duration::from_secs(60)));
    let is_update = |bytes: &Vec<u8>| bytes[HEADER - 1] == 2;
    let sent = outputs.into_iter().filter_map(|output| match output {
        Output::Send { bytes, .. } if is_update(&bytes) => Some(Monitored::Told(bytes)),
        Output::Send { .. } | Output::Connect | Output::Close { .. } | Output::Event(_) => None,
    });
    let sent: Vec<Monitored> = sent.collect();
    assert_eq!(sent.len(), 4, "two announcements, one again, one withdrawal: {sent:?}");
    assert_eq!(noted(&mut bench.session), sent);
}

#[test]
fn the_end_has_its_reason() {
    let cease = Notification::from(ErrorCode::ADMINISTRATIVE_RESET);
    let stop = Input::Stop { kind: StopKind::Deconfigured, text: None };
    let shorter = Settings { hold_time: 30.try_into().unwrap(), ..settings() };
    let close = |error: ErrorCode| Ending::Sent(error.into());
    type End<'a> = &'a dyn Fn(&mut Bench);
    let cases: [(&str, End<'_>, Ending); 7] = [
        ("stop", &|bench| drop(bench.feed(stop.clone())), close(ErrorCode::PEER_DECONFIGURED)),
        ("silence", &|bench| drop(bench.pass(Duration::from_secs(9))), close(ErrorCode::HOLD_TIMER_EXPIRED)),
        (
            "path down",
            &|bench| drop(bench.feed(Input::PathDown { reason: "gone".into() })),
            close(ErrorCode::BFD_DOWN),
        ),
        (
            "other terms",
            &|bench| drop(bench.feed(Input::Reconfigured(Box::new(shorter.clone())))),
            close(ErrorCode::CONFIGURATION_CHANGE),
        ),
        (
            "the neighbour says why",
            &|bench| drop(bench.say(FIRST, &cease.encode())),
            Ending::Received(cease.clone()),
        ),
        ("without a word", &|bench| drop(bench.feed(Input::Closed { connection: FIRST })), Ending::Closed),
        ("it takes nothing", &takes_nothing, Ending::Unsaid(Unsaid::SendHoldTimerExpires)),
    ];
    for (name, end, expected) in cases {
        let mut bench = monitored(settings());
        noted(&mut bench.session);
        end(&mut bench);
        assert_ne!(bench.session.state(), StateName::Established, "{name}");
        let notes = noted(&mut bench.session);
        assert_eq!(notes.last(), Some(&Monitored::Down(expected)), "{name}: {notes:?}");
        assert_eq!(bench.session.introduction(), None, "{name}");
    }
}

/// RFC 9687: the neighbour says KEEPALIVE and reads nothing.
fn takes_nothing(bench: &mut Bench) {
    bench.reads = false;
    bench.feed(Input::Wanted(Arc::new(many(100, 100))));
    for _ in 0..200 {
        bench.say(FIRST, &KEEPALIVE);
        bench.pass(3 * SECOND_OF_TIME);
    }
}

#[test]
fn a_connection_that_is_turned_away_ends_nothing() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    bench.connected(THIRD, Direction::Inbound);
    assert_eq!(noted(&mut bench.session), []);
}

#[test]
fn where_nobody_monitors_nothing_is_noted() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24"]);
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    bench.session.monitor(Monitoring::ToldAndHeard);
    assert_eq!(noted(&mut bench.session), []);
    bench.want(&[]);
    bench.session.monitor(Monitoring::Off);
    bench.session.monitor(Monitoring::Told);
    assert_eq!(noted(&mut bench.session), [], "what nobody took is forgotten");
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    assert_eq!(noted(&mut bench.session), [], "what it tells was not asked for");
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(noted(&mut bench.session), [Monitored::Down(Ending::Closed)]);
}

#[test]
fn an_update_without_a_fault_is_handed_out_octet_by_octet() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    // An attribute that this speaker does not know, optional and transitive.
    let known = announcement(&["192.0.2.0/24".parse().unwrap()]);
    let attributes = usize::from(u16::from_be_bytes([known[21], known[22]]));
    let mut said = known[..23 + attributes].to_vec();
    said.extend([0xc0, 250, 2, 7, 7]);
    said.extend(&known[23 + attributes..]);
    let length = u16::try_from(said.len()).unwrap().to_be_bytes();
    said[16..18].copy_from_slice(&length);
    said[21..23].copy_from_slice(&u16::try_from(attributes + 5).unwrap().to_be_bytes());
    bench.say(FIRST, &said);
    assert_eq!(bench.session.received().accepted, 1);
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(said)]);
}

#[test]
fn of_faulty_updates_a_station_is_told_what_was_taken_of_them() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    // no ORIGIN, no AS_PATH, no NEXT_HOP: 192.0.2.0/24
    bench.say(FIRST, &[&MARKER[..], &[0, 27, 2, 0, 0, 0, 0, 24, 192, 0, 2]].concat());
    let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
    let withdraw = Update::withdraw(Family::Ipv4, [prefix]).encode(&crate::negotiated()).unwrap();
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(withdraw)]);
    // ATOMIC_AGGREGATE with a value is left out (RFC 7606 section 7.6).
    let plain = announcement(&[prefix]);
    let mut faulty = plain.clone();
    faulty.splice(23..23, [0x40, 6, 1, 0]);
    faulty[17] += 4;
    faulty[22] += 4;
    bench.say(FIRST, &faulty);
    assert_eq!(bench.session.received().discarded_attributes, 1);
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(plain)]);
}

/// RFC 7313: what a neighbour does not mention when it tells everything again is gone, and no UPDATE says so.
#[test]
fn what_vanishes_without_an_update_is_told() {
    let mut bench = monitored(settings());
    bench.session.keep(Some(KeepReceived::default()));
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    noted(&mut bench.session);
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::Begin).encode());
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::End).encode());
    assert_eq!(noted(&mut bench.session), [Monitored::Forgotten]);
}

/// A monitoring station: it knows what it was told and nothing else.
#[derive(Debug, Default, PartialEq)]
struct Station {
    up: bool,
    negotiated: Option<Negotiated>,
    told: BTreeSet<Nlri>,
    heard: BTreeSet<Nlri>,
    ended: BTreeMap<Family, u32>,
}

impl Station {
    /// Comes when a session may be up already.
    fn meet(session: &mut Session) -> Self {
        session.monitor(Monitoring::ToldAndHeard);
        let mut station = Station::default();
        let Some(introduction) = session.introduction() else { return station };
        station.begin(introduction.negotiated);
        let mut half = session.told().clone();
        let other = half.split_off(&Prefix::new([198, 18, 4, 0].into(), 24).unwrap());
        for update in [half, other].iter().flat_map(|routes| session.told_updates(routes)) {
            station.hear_told(&update);
        }
        session.told_end_of_rib().iter().for_each(|update| station.hear_told(update));
        for family in Family::ALL {
            for step in 0..session.heard_steps(family) {
                for (_, update) in session.heard_updates(family, step) {
                    station.hear_heard(&update);
                }
            }
        }
        station
    }

    fn begin(&mut self, negotiated: Negotiated) {
        assert!(!self.up, "it was up already");
        *self = Station { up: true, negotiated: Some(negotiated), ..Station::default() };
    }

    /// Follows, in the order in which it happened.
    fn follow(&mut self, session: &mut Session) {
        for note in noted(session) {
            match note {
                Monitored::Up(introduction) => self.begin(introduction.negotiated),
                Monitored::Told(update) => self.hear_told(&update),
                Monitored::Heard(update) => self.hear_heard(&update),
                Monitored::Forgotten => *self = Station::meet(session),
                Monitored::Down(_) => {
                    assert!(self.up, "it was down already");
                    *self = Station::default();
                }
            }
        }
    }

    fn hear_told(&mut self, update: &[u8]) {
        // The neighbour receives path identifiers where we send them.
        let ours = self.negotiated.clone().expect("the session is up");
        let add_path = ours.add_path.iter().map(|(&family, paths)| (family, paths.reversed())).collect();
        let update = accepted(update, &Negotiated { add_path, ..ours });
        if let Some(family) = update.is_end_of_rib() {
            *self.ended.entry(family).or_default() += 1;
        }
        apply(&mut self.told, &update);
    }

    fn hear_heard(&mut self, update: &[u8]) {
        let update = accepted(update, self.negotiated.as_ref().expect("the session is up"));
        apply(&mut self.heard, &update);
    }
}

fn accepted(update: &[u8], negotiated: &Negotiated) -> Update {
    assert_eq!(usize::from(u16::from_be_bytes([update[16], update[17]])), update.len());
    match Verdict::decode(&update[HEADER..], negotiated) {
        Verdict::Accept(update) => update,
        other => panic!("a station cannot read {update:02x?}: {other:?}"),
    }
}

fn apply(standing: &mut BTreeSet<Nlri>, update: &Update) {
    update.withdrawn_paths().for_each(|path| _ = standing.remove(&path));
    standing.extend(update.announced_paths());
}

/// 198.18.0.0/24 to 198.18.7.0/24 and 2001:db8:0::/48 to 2001:db8:7::/48, those whose bit is set.
fn some(bits: u16) -> RouteSet {
    let texts = (0..8).flat_map(|i| [format!("198.18.{i}.0/24"), format!("2001:db8:{i}::/48")]);
    let chosen: Vec<String> = texts.enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, t)| t).collect();
    routes(&chosen.iter().map(String::as_str).collect::<Vec<_>>())
}

#[derive(Clone, Debug)]
enum Act {
    Want(u16),
    Announce(u16),
    Withdraw(u16),
    /// UPDATEs without mandatory attributes.
    Garble(u16),
    Refresh(Family, Refresh),
    Break,
    Meet,
}

fn act() -> impl Strategy<Value = Act> {
    let family = || prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)];
    let mark = prop_oneof![Just(Refresh::Request), Just(Refresh::Begin), Just(Refresh::End)];
    prop_oneof![
        3 => any::<u16>().prop_map(Act::Want),
        4 => any::<u16>().prop_map(Act::Announce),
        2 => any::<u16>().prop_map(Act::Withdraw),
        1 => any::<u16>().prop_map(Act::Garble),
        3 => (family(), mark).prop_map(|(family, mark)| Act::Refresh(family, mark)),
        1 => Just(Act::Break),
        1 => Just(Act::Meet),
    ]
}

/// One neighbour that may have path identifiers.
struct Play {
    bench: Bench,
    add_path: bool,
    connection: u64,
}

impl Play {
    fn new(add_path: bool) -> Self {
        let both = AddPath { receive: true, send: true };
        let add_path_setting = if add_path { both } else { AddPath::default() };
        let settings = Settings { add_path: add_path_setting, ..settings() };
        let mut bench = Bench::new(settings);
        bench.session.keep(Some(KeepReceived::default()));
        bench.feed(Input::Start);
        let mut play = Play { bench, add_path, connection: 0 };
        play.establish();
        play
    }

    fn id(&self) -> bgp::session::ConnectionId {
        bgp::session::ConnectionId(self.connection)
    }

    fn establish(&mut self) {
        self.connection += 1;
        self.bench.connected(self.id(), Direction::Inbound);
        let mut open = their_open();
        open.capabilities.push(Capability::EnhancedRouteRefresh);
        if self.add_path {
            let both = AddPath { receive: true, send: true };
            let families = Family::ALL.into_iter().map(|family| (family, both)).collect();
            open.capabilities.push(Capability::AddPath(families));
        }
        self.bench.say(self.id(), &open.encode());
        self.bench.say(self.id(), &KEEPALIVE);
        assert_eq!(self.bench.session.state(), StateName::Established);
    }

    fn say_updates(&mut self, bits: u16, update: impl Fn(Family, Vec<Nlri>) -> Update) {
        let paths = if self.add_path { vec![3, 9] } else { vec![0] };
        for family in Family::ALL {
            let its = some(bits).into_keys().filter(|prefix| prefix.family() == family);
            let all: Vec<Nlri> =
                its.flat_map(|prefix| paths.iter().map(move |&path| Nlri { prefix, path })).collect();
            if !all.is_empty() {
                let writing = self.bench.session.negotiated().unwrap().clone();
                let octets = update(family, all).encode(&writing).unwrap();
                self.bench.say(self.id(), &octets);
            }
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Want(bits) => drop(self.bench.feed(Input::Wanted(Arc::new(some(bits))))),
            Act::Announce(bits) => self.say_updates(bits, announce),
            Act::Withdraw(bits) => self.say_updates(bits, Update::withdraw),
            Act::Garble(bits) => self.say_updates(bits, |family, paths| {
                let mut update = announce(family, paths);
                update.attributes.origin = None;
                update
            }),
            Act::Refresh(family, mark) => {
                drop(self.bench.say(self.id(), &RouteRefresh::about(family, mark).encode()));
            }
            Act::Break => {
                self.bench.feed(Input::Closed { connection: self.id() });
                self.bench.pass(Duration::from_secs(120));
                self.establish();
            }
            Act::Meet => {}
        }
    }
}

fn announce(family: Family, paths: Vec<Nlri>) -> Update {
    let mut update = Update::default();
    update.attributes.origin = Some(terms::Origin::Igp);
    update.attributes.as_path = Some(bgp::wire::as_path::AsPath::sequence(vec![settings().peer_asn]));
    match family {
        Family::Ipv4 => {
            update.attributes.next_hop = Some([10, 0, 0, 1].into());
            update.reached = paths;
        }
        Family::Ipv6 => {
            let next_hop = "2001:db8:1::1".parse().unwrap();
            let reach = bgp::wire::attribute::MpReach { family, next_hop, link_local: None, prefixes: paths };
            update.attributes.mp_reach = Some(reach);
        }
    }
    update
}

proptest! {
    /// Whenever a station comes, and whatever happens then, it knows what the session told and what it keeps.
    #[test]
    fn a_station_knows_what_the_session_knows(
        add_path: bool, before in proptest::collection::vec(act(), 0..12),
        after in proptest::collection::vec(act(), 0..40),
    ) {
        let mut play = Play::new(add_path);
        before.iter().for_each(|act| play.act(act));
        let mut station = Station::meet(&mut play.bench.session);
        for act in &after {
            play.act(act);
            station.follow(&mut play.bench.session);
            if let Act::Meet = act {
                station = Station::meet(&mut play.bench.session);
            }
            let session = &play.bench.session;
            let path = u32::from(add_path);
            let told: BTreeSet<Nlri> =
                session.told().keys().map(|&prefix| Nlri { prefix, path }).collect();
            prop_assert_eq!(&station.told, &told);
            let steps = |family| (0..session.heard_steps(family)).map(move |step| (family, step));
            let kept = Family::ALL.into_iter().flat_map(steps)
                .flat_map(|(family, step)| session.heard_updates(family, step));
            let kept: BTreeSet<Nlri> = kept
                .flat_map(|(_, update)| accepted(&update, session.negotiated().unwrap())
                    .announced_paths().collect::<Vec<_>>())
                .collect();
            prop_assert_eq!(&station.heard, &kept);
            let kept = session.kept().unwrap();
            prop_assert_eq!(station.heard.len() as u64, kept.ipv4 + kept.ipv6);
            prop_assert!(Family::ALL.iter().all(|family| station.ended[family] >= 1), "End-of-RIB is missing");
        }
    }
}

#[test]
fn an_end_of_rib_is_the_neighbours_own() {
    let bench = monitored(settings());
    for family in Family::ALL {
        let update = bench.session.heard_end_of_rib(family).unwrap();
        let read = accepted(&update, &Negotiated::plain(PeerKind::External));
        assert_eq!(read.is_end_of_rib(), Some(family));
    }
}
