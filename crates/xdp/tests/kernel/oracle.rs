//! Any frames, one after the other: the kernel and the model do the same with each, and know the same afterwards.

use crate::arbitrary;
use crate::cases::owned;
use crate::fleet;
use crate::fleet::{FAMILIES, client, london, service};
use crate::frames::{self, ACK, SYN};
use crate::kernel::{self, ROOM};
use continuity::explain::explain;
use continuity::search::{Knowledge, LOOK, Learned};
use continuity::{Count, Flow, Layer, Model, Settings, clamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rustix::time::{ClockId, clock_gettime};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use terms::Timestamp;
use xdp::{Continuity, Program};

/// Sequences of frames that are tried.
const CASES: u32 = 300;

fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() }
}

fn same(
    programs: &mut Continuity,
    settings: Settings,
    are_up: [bool; 3],
    learned: &[(u8, u8, bool)],
    frames: &[(Layer, Vec<u8>)],
) -> Result<(), TestCaseError> {
    programs.forget().unwrap();
    programs.tell(&settings).unwrap();
    // A flow of this host, one of Paris, and one whose fence is over.
    let over = Timestamp::from_nanos(1);
    let until = [(1, Timestamp::from_nanos(u64::MAX)), (2, Timestamp::from_nanos(u64::MAX)), (3, over)]
        .into_iter()
        .zip(are_up);
    let fenced: Vec<_> = until
        .filter(|(_, is_up)| *is_up)
        .flat_map(|((site, until), _)| FAMILIES.map(|family| (fleet::flow(family, site), until)))
        .collect();
    let mut fences = programs.fences().unwrap();
    fenced.iter().for_each(|(flow, until)| fences.fence(flow, *until).unwrap());
    let row = |(flow, site, is_confirmed): &(u8, u8, bool)| {
        let learn = if *is_confirmed { Learned::claimed } else { Learned::sent };
        let learned = learn(fleet::number(*site), Timestamp::ZERO);
        FAMILIES.map(|family| (fleet::flow(family, *flow), learned))
    };
    let learned: BTreeMap<_, _> = learned.iter().flat_map(row).collect();
    learned.iter().for_each(|(flow, learned)| fences.learn(flow, *learned).unwrap());
    let knowledge = Knowledge {
        learned,
        sockets: FAMILIES.map(owned).into(),
        fenced: fenced.into_iter().collect(),
        ..Knowledge::default()
    };
    let mut model = Model { settings: Some(settings), knowledge };
    let before = programs.counts().unwrap();
    for (layer, frame) in frames {
        let now = machine_time();
        let outcome = model.arrive(frame, *layer, now);
        let (action, changed) = kernel::arrive(programs, *layer, frame);
        if !is_one_look(now, machine_time()) {
            // The programs may have asked the filters, and the model not.
            drop(fences.held());
            return Ok(());
        }
        prop_assert_eq!(action, outcome.action, "{:?}", outcome.verdict);
        prop_assert_eq!(changed, outcome.frame, "{:?}", outcome.verdict);
        prop_assert_eq!(kernel::counted(programs, &before), model.knowledge.counts, "{:?}", outcome.verdict);
    }
    prop_assert_eq!(fences.held(), model.knowledge.held);
    let forwarded = programs.forwarded().unwrap();
    let learned: Vec<_> =
        forwarded.iter().map(|passage| (passage.flow, passage.site, passage.is_confirmed)).collect();
    let by_model = model.knowledge.learned.iter();
    prop_assert_eq!(
        learned,
        by_model.map(|(flow, learned)| (*flow, learned.site, learned.is_confirmed)).collect::<Vec<_>>()
    );
    for (family, site) in FAMILIES.into_iter().flat_map(|family| (1..7).map(move |site| (family, site))) {
        let known = client(family, site);
        said_beforehand_is_what_happens(programs, known, service(family))?;
        // One of the same prefix, that nobody claims.
        let other = SocketAddr::new(known.ip(), known.port() + 1);
        said_beforehand_is_what_happens(programs, other, service(family))?;
    }
    // What was held now is not the next case's.
    drop(fences.held());
    Ok(())
}

/// Whether no time has come between the two at which filters are asked again.
fn is_one_look(now: Timestamp, later: Timestamp) -> bool {
    let look = |at: Timestamp| u128::from(at.as_nanos()) / LOOK.as_nanos();
    look(now) == look(later)
}

#[test]
fn a_look_ends_when_filters_are_asked_again() {
    let [start, end] = [7, 8].map(|looks| Timestamp::ZERO + LOOK * looks);
    let just_before = Timestamp::from_nanos(end.as_nanos() - 1);
    assert!(is_one_look(start, just_before));
    assert!(!is_one_look(just_before, end));
}

/// Whoever asks is told what the programs then do with the next segment of a flow, and asking changes nothing.
fn said_beforehand_is_what_happens(
    programs: &Continuity,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<(), TestCaseError> {
    let flow = Flow::new(from, to);
    let mut known = programs.known_of(&flow).unwrap();
    known.knowledge.sockets = FAMILIES.map(owned).into();
    let settings = programs.told().unwrap();
    let said = || explain(settings, &known.knowledge, flow, machine_time()).verdict;
    let verdict = said();
    let before = programs.counts().unwrap();
    let segment = frames::ethernet(&frames::tcp(from, to, ACK, b""));
    let _ = kernel::arrive(programs, Layer::Ethernet, &segment);
    let counted = kernel::counted(programs, &before);
    if said() != verdict {
        // Between the two a time has come at which filters are asked again.
        return Ok(());
    }
    prop_assert_eq!(
        counted.get(verdict.into()),
        1,
        "{:?} was said of {}, and {:?} came",
        verdict,
        flow,
        counted
    );
    SAID.fetch_or(1 << Count::from(verdict) as u32, Ordering::Relaxed);
    Ok(())
}

/// Which verdicts were said beforehand, a bit for each.
static SAID: AtomicU32 = AtomicU32::new(0);

/// The clock that the programs have.
fn machine_time() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    Timestamp::ZERO + Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

#[test]
fn the_kernel_does_what_the_model_does() {
    kernel::inside(|pins| {
        let _sockets = kernel::Sockets::open();
        let programs = RefCell::new(Continuity::load(pins, ROOM).unwrap());
        let any = (
            arbitrary::settings(),
            any::<[bool; 3]>(),
            proptest::collection::vec((1..5_u8, 2..5_u8, any::<bool>()), 0..3),
            proptest::collection::vec(arbitrary::frame(), 1..25),
        );
        let mut runner = TestRunner::new(config());
        let result = runner.run(&any, |(settings, are_up, learned, frames)| {
            same(&mut programs.borrow_mut(), settings, are_up, &learned, &frames)
        });
        assert!(result.is_ok(), "{}", result.unwrap_err());
        // What never happens is not tested.
        let counts = programs.borrow().counts().unwrap();
        let never: Vec<_> = Count::ALL.into_iter().filter(|count| counts.get(*count) == 0).collect();
        assert_eq!(never, [Count::Unsent], "{counts:?}");
        let said = SAID.load(Ordering::Relaxed);
        for count in [
            Count::Held,
            Count::Owned,
            Count::Learned,
            Count::Claimed,
            Count::Guessed,
            Count::Orphaned,
            Count::OverBudget,
            Count::Unclaimed,
        ] {
            assert!(said >> count as u32 & 1 == 1, "nobody was told {count:?}");
        }
    });
}

#[test]
fn the_kernel_clamps_what_the_model_clamps() {
    kernel::inside(|pins| {
        let programs = RefCell::new(Continuity::load(pins, ROOM).unwrap());
        let any_octet = prop_oneof![3 => Just(1_u8), 2 => Just(2), 2 => Just(4), 3 => any::<u8>()];
        let strange = proptest::collection::vec(any_octet, 0..40);
        let good = (0..12_usize, any::<[u8; 2]>())
            .prop_map(|(before, named)| [&vec![1; before], &[2, 4][..], &named].concat());
        let options = prop_oneof![strange, good];
        let flags = prop_oneof![4 => Just(SYN | ACK), 1 => any::<u8>()];
        let any = (options, flags, any::<bool>(), 1336..4000_u16, any::<bool>());
        let mut runner = TestRunner::new(config());
        let result = runner.run(&any, |(mut options, flags, over6, mtu, is_service)| {
            options.resize(options.len().next_multiple_of(4), 0);
            let family = FAMILIES[usize::from(over6)];
            let (from, to) = if is_service {
                (service(family), client(family, 2))
            } else {
                (client(family, 2), service(family))
            };
            let segment = frames::segment(from, to, flags, &options, b"");
            let frame = frames::ethernet(&frames::ip(from.ip(), to.ip(), 6, &segment));
            let settings = Settings { mtu, ..london() };
            let mut programs = programs.borrow_mut();
            programs.tell(&settings).unwrap();
            let trial = programs.trial(Program::ClampEthernet, &frame, 1).unwrap();
            let mut clamped = frame;
            clamp(&mut clamped, Layer::Ethernet, &settings);
            // TC_ACT_UNSPEC of linux/pkt_cls.h: other filters are asked, too.
            prop_assert_eq!(trial.answer, u32::MAX);
            prop_assert_eq!(trial.frame, clamped);
            Ok(())
        });
        assert!(result.is_ok(), "{}", result.unwrap_err());
    });
}
