//! `[fleet]`: what it becomes, and each way to get it wrong.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{Fleet, SiteFile};
use document::Faults;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const SITE: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'tor'\naddress = '10.1.0.1'\nasn = 64501\n\
    [[service]]\nname = 'dns'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n\
    [[service.check]]\ndns = { name = 'example.' }\n";

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

/// The site file with this section, in a directory with the files that it may name.
fn read(section: &str) -> Result<SiteFile, Faults> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text, mode) in [
        ("ca.pem", CERTIFICATE, 0o644),
        ("london.pem", CERTIFICATE, 0o640),
        ("london.key", KEY, 0o640),
        ("open.key", KEY, 0o644),
        ("password", "x\n", 0o640),
        ("open.password", "x\n", 0o644),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    config::parse("site.toml", &format!("{SITE}{section}"), directory.path())
}

#[test]
fn a_site_without_the_section_belongs_to_no_fleet() {
    assert_eq!(read("").unwrap().fleet, None);
}

#[test]
fn what_is_left_out_has_a_default() {
    let fleet = read("[fleet]\netcd = ['http://10.0.0.1:2379']\n").unwrap().fleet.unwrap();
    assert_eq!(fleet.etcd.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://10.0.0.1:2379"]);
    assert_eq!((fleet.min_sites, &fleet.tls, &fleet.login), (None, &None, &None));
    assert_eq!((fleet.prefix.as_str(), fleet.lease), (Fleet::PREFIX, Duration::from_secs(10)));
}

#[test]
fn everything_can_be_said() {
    let text = "[fleet]\netcd = ['https://etcd-1.example.net:2379', 'https://[2001:db8::1]:2379']\nmin_sites = 2\n\
        ca_file = 'ca.pem'\ncert_file = 'london.pem'\nkey_file = 'london.key'\n\
        username = 'london'\npassword_file = 'password'\nprefix = 'fleet-2'\nlease = '30s'\n";
    let fleet = read(text).unwrap().fleet.unwrap();
    assert_eq!(fleet.etcd[1].to_string(), "https://[2001:db8::1]:2379");
    assert_eq!(fleet.min_sites.unwrap().get(), 2);
    let tls = fleet.tls.unwrap();
    assert!(tls.ca_file.is_absolute() && tls.ca_file.ends_with("ca.pem"), "relative to the site file");
    assert!(tls.identity.unwrap().1.ends_with("london.key"));
    assert_eq!(fleet.login.unwrap().username, "london");
    assert_eq!((fleet.prefix.as_str(), fleet.lease), ("fleet-2", Duration::from_secs(30)));
}

/// Each rule is broken alone, so that no other fault hides that it is not checked.
#[test]
fn each_broken_rule_is_one_fault() {
    let https = "etcd = ['https://10.0.0.1:2379']\nca_file = 'ca.pem'\n";
    let http = "etcd = ['http://10.0.0.1:2379']\n";
    let broken = [
        (String::new(), "`etcd` is missing"),
        ("min_sites = 2\n".to_owned(), "`min_sites` counts the sites of a fleet, and a fleet has a store"),
        ("etcd = []\n".to_owned(), "at least one endpoint"),
        ("etcd = ['10.0.0.1:2379']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['http://10.0.0.1']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['http://10.0.0.1:2379/']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['http://10.0.0.1:0']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['ftp://10.0.0.1:2379']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['http://[::1:2379']\n".to_owned(), "an endpoint is written such as"),
        ("etcd = ['http://a:1', 'http://a:1']\n".to_owned(), "endpoint `http://a:1` is used twice"),
        ("etcd = ['http://a:1', 'https://b:1']\n".to_owned(), "all endpoints are https, or none is"),
        ("etcd = ['https://a:1']\n".to_owned(), "https needs `ca_file`"),
        (format!("{http}ca_file = 'ca.pem'\n"), "certificates are of use with https only"),
        (format!("{https}cert_file = 'london.pem'\n"), "`cert_file` and `key_file`"),
        (format!("{https}key_file = 'london.key'\n"), "`cert_file` and `key_file`"),
        (format!("{https}cert_file = 'ca.pem'\nkey_file = 'none.key'\n"), "it was looked for at"),
        (
            format!("{https}cert_file = 'ca.pem'\nkey_file = 'open.key'\n"),
            "everybody on this host can use the key: the mode of its file is 0644",
        ),
        (
            format!("{https}cert_file = 'ca.pem'\nkey_file = 'london.pem'\n"),
            "holds no PEM block `PRIVATE KEY`",
        ),
        (https.replace("ca.pem", "none.pem"), "none.pem: cannot read the file"),
        (https.replace("ca.pem", "/dev/null"), "/dev/null: it is no regular file"),
        (https.replace("ca.pem", "password"), "holds no PEM block `CERTIFICATE`"),
        (format!("{http}username = 'london'\n"), "`username` and `password_file` come in pairs"),
        (format!("{http}password_file = 'password'\n"), "`username` and `password_file` come in pairs"),
        (
            format!("{http}username = 'london'\npassword_file = 'open.password'\n"),
            "everybody on this host can use the key: the mode of its file is 0644",
        ),
        (format!("{http}username = 'london'\npassword_file = '/dev/null'\n"), "it is no regular file"),
        (format!("{http}min_sites = 0\n"), "`min_sites` must be 1 to 1000"),
        (format!("{http}prefix = '/fleet'\n"), "`prefix` is 1 to 63 characters"),
        (format!("{http}lease = '1s'\n"), "`lease` must be 3s to 600s"),
        (format!("{http}lease = '3500ms'\n"), "whole seconds"),
        (format!("{http}quorum = 2\n"), "`quorum`"),
    ];
    for (section, expected) in broken {
        let faults = read(&format!("[fleet]\n{section}")).unwrap_err();
        assert_eq!(faults.len(), 1, "{section}\n{faults}");
        assert!(faults.to_string().contains(expected), "{expected}\n{faults}");
    }
}

#[test]
fn the_example_of_the_guide_is_good() {
    config::load(Path::new("../../examples/fleet.toml")).unwrap();
}
