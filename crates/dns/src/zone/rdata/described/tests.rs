//! The same texts, read by BIND.

use super::super::{Token, encode};
use crate::zone::fault::Place;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use terms::RecordType;

/// The words of a line: quoted ones stay whole.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for character in text.chars() {
        quoted ^= character == '"';
        match character {
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What we make of it, as RFC 3597 writes it; or why nothing.
fn ours(kind: &str, text: &str) -> Result<String, String> {
    let kind: RecordType = kind.parse().unwrap();
    let words = words(text);
    let place = Place::default();
    let tokens: Vec<Token<'_>> = words.iter().map(|word| Token { text: word, place }).collect();
    let mut octets = Vec::new();
    encode(kind, &tokens, Some(&terms::DomainName::root()), &mut octets).map_err(|fault| {
        format!("{}, at {}", fault.message, words.get(fault.token).map_or("the end", |word| word))
    })?;
    let mut shown = format!("CLASS1\tTYPE{}\t\\# {}", kind.get(), octets.len());
    shown += if octets.is_empty() { "" } else { " " };
    octets.iter().for_each(|octet| write!(shown, "{octet:02X}").unwrap());
    Ok(shown)
}

/// What BIND makes of it; none where it refuses.
fn theirs(kind: &str, text: &str) -> Option<String> {
    let mut checker = Command::new("named-rrchecker")
        .arg("-u")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("named-rrchecker is needed here: `make install-test`");
    writeln!(checker.stdin.take().unwrap(), "IN {kind} {text}").unwrap();
    let output = checker.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
}

#[test]
fn what_is_good_is_what_bind_makes_of_it() {
    let key = "AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ryra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D";
    let hip = format!("2 200100107B1A74DF365639CC39F1D578 {key} rvs.example. rvs2.example.");
    let long = "ab".repeat(64);
    for (kind, text) in [
        ("AFSDB", "1 Afs.example."),
        ("X25", "311061700956"),
        ("ISDN", "\"150862028003217\" 004"),
        ("ISDN", "150862028003217"),
        ("RT", "2 relay.example."),
        ("KEY", "256 3 5 AQPSKmynfzW4"),
        ("RKEY", "0 255 3 AQPSKmynfzW4"),
        ("PX", "10 net2.it. prmd-net2.admd-p400.c-it."),
        ("GPOS", "-32.6882 116.8652 10.0"),
        ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ("LOC", "42 21 54 N 71 06 18 W -24m 30m"),
        ("LOC", "32 7 19 S 116 2 25 E 10"),
        ("LOC", "90 N 180 W 42849672.95m 90000000m 12345.67m 0.09m"),
        ("LOC", "0 N 0 E -100000.00m"),
        ("LOC", "1 59 S 0 0 0.001 W 7"),
        ("NAPTR", "100 50 \"s\" \"http+I2L+I2C+I2R\" \"\" _http._tcp.example."),
        ("KX", "10 kx.example."),
        ("CERT", "PKIX 1 RSASHA256 aGVs bG8="),
        ("CERT", "65534 65535 254 aGVsbG8="),
        ("APL", "1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32 1:0.0.0.0/0"),
        ("APL", ""),
        ("SSHFP", "4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789"),
        ("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
        ("IPSECKEY", "10 3 2 mygateway.example. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
        ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69 lOjxfNuVAA2kjEA="),
        ("TLSA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b9 7983a1d16e8a410e4561cb106618e971"),
        ("SMIMEA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"),
        ("HIP", &hip),
        ("HIP", &hip.replace(" rvs.example. rvs2.example.", "")),
        ("NINFO", "\"a b\" c"),
        ("TALINK", "a.example. ."),
        ("CDS", "0 0 0 00"),
        ("CDNSKEY", "257 3 13 aGVsbG8="),
        ("OPENPGPKEY", "aGVs bG8="),
        ("CSYNC", "66 3 A NS AAAA TYPE65280"),
        ("CSYNC", "0 0"),
        ("ZONEMD", &format!("2018031500 1 1 {}", &long[..96])),
        ("DSYNC", "CDS NOTIFY 5359 cds-scanner.example."),
        ("SPF", "\"v=spf1 -all\" \"more\""),
        ("NID", "10 0014:4fff:ff20:ee64"),
        ("L32", "10 10.1.2.0"),
        ("L64", "10 2001:0DB8:1140:1000"),
        ("LP", "10 l64-subnet1.example."),
        ("EUI48", "00-00-5e-00-53-2A"),
        ("EUI64", "00-00-5e-ef-10-00-00-2a"),
        ("URI", "10 1 \"ftp://ftp1.example.com/public\\032x\""),
        ("CAA", "0 issue \"ca.test\""),
        ("AVC", "\"app-name:WOLFGANG|app-class:OAM\""),
        ("AMTRELAY", "10 0 1 203.0.113.15"),
        ("AMTRELAY", "10 1 2 2001:db8::15"),
        ("AMTRELAY", "128 1 3 amtrelays.example."),
        ("AMTRELAY", "0 0 0 ."),
        ("RESINFO", "qnamemin exterr=15-17 \"infourl=https://resolver.example/guide\""),
        ("WALLET", "BTC \"a \\\"b\\\"\""),
        ("TA", &format!("12345 13 2 {}", &long[..64])),
        ("DLV", &format!("12345 RSASHA256 1 {}", &long[..40])),
    ] {
        assert_eq!(ours(kind, text).ok(), theirs(kind, text), "{kind} {text}: {:?}", ours(kind, text));
        assert!(ours(kind, text).is_ok(), "{kind} {text}");
    }
}

#[test]
fn what_is_wrong_is_told_and_wrong_for_bind_too() {
    let mut told = String::new();
    for (kind, text) in [
        ("AFSDB", "1"),
        ("AFSDB", "65536 a."),
        ("LOC", "91 N 4 E 0m"),
        ("LOC", "90 0 0.001 N 4 E 0m"),
        ("LOC", "52 60 N 4 E 0m"),
        ("LOC", "52 22 60 N 4 E 0m"),
        ("LOC", "52 N 4 N 0m"),
        ("LOC", "52 n 4 E 0m"),
        ("LOC", "52 N 4 E"),
        ("LOC", "52 N 4 E -100000.01m"),
        ("LOC", "52 N 4 E 0m 90000001m"),
        ("LOC", "52 N 4 E 0m 1m 1m 1m 1m"),
        ("APL", "1:192.0.2.0/33"),
        ("APL", "2:192.0.2.0/24"),
        ("APL", "192.0.2.0/24"),
        ("CERT", "NONE 1 8 aGk="),
        ("HIP", "2 20 !"),
        ("CSYNC", "1 2 NOTHING"),
        ("NID", "10 0014:4fff:ff20"),
        ("L32", "10 ::1"),
        ("EUI48", "00-00-5e-00-53"),
        ("EUI48", "00:00:5e:00:53:2a"),
        ("URI", "10 1"),
        ("AMTRELAY", "10 2 1 203.0.113.15"),
        ("AMTRELAY", "10 0 1 2001:db8::15"),
        ("AMTRELAY", "10 0 0 a."),
        ("SMIMEA", "3 1 1 abc"),
        ("GPOS", "1 2"),
        ("SPF", ""),
    ] {
        let fault = ours(kind, text).expect_err(text);
        assert_eq!(theirs(kind, text), None, "{kind} {text}");
        writeln!(told, "{kind} {text}\n    {fault}").unwrap();
    }
    insta::assert_snapshot!(told);
}
