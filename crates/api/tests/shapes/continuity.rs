//! Connections that routing has moved.

use crate::{WHEN, json};
use api::*;

pub(crate) fn continuity() -> Continuity {
    Continuity {
        state: ContinuityState::On,
        since: WHEN,
        reason: None,
        number: 3,
        interfaces: vec![ContinuityInterface { name: "eth0".to_owned(), mode: InterfaceMode::Native }],
        owned: 1204,
        relay: Some("paris".parse().unwrap()),
        forwarded: vec![FlowTotal {
            number: 4,
            site: Some("paris".parse().unwrap()),
            host: Some("paris-1".parse().unwrap()),
            connections: 1,
            since: WHEN,
            seen: WHEN,
            packets: 48_211,
        }],
        received: vec![],
        owners: vec![Owner {
            site: "paris".parse().unwrap(),
            host: "paris-1".parse().unwrap(),
            number: 4,
            address: Some("192.0.2.4".parse().unwrap()),
            state: OwnerState::Alive,
            reason: None,
            connections: 31_817,
        }],
        packets: [("learned".to_owned(), 48_211)].into(),
        handed_over: HandedOver {
            given: 38,
            taken: 2,
            kept: [("undumpable".to_owned(), 1)].into(),
            longest_stall_us: 4_120,
            total_stall_us: 41_230,
        },
        services: vec![CooperatingService {
            name: "chat".to_owned(),
            user: "_chat".to_owned(),
            addresses: vec!["198.18.0.53:7".parse().unwrap(), "[2001:db8:53::53]:7".parse().unwrap()],
            since: WHEN,
            is_full: false,
        }],
    }
}

#[test]
fn flows() {
    insta::assert_snapshot!(json(Flows {
        schema: Schema,
        site: "london".parse().unwrap(),
        continuity: Some(continuity()),
        forwarded: vec![Flow {
            client: "203.0.113.9:51312".parse().unwrap(),
            service: "198.18.0.53:443".parse().unwrap(),
            number: 4,
            site: Some("paris".parse().unwrap()),
            since: WHEN,
            seen: WHEN,
            packets: 48_211,
        }],
        received: vec![],
        more: 0,
    }));
}
