//! The shape of every document, as programs outside read it: a changed snapshot is a changed promise.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use api::*;
use terms::{Asn, Attributes, Family, GeoPoint, Severity, WallTime};

const WHEN: WallTime = WallTime(1_795_442_400_000);

fn group() -> Group {
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

fn peer() -> Peer {
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

fn alarm() -> Alarm {
    Alarm { kind: "blind".into(), subject: "dns".into(), since: WHEN, text: "nobody watches".into() }
}

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

fn row() -> EventRow {
    EventRow {
        seq: 3,
        at_ms: 5012,
        wall: WHEN,
        severity: Severity::Warning,
        kind: "check-failed".into(),
        subject: "dns".into(),
        text: "the service refused".into(),
    }
}

fn asn(number: u32) -> Asn {
    Asn::try_from(number).unwrap()
}

fn lab_picture() -> Picture {
    let london = GeoPoint::new(51.508, -0.126).unwrap();
    let command = Command { kind: FaultKind::PowerCut, target: "site london".into() };
    Picture {
        addresses: vec!["198.18.0.53".parse().unwrap()],
        at_ms: 5012,
        sites: vec![Site {
            name: "london".parse().unwrap(),
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

/// Writes the document, reads it back, and returns the text for the snapshot.
fn json<T>(document: T) -> String
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), document);
    text
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

fn blackhole() -> Blackhole {
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
fn an_answer_to_an_order_about_a_blackhole() {
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
fn an_order_about_a_blackhole_needs_a_kind_and_a_prefix_and_nothing_unknown() {
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
        collectors: vec![collector()],
        alarms: vec![alarm()],
        restart: Some(restart()),
    }));
}

#[test]
fn events() {
    insta::assert_snapshot!(json(EventList { schema: Schema, events: vec![row()] }));
}

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

#[test]
fn command_and_its_answers() {
    let command = json(Command { kind: FaultKind::PowerCut, target: "site london".into() });
    let done = json(Done { schema: Schema, said: "london has no power".into() });
    let refusal = json(Refusal::because("no site `lodnon`").hint("did you mean `london`?"));
    insta::assert_snapshot!([command, done, refusal].join("\n"));
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

#[test]
fn a_status_of_before_orders_is_understood() {
    let status = r#"{"schema":1,"site":"london","peers":[],"groups":[{"name":"dns","services":["dns"],"state":"up",
        "output":"normal","since":0,"reason":"proven","alarms":[],"prefixes":[],"checks":[]}]}"#;
    let status: Status = serde_json::from_str(status).unwrap();
    assert_eq!(status.groups[0].intent, Intent::default());
}

#[test]
fn samples_are_rows() {
    let answered = Outcome::Answered { site: 2, rtt_ms: 71.5 };
    insta::assert_snapshot!(
        serde_json::to_string(&vec![
            Sample { ribbon: 0, at_ms: 5000, outcome: answered, family: Some(Family::Ipv4) },
            Sample { ribbon: 1, at_ms: 5001, outcome: answered, family: None },
            Sample { ribbon: 2, at_ms: 5002, outcome: Outcome::Silent, family: Some(Family::Ipv6) },
        ])
        .unwrap()
    );
}

#[test]
fn live_messages_are_their_content() {
    let live = [Live::Event(row()), Live::Samples(vec![]), Live::Picture(lab_picture().into())];
    let shown = live.iter().map(|message| {
        let text = serde_json::to_string(message).unwrap();
        format!("{}: {}", message.name(), text.chars().take(60).collect::<String>())
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_sample_that_contradicts_itself_is_refused() {
    for wrong in ["[0,1,2,null,4]", "[0,1,null,3.5,4]", "[0,1,2,3.5,5]", "[0,1,2,3.5]"] {
        assert!(serde_json::from_str::<Sample>(wrong).is_err(), "{wrong}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_sample_survives_the_way_to_the_page(
            ribbon: u16, at_ms: u64, answer in proptest::option::of((any::<u16>(), 0f32..1e6)), v6: Option<bool>,
        ) {
            let outcome = match answer {
                Some((site, rtt_ms)) => Outcome::Answered { site, rtt_ms },
                None => Outcome::Silent,
            };
            let family = v6.map(|v6| if v6 { Family::Ipv6 } else { Family::Ipv4 });
            let sample = Sample { ribbon, at_ms, outcome, family };
            let text = serde_json::to_string(&sample).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), sample);
        }

        #[test]
        fn hostile_rows_are_errors_not_panics(text in "\\PC{0,80}") {
            let _ = serde_json::from_str::<Sample>(&text);
            let _ = serde_json::from_str::<Picture>(&text);
        }
    }
}
