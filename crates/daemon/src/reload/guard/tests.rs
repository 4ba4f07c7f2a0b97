use super::super::difference::tests::{SITE, section, site, with};
use super::*;
use api::{Group, Output, Peer, PrefixStatus, Schema, ToldPeer};
use terms::{Reason, WallTime};

/// What a site says of itself whose every prefix is announced to both of its peers.
fn announced_by(file: &SiteFile) -> Status {
    let told = |prefix: Prefix| PrefixStatus {
        prefix,
        peers: file
            .peers
            .iter()
            .map(|peer| ToldPeer { peer: peer.name.clone(), told: Told::Announced, attributes: None })
            .collect(),
    };
    let group = |group: &config::Group| Group {
        name: group.settings.group.clone(),
        services: group.services.clone(),
        state: GroupState::Up,
        output: Output::Normal,
        since: WallTime(0),
        reason: Reason::from("proven"),
        intent: api::Intent::default(),
        alarms: Vec::new(),
        prefixes: group.prefixes.iter().copied().map(told).collect(),
        checks: Vec::new(),
    };
    let peer = |peer: &config::Peer| Peer {
        name: peer.name.clone(),
        address: peer.address.ip(),
        asn: peer.session.peer_asn,
        state: PeerState::Established,
        since: WallTime(0),
        received: api::Received::default(),
        graceful_restart: None,
        bfd: None,
        capabilities: Vec::new(),
        transport: api::Transport::default(),
    };
    Status {
        schema: Schema,
        site: file.site.name.clone(),
        groups: file.groups.iter().map(group).collect(),
        covers: Vec::new(),
        blackholes: Vec::new(),
        zones: Vec::new(),
        peers: file.peers.iter().map(peer).collect(),
        collectors: Vec::new(),
        secondaries: Vec::new(),
        catalogs: Vec::new(),
        continuity: None,
        alarms: Vec::new(),
        restart: None,
    }
}

fn judged(last: &SiteFile, next: &SiteFile, now: &Status) -> Judgement {
    judge(last, next, &Difference::between(last, next), now)
}

fn words(judgement: &Judgement) -> Vec<String> {
    judgement.going.iter().map(ToString::to_string).collect()
}

#[test]
fn the_groups_that_lose_something_need_a_token() {
    let (last, now) = (site(SITE), announced_by(&site(SITE)));
    let acting = |pieces: &[(&str, &str)]| {
        let acting = judged(&last, &with(pieces), &now).acting(&now);
        acting.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(acting(&[]), Vec::<String>::new());
    assert_eq!(acting(&[(", \"192.0.2.0/24\"", "")]), ["web"]);
    let covers: BTreeSet<Prefix> = last.covers().into_iter().collect();
    let cover = Judgement { going: covers, announced: 4, allowed: 1 };
    assert_eq!(cover.acting(&now).len(), now.groups.len());
}

/// 198.18.0.0/24, 198.18.0.0/16 (cover), 203.0.113.0/24 and 192.0.2.0/24: four prefixes, so one may go.
#[test]
fn a_quarter_may_go_and_no_more() {
    let (last, now) = (site(SITE), announced_by(&site(SITE)));
    let one = judged(&last, &with(&[(", \"192.0.2.0/24\"", "")]), &now);
    assert_eq!((words(&one), one.allowed, one.refusal()), (vec!["192.0.2.0/24".to_owned()], 1, None));

    let two = judged(&last, &with(&[(section("[[service]]\nname = \"web\""), "")]), &now);
    assert_eq!(words(&two), ["192.0.2.0/24", "203.0.113.0/24"]);
    let refusal = "it would withdraw 2 of 4 announced prefixes; a reload may withdraw 1";
    assert_eq!(two.refusal().as_deref(), Some(refusal));
}

#[test]
fn the_limit_is_that_of_the_file_in_force() {
    let more = "max_withdraw = \"100%\"\nasn = 64501";
    let web = section("[[service]]\nname = \"web\"");
    let bold = with(&[("asn = 64501", more), (web, "")]);
    let now = announced_by(&site(SITE));
    assert!(judged(&site(SITE), &bold, &now).refusal().is_some(), "a file cannot allow itself more");
    let allowed = with(&[("asn = 64501", more)]);
    assert_eq!(judged(&allowed, &bold, &now).refusal(), None);
}

#[test]
fn the_last_prefix_never_goes() {
    let more = ("asn = 64501", "max_withdraw = \"100%\"\nasn = 64501");
    let (dns, ntp) = (section("[[service]]\nname = \"dns\""), section("[[service]]\nname = \"ntp\""));
    let web = section("[[service]]\nname = \"web\"");
    let last = with(&[more, (dns, ""), (ntp, "")]);
    let other = web.replace("203.0.113", "198.51.100").replace("192.0.2", "198.51.101");
    let next = with(&[more, (dns, ""), (ntp, ""), (web, &other)]);
    let judgement = judged(&last, &next, &announced_by(&last));
    assert_eq!((judgement.going.len(), judgement.announced, judgement.allowed), (2, 2, 1));
    assert!(judgement.refusal().unwrap().ends_with("and would be the last"));
}

#[test]
fn what_was_drained_or_withdrawn_before_does_not_count() {
    let (last, next) = (site(SITE), with(&[(section("[[service]]\nname = \"web\""), "")]));
    let mut now = announced_by(&last);
    now.groups[1].state = GroupState::Drain;
    assert_eq!(judged(&last, &next, &now).going, BTreeSet::new());
    let mut now = announced_by(&last);
    now.groups[1].output = Output::None;
    now.groups[1].prefixes.iter_mut().flat_map(|prefix| &mut prefix.peers).for_each(|peer| {
        peer.told = Told::Withdrawn;
    });
    assert_eq!(judged(&last, &next, &now).going, BTreeSet::new());
}

#[test]
fn a_prefix_goes_with_the_sessions_that_carry_it() {
    let (last, now) = (site(SITE), announced_by(&site(SITE)));
    let one = with(&[("asn = 64500", "asn = 64500\nhold_time = \"30s\"")]);
    assert_eq!(judged(&last, &one, &now).going, BTreeSet::new(), "the other peer keeps it");
    let both = with(&[
        ("asn = 64500", "asn = 64500\nhold_time = \"30s\""),
        ("10.2.0.1\"\nasn = 64501", "10.2.0.1\"\nasn = 64501\nhold_time = \"30s\""),
    ]);
    let judgement = judged(&last, &both, &now);
    assert_eq!((judgement.going.len(), judgement.announced), (4, 4));

    let mut only = now.clone();
    only.peers[1].state = PeerState::Active;
    only.groups.iter_mut().flat_map(|group| &mut group.prefixes).for_each(|prefix| {
        prefix.peers[1].told = Told::None;
    });
    assert_eq!(judged(&last, &one, &only).going.len(), 4, "nobody else has it");
}

#[test]
fn a_group_that_is_renamed_keeps_its_prefixes_and_a_new_one_has_to_prove_itself() {
    let (last, now) = (site(SITE), announced_by(&site(SITE)));
    let named = with(&[("[api]", "[[group]]\nname = \"pages\"\nservices = [\"web\"]\n[api]")]);
    assert_eq!(judged(&last, &named, &now).going, BTreeSet::new());
    let web = section("[[service]]\nname = \"web\"");
    let apart = web.replace("\"web\"", "\"one\"").replace(", \"192.0.2.0/24\"", "")
        + "\n\n"
        + &web
            .replace("\"web\"", "\"two\"")
            .replace("\"203.0.113.0/24\", ", "")
            .replace("203.0.113.80", "192.0.2.80");
    let apart = with(&[(web, &apart)]);
    assert_eq!(words(&judged(&last, &apart, &now)), ["192.0.2.0/24"], "one goes on, the other starts anew");
}

#[test]
fn attributes_checks_and_timers_withdraw_nothing() {
    let (last, now) = (site(SITE), announced_by(&site(SITE)));
    let next = with(&[
        ("asn = 64500", "asn = 64500\nmed = 5\ndeprefer = { communities = [\"64500:80\"] }"),
        ("name = \"example.\"", "name = \"www.example.\""),
        ("asn = 64501", "drain = \"60s\"\nasn = 64501"),
    ]);
    assert_eq!(judged(&last, &next, &now).going, BTreeSet::new());
}
