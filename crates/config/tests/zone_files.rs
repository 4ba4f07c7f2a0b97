//! Zone files that include others: where they are looked for, and in which of them a fault is shown.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::BuiltInDns;
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

const ZONE: &str = "$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n$INCLUDE hosts/all\n";

/// A zone in `example.zone`, which includes `hosts/all`, which includes `hosts/more`.
fn write(directory: &Path, all: &str, more: &str) {
    fs::create_dir(directory.join("hosts")).unwrap();
    for (name, text) in [("example.zone", ZONE), ("hosts/all", all), ("hosts/more", more)] {
        fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn a_file_is_looked_for_beside_the_one_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a A 192.0.2.1\n$INCLUDE more\n", "b A 192.0.2.2\n");
    let zone = BuiltInDns::load_zone(&directory.path().join("example.zone")).unwrap();
    assert_eq!(zone.names(), 3);
}

#[test]
fn a_fault_is_shown_in_its_file() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a A 192.0.2.256\n$INCLUDE more\n", "\n$INCLUDE gone\n");
    let faults = BuiltInDns::load_zone(&directory.path().join("example.zone")).unwrap_err().to_string();
    for words in
        ["hosts/all:1:5", "192.0.2.256", "hosts/more:2:10", "`gone` cannot be included: cannot read the file"]
    {
        assert!(faults.contains(words), "{words} is missing in\n{faults}");
    }
}

#[test]
fn comments_may_be_in_any_script_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("example.zone");
    let start = b"\xef\xbb\xbf$ORIGIN example. ; Z\xfcrich\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";
    fs::write(&file, start).unwrap();
    assert_eq!(BuiltInDns::load_zone(&file).unwrap().names(), 1);
    fs::write(&file, [&start[..], b"@ TXT \"Gr\xfc\xdfe\"\n"].concat()).unwrap();
    let faults = BuiltInDns::load_zone(&file).unwrap_err().to_string();
    assert!(faults.contains("example.zone:4:10") && faults.contains("no UTF-8"), "{faults}");
}

#[test]
fn a_text_may_come_through_a_pipe_and_comes_whole() {
    let (out, mut into) = std::io::pipe().unwrap();
    into.write_all(b"$TTL 300\n$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n").unwrap();
    drop(into);
    let zone = BuiltInDns::load_zone(Path::new(&format!("/proc/self/fd/{}", out.as_raw_fd()))).unwrap();
    assert_eq!((zone.apex().to_string().as_str(), zone.names()), ("example.", 1));
}

/// Whoever opens a pipe waits until somebody writes, and a reload would find nothing.
#[test]
fn no_file_names_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    fs::write(at("example.zone"), ZONE.replace("hosts/all", "pipe")).unwrap();
    let faults = BuiltInDns::load_zone(&at("example.zone")).unwrap_err().to_string();
    assert!(faults.contains("example.zone:4:10") && faults.contains("it is no regular file"), "{faults}");
    let site = "[[service]]\nname = 'dns'\n[service.dns]\nzones = ['pipe']\n";
    let faults = config::parse("site.toml", site, directory.path()).unwrap_err().to_string();
    assert!(faults.contains("site.toml:4:10") && faults.contains("it is no regular file"), "{faults}");
}
