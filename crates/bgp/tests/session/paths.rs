//! Several paths to one prefix (RFC 7911), and IPv4 routes with an IPv6 next hop (RFC 8950).

use crate::bench::{Bench, FIRST, events, routes, sent, settings, their_open};
use crate::our_open;
use bgp::session::{AddPath, Input, KeepReceived, Negotiated, PeerKind, Settings, StateName};
use bgp::wire::as_path::AsPath;
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::nlri::Nlri;
use bgp::wire::update::{Update, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use terms::{Family, Origin, Prefix};

const BOTH: AddPath = AddPath { receive: true, send: true };

fn prefix() -> Prefix {
    "192.0.2.0/24".parse().unwrap()
}

fn every_family(ability: AddPath) -> BTreeMap<Family, AddPath> {
    Family::ALL.into_iter().map(|family| (family, ability)).collect()
}

fn up(settings: Settings, theirs: Vec<Capability>) -> Bench {
    let mut open = their_open();
    open.capabilities.extend(theirs);
    let mut bench = Bench::in_state(StateName::OpenSent, settings);
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(bench.session.state(), StateName::Established);
    bench
}

/// What was sent, as a neighbour reads it that agreed on this.
fn read(outputs: &[bgp::session::Output], theirs: &Negotiated) -> Vec<Update> {
    let bodies = sent(outputs).into_iter().filter_map(|message| match message {
        Message::Update(body) => Some(body),
        Message::Open(_) | Message::Notification(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let read = bodies.map(|body| match Verdict::decode(&body, theirs) {
        Verdict::Accept(update) => update,
        other => panic!("we sent a faulty UPDATE: {other:?}"),
    });
    read.collect()
}

#[test]
fn each_of_our_prefixes_has_one_path_that_keeps_its_identifier() {
    let theirs = Negotiated { add_path: every_family(BOTH), ..Negotiated::plain(PeerKind::External) };
    let mut bench =
        up(Settings { add_path: BOTH, ..settings() }, vec![Capability::AddPath(every_family(BOTH))]);
    let first = read(&bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]), &theirs);
    let paths: Vec<Nlri> = first.iter().flat_map(Update::announced_paths).collect();
    assert_eq!(paths.iter().map(|path| path.path).collect::<Vec<_>>(), [1, 1]);
    let mut changed = routes(&["198.18.0.0/24"]);
    changed.values_mut().for_each(|attributes| attributes.med = Some(7));
    let second = read(&bench.feed(Input::Wanted(Arc::new(changed))), &theirs);
    assert_eq!(second.iter().flat_map(Update::announced_paths).collect::<Vec<_>>(), [paths[0]]);
    assert_eq!(second.iter().flat_map(Update::withdrawn_paths).collect::<Vec<_>>(), [paths[1]]);
}

#[test]
fn paths_of_a_prefix_count_and_go_one_by_one() {
    let receive = AddPath { receive: true, send: false };
    let bound = BTreeMap::from([(Family::Ipv4, 3)]);
    let settings = Settings { add_path: receive, max_prefixes: bound, ..settings() };
    let mut bench = up(settings, vec![Capability::AddPath(every_family(BOTH))]);
    bench.session.keep(Some(KeepReceived::default()));
    let theirs = Negotiated { add_path: every_family(BOTH), ..Negotiated::plain(PeerKind::External) };
    let mut update = Update::default();
    update.attributes.origin = Some(Origin::Igp);
    update.attributes.as_path = Some(AsPath::sequence(vec![bench.session.settings().peer_asn]));
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.reached = [7, 8, 9].map(|path| Nlri { prefix: prefix(), path }).to_vec();
    bench.say(FIRST, &update.encode(&theirs).unwrap());
    let known = |bench: &Bench| -> Vec<u32> {
        bench.session.heard_about(prefix()).unwrap().iter().map(|heard| heard.path).collect()
    };
    assert_eq!((known(&bench), bench.session.prefixes()[&Family::Ipv4]), (vec![7, 8, 9], 3));
    let gone = Update::withdraw(Family::Ipv4, [Nlri { prefix: prefix(), path: 8 }]);
    bench.say(FIRST, &gone.encode(&theirs).unwrap());
    assert_eq!((known(&bench), bench.session.prefixes()[&Family::Ipv4]), (vec![7, 9], 2));
}

#[test]
fn what_is_not_switched_on_is_not_offered() {
    let offers = |settings: Settings| {
        let open = our_open(&mut Bench::in_state(StateName::Active, settings));
        let has = |wanted: fn(&Capability) -> bool| open.capabilities.iter().any(wanted);
        (
            has(|capability| matches!(capability, Capability::AddPath(_))),
            has(|capability| matches!(capability, Capability::ExtendedNextHop(_))),
            has(|capability| matches!(capability, Capability::Role(_))),
        )
    };
    assert_eq!(offers(settings()), (false, false, false));
    let on = Settings { add_path: BOTH, extended_next_hop: true, ..settings() };
    assert_eq!(offers(on.clone()), (true, true, false));
    // RFC 8950 adds nothing to a session without IPv4.
    assert_eq!(offers(Settings { families: [Family::Ipv6].into(), ..on }), (true, false, false));
}

#[test]
fn ipv4_routes_go_with_an_ipv6_next_hop_where_both_agree() {
    let ipv4 = BTreeSet::from([Family::Ipv4]);
    let theirs = Negotiated { extended_next_hop: ipv4.clone(), ..Negotiated::plain(PeerKind::External) };
    let on = Settings { extended_next_hop: true, ..settings() };
    let mut wanted = routes(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let next_hop = "2001:db8:1::10".parse().unwrap();
    wanted.values_mut().for_each(|attributes| attributes.next_hop = next_hop);
    let wanted = Arc::new(wanted);

    let mut bench = up(on.clone(), vec![Capability::ExtendedNextHop(ipv4)]);
    let sent = read(&bench.feed(Input::Wanted(Arc::clone(&wanted))), &theirs);
    let reached: Vec<_> = sent.iter().map(|update| update.attributes.mp_reach.clone().unwrap()).collect();
    let families: Vec<Family> = reached.iter().map(|reach| reach.family).collect();
    assert_eq!(families, Family::ALL);
    assert!(reached.iter().all(|reach| reach.next_hop == next_hop && reach.prefixes.len() == 1));
    assert_eq!(bench.session.told(), &*wanted);

    // A neighbour that does not know how is told the other route, and people why.
    let mut plain = up(on, vec![]);
    let outputs = plain.feed(Input::Wanted(wanted));
    assert_eq!(plain.session.told().len(), 1);
    assert_eq!(
        events(&outputs)[0],
        "cannot announce 198.18.0.0/24: the next hop 2001:db8:1::10 is not of the prefix's family"
    );
}
