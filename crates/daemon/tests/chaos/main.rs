//! A hostile neighbour: what it says once and what the site answers, and what it says without end. In all of it the
//! session with a healthy neighbour lives, and every change reaches that neighbour while the mischief goes on.
//!
//! Needs root (network namespaces). Nothing is timed: every wait polls a condition.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod collectors;
mod flood;
mod healthy;
#[path = "../stage/host.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod host;
mod misbehaviour;
#[path = "../stage/site.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod site;
mod speaker;
mod stage;

use flood::Progress;
use host::until;
use stage::{Stage, hostile};
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// What a hostile neighbour may cost the site, in KiB: what sessions, buffers of sockets and the latest events take.
const MEMORY: u64 = 24 * 1024;

/// Descriptors that all hostile neighbours together may hold: a few calls of each of them.
const DESCRIPTORS: usize = 64;

#[test]
fn every_misbehaviour_has_its_answer() {
    let stage = Stage::new();
    let mut table = "| a neighbour | the site |\n|---|---|".to_owned();
    for (misbehaviour, number) in misbehaviour::ALL.iter().zip(1..) {
        eprintln!("{}", misbehaviour.name);
        let answer = (misbehaviour.play)(&stage, hostile(number));
        let _ = write!(table, "\n| {} | {answer} |", misbehaviour.name);
        assert_eq!(stage.healthy.end(), None, "the healthy session lives");
    }
    stage.prove_healthy();
    insta::assert_snapshot!(table);
}

#[test]
fn no_flood_delays_a_withdraw_or_takes_memory() {
    let stage = Stage::new();
    for (flood, number) in flood::ALL.iter().zip(11..) {
        let (memory, descriptors) = (stage.site.daemon().memory(), stage.site.daemon().descriptors());
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let _flood = progress.ends_with_this();
            let playing = scope.spawn(|| (flood.play)(&stage, hostile(number), &progress));
            let units = || progress.units.load(Ordering::SeqCst);
            until(&format!("{}: enough of them", flood.name), || {
                units() >= flood.judged_after || playing.is_finished()
            });
            stage.prove_healthy();
            assert!(!playing.is_finished(), "{}: the flood went on meanwhile", flood.name);
            eprintln!("{}: {} of them", flood.name, units());
        });
        let daemon = stage.site.daemon();
        assert!(
            daemon.memory() < memory + MEMORY,
            "{}: from {memory} to {} KiB",
            flood.name,
            daemon.memory()
        );
        assert!(
            daemon.descriptors() < descriptors + DESCRIPTORS,
            "{}: {} descriptors",
            flood.name,
            daemon.descriptors()
        );
    }
}
