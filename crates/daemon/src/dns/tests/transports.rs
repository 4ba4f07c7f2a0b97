//! The list of RFC 8906 on every path, octet by octet.

use super::tls::identified;
use super::*;
use ::dns::{Arrival, Outcome, Secret, Secrets};
use asking::{Ask, AskEdns, ask};
use terms::{Timestamp, WallTime};

#[path = "../../../../dns/tests/support/asking.rs"]
mod asking;
#[path = "../../../../dns/tests/support/rfc_8906.rs"]
mod rfc_8906;

/// Class CHAOS.
const CHAOS: u16 = 3;

/// The list, who answers, and answers of other kinds.
fn questions() -> Vec<(&'static str, Ask)> {
    let mut questions = rfc_8906::list();
    for (title, name) in
        [("the site", "id.server."), ("the host", "hostname.bind."), ("what", "version.bind.")]
    {
        questions.push((title, Ask { class: CHAOS, ..ask(name, "TXT") }));
    }
    questions.extend([
        ("an address", ask("ns1.example.", "A")),
        ("no such name", ask("nobody.example.", "A")),
        ("no such type", ask("ns1.example.", "MX")),
        ("a whole zone", ask("example.", "AXFR")),
        ("more than a datagram holds", ask("large.example.", "TXT").edns(AskEdns::default())),
    ]);
    questions
}

/// A reply without what depends on the client's address and on the time: the end of a cookie of 24 octets.
fn without_cookie(reply: &[u8]) -> Vec<u8> {
    let mut reply = reply.to_vec();
    if let Some(at) = reply.windows(4).position(|octets| octets == [0, 10, 0, 24]) {
        reply[at + 16..at + 28].fill(0);
    }
    reply
}

#[test]
fn every_path_answers_alike() {
    let identified = identified(&[]);
    let world = World::with(&Settings { tls: Some(identified.tls.clone()), ..settings(1) });
    let (zones, identity) = (zones(1).zones, settings(1).identity);
    let secrets = Secrets { active: Secret([1; 16]), staging: None, previous: None };
    let server = ::dns::Server { zones: &zones, identity: &identity, secrets: &secrets };
    for (title, ask) in questions() {
        let query = ask.octets();
        // What is not answered by the core alone is answered alike on every path all the same.
        let mut aside = None;
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let mut room = vec![0; 65535];
            let arrival = Arrival {
                message: &query,
                client: SERVICE[0].parse().unwrap(),
                transport,
                patience: None,
                reserved: 0,
                now: Timestamp::ZERO,
                wall: WallTime(0),
            };
            let outcome = ::dns::answer(&server, None, &arrival, &mut room);
            let expected = match outcome {
                Outcome::Reply { length, .. } => Some(without_cookie(&room[..length])),
                Outcome::Aside => None,
                Outcome::Silence(why) => panic!("{title}: {why:?}"),
            };
            for address in SERVICE {
                let reply = match transport {
                    Transport::Udp => world.ask_at(address, &query),
                    Transport::Tcp => {
                        let mut stream = world.connect_to((address, 53));
                        stream.write_all(&framed(&query)).unwrap();
                        read_framed(&mut stream)
                    }
                    Transport::Tls => world.ask_tls(address, &identified.client, &query).0,
                };
                let reply = without_cookie(&reply);
                let expected =
                    expected.as_ref().unwrap_or_else(|| aside.get_or_insert_with(|| reply.clone()));
                assert_eq!(reply, *expected, "{title}, {address}, {transport:?}");
            }
        }
    }
}
