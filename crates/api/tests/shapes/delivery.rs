//! The four methods of delivery on the picture.

use crate::{WHEN, json};
use api::*;
use std::net::Ipv4Addr;

#[test]
fn deliveries() {
    let (group, address) = (Ipv4Addr::new(239, 18, 0, 7), Ipv4Addr::new(10, 2, 0, 18));
    let host = Host {
        name: "office-1".into(),
        kind: NodeKind::Device,
        lan: Some("office".into()),
        city: "London".into(),
        address,
        groups: vec![group],
        received: [0, 0, 1, 0],
    };
    let last = Sent {
        from: "office-2".into(),
        to: group.to_string(),
        address: group,
        at_ms: 5012,
        received: vec![Receipt { host: "office-1".into(), times: 1 }],
        as_meant: Some(true),
    };
    let delivery = |method| Delivery {
        method,
        sent: u32::from(method == Method::Multicast),
        last: (method == Method::Multicast).then(|| last.clone()),
    };
    let router = || "atlas-london".to_owned();
    insta::assert_snapshot!(json(Picture {
        lans: vec![Lan { name: "office".into(), router: router(), broadcast: Ipv4Addr::new(10, 2, 0, 31) }],
        hosts: vec![host],
        deliveries: Method::ALL.map(delivery).into(),
        multicast_groups: vec![MulticastGroup {
            group,
            members: vec!["office-1".into()],
            routers: vec![router()]
        }],
        ..Picture::empty(PictureKind::Lab, "earth", WHEN)
    }));
}
