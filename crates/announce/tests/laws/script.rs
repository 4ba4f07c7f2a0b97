//! Random histories: check results in plausible runs, operators, lost addresses, late timers and suspends.

use announce::{Backoff, CheckId, CheckSettings, Condition, Input, Intent, Memory, Settings, Warmth};
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
    Withdraw(bool),
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
        12 => rounds.prop_map(|(count, found, jitter)| Piece::Rounds { count, found, jitter }),
        2 => any_warmth().prop_map(Piece::Warmth),
        1 => any::<bool>().prop_map(Piece::Withdraw),
        1 => prop_oneof![200_u64..5_000, 100_000_u64..100_000_000].prop_map(Piece::Suspend),
        1 => (1_u64..4_000).prop_map(Piece::Wait),
    ]
}

fn any_warmth() -> impl Strategy<Value = [bool; 3]> {
    prop_oneof![3 => Just([true; 3]), 1 => any::<[bool; 3]>()]
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let check = (1_u32..4, 1_u32..5, prop_oneof![Just(0_u64), Just(100), Just(300), Just(1_000)]).prop_map(
        |(fall, rise, hang_after)| CheckSettings {
            service: "dns".parse().unwrap(),
            name: "soa".to_owned(),
            interval: INTERVAL,
            fall: NonZeroU32::new(fall).unwrap(),
            rise: NonZeroU32::new(rise).unwrap(),
            hang_after: millis(hang_after),
        },
    );
    let backoff = (0_u64..600, 0_u64..3_000, 500_u64..6_000);
    (vec(check, 1..=3), backoff).prop_map(|(checks, (base, cap, forgiven_after))| Settings {
        group: "anycast".parse().unwrap(),
        checks,
        backoff: Backoff { base: millis(base), cap: millis(cap), forgiven_after: millis(forgiven_after) },
        blind_after: millis(1_000),
    })
}

/// Settings, a memory and a script that fits them. Most begin warm, to get somewhere.
pub fn any_case() -> impl Strategy<Value = (Settings, Memory, Script)> {
    let memory = prop_oneof![4 => 0_u32..4, 1 => any::<u32>()].prop_map(|failures| Memory { failures });
    (any_settings(), memory, any_warmth(), vec(any_piece(), 1..24)).prop_map(
        |(settings, memory, met, pieces)| {
            let checks = settings.checks.len();
            let pieces = std::iter::once(Piece::Warmth(met)).chain(pieces);
            (settings, memory, play(pieces, checks))
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
            Piece::Withdraw(true) => {
                let (who, reason) = (Reason::from("alice"), Reason::from("maintenance"));
                give(at, Input::Intent(Intent::Withdraw { who, reason }));
            }
            Piece::Withdraw(false) => give(at, Input::Intent(Intent::Normal)),
            Piece::Suspend(gap) => {
                at = at + millis(gap);
                slept = true;
            }
            Piece::Wait(gap) => at = at + millis(gap),
        }
    }
    script
}
