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
    assert!(first(&format!("{soa} NS ns\n")).starts_with("3:2: the name server ns.example. is in example.,"));
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

const HEAD: &str = "$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";

fn words(lines: &str) -> Vec<String> {
    let fault = |fault: Fault| format!("{}:{}: {}", fault.line, fault.column, fault.message);
    faults(&format!("{HEAD}{lines}")).into_iter().map(fault).collect()
}

#[test]
fn what_has_no_meaning_is_refused() {
    assert_eq!(words("* NS ns.test.\n"), ["4:1: NS of the wildcard *.example."]);
    assert_eq!(words("*.a DNAME test.\n"), ["4:1: DNAME of the wildcard *.a.example."]);
    assert_eq!(words("a DNAME test.\na DNAME test2.\n"), ["4:1: a.example. has 2 DNAME records"]);
    assert_eq!(words("a DNAME test.\na NS ns.test.\n"), ["4:1: a.example. has a DNAME and an NS"]);
    assert_eq!(
        words("x.y.a A 192.0.2.1\na DNAME test.\n"),
        ["4:1: A of x.y.a.example. is below the DNAME of a.example.; the first is on line 5"]
    );
    assert_eq!(
        words("a NS ns.b.a\n"),
        ["4:1: the name server ns.b.a.example. is in a.example., but has no address"]
    );
    assert_eq!(words("a NS ns.b\nb NS ns.test.\n"), [""; 0], "a sibling may need none");
    assert_eq!(words("* A 192.0.2.1\na NS ns.test.\nx.a TXT hidden\nb DNAME test.\n"), [""; 0]);
}

#[test]
fn a_zone_that_is_not_what_it_was_digested_as() {
    let digest = include_str!("zones/digest.zone");
    assert_eq!(faults(digest), []);
    assert_eq!(
        faults(&digest.replace("ns1.example.  3600", "NS1.example.  3600")),
        [],
        "case does not count"
    );
    assert_eq!(faults(&digest.replace("NS      ns1", "NS      Ns1")), [], "not in data either");
    let changed = faults(&digest.replace("203.0.113.63", "203.0.113.64"));
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].line, changed[0].column), (5, 15));
    assert!(changed[0].message.starts_with("the zone's digest is "), "{}", changed[0]);
    let older = faults(&digest.replace("ZONEMD  2018031900", "ZONEMD  2018031899"));
    assert_eq!(older[0].message, "the digest is of serial 2018031899, but the SOA record says 2018031900");
    assert_eq!(
        faults(&digest.replace("2018031900 1 1", "2018031900 1 240")),
        [],
        "an unknown kind says nothing"
    );
}

#[test]
fn hashes_that_cost_too_much() {
    // The hash is that of `example.` after 150 more rounds.
    let lines = "@ NSEC3PARAM 1 0 151 -\nneasg08a19plpap7fl6lgnof40io5kid NSEC3 1 0 151 - neasg08a19plpap7fl6lgnof40io5kid SOA\n";
    assert_eq!(words(lines), ["4:1: 151 iterations of NSEC3, more than 150"]);
    assert_eq!(words(&lines.replace("151", "150")), [""; 0]);
}

#[test]
fn hashes_of_other_names_only() {
    let missing = ["4:1: no NSEC3 record for the zone's own name has these parameters"];
    assert_eq!(words("@ NSEC3PARAM 1 0 0 -\n"), missing);
    let lines = "@ NSEC3PARAM 1 0 150 -\nneasg08a19plpap7fl6lgnof40io5kid NSEC3 1 0 149 - neasg08a19plpap7fl6lgnof40io5kid SOA\n";
    assert_eq!(words(lines), missing);
    assert_eq!(words(&lines.replace("149", "150")), [""; 0]);
    // Flags say that the chain is not complete (RFC 5155 section 7).
    assert_eq!(words("@ NSEC3PARAM 1 1 0 -\n"), [""; 0]);
}
