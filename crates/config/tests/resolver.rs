//! A resolver that is brought along: what it becomes, and each way to get it wrong.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::SiteFile;
use document::Faults;
use std::path::Path;

const SITE: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'tor'\naddress = '10.1.0.1'\nasn = 64501\n\
    [[service]]\nname = 'resolver'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n";

/// What a check of this site alone asks, and one that needs the Internet.
const CHECKS: &str = "[[service.check]]\n\
    dns = { name = 'site.catchment.invalid.', type = 'TXT', recursive = true }\n\
    [[service.check]]\ndns = { name = '.', type = 'NS', recursive = true }\nscope = 'dependency'\n";

fn read(rest: &str) -> Result<SiteFile, Faults> {
    config::parse("site.toml", &format!("{SITE}{rest}"), Path::new(""))
}

fn fault(rest: &str) -> String {
    let faults = read(rest).unwrap_err();
    assert_eq!(faults.iter().count(), 1, "{faults}");
    faults.to_string()
}

#[test]
fn the_configuration_is_that_of_the_site() {
    let keys =
        "[service.resolver]\nsoftware = 'unbound'\nallow = ['192.0.2.0/24']\noutgoing = ['10.1.0.10']\n";
    let file = read(&format!("{CHECKS}{keys}")).unwrap();
    let service = &file.services[0];
    let text = service.resolver.as_ref().unwrap().configuration(&file.site.name, &service.addresses);
    for line in [
        "interface: 198.18.0.53",
        "outgoing-interface: 10.1.0.10",
        "access-control: 192.0.2.0/24 allow",
        "nsid: \"ascii_london\"",
    ] {
        assert!(text.lines().any(|written| written.trim() == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn each_way_to_get_it_wrong_is_named() {
    let wrong = [
        ("software = 'bind'\nallow = ['192.0.2.0/24']", "knot-resolver"),
        ("software = 'unbound'", "allow"),
        ("software = 'unbound'\nallow = []", "nobody may ask"),
        ("software = 'unbound'\nallow = ['192.0.2.0/24', '192.0.2.0/24']", "used twice"),
        (
            "software = 'unbound'\nallow = ['192.0.2.0/24']\noutgoing = ['198.18.0.53']",
            "an address of the service",
        ),
        (
            "software = 'unbound'\nallow = ['192.0.2.0/24']\noutgoing = ['10.0.0.1', '10.0.0.2']",
            "outgoing family",
        ),
    ];
    for (keys, words) in wrong {
        let fault = fault(&format!("{CHECKS}[service.resolver]\n{keys}\n"));
        assert!(fault.contains(words), "{keys}: {fault}");
    }
}

#[test]
fn a_check_asks_it_as_users_do() {
    let keys = "[service.resolver]\nsoftware = 'unbound'\nallow = ['192.0.2.0/24']\n";
    let authority = "[[service.check]]\ndns = { name = 'example.' }\n";
    assert!(fault(&format!("{authority}{keys}")).contains("asks the resolver as its users do"));
    let elsewhere =
        "[[service.check]]\ndns = { name = 'example.', recursive = true, address = '10.0.0.1' }\n";
    assert!(fault(&format!("{elsewhere}{keys}")).contains("asks the resolver as its users do"));
}

#[test]
fn it_does_not_share_addresses_with_the_built_in_service() {
    let directory = tempfile::tempdir().unwrap();
    let zone = "$ORIGIN example.\n@ 60 SOA ns admin 1 60 60 60 60\n@ 60 NS ns\nns 60 A 198.18.0.53\n";
    std::fs::write(directory.path().join("example.zone"), zone).unwrap();
    let keys = "[service.dns]\nzones = ['example.zone']\n\
        [service.resolver]\nsoftware = 'unbound'\nallow = ['192.0.2.0/24']\n";
    let checks = "[[service.check]]\ndns = { name = 'example.', recursive = true }\n";
    let faults = config::parse("site.toml", &format!("{SITE}{checks}{keys}"), directory.path()).unwrap_err();
    assert!(faults.to_string().contains("the built-in DNS service answers here already"), "{faults}");
}
