//! Random histories: check results in plausible runs, orders, a fleet that grants or does not, peers that know
//! something else, lost addresses, late timers and suspends.

use announce::{
    Backoff, BlindPolicy, CheckId, CheckSettings, Condition, Drain, Fold, Input, Intent, Memory, Order,
    Permit, Readback, Reconcile, Scope, Settings, Warmth,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{FailKind, Reason, Timestamp, Verdict};

/// How often every check runs.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// One input and when it comes.
#[derive(Clone, Debug)]
pub struct Moment {
    pub at: Timestamp,
    pub input: Input,
    /// Time jumped here: no timer could be given while it passed.
    pub slept: bool,
}

pub type Script = Vec<Moment>;

/// Everything that one run is made of.
#[derive(Clone, Debug)]
pub struct Case {
    pub settings: Settings,
    pub memory: Memory,
    pub world: World,
    pub script: Script,
}

/// How the world answers the machine by itself, beside what the script says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    /// The fleet grants what is asked for, at once.
    pub grants: bool,
    /// The peers know every new level, at once.
    pub reads_back: bool,
}

impl World {
    /// A site without a fleet and with good peers.
    pub const KIND: World = World { grants: true, reads_back: true };
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What a script is made of.
#[derive(Clone, Debug)]
enum Piece {
    /// So many rounds, in which every check finds what stands here for it, over and over.
    Rounds {
        count: usize,
        found: Vec<[Verdict; 3]>,
        jitter: u64,
    },
    Warmth([bool; 3]),
    One(Input),
    Suspend(u64),
    Wait(u64),
}

pub fn definite() -> Verdict {
    Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("connection refused") }
}

pub fn timeout() -> Verdict {
    Verdict::Fail { kind: FailKind::Timeout, reason: Reason::from("no answer within 80 ms") }
}

pub fn unknown() -> Verdict {
    Verdict::Indeterminate { reason: Reason::from("no file descriptor left") }
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        8 => Just(Verdict::Pass),
        1 => Just(definite()),
        1 => Just(timeout()),
        1 => Just(unknown()),
    ]
}

fn any_trouble() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Pass), Just(definite()), Just(timeout()), Just(unknown())]
}

fn any_piece() -> impl Strategy<Value = Piece> {
    let steady = [any_verdict(), any_verdict(), any_verdict()];
    let wavering = [any_trouble(), any_trouble(), any_trouble()];
    let found = prop_oneof![3 => vec(steady, 1), 1 => vec(wavering, 2..4)];
    let rounds = (1_usize..14, found, 0_u64..60);
    prop_oneof![
        14 => rounds.prop_map(|(count, found, jitter)| Piece::Rounds { count, found, jitter }),
        2 => any_warmth().prop_map(Piece::Warmth),
        4 => any_intent().prop_map(Input::Intent).prop_map(Piece::One),
        1 => any_permit().prop_map(Input::Permit).prop_map(Piece::One),
        1 => any_readback().prop_map(Input::Told).prop_map(Piece::One),
        1 => prop::bool::weighted(0.3).prop_map(Input::Overload).prop_map(Piece::One),
        1 => (0_u32..6).prop_map(Input::Connections).prop_map(Piece::One),
        1 => prop_oneof![200_u64..5_000, 100_000_u64..100_000_000].prop_map(Piece::Suspend),
        1 => (1_u64..4_000).prop_map(Piece::Wait),
    ]
}

pub fn order() -> Order {
    Order { who: Reason::from("alice"), reason: Reason::from("maintenance") }
}

fn any_intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        5 => Just(Intent::Normal),
        3 => Just(Intent::Drain(order())),
        2 => any::<bool>().prop_map(|override_guard| Intent::Withdraw { order: order(), override_guard }),
        1 => Just(Intent::Freeze(order())),
        1 => Just(Intent::ForceAnnounce(order())),
    ]
}

fn any_permit() -> impl Strategy<Value = Permit> {
    prop_oneof![Just(Permit::None), Just(Permit::Asked), Just(Permit::Held)]
}

fn any_readback() -> impl Strategy<Value = Readback> {
    let peers = vec!["transit-a".parse().unwrap()];
    prop_oneof![Just(Readback::Agrees), Just(Readback::Differs { peers })]
}

fn any_warmth() -> impl Strategy<Value = [bool; 3]> {
    prop_oneof![3 => Just([true; 3]), 1 => any::<[bool; 3]>()]
}

fn any_check() -> impl Strategy<Value = CheckSettings> {
    let hang_after = prop_oneof![Just(0_u64), Just(100), Just(300), Just(1_000)];
    let scope = prop_oneof![4 => Just(Scope::Local), 1 => Just(Scope::Dependency)];
    let service = prop_oneof![Just("dns"), Just("web")];
    (1_u32..4, 1_u32..5, hang_after, scope, service).prop_map(|(fall, rise, hang_after, scope, service)| {
        CheckSettings {
            service: service.parse().unwrap(),
            name: "soa".to_owned(),
            interval: INTERVAL,
            fall: NonZeroU32::new(fall).unwrap(),
            rise: NonZeroU32::new(rise).unwrap(),
            hang_after: millis(hang_after),
            scope,
        }
    })
}

fn any_fold() -> impl Strategy<Value = Fold> {
    let two = NonZeroU32::new(2).unwrap();
    prop_oneof![4 => Just(Fold::All), 1 => Just(Fold::Any), 1 => Just(Fold::AtLeast(two))]
}

fn any_drain() -> impl Strategy<Value = Drain> {
    (0_u64..3_000, 0_u64..1_500, 0_u32..4).prop_map(|(at_least, convergence, connections)| Drain {
        at_least: millis(at_least),
        convergence: millis(convergence),
        connections,
    })
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let backoff = (0_u64..600, 0_u64..3_000, 500_u64..6_000).prop_map(|(base, cap, forgiven_after)| {
        Backoff { base: millis(base), cap: millis(cap), forgiven_after: millis(forgiven_after) }
    });
    let reconcile = (50_u64..1_000, 1_u32..4)
        .prop_map(|(every, alarm_after)| Reconcile { every: millis(every), alarm_after });
    let blind = prop_oneof![Just(BlindPolicy::Alarm), Just(BlindPolicy::Deprefer)];
    let never = prop::bool::weighted(0.2);
    (vec(any_check(), 1..=3), any_fold(), backoff, blind, any_drain(), never, reconcile).prop_map(
        |(mut checks, fold, backoff, blind, drain, never_withdraw, reconcile)| {
            for (number, check) in checks.iter_mut().enumerate() {
                check.name = format!("soa {number}");
            }
            let blind_after = millis(1_000);
            let new = Settings::new("anycast".parse().unwrap(), checks);
            Settings { fold, backoff, blind_after, blind, drain, never_withdraw, reconcile, ..new }
        },
    )
}

fn any_memory() -> impl Strategy<Value = Memory> {
    let failures = prop_oneof![4 => 0_u32..4, 1 => any::<u32>()];
    let left = prop_oneof![3 => Just(0_u64), 1 => 0_u64..10_000];
    (failures, left).prop_map(|(failures, left)| Memory { failures, back_off_left: millis(left) })
}

/// Most begin warm, to get somewhere.
pub fn any_case() -> impl Strategy<Value = Case> {
    let world = (prop::bool::weighted(0.6), prop::bool::weighted(0.7));
    (any_settings(), any_memory(), world, any_warmth(), vec(any_piece(), 1..24)).prop_map(
        |(settings, memory, (grants, reads_back), met, pieces)| {
            let checks = settings.checks.len();
            let pieces = std::iter::once(Piece::Warmth(met)).chain(pieces);
            Case { settings, memory, world: World { grants, reads_back }, script: play(pieces, checks) }
        },
    )
}

fn play(pieces: impl Iterator<Item = Piece>, checks: usize) -> Script {
    let mut script = Script::new();
    let mut at = Timestamp::ZERO;
    let mut slept = false;
    for piece in pieces {
        let mut give = |at, input| {
            script.push(Moment { at, input, slept: std::mem::take(&mut slept) });
        };
        match piece {
            Piece::Rounds { count, found, jitter } => {
                for round in 0..count {
                    let early = millis(jitter * (round as u64 % 2));
                    at = at + (INTERVAL - early);
                    for (check, verdict) in found[round % found.len()].iter().take(checks).enumerate() {
                        give(at, Input::Check { check: CheckId(check), verdict: verdict.clone() });
                    }
                }
            }
            Piece::Warmth(met) => {
                let [ready, address, self_query] =
                    met.map(|met| Condition { met, words: Reason::from("as last looked") });
                give(at, Input::Warmth(Warmth { ready, address, self_query }));
            }
            Piece::One(input) => give(at, input),
            Piece::Suspend(gap) => {
                at = at + millis(gap);
                slept = true;
            }
            Piece::Wait(gap) => at = at + millis(gap),
        }
    }
    script
}
