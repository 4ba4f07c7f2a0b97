//! The model, over any frames: what must be true of each is true, and the corpora of the fuzz targets hold.

use crate::fleet::{FAMILIES, client, london, service};
use crate::frames::{ACK, SYN};
use crate::{arbitrary, bodies, fleet, frames};
use continuity::search::{Knowledge, LOOK, Learned};
use continuity::{Action, Count, Layer, Model, Settings, Site, State, Verdict, clamp};
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;
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
        let verdicts: u64 = Count::ALL[..15].iter().map(|count| counts.get(*count)).sum();
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

    /// A SYN of the service names what fits, and its checksum is right, wherever the option lies.
    #[test]
    fn a_clamped_segment_size_fits(named in any::<u16>(), before in 0..12_usize, mtu in 1336..9000_u16, over6: bool, calls: bool) {
        let family = FAMILIES[usize::from(over6)];
        let (client, service) = (client(family, 2), service(family));
        let mut settings = london();
        settings.mtu = mtu;
        let mut options = vec![1; before];
        options.extend([2, 4]);
        options.extend(named.to_be_bytes());
        options.resize(options.len().next_multiple_of(4), 0);
        let segment = frames::segment(service, client, if calls { SYN } else { SYN | ACK }, &options, b"");
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

proptest! {
    /// Whatever each site thinks that it knows, even if all of it is wrong: a packet ends after three journeys at most,
    /// and never comes to a site twice.
    #[test]
    fn no_packet_goes_round_the_fleet(
        claims in proptest::collection::vec(any::<[bool; 5]>(), 5),
        learned in proptest::collection::vec(proptest::option::of(1..6_u8), 5),
        first in 1..6_u8,
        is_confirmed: bool,
        flags in proptest::sample::select(&[ACK, SYN][..]),
    ) {
        let now = Timestamp::ZERO + LOOK;
        let learn = if is_confirmed { Learned::claimed } else { Learned::sent };
        let flow = fleet::flow("IPv4", 9);
        let mut models: Vec<_> = (1..6).map(|site| fleet_member(site, &claims)).collect();
        for (model, learned) in models.iter_mut().zip(learned) {
            model.knowledge.learned.extend(learned.map(|site| (flow, learn(fleet::number(site), Timestamp::ZERO))));
        }
        let mut frame = frames::tcp(client("IPv4", 9), service("IPv4"), flags, b"");
        let (mut here, mut been) = (first, vec![first]);
        loop {
            let outcome = models[usize::from(here) - 1].arrive(&frame, Layer::Ip, now);
            if outcome.action != Action::Transmit {
                // A site that does not know that another one has it takes a SYN.
                let end = if flags == SYN { Verdict::Opening } else { Verdict::Unclaimed };
                prop_assert_eq!(outcome.verdict, Some(end));
                break;
            }
            frame = outcome.frame;
            here = frame[17];
            prop_assert!(!been.contains(&here) && been.len() <= 3, "{:?} and then {}", been, here);
            been.push(here);
        }
    }
}

/// One of five sites, for which each of the others claims the flow or not.
fn fleet_member(number: u8, claims: &[[bool; 5]]) -> Model {
    let own = claims[usize::from(number) - 1];
    let other = |other: u8| {
        let owners: &[u8] = if own[usize::from(other) - 1] { &[9] } else { &[] };
        let address = fleet::address(&format!("10.{other}.0.10"));
        (fleet::number(other), Site { address, ..fleet::site(other, owners, State::Alive) })
    };
    let mut settings = london();
    settings.number = fleet::number(number);
    settings.source4 = Some(std::net::Ipv4Addr::new(10, number, 0, 10));
    settings.sites = (1..6).filter(|site| *site != number).map(other).collect();
    Model { settings: Some(settings), knowledge: Knowledge::default() }
}

/// The whole journey of one connection that moves: from London, which owns nothing of it, to its owner.
#[test]
fn a_flow_pays_once_and_is_forgotten_with_the_first_syn_after_its_end() {
    let mut settings = london();
    settings.paces.claims = fleet::pace(1);
    let mut model = bodies::model(settings);
    let arrive =
        |model: &mut Model, packet: &[u8]| model.arrive(packet, Layer::Ip, Timestamp::ZERO).verdict.unwrap();
    let flow = (client("IPv4", 2), service("IPv4"));
    let [data, syn] = [ACK, SYN].map(|flags| frames::tcp(flow.0, flow.1, flags, b""));
    let other = frames::tcp(client("IPv4", 3), flow.1, ACK, b"");
    let paris = fleet::number(2);
    assert_eq!(arrive(&mut model, &data), Verdict::Claimed(paris));
    assert_eq!(arrive(&mut model, &data), Verdict::Learned(paris));
    assert_eq!(arrive(&mut model, &other), Verdict::OverBudget);
    assert_eq!(arrive(&mut model, &data), Verdict::Learned(paris), "a flood does not touch what was learned");
    assert_eq!(
        arrive(&mut model, &syn),
        Verdict::Learned(paris),
        "nor does a SYN: Paris knows what to answer"
    );
    let ended = fleet::site(2, &[], State::Alive);
    model.settings.as_mut().unwrap().sites.insert(paris, ended);
    assert_eq!(arrive(&mut model, &syn), Verdict::Opening);
    assert_eq!(arrive(&mut model, &data), Verdict::Guessed(paris), "learned no more");
}

/// Paris gives a flow that London has learned to Tokyo: London finds it there as soon as both have said so, and not before.
#[test]
fn a_learned_flow_follows_when_its_owner_gives_it_away() {
    let (paris, tokyo) = (fleet::number(2), fleet::number(3));
    let says = |by_paris: &[u8], by_tokyo: &[u8]| {
        let mut settings = london();
        settings.sites.insert(paris, fleet::site(2, by_paris, State::Alive));
        settings.sites.insert(tokyo, fleet::site(3, by_tokyo, State::Alive));
        settings
    };
    let data = frames::tcp(client("IPv4", 9), service("IPv4"), ACK, b"");
    let learned = Learned::claimed(paris, Timestamp::ZERO);
    let old = Timestamp::ZERO + LOOK;
    let arrive = |settings: Settings, now: Timestamp| {
        let mut model = bodies::model(settings);
        model.knowledge.learned.insert(fleet::flow("IPv4", 9), learned);
        let verdicts = [now, now].map(|now| model.arrive(&data, Layer::Ip, now).verdict.unwrap());
        assert!(model.knowledge.counts.add_up());
        verdicts
    };
    assert_eq!(arrive(says(&[9], &[9]), old), [Verdict::Learned(paris); 2], "Paris says that it has it");
    assert_eq!(arrive(says(&[], &[]), old), [Verdict::Learned(paris); 2], "nobody else does");
    let soon = Timestamp::from_nanos(1);
    assert_eq!(arrive(says(&[], &[9]), soon), [Verdict::Learned(paris); 2], "looked at a moment ago");
    assert_eq!(arrive(says(&[], &[9]), old), [Verdict::Claimed(tokyo), Verdict::Learned(tokyo)]);
    let mut poor = says(&[], &[9]);
    poor.paces.claims = fleet::pace(0);
    assert_eq!(arrive(poor, old), [Verdict::Learned(paris); 2], "over budget it goes where it went");
    let mut silent = says(&[], &[9]);
    silent.sites.entry(paris).and_modify(|site| site.filter = None);
    assert_eq!(arrive(silent, old), [Verdict::Learned(paris); 2], "Paris says nothing");
}

/// London is held and relays a SYN to Paris, whose filter it has from before: the store is gone. Another site's filter is wrong
/// about the flow. It goes to Paris however long that takes, and follows once Paris has claimed it and claims it no more.
#[test]
fn a_relayed_flow_stays_with_its_owner_until_that_has_claimed_it() {
    let (paris, tokyo) = (fleet::number(2), fleet::number(3));
    let mut model = bodies::model(london());
    let mut says = |by_paris: &[u8], at: Timestamp, flags: u8| {
        let settings = model.settings.as_mut().unwrap();
        settings.relay = Some(paris);
        settings.sites.insert(paris, fleet::site(2, by_paris, State::Alive));
        settings.sites.insert(tokyo, fleet::site(3, &[9], State::Alive));
        let packet = frames::tcp(client("IPv4", 9), service("IPv4"), flags, b"");
        model.arrive(&packet, Layer::Ip, at).verdict.unwrap()
    };
    let minute = |minutes: u64| Timestamp::ZERO + Duration::from_secs(60 * minutes);
    assert_eq!(says(&[], minute(0), SYN), Verdict::Relayed(paris));
    assert_eq!(says(&[], minute(1), ACK), Verdict::Learned(paris), "its filter is from before");
    assert_eq!(says(&[], minute(2), ACK), Verdict::Learned(paris), "and still is");
    assert_eq!(says(&[9], minute(3), ACK), Verdict::Learned(paris), "it says that it has it");
    assert_eq!(says(&[], minute(4), ACK), Verdict::Claimed(tokyo), "it has given it away");
}

pub(crate) fn corpus(target: &str, body: fn(&[u8])) {
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
