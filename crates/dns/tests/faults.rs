//! Every fault of a zone file at once, each with its place and what to do.

use dns::zone::{self, Fault};

fn faults(text: &str) -> Vec<Fault> {
    zone::parse(text).err().unwrap_or_default()
}

#[test]
fn one_file_with_all_faults() {
    let shown: String =
        faults(include_str!("zones/faulty.zone")).iter().map(|fault| format!("{fault}\n")).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn what_a_zone_must_have() {
    let first = |text: &str| faults(text).first().map(ToString::to_string).unwrap_or_default();
    let soa = "$ORIGIN example.\n@ SOA ns hostmaster 1 1h 15m 1w 5m\n";
    assert!(first("").starts_with("1:1: the zone has no SOA record"));
    assert!(first("$ORIGIN example.\n@ NS ns.test.\n").starts_with("1:1: the zone has no SOA record"));
    assert!(first(soa).starts_with("2:1: example. has no NS record"));
    assert!(first(&format!("{soa} NS ns\n")).starts_with("3:2: the name server ns.example. is in the zone"));
    assert!(
        first(&format!("{soa} NS ns\nns CNAME ns.test.\n")).starts_with("3:2: the name server ns.example.")
    );
    assert_eq!(first(&format!("{soa} NS ns.test.\n")), "");
    assert_eq!(first(&format!("{soa} NS ns\nns A 192.0.2.1\n")), "");
}

#[test]
fn a_record_set_must_fit_one_message() {
    let mut text = String::from("$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n");
    for n in 0..300 {
        text.push_str(&format!("big TXT \"{n:03} {}\"\n", "x".repeat(240)));
    }
    let faults = faults(&text);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.contains("more than one message can carry"), "{}", faults[0]);
}
