use crate::bodies::{self, COOKIE};
use crate::corpus;
use check::icmp::{Echo, without_ip_header};
use check::{Finding, Judged};
use proptest::prelude::*;
use terms::Family;

fn words(family: Family, message: &[u8]) -> String {
    match (Echo { family, cookie: COOKIE }).judge(message) {
        Judged::NotOurs => "not ours".to_owned(),
        Judged::Reply(Finding { verdict, .. }) => bodies::words(&verdict),
    }
}

/// A message of that type that carries these octets.
fn message(kind: u8, carries: &[u8]) -> Vec<u8> {
    [&[kind, 1, 0, 0, 9, 9, 9, 9], carries].concat()
}

#[test]
fn verdicts() {
    use Family::{Ipv4, Ipv6};
    let request = Echo { family: Ipv4, cookie: COOKIE }.request();
    let quoted = [&[0x45; 20], &request[..]].concat();
    let other = [b"X", &COOKIE[1..]].concat();
    assert_eq!(words(Ipv4, &message(0, &COOKIE)), "pass");
    assert_eq!(words(Ipv6, &message(129, &COOKIE)), "pass");
    assert_eq!(words(Ipv4, &message(3, &quoted)), "Definite: unreachable (ICMP code 1)");
    assert_eq!(words(Ipv6, &message(1, &quoted)), "Definite: unreachable (ICMP code 1)");
    assert_eq!(words(Ipv4, &message(11, &quoted)), "Definite: its packets go round in a loop");
    for (what, family, message) in [
        ("our own request", Ipv4, request.clone()),
        ("a reply of the other family", Ipv4, message(129, &COOKIE)),
        ("a reply to somebody else", Ipv4, message(0, &other)),
        ("more than was sent", Ipv4, message(0, &[&COOKIE[..], b"x"].concat())),
        ("somebody else's trouble", Ipv4, message(3, &other)),
        ("half a header", Ipv4, vec![0, 0, 0]),
        ("nothing", Ipv6, Vec::new()),
    ] {
        assert_eq!(words(family, &message), "not ours", "{what}");
    }
}

#[test]
fn a_request_has_the_checksum_of_rfc_1071() {
    let request = Echo { family: Family::Ipv4, cookie: COOKIE }.request();
    let words = request.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let sum: u32 = words.sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
}

#[test]
fn an_ip_header_is_as_long_as_it_says() {
    let packet = |first: u8, length: usize| [&[first][..], &vec![0; length]].concat();
    assert_eq!(without_ip_header(&packet(0x45, 27)).map(<[u8]>::len), Some(8));
    assert_eq!(without_ip_header(&packet(0x46, 27)).map(<[u8]>::len), Some(4));
    for (first, length) in [(0x45, 18), (0x4f, 40), (0x44, 40), (0x60, 60)] {
        assert_eq!(without_ip_header(&packet(first, length)), None, "{first:02x} {length}");
    }
    assert_eq!(without_ip_header(&[]), None);
}

#[test]
fn the_corpus_is_judged() {
    corpus("check_icmp", bodies::icmp);
}

proptest! {
    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>()) {
        let at = at.index(octets.len() + 1);
        bodies::icmp(&octets);
        bodies::icmp(&[&octets[..at], &COOKIE, &octets[at..]].concat());
    }
}
