use super::*;
use std::path::Path;

/// Two services that share a prefix, one that shares none, and two peers.
pub(in crate::reload) const SITE: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"

[[peer]]
name = "transit"
address = "10.1.0.1"
asn = 64500

[[peer]]
name = "fabric"
address = "10.2.0.1"
asn = 64501

[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.0/24"]
cover = ["198.18.0.0/16"]
[[service.check]]
dns = { name = "example." }

[[service]]
name = "ntp"
addresses = ["198.18.0.123"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = { name = "example." }

[[service]]
name = "web"
addresses = ["203.0.113.80"]
announce = ["203.0.113.0/24", "192.0.2.0/24"]
[[service.check]]
dns = { name = "example." }

[[bmp]]
name = "first"
address = "192.0.2.179"
port = 1790

[api]
"#;

pub(in crate::reload) fn site(text: &str) -> SiteFile {
    config::parse("site.toml", text, Path::new("/etc/catchment")).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What becomes of the site when these pieces of its file are replaced.
pub(in crate::reload) fn with(pieces: &[(&str, &str)]) -> SiteFile {
    let replace = |text: String, (piece, other): &(&str, &str)| {
        assert!(text.contains(piece), "{piece}");
        text.replacen(piece, other, 1)
    };
    site(&pieces.iter().fold(SITE.to_owned(), replace))
}

/// The piece of the file that begins so, up to the next blank line.
pub(in crate::reload) fn section(begins: &str) -> &'static str {
    let start = SITE.find(begins).unwrap();
    let length = SITE[start..].find("\n\n").unwrap();
    &SITE[start..start + length]
}

#[test]
fn an_equal_file_changes_nothing() {
    let difference = Difference::between(&site(SITE), &site(SITE));
    assert!(difference.is_empty(), "{difference:?}");
    assert_eq!(difference.rows(), []);
    assert!(difference.groups.iter().all(|step| matches!(step, GroupStep::Same(_))));
}

#[test]
fn comments_and_the_order_of_sections_change_nothing() {
    let (transit, fabric) = (section("[[peer]]\nname = \"transit\""), section("[[peer]]\nname = \"fabric\""));
    let swapped = SITE.replace(transit, "@").replace(fabric, transit).replace('@', fabric) + "# the end\n";
    assert!(Difference::between(&site(SITE), &site(&swapped)).is_empty());
}

/// The site file is the same, and its zone is another one.
#[test]
fn what_zone_files_say_is_a_part_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let text =
        SITE.replacen("[[service.check]]", "dns = { zones = [\"example.zone\"] }\n[[service.check]]", 1);
    let with_address = |address: &str| {
        let records = "example. 60 SOA a. b. 1 60 60 60 60\nexample. 60 NS a.example.\na.example. 60 A";
        std::fs::write(directory.path().join("example.zone"), format!("{records} {address}\n")).unwrap();
        config::parse("site.toml", &text, directory.path()).unwrap_or_else(|faults| panic!("{faults}"))
    };
    let (first, again, other) =
        (with_address("192.0.2.1"), with_address("192.0.2.1"), with_address("192.0.2.2"));
    assert!(Difference::between(&first, &again).is_empty());
    let services = Difference::between(&first, &other).services;
    assert_eq!(services.into_iter().collect::<Vec<_>>(), [("dns".parse().unwrap(), ServiceChange::Changed)]);
}

#[test]
fn each_kind_of_change_is_told_apart() {
    let web = section("[[service]]\nname = \"web\"");
    let ntp = section("[[service]]\nname = \"ntp\"");
    let fabric = section("[[peer]]\nname = \"fabric\"");
    let mail =
        web.replace("web", "mail").replace("203.0.113", "198.51.100").replace(", \"192.0.2.0/24\"", "");
    let with_mail = format!("{web}\n\n{mail}");
    let collector = section("[[bmp]]");
    let cases: [(&str, Vec<(&str, &str)>); 23] = [
        ("attributes", vec![("asn = 64500", "asn = 64500\ndeprefer = { communities = [\"64500:80\"] }")]),
        ("next hop", vec![("asn = 64500", "asn = 64500\nnext_hop4 = \"10.1.0.10\"")]),
        ("distance", vec![("asn = 64500", "asn = 64500\nttl_security = 1")]),
        ("source and attributes", vec![("asn = 64500", "asn = 64500\nsource = \"10.1.0.10\"\nmed = 7")]),
        ("limits", vec![("asn = 64500", "asn = 64500\npassive = true\nmax_announced = 9")]),
        ("role", vec![("asn = 64500", "asn = 64500\nrole = \"peer\"")]),
        ("hold time", vec![("asn = 64500", "asn = 64500\nhold_time = \"30s\"")]),
        ("peer's address", vec![("10.1.0.1\"\nasn", "10.1.0.3\"\nasn")]),
        ("peer renamed", vec![("\"fabric\"", "\"spine\"")]),
        ("peer removed", vec![(fabric, "")]),
        ("linger and city", vec![("asn = 64501", "linger = \"5s\"\ncity = \"London\"\nasn = 64501")]),
        ("group's timers", vec![("asn = 64501", "drain = \"60s\"\nasn = 64501")]),
        ("check", vec![("name = \"example.\"", "name = \"www.example.\"")]),
        ("service removed", vec![(web, "")]),
        ("service added", vec![(web, &with_mail)]),
        ("member removed", vec![(ntp, "")]),
        ("prefix removed", vec![(", \"192.0.2.0/24\"", "")]),
        ("group named", vec![("[api]", "[[group]]\nname = \"pages\"\nservices = [\"web\"]\n[api]")]),
        (
            "collector added",
            vec![("[api]", "[[bmp]]\nname = \"second\"\naddress = \"2001:db8::1\"\nport = 11019\n[api]")],
        ),
        ("collector removed", vec![(collector, "")]),
        ("collector's port", vec![("port = 1790", "port = 11019")]),
        ("cover", vec![("cover = [\"198.18.0.0/16\"]", "cover = [\"198.18.0.0/15\"]")]),
        (
            "not while running",
            vec![
                ("name = \"london\"", "name = \"paris\""),
                (
                    "router_id = \"10.1.0.10\"",
                    "router_id = \"10.1.0.11\"\nbgp_port = 1179\nstate_dir = \"x\"",
                ),
                ("[api]", "[api]\nsocket = \"api.sock\"\nlisten = \"127.0.0.1:9053\""),
            ],
        ),
    ];
    let mut table = String::new();
    for (what, pieces) in &cases {
        let difference = Difference::between(&site(SITE), &with(pieces));
        table += &format!("{what}\n");
        for row in difference.rows() {
            table += &format!("  {} {}: {}\n", row.what, row.name, row.becomes);
        }
        difference.refusals().iter().for_each(|sentence| table += &format!("  ! {sentence}\n"));
        assert!(!difference.is_empty(), "{what}");
    }
    insta::assert_snapshot!(table);
}
