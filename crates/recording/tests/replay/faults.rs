//! How a recording reads, and what is said about a file that is none.

use proptest::prelude::*;
use recording::{Recorder, replay};
use serde_json::json;
use std::sync::LazyLock;
use std::time::Duration;
use terms::Timestamp;

use crate::decisions;
use crate::process::Process;
use crate::sessions;

/// A small recording.
fn recording() -> String {
    let mut process = Process::start(Recorder::LIMIT);
    let mut group = process.instance("anycast", decisions::machine());
    for (tenth, input) in (1..).zip(decisions::inputs()) {
        process.tell(&mut group, input, Timestamp::ZERO + Duration::from_millis(100) * tenth);
    }
    process.end().text()
}

#[test]
fn a_replay_reads_like_a_log() {
    let text = recording();
    let steps = replay(text.as_bytes()).unwrap().map(|step| format!("{}\n", step.unwrap()));
    insta::assert_snapshot!(steps.collect::<String>());
}

#[test]
fn a_step_is_a_json_object_too() {
    let text = recording();
    let last = replay(text.as_bytes()).unwrap().last().unwrap().unwrap();
    let last = serde_json::to_value(&last).unwrap();
    assert_eq!(last["told"]["outputs"][0], json!({"announce": "normal"}));
    assert_eq!((&last["core"], &last["seq"]), (&json!("announce"), &json!(5)));
}

#[test]
fn every_fault_says_where_and_what_to_do() {
    let text = recording();
    let with_line = |number: usize, wanted: &str| {
        let lines = text.lines().enumerate();
        let lines = lines.map(|(index, line)| if index + 1 == number { wanted } else { line });
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let wrong = [
        String::new(),
        "PNG\n".to_owned(),
        "[]\n".to_owned(),
        replaced("\"schema\":4", "\"schema\":1"),
        replaced("\"london\"", "\"Lon don\""),
        text.trim_end().to_owned(),
        with_line(3, ""),
        with_line(3, "{\"seq\":2}"),
        replaced("\"seq\":3", "\"seq\":1"),
        replaced("\"core\":\"announce\"", "\"core\":\"ospf\\u001b[2J\""),
        replaced("\"warmth\":{", "\"warmest\":{"),
        replaced("\"verdict\":\"pass\"", "\"verdict\":\"passed\\u001b[2J\""),
        replaced("\"state\":\"boot\"", "\"state\":\"root\""),
        with_line(2, "{\"seq\":1,\"at\":0,\"core\":\"announce\",\"instance\":\"anycast\",\"lost\":9}"),
        "x".repeat(17 * 1024 * 1024),
    ];
    let fault = |text: &String| match replay(text.as_bytes()) {
        Err(fault) => fault.to_string(),
        Ok(steps) => steps.filter_map(Result::err).map(|fault| fault.to_string()).next().unwrap(),
    };
    let faults: Vec<String> = wrong.iter().map(fault).collect();
    assert!(faults.iter().all(|fault| !fault.contains('\u{1b}')));
    insta::assert_snapshot!(faults.join("\n"));
}

proptest! {
    /// Whatever stands in a file, reading it ends, and in one fault at most.
    #[test]
    fn a_broken_recording_is_a_fault(
        of_sessions: bool,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
    ) {
        static DECISIONS: LazyLock<String> = LazyLock::new(recording);
        static SESSIONS: LazyLock<String> = LazyLock::new(|| sessions::a_good_talk().text());
        let mut octets = if of_sessions { SESSIONS.clone() } else { DECISIONS.clone() }.into_bytes();
        for (place, octet, as_digit) in places {
            let place = place.index(octets.len());
            octets[place] = if as_digit { b'0' + octet % 10 } else { octet };
        }
        if let Ok(steps) = replay(octets.as_slice()) {
            prop_assert!(steps.filter(Result::is_err).count() <= 1);
        }
    }
}
