//! What the neighbour is told.

use crate::bench::{Bench, FIRST, events, routes, sent, settings, their_open};
use crate::{many, negotiated, updates};
use bgp::session::{Input, Output, SEND_WINDOW, Settings, StateName};
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::open::Open;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::{Update, Verdict};
use std::sync::Arc;
use terms::{Community, Family, Prefix, RouteSet};

#[test]
fn a_refresh_tells_everything_of_one_family_again() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let told = bench.session.told().clone();
    let outputs = bench.say(FIRST, &RouteRefresh::of(Family::Ipv6).encode());
    let again: Vec<Prefix> = updates(&outputs).iter().flat_map(Update::announced).collect();
    assert_eq!(again, ["2001:db8:53::/48".parse().unwrap()]);
    assert_eq!(bench.session.told(), &told);
    // A family that is not spoken here, and one request after another in one breath.
    assert_eq!(bench.say(FIRST, &RouteRefresh { afi: 25, subtype: Refresh::Request, safi: 70 }.encode()), []);
    let outputs = bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode().repeat(500));
    assert_eq!(updates(&outputs).len(), 1);
}

/// A neighbour that asks on and on gets everything once, not without end.
#[test]
fn a_refresh_that_is_under_way_is_not_begun_anew() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.feed(Input::Wanted(Arc::new(many(5000, 5000))));
    bench.reads = false;
    let refresh = RouteRefresh::of(Family::Ipv4).encode();
    let mut outputs = bench.say(FIRST, &refresh);
    assert!(updates(&outputs).len() < 5000);
    bench.say(FIRST, &refresh);
    bench.reads = true;
    outputs.extend(bench.feed(Input::Written { connection: FIRST, octets: SEND_WINDOW + 4096 }));
    assert_eq!(updates(&outputs).iter().map(|update| update.announced().count()).sum::<usize>(), 5000);
}

#[test]
fn an_equal_wanted_set_sends_nothing() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    assert_eq!(updates(&bench.want(&["198.18.0.0/24"])).len(), 1);
    assert_eq!(bench.want(&["198.18.0.0/24"]), []);
}

#[test]
fn a_withdraw_overtakes_announcements() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let sent = updates(&bench.want(&["198.18.1.0/24"]));
    let order: Vec<(usize, usize)> =
        sent.iter().map(|update| (update.unreachable().count(), update.announced().count())).collect();
    assert_eq!(order, [(1, 0), (1, 0), (0, 1)]);
}

#[test]
fn prefixes_with_equal_attributes_share_messages() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs = bench.feed(Input::Wanted(Arc::new(many(2000, 1))));
    // 4 octets each, 4096 less the attributes per message
    assert_eq!(updates(&outputs).len(), 2);
    let withdrawn = bench.feed(Input::Wanted(Arc::new(RouteSet::new())));
    assert_eq!(updates(&withdrawn).len(), 2);
    assert!(bench.session.told().is_empty());
}

#[test]
fn a_slow_neighbour_builds_no_backlog_and_gets_the_latest_news() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.reads = false;
    let asked = |outputs: &[Output]| -> usize {
        let sizes = outputs.iter().map(|output| match output {
            Output::Send { bytes, .. } => bytes.len(),
            Output::Connect | Output::Close { .. } | Output::Event(_) => 0,
        });
        sizes.sum()
    };
    let first = bench.feed(Input::Wanted(Arc::new(many(5000, 5000))));
    assert!(asked(&first) < SEND_WINDOW + 4096);
    assert!(bench.session.told().len() < 5000);
    // Nothing more while it does not read, whatever is wanted; then a withdraw of what it was told, no more.
    assert_eq!(asked(&bench.feed(Input::Wanted(Arc::new(RouteSet::new())))), 0);
    bench.reads = true;
    let rest = bench.feed(Input::Written { connection: FIRST, octets: asked(&first) });
    assert!(updates(&rest).iter().all(|update| update.announced().count() == 0));
    assert!(bench.session.told().is_empty());
}

#[test]
fn routes_that_do_not_fit_a_message_are_named_and_the_others_told() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let mut wanted = routes(&["198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24"]);
    let mut attributes = wanted.values().cloned();
    let mut long = attributes.next().unwrap();
    long.communities = (0..1100).map(Community).collect();
    let mut crossed = attributes.next().unwrap();
    crossed.next_hop = "2001:db8::1".parse().unwrap();
    wanted.insert("198.18.0.0/24".parse().unwrap(), long);
    wanted.insert("198.18.1.0/24".parse().unwrap(), crossed);
    let wanted = Arc::new(wanted);
    let outputs = bench.feed(Input::Wanted(Arc::clone(&wanted)));
    let told = events(&outputs);
    assert!(
        told[0].starts_with("cannot announce 198.18.0.0/24, 198.18.1.0/24: its attributes need"),
        "{told:?}"
    );
    assert_eq!(told[1], "announced 198.18.2.0/24");
    // Said once.
    assert_eq!(bench.feed(Input::Wanted(wanted)), []);
}

#[test]
fn a_neighbour_of_our_own_as_is_told_local_pref_and_no_longer_path() {
    let internal = Settings { peer_asn: settings().local_asn, ..settings() };
    let mut bench = Bench::in_state(StateName::OpenSent, internal);
    let mut open = Open { asn: settings().local_asn, ..their_open() };
    open.capabilities.pop();
    open.capabilities.push(Capability::FourOctetAsn(settings().local_asn));
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    let outputs = bench.want(&["198.18.0.0/24"]);
    let Some(Message::Update(body)) = sent(&outputs).pop() else { panic!() };
    let Verdict::Accept(update) =
        Verdict::decode(&body, &Negotiated { peer_kind: PeerKind::Internal, ..negotiated() })
    else {
        panic!()
    };
    assert_eq!(update.attributes.local_pref, Some(100));
    assert_eq!(update.attributes.as_path.unwrap().networks().count(), 0);
}
