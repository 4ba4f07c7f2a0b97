//! A scenario tells a daemon that is slow from a machine that is.

use crate::stage::{Caller, PROGRAM, numbers};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The first failover that the README promises, and what else is done with its fault.
fn scenario(faults: &str) -> String {
    format!(
        r#"
[scenario]
title = "NSD in London is killed"
world = "tiny"
service = "nsd"

[[step]]
at = "0s"
expect = ["every client answered"]

[[step]]
at = "2s"
do = [{faults}]
expect = ["clients of london answered within 250ms plus path"]
"#
    )
}

/// What is printed when the world is known to be well. No machine excuses a check that waits for a condition, so nothing
/// may be in its way before.
const WELL: &str = "every client answered: ";

/// What `catchment lab test` said of a scenario.
struct Judged {
    code: Option<i32>,
    said: String,
    check: serde_json::Value,
}

/// Plays it; `listen` hears each line as it is printed.
fn play(command: &mut Command, directory: &Path, faults: &str, mut listen: impl FnMut(&str)) -> Judged {
    let (file, json) = (directory.join("scenario.toml"), directory.join("result.json"));
    fs::write(&file, scenario(faults)).unwrap();
    command.args(["lab", "test"]).arg(&file).arg("--json").arg(&json).stdout(Stdio::piped());
    let mut playing = command.spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(playing.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        listen(&line);
        said.push_str(&line);
        said.push('\n');
    }
    let code = playing.wait().unwrap().code();
    let result: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    Judged { code, said, check: result["scenarios"][0]["checks"][1].clone() }
}

/// The daemon of the only London on this machine.
fn daemon_of_london() -> Option<u32> {
    numbers().find(|process| {
        let runs = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let at = fs::read_link(format!("/proc/{process}/cwd")).unwrap_or_default();
        runs.starts_with(b"catchment\0run\0") && at == Path::new("/run/lab/site-london")
    })
}

/// The daemon is asleep from the moment of the fault on, and is woken 400 ms later: it is late, not the machine.
#[test]
fn a_daemon_that_sleeps_for_400_ms_fails() {
    const SLEEP: Duration = Duration::from_millis(400);
    const TRIES: usize = 5;
    let caller = Caller::Root;
    let directory = tempfile::tempdir().unwrap();
    let faults = r#""hang daemon london", "kill service london""#;
    for _ in 0..TRIES {
        let judged = play(&mut caller.command(), directory.path(), faults, |line| {
            if line.contains("daemon of london hangs") {
                thread::sleep(SLEEP);
                let daemon = daemon_of_london().unwrap().to_string();
                assert!(Command::new("kill").args(["-CONT", &daemon]).status().unwrap().success());
            }
        });
        // A machine that is busy with something else cannot tell.
        if judged.code == Some(3) {
            continue;
        }
        assert_eq!((judged.code, &judged.check["verdict"]), (Some(1), &"fail".into()), "{}", judged.said);
        assert!(judged.check["measured"].as_f64().unwrap() > 400.0, "{}", judged.said);
        return;
    }
    panic!("this machine was too busy to judge {TRIES} times");
}

/// Whoever is busy rests when this is dropped, also when the test fails.
struct Rest<'o>(&'o AtomicBool);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The machine is busy with more urgent things: nobody can tell whether the daemon is slow, and that is what is said.
#[test]
fn a_starved_machine_is_inconclusive() {
    const BUSY_ON_EACH_PROCESSOR: usize = 8;
    let directory = tempfile::tempdir().unwrap();
    let over = AtomicBool::new(false);
    let judged = thread::scope(|scope| {
        let rest = Rest(&over);
        let busy = BUSY_ON_EACH_PROCESSOR * thread::available_parallelism().unwrap().get();
        let mut command = Command::new("nice");
        command.args(["-n", "15", PROGRAM]);
        let judged = play(&mut command, directory.path(), r#""kill service london""#, |line| {
            if line.contains(WELL) {
                (0..busy).for_each(|_| {
                    drop(scope.spawn(|| {
                        while !over.load(Ordering::Relaxed) {
                            std::hint::spin_loop()
                        }
                    }))
                });
            }
        });
        drop(rest);
        judged
    });
    assert_eq!((judged.code, &judged.check["verdict"]), (Some(3), &"inconclusive".into()), "{}", judged.said);
    assert!(judged.said.contains("of which this machine may owe"), "{}", judged.said);
}
