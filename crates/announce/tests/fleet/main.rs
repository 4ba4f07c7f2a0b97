//! A fleet in a storm: real machines, a simulated store, and a judge who knows the truth.
//!
//! Everything follows from a seed: the fleet, what befalls it, and every delay. A failing seed says how to run it
//! again. The judge's laws are in `law`; each mistake of `fault` is one that it must notice.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]
#![allow(clippy::disallowed_methods, reason = "which seeds to run is asked of the environment")]
#![allow(
    unreachable_pub,
    reason = "a test exports nothing, and `pub` says what a module offers to the others"
)]

mod dice;
mod fault;
mod host;
mod law;
mod plan;
mod store;
mod world;

use announce::Level;
use fault::{FAULTS, SOUND, Seams, TRUSTING};
use host::{INTERVAL, LONGEST_BACKOFF, RISE};
use law::Violation;
use plan::{Blow, Plan};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::Timestamp;
use world::{Summary, World};

fn run(seed: u64, seams: Seams) -> Result<Summary, Violation> {
    World::new(Plan::new(seed), seams, seed).run()
}

/// Runs these seeds and says what they came to.
fn run_all(seeds: std::ops::Range<u64>) -> Summary {
    let mut sum = Summary::default();
    let mut violations = Vec::new();
    for seed in seeds {
        match run(seed, SOUND) {
            Ok(summary) => sum.add(summary),
            Err(violation) => violations.push(format!("seed {seed}: {violation}")),
        }
    }
    let again = "again: FLEET_FROM=<seed> FLEET_SEEDS=1 cargo test -p announce --test fleet no_storm";
    let count = violations.len();
    violations.truncate(20);
    assert!(count == 0, "{count} seeds break the law\n{}\n{again}", violations.join("\n"));
    sum
}

/// Seeds that are enough for everything to happen often.
const STORM: u64 = 500;

/// `FLEET_SEEDS` says how many seeds are run, and `FLEET_FROM` which is the first.
#[test]
fn no_storm_breaks_the_law() {
    let number = |name: &str, default| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap());
    let (from, seeds) = (number("FLEET_FROM", 0), number("FLEET_SEEDS", STORM));
    let sum = run_all(from..from + seeds);
    println!("{sum:?}");
    if seeds < STORM {
        return; // somebody looks for what one of them has found
    }
    let is_storm = sum.grants > 1_000 && sum.withdrawals > 1_000 && sum.refusals > 500;
    assert!(is_storm, "a storm in a teacup: {sum:?}");
    assert!(sum.ambiguous > 1_000 && sum.restored > 50, "the store is too good: {sum:?}");
}

#[test]
fn a_seed_says_everything() {
    for seed in 0..20 {
        assert_eq!(run(seed, SOUND), run(seed, SOUND));
    }
}

#[test]
fn every_planted_fault_is_caught() {
    let missed = FAULTS.iter().filter(|fault| {
        let caught = (0..300).find_map(|seed| Some((seed, run(seed, fault.seams).err()?)));
        match &caught {
            Some((seed, violation)) => {
                println!("{}: seed {seed}, {}", fault.what, violation.lines().next().unwrap());
            }
            None => println!("nobody noticed: {}", fault.what),
        }
        caught.is_none()
    });
    assert_eq!(missed.map(|fault| fault.what).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// London withdraws by leave that the backup does not know; Paris was cut off all the while, and fails as soon as it
/// reaches the restored store; London and Tokyo cannot warn it.
fn an_old_backup(seed: u64, seams: Seams) -> Result<(), Violation> {
    let seconds = Duration::from_secs;
    let mut plan = plan::quiet(3, NonZeroU32::new(2));
    let (london, paris, tokyo) = (0, 1, 2);
    plan.blows = vec![
        (at(9), Blow::CutOff { site: paris, lasts: seconds(11) }),
        (at(10), Blow::BackUp),
        (at(10), Blow::Order { site: london, drain: false, lasts: seconds(60) }),
        (at(15), Blow::CutOff { site: london, lasts: seconds(20) }),
        (at(15), Blow::CutOff { site: tokyo, lasts: seconds(20) }),
        (at(19), Blow::Restore { far_above: false }),
        (at(19), Blow::Fail { host: paris, lasts: seconds(60) }),
    ];
    let mut world = World::new(plan, seams, seed);
    world.run_until(at(15))?;
    assert_eq!(world.levels(), [Level::None, Level::Normal, Level::Normal]);
    world.run_until(at(34))
}

#[test]
fn an_old_backup_is_not_trusted_by_who_was_out_of_contact() {
    for seed in 0..20 {
        an_old_backup(seed, SOUND).unwrap();
    }
    assert!((0..20).any(|seed| an_old_backup(seed, TRUSTING).is_err()), "nobody noticed");
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

/// Law P15: all sites fail for ever, and `min_sites` of them stay; whoever recovers is announced as ever.
#[test]
fn when_all_fail_for_ever_the_last_sites_stay_and_a_recovered_one_is_normal_again() {
    for (sites, min_sites, stay) in [(2, None, 1), (3, None, 1), (5, None, 2), (9, None, 3), (6, Some(4), 4)]
    {
        for seed in 0..6 {
            let plan = plan::quiet(sites, min_sites.and_then(NonZeroU32::new));
            let mut world = World::new(plan, SOUND, seed);
            world.run_until(at(15)).unwrap();
            assert_eq!(world.levels(), vec![Level::Normal; sites]);
            world.set_health(0..sites, false);
            for second in 16..60 {
                world.run_until(at(second)).unwrap();
                let announced = world.levels().iter().filter(|level| **level > Level::None).count();
                assert!(announced >= stay, "seed {seed}: {announced} of {sites} sites at {second} s");
            }
            let levels = world.levels();
            let held = levels.iter().filter(|level| **level == Level::Gshut).count();
            assert_eq!(held, stay, "seed {seed}: the others may go, and go: {levels:?}");
            let record = world.record().unwrap();
            assert_eq!((record.free(), record.debt()), (0, 0));

            // One that was held, and one that was withdrawn.
            for level in [Level::Gshut, Level::None] {
                let recovered = world.levels().iter().position(|now| *now == level).unwrap();
                world.set_health([recovered], true);
                let now = world.now();
                // The check comes at its turn.
                world.run_until(now + INTERVAL * (RISE + 1) + LONGEST_BACKOFF).unwrap();
                assert_eq!(world.levels()[recovered], Level::Normal, "seed {seed}");
            }
        }
    }
}
