//! `$GENERATE`: one line for many records, as BIND writes them out.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use dns::zone::{self, Fault};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

const HEAD: &str = "$TTL 3600\n$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";

fn image(lines: &str) -> Vec<u8> {
    zone::parse(&format!("{HEAD}{lines}"))
        .unwrap_or_else(|faults| panic!("{lines}: {faults:?}"))
        .image()
        .unwrap()
        .to_vec()
}

fn words(lines: &str) -> Vec<String> {
    let fault = |fault: Fault| format!("{}:{}: {}", fault.line, fault.column, fault.message);
    zone::parse(&format!("{HEAD}{lines}")).err().unwrap_or_default().into_iter().map(fault).collect()
}

/// Every form, with what BIND 9 makes of it.
const FORMS: [&str; 15] = [
    "$GENERATE 1-254 host$ A 192.0.2.$",
    "$GENERATE 1-9/2 $ 60 IN A 192.0.2.$",
    "$GENERATE 0-255 $.2.0.192.in-addr.arpa.example. PTR host-${0,3,d}.example.com.",
    "$GENERATE 8-12 a${-8} CNAME ${100,5}.test.",
    "$GENERATE 5-20/5 o${0,4,o} TXT is-${0,0,x}-or-${0,8,X}-not-\\$",
    "$GENERATE 250-260 ${0,7,n} PTR x${0,3,N}.test.",
    "$GENERATE 0-0 ${0,1,n} PTR z.test.",
    "$GENERATE 4095-4097 ${0,2,n}.x NS ns${0,6,X}.test.",
    "$GENERATE 1-3 \\$$ A 192.0.2.${10}",
    "$GENERATE 1-2 $.$ MX \"$ mail$.test.\"",
    "$GENERATE 1-2 $ IN 5 MX \"0 .\"",
    "$GENERATE 1-2 @ NS ns$.test.",
    "$GENERATE 1-2 *.w$ AAAA 2001:db8::$",
    "$GENERATE 1-2 k$ TXT \"a$ \\\"b; $\\\" c\\032$\"",
    "$GENERATE 2147483640-2147483646 big$ A 192.0.2.1",
];

/// The records that BIND writes out.
fn by_bind(lines: &str) -> String {
    let mut command = Command::new("named-compilezone");
    command.args([
        "-q",
        "-i",
        "none",
        "-k",
        "ignore",
        "-n",
        "ignore",
        "-s",
        "full",
        "-o",
        "-",
        "example.",
        "/dev/stdin",
    ]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child =
        child.unwrap_or_else(|error| panic!("named-compilezone: {error}; `make install-test` installs it"));
    child.stdin.take().unwrap().write_all(format!("{HEAD}{lines}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "BIND does not take {lines}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_bind_writes_out_is_what_is_served() {
    for form in FORMS {
        let written_out = zone::parse(&by_bind(form)).unwrap_or_else(|faults| panic!("{form}: {faults:?}"));
        assert_eq!(image(form), written_out.image().unwrap(), "{form}\n{}", by_bind(form));
    }
}

#[test]
fn names_under_an_origin_and_ttls_are_those_of_the_line() {
    let generated = image("$ORIGIN a.example.\n$TTL 7\n$GENERATE 1-2 x$ A 192.0.2.$\ny A 192.0.2.9\n");
    assert_eq!(generated, image("x1.a 7 A 192.0.2.1\nx2.a 7 A 192.0.2.2\ny.a 7 A 192.0.2.9\n"));
    let two = image("x1 MX 1 mail1.test.\nx2 MX 2 mail2.test.\n");
    assert_eq!(image("$GENERATE 1-2 x$ MX $ mail$.test.\n"), two);
    let texts = image("x1 TXT \"a 1\" b1\nx2 TXT \"a 2\" b2\n");
    assert_eq!(image("$GENERATE 1-2 x$ TXT \"a $\" b$\n"), texts);
    let mut written = String::new();
    (0..65536).for_each(|number| writeln!(written, "x{number} TXT {number}").unwrap());
    assert_eq!(image("$GENERATE 0-65535 x$ TXT $\n"), image(&written), "as many as there may be");
}

#[test]
fn every_way_to_get_it_wrong_has_its_place() {
    for (line, message) in [
        ("$GENERATE", "5:1: `$GENERATE` says nothing"),
        ("$GENERATE 1-2 x$", "5:1: `$GENERATE` lacks owner, type or data"),
        ("$GENERATE 2-1 x$ A 192.0.2.$", "5:11: `2-1` is no range of numbers"),
        ("$GENERATE 1-2/0 x$ A 192.0.2.$", "5:11: `1-2/0` is no range of numbers"),
        ("$GENERATE 1 x$ A 192.0.2.$", "5:11: `1` is no range of numbers"),
        ("$GENERATE 0-65536 x$ A 192.0.2.1", "5:11: `0-65536` is more than 65536 records"),
        ("$GENERATE 1-2 x${0 A 192.0.2.1", "5:15: `x${0`: the brace is not closed"),
        ("$GENERATE 1-2 x${a} A 192.0.2.1", "5:15: `x${a}`: the offset is no number"),
        ("$GENERATE 1-2 x${0,64} A 192.0.2.1", "5:15: `x${0,64}`: the width is no number up to 63"),
        ("$GENERATE 1-2 x${0,1,q} A 192.0.2.1", "5:15: `x${0,1,q}`: the base is none of d, o, x, X, n and N"),
        ("$GENERATE 1-2 x${-2} A 192.0.2.1", "5:1: 1 with offset -2 is below zero"),
        ("$GENERATE 4-7 x$ A 192.0.2.25$", "5:1: A of x6.example."),
        ("$GENERATE 1-2 x$ A 192.0.3.$.", "5:1: A of x1.example."),
    ] {
        let found = words(line);
        assert!(found.first().is_some_and(|found| found.starts_with(message)), "{line}: {found:?}");
    }
}
