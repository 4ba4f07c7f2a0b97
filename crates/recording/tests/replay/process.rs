//! A process that records, and what its machines did, to compare a replay with.

use recording::{Happened, Header, Recorded, Recorder, Step, Track, Trouble, replay};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;
use terms::{Timestamp, WallTime};

/// A process and everything that its machines were told and wanted done, in order.
pub struct Process {
    directory: TempDir,
    recorder: Recorder,
    done: Vec<Told>,
}

/// A machine's name, what it was told, and what it wanted done.
pub type Told = (String, Value, Vec<Value>);

/// A machine under the name that it is recorded by.
pub struct Instance<M> {
    name: &'static str,
    machine: M,
    track: Track<M>,
}

impl<M> std::ops::Deref for Instance<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.machine
    }
}

/// What a process that has ended leaves behind.
pub struct Remains {
    directory: TempDir,
    pub done: Vec<Told>,
}

pub fn header() -> Header {
    Header::new("london".parse().unwrap(), WallTime(1_764_000_000_000))
}

impl Process {
    pub fn start(limit: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let no_trouble = |trouble: Trouble| assert_eq!(trouble.to_string(), "none");
        let path = directory.path().join("recording.jsonl");
        let recorder = Recorder::create(&path, limit, &header(), || (), no_trouble).unwrap();
        Process { directory, recorder, done: Vec::new() }
    }

    pub fn instance<M: Recorded>(&self, name: &'static str, machine: M) -> Instance<M> {
        Instance { name, machine, track: self.recorder.track(name) }
    }

    pub fn tell<M: Recorded>(
        &mut self,
        instance: &mut Instance<M>,
        input: M::Input,
        at: Timestamp,
    ) -> Vec<M::Output> {
        instance.track.note(&instance.machine, &input, at);
        let told = serde_json::to_value(&input).unwrap();
        instance.machine.tell(input, at);
        let outputs: Vec<M::Output> = std::iter::from_fn(|| instance.machine.ask()).collect();
        let wanted = outputs.iter().map(|output| serde_json::to_value(output).unwrap()).collect();
        self.done.push((instance.name.to_owned(), told, wanted));
        outputs
    }

    pub fn end(self) -> Remains {
        self.recorder.close();
        Remains { directory: self.directory, done: self.done }
    }
}

impl Remains {
    fn path(&self) -> PathBuf {
        self.directory.path().join("recording.jsonl")
    }

    /// The latest file.
    pub fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    /// The file before, if there was one.
    pub fn text_before(&self) -> Option<String> {
        std::fs::read_to_string(self.path().with_added_extension("1")).ok()
    }
}

/// What the machines of a recording do when they are told it all again.
pub fn redone(text: &str) -> Vec<Told> {
    let steps = replay(text.as_bytes()).unwrap().map(Result::unwrap);
    let told = steps.filter_map(|Step { instance, happened, .. }| match happened {
        Happened::Told { input, outputs } => Some((instance, input, outputs)),
        Happened::Began | Happened::Lost(_) => None,
    });
    told.collect()
}
