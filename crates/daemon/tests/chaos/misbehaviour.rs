//! What a hostile neighbour says once, and what the site answers.

use crate::speaker::{
    Answer, Call, KEEPALIVE, NOTIFICATION, OPEN, Open, ROUTE_REFRESH, UPDATE, attributes, message, of_length,
    raw, update,
};
use crate::stage::{HEALTHY, Stage};
use std::net::Ipv4Addr;

/// One kind of misbehaviour.
pub(crate) struct Misbehaviour {
    pub(crate) name: &'static str,
    pub(crate) play: fn(&Stage, Ipv4Addr) -> Answer,
}

/// The capability of messages up to 65535 octets (RFC 8654).
const LONG_MESSAGES: [u8; 2] = [6, 0];

/// Each is played from an address of its own, so that none waits for the pause after another.
pub(crate) const ALL: [Misbehaviour; 36] = [
    Misbehaviour { name: "an OPEN that comes octet by octet", play: dribble },
    Misbehaviour { name: "a connection without a word, then a proper one", play: half_open },
    Misbehaviour { name: "both call at once, and its router id is the larger one", play: its_call_is_kept },
    Misbehaviour { name: "both call at once, and its router id is the smaller one", play: our_call_is_kept },
    Misbehaviour { name: "a second call while the session is up", play: second_call },
    Misbehaviour {
        name: "a marker that is not all ones",
        play: |stage, from| first(stage, from, &raw([0xfe; 16], 19, KEEPALIVE, &[])),
    },
    Misbehaviour {
        name: "length 18",
        play: |stage, from| first(stage, from, &of_length(18, KEEPALIVE, &[])),
    },
    Misbehaviour { name: "length 0", play: |stage, from| first(stage, from, &of_length(0, KEEPALIVE, &[])) },
    Misbehaviour {
        name: "length 4097 of an OPEN",
        play: |stage, from| first(stage, from, &of_length(4097, OPEN, &[0; 4078])),
    },
    Misbehaviour {
        name: "length 65535 of an OPEN",
        play: |stage, from| first(stage, from, &of_length(65535, OPEN, &[])),
    },
    Misbehaviour { name: "an UPDATE of 4097 octets", play: |stage, from| later(stage, from, &long(4097)) },
    Misbehaviour { name: "an UPDATE of 65535 octets", play: |stage, from| later(stage, from, &long(65535)) },
    Misbehaviour {
        name: "an UPDATE of 65535 octets, the most that a length can say, after both agreed on long messages",
        play: long_as_agreed,
    },
    Misbehaviour {
        name: "length 4097 of an OPEN that offers long messages",
        play: |stage, from| {
            let mut open = Open::of(stage.asn(from), from);
            open.capabilities.extend(LONG_MESSAGES);
            first(stage, from, &of_length(4097, OPEN, &open.message()[19..]))
        },
    },
    Misbehaviour {
        name: "a KEEPALIVE with a body",
        play: |stage, from| later(stage, from, &message(KEEPALIVE, &[0])),
    },
    Misbehaviour { name: "a message of type 0", play: |stage, from| later(stage, from, &message(0, &[])) },
    Misbehaviour { name: "a message of type 6", play: |stage, from| later(stage, from, &message(6, &[])) },
    Misbehaviour {
        name: "UPDATE before OPEN",
        play: |stage, from| first(stage, from, &message(UPDATE, &[0; 4])),
    },
    Misbehaviour {
        name: "KEEPALIVE before OPEN",
        play: |stage, from| first(stage, from, &message(KEEPALIVE, &[])),
    },
    Misbehaviour {
        name: "NOTIFICATION before OPEN",
        play: |stage, from| first(stage, from, &message(NOTIFICATION, &[6, 0])),
    },
    Misbehaviour {
        name: "OPEN of version 3",
        play: |stage, from| open(stage, from, |open| open.version = 3),
    },
    Misbehaviour {
        name: "OPEN of another AS",
        play: |stage, from| open(stage, from, |open| open.asn = 64_999),
    },
    Misbehaviour {
        name: "OPEN of the site's own AS",
        play: |stage, from| open(stage, from, |open| open.asn = 64_500),
    },
    Misbehaviour { name: "OPEN of AS 0", play: |stage, from| open(stage, from, |open| open.asn = 0) },
    Misbehaviour {
        name: "OPEN with the site's own router id",
        play: |stage, from| open(stage, from, |open| open.router_id = Ipv4Addr::new(10, 0, 0, 10)),
    },
    Misbehaviour {
        name: "OPEN with the router id of another neighbour",
        play: |stage, from| open(stage, from, |open| open.router_id = HEALTHY),
    },
    Misbehaviour {
        name: "OPEN with router id 0",
        play: |stage, from| open(stage, from, |open| open.router_id = Ipv4Addr::UNSPECIFIED),
    },
    Misbehaviour {
        name: "OPEN with hold time 0",
        play: |stage, from| open(stage, from, |open| open.hold_time = 0),
    },
    Misbehaviour {
        name: "OPEN with hold time 1",
        play: |stage, from| open(stage, from, |open| open.hold_time = 1),
    },
    Misbehaviour {
        name: "OPEN with hold time 2",
        play: |stage, from| open(stage, from, |open| open.hold_time = 2),
    },
    Misbehaviour {
        name: "OPEN with a capability that nobody knows",
        play: |stage, from| open(stage, from, |open| open.capabilities.extend([239, 3, 1, 2, 3])),
    },
    Misbehaviour {
        name: "OPEN twice",
        play: |stage, from| later(stage, from, &Open::of(stage.asn(from), from).message()),
    },
    Misbehaviour {
        name: "ROUTE-REFRESH cut short",
        play: |stage, from| later(stage, from, &message(ROUTE_REFRESH, &[0, 1])),
    },
    Misbehaviour {
        name: "path attributes longer than their message",
        play: |stage, from| later(stage, from, &message(UPDATE, &[0, 0, 0xff, 0xff])),
    },
    Misbehaviour {
        name: "a route without a next hop",
        play: |stage, from| {
            let complete = attributes(stage.asn(from), from);
            later(stage, from, &update(&complete[..complete.len() - 7], &[[203, 0, 113]]))
        },
    },
    Misbehaviour { name: "a reset in the middle of a message", play: reset },
];

/// Says something where the OPEN should be.
fn first(stage: &Stage, from: Ipv4Addr, octets: &[u8]) -> Answer {
    let mut call = stage.call(from);
    call.hear_open();
    call.say(octets);
    call.answer()
}

/// Says something on a session that is up.
fn later(stage: &Stage, from: Ipv4Addr, octets: &[u8]) -> Answer {
    let mut session = stage.session(from);
    session.hear_everything();
    session.say(octets);
    session.answer_of_session()
}

/// Introduces itself in an unusual way.
fn open(stage: &Stage, from: Ipv4Addr, change: fn(&mut Open)) -> Answer {
    let mut open = Open::of(stage.asn(from), from);
    change(&mut open);
    introduce(stage.call(from), &open)
}

fn introduce(mut call: Call, open: &Open) -> Answer {
    call.say(&open.message());
    call.say(&message(KEEPALIVE, &[]));
    call.answer()
}

fn dribble(stage: &Stage, from: Ipv4Addr) -> Answer {
    let mut call = stage.call(from);
    for octet in Open::of(stage.asn(from), from).message() {
        call.say(&[octet]);
    }
    call.say(&message(KEEPALIVE, &[]));
    call.answer()
}

fn half_open(stage: &Stage, from: Ipv4Addr) -> Answer {
    let mut silent = stage.call(from);
    silent.hear_open();
    let answer = introduce(stage.call(from), &Open::of(stage.asn(from), from));
    assert_eq!(silent.answer(), Answer::Notification(6, 7), "the older of two calls is closed");
    answer
}

/// The site calls, and is called (RFC 4271 section 6.8): the call of the larger router id is kept.
fn collide(stage: &Stage, from: Ipv4Addr, router_id: Ipv4Addr) -> [Call; 2] {
    let mut of_site = stage.be_called(from);
    of_site.hear_open();
    let open = Open::of(stage.asn(from), router_id);
    let mut of_peer = stage.call(from);
    of_peer.hear_open();
    of_site.say(&open.message());
    of_peer.say(&open.message());
    [of_site, of_peer]
}

fn its_call_is_kept(stage: &Stage, from: Ipv4Addr) -> Answer {
    let [of_site, of_peer] = collide(stage, from, Ipv4Addr::new(203, 0, 113, 1));
    one_is_kept(of_peer, of_site)
}

fn our_call_is_kept(stage: &Stage, from: Ipv4Addr) -> Answer {
    let [of_site, of_peer] = collide(stage, from, Ipv4Addr::new(10, 0, 0, 9));
    one_is_kept(of_site, of_peer)
}

fn one_is_kept(mut kept: Call, mut closed: Call) -> Answer {
    assert_eq!(closed.answer(), Answer::Notification(6, 7), "one of two is closed");
    kept.say(&message(KEEPALIVE, &[]));
    kept.answer()
}

/// An UPDATE of so many octets that says nothing wrong: it withdraws routes that nobody has told.
fn long(octets: usize) -> Vec<u8> {
    // 0.0.0.0/0 takes one octet, 60.0.0.0/8 two.
    let room = octets - 23;
    let mut routes = [8, 60].repeat(room / 2);
    routes.resize(room, 0);
    let length = u16::try_from(room).unwrap().to_be_bytes();
    let whole = message(UPDATE, &[&length[..], &routes, &[0, 0]].concat());
    assert_eq!(whole.len(), octets);
    whole
}

fn long_as_agreed(stage: &Stage, from: Ipv4Addr) -> Answer {
    let mut open = Open::of(stage.asn(from), from);
    open.capabilities.extend(LONG_MESSAGES);
    let mut session = stage.call(from);
    session.establish(&open);
    session.hear_everything();
    session.say(&long(65535));
    session.answer_of_session()
}

fn second_call(stage: &Stage, from: Ipv4Addr) -> Answer {
    let mut session = stage.session(from);
    session.hear_everything();
    let second = stage.call(from).answer();
    assert_eq!(session.answer_of_session(), Answer::Established, "the session lives on");
    second
}

fn reset(stage: &Stage, from: Ipv4Addr) -> Answer {
    let mut session = stage.session(from);
    session.say(&of_length(4096, UPDATE, &[0; 100]));
    session.reset();
    stage.until_lost(from);
    Answer::HangsUp
}
