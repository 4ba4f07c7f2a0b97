//! What was recorded replays to exactly what was done, whatever was lost on the way; anything else is a clear fault.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]

use announce::{
    Action, Backoff, CheckId, CheckSettings, Condition, Input, Intent, Machine, Memory, Settings, Warmth,
};
use proptest::collection::vec;
use proptest::prelude::*;
use recording::{Happened, Header, Recorder, Step, Track, Trouble, replay};
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use terms::{FailKind, Reason, Timestamp, Verdict, WallTime};

fn machine(group: &str) -> Machine {
    let settings = Settings {
        group: group.parse().unwrap(),
        checks: vec![CheckSettings {
            service: "dns".parse().unwrap(),
            name: "soa".to_owned(),
            interval: Duration::from_millis(100),
            fall: NonZeroU32::new(2).unwrap(),
            rise: NonZeroU32::new(3).unwrap(),
            hang_after: Duration::from_secs(1),
        }],
        backoff: Backoff { base: Duration::from_millis(500), ..Backoff::DEFAULT },
        blind_after: Settings::BLIND_AFTER,
    };
    Machine::new(settings, Memory::default(), Timestamp::ZERO)
}

fn header() -> Header {
    Header::new("london".parse().unwrap(), WallTime(1_764_000_000_000))
}

fn any_input() -> impl Strategy<Value = Input> {
    let reason = || Reason::from("\u{1b}[31mnot \"this\"\n");
    let check = |verdict| Input::Check { check: CheckId(0), verdict };
    let condition = move |met| Condition { met, words: reason() };
    prop_oneof![
        12 => Just(check(Verdict::Pass)),
        3 => Just(check(Verdict::Fail { kind: FailKind::Definite, reason: reason() })),
        1 => Just(check(Verdict::Indeterminate { reason: reason() })),
        2 => any::<bool>().prop_map(move |met| {
            Input::Warmth(Warmth { ready: condition(true), address: condition(met), self_query: condition(true) })
        }),
        1 => any::<bool>().prop_map(move |off| Input::Intent(if off {
            Intent::Withdraw { who: reason(), reason: reason() }
        } else {
            Intent::Normal
        })),
        1 => Just(Input::Timer),
    ]
}

/// A process with machines, their tracks and what they did so far.
struct Process {
    recorder: Recorder,
    machines: Vec<(String, Machine, Track<Machine>)>,
    done: Vec<(String, Value, Vec<Value>)>,
}

impl Process {
    fn start(path: &Path, limit: u64, names: &[&str]) -> Self {
        let recorder = Recorder::create(path, limit, &header(), |trouble| assert_eq!(trouble.to_string(), "none")).unwrap();
        let machine = |name: &&str| ((*name).to_owned(), machine(name), recorder.track(name));
        Process { machines: names.iter().map(machine).collect(), recorder, done: Vec::new() }
    }

    fn tell(&mut self, index: usize, input: Input, at: Timestamp) {
        let count = self.machines.len();
        let (name, machine, track) = &mut self.machines[index % count];
        track.note(machine, &input, at);
        let told = serde_json::to_value(&input).unwrap();
        machine.handle(input, at);
        let outputs: Vec<Action> = std::iter::from_fn(|| machine.poll_output()).collect();
        let outputs = outputs.iter().map(|output| serde_json::to_value(output).unwrap()).collect();
        self.done.push((name.clone(), told, outputs));
    }
}

fn read(path: &Path) -> Vec<Step> {
    replay(BufReader::new(File::open(path).unwrap())).unwrap().map(Result::unwrap).collect()
}

fn told(steps: Vec<Step>) -> Vec<(String, Value, Vec<Value>)> {
    let told = steps.into_iter().filter_map(|step| match step.happened {
        Happened::Told { input, outputs } => Some((step.instance, input, outputs)),
        Happened::Began | Happened::Lost(_) => None,
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_does_what_was_done(script in vec((0_usize..3, any_input(), 0_u64..400), 0..300)) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("recording.jsonl");
        let mut process = Process::start(&path, Recorder::LIMIT, &["a", "b", "c"]);
        let mut at = Timestamp::ZERO;
        for (index, input, gap) in script {
            at = at + Duration::from_millis(gap);
            process.tell(index, input, at);
        }
        process.recorder.close();
        prop_assert_eq!(told(read(&path)), process.done);
    }

    /// The files together hold at least the end of what was done, and each replays by itself.
    #[test]
    fn a_file_that_starts_in_the_middle_replays_too(
        script in vec((0_usize..2, any_input(), 0_u64..400), 100..300),
        limit in 1_000_u64..40_000,
    ) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("recording.jsonl");
        let mut process = Process::start(&path, limit, &["a", "b"]);
        for (round, (index, input, gap)) in (0_u64..).zip(script) {
            process.tell(index, input, Timestamp::from_nanos((round * 500 + gap) * 1_000_000));
        }
        process.recorder.close();
        let latest = told(read(&path));
        prop_assert!(process.done.ends_with(&latest), "{} of {}", latest.len(), process.done.len());
        let before = path.with_added_extension("1");
        if before.exists() {
            told(read(&before));
        }
    }
}

#[test]
fn a_restart_keeps_the_recording_before() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("recording.jsonl");
    for name in ["first", "second"] {
        let mut process = Process::start(&path, Recorder::LIMIT, &[name]);
        process.tell(0, Input::Timer, Timestamp::ZERO);
        process.recorder.close();
    }
    let instance = |path: &Path| read(path)[0].instance.clone();
    assert_eq!(
        (instance(&path), instance(&path.with_added_extension("1"))),
        ("second".into(), "first".into())
    );
}

#[test]
fn a_disk_that_fails_is_told_and_nothing_else_happens() {
    let directory = TempDir::new().unwrap();
    let below = directory.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let tell = move |trouble: Trouble| hear.lock().unwrap().push(trouble);
    let recorder = Recorder::create(&below.join("recording.jsonl"), 1, &header(), tell).unwrap();
    std::fs::remove_dir_all(&below).unwrap();
    let (mut machine, mut track) = (machine("a"), recorder.track("a"));
    // The first file is full at once; the writer asks for the next one as soon as it has seen a line.
    while heard.lock().unwrap().is_empty() {
        track.note(&machine, &Input::Timer, Timestamp::ZERO);
        machine.handle(Input::Timer, Timestamp::ZERO);
        std::thread::yield_now();
    }
    recorder.close();
    track.note(&machine, &Input::Timer, Timestamp::ZERO);
    assert!(heard.lock().unwrap().iter().any(|trouble| matches!(trouble, Trouble::Ended { .. })));
}

#[test]
fn a_place_that_cannot_be_written_is_refused_at_once() {
    let path = Path::new("/nowhere/recording.jsonl");
    let refusal = Recorder::create(path, Recorder::LIMIT, &header(), |_| ()).unwrap_err();
    insta::assert_snapshot!(refusal);
}

/// A small recording as text.
fn recording() -> String {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("recording.jsonl");
    let mut process = Process::start(&path, Recorder::LIMIT, &["anycast"]);
    let condition = || Condition::met("ok");
    let warmth = Warmth { ready: condition(), address: condition(), self_query: condition() };
    let pass = || Input::Check { check: CheckId(0), verdict: Verdict::Pass };
    for (tenth, input) in (1_u64..).zip([Input::Warmth(warmth), pass(), pass(), pass()]) {
        process.tell(0, input, Timestamp::from_nanos(tenth * 100_000_000));
    }
    process.recorder.close();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_replay_reads_like_a_log() {
    let text = recording();
    let steps = replay(text.as_bytes()).unwrap().map(|step| format!("{}\n", step.unwrap()));
    insta::assert_snapshot!(steps.collect::<String>());
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
        replaced("\"schema\":1", "\"schema\":2"),
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
    /// Whatever stands in a file, reading it ends, and in a fault at most.
    #[test]
    fn a_broken_recording_is_a_fault(position in any::<prop::sample::Index>(), octet: u8) {
        let mut octets = json_recording().clone().into_bytes();
        let position = position.index(octets.len());
        octets[position] = octet;
        if let Ok(steps) = replay(octets.as_slice()) {
            let faults = steps.filter(Result::is_err).count();
            prop_assert!(faults <= 1);
        }
    }
}

fn json_recording() -> &'static String {
    static RECORDING: std::sync::LazyLock<String> = std::sync::LazyLock::new(recording);
    &RECORDING
}

#[test]
fn a_step_is_a_json_object_too() {
    let text = recording();
    let last = replay(text.as_bytes()).unwrap().last().unwrap().unwrap();
    let told = serde_json::to_value(&last).unwrap();
    assert_eq!(told["told"]["outputs"][0], json!({"announce": "normal"}));
    assert_eq!((&told["core"], &told["seq"]), (&json!("announce"), &json!(5)));
}
