//! The model, over any frames: what must be true of each is true, and the corpora of the fuzz targets hold.

use crate::fleet::{FAMILIES, client, london, service};
use crate::frames::{ACK, SYN};
use crate::{arbitrary, bodies, fleet, frames};
use continuity::{Count, Layer, Verdict, clamp};
use proptest::prelude::*;
use std::path::Path;
use terms::Timestamp;

proptest! {
    #[test]
    fn every_frame_has_one_end(
        settings in arbitrary::settings(),
        frames in proptest::collection::vec(arbitrary::frame(), 1..30),
    ) {
        let mut model = bodies::model(settings.clone());
        for (layer, frame) in &frames {
            let outcome = model.arrive(frame, *layer, Timestamp::ZERO);
            bodies::holds(&settings, frame, *layer, &outcome);
        }
        let counts = model.knowledge.counts;
        prop_assert!(counts.add_up(), "{:?}", counts);
        let verdicts: u64 = Count::ALL[..14].iter().map(|count| counts.get(*count)).sum();
        prop_assert_eq!(verdicts, frames.len() as u64);
        prop_assert_eq!(counts.get(Count::Unsent), 0);
    }

    /// The others are spared: whatever comes, no more is claimed, guessed and reset than the budgets have.
    #[test]
    fn no_flood_costs_more_than_the_budgets(
        settings in arbitrary::settings(),
        frames in proptest::collection::vec(arbitrary::frame(), 1..60),
    ) {
        let mut model = bodies::model(settings.clone());
        for (layer, frame) in &frames {
            model.arrive(frame, *layer, Timestamp::ZERO);
        }
        let counts = model.knowledge.counts;
        let paces = settings.paces;
        for (count, pace) in
            [(Count::Claimed, paces.claims), (Count::Guessed, paces.guesses), (Count::Orphaned, paces.resets)]
        {
            prop_assert!(counts.get(count) <= u64::from(pace.burst), "{:?}: {:?}", count, counts);
        }
    }

    /// A SYN-ACK names what fits, and its checksum is right, wherever the option lies.
    #[test]
    fn a_clamped_segment_size_fits(named in any::<u16>(), before in 0..12_usize, mtu in 1336..9000_u16, over6: bool) {
        let family = FAMILIES[usize::from(over6)];
        let (client, service) = (client(family, 2), service(family));
        let mut settings = london();
        settings.mtu = mtu;
        let mut options = vec![1; before];
        options.extend([2, 4]);
        options.extend(named.to_be_bytes());
        options.resize(options.len().next_multiple_of(4), 0);
        let segment = frames::segment(service, client, SYN | ACK, &options, b"");
        let packet = frames::ip(service.ip(), client.ip(), 6, &segment);
        let mut clamped = packet.clone();
        let fits = settings.longest() - if over6 { 60 } else { 40 };
        // Ten options are walked through.
        let answer = clamp(&mut clamped, Layer::Ip, &settings);
        prop_assert_eq!(answer, (named > fits && before < 10).then_some(fits));
        match answer {
            None => prop_assert_eq!(clamped, packet),
            Some(lowered) => {
                let start = packet.len() - segment.len();
                let place = start + 20 + before + 2;
                prop_assert_eq!(&clamped[place..place + 2], &lowered.to_be_bytes());
                let sum = frames::transport_checksum(service.ip(), client.ip(), 6, &clamped[start..]);
                prop_assert_eq!(sum, 0, "with its checksum, a right segment sums up to nothing");
            }
        }
    }
}

/// The whole journey of one connection that moves: from London, which owns nothing of it, to its owner.
#[test]
fn a_flow_pays_once_and_is_forgotten_with_its_next_syn() {
    let mut settings = london();
    settings.paces.claims = fleet::pace(1);
    let mut model = bodies::model(settings);
    let mut arrive = |packet: &[u8]| model.arrive(packet, Layer::Ip, Timestamp::ZERO).verdict.unwrap();
    let flow = (client("IPv4", 2), service("IPv4"));
    let [data, syn] = [ACK, SYN].map(|flags| frames::tcp(flow.0, flow.1, flags, b""));
    let other = frames::tcp(client("IPv4", 3), flow.1, ACK, b"");
    assert_eq!(arrive(&data), Verdict::Claimed(fleet::number(2)));
    assert_eq!(arrive(&data), Verdict::Learned(fleet::number(2)));
    assert_eq!(arrive(&other), Verdict::OverBudget);
    assert_eq!(arrive(&data), Verdict::Learned(fleet::number(2)), "a flood does not touch what was learned");
    assert_eq!(arrive(&syn), Verdict::Opening);
    assert_eq!(arrive(&data), Verdict::OverBudget, "learned no more");
}

fn corpus(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "the corpus is there");
    files.iter().for_each(|file| body(&std::fs::read(file).unwrap()));
}

#[test]
fn the_corpus_of_shims() {
    corpus("continuity_shim", bodies::shim);
}

#[test]
fn the_corpus_of_frames() {
    corpus("continuity_frame", bodies::frames);
}
