use super::*;
use crate::delivery::{Outlet, TRAVEL};
use std::collections::BTreeMap;
use terms::WallTime;

const FAULT: WallTime = WallTime(5_000);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 18, 0, 7);

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

/// What was sent just now, and who got it.
fn sent(method: Method, to: &str, reach: Reach, received: &[&str]) -> Message {
    let mut counts = BTreeMap::new();
    for host in received {
        *counts.entry((*host).to_owned()).or_default() += 1;
    }
    let address = to.parse().unwrap_or(Ipv4Addr::LOCALHOST);
    Message {
        number: 0,
        method,
        from: "paris".to_owned(),
        to: to.to_owned(),
        address,
        at: Timestamp::ZERO,
        wall: FAULT,
        reach,
        received: counts,
    }
}

fn facts(messages: Vec<Message>) -> Facts {
    let hosts = |site: &str| (site.parse().unwrap(), names(&[&format!("site-{site}")]));
    let account = Account {
        messages,
        sites: ["london", "tokyo"].map(hosts).into(),
        members: [(GROUP, names(&["a-1", "b-1"]))].into(),
        known: [("net-a".to_owned(), BTreeSet::from([GROUP]))].into(),
        outlets: Vec::new(),
    };
    Facts { account, fault: FAULT, ..Facts::default() }
}

fn holds(sentence: &str, facts: &Facts) -> bool {
    let expectation: Expectation = sentence.parse().unwrap();
    let later = Timestamp::ZERO + TRAVEL;
    matches!(delivered(&expectation, facts, later).unwrap(), Seen::So(_))
}

/// A sentence, the method and the target that it speaks of, whom that reaches, who may have received it, who not.
type Case<'a> = (&'a str, Method, &'a str, Reach, &'a [&'a str], &'a [&'a [&'a str]]);

#[test]
fn each_method_reaches_whom_it_should_and_nobody_else() {
    let group = GROUP.to_string();
    let nearest = Reach::OneOf(names(&["site-london"]));
    let all = Reach::Each(names(&["a-1", "a-2"]));
    let members = Reach::Each(names(&["a-1", "b-1"]));
    let cases: [Case<'_>; 5] = [
        (
            "unicast reached b-1 and nobody else",
            Method::Unicast,
            "b-1",
            Reach::Each(names(&["b-1"])),
            &["b-1"],
            &[&[], &["a-1"], &["a-1", "b-1"], &["b-1", "b-1"]],
        ),
        (
            "broadcast reached every device of a and nobody else",
            Method::Broadcast,
            "a",
            all,
            &["a-1", "a-2"],
            &[&["a-1"], &["a-1", "a-2", "b-1"], &[]],
        ),
        (
            "multicast reached every member of 239.18.0.7 and nobody else",
            Method::Multicast,
            &group,
            members,
            &["a-1", "b-1"],
            &[&["a-1"], &["a-1", "a-2", "b-1"], &["a-1", "b-1", "b-1"], &[]],
        ),
        (
            "anycast reached the nearest site and nobody else",
            Method::Anycast,
            "the anycast address",
            nearest.clone(),
            &["site-london"],
            &[&["site-tokyo"], &["site-london", "site-tokyo"], &[]],
        ),
        (
            "anycast reached site tokyo and nobody else",
            Method::Anycast,
            "the anycast address",
            nearest,
            &["site-tokyo"],
            &[&["site-london"], &["site-london", "site-tokyo"], &[]],
        ),
    ];
    for (sentence, method, to, reach, good, bad) in cases {
        let with = |received| facts(vec![sent(method, to, reach.clone(), received)]);
        assert!(holds(sentence, &with(good)), "{sentence}");
        for received in bad {
            assert!(!holds(sentence, &with(received)), "{sentence}: {received:?}");
        }
        let twice = [good, bad[0]].map(|received| sent(method, to, reach.clone(), received));
        assert!(!holds(sentence, &facts(twice.into())), "{sentence}: every packet counts");
        assert!(!holds(sentence, &facts(Vec::new())), "{sentence}: nothing was sent");
        let mut earlier = sent(method, to, reach.clone(), good);
        earlier.wall = WallTime(FAULT.0 - 1);
        assert!(!holds(sentence, &facts(vec![earlier])), "{sentence}: in another step");
    }
}

#[test]
fn nothing_is_judged_that_can_be_on_its_way() {
    let message = sent(Method::Unicast, "b-1", Reach::Each(names(&["b-1"])), &["b-1"]);
    let facts = facts(vec![message]);
    for sentence in ["unicast reached b-1 and nobody else", "host b-1 received 1 packets"] {
        let early = delivered(&sentence.parse().unwrap(), &facts, Timestamp::ZERO);
        assert!(matches!(early, Some(Seen::NotSo(_))), "{sentence}");
        assert!(holds(sentence, &facts));
    }
    assert!(holds("host a-1 received 0 packets", &facts));
    assert!(!holds("host b-1 received 2 packets", &facts));
}

#[test]
fn routers_know_groups_and_send_them_to_members_only() {
    let message = sent(Method::Multicast, &GROUP.to_string(), Reach::Each(names(&["a-1", "b-1"])), &[]);
    let mut facts = facts(vec![message]);
    assert!(holds("group 239.18.0.7 known to router net-a", &facts));
    assert!(!holds("group 239.18.0.7 unknown to router net-a", &facts));
    assert!(holds("group 239.18.0.7 unknown to router net-b", &facts));
    assert!(holds("group 239.18.0.8 unknown to router net-a", &facts));
    let kept = "routers send group 239.18.0.7 to members only";
    assert!(!holds(kept, &facts), "nobody forwards anything");
    let outlet = |hosts: &[&str]| Outlet { router: "net-a".to_owned(), group: GROUP, hosts: names(hosts) };
    facts.account.outlets.push(outlet(&["a-1", "a-2"]));
    assert!(holds(kept, &facts));
    let early = delivered(&kept.parse().unwrap(), &facts, Timestamp::ZERO);
    assert!(matches!(early, Some(Seen::NotSo(_))), "more may be forwarded in a moment");
    facts.account.outlets.push(outlet(&["c-1"]));
    assert!(!holds(kept, &facts));
}
