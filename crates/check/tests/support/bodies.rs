//! What must hold for any octets: the bodies of the fuzz targets, run by the property tests and over the corpora too.

use check::clock;
use check::dns::{Expectation, Serial};
use check::http;
use check::icmp::{Echo, without_ip_header};
use check::tls;
use check::{Finding, Judged, Progress};
use std::time::Duration;
use terms::{FailKind, Family, RecordType, Verdict, WallTime};

/// The id of the query in every case.
pub(crate) const ID: u16 = 0x1234;

/// When everything is judged: 2026-11-23T00:00:00Z.
pub(crate) const NOW: WallTime = WallTime(1_795_392_000_000);

/// Nobody could guess it.
pub(crate) const COOKIE: [u8; 16] = *b"0123456789abcdef";
pub(crate) const NONCE: u64 = 0x0123_4567_89ab_cdef;

/// A verdict in one line.
pub(crate) fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail { kind, reason } => format!("{kind:?}: {reason}"),
        Verdict::Indeterminate { reason } => format!("indeterminate: {reason}"),
    }
}

/// A failure of octets that arrived leaves no doubt, and has words.
fn is_sound(verdict: &Verdict) {
    match verdict {
        Verdict::Pass => {}
        Verdict::Fail { kind, reason } => {
            assert_eq!(*kind, FailKind::Definite);
            assert!(!reason.as_str().is_empty());
        }
        Verdict::Indeterminate { .. } => panic!("octets that arrived were judged"),
    }
}

/// Judges a datagram as a reply to a DNS query; a verdict is given for what repeats our id and question only.
pub(crate) fn dns(datagram: &[u8]) {
    let expectation = Expectation::new("example.".parse().unwrap(), RecordType::SOA);
    let judged = expectation.judge(ID, datagram, NOW);
    if let Judged::Reply(Finding { verdict, .. }) = &judged {
        assert_eq!(datagram[..2], ID.to_be_bytes());
        assert_eq!(datagram[2] & 0xf8, 0x80, "a reply to a query");
        is_sound(verdict);
        if *verdict == Verdict::Pass {
            assert!(is_good(datagram), "{datagram:02x?}");
        }
        // Who asks for more never gets what was refused already.
        let demanding = Expectation {
            answer: vec![check::dns::Data::Octets(vec![1, 2, 3])],
            serial: Some(Serial::Within(Duration::from_secs(86_400))),
            signed_for: Some(Duration::from_secs(86_400)),
            ..expectation.clone()
        };
        if let Judged::Reply(Finding { verdict: demanded, .. }) = demanding.judge(ID, datagram, NOW) {
            is_sound(&demanded);
            assert!(*verdict == Verdict::Pass || demanded != Verdict::Pass);
        }
    }
    if datagram.starts_with(&ID.to_be_bytes()) {
        assert_eq!(expectation.judge(ID ^ 1, datagram, NOW), Judged::NotOurs);
    }
}

/// The same rule, read by the `domain` crate.
fn is_good(datagram: &[u8]) -> bool {
    use domain::base::iana::{Class, Rcode, Rtype};
    let Ok(message) = domain::base::Message::from_octets(datagram) else { return false };
    let header = message.header();
    let Ok(answer) = message.answer() else { return false };
    let records: Vec<_> = answer.map_while(Result::ok).collect();
    header.qr()
        && header.aa()
        && header.rcode() == Rcode::NOERROR
        && records.iter().any(|record| record.rtype() == Rtype::SOA && record.class() == Class::IN)
}

/// Judges octets as a response of a web server, in pieces: what is decided stays decided, and the end decides.
pub(crate) fn http(octets: &[u8]) {
    let expectation = http::Expectation {
        host: "www.example.com".to_owned(),
        target: "/".to_owned(),
        statuses: vec![200, 204],
        contains: Some("ready".to_owned()),
    };
    let mut decided = None;
    for length in 0..=octets.len().min(512) {
        if let Progress::Done(verdict) = expectation.judge(&octets[..length], false) {
            is_sound(&verdict);
            if let Some(before) = decided.replace(verdict.clone()) {
                assert_eq!(before, verdict, "after {length} octets");
            }
        } else {
            assert_eq!(decided, None, "undecided again after {length} octets");
        }
    }
    match expectation.judge(octets, true) {
        Progress::Done(verdict) => {
            is_sound(&verdict);
            if verdict == Verdict::Pass {
                assert!(
                    octets.starts_with(b"HTTP/1.")
                        || octets.starts_with(b"\r\n")
                        || octets.starts_with(b"\n")
                );
            }
        }
        Progress::More => panic!("nothing more will come"),
    }
}

/// Judges octets as a certificate.
pub(crate) fn certificate(octets: &[u8]) {
    let judge = |valid_for, now| {
        let expectation = tls::Expectation { name: "www.example.com".parse().unwrap(), valid_for };
        let finding = expectation.judge(octets, now);
        is_sound(&finding.verdict);
        finding.verdict
    };
    if judge(Duration::from_secs(86_400), NOW) == Verdict::Pass {
        assert_eq!(judge(Duration::ZERO, NOW), Verdict::Pass, "who asks for less gets it");
        assert_ne!(judge(Duration::ZERO, WallTime(u64::MAX)), Verdict::Pass, "nothing is valid for ever");
    }
}

/// Judges octets as what an ICMP socket of either family delivers.
pub(crate) fn icmp(packet: &[u8]) {
    let messages = [Some(packet), without_ip_header(packet)];
    for message in messages.into_iter().flatten() {
        for family in [Family::Ipv4, Family::Ipv6] {
            if let Judged::Reply(Finding { verdict, .. }) = (Echo { family, cookie: COOKIE }).judge(message) {
                is_sound(&verdict);
                assert!(
                    message.windows(COOKIE.len()).any(|part| part == COOKIE),
                    "nobody guesses the cookie"
                );
            }
        }
    }
}

/// Judges octets as a reply of a time server.
pub(crate) fn ntp(datagram: &[u8]) {
    let expectation = clock::Expectation { max_skew: Duration::from_millis(500) };
    let judged = expectation.judge(NONCE, datagram, NOW, WallTime(NOW.0 + 20));
    if let Judged::Reply(Finding { verdict, .. }) = &judged {
        assert_eq!(datagram[24..32], NONCE.to_be_bytes());
        assert!(!matches!(verdict, Verdict::Fail { kind: FailKind::Timeout, .. }));
        let lax = clock::Expectation { max_skew: Duration::from_secs(1 << 33) };
        let Judged::Reply(finding) = lax.judge(NONCE, datagram, NOW, WallTime(NOW.0 + 20)) else {
            panic!("it was ours")
        };
        assert!(!matches!(finding.verdict, Verdict::Fail { .. }), "no era is so long");
        assert_eq!(expectation.judge(NONCE ^ 1, datagram, NOW, NOW), Judged::NotOurs);
    }
}
