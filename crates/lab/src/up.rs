//! `catchment lab up`: the part that waits, and the part inside that is the world.

use crate::cable::ends::Ends;
use crate::clock;
use crate::control;
use crate::isolate::{self, Leash};
use crate::mission;
use crate::on_screen;
use crate::progress::Progress;
use crate::replay::{Form, History, HistoryFiles, Output, Pictures, Play, WriteError};
use crate::rootless::{self, Forbidden};
use crate::running::{Lab, StartError};
use crate::runtime::{LabName, RuntimeError, Sockets};
use crate::serve;
use crate::story::Happening;
use crate::world::{BUILT_IN, World, built_in, dozens};
use document::Faults;
use screen::ScreenError;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use terms::Timestamp;
use tokio::sync::Notify;

/// The hidden arguments with which this program starts itself inside the world.
pub const INIT_ARGUMENTS: [&str; 2] = ["lab", "init"];
/// The world that is brought up when none is named.
pub const DEFAULT_WORLD: &str = "earth";
/// The world that is drawn by lot.
const DRAWN_WORLD: &str = "dozens";
/// Where the page is served when nobody says.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8053";
/// How long clients may take to be answered before the lab says who is not.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `catchment lab up` was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// A world file, or the name of a built-in world.
    pub world: Option<PathBuf>,
    /// The seed with which the world is drawn, if it is.
    pub seed: Option<u64>,
    /// The name under which the other commands find it.
    pub name: LabName,
    /// Where the page is served.
    pub listen: SocketAddr,
    /// Stops by itself after this long.
    pub duration: Option<Duration>,
    /// What cables end in.
    pub ends: Ends,
    /// Where everything that was seen is written at the end.
    pub history: HistoryFiles,
    /// Whether the world is shown in this terminal.
    pub tui: bool,
}

/// Why a lab was not brought up.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Namespaces of one's own are forbidden.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The world file cannot be read.
    #[error("cannot read the world {}: {error} (built-in worlds: {known})", .path.display(), known = known_worlds())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A seed for what is not drawn by lot.
    #[error("the world {0} is not drawn by lot: --seed is for `{DRAWN_WORLD}`")]
    NotDrawn(String),
    /// The world file is wrong.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The sockets cannot be made.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The page has no place.
    #[error("cannot listen on {address}: {error} (choose another place with --listen)")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] linux::Error),
    /// The world could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What was seen cannot be written.
    #[error(transparent)]
    Unwritable(#[from] WriteError),
    /// There is no terminal to show the world in.
    #[error(transparent)]
    Screen(#[from] ScreenError),
}

fn known_worlds() -> String {
    BUILT_IN.join(", ")
}

/// What the part inside is to serve.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Mission {
    /// The name of the world file, for faults.
    file: String,
    text: String,
    /// When the user asked for it.
    began: Timestamp,
    duration: Option<Duration>,
    listen: SocketAddr,
    ends: Ends,
    /// What is written at the end; the files come behind the listeners.
    history: Vec<(Form, PathBuf)>,
}

/// The name and the text of a world: a file, or a built-in world of that name, drawn with a seed.
pub fn world_text(world: Option<&Path>, seed: Option<u64>) -> Result<(String, String), UpError> {
    let path = world.unwrap_or(Path::new(DEFAULT_WORLD));
    let name = path.display().to_string();
    match (seed, built_in(&name)) {
        (Some(seed), _) if name == DRAWN_WORLD => Ok((name, dozens(seed))),
        (Some(_), _) => Err(UpError::NotDrawn(name)),
        (None, Some(text)) => Ok((name, text.into_owned())),
        (None, None) => match fs::read_to_string(path) {
            Ok(text) => Ok((name, text)),
            Err(error) => Err(UpError::Unreadable { path: path.to_owned(), error }),
        },
    }
}

/// Brings a world up and waits until it ends. To be called before this process starts any thread.
pub fn up(options: &Options) -> Result<ExitStatus, UpError> {
    let began = clock::now();
    if options.tui {
        screen::check()?;
    }
    let (file, text) = world_text(options.world.as_deref(), options.seed)?;
    let world = World::parse(&file, &text)?;
    let page = TcpListener::bind(options.listen)
        .map_err(|error| UpError::Listen { address: options.listen, error })?;
    let listen = page.local_addr().unwrap_or(options.listen);
    let outputs = options.history.open()?;
    let sockets = Sockets::of(&options.name);
    rootless::become_root()?;
    let [control, exec] = sockets.listen(&options.name)?;
    let mission = Mission {
        file,
        text,
        began,
        duration: options.duration,
        listen,
        ends: options.ends,
        history: outputs.iter().map(|(form, output)| (*form, output.path().to_owned())).collect(),
    };
    let listeners = [page.as_fd(), control.as_fd(), exec.as_fd()];
    let descriptors: Vec<_> =
        listeners.into_iter().chain(outputs.iter().map(|(_, output)| output.as_fd())).collect();
    let mission = mission::Mission::Up(mission);
    let ended = match options.tui {
        true => on_screen::run(&world.name, listen, &sockets, &mission, &descriptors),
        false => {
            isolate::run(&INIT_ARGUMENTS, &mission, &descriptors, Stdio::inherit()).map_err(UpError::from)
        }
    };
    sockets.remove();
    ended
}

/// The part inside: builds the world and serves it until it is to stop.
pub(crate) fn run_inside(
    mission: Mission,
    mut descriptors: Vec<OwnedFd>,
    leash: Leash,
) -> Result<(), UpError> {
    let files = descriptors.split_off(descriptors.len().min(3));
    let outputs: Vec<(Form, Output)> = mission
        .history
        .into_iter()
        .zip(files)
        .map(|((form, path), file)| (form, Output::handed_over(path, file)))
        .collect();
    let [page, control, exec] = <[OwnedFd; 3]>::try_from(descriptors).map_err(|given| {
        let reason = io::Error::other(format!("{} descriptors came instead of 3", given.len()));
        linux::Error::new("take over the listeners", reason)
    })?;
    let world = World::parse(&mission.file, &mission.text)?;
    eprintln!(
        "{}: {} networks, {} sites, {} clients; building",
        world.name,
        world.networks.len(),
        world.sites.len(),
        world.clients.len()
    );
    let lab = Lab::start(world, mission.ends, mission.began)?;
    lab.shortfalls.iter().for_each(|shortfall| eprintln!("{shortfall}"));
    let built = clock::now().since(mission.began);
    eprintln!("built after {:.2} s; waiting for BGP to bring every client to a site", built.as_secs_f64());
    let progress = Progress::of(&lab);
    control::hand_out_namespaces(Arc::clone(&lab), UnixListener::from(exec))?;
    let (answered, listen) = (Arc::clone(&lab), mission.listen);
    thread::spawn(move || say_when_answered(&answered, listen, progress));
    let stop = Arc::new(Notify::new());
    let tied = Arc::clone(&stop);
    thread::spawn(move || {
        leash.wait_end();
        tied.notify_one();
    });
    let (page, control) = (TcpListener::from(page), UnixListener::from(control));
    let kept = (!outputs.is_empty()).then(|| Arc::new(Mutex::new(Pictures::default())));
    let served = serve::serve(Arc::clone(&lab), page, control, stop, mission.duration, kept.clone());
    say_unanswered(&lab);
    let plays = kept.iter().map(|kept| Play::of(&lab, kept, clock::now(), None)).collect();
    lab.stop();
    let history = History { schema: api::Schema, plays };
    outputs.iter().try_for_each(|(form, output)| output.write_with(|| form.text(&history)))?;
    served.map_err(|error| linux::Error::new("serve the lab", error).into())
}

/// Tells the user when the world works, and until then, now and again, whom it does not work for.
fn say_when_answered(lab: &Lab, listen: SocketAddr, progress: Progress) {
    let map = || eprintln!("map: http://{listen}/   stop: Ctrl-C");
    let first = lab.wait_answered(PATIENCE);
    progress.end();
    let after = match first {
        Ok(after) => {
            say_answered(lab, after);
            return map();
        }
        Err(waiting) => {
            say_waiting(lab, &waiting);
            map();
            wait_on(lab, waiting)
        }
    };
    say_answered(lab, after);
}

/// Waits without an end for those who are not answered, and names them again when they are fewer.
fn wait_on(lab: &Lab, mut told: Vec<String>) -> Duration {
    loop {
        match lab.wait_answered(PATIENCE) {
            Ok(after) => return after,
            Err(waiting) if waiting == told => {}
            Err(waiting) => {
                say_waiting(lab, &waiting);
                told = waiting;
            }
        }
    }
}

fn say_answered(lab: &Lab, after: Duration) {
    eprintln!("every client answered after {:.2} s", after.as_secs_f64());
    let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    lab.story.tell(&Happening::Ready { after_ms });
}

fn say_unanswered(lab: &Lab) {
    let waiting = lab.waiting();
    if !waiting.is_empty() {
        eprintln!("the lab stops before anybody answered {}", waiting.join(", "));
    }
}

fn say_waiting(lab: &Lab, waiting: &[String]) {
    let passed = clock::now().since(lab.began).as_secs_f64();
    eprintln!("after {passed:.0} s nobody answers {}", waiting.join(", "));
}
