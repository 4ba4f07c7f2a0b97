//! A good file gives the expected settings, a bad one every fault, and any other no panic.

use announce::{BlindPolicy, Drain, Fold};
use config::{NextHop, Question, Relation, SiteFile, parse};
use document::Faults;
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;
use terms::Family;

const GOOD: &str = include_str!("good.toml");

fn read(text: &str) -> Result<SiteFile, Faults> {
    parse("site.toml", text, Path::new("/etc/catchment"))
}

fn faults(text: &str) -> String {
    read(text).map_or_else(|faults| faults.to_string(), |_| "no fault".to_owned())
}

/// The good file with one text replaced by another.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replace(from, to)
}

#[test]
fn a_good_file_gives_settings_for_every_core() {
    let file = read(GOOD).unwrap();
    assert_eq!(file.site.name.as_str(), "london");
    assert_eq!(file.site.host.as_str(), "lon-1");
    assert_eq!(file.site.place.as_ref().unwrap().city, "London");
    assert!(file.site.reject_routes);

    let [transit, fabric] = &file.peers[..] else { panic!("{:?}", file.peers) };
    assert_eq!(transit.address.to_string(), "10.1.0.1:179");
    assert_eq!(transit.relation, Relation::Transit);
    assert_eq!(transit.session.hold_time.seconds(), 9);
    assert_eq!((transit.session.local_asn.get(), transit.session.peer_asn.get()), (64501, 64500));
    assert_eq!(transit.next_hops[&Family::Ipv4], NextHop::SessionAddress);
    assert_eq!(transit.next_hops[&Family::Ipv6], NextHop::Address("2001:db8:1::10".parse().unwrap()));
    assert_eq!((fabric.relation, fabric.session.passive), (Relation::Internal, true));
    assert_eq!(fabric.session.families.iter().collect::<Vec<_>>(), [&Family::Ipv6]);

    let [group, other] = &file.groups[..] else { panic!("{:?}", file.groups) };
    assert_eq!(group.settings.group.as_str(), "dns");
    assert_eq!(group.services.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["dns", "ntp"]);
    assert_eq!(group.prefixes.len(), 3);
    assert_eq!(group.settings.backoff.base, Duration::from_secs(30));
    assert_eq!(group.probes.len(), group.settings.checks.len());
    let names: Vec<String> = group.settings.checks.iter().map(|check| check.to_string()).collect();
    assert_eq!(names[1], "dns example. SOA at 2001:db8:53::53");
    let Question::Dns { way, .. } = &group.probes[1].question else { panic!("{:?}", group.probes[1]) };
    assert_eq!((way.to.to_string().as_str(), way.from), ("[2001:db8:53::53]:53", Some(way.to.ip())));
    // A second of silence from the question on, of which the first timeout takes its part.
    assert_eq!(group.settings.checks[0].hang_after, Duration::from_secs(1) - group.probes[0].timeout);
    assert_eq!(group.settings.checks[2].hang_after, Duration::from_millis(300) - group.probes[2].timeout);
    assert_eq!(other.settings.group.as_str(), "web");

    assert_eq!(file.api.socket, Path::new("/run/catchment/london.sock"));
    assert_eq!(file.api.listen, Some("127.0.0.1:9053".parse().unwrap()));
}

#[test]
fn what_the_file_leaves_out_has_a_default() {
    let file = read(
        r#"
        [site]
        name = "rack-1"
        asn = 65001
        router_id = "10.0.0.1"
        [[peer]]
        name = "tor"
        address = "10.0.0.254"
        asn = 65000
        [[service]]
        name = "dns"
        addresses = ["192.0.2.53"]
        announce = ["192.0.2.53/32"]
        [[service.check]]
        dns = { name = "example." }
        "#,
    )
    .unwrap();
    assert_eq!(file.site.host.as_str(), "rack-1");
    assert_eq!(file.site.place, None);
    assert!(file.site.reject_routes);
    assert_eq!((file.site.linger, file.site.max_withdraw), (Duration::from_secs(90), 25));
    let peer = &file.peers[0];
    assert_eq!((peer.relation, peer.session.hold_time.seconds()), (Relation::Peer, 9));
    assert_eq!(peer.next_hops.keys().collect::<Vec<_>>(), [&Family::Ipv4]);
    let group = &file.groups[0];
    assert_eq!(group.settings.backoff.base, Duration::from_secs(5));
    assert_eq!((group.settings.fold, group.settings.drain), (Fold::All, Drain::DEFAULT));
    assert!(!group.settings.never_withdraw);
    let check = &group.settings.checks[0];
    assert_eq!(
        (check.interval, group.probes[0].timeout),
        (Duration::from_millis(100), Duration::from_millis(80))
    );
    assert_eq!((check.fall.get(), check.rise.get(), check.hang_after), (2, 3, Duration::from_millis(920)));
    assert_eq!(file.api.socket, Path::new("/run/catchment/api.sock"));
    assert_eq!(file.api.listen, None);
}

#[test]
fn every_fault_of_every_section_is_told_at_once() {
    insta::assert_snapshot!(faults(include_str!("bad.toml")));
}

#[test]
fn what_only_the_whole_file_shows_is_told_too() {
    insta::assert_snapshot!(faults(include_str!("inconsistent.toml")));
}

#[test]
fn an_empty_file_says_what_is_needed() {
    insta::assert_snapshot!(faults(""));
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let faults = config::load(Path::new("no/such/site.toml")).unwrap_err();
    insta::assert_snapshot!(faults.to_string());
}

/// Each rule is broken alone, so that no other fault hides that it is not checked.
#[test]
fn each_broken_rule_is_one_fault() {
    let broken = [
        ("hold_time = \"9s\"", "hold_time = \"2s\"", "a hold time is 0 s"),
        ("hold_time = \"9s\"", "hold_time = \"9500ms\"", "whole seconds"),
        ("hold_time = \"9s\"", "bfd = { interval = \"5ms\" }", "`interval` must be 10ms to 60s, not 5ms"),
        ("hold_time = \"9s\"", "bfd = { multiplier = 0 }", "`multiplier` must be 1 to 255, not 0"),
        ("hold_time = \"9s\"", "bfd = true", "`bfd` must be a table"),
        ("asn = 64500", "asn = 64501", "a peer with the AS number of the site is internal"),
        ("asn = 64500", "asn = 0", "AS 0 names no network"),
        ("next_hop6 = \"2001:db8:1::10\"", "", "ipv6 routes need a next hop"),
        ("next_hop6 = \"2001:db8:1::10\"", "next_hop6 = \"2001:db8:53::1\"", "lies in 2001:db8:53::/48"),
        ("families = [\"ipv4\", \"ipv6\"]", "families = []", "no family is left"),
        ("families = [\"ipv4\", \"ipv6\"]", "families = [\"ipv4\", \"ipv4\"]", "family `ipv4` is used twice"),
        ("address = \"10.1.0.1\"", "address = \"fe80::1\"", "name one, such as \"fe80::1%eth0\""),
        ("hold_time = \"9s\"", "ttl_security = 0", "`ttl_security` must be 1 to 255"),
        ("hold_time = \"9s\"", "source = \"2001:db8::9\"", "nobody can call 10.1.0.1 from 2001:db8::9"),
        ("hold_time = \"9s\"", "source = \"none\"", "`source`"),
        ("hold_time = \"9s\"", "password_file = \"no-such.key\"", "cannot read the file"),
        ("hold_time = \"9s\"", "password_file = \"a\"\ntcp_ao = {}", "not with both"),
        ("address = \"2001:db8:2::1\"", "address = \"10.1.0.1\"", "used twice"),
        ("name = \"fabric\"", "name = \"transit-a\"", "peer name `transit-a` is used twice"),
        ("\"198.18.0.53\"", "\"198.19.0.53\"", "198.19.0.53 lies in no announced prefix"),
        ("\"198.18.0.0/24\"", "\"198.18.0.0/23\", \"0.0.0.0/0\"", "draw the whole Internet"),
        ("\"198.18.0.0/24\"", "\"198.18.0.7/24\"", "did you mean `198.18.0.0/24`"),
        ("timeout = \"80ms\"", "timeout = \"101ms\"", "longer than the interval"),
        ("fall = 2", "fall = 0", "`fall` must be 1 to"),
        ("city = \"London\"", "city = \"Londn\"", "did you mean `London`"),
        ("city = \"London\"", "lat = 51.5", "`lat` and `lon` come together"),
        (
            "hold_time = \"9s\"",
            "deprefer = { communities = [\"64500\"] }",
            "`64500` is no community: write asn:value",
        ),
        ("hold_time = \"9s\"", "communities = [\"65535:0\"]", "added by itself while a group drains"),
        ("hold_time = \"9s\"", "communities = [\"65535:666\"]", "drop everything"),
        ("hold_time = \"9s\"", "local_pref = 200", "LOCAL_PREF is not told to another AS"),
        ("hold_time = \"9s\"", "med = 100\ndeprefer = { med = 100 }", "not less preferred than 100"),
        ("hold_time = \"9s\"", "med = 4294967295", "not less preferred than 4294967295"),
        ("hold_time = \"9s\"", "prepend = 17", "`prepend` must be 0 to 16"),
        ("passive = true", "prepend = 1", "a path that names our own AS looks like a loop"),
        ("passive = true", "local_pref = 1", "a LOCAL_PREF of 0 does not lie between 0 and 1"),
        ("passive = true", "deprefer = { local_pref = 100 }", "does not lie between 0 and 100"),
        ("cover = []", "cover = [\"198.18.0.0/24\"]", "announced only while the service is healthy"),
        ("cover = []", "cover = [\"198.0.0.0/16\"]", "covers nothing that this service announces"),
        ("cover = []", "cover = [\"198.18.0.53/32\"]", "covers nothing that this service announces"),
        ("cover = []", "cover = [\"::/0\"]", "draw the whole Internet"),
        ("cover = []", "cover = [\"192.0.0.0/4\"]", "also covers 203.0.113.0/24 of group `web`"),
        ("[api]", "[[group]]\nservices = [\"dns\"]\n[api]", "`ntp` shares 198.18.0.0/23 with `dns`"),
        ("[api]", "[[group]]\nservices = [\"dns\", \"npt\"]\n[api]", "there are dns, web, ntp"),
        ("[api]", "[[group]]\nservices = []\n[api]", "a group needs at least one service"),
        ("[api]", "[[group]]\nservices = [\"web\"]\nfold = \"most\"\n[api]", "not `most`"),
        ("[api]", "[[group]]\nservices = [\"web\"]\nfold = \"1 of 2\"\n[api]", "`services` has 1, not 2"),
        (
            "[api]",
            "[[group]]\nservices = [\"dns\", \"ntp\"]\nfold = \"3 of 2\"\n[api]",
            "3 of 2 can never be well",
        ),
        ("[api]", "[[group]]\nservices = [\"web\"]\nname = \"dns\"\n[api]", "two groups are called `dns`"),
        (
            "[api]",
            "[[group]]\nservices = [\"web\"]\ndrain = \"5s\"\nconverge = \"6s\"\n[api]",
            "the drain of 5s is over before 6s are",
        ),
        (
            "[api]",
            "[[group]]\nservices = [\"web\"]\nbackoff = { base = \"10m\" }\n[api]",
            "the cap 300s is shorter than the base 600s",
        ),
        ("[api]", "[[group]]\nservices = [\"web\"]\nblind = \"withdraw\"\n[api]", "`blind` must be one of"),
        ("asn = 64501\nrouter", "max_withdraw = \"101%\"\nasn = 64501\nrouter", "from \"0%\" to \"100%\""),
        (
            "socket = \"",
            "socket = \"/a-very-long-directory/a-very-long-directory/a-very-long-directory/a-very-long-directory",
            "at most 107 octets",
        ),
    ];
    for (from, to, expected) in broken {
        let faults = read(&with(from, to)).unwrap_err();
        assert_eq!(faults.len(), 1, "{from} -> {to}\n{faults}");
        assert!(faults.to_string().contains(expected), "{expected}\n{faults}");
    }
}

#[test]
fn a_path_is_watched_as_the_file_says_and_not_unless_it_does() {
    let first = |to: &str| read(&with("hold_time = \"9s\"", to)).unwrap().peers[0].bfd;
    assert_eq!(first(""), None);
    let bfd = first("bfd = {}").unwrap();
    let shown = |bfd: config::Bfd| {
        (bfd.session.interval.duration().as_millis(), bfd.session.multiplier.get(), bfd.multihop)
    };
    assert_eq!(shown(bfd), (300, 3, false));
    let bfd =
        first("bfd = { interval = \"50ms\", multiplier = 5, multihop = true, passive = true }").unwrap();
    assert_eq!((shown(bfd), bfd.session.passive), ((50, 5, true), true));
    let warned = read(&with("hold_time = \"9s\"", "bfd = { multiplier = 1 }")).unwrap().warnings;
    assert!(warned.to_string().contains("one lost packet ends the session"), "{warned}");
}

#[test]
fn services_that_share_a_prefix_through_a_third_are_one_group() {
    let service = |name: &str, prefixes: &str, address: &str| {
        format!(
            "[[service]]\nname = '{name}'\naddresses = ['{address}']\nannounce = [{prefixes}]\n\
             [[service.check]]\ndns = {{ name = '.' }}\n"
        )
    };
    let head = "[site]\nname = 'a'\nasn = 1\nrouter_id = '10.0.0.1'\n\
                [[peer]]\nname = 'p'\naddress = '10.0.0.2'\nasn = 2\n";
    let text = [
        head.to_owned(),
        service("one", "'198.18.0.0/24'", "198.18.0.1"),
        service("alone", "'198.18.9.0/24'", "198.18.9.1"),
        service("two", "'198.18.1.0/24'", "198.18.1.1"),
        service("both", "'198.18.0.0/25', '198.18.1.0/24'", "198.18.1.2"),
    ];
    let file = read(&text.concat()).unwrap();
    let groups: Vec<(String, Vec<String>)> = file
        .groups
        .iter()
        .map(|group| {
            let services = group.services.iter().map(|name| name.to_string()).collect();
            (group.settings.group.to_string(), services)
        })
        .collect();
    let group = |name: &str, services: &[&str]| {
        (name.to_owned(), services.iter().map(|&service| service.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(groups, [group("one", &["one", "two", "both"]), group("alone", &["alone"])]);
}

#[test]
fn a_group_section_says_how_its_services_go_up_and_down() {
    let section = "[[group]]\nname = \"all-of-it\"\nservices = [\"web\", \"ntp\", \"dns\"]\nfold = \"2 of 3\"\n\
                   never_withdraw = true\nblind = \"deprefer\"\nblind_after = \"10s\"\ndrain = \"60s\"\nconnections = 5\n\
                   backoff = { base = \"1s\", cap = \"60s\" }\n[api]";
    let head = "profile = \"fast\"\nlinger = \"10s\"\ndrain = \"40s\"\nconverge = \"20s\"\nmax_withdraw = \"50%\"\nrouter_id";
    let file = read(&with("[api]", section).replace("router_id", head)).unwrap();
    let [group] = &file.groups[..] else { panic!("{:?}", file.groups) };
    let settings = &group.settings;
    assert_eq!(settings.group.as_str(), "all-of-it");
    assert_eq!(group.services.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["dns", "web", "ntp"]);
    assert_eq!(group.prefixes.len(), 4);
    assert_eq!(settings.fold, Fold::AtLeast(2.try_into().unwrap()));
    assert_eq!((settings.never_withdraw, settings.blind), (true, BlindPolicy::Deprefer));
    assert_eq!(settings.blind_after, Duration::from_secs(10));
    let (at_least, convergence) = (Duration::from_secs(60), Duration::from_secs(20));
    assert_eq!(settings.drain, Drain { at_least, convergence, connections: 5 });
    assert_eq!(
        (settings.backoff.base, settings.backoff.cap),
        (Duration::from_secs(1), Duration::from_secs(60))
    );
    assert_eq!(settings.backoff.forgiven_after, Duration::from_secs(600));
    assert_eq!((file.site.linger, file.site.max_withdraw), (Duration::from_secs(10), 50));
    assert!(settings.checks.iter().all(|check| check.hang_after <= Duration::from_millis(300)));
}

#[test]
fn a_cover_over_two_groups_is_meant_when_both_say_so() {
    let both = with("cover = []", "cover = [\"192.0.0.0/4\"]")
        .replace("announce = [\"203", "cover = [\"192.0.0.0/4\"]\nannounce = [\"203");
    let file = read(&both).unwrap();
    assert_eq!(file.covers().iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.0.0/4"]);
}

#[test]
fn peers_that_cannot_be_told_to_prefer_another_site_are_warned_of() {
    insta::assert_snapshot!(read(GOOD).unwrap().warnings);
    let label = "hold_time = \"9s\"\ndeprefer = { communities = [\"64500:80\"] }";
    assert!(read(&with("hold_time = \"9s\"", label)).unwrap().warnings.is_empty());
}

proptest! {
    /// A file after an accident: bytes were lost, doubled or replaced.
    #[test]
    fn an_accident_makes_no_panic(
        at in any::<prop::sample::Index>(),
        length in 0usize..40,
        insert in "[a-z0-9\"'\\[\\]={}.,:/\n é-]{0,20}",
    ) {
        let start = GOOD.floor_char_boundary(at.index(GOOD.len()));
        let end = GOOD.ceil_char_boundary((start + length).min(GOOD.len()));
        let text = format!("{}{insert}{}", &GOOD[..start], &GOOD[end..]);
        if let Err(faults) = read(&text) {
            prop_assert!(!faults.is_empty());
            prop_assert!(!faults.to_string().contains("fault of the program"), "{}", faults);
        }
    }

    /// Lines in another order: every reader meets keys it does not expect.
    #[test]
    fn a_shuffled_file_makes_no_panic(lines in Just(GOOD.lines().collect::<Vec<_>>()).prop_shuffle()) {
        if let Err(faults) = read(&lines.join("\n")) {
            prop_assert!(!faults.to_string().contains("fault of the program"), "{}", faults);
        }
    }
}

/// The good file with the built-in DNS service on these zone files.
fn with_zones(zones: &str) -> Result<SiteFile, Faults> {
    let text = with("cover = []", &format!("dns = {{ zones = [{zones}] }}"));
    parse("site.toml", &text, Path::new("tests"))
}

#[test]
fn zone_files_are_read_with_the_site_file() {
    let file = with_zones("\"zones/example.zone\"").unwrap();
    let dns = file.services[0].dns.as_ref().unwrap();
    assert_eq!(dns.files, [Path::new("tests/zones/example.zone")]);
    assert_eq!(dns.zones.iter().map(|zone| zone.apex().to_string()).collect::<Vec<_>>(), ["example."]);
}

#[test]
fn faults_of_zone_files_have_lines_of_their_own() {
    let zones = "\"zones/bad.zone\", \"zones/missing.zone\", \"zones/example.zone\"";
    insta::assert_snapshot!(with_zones(zones).unwrap_err().to_string());
    insta::assert_snapshot!(
        with_zones("\"zones/example.zone\", \"zones/example.zone\"").unwrap_err().to_string()
    );
}

#[test]
fn a_check_that_no_zone_answers_is_a_fault() {
    let text = with("cover = []", "dns = { zones = [\"zones/example.zone\"] }")
        .replace("www.example.", "www.exomple.");
    let faults = parse("site.toml", &text, Path::new("tests")).unwrap_err();
    insta::assert_snapshot!(faults.to_string());
}
