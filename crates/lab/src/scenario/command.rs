//! `catchment lab test`: the part that waits, and the part inside that plays.

use crate::cable::ends::Ends;
use crate::clock;
use crate::isolate::{self, Leash};
use crate::mission;
use crate::names::Names;
use crate::plan::{Plan, PlanError};
use crate::replay::{History, Pictures, Play, WriteError};
use crate::rootless::{self, Forbidden};
use crate::running::Lab;
use crate::scenario::engine::{Scene, play as play_on};
use crate::scenario::file::Scenario;
use crate::scenario::report::{Report, ScenarioReport};
use crate::scenario::results::Results;
use crate::scenario::stage::LabStage;
use crate::up::{INIT_ARGUMENTS, UpError, world_text};
use crate::world::World;
use document::Faults;
use linux::Error;
use linux::process::{HeldSignals, ProcessSignal};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use terms::Timestamp;

/// What `catchment lab test` was asked for.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// The scenario files, in order.
    pub files: Vec<PathBuf>,
    /// Where the results are written.
    pub results: Results,
    /// What every time limit is multiplied by.
    pub slack: f64,
    /// What cables end in.
    pub ends: Ends,
}

/// Why scenarios were not played.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// A scenario file cannot be read.
    #[error("cannot read the scenario {}: {error}", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Files are wrong.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// A world cannot be read.
    #[error("{}: {error}", .file.display())]
    World {
        /// The scenario that wants it.
        file: PathBuf,
        /// Why not.
        error: UpError,
    },
    /// A world does not fit the address plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The world ended before its scenario did.
    #[error("the world of {} ended before its story did", .0.display())]
    Ended(PathBuf),
    /// A result cannot be written.
    #[error(transparent)]
    Unwritable(#[from] WriteError),
    /// Namespaces of one's own are forbidden.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The system refused something.
    #[error(transparent)]
    System(#[from] Error),
}

impl TestError {
    /// Whether what was asked for is wrong, rather than what came of it.
    pub fn is_bad_input(&self) -> bool {
        match self {
            TestError::Unreadable { .. }
            | TestError::Faults(_)
            | TestError::World { .. }
            | TestError::Plan(_) => true,
            TestError::Ended(_)
            | TestError::Unwritable(_)
            | TestError::Forbidden(_)
            | TestError::System(_) => false,
        }
    }
}

/// What the part inside is to play.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mission {
    file: String,
    text: String,
    world_file: String,
    world_text: String,
    slack: f64,
    ends: Ends,
    began: Timestamp,
    /// Whether somebody wants to know everything that was seen.
    keep: bool,
}

/// A mission that was checked.
struct Plot {
    scenario: Scenario,
    world: World,
}

/// What comes back from a world.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    report: ScenarioReport,
    play: Option<Play>,
}

impl Mission {
    fn load(file: &Path, &TestOptions { slack, ends, .. }: &TestOptions) -> Result<Mission, TestError> {
        let text = fs::read_to_string(file)
            .map_err(|error| TestError::Unreadable { path: file.to_owned(), error })?;
        let name = file.display().to_string();
        let scenario = Scenario::parse(&name, &text)?;
        let world = scenario.world_beside(file);
        let (world_file, world_text) = world_text(Some(&world), None)
            .map_err(|error| TestError::World { file: file.to_owned(), error })?;
        let began = clock::now();
        let mission = Mission { file: name, text, world_file, world_text, slack, ends, began, keep: false };
        mission.check()?;
        Ok(mission)
    }

    /// Reads both files; the world is as the scenario wants it.
    fn check(&self) -> Result<Plot, TestError> {
        let scenario = Scenario::parse(&self.file, &self.text)?;
        let mut world = World::parse(&self.world_file, &self.world_text)?;
        scenario.prepare(&mut world);
        scenario.check_names(&Names::of(&world, &Plan::new(&world)?))?;
        Ok(Plot { scenario, world })
    }
}

/// Plays scenarios, each in a world of its own, one after the other. Nothing is started unless all files are good and
/// every result has a place. To be called before this process starts any thread.
pub fn test(options: &TestOptions) -> Result<Report, TestError> {
    let load = |file: &PathBuf| Mission::load(file, options);
    let missions = all_good(options.files.iter().map(load))?;
    let outputs = options.results.open()?;
    rootless::become_root()?;
    // A thread waits for each world, and the signals are for it.
    let _held = HeldSignals::hold(&[ProcessSignal::SIGINT, ProcessSignal::SIGTERM, ProcessSignal::SIGCHLD])?;
    let mut report = Report { schema: api::Schema, scenarios: Vec::new() };
    let mut history = History { schema: api::Schema, plays: Vec::new() };
    for mission in missions {
        let told = in_its_own_world(Mission { keep: outputs.want_history(), ..mission })?;
        report.scenarios.push(told.report);
        history.plays.extend(told.play);
    }
    outputs.write(&report, &history)?;
    Ok(report)
}

/// All missions, or the faults of all files together.
fn all_good(loaded: impl Iterator<Item = Result<Mission, TestError>>) -> Result<Vec<Mission>, TestError> {
    let mut missions = Vec::new();
    let mut faults = Faults::default();
    for mission in loaded {
        match mission {
            Ok(mission) => missions.push(mission),
            Err(TestError::Faults(more)) => faults.extend(more),
            Err(other) => return Err(other),
        }
    }
    if faults.is_empty() { Ok(missions) } else { Err(faults.into()) }
}

/// Plays one scenario. What came of it comes through a pipe, while the world tells its story on the terminal.
fn in_its_own_world(mission: Mission) -> Result<Told, TestError> {
    let file = PathBuf::from(&mission.file);
    let (mut reader, writer) = io::pipe().map_err(|error| Error::new("make a pipe", error))?;
    let mission = mission::Mission::Play(Mission { began: clock::now(), ..mission });
    let world =
        thread::spawn(move || isolate::run(&INIT_ARGUMENTS, &mission, &[writer.as_fd()], Stdio::inherit()));
    let mut text = String::new();
    let read = reader.read_to_string(&mut text);
    let ended =
        world.join().unwrap_or_else(|_| Err(Error::new("wait", io::Error::other("the waiter panicked"))));
    ended?;
    read.map_err(|error| Error::new("read the report", error))?;
    serde_json::from_str(&text).map_err(|_| TestError::Ended(file))
}

/// The part inside: brings the world up, plays, reports.
pub(crate) fn play(mission: Mission, descriptors: Vec<OwnedFd>, leash: Leash) -> Result<(), UpError> {
    let Plot { scenario, world } = mission.check().map_err(|error| {
        // Both files were checked before; a difference now is nobody's fault but ours.
        Error::new("read the scenario again", io::Error::other(error))
    })?;
    thread::spawn(move || {
        leash.wait_end();
        std::process::exit(1);
    });
    println!("{} ({})", scenario.title, mission.file);
    let lab = Lab::start(world, mission.ends, mission.began)?;
    lab.shortfalls.iter().for_each(|shortfall| eprintln!("{shortfall}"));
    let kept = mission.keep.then(|| Arc::new(Mutex::new(Pictures::default())));
    let mut stage = LabStage::in_lab(Arc::clone(&lab), kept.clone())?;
    let report = play_on(&scenario, mission.slack, &mut stage, &mut |scene: Scene| println!("{scene}"));
    println!("{:>9}  {}\n", "", report.verdict);
    let play = kept.map(|kept| Play::of(&lab, &kept, clock::now(), Some(report.clone())));
    let told = Told { report, play };
    for descriptor in descriptors {
        let written = serde_json::to_writer(BufWriter::new(File::from(descriptor)), &told);
        written.map_err(|error| Error::new("hand over the report", io::Error::from(error)))?;
    }
    io::stdout().flush().map_err(|error| Error::new("print", error))?;
    drop(stage);
    lab.stop();
    Ok(())
}
