//! What the fuzz targets try: plain functions, so that the ordinary tests run their corpora, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::fleet::{self, FAMILIES, london};
use continuity::handover::Message;
use continuity::packet::{Reading, read};
use continuity::quic::{ConnectionId, Destination, Keys, Rotation, Unroutable, destination};
use continuity::search::Knowledge;
use continuity::service::{Join, LONGEST, Said};
use continuity::{Action, Layer, Model, Outcome, Settings, Shim, Verdict, clamp};
use terms::Timestamp;

/// Any octets as a shim: what is read was written so.
pub(crate) fn shim(octets: &[u8]) {
    if let Ok(shim) = Shim::decode(octets) {
        assert_eq!(shim.encode(), octets[..Shim::LEN]);
        assert!(shim.visited.contains(shim.visited.origin()) && shim.visited.contains(shim.visited.last()));
    }
}

/// Any octets as a message between two sites: what is read was written so.
pub(crate) fn handover(octets: &[u8]) {
    if let Ok(message) = Message::decode(octets) {
        assert_eq!(message.encode(), octets);
    }
}

/// Any octets as a datagram of QUIC: a site that it names has given out the id, and it is the same behind either header.
pub(crate) fn quic(octets: &[u8]) {
    let (mut keys, rotation) = (Keys::default(), Rotation::try_from(0).unwrap());
    keys.learn(rotation, [1; 16]);
    let Some(Destination::Long(id) | Destination::Short(id)) = destination(octets) else {
        return assert_eq!(keys.site_of(octets), Err(Unroutable::Truncated));
    };
    let id = &id[..id.len().min(ConnectionId::LEN)];
    if let Ok((site, nonce)) = keys.open(id) {
        assert_eq!(keys.seal(rotation, site, nonce).unwrap().octets()[..], *id);
    }
    if let Ok(site) = keys.site_of(octets) {
        assert_eq!(keys.open(id).map(|(site, _)| site), Ok(site));
    }
}

/// Any octets as a message of a service: what is read is bounded, and is said in one way only.
pub(crate) fn service(octets: &[u8]) {
    let Ok(said) = Said::decode(octets) else { return };
    assert!(octets.len() <= LONGEST);
    let (line, state) = octets.split_at(octets.iter().position(|octet| *octet == b'\n').unwrap());
    assert!(line.iter().all(|octet| *octet == b' ' || octet.is_ascii_graphic()));
    match said {
        Said::Join(Join { name, addresses }) => {
            assert!((1..=Join::MOST).contains(&addresses.len()), "{name}");
            assert!(addresses.iter().all(|address| address.port() != 0));
        }
        Said::Offer { state: read, .. } => {
            assert!(read.len() <= Message::MOST_STATE && read == state[1..]);
        }
        Said::Full | Said::Room | Said::Wish(_) | Said::Pass(_) => assert_eq!(state, b"\n"),
    }
}

/// Any octets as frames: the first says what site they come to, each following stretch begins with its length.
pub(crate) fn frames(octets: &[u8]) {
    let Some(([first], mut rest)) = octets.split_first_chunk() else { return };
    let layer = if first & 1 == 0 { Layer::Ethernet } else { Layer::Ip };
    let mut settings = london();
    settings.relay = (first & 2 != 0).then(|| fleet::number(2));
    let mut model = model(settings.clone());
    while let Some(([high, low], following)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(following.len());
        let (frame, following) = following.split_at(length);
        rest = following;
        let outcome = model.arrive(frame, layer, Timestamp::ZERO);
        holds(&settings, frame, layer, &outcome);
        assert!(model.knowledge.counts.add_up(), "{:?}", model.knowledge.counts);
        let mut clamped = frame.to_vec();
        if clamp(&mut clamped, layer, &settings).is_none() {
            assert_eq!(clamped, frame);
        }
        assert_eq!(clamp(&mut clamped, layer, &settings), None, "once is enough");
    }
}

pub(crate) fn model(settings: Settings) -> Model {
    let sockets = FAMILIES.map(|family| fleet::flow(family, 1)).into();
    Model { settings: Some(settings), knowledge: Knowledge { sockets, ..Knowledge::default() } }
}

/// What must be true of every frame that arrives.
pub(crate) fn holds(settings: &Settings, frame: &[u8], layer: Layer, outcome: &Outcome) {
    let verdict = outcome.verdict.unwrap();
    match outcome.action {
        // Taken out of the tunnel, a frame is shorter; otherwise nothing touches it.
        Action::Pass | Action::Drop => {
            let is_unwrapped = frame.len() - outcome.frame.len() >= 36;
            assert!(outcome.frame == frame || is_unwrapped, "{verdict:?}");
        }
        Action::Transmit => {
            let (Verdict::Learned(to) | Verdict::Claimed(to) | Verdict::Guessed(to) | Verdict::Relayed(to)) =
                verdict
            else {
                panic!("{verdict:?} is sent nowhere");
            };
            assert_ne!(to, settings.number, "to itself");
            arrives(settings, frame, layer, outcome, to);
        }
    }
}

/// The site that it is sent to believes it, and finds inside what the client has sent.
fn arrives(settings: &Settings, frame: &[u8], layer: Layer, outcome: &Outcome, to: continuity::SiteNumber) {
    let start = match layer {
        Layer::Ip => 0,
        Layer::Ethernet if [[0x81, 0], [0x88, 0xa8]].contains(&[frame[12], frame[13]]) => 18,
        Layer::Ethernet => 14,
    };
    let here = &settings.sites[&to];
    let mut there = settings.clone();
    there.number = to;
    (there.source4, there.source6) = match here.address {
        std::net::IpAddr::V4(address) => (Some(address), None),
        std::net::IpAddr::V6(address) => (None, Some(address)),
    };
    there.services.clear();
    let sent = &outcome.frame;
    let Reading::Tunnel(outer) = read(sent, start, sent.len(), &there) else { panic!("{outcome:?}") };
    let shim = Shim::decode(&sent[outer.transport + 8..]).unwrap();
    assert!(!shim.visited.contains(to), "it has been there before");
    assert_eq!(shim.visited.last(), settings.number);
    let inner = &sent[outer.transport + 8 + Shim::LEN..outer.end];
    assert!(frame.windows(inner.len()).any(|window| window == inner), "what was inside is inside still");
    assert!(outer.end - outer.start <= usize::from(settings.mtu));
}
