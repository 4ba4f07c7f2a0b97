//! Connections of the DNS service: what they become, and each way to get them wrong.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{BuiltInDns, SiteFile};
use document::Faults;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const SITE: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'tor'\naddress = '10.1.0.1'\nasn = 64501\n\
    [[service]]\nname = 'dns'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n\
    [[service.check]]\ndns = { name = 'example.' }\n[service.dns]\nzones = ['example.zone']\n";

const ZONE: &str = "$ORIGIN example.\n@ 60 SOA ns admin 1 60 60 60 60\n@ 60 NS ns\nns 60 A 198.18.0.53\n";

fn write(directory: &Path, name: &str, text: &str) {
    write_with(directory, name, text, 0o640);
}

fn write_with(directory: &Path, name: &str, text: &str, mode: u32) {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The site file with these keys of `[service.dns]`, beside the files that it may name.
fn read(keys: &str) -> Result<SiteFile, Faults> {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write(directory, "example.zone", ZONE);
    for name in ["dns", "other"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["dns.example".to_owned()]).unwrap();
        write(directory, &format!("{name}.pem"), &certificate.self_signed(&key).unwrap().pem());
        write(directory, &format!("{name}.key"), &key.serialize_pem());
        write_with(directory, &format!("{name}-open.key"), &key.serialize_pem(), 0o644);
    }
    let key = |octet: &str| octet.repeat(32) + "\n";
    write(directory, "tickets", &(key("0a") + &key("FF")));
    write(directory, "short-tickets", &(key("0a") + "0b0b\n"));
    write_with(directory, "open-tickets", &key("0a"), 0o604);
    write(directory, "no-tickets", "");
    write(directory, "many-tickets", &key("0a").repeat(9));
    config::parse("site.toml", &format!("{SITE}{keys}\n"), directory)
}

fn built_in(keys: &str) -> BuiltInDns {
    read(keys).unwrap().services.remove(0).dns.unwrap()
}

#[test]
fn what_is_left_out_has_a_default() {
    let dns = built_in("");
    assert_eq!((dns.limits.connections.get(), dns.limits.per_network.get()), (1000, 100));
    assert_eq!(dns.limits.idle, Duration::from_secs(10));
    assert!(dns.tls.is_none());
}

#[test]
fn everything_can_be_said() {
    let dns = built_in(
        "connections = 20000\nconnections_per_network = 7\nidle = '1m'\n\
         tls = { cert_file = 'dns.pem', key_file = 'dns.key', ticket_keys_file = 'tickets' }",
    );
    assert_eq!((dns.limits.connections.get(), dns.limits.per_network.get()), (20_000, 7));
    assert_eq!(dns.limits.idle, Duration::from_secs(60));
    let tls = dns.tls.unwrap();
    assert_eq!(tls.certificate.cert.len(), 1);
    let keys: Vec<_> = tls.ticket_keys.iter().map(|key| *key.octets()).collect();
    assert_eq!(keys, [[0x0a; 32], [0xff; 32]]);
    assert!(!format!("{:?}", tls.ticket_keys).contains("10"), "keys are not shown");
}

/// Each rule is broken alone, so that no other fault hides that it is not checked.
#[test]
fn each_broken_rule_is_one_fault() {
    let pair = "cert_file = 'dns.pem', key_file = 'dns.key'";
    for (keys, told) in [
        ("connections = 0".to_owned(), "1"),
        ("connections = 20001".to_owned(), "20000"),
        ("connections_per_network = 0".to_owned(), "1"),
        ("idle = '0s'".to_owned(), "1s"),
        ("idle = '2h'".to_owned(), "3600s"),
        ("tls = { cert_file = 'dns.pem' }".to_owned(), "`key_file`"),
        ("tls = { key_file = 'dns.key' }".to_owned(), "`cert_file`"),
        ("tls = { cert_file = 'dns.key', key_file = 'dns.key' }".to_owned(), "no certificate"),
        ("tls = { cert_file = 'dns.pem', key_file = 'dns.pem' }".to_owned(), "no private key"),
        ("tls = { cert_file = 'dns.pem', key_file = 'other.key' }".to_owned(), "of no use"),
        ("tls = { cert_file = 'nowhere.pem', key_file = 'dns.key' }".to_owned(), "nowhere.pem"),
        ("tls = { cert_file = '/dev/null', key_file = 'dns.key' }".to_owned(), "it is no regular file"),
        (format!("tls = {{ {pair}, ticket_keys_file = 'short-tickets' }}"), "line 2 of this file"),
        (format!("tls = {{ {pair}, ticket_keys_file = 'no-tickets' }}"), "has 0 keys"),
        (format!("tls = {{ {pair}, ticket_keys_file = 'many-tickets' }}"), "has 9 keys"),
        (format!("tls = {{ {pair}, ticket_keys_file = 'open-tickets' }}"), "its file is 0604"),
        ("tls = { cert_file = 'dns.pem', key_file = 'dns-open.key' }".to_owned(), "chmod 0640"),
    ] {
        let faults = read(&keys).unwrap_err();
        assert_eq!(faults.len(), 1, "{keys}: {faults}");
        let (_, fault) = faults.iter().next().unwrap();
        let hint = fault.hint.clone().unwrap_or_default();
        assert!(format!("{} {hint}", fault.message).contains(told), "{keys}: {} {hint}", fault.message);
    }
}
