//! Decode rate: the same real UPDATEs through three decoders, side by side. All of them read every message into owned
//! values; ours also judges it (RFC 7606).

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use bgp::session::PeerKind;
use bgp::wire::framer::Framer;
use bgp::wire::message::Message;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::Verdict;
use bgpkit_parser::models::AsnLength;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netgauze_bgp_pkt::BgpMessage;
use netgauze_bgp_pkt::wire::deserializer::BgpParsingContext;
use netgauze_parse_utils::{reader::SliceReader, traits::ParseFromWithOneInput};
use std::hint::black_box;

fn messages() -> Vec<Bytes> {
    let mut framer = Framer::default();
    framer.push(include_bytes!("../tests/data/updates-four-octet-asn.bgp"));
    let mut messages = Vec::new();
    while let Some(message) = framer.next_message().unwrap() {
        messages.push(Bytes::copy_from_slice(message));
    }
    messages
}

fn ours(message: &[u8], negotiated: &Negotiated) -> Verdict {
    match Message::decode(message) {
        Ok(Message::Update(body)) => Verdict::decode(&body, negotiated),
        other => panic!("{other:?} is no UPDATE"),
    }
}

fn decoders(criterion: &mut Criterion) {
    let messages = messages();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(messages.len().try_into().unwrap()));

    let negotiated = Negotiated::plain(PeerKind::External);
    group.bench_function("catchment", |bencher| {
        bencher.iter(|| messages.iter().for_each(|message| drop(ours(black_box(message), &negotiated))));
    });
    group.bench_function("bgpkit-parser", |bencher| {
        bencher.iter(|| {
            for message in &messages {
                let mut octets = black_box(message).clone();
                let width = AsnLength::Bits32;
                drop(bgpkit_parser::parser::bgp::parse_bgp_message(&mut octets, false, &width));
            }
        });
    });
    group.bench_function("netgauze", |bencher| {
        let mut context = BgpParsingContext::new(true, [].into(), [].into(), true, true, true, true);
        bencher.iter(|| {
            for message in &messages {
                drop(BgpMessage::parse(&mut SliceReader::new(black_box(message)), &mut context));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, decoders);
criterion_main!(benches);
