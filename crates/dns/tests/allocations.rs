//! An answer takes no memory, whatever is asked.

#![allow(clippy::unwrap_used)]

#[path = "support/messages.rs"]
#[allow(dead_code)] // replies are not read here
mod messages;

use dns::{Identity, Transport, Zones, zone};
use messages::{AskEdns, answer, ask};
use std::sync::Arc;

#[test]
fn an_answer_allocates_nothing() {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    let zones = Zones::new(vec![
        zone(include_str!("zones/example.zone")),
        zone(include_str!("zones/big.zone")),
        zone(include_str!("zones/nsec.zone")),
        zone(include_str!("zones/opt-out.zone")),
    ])
    .unwrap();
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let questions = [
        ("example.", "SOA"),
        ("WWW.example.", "A"),
        ("www.example.", "ANY"),
        ("alias.example.", "A"),
        ("x.y.nobody.example.", "A"),
        ("terminal.example.", "TXT"),
        ("large.big.example.", "AAAA"),
        ("big.example.", "DS"),
        ("example.com.", "A"),
        ("id.server.", "TXT"),
        ("one.parent.test.", "A"),
        ("x.y.w.parent.test.", "A"),
        ("nobody.parent.test.", "A"),
        ("name.moved.parent.test.", "A"),
        ("x.wide.parent.test.", "A"),
        ("a.b.child.parent.test.", "A"),
        ("x.insecure.child.parent.test.", "A"),
        ("x.wild.child.parent.test.", "A"),
    ];
    let mut out = vec![0; 65535];
    for (name, kind) in questions {
        for class in [1, 3, 255] {
            for version in [0, 1] {
                let mut ask = ask(name, kind);
                ask.class = class;
                ask.edns = Some(AskEdns {
                    version,
                    flags: 0x8000,
                    options: vec![(3, vec![])],
                    ..AskEdns::default()
                });
                let mut query = ask.octets();
                // As it is, malformed, with another operation, and as a reply.
                for flags in [0x00, 0x01, 0x78, 0x80] {
                    query[2] = flags;
                    for length in [query.len(), query.len() - 1, 20, 3] {
                        for transport in [Transport::Udp, Transport::Tcp] {
                            let taken = allocation_counter::measure(|| {
                                answer(&zones, &identity, &query[..length], transport, &mut out);
                            });
                            assert_eq!(taken.count_total, 0, "{ask:?}");
                        }
                    }
                }
            }
        }
    }
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1])));
    assert_eq!(counted.count_total, 1, "the counter counts");
}
