//! From the verdict that a service is dead to the bytes of the withdrawal in the socket of a neighbour: each run is a
//! whole life of the real daemon with NSD as its service and BIRD as its neighbour, in network namespaces.
//!
//! Needs root, `bird` and `nsd`. Run it on an idle machine: `cargo bench -p daemon`.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a benchmark fails by panicking")]

#[path = "../tests/site/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use world::{World, until};

/// Lives of a daemon.
const RUNS: usize = 20;

/// The promise.
const LIMIT_MS: f64 = 1.0;

/// This program is also the daemon that it measures.
fn daemon_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", path] => {
            let path = Path::new(path);
            return daemon::run(path, config::load(path).unwrap()).unwrap();
        }
        // What `cargo bench` says. A daemon that is asked for anything else must not begin to measure itself.
        ["--bench"] | [] => {}
        ref other => panic!("not an order to this benchmark: {other:?}"),
    }
    let mut latencies: Vec<f64> = (0..RUNS).map(|_| life()).collect();
    latencies.sort_by(f64::total_cmp);
    let [least, median, most] = [0, RUNS / 2, RUNS - 1].map(|rank| latencies[rank]);
    println!(
        "verdict to bytes of a withdrawal, {RUNS} runs: {least:.3} / {median:.3} / {most:.3} ms (least, median, most)"
    );
    println!("promised: median < {LIMIT_MS} ms: {}", if median < LIMIT_MS { "kept" } else { "NOT KEPT" });
}

/// One life: announced, then the service is killed. Answers the latency of the withdrawal in milliseconds.
fn life() -> f64 {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let before = latency_sum(&world);
    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    (latency_sum(&world) - before) * 1000.0
}

/// The sum of all latencies so far, in seconds.
fn latency_sum(world: &World) -> f64 {
    let (_, metrics) = world.get("/metrics");
    let sum = metrics.lines().find_map(|line| line.strip_prefix("catchment_verdict_to_bytes_seconds_sum "));
    sum.unwrap().parse().unwrap()
}
