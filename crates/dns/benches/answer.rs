//! What one answer costs, without the network: a zone of 1,000 names and one of 1,000,000, asked in an order that no
//! cache foresees.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dns::{Arrival, Identity, Outcome, Secret, Secrets, Server, Transport, Zone, Zones, answer, zone};
use std::fmt::Write;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::sync::Arc;
use terms::{DomainName, Timestamp, WallTime};

/// The site that answers.
struct Site {
    zones: Zones,
    identity: Identity,
    secrets: Secrets,
}

impl Site {
    fn new(zones: Vec<Arc<Zone>>) -> Site {
        Site {
            zones: Zones::new(zones).unwrap(),
            identity: Identity::new(&"london".parse().unwrap(), None),
            secrets: Secrets::new(Secret([7; 16])),
        }
    }

    fn answer(&self, message: &[u8], out: &mut [u8]) -> Outcome {
        let Site { zones, identity, secrets } = self;
        let client = Ipv4Addr::new(192, 0, 2, 7).into();
        let (now, wall) = (Timestamp::ZERO, WallTime(1_800_000_000_000));
        let arrival =
            Arrival { message, client, transport: Transport::Udp, patience: None, reserved: 0, now, wall };
        answer(&Server { zones, identity, secrets }, None, &arrival, out)
    }
}

fn zone_text(names: usize) -> String {
    let mut text = String::from(
        "$ORIGIN bench.example.\n$TTL 3600\n@ SOA ns h 1 3600 900 604800 300\n NS ns\nns A 192.0.2.1\n",
    );
    for n in 0..names {
        writeln!(text, "host{n} A 192.0.2.{}", n % 256).unwrap();
    }
    text
}

fn query(name: &str) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    message.extend_from_slice(name.parse::<DomainName>().unwrap().as_wire());
    message.extend_from_slice(&[0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    message
}

/// The query with a cookie that the site gave for it.
fn with_cookie(site: &Site, query: &[u8]) -> Vec<u8> {
    let mut message = query.to_vec();
    let length = message.len();
    message[length - 1] = 12;
    message.extend_from_slice(&[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    let mut out = [0; 1232];
    let Outcome::Reply { length: end, .. } = site.answer(&message, &mut out) else { panic!("no reply") };
    message.truncate(length);
    message[length - 1] = 28;
    message.extend_from_slice(&out[end - 28..end]);
    message
}

fn answers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(1));
    for names in [1_000, 1_000_000] {
        let site = Site::new(vec![Arc::new(zone::parse(&zone_text(names)).unwrap())]);
        let there: Vec<Vec<u8>> =
            (0..4096).map(|n| query(&format!("host{}.bench.example.", n * 7919 % names))).collect();
        let missing: Vec<Vec<u8>> = (0..4096).map(|n| query(&format!("none{n}.bench.example."))).collect();
        let with_cookie = there.iter().map(|query| with_cookie(&site, query)).collect();
        for (title, queries) in [("there", there), ("missing", missing), ("with a cookie", with_cookie)] {
            let mut out = [0; 1232];
            let mut turn = queries.iter().cycle();
            group.bench_function(format!("{title} of {names}"), |bencher| {
                bencher.iter(|| {
                    let message = turn.next().unwrap();
                    let outcome = site.answer(black_box(message), &mut out);
                    assert!(matches!(outcome, Outcome::Reply { .. }));
                });
            });
        }
    }
    group.finish();
}

/// A signed zone, asked with DO: answers, proofs, referrals.
fn signed_answers(criterion: &mut Criterion) {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    let site = Site::new(vec![
        zone(include_str!("../tests/zones/nsec.zone")),
        zone(include_str!("../tests/zones/opt-out.zone")),
    ]);
    let mut group = criterion.benchmark_group("signed");
    group.throughput(Throughput::Elements(1));
    for (title, name) in [
        ("there", "host1.parent.test."),
        ("missing, NSEC", "x.host1.parent.test."),
        ("missing, NSEC3", "nobody.child.parent.test."),
        ("referral", "x.wide.parent.test."),
        ("a chain of aliases", "one.parent.test."),
    ] {
        let mut message = query(name);
        let flags = message.len() - 4;
        message[flags] = 0x80;
        let mut out = [0; 1232];
        group.bench_function(title, |bencher| {
            bencher.iter(|| site.answer(black_box(&message), &mut out));
        });
    }
    group.finish();
}

fn loading(criterion: &mut Criterion) {
    let text = zone_text(10_000);
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Elements(10_000)).sample_size(10);
    group.bench_function("10,000 names", |bencher| bencher.iter(|| zone::parse(black_box(&text)).unwrap()));
    let image: Arc<[u8]> = zone::parse(&text).unwrap().image().unwrap().into();
    group.bench_function("10,000 names from an image", |bencher| {
        bencher.iter(|| Zone::from_image(Arc::clone(black_box(&image))).unwrap());
    });
    group.finish();
}

criterion_group!(benches, answers, signed_answers, loading);
criterion_main!(benches);
