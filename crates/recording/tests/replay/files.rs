//! Files and what can happen to them.

use announce::Input;
use recording::{Recorder, Track, Trouble};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use terms::Timestamp;

use crate::decisions::machine;
use crate::process::header;

#[test]
fn a_restart_keeps_the_recording_before() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("recording.jsonl");
    for name in ["first", "second"] {
        let recorder = Recorder::create(&path, Recorder::LIMIT, &header(), || (), |_| ()).unwrap();
        recorder.track(name).note(&machine(), &Input::Timer, Timestamp::ZERO);
        recorder.close();
    }
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert!(text(&path).contains("second"));
    assert!(text(&path.with_added_extension("1")).contains("first"));
}

#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("recording.jsonl");
    Recorder::create(&path, Recorder::LIMIT, &header(), || (), |_| ()).unwrap().close();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_disk_that_fails_is_told_and_nothing_else_happens() {
    let directory = TempDir::new().unwrap();
    let below = directory.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let tell = move |trouble: Trouble| hear.lock().unwrap().push(trouble);
    let recorder = Recorder::create(&below.join("recording.jsonl"), 1, &header(), || (), tell).unwrap();
    std::fs::remove_dir_all(&below).unwrap();
    let (mut machine, mut track) = (machine(), recorder.track("a"));
    let has_ended = || heard.lock().unwrap().iter().any(|trouble| matches!(trouble, Trouble::Ended { .. }));
    // A file of one octet is full at once: as soon as the writer has seen a line it wants the next file.
    while !has_ended() {
        track.note(&machine, &Input::Timer, Timestamp::ZERO);
        machine.handle(Input::Timer, Timestamp::ZERO);
        std::thread::yield_now();
    }
    recorder.close();
    track.note(&machine, &Input::Timer, Timestamp::ZERO);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_at_once() {
    let path = Path::new("/nowhere/recording.jsonl");
    let refusal = Recorder::create(path, Recorder::LIMIT, &header(), || (), |_| ()).unwrap_err();
    insta::assert_snapshot!(refusal);
}

#[test]
fn a_silent_track_keeps_nothing() {
    Track::silent().note(&machine(), &Input::Timer, Timestamp::ZERO);
}
