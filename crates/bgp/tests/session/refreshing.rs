//! Telling again: when asked to, and when we ask.

use crate::bench::{Bench, FIRST, events, sent, settings, their_open};
use crate::{announcement, many, updates};
use bgp::session::{Input, SEND_WINDOW, Settings, StateName};
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::open::Open;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::Update;
use std::sync::Arc;
use terms::Family;

/// A session with a neighbour that also offers this.
fn with(capability: Capability, settings: Settings) -> Bench {
    let mut open = their_open();
    open.capabilities.push(capability);
    let mut bench = Bench::in_state(StateName::OpenSent, settings);
    bench.say(FIRST, &open.encode());
    bench
}

/// What was sent, in few words: marks and prefixes.
fn order(outputs: &[bgp::session::Output]) -> Vec<String> {
    let words = sent(outputs).into_iter().map(|message| match message {
        Message::RouteRefresh(refresh) => format!("{:?} {}", refresh.subtype, refresh.family().unwrap()),
        Message::Update(body) => {
            let whole =
                [&[0xff; 16][..], &u16::try_from(body.len() + 19).unwrap().to_be_bytes(), &[2], &body];
            let output = bgp::session::Output::Send { connection: FIRST, bytes: whole.concat() };
            let update = updates(&[output]).remove(0);
            match update.is_end_of_rib() {
                Some(family) => format!("End-of-RIB {family}"),
                None => update.announced().map(|prefix| prefix.to_string()).collect::<Vec<_>>().join(" "),
            }
        }
        other @ (Message::Open(_) | Message::Notification(_) | Message::Keepalive) => format!("{other:?}"),
    });
    words.collect()
}

/// RFC 7313 section 4.
#[test]
fn what_is_told_again_stands_between_marks_where_both_know_them() {
    let mut bench = with(Capability::EnhancedRouteRefresh, settings());
    bench.say(FIRST, &KEEPALIVE);
    bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let outputs = bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode());
    assert_eq!(order(&outputs), ["Begin ipv4", "198.18.0.0/24", "End ipv4"]);
    let both = [Family::Ipv4, Family::Ipv6].map(|family| RouteRefresh::of(family).encode()).concat();
    let outputs = bench.say(FIRST, &both);
    let expected = ["Begin ipv4", "Begin ipv6", "198.18.0.0/24", "2001:db8:53::/48", "End ipv4", "End ipv6"];
    assert_eq!(order(&outputs), expected);
    // A neighbour that does not know the marks gets none.
    let mut plain = Bench::in_state(StateName::Established, settings());
    plain.want(&["198.18.0.0/24"]);
    let outputs = plain.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode());
    assert_eq!(order(&outputs), ["198.18.0.0/24"]);
}

/// RFC 7313 section 4: the mark of the beginning does not come before End-of-RIB.
#[test]
fn a_refresh_waits_for_end_of_rib() {
    let mut bench = with(Capability::EnhancedRouteRefresh, settings());
    bench.feed(Input::Wanted(Arc::new(many(3000, 3000))));
    bench.reads = false;
    let mut outputs = bench.say(FIRST, &KEEPALIVE);
    outputs.extend(bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode()));
    bench.reads = true;
    outputs.extend(bench.feed(Input::Written { connection: FIRST, octets: SEND_WINDOW + 4096 }));
    let order = order(&outputs);
    let at = |word: &str| order.iter().position(|line| line == word).unwrap();
    assert!(at("End-of-RIB ipv6") < at("Begin ipv4") && at("Begin ipv4") < at("End ipv4"));
    assert_eq!(at("End ipv4"), order.len() - 1);
    assert_eq!(at("End ipv4") - at("Begin ipv4"), 3001, "all of it is told again in between");
}

/// RFC 7313 section 4: what the neighbour does not mention between its marks is gone.
#[test]
fn what_the_neighbour_leaves_out_between_its_marks_counts_no_more() {
    let bound = Settings { max_prefixes: [(Family::Ipv4, 3)].into(), ..settings() };
    let mut bench = with(Capability::EnhancedRouteRefresh, bound);
    bench.say(FIRST, &KEEPALIVE);
    let [one, two, three] = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"].map(|text| text.parse().unwrap());
    bench.say(FIRST, &announcement(&[one, two, three]));
    let count = |bench: &Bench| bench.session.prefixes()[&Family::Ipv4];
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::Begin).encode());
    bench.say(FIRST, &announcement(&[two]));
    assert_eq!(count(&bench), 3, "until the end nothing is gone, and nothing counts twice");
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::End).encode());
    assert_eq!(count(&bench), 1);
    // RFC 7313 section 5: what nobody knows is ignored.
    let unknown = RouteRefresh::about(Family::Ipv4, Refresh::Unknown(9)).encode();
    assert_eq!(bench.say(FIRST, &unknown), []);
}

#[test]
fn a_neighbour_is_asked_where_it_can_be() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs = bench.feed(Input::AskAgain);
    assert_eq!(order(&outputs), ["Request ipv4", "Request ipv6"]);
    assert_eq!(events(&outputs).len(), 2);
    let mut plain = Bench::in_state(StateName::OpenSent, settings());
    let open = Open { capabilities: vec![], ..their_open() };
    plain.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(plain.feed(Input::AskAgain), []);
}

#[test]
fn end_of_rib_of_the_neighbour_is_none_of_ours() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let end = Update::end_of_rib(Family::Ipv4).encode(&crate::negotiated()).unwrap();
    assert_eq!(events(&bench.say(FIRST, &end)), ["the neighbour has told all its ipv4 routes"]);
}
