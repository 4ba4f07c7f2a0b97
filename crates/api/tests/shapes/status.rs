//! What a site announces, since when and why.

use crate::blackhole::blackhole;
use crate::continuity::continuity;
use crate::{WHEN, asn, json};
use api::*;
use terms::{Attributes, Family};

pub(crate) fn group() -> Group {
    Group {
        name: "dns".parse().unwrap(),
        services: vec!["dns".parse().unwrap()],
        state: GroupState::Suspect,
        output: Output::Normal,
        since: WHEN,
        reason: "refused once".into(),
        intent: Intent {
            kind: IntentKind::Freeze,
            who: Some("alice (uid 0)".into()),
            when: Some(WHEN),
            until: None,
            reason: Some("the checks are being rebuilt".into()),
        },
        alarms: vec![],
        prefixes: vec![PrefixStatus {
            prefix: "198.18.0.0/24".parse().unwrap(),
            peers: vec![
                ToldPeer {
                    peer: "transit-a".parse().unwrap(),
                    told: Told::Announced,
                    attributes: Some(Attributes::originated("10.1.0.10".parse().unwrap())),
                },
                ToldPeer { peer: "transit-b".parse().unwrap(), told: Told::None, attributes: None },
            ],
        }],
        checks: vec![Check {
            service: "dns".parse().unwrap(),
            name: "example. SOA".into(),
            last: Some(CheckResult::Fail),
            run: 1,
            reason: Some("refused".into()),
            seen: None,
        }],
    }
}

pub(crate) fn peer() -> Peer {
    Peer {
        name: "transit-a".parse().unwrap(),
        address: "10.1.0.1".parse().unwrap(),
        asn: asn(64500),
        state: PeerState::OpenConfirm,
        since: WHEN,
        received: Received {
            accepted: 7,
            discarded_attributes: 1,
            treated_as_withdraw: 2,
            withdrawn: 3,
            graceful_shutdown: 1,
            looped: 0,
            martian: 4,
            leaked: 2,
            prefixes: Counted { ipv4: Some(4), ipv6: None },
            kept: Some(Kept { ipv4: 3, ipv6: 1, stale: 0, attributes: 2, octets: 65_536, left_out: 0 }),
        },
        graceful_restart: Some(GracefulRestart {
            restart_time_s: 120,
            hard_reset: true,
            peer: Some(PeerRestart {
                restart_time_s: 60,
                restarted: true,
                families: vec![Family::Ipv4, Family::Ipv6],
                forwarding: vec![Family::Ipv4],
            }),
            end_of_rib_deferred_since: Some(WHEN),
            stale_families: vec![Family::Ipv4],
            stale_until: Some(WHEN),
            stale_routes: 3,
        }),
        bfd: Some(Bfd {
            state: BfdState::Up,
            since: WHEN,
            interval_us: Some(300_000),
            multiplier: 3,
            detection_us: Some(900_000),
            losses: 1,
            own_lateness_us: 412,
            excused: 0,
        }),
        transport: Transport { interface: None, signature: Some(Signature::Md5), ttl_security: Some(1) },
        capabilities: vec!["route-refresh".to_owned()],
    }
}

pub(crate) fn alarm() -> Alarm {
    Alarm { kind: "blind".into(), subject: "dns".into(), since: WHEN, text: "nobody watches".into() }
}

fn restart() -> Restart {
    Restart {
        number: 2,
        when: WHEN,
        outcome: RestartOutcome::Done,
        before: "0.1.0".to_owned(),
        version: "0.2.0".to_owned(),
        gap_ms: Some(84),
        sessions: Some(1),
        reason: None,
    }
}

fn collector() -> Collector {
    Collector {
        name: "pmacct".parse().unwrap(),
        address: "192.0.2.179:1790".parse().unwrap(),
        state: CollectorState::Waiting,
        since: WHEN,
        reason: Some("Connection refused".into()),
        messages: 12,
        octets: 1234,
        waiting: 0,
        overflows: 1,
    }
}

fn secondary() -> Secondary {
    Secondary {
        service: "dns".parse().unwrap(),
        name: "example.".parse().unwrap(),
        catalog: Some("catalog.example.".parse().unwrap()),
        serial: Some(7),
        state: SecondaryState::Expired,
        work: SecondaryWork::Waiting,
        since: WHEN,
        next: Some(WHEN),
        expires: Some(WHEN),
        reason: Some("192.0.2.1:53: no answer for 10 s".into()),
    }
}

fn catalog() -> Catalog {
    Catalog {
        service: "dns".parse().unwrap(),
        name: "catalog.example.".parse().unwrap(),
        serial: Some(41),
        members: 52,
        state: CatalogState::Refused,
        since: WHEN,
        reason: Some("it lists more than 10000 zones".into()),
    }
}

#[test]
fn status() {
    let site = "london".parse().unwrap();
    insta::assert_snapshot!(json(Status {
        schema: Schema,
        site,
        groups: vec![group()],
        covers: vec![PrefixStatus {
            prefix: "198.18.0.0/15".parse().unwrap(),
            peers: vec![ToldPeer { peer: "transit-b".parse().unwrap(), told: Told::None, attributes: None }],
        }],
        peers: vec![peer()],
        blackholes: vec![blackhole()],
        zones: vec![Zone {
            service: "dns".parse().unwrap(),
            name: "example.".to_owned(),
            serial: 2026112301,
            signatures_end: Some(WHEN),
        }],
        collectors: vec![collector()],
        secondaries: vec![secondary()],
        catalogs: vec![catalog()],
        continuity: Some(continuity()),
        alarms: vec![alarm()],
        restart: Some(restart()),
    }));
}

#[test]
fn a_status_of_before_orders_is_understood() {
    let status = r#"{"schema":1,"site":"london","peers":[],"groups":[{"name":"dns","services":["dns"],"state":"up",
        "output":"normal","since":0,"reason":"proven","alarms":[],"prefixes":[],"checks":[]}]}"#;
    let status: Status = serde_json::from_str(status).unwrap();
    assert_eq!(status.groups[0].intent, Intent::default());
}
