//! Decode rate: the same real UPDATEs through three decoders, in turns. All of them read every message into owned
//! values; ours also judges it (RFC 7606). That they agree on what the messages say is shown by the test `oracles`.
//!
//! `cargo bench -p bgp` prints rows of a table.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use bgp::session::PeerKind;
use bgp::wire::framer::Framer;
use bgp::wire::message::Message;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::Verdict;
use bgpkit_parser::models::{AsnLength, BgpMessage as BgpkitMessage};
use bytes::Bytes;
use netgauze_bgp_pkt::BgpMessage;
use netgauze_bgp_pkt::wire::deserializer::BgpParsingContext;
use netgauze_parse_utils::{reader::SliceReader, traits::ParseFromWithOneInput};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;

/// Rounds; in each the decoders take turns.
const ROUNDS: usize = 15;

/// How often a decoder reads everything in one round.
const TIMES: usize = 100;

/// Reads a message; answers whether it was an UPDATE that the decoder understood.
type Decoder = Box<dyn FnMut(&Bytes) -> bool>;

fn main() {
    let messages = messages();
    let mut decoders = decoders();
    let mut rounds: Vec<Vec<f64>> = decoders.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((name, decode), took) in decoders.iter_mut().zip(&mut rounds) {
            let began = processor_micros();
            let read =
                (0..TIMES).flat_map(|_| &messages).filter(|message| decode(black_box(message))).count();
            took.push((processor_micros() - began) / TIMES as f64);
            assert_eq!(read, messages.len() * TIMES, "{name} did not read every message");
        }
    }
    println!("| decoder | processor time for {} UPDATEs, µs | time / Catchment |", messages.len());
    println!("|---|---|---|");
    for ((name, _), took) in decoders.iter().zip(&rounds) {
        let ratios = took.iter().zip(&rounds[0]).map(|(theirs, ours)| theirs / ours);
        println!("| {name} | {} | {} |", spread(took.clone(), 0), spread(ratios.collect(), 2));
    }
}

/// What this thread has used of a processor, µs: whatever else runs on the machine counts less.
fn processor_micros() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}

/// "median (least to most)".
fn spread(mut figures: Vec<f64>, digits: usize) -> String {
    figures.sort_by(f64::total_cmp);
    let [least, median, most] = [0, figures.len() / 2, figures.len() - 1].map(|rank| figures[rank]);
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}

fn messages() -> Vec<Bytes> {
    let mut framer = Framer::default();
    framer.push(include_bytes!("../tests/data/updates-four-octet-asn.bgp"));
    let mut messages = Vec::new();
    while let Some(message) = framer.next_message().unwrap() {
        messages.push(Bytes::copy_from_slice(message));
    }
    messages
}

/// Ours first.
fn decoders() -> [(&'static str, Decoder); 3] {
    let negotiated = Negotiated::plain(PeerKind::External);
    let mut context = BgpParsingContext::new(true, [].into(), [].into(), true, true, true, true);
    [
        (
            "Catchment",
            Box::new(move |message| match Message::decode(message) {
                Ok(Message::Update(body)) => {
                    !matches!(black_box(Verdict::decode(&body, &negotiated)), Verdict::Reset(_))
                }
                _ => false,
            }),
        ),
        (
            "bgpkit-parser",
            Box::new(|message| {
                let (mut octets, width) = (message.clone(), AsnLength::Bits32);
                let read = bgpkit_parser::parser::bgp::parse_bgp_message(&mut octets, false, &width);
                matches!(black_box(read), Ok(BgpkitMessage::Update(_)))
            }),
        ),
        (
            "netgauze-bgp-pkt",
            Box::new(move |message| {
                let read = BgpMessage::parse(&mut SliceReader::new(message), &mut context);
                matches!(black_box(read), Ok(BgpMessage::Update(_)))
            }),
        ),
    ]
}
