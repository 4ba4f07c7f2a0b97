//! `$INCLUDE`: a zone in several files.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use dns::zone::{self, Fault};
use std::collections::BTreeMap;
use std::sync::Arc;

const HEAD: &str = "$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";

/// Which file asked for which.
type Asked = Vec<(usize, String)>;

/// The image of a text beside these files.
fn read(text: &str, files: &[(&str, &str)]) -> (Result<Vec<u8>, Vec<Fault>>, Asked) {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let mut asked = Vec::new();
    let zone = zone::parse_with(&format!("{HEAD}{text}"), &mut |from, written| {
        asked.push((from, written.to_owned()));
        files.get(written).map(|text| Arc::from(*text)).ok_or_else(|| "there is none".to_owned())
    });
    (zone.map(|zone| zone.image().unwrap().to_vec()), asked)
}

fn image(text: &str) -> Vec<u8> {
    zone::parse(&format!("{HEAD}{text}")).unwrap().image().unwrap().to_vec()
}

fn words(text: &str, files: &[(&str, &str)]) -> Vec<String> {
    let fault = |fault: Fault| format!("{}:{}:{}: {}", fault.file, fault.line, fault.column, fault.message);
    read(text, files).0.err().unwrap_or_default().into_iter().map(fault).collect()
}

#[test]
fn a_zone_in_several_files_is_the_same_as_in_one() {
    let files = [
        ("hosts", "a A 192.0.2.1\n$ORIGIN sub\nb A 192.0.2.2\n$INCLUDE deeper\nc A 192.0.2.3\n"),
        ("deeper", "$ORIGIN deep\nd A 192.0.2.4"),
        ("more hosts", "  TXT \"of the owner before\"\n@ A 192.0.2.5\n"),
    ];
    let text = "w A 192.0.2.9\n$INCLUDE hosts\n TXT \"of w\"\nx A 192.0.2.6\n$INCLUDE \"more hosts\" y\nz A 192.0.2.7\n";
    let whole = "w A 192.0.2.9\na A 192.0.2.1\nb.sub A 192.0.2.2\nd.deep.sub A 192.0.2.4\nc.sub A 192.0.2.3\n\
                 w TXT \"of w\"\nx A 192.0.2.6\nx TXT \"of the owner before\"\ny A 192.0.2.5\nz A 192.0.2.7\n";
    let (zone, asked) = read(text, &files);
    assert_eq!(zone.unwrap(), image(whole));
    let names = asked.iter().map(|(from, name)| (*from, name.as_str()));
    assert_eq!(names.collect::<Vec<_>>(), [(0, "hosts"), (1, "deeper"), (0, "more hosts")]);
    // Read twice, it says the same twice, which is once.
    let (twice, _) = read("$INCLUDE a\n$INCLUDE a\n", &[("a", "a A 192.0.2.1\n")]);
    assert_eq!(twice.unwrap(), image("a A 192.0.2.1\n"));
}

#[test]
fn a_fault_has_its_file() {
    let files = [("one", "a A 192.0.2.256\n\nb DNAME test.\n"), ("two", "c A\n"), ("empty", "")];
    let text = "$INCLUDE one\nd A x\n$INCLUDE two\n$INCLUDE empty\nb DNAME test2.\nx.d A 192.0.2.1\n";
    assert_eq!(
        words(text, &files),
        [
            "0:5:5: A of d.example.: expected IPv4 address",
            "0:8:1: b.example. has 2 DNAME records",
            "1:1:5: A of a.example.: expected IPv4 address",
            "2:1:1: A of c.example.: a field is missing at the end",
        ]
    );
    let files = [("one", "\nb DNAME test.\n")];
    assert_eq!(
        words("$INCLUDE one\nx.b A 192.0.2.1\n", &files),
        ["0:5:1: A of x.b.example. is below the DNAME of b.example.; the first is on line 2 of one"]
    );
    assert_eq!(
        words("b DNAME test.\n$INCLUDE one\n", &[("one", "\nx.b A 192.0.2.1\n")]),
        [
            "1:2:1: A of x.b.example. is below the DNAME of b.example.; the first is on line 4 of the zone file"
        ]
    );
}

#[test]
fn what_cannot_be_included_is_said_where_it_is_named() {
    assert_eq!(words("$INCLUDE gone\n", &[]), ["0:4:10: `gone` cannot be included: there is none"]);
    assert_eq!(
        words("$INCLUDE\n", &[]),
        ["0:4:1: `$INCLUDE` takes a file and maybe an origin, here are 0 words"]
    );
    let itself = words("$INCLUDE a\n", &[("a", "$INCLUDE a\n")]);
    assert_eq!(itself, ["8:1:10: files are included 8 deep"]);
    let breeding = words("$INCLUDE a\n", &[("a", "$INCLUDE a\n$INCLUDE a\n")]);
    assert!(breeding.iter().all(|fault| fault.contains("included 8 deep")), "{breeding:?}");
    let many = "$INCLUDE a\n".repeat(1026);
    assert_eq!(
        words(&many, &[("a", "")]),
        ["0:1028:10: more than 1024 files", "0:1029:10: more than 1024 files"]
    );
    assert_eq!(words("$INCLUDE a b..c\n", &[("a", "")]).len(), 1);
    let alone = zone::parse(&format!("{HEAD}$INCLUDE a\n")).unwrap_err();
    assert!(alone[0].message.contains("only a file can include another one"), "{}", alone[0]);
}
