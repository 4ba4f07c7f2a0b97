//! `catchment lab up` is killed at any moment, and nothing is left.

use crate::stage::{Caller, Traces, numbers, wait_until};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 10;
/// Labs of one round, started together: their moments are spread over everything that a start does.
const TOGETHER: usize = 5;
/// By then the clients are answered.
const LONGEST_LIFE: Duration = Duration::from_millis(2500);
/// How long a socket without a listener is left alone, because its lab may be about to listen.
const YOUNG: Duration = Duration::from_secs(2);
/// What every process of a lab has in its environment.
const MARK: &str = "CATCHMENT_TEST_MARK";

/// Whether some process still has this mark.
fn somebody_has(mark: &str) -> bool {
    let wanted = format!("{MARK}={mark}");
    numbers().any(|process| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
    })
}

fn start(caller: &Caller, name: &str, mark: &str) -> Child {
    let mut command = caller.command();
    command.args(["lab", "up", "--name", name, "--listen", "127.0.0.1:0", "tiny"]);
    command.env(MARK, mark).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn killed_at_fifty_moments_nothing_is_left() {
    let callers = [Caller::Root, Caller::nobody()];
    let traces = || callers.each_ref().map(|caller| Traces::of(caller, "test-moment"));
    let before = traces();
    let (random, mark) = (RandomState::new(), std::process::id().to_string());
    let mut lives = Vec::new();
    for round in 0..ROUNDS {
        let mut labs: Vec<(Duration, Child)> = (0..TOGETHER)
            .map(|place| {
                let dice = random.hash_one((round, place));
                let life = LONGEST_LIFE.mul_f64(dice as f64 / u64::MAX as f64);
                (life, start(&callers[place % 2], &format!("test-moment-{round}-{place}"), &mark))
            })
            .collect();
        labs.sort_by_key(|(life, _)| *life);
        let mut lived = Duration::ZERO;
        for (life, lab) in &mut labs {
            thread::sleep(*life - lived);
            lived = *life;
            lab.kill().unwrap();
            lab.wait().unwrap();
        }
        lives.extend(labs.iter().map(|(life, _)| *life));
        wait_until(&format!("every process is gone of labs that lived {lives:?}"), || !somebody_has(&mark));
    }
    // What is left of a killed lab on disk, its sockets, the next command removes.
    thread::sleep(YOUNG);
    for caller in &callers {
        let output = caller.command().args(["lab", "nodes", "--name", "test-moment"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(traces(), before, "labs lived {lives:?}");
}
