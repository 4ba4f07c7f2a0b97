//! The machines of a lab.

use crate::{asn, json};
use api::*;

#[test]
fn nodes() {
    insta::assert_snapshot!(json(NodeList {
        schema: Schema,
        world: "earth".into(),
        nodes: vec![Node {
            name: "tokyo".into(),
            kind: NodeKind::Client,
            city: "Tokyo".into(),
            asn: asn(65020),
            addresses: vec!["10.200.0.2".parse().unwrap(), "2001:db8:c8::2".parse().unwrap()],
        }],
    }));
}
