//! The records of an image: what was put in comes out, and makes the same image again.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/generated.rs"]
mod generated;

use dns::zone::{self, Received, Zone, ZoneRecords};
use std::collections::BTreeSet;
use terms::{NamesInData, Record, RecordType};

const ZONES: [&str; 8] = [
    include_str!("zones/example.zone"),
    include_str!("zones/big.zone"),
    include_str!("zones/nsec.zone"),
    include_str!("zones/opt-out.zone"),
    include_str!("zones/parent.zone"),
    include_str!("zones/child.zone"),
    include_str!("zones/digest.zone"),
    include_str!("zones/root-excerpt.zone"),
];

fn records(zone: &Zone) -> Vec<Record> {
    zone.authority().into_iter().chain(ZoneRecords::of(zone)).collect()
}

fn canonical(zone: &Zone) -> BTreeSet<Record> {
    let canonical = |record: Record| {
        let data = NamesInData::of(record.kind).canonical(&record.data).into();
        Record { data, ..record }
    };
    records(zone).into_iter().map(canonical).collect()
}

/// As if the records came from another server.
fn received(zone: &Zone, records: impl Iterator<Item = Record>) -> Zone {
    let mut received = Received::new(zone.apex().clone());
    records.for_each(|record| received.push(&record).unwrap());
    received.finish().unwrap()
}

#[test]
fn records_come_out_and_make_the_same_image() {
    for text in ZONES {
        let zone = zone::parse(text).unwrap();
        let all = records(&zone);
        assert!(all.len() > 1 && all[0].kind == RecordType::SOA, "{:?}", all[0]);
        assert_eq!(all[1..].iter().filter(|record| record.kind == RecordType::SOA).count(), 0);
        for again in [received(&zone, all.iter().cloned()), received(&zone, all.iter().rev().cloned())] {
            assert!(again.image() == zone.image(), "{}", zone.apex());
        }
    }
}

#[test]
fn of_generated_zones_too() {
    for seed in 0..8 {
        let zone = zone::parse(&generated::zone(&format!("z{seed}.test."), seed)).unwrap();
        let again = received(&zone, records(&zone).into_iter());
        // A name that ends as one before it in the set is compressed and takes over its case, and then its order.
        assert_eq!(canonical(&again), canonical(&zone), "{seed}");
        assert_eq!((again.names(), again.serial()), (zone.names(), zone.serial()));
    }
}

/// Texts are octets, whatever letters they are written with; NSD and BIND read them so, too.
#[test]
fn a_text_may_have_letters_beyond_ascii() {
    let head = "$ORIGIN example.\n; für alle\n@ 60 SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";
    let text = "a 60 TXT \"caffè\" naïve \"\\\"☕\\\"\" \\195\\168\na NAPTR 1 1 \"è\" \"\" \"\" .\na CAA 0 issue \"ça.test\"\n";
    let zone = zone::parse(&format!("{head}{text}")).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let data: Vec<Vec<u8>> = records(&zone).iter().skip(2).map(|record| record.data.to_vec()).collect();
    let texts = [("caffè", 6), ("naïve", 6), ("\"☕\"", 5), ("è", 2)];
    let texts = texts.map(|(text, length)| [&[length], text.as_bytes()].concat()).concat();
    let naptr = ["\0\x01\0\x01\x02è\0\0\0".as_bytes()].concat();
    let caa = "\0\x05issueça.test".as_bytes().to_vec();
    assert_eq!(data, [texts, naptr, caa]);
    let name = zone::parse(&format!("{head}a CNAME é\n")).unwrap_err();
    assert!(name[0].message.contains("`xn--` form"), "{name:?}");
}

/// Written here by hand, counted by hand.
#[test]
fn no_record_is_left_out() {
    let text = "$ORIGIN example.\n$TTL 60\n@ SOA ns.Other. h.other. 1 2 3 4 5\n@ NS NS.sub\nNS.sub A 192.0.2.1\n\
                a.b.c MX 10 A.B.c\na.b.c MX 20 MAIL.other.\na.b.c A 192.0.2.2\n\
                2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 0 3 aabb 2vptu5timamqttgl4luu9kg21e0aor3s A\n";
    let shown: Vec<String> = records(&zone::parse(text).unwrap())
        .iter()
        .map(|Record { owner, kind, ttl, data }| format!("{owner} {ttl} {kind} {}", data.escape_ascii()))
        .collect();
    assert_eq!(
        shown,
        [
            r"example. 60 SOA \x02ns\x05Other\x00\x01h\x05Other\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05",
            r"example. 60 NS \x02NS\x03sub\x07example\x00",
            r"a.b.c.example. 60 A \xc0\x00\x02\x02",
            r"a.b.c.example. 60 MX \x00\n\x01a\x01b\x01c\x07example\x00",
            r"a.b.c.example. 60 MX \x00\x14\x04MAIL\x05other\x00",
            r"ns.sub.example. 60 A \xc0\x00\x02\x01",
            "2vptu5timamqttgl4luu9kg21e0aor3s.example. 60 NSEC3 \\x01\\x00\\x00\\x03\\x02\\xaa\\xbb\\x14\\x17\\xf3\\xdf\\x17\\xb2\\xb2\\xad\\xae\\xf6\\x15%}\\xe4\\xd2\\x02\\x0b\\x80\\xacl|\\x00\\x01@",
        ]
    );
}

#[test]
fn what_cannot_be_served_is_refused() {
    let zone = zone::parse(ZONES[0]).unwrap();
    let all = records(&zone);
    let finish = |records: &[Record]| {
        let mut received = Received::new(zone.apex().clone());
        records.iter().for_each(|record| received.push(record).unwrap());
        received.finish().map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(finish(&all[1..]), "the zone has no SOA record");
    let other =
        Record { data: all[0].data.iter().rev().copied().collect::<Vec<u8>>().into(), ..all[0].clone() };
    let mut received = Received::new(zone.apex().clone());
    assert!(received.push(&other).unwrap_err().to_string().contains("not data of this type"));
    let twice = Record {
        ttl: 7,
        data: [&all[0].data[..all[0].data.len() - 1], &[9]].concat().into(),
        ..all[0].clone()
    };
    assert_eq!(finish(&[&all[..], &[twice]].concat()), "a second SOA record");
    let signature = [&[0, 99, 13, 2][..], &[0; 14], b"\x07example\0sig"].concat();
    let alone = Record { kind: RecordType::RRSIG, data: signature.into(), ..all[0].clone() };
    let message = finish(&[&all[..], &[alone]].concat());
    assert!(message.starts_with("a signature of SPF records"), "{message}");
    let mut digested = records(&zone::parse(include_str!("zones/digest.zone")).unwrap());
    let last = digested.pop().unwrap();
    let mut received = Received::new(digested[0].owner.clone());
    digested.iter().for_each(|record| received.push(record).unwrap());
    let message = received.finish().map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("digest"), "{last:?}: {message}");
}

/// A name server without an address, records of one set with two TTLs: the primary has to know.
#[test]
fn what_is_odd_is_served_as_it_is() {
    let zone =
        zone::parse("$ORIGIN example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n").unwrap();
    let mut all = records(&zone);
    all.retain(|record| record.kind != RecordType::A);
    let a = |ttl, last| Record {
        owner: "www.example.".parse().unwrap(),
        kind: RecordType::A,
        ttl,
        data: vec![192, 0, 2, last].into(),
    };
    all.extend([a(60, 1), a(61, 2)]);
    let odd = received(&zone, all.iter().cloned());
    assert_eq!(records(&odd), all);
}
