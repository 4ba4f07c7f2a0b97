//! Zone files that include others: where they are looked for, and in which of them a fault is shown.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::BuiltInDns;
use std::fs;
use std::path::Path;

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
