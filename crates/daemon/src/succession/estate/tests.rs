//! What is handed over comes back as it was, and nothing else is taken for it.

use super::*;
use crate::clock::Clock;
use proptest::prelude::*;
use std::time::Duration;

fn london() -> SiteName {
    "london".parse().unwrap()
}

/// An estate of these numbers and names.
fn estate(number: u64, version: String, descriptors: Vec<RawFd>, text: String) -> Estate {
    let bus = crate::events::Bus::for_test();
    let trouble = crate::event::Event::RecordingTrouble { reason: Reason::from(text) };
    bus.tell(&trouble, crate::event::Source::Process);
    Estate {
        site: london(),
        version,
        number,
        clock: Clock::start().reading(),
        still_since: Timestamp::ZERO + Duration::from_nanos(number),
        peers: BTreeMap::new(),
        links: bfd::Kept::default(),
        decision: serde_json::from_value(serde_json::json!({
            "groups": [], "announced": number, "wishes": {"dns": ["ask", 7]}, "grants": {"dns": ["held", 7]},
            "leaving": false,
        }))
        .unwrap(),
        permits: BTreeMap::new(),
        memories: Memories::new(),
        news: bus.keep(),
        sockets: Sockets {
            control: descriptors.get(1).copied(),
            api: descriptors.get(2).copied(),
            dns_udp: descriptors.clone(),
            dns_tcp: descriptors.clone(),
            dns_streams: descriptors,
        },
    }
}

prop_compose! {
    fn estates()(
        number in any::<u64>(),
        version in "[0-9.]{1,12}",
        descriptors in prop::collection::vec(3..100_000i32, 0..20),
        text in "\\PC{0,40}",
    ) -> Estate {
        estate(number, version, descriptors, text)
    }
}

fn decode(octets: &[u8]) -> Result<Estate, DecodeError> {
    Estate::decode(octets, &london())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_handed_over_comes_back_as_it_was(estate in estates()) {
        let octets = estate.encode().unwrap();
        let back = decode(&octets).unwrap();
        prop_assert_eq!(back.encode().unwrap(), octets);
        prop_assert_eq!(back.sockets, estate.sockets);
    }

    #[test]
    fn a_part_is_refused(estate in estates(), part in 0.0..1.0f64) {
        let octets = estate.encode().unwrap();
        let cut = (octets.len() as f64 * part) as usize;
        prop_assert!(decode(&octets[..cut]).is_err());
        let more: Vec<u8> = octets.iter().copied().chain([b' ']).collect();
        let is_length = matches!(decode(&more), Err(DecodeError::Length { .. }));
        prop_assert!(is_length);
    }

    #[test]
    fn any_octets_are_refused_and_harm_nobody(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(&octets).is_err());
    }
}

#[test]
fn what_is_foreign_is_refused_with_the_reason() {
    let good = String::from_utf8(estate(1, "1.0".into(), vec![], "x".into()).encode().unwrap()).unwrap();
    let refused = |octets: &str| decode(octets.as_bytes()).unwrap_err().to_string();
    let (_, body) = good.split_once('\n').unwrap();
    let length = body.len();
    let words = [
        refused(""),
        refused(body),
        refused(&good.replacen(MAGIC, "bird-succession", 1)),
        refused(&good.replacen(&format!("{MAGIC} {FORMAT} "), &format!("{MAGIC} 99 "), 1)),
        refused(&good.replacen(&format!(" {length}\n"), " 5\n", 1)).replace(&length.to_string(), "N"),
        refused(&good.replacen("\"peers\"", "\"pears\"", 1)),
        Estate::decode(good.as_bytes(), &"paris".parse().unwrap()).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(words.join("\n").replace(|c: char| c.is_ascii_digit(), "0"));
}

#[test]
fn a_descriptor_is_taken_once_and_only_if_it_was_handed_over() {
    let descriptor = std::fs::File::open("/dev/null").unwrap().into();
    let mut descriptors = Descriptors(BTreeMap::from([(7, descriptor)]));
    assert!(descriptors.take::<OwnedFd>(8).is_none());
    assert!(descriptors.take::<OwnedFd>(7).is_some());
    assert!(descriptors.take::<OwnedFd>(7).is_none());
}
