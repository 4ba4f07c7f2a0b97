//! What a client may ask for on a connection: how long it may be idle (RFC 7828), and padding (RFC 7830, RFC 8467).

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/asking.rs"]
mod asking;

use asking::{Ask, AskEdns, ask};
use dns::{Arrival, Identity, Outcome, Secret, Secrets, Server, Transport, Zones, answer, zone};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use terms::{Timestamp, WallTime};

const PATIENCE: u16 = 11;
const PADDING: u16 = 12;

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    Zones::new(vec![zone(include_str!("zones/example.zone")), zone(include_str!("zones/big.zone"))]).unwrap()
});

fn reply(name: &str, kind: &str, options: &[u16], transport: Transport, patience: Duration) -> Vec<u8> {
    let options = options.iter().map(|&code| (code, Vec::new())).collect();
    let query = Ask { edns: Some(AskEdns { options, ..AskEdns::default() }), ..ask(name, kind) }.octets();
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let secrets = Secrets { active: Secret([1; 16]), staging: None, previous: None };
    let server = Server { zones: &ZONES, identity: &identity, secrets: &secrets };
    let patience = (transport != Transport::Udp).then_some(patience);
    let client = "192.0.2.7".parse().unwrap();
    let (now, wall) = (Timestamp::ZERO, WallTime(0));
    let arrival = Arrival { message: &query, client, transport, patience, reserved: 0, now, wall };
    let mut out = vec![0xee; 65535];
    let Outcome::Reply { length, .. } = answer(&server, None, &arrival, &mut out) else { panic!("silence") };
    out.truncate(length);
    out
}

/// The options of the OPT record, which is the last one and ends the reply.
fn options(reply: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let fixed = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0];
    let at = reply.windows(fixed.len()).rposition(|octets| octets == fixed).unwrap() + fixed.len();
    let (&[l0, l1], mut rest) = reply[at..].split_first_chunk().unwrap();
    assert_eq!(rest.len(), usize::from(u16::from_be_bytes([l0, l1])), "its length is right");
    let mut options = Vec::new();
    while let Some((&[c0, c1, l0, l1], after)) = rest.split_first_chunk() {
        let (data, after) = after.split_at(usize::from(u16::from_be_bytes([l0, l1])));
        options.push((u16::from_be_bytes([c0, c1]), data.to_vec()));
        rest = after;
    }
    options
}

#[test]
fn a_client_that_asks_is_told_how_long_a_connection_may_be_idle() {
    let told = |seconds: f64, transport| {
        options(&reply("example.", "SOA", &[PATIENCE], transport, Duration::from_secs_f64(seconds)))
    };
    for transport in [Transport::Tcp, Transport::Tls] {
        assert_eq!(told(10.0, transport), [(PATIENCE, vec![0, 100])]);
        assert_eq!(told(0.19, transport), [(PATIENCE, vec![0, 1])]);
        assert_eq!(told(1e9, transport), [(PATIENCE, vec![255, 255])]);
        let silent = reply("example.", "SOA", &[], transport, Duration::from_secs(10));
        assert_eq!(options(&silent), []);
    }
    assert_eq!(told(10.0, Transport::Udp), [], "RFC 7828 section 3.2.1");
}

#[test]
fn nothing_is_padded_where_everybody_can_read() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let reply = reply("example.", "SOA", &[PADDING], transport, Duration::from_secs(10));
        assert_eq!(options(&reply), []);
    }
}

proptest! {
    #[test]
    fn padded_replies_are_blocks_and_say_the_same(
        label in "[a-z]{1,60}",
        existing in prop::sample::select(vec!["example.", "www.example.", "huge.big.example.", "medium.big.example."]),
        is_there in any::<bool>(),
        kind in prop::sample::select(vec!["A", "TXT", "SOA"]),
        more in prop::sample::subsequence(vec![3, PATIENCE], 0..=2),
    ) {
        let name = if is_there { existing.to_owned() } else { format!("{label}.example.") };
        let padded_too: Vec<u16> = more.iter().copied().chain([PADDING]).collect();
        let patience = Duration::from_secs(10);
        let plain = reply(&name, kind, &more, Transport::Tls, patience);
        let padded = reply(&name, kind, &padded_too, Transport::Tls, patience);
        prop_assert!(padded.len().is_multiple_of(468), "{} octets", padded.len());
        prop_assert!(padded.len() < plain.len() + 4 + 468, "no more than is needed");
        let (said, mut with_padding) = (options(&plain), options(&padded));
        let (code, zeros) = with_padding.pop().unwrap();
        prop_assert_eq!((code, said), (PADDING, with_padding));
        prop_assert!(zeros.iter().all(|&octet| octet == 0));
        // Up to the options nothing differs but their length.
        let start = plain.len() - options(&plain).iter().map(|(_, data)| 4 + data.len()).sum::<usize>() - 2;
        prop_assert_eq!(&plain[..start], &padded[..start]);
    }
}
