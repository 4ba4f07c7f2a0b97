//! What the page draws.

use crate::status::{alarm, group, peer};
use crate::{WHEN, asn, json};
use api::*;
use terms::GeoPoint;

pub(crate) fn lab_picture() -> Picture {
    let london = GeoPoint::new(51.508, -0.126).unwrap();
    let command = Command { kind: FaultKind::PowerCut, target: "site london".into() };
    Picture {
        addresses: vec!["198.18.0.53".parse().unwrap()],
        at_ms: 5012,
        sites: vec![Site {
            name: "london".parse().unwrap(),
            service: None,
            city: "London".into(),
            at: Some(london),
            colour: 1,
            state: Some(GroupState::Up),
            output: Output::Normal,
            reason: "3 passes in a row".into(),
            clients: 1,
            rtt_ms: Some(8.25),
            offers: vec![Offer { label: "power cut".into(), command }],
        }],
        clients: vec![Client {
            name: "frankfurt".into(),
            service: None,
            city: "Frankfurt".into(),
            at: GeoPoint::new(50.116, 8.684).unwrap(),
            asn: asn(65010),
            network: "EuroNet".into(),
            site: Some("london".parse().unwrap()),
            rtt_ms: Some(8.25),
            nearest: Some(Nearest { site: "frankfurt".parse().unwrap(), rtt_ms: 0.4 }),
            path: vec!["frankfurt".into(), "euronet-london".into(), "london".into()],
            detour: Some(Detour { kind: DetourKind::Failover, words: "frankfurt does not announce".into() }),
        }],
        forwards: vec![Forward {
            from: "london".parse().unwrap(),
            to: "frankfurt".parse().unwrap(),
            connections: 3,
            clients: vec!["frankfurt".into()],
            since_ms: 4800,
        }],
        routers: vec![Router {
            name: "euronet-london".into(),
            city: "London".into(),
            at: london,
            asn: asn(65010),
            network: "EuroNet".into(),
        }],
        cables: vec![Cable {
            name: "euronet-london-london".into(),
            ends: ["euronet-london".into(), "london".into()],
            delay_ms: 0.05,
            state: CableState::Blackhole,
            used: true,
            offers: vec![],
        }],
        faults: vec![Fault {
            kind: FaultKind::Blackhole,
            target: "cable euronet-london-london".into(),
            since_ms: 5000,
        }],
        ..Picture::empty(PictureKind::Lab, "earth", WHEN)
    }
}

#[test]
fn picture_of_a_lab() {
    insta::assert_snapshot!(json(lab_picture()));
}

#[test]
fn picture_of_a_daemon() {
    insta::assert_snapshot!(json(Picture {
        peers: vec![peer()],
        groups: vec![group()],
        alarms: vec![alarm()],
        ..Picture::empty(PictureKind::Daemon, "london", WHEN)
    }));
}
