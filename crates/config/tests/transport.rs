//! How connections with a neighbour are guarded: keys in files, distance, link-local addresses.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{AoAlgorithm, Signature, SiteFile, parse};
use document::Faults;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const GOOD: &str = include_str!("good.toml");

/// A directory with the files of keys that the tests name.
fn keys() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let long = "k".repeat(80);
    for (name, text, mode) in [
        ("good.key", "swordfish\n", 0o640),
        ("dos.key", "swordfish\r\n", 0o600),
        ("bare.key", "swordfish", 0o400),
        ("long.key", long.as_str(), 0o600),
        ("longer.key", &format!("{long}k"), 0o600),
        ("longest.key", &format!("{long}kkkk"), 0o600),
        ("empty.key", "\n", 0o600),
        ("lines.key", "swordfish\nmarlin\n", 0o600),
        ("open.key", "swordfish\n", 0o644),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    directory
}

/// The good file with more keys for its first peer.
fn with(lines: &str, directory: &Path) -> Result<SiteFile, Faults> {
    parse("site.toml", &GOOD.replace("hold_time = \"9s\"", lines), directory)
}

#[test]
fn a_key_is_the_only_line_of_its_file() {
    let keys = keys();
    for file in ["good.key", "dos.key", "bare.key"] {
        let site = with(&format!("password_file = '{file}'"), keys.path()).unwrap();
        let Some(Signature::Md5(key)) = &site.peers[0].transport.signature else { panic!("{file}") };
        assert_eq!(key.octets(), b"swordfish", "{file}");
        assert!(!format!("{:?}", site.peers).contains("swordfish"), "a key is shown to nobody");
    }
    assert!(with("password_file = 'long.key'", keys.path()).is_ok());
    for (file, why) in [
        ("longer.key", "a key has 1 to 80 octets, this one has 81"),
        ("longest.key", "the file is longer than 82 bytes"),
        ("empty.key", "a key has 1 to 80 octets, this one has 0"),
        ("lines.key", "a file of a key has one line"),
        ("open.key", "everybody on this host can use the key: the mode of its file is 0644"),
        ("none.key", "cannot read the file"),
    ] {
        let faults = with(&format!("password_file = '{file}'"), keys.path()).unwrap_err();
        assert_eq!(faults.len(), 1, "{file}\n{faults}");
        assert!(faults.to_string().contains(why), "{file}\n{faults}");
        assert!(!faults.to_string().contains("swordfish"), "{faults}");
    }
    let faults = with("password_file = 'open.key'", keys.path()).unwrap_err().to_string();
    assert!(faults.contains("chown root:catchment") && faults.contains("chmod 0640"), "{faults}");
}

#[test]
fn a_key_of_tcp_ao_has_numbers_and_a_warning() {
    let keys = keys();
    let site =
        with("tcp_ao = { key_file = 'good.key', send_id = 1, receive_id = 255 }", keys.path()).unwrap();
    let Some(Signature::Ao(ao)) = &site.peers[0].transport.signature else { panic!() };
    assert_eq!((ao.send_id, ao.receive_id, ao.algorithm), (1, 255, AoAlgorithm::HmacSha1));
    let warnings = site.warnings.to_string();
    assert!(warnings.contains("CONFIG_TCP_AO (Linux 6.7 or newer)"), "{warnings}");

    let cmac = "tcp_ao = { key_file = 'good.key', send_id = 1, receive_id = 1, algorithm = 'aes-128-cmac' }";
    let Some(Signature::Ao(ao)) = &with(cmac, keys.path()).unwrap().peers[0].transport.signature else {
        panic!()
    };
    assert_eq!(ao.algorithm, AoAlgorithm::Aes128Cmac);
    for (lines, why) in [
        ("tcp_ao = { key_file = 'good.key', send_id = 1 }", "`receive_id`"),
        ("tcp_ao = { key_file = 'good.key', send_id = 256, receive_id = 1 }", "`send_id` must be 0 to 255"),
        (&cmac.replace("aes", "des"), "`algorithm` must be one of"),
        (&cmac.replace("good", "open"), "everybody on this host"),
    ] {
        let faults = with(lines, keys.path()).unwrap_err();
        assert_eq!(faults.len(), 1, "{lines}\n{faults}");
        assert!(faults.to_string().contains(why), "{lines}\n{faults}");
    }
}

#[test]
fn hops_say_the_least_ttl() {
    let least = |hops: &str| {
        let site = with(&format!("ttl_security = {hops}"), Path::new("")).unwrap();
        site.peers[0].transport.least_ttl()
    };
    assert_eq!(["1", "2", "255"].map(least), [255, 254, 1]);
    assert_eq!(with("hold_time = '9s'", Path::new("")).unwrap().peers[0].transport.least_ttl(), 0);
}

/// Two neighbours on different interfaces may have one link-local address, as routers like to.
#[test]
fn a_link_local_neighbour_is_told_apart_by_its_interface() {
    let keys = keys();
    let peers = |one: &str, other: &str| {
        let peer = |name: &str, more: &str| format!("[[peer]]\nname = '{name}'\nasn = 64500\n{more}\n");
        let text = GOOD.replace(
            "[[service]]\nname = \"dns\"",
            &format!("{}{}[[service]]\nname = \"dns\"", peer("a", one), peer("b", other)),
        );
        parse("site.toml", &text, keys.path())
    };
    let site = peers("address = 'fe80::1%eth0'", "address = 'fe80::1%eth1'").unwrap();
    let whereabouts: Vec<String> =
        site.peers[2..].iter().map(|peer| peer.whereabouts().to_string()).collect();
    assert_eq!(whereabouts, ["fe80::1%eth0", "fe80::1%eth1"]);

    let signed = "password_file = 'good.key'";
    let one = |more: &str| format!("address = 'fe80::1%eth0'\n{more}");
    let other = |more: &str| format!("address = 'fe80::1%eth1'\n{more}");
    assert!(peers(&one(signed), &other("password_file = 'bare.key'")).is_ok(), "the same key");
    for (one, other, why) in [
        (one(""), one(""), "peer address `fe80::1%eth0` is used twice"),
        (one(signed), other(""), "the same link-local address, so they need the same key"),
        (one("source = '2001:db8::1'"), other(""), "both link-local, or neither is"),
    ] {
        let faults = peers(&one, &other).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults}");
        assert!(faults.to_string().contains(why), "{faults}");
    }
}
