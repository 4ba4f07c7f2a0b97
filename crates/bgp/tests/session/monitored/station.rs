//! A model of a monitoring station: it follows a session from any moment on, and has to know what the session knows.

use super::noted;
use crate::bench::{Bench, routes, settings, their_open};
use bgp::session::{Direction, Input, KeepReceived, Monitored, Monitoring, Session, Settings, StateName};
use bgp::wire::capability::{AddPath, Capability};
use bgp::wire::message::{HEADER, KEEPALIVE};
use bgp::wire::negotiated::Negotiated;
use bgp::wire::nlri::Nlri;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::{Update, Verdict};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Prefix, RouteSet};

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

pub(super) fn accepted(update: &[u8], negotiated: &Negotiated) -> Update {
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
