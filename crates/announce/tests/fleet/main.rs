//! A fleet in a storm: real machines, a simulated store, and a judge who knows the truth.
//!
//! Everything follows from a seed: the fleet, what befalls it, and every delay. A failing seed says how to run it
//! again: `FLEET_SEED=7 cargo test -p announce --test fleet one_seed -- --ignored`.

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

use fault::{SOUND, Seams};
use law::Violation;
use plan::Plan;
use world::{Summary, World};

fn run(seed: u64, seams: Seams) -> Result<Summary, Violation> {
    World::new(Plan::new(seed), seams, seed).run()
}

/// Runs these seeds and says what they came to.
fn run_all(seeds: std::ops::Range<u64>) -> Summary {
    let mut sum = Summary::default();
    let mut violations = Vec::new();
    for seed in seeds {
        let start = std::time::Instant::now();
        let result = run(seed, SOUND);
        if std::env::var("FLEET_TIME").is_ok() {
            eprintln!("{seed} {:?} {result:?}", start.elapsed());
        }
        match result {
            Ok(summary) => sum.add(summary),
            Err(violation) => violations.push(format!("seed {seed}: {violation}")),
        }
    }
    let again = "again: FLEET_SEED=<seed> cargo test -p announce --test fleet one_seed -- --ignored";
    let count = violations.len();
    violations.truncate(20);
    assert!(count == 0, "{count} seeds break the law\n{}\n{again}", violations.join("\n"));
    sum
}

#[test]
fn no_storm_breaks_the_law() {
    let sum = run_all(0..500);
    println!("{sum:?}");
    assert!(
        sum.grants > 1_000 && sum.refusals > 300 && sum.ambiguous > 1_000,
        "a storm in a teacup: {sum:?}"
    );
    assert!(sum.restored > 50, "hardly anybody noticed a restored store: {sum:?}");
}

/// As many as `FLEET_SEEDS` says, from `FLEET_FROM` on.
#[test]
#[ignore = "takes long"]
fn many_seeds() {
    let number = |name: &str, default| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap());
    let from: u64 = number("FLEET_FROM", 500);
    let sum = run_all(from..from + number("FLEET_SEEDS", 20_000));
    println!("{sum:?}");
}

/// The one that `FLEET_SEED` names.
#[test]
#[ignore = "replays a seed"]
fn one_seed() {
    let seed = std::env::var("FLEET_SEED").map_or(0, |text| text.parse().unwrap());
    println!("{:?}", run(seed, SOUND));
}
