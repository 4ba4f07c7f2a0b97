//! Which replies pass, which fail and why, which are not ours.

use crate::bodies::{self, ID, NOW};
use crate::corpus;
use check::dns::{Data, Expectation, ResponseCode, Serial};
use check::{Finding, Judged};
use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype, Serial as Number, Ttl};
use domain::rdata::{A, Cname, Soa};
use proptest::prelude::*;
use std::time::Duration;
use terms::RecordType;

fn expectation() -> Expectation {
    Expectation::new("example.".parse().unwrap(), RecordType::SOA)
}

fn name(text: &str) -> Name<Vec<u8>> {
    Name::vec_from_str(text).unwrap()
}

/// A good reply, bent by `bend` before its answer is written.
fn reply(bend: impl FnOnce(&mut domain::base::Header), records: &[&str]) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    let header = builder.header_mut();
    header.set_id(ID);
    header.set_qr(true);
    header.set_aa(true);
    bend(header);
    let mut builder = builder.question();
    builder.push((&name("example."), Rtype::SOA)).unwrap();
    let mut builder = builder.answer();
    let (owner, ttl) = (name("example."), Ttl::from_secs(60));
    for record in records {
        match *record {
            "SOA" => {
                let soa = Soa::new(name("ns.test."), name("h.test."), Number(1), ttl, ttl, ttl, ttl);
                builder.push((&owner, Class::IN, ttl, soa)).unwrap();
            }
            "SOA in CHAOS" => {
                let soa = Soa::new(name("ns.test."), name("h.test."), Number(1), ttl, ttl, ttl, ttl);
                builder.push((&owner, Class::CH, ttl, soa)).unwrap();
            }
            "CNAME" => builder.push((&owner, Class::IN, ttl, Cname::new(name("other.test.")))).unwrap(),
            "A" => builder.push((&owner, Class::IN, ttl, A::from_octets(192, 0, 2, 1))).unwrap(),
            other => panic!("{other}"),
        }
    }
    builder.finish()
}

fn words(datagram: &[u8]) -> String {
    words_of(&expectation(), datagram)
}

fn words_of(expectation: &Expectation, datagram: &[u8]) -> String {
    match expectation.judge(ID, datagram, NOW) {
        Judged::NotOurs => "not ours".to_owned(),
        Judged::Reply(Finding { verdict, .. }) => bodies::words(&verdict),
    }
}

#[test]
fn verdicts() {
    let good = reply(|_| (), &["SOA"]);
    let with = |at: usize, octet: u8| {
        let mut datagram = good.clone();
        datagram[at] = octet;
        datagram
    };
    let mut upper_case = good.clone();
    upper_case[13..20].make_ascii_uppercase();
    let code = |code| reply(move |header| header.set_rcode(code), &[]);
    let mut without_question = code(Rcode::FORMERR)[..12].to_vec();
    without_question[5] = 0;
    let mut empty_question = good[..12].to_vec();
    empty_question[5] = 0;
    let mut more = good.clone();
    more.extend_from_slice(b"garbage");
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("good", good.clone()),
        ("in another case", upper_case),
        ("with octets after the end", more),
        ("alias and record", reply(|_| (), &["CNAME", "SOA"])),
        ("alias alone", reply(|_| (), &["CNAME"])),
        ("another type", reply(|_| (), &["A"])),
        ("another class", reply(|_| (), &["SOA in CHAOS"])),
        ("nothing", reply(|_| (), &[])),
        ("nothing, truncated", reply(|header| header.set_tc(true), &[])),
        ("without authority", reply(|header| header.set_aa(false), &["SOA"])),
        ("SERVFAIL", code(Rcode::SERVFAIL)),
        ("NXDOMAIN", code(Rcode::NXDOMAIN)),
        ("REFUSED", code(Rcode::REFUSED)),
        ("NOTAUTH", code(Rcode::NOTAUTH)),
        ("FORMERR without the question", without_question),
        ("NOERROR without the question", empty_question),
        ("cut short", good[..good.len() - 1].to_vec()),
        ("cut to the question", good[..25].to_vec()),
        ("more answers than there are", with(7, 2)),
        ("a label of an unknown kind", with(25, 0x40)),
        ("another id", with(1, 0x35)),
        ("a query", with(2, 0x04)),
        ("another operation", with(2, 0xa4)),
        ("two questions", with(5, 2)),
        ("another name", with(13, b'f')),
        ("another type in the question", with(22, 1)),
        ("another class in the question", with(24, 3)),
        ("half a header", good[..11].to_vec()),
        ("no octet", Vec::new()),
    ];
    let table: String =
        rows.iter().map(|(title, datagram)| format!("{title:32} {}\n", words(datagram))).collect();
    insta::assert_snapshot!(table);
}

#[test]
fn a_type_is_never_taken_for_another_case() {
    // 65 and 97 differ as `A` and `a` do.
    let https = Expectation::new("example.".parse().unwrap(), RecordType::new(65));
    let other = Expectation { qtype: RecordType::new(97), ..https.clone() };
    let mut echo = other.query(ID);
    echo[2] = 0x84;
    assert_eq!(https.judge(ID, &echo, NOW), Judged::NotOurs);
}

#[test]
fn the_query_is_one_question_with_edns() {
    let query = expectation().query(0xbeef);
    let message = Message::from_octets(&query[..]).unwrap();
    let (header, counts) = (message.header(), message.header_counts());
    assert_eq!((header.id(), header.qr(), header.rd()), (0xbeef, false, false));
    assert_eq!((counts.qdcount(), counts.ancount(), counts.nscount(), counts.arcount()), (1, 0, 0, 1));
    assert_eq!(message.sole_question().unwrap().to_string(), "example.\tSOA\tIN");
    let opt = message.opt().unwrap();
    assert_eq!((opt.udp_payload_size(), opt.version(), opt.dnssec_ok()), (1232, 0, false));
}

#[test]
fn the_corpus_is_judged() {
    corpus("check_answer", bodies::dns);
}

/// A reply to a question of that type whose answer holds these records, each as type and data.
fn reply_of(qtype: RecordType, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut reply = Expectation::new("example.".parse().unwrap(), qtype).query(ID);
    reply.truncate(12 + 9 + 4);
    (reply[2], reply[7], reply[11]) = (0x84, u8::try_from(records.len()).unwrap(), 0);
    for (rtype, data) in records {
        reply.extend([0xc0, 12]);
        reply.extend(rtype.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        reply.extend(data);
    }
    reply
}

fn soa(serial: u32) -> (u16, Vec<u8>) {
    // Both names are pointers to the owner.
    let mut data = vec![0xc0, 12, 0xc0, 12];
    data.extend(serial.to_be_bytes());
    data.extend([0; 16]);
    (6, data)
}

/// A signature over an SOA record, valid from one second to another.
fn signature(from: u64, until: u64) -> (u16, Vec<u8>) {
    let seconds = |at: u64| u32::try_from(at & 0xffff_ffff).unwrap().to_be_bytes();
    let mut data = vec![0, 6, 13, 1, 0, 0, 0, 60];
    data.extend(seconds(until));
    data.extend(seconds(from));
    data.extend([0, 1, 0, 0, 0]);
    (46, data)
}

#[test]
fn what_an_operator_demands() {
    let now = NOW.0 / 1000;
    let day = 86_400;
    let of = |qtype: RecordType| Expectation::new("example.".parse().unwrap(), qtype);
    let fresh = |serial| Expectation { serial: Some(serial), ..of(RecordType::SOA) };
    let signed = Expectation { signed_for: Some(Duration::from_secs(3 * day)), ..of(RecordType::SOA) };
    let says = |qtype: &str, data: &str| {
        let qtype = qtype.parse().unwrap();
        Expectation { answer: vec![Data::parse(qtype, data).unwrap()], ..of(qtype) }
    };
    let two_days = Serial::Within(Duration::from_secs(2 * day));
    let a = |last| (1, vec![192, 0, 2, last]);
    let nothing = Expectation { code: ResponseCode::NXDOMAIN, ..of(RecordType::SOA) };
    let resolver = Expectation { recursive: true, ..of(RecordType::SOA) };
    let soa_reply = |serial| reply_of(RecordType::SOA, &[soa(serial)]);
    let signed_reply = |from, until| reply_of(RecordType::SOA, &[soa(1), signature(from, until)]);
    let mut missing = soa_reply(1)[..25].to_vec();
    (missing[3], missing[7]) = (3, 0);
    let mut without_authority = soa_reply(1);
    without_authority[2] = 0x81;
    let rows = [
        ("the address", says("A", "192.0.2.1"), reply_of(RecordType::A, &[a(7), a(1)])),
        ("another address", says("A", "192.0.2.1"), reply_of(RecordType::A, &[a(7)])),
        (
            "a compressed name",
            says("NS", "NS1.example."),
            reply_of(RecordType::NS, &[(2, b"\x03ns1\xc0\x0c".to_vec())]),
        ),
        ("a name that loops", says("NS", "ns1.example."), reply_of(RecordType::NS, &[(2, vec![0xc0, 37])])),
        ("a name and more", says("NS", "example."), reply_of(RecordType::NS, &[(2, vec![0xc0, 12, 0])])),
        (
            "a text in two strings",
            says("TXT", "ready"),
            reply_of(RecordType::TXT, &[(16, b"\x02re\x03ady".to_vec())]),
        ),
        ("a text cut short", says("TXT", "ready"), reply_of(RecordType::TXT, &[(16, b"\x09ready".to_vec())])),
        ("the serial", fresh(Serial::AtLeast(7)), soa_reply(7)),
        ("an old serial", fresh(Serial::AtLeast(8)), soa_reply(7)),
        ("a serial around the circle", fresh(Serial::AtLeast(u32::MAX)), soa_reply(0)),
        ("today's serial", fresh(two_days), soa_reply(2_026_112_301)),
        ("last week's serial", fresh(two_days), soa_reply(2_026_111_601)),
        ("a serial that is no date", fresh(two_days), soa_reply(7)),
        (
            "an SOA without a serial",
            fresh(two_days),
            reply_of(RecordType::SOA, &[(6, vec![0xc0, 12, 0xc0, 12, 0])]),
        ),
        ("a good signature", signed.clone(), signed_reply(now - day, now + 4 * day)),
        ("one that expires soon", signed.clone(), signed_reply(now - day, now + 2 * day)),
        ("an expired one", signed.clone(), signed_reply(now - day, now - 1)),
        ("one of the future", signed.clone(), signed_reply(now + 1, now + 9 * day)),
        (
            "an old and a new one",
            signed.clone(),
            reply_of(
                RecordType::SOA,
                &[soa(1), signature(now - 9, now + 9), signature(now - 9, now + 9 * day)],
            ),
        ),
        ("no signature", signed, soa_reply(1)),
        ("no such name, as it should be", nothing.clone(), missing.clone()),
        ("a name that should not be", nothing, soa_reply(1)),
        ("a resolver's answer", resolver, without_authority.clone()),
        ("the same of an authority", of(RecordType::SOA), without_authority),
    ];
    let table: String = rows
        .iter()
        .map(|(title, expectation, datagram)| format!("{title:32} {}\n", words_of(expectation, datagram)))
        .collect();
    insta::assert_snapshot!(table);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_bent_reply_is_judged(
        records in prop::collection::vec(prop::sample::select(vec!["SOA", "A", "CNAME", "SOA in CHAOS"]), 0..3),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut datagram = reply(|_| (), &records);
        for (at, octet) in bends {
            let at = at.index(datagram.len());
            datagram[at] = octet;
        }
        if let Some(cut) = cut {
            datagram.truncate(cut.index(datagram.len() + 1));
        }
        bodies::dns(&datagram);
    }

    #[test]
    fn any_octets_are_judged(mut datagram in prop::collection::vec(any::<u8>(), 0..100), ours: bool) {
        if ours && datagram.len() >= 4 {
            datagram[..4].copy_from_slice(&[0x12, 0x34, 0x84, 0]);
        }
        bodies::dns(&datagram);
    }
}
