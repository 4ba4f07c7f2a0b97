//! `[[service.dns.zone]]` and `[[service.dns.key]]`.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use config::{SiteFile, parse};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const ZONE: &str = "$ORIGIN example.\n@ 60 SOA ns.a. h.a. 7 3600 900 604800 300\n@ NS ns.a.\n";

/// A site file with this in its `[service.dns]`, beside a zone file and two keys.
fn with(dns: &str, directory: &Path) -> Result<SiteFile, document::Faults> {
    let text = format!(
        "[site]\nname = \"london\"\nasn = 64500\nrouter_id = \"192.0.2.1\"\n\
         [[peer]]\nname = \"transit\"\naddress = \"192.0.2.2\"\nasn = 64501\n\
         [[service]]\nname = \"dns\"\naddresses = [\"198.51.100.53\"]\nannounce = [\"198.51.100.0/24\"]\n\
         [[service.check]]\ndns = {{ name = \"example.\", type = \"SOA\" }}\n[service.dns]\n{dns}"
    );
    parse("site.toml", &text, directory)
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("example.zone", ZONE, 0o644);
    write("good.key", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n", 0o640);
    write("open.key", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n", 0o644);
    write("text.key", "swordfish!\n", 0o640);
    directory
}

const KEY: &str = "[[service.dns.key]]\nname = \"Transfer.\"\nsecret_file = \"good.key\"\n";

#[test]
fn a_secondary_and_a_primary() {
    let directory = directory();
    let site = with(
        &format!(
            "listen = [\"192.0.2.9\", \"198.51.100.53\"]\n{KEY}[[service.dns.zone]]\nname = \"other.\"\nprimaries = [\"192.0.2.7\", \"[2001:db8::1]:5353\"]\n\
             key = \"transfer.\"\n[[service.dns.zone]]\nfile = \"example.zone\"\n\
             allow_transfer = [\"transfer.\", \"192.0.2.0/24\", \"2001:db8::2\"]\nnotify = [\"192.0.2.8\"]\n"
        ),
        directory.path(),
    );
    let site = site.unwrap_or_else(|faults| panic!("{faults}"));
    let dns = site.services[0].dns.as_ref().unwrap();
    assert_eq!(dns.zones.iter().map(|zone| zone.apex().to_string()).collect::<Vec<_>>(), ["example."]);
    assert_eq!(dns.zones.unavailable().map(ToString::to_string).collect::<Vec<_>>(), ["other."]);
    let addresses: Vec<String> = site.services[0].dns_addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["198.51.100.53", "192.0.2.9"], "each once");
    let [secondary, primary] = &dns.transfers[..] else { panic!("{:?}", dns.transfers) };
    let addresses: Vec<String> = secondary.primaries.iter().map(|one| one.address.to_string()).collect();
    assert_eq!(addresses, ["192.0.2.7:53", "[2001:db8::1]:5353"]);
    assert!(secondary.primaries.iter().all(|one| one.key.is_some()) && secondary.allow.keys.is_empty());
    assert_eq!((primary.zone.to_string().as_str(), primary.primaries.len()), ("example.", 0));
    assert_eq!((primary.allow.keys.len(), primary.allow.prefixes.len()), (1, 2));
    assert!(primary.notify[0].key.is_none(), "nothing is signed unless it is said");
    assert!(!format!("{dns:?}").contains("QUFB"), "a secret is shown to nobody");
}

#[test]
fn each_mistake_is_told() {
    let directory = directory();
    let zone = "[[service.dns.zone]]\n";
    for (dns, wanted) in [
        (format!("{zone}name = \"example.\"\n"), "nothing says where this zone comes from"),
        (format!("{zone}primaries = [\"192.0.2.7\"]\n"), "needs a `name`"),
        (format!("{zone}name = \"example.\"\nprimaries = []\n"), "needs at least one"),
        (format!("{zone}name = \"example.\"\nprimaries = [\"ns.example.\"]\n"), "invalid IP address"),
        (format!("{zone}file = \"example.zone\"\nprimaries = [\"192.0.2.7\"]\n"), "not from both"),
        (format!("{zone}file = \"example.zone\"\nname = \"other.\"\n"), "is of the zone example."),
        (format!("{zone}file = \"example.zone\"\nallow_transfer = [\"192.0.2.1/24\"]\n"), "192.0.2.1/24"),
        (
            format!("{zone}file = \"example.zone\"\nallow_transfer = [\"nobody.\"]\n"),
            "there is no key nobody.",
        ),
        (format!("{zone}file = \"example.zone\"\nkey = \"nobody.\"\n"), "there is no key nobody."),
        (format!("zones = [\"example.zone\"]\n{zone}file = \"example.zone\"\n"), "is there twice"),
        (
            format!("zones = [\"example.zone\"]\n{zone}name = \"example.\"\nprimaries = [\"192.0.2.1\"]\n"),
            "name it once",
        ),
        (format!("{zone}name = \"elsewhere.\"\nprimaries = [\"192.0.2.7\"]\n"), "has no zone for example."),
        (KEY.replace("good", "open") + zone, "everybody on this host can use the key"),
        (KEY.replace("good", "text") + zone, "not in base 64"),
        (format!("{KEY}algorithm = \"hmac-md5\"\n{zone}"), "hmac-md5"),
        (format!("{KEY}{KEY}{zone}"), "is used twice"),
        (format!("listen = [\"here\"]\n{zone}"), "invalid IP address"),
        (format!("listen = [\"192.0.2.9\", \"192.0.2.9\"]\n{zone}"), "is used twice"),
        (String::new(), "at least one zone"),
    ] {
        let faults = with(&dns, directory.path()).map(|_| ()).unwrap_err().to_string();
        assert!(faults.contains(wanted), "{dns}: {wanted}: {faults}");
    }
}

/// A key that is there, but faulty, is not told as one that is not there.
#[test]
fn a_faulty_key_is_told_once() {
    let directory = directory();
    let used = "[[service.dns.zone]]\nfile = \"example.zone\"\nkey = \"transfer.\"\nallow_transfer = [\"transfer.\"]\n";
    let faults = with(&(KEY.replace("good", "text") + used), directory.path()).map(|_| ()).unwrap_err();
    let faults = faults.to_string();
    assert!(faults.contains("not in base 64") && !faults.contains("there is no key"), "{faults}");
}

#[test]
fn a_catalog_says_where_its_members_come_from() {
    let directory = directory();
    let site = with(
        &format!(
            "{KEY}[[service.dns.zone]]\nname = \"c.\"\nprimaries = [\"192.0.2.7\"]\nkey = \"transfer.\"\ncatalog = true\n\
             most_removed = 40\n[[service.dns.zone.members]]\ngroup = \"partners\"\nprimaries = [\"192.0.2.8\"]\n\
             allow_transfer = [\"transfer.\"]\nnotify = [\"192.0.2.9\"]\n\
             [[service.dns.zone]]\nfile = \"example.zone\"\ncatalog = true\n\
             [[service.dns.zone.members]]\nprimaries = [\"192.0.2.1\"]\n"
        ),
        directory.path(),
    );
    let site = site.unwrap_or_else(|faults| panic!("{faults}"));
    let catalogs = &site.services[0].dns.as_ref().unwrap().catalogs;
    let addresses = |catalog: &str, group: Option<&str>| {
        let transfers = catalogs[&catalog.parse().unwrap()].transfers(&"member.".parse().unwrap(), group);
        let shown = |server: &config::Server| (server.address.to_string(), server.key.is_some());
        let notify = transfers.notify.iter().map(shown).collect::<Vec<_>>();
        (transfers.primaries.iter().map(shown).collect::<Vec<_>>(), notify)
    };
    let at = |address: &str, is_signed: bool| vec![(format!("{address}:53"), is_signed)];
    assert_eq!(addresses("c.", None), (at("192.0.2.7", true), vec![]), "as the catalog itself");
    assert_eq!(addresses("c.", Some("unknown")), addresses("c.", None));
    assert_eq!(addresses("c.", Some("partners")), (at("192.0.2.8", true), at("192.0.2.9", true)));
    assert_eq!(addresses("example.", None), (at("192.0.2.1", false), vec![]));
    assert_eq!(catalogs[&"c.".parse().unwrap()].most_removed, Some(40));
}

#[test]
fn each_mistake_of_a_catalog_is_told() {
    let directory = directory();
    let zone = "[[service.dns.zone]]\nname = \"c.\"\nprimaries = [\"192.0.2.7\"]\n";
    let members = "[[service.dns.zone.members]]\n";
    for (dns, wanted) in [
        (format!("{zone}most_members = 7\n"), "only a catalog has members"),
        (format!("{zone}catalog = false\n{members}group = \"a\"\n"), "only a catalog has members"),
        (format!("{zone}catalog = \"yes\"\n"), "true or false"),
        (format!("{zone}catalog = true\nmost_members = 0\n"), "must be 1 to 100000,"),
        (format!("{zone}catalog = true\n{members}{members}"), "two tables of `members` without a `group`"),
        (
            format!("{zone}catalog = true\n{members}group = \"a\"\n{members}group = \"a\"\n"),
            "for the group a",
        ),
        (format!("{zone}catalog = true\n{members}group = \"a b\"\n"), "without blanks"),
        (format!("{zone}catalog = true\n{members}key = \"nobody.\"\n"), "there is no key nobody."),
        (format!("{KEY}{zone}catalog = true\n{members}key = \"transfer.\"\n"), "this key signs nothing"),
        (
            "[[service.dns.zone]]\nfile = \"example.zone\"\ncatalog = true\n".to_owned(),
            "nothing says where the zones of this catalog come from",
        ),
        (
            format!(
                "[[service.dns.zone]]\nfile = \"example.zone\"\ncatalog = true\n{members}group = \"a\"\n"
            ),
            "nothing says where these zones come from",
        ),
    ] {
        let faults = with(&dns, directory.path()).map(|_| ()).unwrap_err().to_string();
        assert!(faults.contains(wanted), "{dns}: {wanted}: {faults}");
    }
}
