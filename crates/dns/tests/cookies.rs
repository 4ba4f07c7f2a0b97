//! Cookies of NSD, of Knot and of ours: with one secret, each takes what the others made (RFC 9018).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "other servers have a clock")]

#[path = "support/messages.rs"]
#[allow(dead_code)] // replies are not read here
mod messages;
#[path = "support/peers.rs"]
#[allow(dead_code)] // nothing is signed here
mod peers;

use dns::{
    Arrival, Cookie, Identity, Outcome, ResponseCode, Secret, Secrets, Server, Transport, Zones, answer, zone,
};
use messages::{AskEdns, ask};
use peers::{Peer, ZoneFile};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;
use terms::{Timestamp, WallTime};

const ZONE: &str = "$ORIGIN example.\n@ 60 SOA ns h 1 3600 600 604800 60\n 60 NS ns\nns 60 A 192.0.2.1\n";
const SECRET: &str = "dd3bdf9344b678b185a6f5cb60fca715";
/// Whom other servers see on the loopback interface.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const BADCOOKIE: (u8, u8) = (7, 1);

fn query(cookie: &[u8]) -> Vec<u8> {
    let options = vec![(10, cookie.to_vec())];
    let edns = Some(AskEdns { payload: 1232, options, ..AskEdns::default() });
    messages::Ask { edns, ..ask("example.", "SOA") }.octets()
}

/// The cookie of a reply, and its code: the half in the header and the half in the OPT record.
fn read(reply: &[u8]) -> (Vec<u8>, (u8, u8)) {
    let message = domain::base::Message::from_octets(reply).unwrap();
    let at = reply.windows(4).position(|octets| octets == [0, 10, 0, 24]).expect("a cookie");
    let code = message.opt().unwrap().rcode(message.header()).to_int();
    (reply[at + 4..at + 28].to_vec(), ((code & 15) as u8, (code >> 4) as u8))
}

/// Our own reply, with what the cookie is worth.
fn ours(cookie: &[u8]) -> (Cookie, Vec<u8>) {
    let zones = Zones::new(vec![Arc::new(zone::parse(ZONE).unwrap())]).unwrap();
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let secrets = Secrets::new(Secret(u128::from_str_radix(SECRET, 16).unwrap().to_be_bytes()));
    let server = Server { zones: &zones, identity: &identity, secrets: &secrets };
    let wall = WallTime(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64);
    let message = &query(cookie);
    let arrival = Arrival {
        message,
        client: CLIENT,
        transport: Transport::Udp,
        patience: None,
        reserved: 0,
        now: Timestamp::ZERO,
        wall,
    };
    let mut out = [0; 1232];
    match answer(&server, None, &arrival, &mut out) {
        Outcome::Reply { length, code: ResponseCode::NoError, cookie, .. } => {
            (cookie, read(&out[..length]).0)
        }
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn a_cookie_is_good_wherever_the_secret_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("example.zone"), ZONE).unwrap();
    let files = [ZoneFile { apex: "example.".to_owned(), file: "example.zone".to_owned() }];
    let knot = Peer::knot(folder.path(), &files, Some(SECRET));
    let nsd = Peer::nsd(folder.path(), &files, Some(SECRET));
    let asked = |peer: &Peer, cookie: &[u8]| read(&peer.ask(&query(cookie), Transport::Udp));

    // Ours.
    let (worth, made_here) = ours(b"8 octets");
    assert_eq!(worth, Cookie::First);
    assert_eq!(asked(&knot, &made_here).1, (0, 0), "Knot takes it");
    let mut bent = made_here.clone();
    bent[20] ^= 1;
    assert_eq!(asked(&knot, &bent).1, BADCOOKIE, "and would not take another one");
    // Theirs.
    let (made_by_knot, code) = asked(&knot, b"8 octets");
    assert_eq!(code, BADCOOKIE, "Knot demands one");
    assert_eq!(ours(&made_by_knot).0, Cookie::Good);
    let (made_by_nsd, code) = asked(&nsd, b"8 octets");
    assert_eq!((code, ours(&made_by_nsd).0), ((0, 0), Cookie::Good));
    assert_eq!(asked(&knot, &made_by_nsd).1, (0, 0), "Knot takes NSD's");
    // Lengths that no cookie has.
    for length in [0, 7, 9, 15, 41] {
        for peer in [&knot, &nsd] {
            let reply = peer.ask(&query(&vec![7; length]), Transport::Udp);
            assert_eq!(reply[3] & 15, 1, "{} and {length} octets: FORMERR, as ours", peer.name);
        }
    }
}
