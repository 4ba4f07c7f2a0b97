//! Why a prefix is announced as it is.

use crate::blackhole::blackhole;
use crate::event::row;
use crate::status::group;
use crate::{WHEN, json};
use api::*;

#[test]
fn explanation() {
    let group = group();
    insta::assert_snapshot!(json(Explanation {
        schema: Schema,
        prefix: "2001:db8:53::/48".parse().unwrap(),
        group: group.name,
        cover: false,
        blackhole: Some(blackhole()),
        state: group.state,
        output: group.output,
        since: WHEN,
        reason: group.reason,
        peers: vec![PeerTold {
            peer: "transit-a".parse().unwrap(),
            told: Told::Withdrawn,
            when: Some(WHEN),
            attributes: None,
        }],
        heard: vec![PeerHeard {
            peer: "transit-a".parse().unwrap(),
            routes: vec![HeardRoute {
                prefix: "2001:db8::/32".parse().unwrap(),
                path_id: Some(7),
                when: WHEN,
                stale: true,
                marks: vec!["martian".into()],
                origin: terms::Origin::Igp,
                next_hop: Some("2001:db8:1::1".parse().unwrap()),
                path: "64500 3 {4 5}".into(),
                med: None,
                local_pref: Some(0),
                communities: Default::default(),
                extended_communities: Default::default(),
                large_communities: Default::default(),
            }],
        }],
        checks: vec![Check { seen: Some("disk 1 ok\ndisk 2 lost".into()), ..group.checks[0].clone() }],
        why: vec![row()],
    }));
}
