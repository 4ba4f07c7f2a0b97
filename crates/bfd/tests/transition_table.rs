//! The whole table of the state machine, as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;

use bench::{Bench, describe, says, settings};
use bfd::Packet;
use bfd::session::{Input, StateName};
use std::fmt::Write;
use std::time::Duration;

fn stimuli() -> Vec<(&'static str, Input)> {
    let packet = |state| Input::Packet(says(state));
    vec![
        ("Start", Input::Start),
        ("Stop", Input::Stop),
        ("it says admin-down", packet(StateName::AdminDown)),
        ("it says down", packet(StateName::Down)),
        ("it says init", packet(StateName::Init)),
        ("it says up", packet(StateName::Up)),
        ("it polls", Input::Packet(Packet { poll: true, ..says(StateName::Up) })),
        ("another interval", Input::Reconfigured(settings(200, 3))),
        ("patience", Input::Patience(Some(Duration::from_secs(5)))),
    ]
}

#[test]
fn every_state_and_every_stimulus() {
    let mut table = String::new();
    for state in StateName::ALL {
        writeln!(table, "{state}").unwrap();
        let mut line = |name: &str, act: &dyn Fn(&mut Bench) -> String| {
            let mut bench = Bench::in_state(state, settings(100, 3));
            let done = act(&mut bench);
            let after = bench.session.state();
            let next = if after == state { String::new() } else { format!("-> {after}") };
            writeln!(table, "{}", format!("  {name:<20}{next:<15}{done}").trim_end()).unwrap();
        };
        for (name, input) in stimuli() {
            line(name, &|bench| describe(&bench.feed(input)));
        }
        line("its next packet", &|bench| match bench.session.deadline() {
            Some(deadline) => describe(&bench.pass(deadline.since(bench.now))),
            None => "none".to_owned(),
        });
        line("silence", &|bench| {
            let outputs = bench.pass(Duration::from_secs(4));
            let told = outputs.into_iter().filter(|output| !matches!(output, bfd::session::Output::Send(_)));
            describe(&told.collect::<Vec<_>>())
        });
    }
    insta::assert_snapshot!(table);
}
