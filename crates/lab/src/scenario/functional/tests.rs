//! Each condition is shown both when it holds and when it does not.

use super::*;
use crate::scenario::facts::Asked;
use crate::scenario::record::{Cookie, Outcome};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Timestamp, WallTime};

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

fn window() -> Window {
    Window { before: at(0), fault: at(1_000), until: at(2_000), home: at(0), target: None, slack: 1.0 }
}

/// What was answered at 900 ms, and then three times after the fault at 1,000 ms.
fn record(clients: &[(&str, Family, [Option<&str>; 4])]) -> Record {
    let mut record = Record::default();
    for (client, family, answers) in clients {
        for (sent, answer) in [900, 1_100, 1_200, 1_300].into_iter().zip(answers) {
            let outcome = match answer {
                Some(site) => Outcome::Answered {
                    site: site.parse().unwrap(),
                    round_trip: Duration::from_millis(10),
                    cookie: Cookie::Kept,
                },
                None => Outcome::Silent,
            };
            let viewpoint = Viewpoint { client: Arc::from(*client), service: None, family: *family };
            record.add(viewpoint, Sample { sent: at(sent), outcome });
        }
    }
    record
}

fn seen(sentence: &str, record: &Record, facts: &Facts) -> Seen {
    look(&sentence.parse().unwrap(), record, facts, &window()).unwrap()
}

fn holds(sentence: &str, record: &Record, facts: &Facts) -> bool {
    matches!(seen(sentence, record, facts), Seen::So(_))
}

const LONDON: [Option<&str>; 4] = [Some("london"); 4];
const MOVED: [Option<&str>; 4] = [Some("london"), Some("paris"), Some("paris"), Some("paris")];
const DARK: [Option<&str>; 4] = [Some("london"), None, None, None];

#[test]
fn both_families_must_be_answered() {
    let good = record(&[("london", Family::Ipv4, LONDON), ("london", Family::Ipv6, LONDON)]);
    let half = record(&[("london", Family::Ipv4, LONDON), ("london", Family::Ipv6, DARK)]);
    for sentence in ["every client answered", "every client by london", "client london by london"] {
        assert!(holds(sentence, &good, &Facts::default()), "{sentence}");
        assert!(!holds(sentence, &half, &Facts::default()), "{sentence}");
    }
    let words = seen("every client answered", &half, &Facts::default());
    assert_eq!(words, Seen::NotSo("1 of 2; london over ipv6 is silent".to_owned()));
}

/// `root-a-tokyo` is a site of `root-a`, however the name of `root` begins.
#[test]
fn a_resolver_is_asked_about_the_service_that_the_site_announces() {
    let mut record = Record::default();
    for (service, site) in [("root", "root-tokyo"), ("root-a", "root-a-tokyo")] {
        for sent in [1_100, 1_200, 1_300] {
            let viewpoint = Viewpoint {
                client: Arc::from("resolver"),
                service: Some(Arc::from(service)),
                family: Family::Ipv4,
            };
            let outcome = Outcome::Answered {
                site: site.parse().unwrap(),
                round_trip: Duration::from_millis(10),
                cookie: Cookie::Kept,
            };
            record.add(viewpoint, Sample { sent: at(sent), outcome });
        }
    }
    let services = [("root-tokyo", "root"), ("root-a-tokyo", "root-a")];
    let services = services.map(|(site, service)| (site.parse().unwrap(), Arc::from(service))).into();
    let facts = Facts { services, ..Facts::default() };
    for site in ["root-tokyo", "root-a-tokyo"] {
        assert!(holds(&format!("client resolver by {site}"), &record, &facts), "{site}");
    }
    assert!(!holds("client resolver by root-b-tokyo", &record, &facts), "a service that there is not");
}

#[test]
fn only_what_was_asked_since_the_fault_counts() {
    let moved = record(&[("london", Family::Ipv4, MOVED)]);
    assert!(holds("client london not by london", &moved, &Facts::default()));
    assert!(holds("client london by paris", &moved, &Facts::default()));
    assert!(!holds("client london by london", &moved, &Facts::default()));
    let too_early = Window { fault: at(1_150), ..window() };
    let wanted = "every client answered".parse().unwrap();
    let early = look(&wanted, &moved, &Facts::default(), &too_early);
    assert!(matches!(early, Some(Seen::NotSo(_))), "two answers since the fault are not three");
}

#[test]
fn one_family_can_be_silent_while_the_other_is_answered() {
    let half = record(&[("london", Family::Ipv4, DARK), ("london", Family::Ipv6, LONDON)]);
    assert!(holds("client london silent over ipv4", &half, &Facts::default()));
    assert!(!holds("client london silent over ipv6", &half, &Facts::default()));
    assert!(!holds("client paris silent over ipv4", &half, &Facts::default()), "nobody is not silent");
}

#[test]
fn who_answers_is_compared_with_what_the_routers_tell() {
    let both = record(&[("london", Family::Ipv4, LONDON), ("london", Family::Ipv6, LONDON)]);
    let told = |ends: [Result<&str, &str>; 2]| {
        let walk = |(family, ends): (Family, Result<&str, &str>)| Walk {
            viewpoint: Viewpoint { client: Arc::from("london"), service: None, family },
            ends: ends.map(|site| site.parse().unwrap()).map_err(str::to_owned),
        };
        let walks = Family::ALL.into_iter().zip(ends).map(walk).collect();
        Facts { walks, ..Facts::default() }
    };
    let sentence = "catchments as the routers tell";
    assert!(holds(sentence, &both, &told([Ok("london"), Ok("london")])));
    let elsewhere = seen(sentence, &both, &told([Ok("london"), Ok("paris")]));
    let said = "1 of 2 ways; the routers lead london over ipv6 to paris: 0 of 1; london over ipv6 is answered by london";
    assert_eq!(elsewhere, Seen::NotSo(said.to_owned()));
    assert!(!holds(sentence, &both, &told([Ok("london"), Err("atlas-london forwards to nobody")])));
    assert!(!holds(sentence, &both, &Facts::default()), "nothing was asked");
}

#[test]
fn nobody_is_not_everybody() {
    assert!(!holds("every client answered", &Record::default(), &Facts::default()));
    assert!(!holds("client london not by london", &Record::default(), &Facts::default()));
}

/// A status as a daemon sends it.
fn status(state: &str, told: &str, peer_state: &str, since: u64, treated_as_withdraw: u64) -> Facts {
    let status = serde_json::json!({
        "schema": 1, "site": "london",
        "groups": [{
            "name": "dns", "services": ["dns"], "state": state, "output": "normal", "since": 0, "reason": "because",
            "alarms": [], "checks": [],
            "prefixes": [{ "prefix": "198.18.0.0/24", "peers": [
                { "peer": "transit", "told": told, "attributes": null },
                { "peer": "gone", "told": "announced", "attributes": null },
            ] }],
        }],
        "peers": [
            { "name": "transit", "address": "10.0.0.1", "asn": 64500, "state": peer_state, "since": since, "bfd": null,
              "received": { "accepted": 0, "discarded_attributes": 0, "treated_as_withdraw": treated_as_withdraw } },
            { "name": "gone", "address": "10.0.0.2", "asn": 64501, "state": "active", "since": 0, "bfd": null,
              "received": { "accepted": 0, "discarded_attributes": 0, "treated_as_withdraw": 0 } },
        ],
    });
    let status: api::Status = serde_json::from_value(status).unwrap();
    Facts { statuses: [(status.site.clone(), status)].into(), fault: WallTime(5_000), ..Facts::default() }
}

#[test]
fn a_site_is_asked_for_its_state() {
    let up = status("up", "announced", "established", 0, 0);
    let none = Record::default();
    assert!(holds("site london state up", &none, &up));
    assert!(!holds("site london state down", &none, &up));
    assert!(!holds("site paris state up", &none, &up), "a daemon that does not answer is in no state");
}

#[test]
fn only_established_peers_know_anything() {
    let none = Record::default();
    assert!(holds("site london told announced", &none, &status("up", "announced", "established", 0, 0)));
    assert!(!holds("site london told withdrawn", &none, &status("up", "announced", "established", 0, 0)));
    assert!(holds("site london told withdrawn", &none, &status("down", "withdrawn", "established", 0, 0)));
    assert!(!holds("site london told announced", &none, &status("down", "withdrawn", "established", 0, 0)));
    for told in ["announced", "withdrawn"] {
        let alone = status("up", "announced", "active", 0, 0);
        assert!(!holds(&format!("site london told {told}"), &none, &alone), "nobody was told anything");
    }
}

#[test]
fn packets_end_where_the_routers_say() {
    let none = Record::default();
    let known = |end: PacketEnd| {
        let who = ("london".parse().unwrap(), "198.18.0.99".parse().unwrap());
        Facts { ends: [(who, end)].into(), ..Facts::default() }
    };
    let reach = "packets of client london to 198.18.0.99 reach site london";
    let dropped = "packets of client london to 198.18.0.99 dropped by edge";
    for (end, holding, seen_words) in [
        (PacketEnd::Reaches("london".parse().unwrap()), Some(reach), "they reach london"),
        (PacketEnd::Reaches("paris".parse().unwrap()), None, "they reach paris"),
        (PacketEnd::DroppedBy("edge".to_owned()), Some(dropped), "edge drops them"),
        (PacketEnd::DroppedBy("core".to_owned()), None, "core drops them"),
        (PacketEnd::LostAt("edge".to_owned()), None, "edge knows no further"),
    ] {
        let facts = known(end);
        for sentence in [reach, dropped] {
            let expected = match holding == Some(sentence) {
                true => Seen::So(seen_words.to_owned()),
                false => Seen::NotSo(seen_words.to_owned()),
            };
            assert_eq!(seen(sentence, &none, &facts), expected, "{sentence}");
        }
        let elsewhere = "packets of client london to 198.18.0.98 reach site london";
        assert!(!holds(elsewhere, &none, &facts), "another address was not asked about");
    }
    let asked = Asked::by([&reach.parse().unwrap()]);
    assert_eq!(asked.followed.len(), 1);
    assert!(asked.statuses.is_empty(), "no daemon is asked");
}

#[test]
fn a_session_is_judged_by_its_age() {
    let none = Record::default();
    let old = status("up", "announced", "established", 4_000, 3);
    let new = status("up", "announced", "established", 6_000, 0);
    let lost = status("up", "announced", "active", 6_000, 0);
    let never = status("up", "announced", "active", 4_000, 0);
    let holds_for = |sentence: &str| [&old, &new, &lost, &never].map(|facts| holds(sentence, &none, facts));
    assert_eq!(holds_for("peer transit of site london established throughout"), [true, false, false, false]);
    assert_eq!(holds_for("peer transit of site london lost"), [false, false, true, false]);
    assert_eq!(
        holds_for("peer transit of site london kept despite broken updates"),
        [true, false, false, false]
    );
    let stranger = seen("peer stranger of site london lost", &none, &old);
    assert_eq!(stranger, Seen::NotSo("london has no peer stranger, it has transit, gone".to_owned()));
}

#[test]
fn an_attack_is_over_when_all_of_it_was_answered() {
    let after = |progress: Progress| Facts {
        attacks: [("london".parse().unwrap(), progress)].into(),
        ..Facts::default()
    };
    let sentence = "attack on site london over";
    assert!(holds(sentence, &Record::default(), &after(Progress::Over)));
    assert!(!holds(sentence, &Record::default(), &after(Progress::Playing)));
    assert!(!holds(sentence, &Record::default(), &after(Progress::Failed("refused".to_owned()))));
    assert!(!holds(sentence, &Record::default(), &Facts::default()));
}

#[test]
fn a_detour_needs_a_reason_of_policy() {
    let client = |detour: serde_json::Value| {
        let client = serde_json::json!({
            "name": "frankfurt", "city": "Frankfurt", "at": { "lat": 50.1, "lon": 8.7 }, "asn": 64501,
            "network": "EuroNet", "site": "tokyo", "rtt_ms": 190.0, "path": [],
            "nearest": { "site": "london", "rtt_ms": 9.0 }, "detour": detour,
        });
        Facts { clients: vec![serde_json::from_value(client).unwrap()], ..Facts::default() }
    };
    let sentence = "detour of client frankfurt explained";
    let explained = client(serde_json::json!({ "kind": "policy", "words": "a customer route wins" }));
    assert_eq!(
        seen(sentence, &Record::default(), &explained),
        Seen::So("tokyo not london: a customer route wins".to_owned())
    );
    let failover = client(serde_json::json!({ "kind": "failover", "words": "london is down" }));
    assert!(!holds(sentence, &Record::default(), &failover));
    assert!(!holds(sentence, &Record::default(), &client(serde_json::Value::Null)));
    assert!(!holds(sentence, &Record::default(), &Facts::default()));
}

#[test]
fn a_state_that_came_after_the_fault_was_not_there_throughout() {
    let none = Record::default();
    let mut facts = status("up", "announced", "established", 0, 0);
    assert!(holds("site london state up throughout", &none, &facts));
    assert!(!holds("site london state down throughout", &none, &facts));
    let london = facts.statuses.values_mut().next().unwrap();
    london.groups[0].since = WallTime(5_250);
    assert!(holds("site london state up", &none, &facts));
    let later = seen("site london state up throughout", &none, &facts);
    assert_eq!(later, Seen::NotSo("up: because, but only since 250 ms after the fault".to_owned()));
}

#[test]
fn outputs_and_alarms_are_those_of_the_groups() {
    let none = Record::default();
    let mut facts = status("up", "announced", "established", 0, 0);
    assert!(holds("site london output normal", &none, &facts));
    assert!(!holds("site london output gshut", &none, &facts));
    assert!(holds("no alarm at site london", &none, &facts));
    assert!(!holds("alarm at site london about store", &none, &facts));
    let london = facts.statuses.values_mut().next().unwrap();
    london.groups[0].alarms = vec!["the fleet Store does not answer".into()];
    assert!(holds("alarm at site london about store does", &none, &facts));
    assert!(!holds("alarm at site london about permit", &none, &facts));
    assert!(!holds("no alarm at site london", &none, &facts));
    assert!(!holds("no alarm at site paris", &none, &facts), "a daemon that does not answer may have any");
}

#[test]
fn only_events_since_the_fault_were_said() {
    let event = |wall: u64, text: &str| {
        let row = serde_json::json!({
            "seq": 1, "at_ms": 0, "wall": wall, "severity": "info", "kind": "moved", "subject": "dns", "text": text,
        });
        serde_json::from_value(row).unwrap()
    };
    let events = vec![event(4_999, "Withdrawn"), event(5_000, "Announced again"), event(6_000, "well")];
    let facts = Facts {
        events: [("london".parse().unwrap(), events)].into(),
        fault: WallTime(5_000),
        ..Facts::default()
    };
    let none = Record::default();
    assert_eq!(seen("site london said announced", &none, &facts), Seen::So("Announced again".to_owned()));
    assert_eq!(seen("site london said withdrawn", &none, &facts), Seen::NotSo("well".to_owned()));
    assert!(!holds("site paris said well", &none, &facts));
}

#[test]
fn a_host_has_all_its_addresses_or_says_which_not() {
    let lacking = |missing: &[&str]| Facts {
        missing: [("london".parse().unwrap(), missing.iter().map(|one| one.parse().unwrap()).collect())]
            .into(),
        ..Facts::default()
    };
    let sentence = "site london has its addresses";
    assert!(holds(sentence, &Record::default(), &lacking(&[])));
    let seen = seen(sentence, &Record::default(), &lacking(&["198.18.0.53"]));
    assert_eq!(seen, Seen::NotSo("all but 198.18.0.53".to_owned()));
    assert!(!holds(sentence, &Record::default(), &Facts::default()));
}

#[test]
fn an_order_is_judged_when_all_of_them_are_answered() {
    let yes = || Some(Answer::Obeyed("done".to_owned()));
    let no = || Some(Answer::Refused("no permit".to_owned()));
    let facts = |orders: &[(&str, u64, Option<Answer>)]| Facts {
        orders: orders
            .iter()
            .map(|(site, at, answer)| Ordered {
                site: site.parse().unwrap(),
                at: WallTime(*at),
                answer: answer.clone(),
            })
            .collect(),
        fault: WallTime(5_000),
        ..Facts::default()
    };
    let none = Record::default();
    let both = facts(&[("tokyo", 4_000, yes()), ("london", 5_000, yes()), ("tokyo", 5_001, no())]);
    assert!(holds("order to site london obeyed", &none, &both));
    assert!(!holds("order to site london refused", &none, &both));
    assert!(holds("order to site tokyo refused", &none, &both));
    assert!(!holds("order to site newyork obeyed", &none, &both), "nobody ordered anything there");
    assert!(holds("exactly 1 orders obeyed", &none, &both), "the one before the fault does not count");
    assert!(!holds("exactly 2 orders obeyed", &none, &both));
    let waiting = facts(&[("london", 5_000, yes()), ("tokyo", 5_001, None)]);
    assert!(!holds("exactly 1 orders obeyed", &none, &waiting));
    let words = seen("exactly 1 orders obeyed", &none, &waiting);
    assert_eq!(words, Seen::NotSo("london obeyed: done; tokyo waits".to_owned()));
    assert!(!holds("exactly 0 orders obeyed", &none, &Facts::default()));
}

#[test]
fn only_those_are_asked_of_whom_somebody_speaks() {
    let wanted = [
        "site london said well",
        "site tokyo state up",
        "site paris has its addresses",
        "every client answered",
    ];
    let wanted: Vec<Expectation> = wanted.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Asked::by(&wanted);
    let names = [&asked.statuses, &asked.events, &asked.addresses]
        .map(|set| set.iter().map(|site| site.as_str()).collect::<Vec<_>>().join(" "));
    assert_eq!(names, ["tokyo", "london", "paris"]);
}

#[test]
fn the_fleet_is_as_one_of_its_sites_sees_it() {
    let member = |site: &str, away: serde_json::Value| {
        let standing = if away.is_null() { vec![site] } else { vec![] };
        serde_json::json!({ "site": site, "standing": standing, "away": away, "why": null })
    };
    let fleet = serde_json::json!({
        "schema": 1, "site": "london", "host": "london", "store": "reached", "trouble": null, "alarms": [], "hosts": [],
        "groups": [{
            "name": "dns", "min_sites": 2, "slots": 1, "taken": 1, "permit": "none", "refusal": null,
            "members": [member("london", serde_json::Value::Null), member("tokyo", "charge".into())],
        }],
    });
    let fleet = serde_json::from_value(fleet).unwrap();
    let facts = Facts { fleets: [("london".parse().unwrap(), fleet)].into(), ..Facts::default() };
    let none = Record::default();
    assert!(holds("fleet at site london has 1 standing", &none, &facts));
    assert!(!holds("fleet at site london has 2 standing", &none, &facts));
    assert!(holds("site london counts tokyo away", &none, &facts));
    assert!(!holds("site london counts london away", &none, &facts));
    assert!(!holds("site tokyo counts london away", &none, &facts));
    assert!(!holds("site london sees nobody behind", &none, &facts), "it sees no zone");
    let words = seen("fleet at site london has 3 standing", &none, &facts);
    assert_eq!(words, Seen::NotSo("store reached, london stands, tokyo is away".to_owned()));
}

#[test]
fn a_zone_is_behind_as_one_of_the_sites_sees_it() {
    let facts = |behind: Option<u32>| {
        let host = |site: &str, serial: u32, behind: Option<u32>| {
            serde_json::json!({ "site": site, "host": site, "version": "1", "started": 1, "city": null, "at": null,
                "groups": [], "zones": [{ "name": "example.", "serial": serial, "behind": behind }] })
        };
        let fleet = serde_json::json!({
            "schema": 1, "site": "london", "host": "london", "store": "reached", "trouble": null, "alarms": [],
            "hosts": [host("london", 2, None), host("tokyo", 1, behind)], "groups": [],
        });
        let fleet = serde_json::from_value(fleet).unwrap();
        Facts { fleets: [("london".parse().unwrap(), fleet)].into(), ..Facts::default() }
    };
    let (late, none) = (facts(Some(1)), Record::default());
    assert!(holds("site london sees tokyo behind", &none, &late));
    assert!(!holds("site london sees london behind", &none, &late));
    assert!(!holds("site london sees nobody behind", &none, &late));
    assert!(!holds("site tokyo sees nobody behind", &none, &late), "nobody knows what it sees");
    assert!(holds("site london sees nobody behind", &none, &facts(None)));
    let words = seen("site london sees nobody behind", &none, &late);
    assert_eq!(words, Seen::NotSo("london example. 2, tokyo example. 1".to_owned()));
}

#[test]
fn a_name_is_resolved_when_every_family_says_so() {
    use crate::scenario::facts::Resolved;
    let expectation: Expectation = "client london resolves site.example. to example-tokyo".parse().unwrap();
    let judge = |texts: [Option<&str>; 2]| {
        let resolved = Family::ALL.iter().zip(texts).map(|(family, text)| Resolved {
            family: *family,
            text: text.map(str::to_owned),
            server: Some("resolver-london".to_owned()),
        });
        let question = ("london".parse().unwrap(), "site.example.".parse().unwrap());
        let facts = Facts { resolved: [(question, resolved.collect())].into(), ..Facts::default() };
        look(&expectation, &Record::default(), &facts, &window()).unwrap()
    };
    let good = judge([Some("example-tokyo"); 2]);
    assert!(
        matches!(&good, Seen::So(seen) if seen.starts_with("example-tokyo from resolver-london")),
        "{good:?}"
    );
    assert!(matches!(judge([Some("example-tokyo"), Some("example-london")]), Seen::NotSo(_)));
    assert!(matches!(judge([Some("example-tokyo"), None]), Seen::NotSo(_)));
    let nobody = look(&expectation, &Record::default(), &Facts::default(), &window()).unwrap();
    assert!(matches!(nobody, Seen::NotSo(_)));
}
