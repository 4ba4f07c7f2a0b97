//! The side of the drivers: what is told to a machine goes to the writer, or is lost, but never waits.

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use terms::Timestamp;

use crate::line::{Line, What};
use crate::writer::{Entry, Writer};
use crate::{Header, Recorded};

/// Lines that may wait for the disk.
const QUEUE: usize = 1024;

/// Writes what the machines of this process are told. One per process, so that there is one order of everything.
#[derive(Debug)]
pub struct Recorder {
    link: Link,
    writer: JoinHandle<()>,
}

/// What goes wrong while recording. The process goes on either way.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The disk was too slow.
    #[error("the disk is too slow for the recording: {lines} lines lost so far")]
    Lost {
        /// Lines lost since the start.
        lines: u64,
    },
    /// The file cannot be written; nothing more is recorded.
    #[error("recording to {path} has ended: {error}")]
    Ended {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A recording cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The file cannot be made.
    #[error("cannot record to {path}: {error}; is the directory there, and may this process write to it?")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the thread that records: {0}")]
    Thread(io::Error),
}

/// The way to the writer.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    entries: SyncSender<Entry>,
    /// The file that lines are for. The writer counts on when it wants a new one.
    pub(crate) file: Arc<AtomicU64>,
    /// Lines lost since the start.
    pub(crate) lost: Arc<AtomicU64>,
}

impl Recorder {
    /// How large a file grows unless told otherwise, in octets. One file before it is kept.
    pub const LIMIT: u64 = 64 * 1024 * 1024;

    /// Begins a recording. A file that is there already is kept as `path.1`, in place of the one before. A file that
    /// has reached `limit` octets is kept so, too. The writer's thread calls `begin` first, the place to say how soon it
    /// is to run, and `tell` later.
    pub fn create(
        path: &Path,
        limit: u64,
        header: &Header,
        begin: impl FnOnce() + Send + 'static,
        tell: impl FnMut(Trouble) + Send + 'static,
    ) -> Result<Recorder, CreateError> {
        let (entries, queue) = sync_channel(QUEUE);
        let link = Link { entries, file: Arc::new(AtomicU64::new(1)), lost: Arc::default() };
        let (file, lost) = (Arc::clone(&link.file), Arc::clone(&link.lost));
        let writer = Writer::create(path, limit, header, file, lost)
            .map_err(|error| CreateError::File { path: path.to_owned(), error })?;
        let thread = std::thread::Builder::new().name("recording".to_owned());
        let work = move || {
            begin();
            writer.run(&queue, tell);
        };
        let writer = thread.spawn(work).map_err(CreateError::Thread)?;
        Ok(Recorder { link, writer })
    }

    /// The track of one machine, which must have a name of its own among the machines of its core.
    pub fn track<M: Recorded>(&self, instance: &str) -> Track<M> {
        let track = Track::silent();
        Track { instance: instance.to_owned(), link: Some(self.link.clone()), ..track }
    }

    /// Ends the recording: blocks until everything that was noted is written. What is noted later is not kept.
    pub fn close(self) {
        // Fails when the writer has ended, which it has told.
        let _ = self.link.entries.send(Entry::Close);
        let _ = self.writer.join();
    }
}

/// Where the driver of one machine notes what it tells it.
#[derive(Debug)]
pub struct Track<M> {
    instance: String,
    link: Option<Link>,
    /// The file that has the machine and every input since; none when it has to begin anew.
    begun_in: Option<u64>,
    /// Inputs lost since the machine was last written.
    lost: u64,
    machine: PhantomData<fn(&M)>,
}

impl<M: Recorded> Track<M> {
    /// A track that keeps nothing, for a process that does not record.
    pub fn silent() -> Self {
        Track { instance: String::new(), link: None, begun_in: None, lost: 0, machine: PhantomData }
    }

    /// Notes what the machine is about to be told: to be called just before, with the machine as it is then. Never
    /// waits.
    pub fn note(&mut self, machine: &M, input: &M::Input, at: Timestamp) {
        let Some(link) = self.link.take() else { return };
        match self.write(&link, machine, input, at) {
            Ok(()) => self.link = Some(link),
            Err(Refused::Full) => {
                self.begun_in = None;
                self.lost += 1;
                link.lost.fetch_add(1, Ordering::Relaxed);
                self.link = Some(link);
            }
            Err(Refused::Ended) => {}
        }
    }

    fn write(&mut self, link: &Link, machine: &M, input: &M::Input, at: Timestamp) -> Result<(), Refused> {
        let file = link.file.load(Ordering::Relaxed);
        if self.begun_in != Some(file) {
            if self.lost > 0 {
                self.send(link, file, at, What::Lost(self.lost))?;
                self.lost = 0;
            }
            self.send(link, file, at, What::Begin(machine))?;
            self.begun_in = Some(file);
        }
        self.send(link, file, at, What::Input(input))
    }

    fn send(&self, link: &Link, file: u64, at: Timestamp, what: What<&M, &M::Input>) -> Result<(), Refused> {
        let line = Line { at, core: M::CORE, instance: self.instance.as_str(), what };
        // A machine that cannot be written is as good as lost, and told so.
        let line = serde_json::to_vec(&line).map_err(|_| Refused::Full)?;
        link.entries.try_send(Entry::Line { file, line }).map_err(|refused| match refused {
            TrySendError::Full(_) => Refused::Full,
            TrySendError::Disconnected(_) => Refused::Ended,
        })
    }
}

/// Why a line does not reach the writer.
enum Refused {
    /// The queue is full.
    Full,
    /// The writer has ended.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Happened, replay};
    use announce::{
        Action, Backoff, CheckId, CheckSettings, Condition, Input, Machine, Memory, Scope, Settings, Warmth,
    };
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;
    use std::sync::mpsc::Receiver;
    use std::time::Duration;
    use terms::{FailKind, Reason, Verdict, WallTime};

    /// A machine that only has to see passes.
    fn machine() -> Machine {
        let check = CheckSettings {
            service: "dns".parse().unwrap(),
            name: "soa".to_owned(),
            interval: Duration::from_millis(100),
            fall: 3.try_into().unwrap(),
            rise: 3.try_into().unwrap(),
            hang_after: Duration::from_secs(1),
            scope: Scope::Local,
        };
        let backoff = Backoff { base: Duration::ZERO, ..Backoff::DEFAULT };
        let settings = Settings { backoff, ..Settings::new("anycast".parse().unwrap(), vec![check]) };
        let mut machine = Machine::new(settings, Memory::default(), Timestamp::ZERO);
        let open = || Condition::met("as last looked");
        let warmth = Warmth { ready: open(), address: open(), self_query: open() };
        machine.handle(Input::Warmth(warmth), Timestamp::ZERO);
        while machine.poll_output().is_some() {}
        machine
    }

    /// What the machine did at each time, and the recording of it by a writer that looks into a queue of four lines
    /// only now and then.
    fn record_slowly(script: &[(bool, bool)]) -> (BTreeMap<Timestamp, Vec<serde_json::Value>>, Vec<String>) {
        let (entries, queue) = sync_channel(4);
        let link = Link { entries, file: Arc::new(AtomicU64::new(1)), lost: Arc::default() };
        let mut track = Track { instance: "anycast".to_owned(), link: Some(link), ..Track::silent() };
        let (mut machine, mut done, mut lines) = (machine(), BTreeMap::new(), Vec::new());
        for (round, &(passes, is_written)) in (1_u64..).zip(script) {
            let at = Timestamp::from_nanos(round * 100_000_000);
            let fail = Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("refused") };
            let verdict = if passes { Verdict::Pass } else { fail };
            let input = Input::Check { check: CheckId(0), verdict };
            track.note(&machine, &input, at);
            machine.handle(input, at);
            let actions: Vec<Action> = std::iter::from_fn(|| machine.poll_output()).collect();
            done.insert(at, actions.iter().map(|action| serde_json::to_value(action).unwrap()).collect());
            if is_written {
                lines.extend(drain(&queue));
            }
        }
        lines.extend(drain(&queue));
        (done, lines)
    }

    fn drain(queue: &Receiver<Entry>) -> Vec<String> {
        let line = |entry| match entry {
            Entry::Line { line, .. } => Some(String::from_utf8(line).unwrap()),
            Entry::Close => None,
        };
        queue.try_iter().filter_map(line).collect()
    }

    /// Whether every line replays to what was done.
    fn replays(done: &BTreeMap<Timestamp, Vec<serde_json::Value>>, lines: &[String]) -> bool {
        let header = Header::new("london".parse().unwrap(), WallTime(0));
        let mut text = serde_json::to_string(&header).unwrap() + "\n";
        for (seq, line) in (1..).zip(lines) {
            text += &format!("{{\"seq\":{seq},{}\n", line.strip_prefix('{').unwrap());
        }
        replay(text.as_bytes()).unwrap().all(|step| {
            let step = step.unwrap();
            match step.happened {
                Happened::Told { outputs, .. } => done.get(&step.at) == Some(&outputs),
                Happened::Began | Happened::Lost(_) => true,
            }
        })
    }

    fn any_script() -> impl Strategy<Value = Vec<(bool, bool)>> {
        vec((prop::bool::weighted(0.6), prop::bool::weighted(0.2)), 1..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_disk_that_is_too_slow_loses_lines_but_never_the_truth(script in any_script()) {
            let (done, lines) = record_slowly(&script);
            prop_assert!(replays(&done, &lines));
            let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
            let lost = lines.iter().filter_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["lost"].as_u64()
            });
            let recorded = count("\"input\":") as u64;
            prop_assert!(recorded + lost.sum::<u64>() <= script.len() as u64);
        }
    }

    #[test]
    fn a_machine_that_did_not_begin_anew_would_be_noticed() {
        let mut runner = TestRunner::deterministic();
        let is_noticed = (0..200).any(|_| {
            let (done, lines) = record_slowly(&any_script().new_tree(&mut runner).unwrap().current());
            let is_told = |line: &String| line.contains("\"input\":");
            let (begin, rest) = lines.split_first().unwrap();
            let without: Vec<String> = std::iter::once(begin.clone())
                .chain(rest.iter().filter(|line| is_told(line)).cloned())
                .collect();
            !replays(&done, &without)
        });
        assert!(is_noticed);
    }
}
