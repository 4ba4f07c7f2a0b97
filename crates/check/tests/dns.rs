//! Which replies pass, which fail and why, which are not ours.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/bodies.rs"]
mod bodies;

use bodies::ID;
use check::dns::{Expectation, Judged};
use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype, Serial, Ttl};
use domain::rdata::{A, Cname, Soa};
use proptest::prelude::*;
use std::path::Path;
use terms::{RecordType, Verdict};

fn expectation() -> Expectation {
    Expectation { name: "example.".parse().unwrap(), qtype: RecordType::SOA }
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
                let soa = Soa::new(name("ns.test."), name("h.test."), Serial(1), ttl, ttl, ttl, ttl);
                builder.push((&owner, Class::IN, ttl, soa)).unwrap();
            }
            "SOA in CHAOS" => {
                let soa = Soa::new(name("ns.test."), name("h.test."), Serial(1), ttl, ttl, ttl, ttl);
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
    match expectation().judge(ID, datagram) {
        Judged::NotOurs => "not ours".to_owned(),
        Judged::Reply(Verdict::Pass) => "pass".to_owned(),
        Judged::Reply(Verdict::Fail { kind, reason }) => format!("{kind:?}: {reason}"),
        Judged::Reply(Verdict::Indeterminate { reason }) => format!("indeterminate: {reason}"),
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
    let https = Expectation { name: "example.".parse().unwrap(), qtype: RecordType::new(65) };
    let other = Expectation { qtype: RecordType::new(97), ..https.clone() };
    let mut echo = other.query(ID);
    echo[2] = 0x84;
    assert_eq!(https.judge(ID, &echo), Judged::NotOurs);
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
fn corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/check_answer");
    let datagrams: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!datagrams.is_empty());
    for path in datagrams {
        bodies::judge(&std::fs::read(path).unwrap());
    }
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
        bodies::judge(&datagram);
    }

    #[test]
    fn any_octets_are_judged(mut datagram in prop::collection::vec(any::<u8>(), 0..100), ours: bool) {
        if ours && datagram.len() >= 4 {
            datagram[..4].copy_from_slice(&[0x12, 0x34, 0x84, 0]);
        }
        bodies::judge(&datagram);
    }
}
