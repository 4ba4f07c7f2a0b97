//! Messages about zones as a whole, and signed ones, as they are answered: octets in, octets out.

use super::super::served::Said;
use super::*;
use ::dns::{Arrival, ResponseCode, Secret, Secrets, UDP_PAYLOAD};
use std::net::Ipv4Addr;
use terms::{Record, RecordType, Timestamp, WallTime};
use transfer::{Conversation, Question};

const NOW: WallTime = WallTime(1_800_000_000_000);
const CHAOS: u8 = 3;

/// What is answered to a message, and its code.
fn answer(message: &[u8], transport: Transport) -> (Vec<u8>, ResponseCode) {
    let mut text = zone_text(1, PATIENT);
    // It fits into 512 octets, but not beside a signature.
    text += &format!("medium TXT \"{0}\" \"{0}\"\n", "x".repeat(200));
    for n in 0..100 {
        text += &format!("large TXT \"{n:03} {}\"\n", "x".repeat(200));
    }
    match said(&text, message, transport, Some(Duration::from_secs(10))) {
        Said::Reply(reply, code) => (reply, code),
        Said::Stream(mut messages, _) => (messages.next().unwrap(), ResponseCode::NoError),
        Said::Nothing => panic!("silence"),
    }
}

/// What a server of this zone says.
fn said(text: &str, message: &[u8], transport: Transport, patience: Option<Duration>) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::new(folder.path(), &"dns".parse().unwrap());
    let shelf = Shelf::new(&primary(&[text], &[]), images, Teller::for_test()).unwrap();
    let served = Arc::clone(&shelf.published().borrow());
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let secrets = Secrets::new(Secret([1; 16]));
    let server = ::dns::Server { zones: &served.zones, identity: &identity, secrets: &secrets };
    let client = Ipv4Addr::LOCALHOST.into();
    let (reserved, now) = (0, Timestamp::ZERO);
    let arrival = Arrival { message, client, transport, patience, reserved, now, wall: NOW };
    served.aside(&server, &arrival)
}

/// A question with EDNS, such options and such a payload.
fn ask(name: &str, kind: RecordType, class: u8, version: u8, payload: u16, options: &[u8]) -> Vec<u8> {
    let mut message = Question::Whole.message(7, &self::name(name));
    let end = message.len();
    message[end - 4..].copy_from_slice(&[(kind.get() >> 8) as u8, kind.get() as u8, 0, class]);
    put_edns(&mut message, version, payload, options);
    message
}

fn put_edns(message: &mut Vec<u8>, version: u8, payload: u16, options: &[u8]) {
    let [high, low] = payload.to_be_bytes();
    message.extend_from_slice(&[0, 0, 41, high, low, 0, version, 0, 0, 0, options.len() as u8]);
    message.extend_from_slice(options);
    message[11] += 1;
}

fn sign(message: &[u8]) -> (Vec<u8>, Conversation) {
    let mut signed = message.to_vec();
    let client = Conversation::open(key("transfer.", SECRET), &mut signed, NOW);
    (signed, client)
}

#[test]
fn a_signed_reply_is_no_larger_than_the_client_takes() {
    for payload in [0, 512, 513, 700, 1231, 1232, 4096] {
        for (name, room) in [("medium.example.", 600), ("large.example.", usize::MAX)] {
            let (signed, mut client) = sign(&ask(name, RecordType::TXT, 1, 0, payload, &[]));
            let (mut reply, _) = answer(&signed, Transport::Udp);
            let most = usize::from(payload.clamp(512, UDP_PAYLOAD));
            assert!(reply.len() <= most, "{name}: {} octets, {most} allowed", reply.len());
            assert_eq!(reply[2] & 2 != 0, most < room, "{name} in {most} octets");
            client.verify(&mut reply, NOW).unwrap();
        }
    }
    let (signed, _) = sign(&ask("large.example.", RecordType::TXT, 1, 0, 512, &[]));
    assert!(answer(&signed, Transport::Tcp).0.len() > 20_000, "over TCP all of it");
}

#[test]
fn whoever_asks_with_edns_is_answered_with_it() {
    let soa = zone::parse(&zone_text(1, PATIENT)).unwrap().authority().unwrap();
    let asking: [(&str, Vec<u8>, Transport); 4] = [
        ("a whole zone", Question::Whole.message(7, &name("example.")), Transport::Tcp),
        ("changes", Question::Since(&soa).message(7, &name("example.")), Transport::Udp),
        ("news", Question::News(&soa).message(7, &name("example.")), Transport::Udp),
        ("none of ours", Question::Whole.message(7, &name("elsewhere.")), Transport::Udp),
    ];
    // NSID, and the longest that a client may have us say.
    let options = [&[0, 3, 0, 0, 0, 11, 0, 0, 0, 12, 0, 0, 0, 10, 0, 8][..], b"8 octets"].concat();
    for (title, plain, transport) in asking {
        let mut with_edns = plain.clone();
        put_edns(&mut with_edns, 0, 1232, &options);
        let (without, code) = answer(&sign(&plain).0, transport);
        let (signed, mut client) = sign(&with_edns);
        let (mut reply, same) = answer(&signed, transport);
        assert_eq!(code, same, "{title}");
        if transport == Transport::Udp {
            client.verify(&mut reply, NOW).unwrap();
        }
        let opt = [0, 0, 41, 4, 0xd0, 0, 0, 0, 0];
        let stands = |reply: &[u8]| reply.windows(9).any(|octets| octets == opt);
        assert!(stands(&reply) && reply[11] == 1 && !stands(&without), "{title}: {reply:02x?}");
        assert!(reply.windows(6).any(|octets| octets == b"london"), "{title}: NSID");
        let keepalive = reply.windows(6).any(|octets| octets == [0, 11, 0, 2, 0, 100]);
        assert!(keepalive, "{title}: how long the connection may be idle");
    }
}

#[test]
fn what_a_reply_says_is_counted_as_that() {
    let (signed, mut client) = sign(&ask("example.", RecordType::AXFR, 1, 1, 1232, &[]));
    let (mut reply, code) = answer(&signed, Transport::Tcp);
    client.verify(&mut reply, NOW).unwrap();
    assert_eq!(code, ResponseCode::BadVers, "no part of the zone");
    let counters = super::super::counters::Counters::default();
    counters.count_aside(&Said::Reply(reply, code));
    let counted: Vec<_> = counters.read().replies().filter(|&(_, count)| count > 0).collect();
    assert_eq!(counted, [(ResponseCode::BadVers, 1)]);
    let (signed, _) = sign(&ask("id.server.", RecordType::TXT, CHAOS, 0, 1232, &[]));
    let (reply, code) = answer(&signed, Transport::Udp);
    assert!(code == ResponseCode::NoError && reply.windows(6).any(|octets| octets == b"london"));
    let mut wrong = sign(&ask("example.", RecordType::AXFR, 1, 0, 1232, &[])).0;
    wrong[13] ^= 0x20;
    assert_eq!(answer(&wrong, Transport::Tcp).1, ResponseCode::NotAuth);
    wrong.push(0);
    assert_eq!(answer(&wrong, Transport::Tcp).1, ResponseCode::FormErr);
}

/// RFC 1995 section 4: whoever has no room for the SOA record comes over TCP.
#[test]
fn what_does_not_fit_into_a_datagram_is_asked_for_over_tcp() {
    let labels = ["a".repeat(60), "b".repeat(60), "c".repeat(60)].join(".");
    let text = format!("$ORIGIN example.\n@ 60 SOA {labels} x.{labels} 1 1 1 1 1\n@ 60 NS ns.a.\n");
    let soa: Record = zone::parse(&text).unwrap().authority().unwrap();
    let (signed, mut client) = sign(&Question::Since(&soa).message(7, &name("example.")));
    let Said::Reply(mut reply, _) = said(&text, &signed, Transport::Udp, None) else { panic!("no reply") };
    assert!(reply.len() <= 512 && reply[2] & 2 != 0 && reply[7] == 0, "{reply:02x?}");
    client.verify(&mut reply, NOW).unwrap();
}
