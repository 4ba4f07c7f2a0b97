//! An order about groups and its answer.

use crate::json;
use api::*;
use terms::Attributes;

fn order() -> Order {
    Order {
        schema: Schema,
        kind: OrderKind::Drain,
        service: Some("dns".parse().unwrap()),
        for_ms: Some(600_000),
        reason: Some("kernel upgrade".into()),
        who: Some("alice".into()),
        override_guard: false,
        dry_run: true,
    }
}

#[test]
fn order_and_its_answer() {
    let route = Attributes::originated("10.1.0.10".parse().unwrap());
    let ordered = Ordered {
        schema: Schema,
        site: "london".parse().unwrap(),
        kind: OrderKind::Drain,
        dry_run: true,
        accepted: true,
        groups: vec![GroupChange {
            name: "dns".parse().unwrap(),
            services: vec!["dns".parse().unwrap()],
            intent: Intent::default(),
            before: Stand { state: GroupState::Up, output: Output::Normal },
            after: Stand { state: GroupState::Drain, output: Output::Gshut },
            finally: Later { output: Output::None, after_ms: 30_000 },
            permit: PermitState::Free,
            survivors: Survivors { enough: Some(true), words: "two sites of three remain".into() },
            routes: vec![RouteChange {
                prefix: "198.18.0.0/24".parse().unwrap(),
                peer: "transit-a".parse().unwrap(),
                before: Some(route),
                after: None,
            }],
        }],
        remarks: vec!["dns stands for ntp, too".into()],
    };
    insta::assert_snapshot!([json(order()), json(ordered)].join("\n"));
}

#[test]
fn a_misspelt_order_is_no_order() {
    let text = serde_json::to_string(&order()).unwrap();
    assert!(serde_json::from_str::<Order>(&text).is_ok());
    let misspelt = text.replace("dry_run", "dryrun");
    let error = serde_json::from_str::<Order>(&misspelt).unwrap_err().to_string();
    assert!(error.contains("unknown field `dryrun`"), "{error}");
    assert!(serde_json::from_str::<Order>(&text.replace("drain", "drown")).is_err());
}
