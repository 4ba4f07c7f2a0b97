//! A blackhole, the order and its answer.

use crate::{WHEN, json};
use api::*;
use terms::{Attributes, WallTime};

pub(crate) fn blackhole() -> Blackhole {
    Blackhole {
        prefix: "198.18.0.99/32".parse().unwrap(),
        who: "alice (uid 0)".into(),
        when: WHEN,
        until: WallTime(WHEN.0 + BlackholeOrder::FOR_MS),
        reason: "flood, ticket 4711".into(),
        override_guard: false,
        peers: vec![
            BlackholePeer {
                peer: "transit-a".parse().unwrap(),
                told: Told::Announced,
                gets: Some(Attributes::originated("10.1.0.10".parse().unwrap())),
                because: None,
            },
            BlackholePeer {
                peer: "transit-b".parse().unwrap(),
                told: Told::None,
                gets: None,
                because: Some("it is not asked".into()),
            },
        ],
    }
}

#[test]
fn answer() {
    insta::assert_snapshot!(json(BlackholeAnswer {
        schema: Schema,
        site: "london".parse().unwrap(),
        kind: BlackholeOrderKind::Begin,
        dry_run: true,
        blackhole: blackhole(),
        remarks: vec!["transit-b is not told: it is not asked".into()],
    }));
}

#[test]
fn an_order_needs_a_kind_and_a_prefix_and_nothing_unknown() {
    let read = |text: &str| serde_json::from_str::<BlackholeOrder>(text);
    let least = r#"{ "schema": 1, "kind": "end", "prefix": "198.18.0.99/32" }"#;
    let order = read(least).unwrap();
    assert_eq!((order.for_ms, order.override_guard, order.dry_run), (None, false, false));
    for wrong in [
        least.replace("end", "pause"),
        least.replace("/32", "/24"),
        least.replace("\"schema\"", "\"dryrun\": true, \"schema\""),
        r#"{ "schema": 1, "kind": "end" }"#.to_owned(),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
}
