//! The driver of connections that move: tells the programs in the kernel what the fleet knows, and the fleet what
//! connections this host has.
//!
//! ```text
//!   thread "continuity"
//!   kernel's list of sockets ──once a second──> [`duty`] ──what to say (latest)──> presence ──lease──> Store (etcd)
//!   Store ──listing, changes (queue)── ears ──>   │ │
//!   decision loop ──views (latest)────────────>   │ └──settings──> [`programs`] ──> tables in the kernel
//!   site ──what the site file says (latest)───>   │
//!                                                 └──how it stands (latest)──> status, metrics
//!   tables in the kernel ──> [`survey`], aside ──how many have moved, once a second; each of them, on demand──> [`duty`]
//! ```
//! Nothing that announces or withdraws a route waits for this thread, and no packet does: the programs go on with what
//! they were told last, also while there is no daemon and while the store is gone. After a restart nothing is told to them
//! before the fleet was heard. Why so: docs/decisions/0015-continuity.md.

mod connections;
mod duty;
mod event;
mod explain;
mod fences;
mod joining;
mod keys;
mod knowledge;
mod others;
mod pinned;
mod programs;
mod said;
mod survey;
mod view;

pub(crate) use explain::{Asked, Unexplained};
pub(crate) use fences::Fences;
pub(crate) use joining::{Moved, Wanted, join};
pub(crate) use pinned::settle;
pub(crate) use view::register;

use crate::clock::Clock;
use crate::error::Error;
use crate::event::Source;
use crate::events::Bus;
use crate::handover::{self, Roster, Situation, Tally};
use ::fleet::{Embedded, Etcd, Store};
use announce::permit::Speaker;
use duty::Duty;
use event::Event;
use programs::Programs;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How the driver is connected with the rest of the daemon.
#[derive(Debug)]
pub(crate) struct Wires {
    clock: Clock,
    bus: Bus,
    /// What the site file says.
    wanted: watch::Receiver<Option<Wanted>>,
    /// What each group announces.
    groups: watch::Receiver<Vec<api::Group>>,
    /// What handing over goes by.
    situation: watch::Sender<Option<Situation>>,
    /// What was handed over.
    tally: Tally,
    /// The services that take part in it from other processes.
    services: Roster,
    /// How it stands.
    shown: watch::Sender<Option<api::Continuity>>,
    /// What others want to know.
    asked: mpsc::Receiver<Question>,
}

/// What somebody wants to know, and where the answer goes.
#[derive(Debug)]
enum Question {
    /// The connections that have moved.
    Flows(oneshot::Sender<api::Flows>),
    /// Where a connection goes.
    Explain(Asked, oneshot::Sender<Result<api::FlowExplanation, Unexplained>>),
}

/// The driver.
#[derive(Debug)]
pub(crate) struct Driver<S> {
    store: S,
    speaker: Speaker,
    /// How long others count on this host without hearing of it.
    lease: Duration,
    wires: Wires,
    /// The store of this machine; none where it cannot be opened.
    memory: Option<Embedded>,
    programs: Programs,
}

/// The drivers that are wanted together.
#[derive(Debug)]
pub(crate) struct Drivers {
    continuity: Driver<Etcd>,
    handover: handover::Driver,
    reception: handover::Reception,
}

impl Drivers {
    /// Starts the threads. They end with the process, or with the decision loop.
    pub(crate) fn start(self) -> Result<(), Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
        let Drivers { continuity, handover, reception } = self;
        handover.start()?;
        reception.start()?;
        let run = move || runtime.block_on(continuity.run());
        std::thread::Builder::new().name("continuity".to_owned()).spawn(run).map_err(Error::System)?;
        Ok(())
    }
}

impl<S: Store> Driver<S> {
    /// Does what the site file says, for as long as anybody decides anything.
    async fn run(mut self) {
        loop {
            let wanted = self.wires.wanted.borrow_and_update().clone();
            match wanted {
                Some(wanted) => {
                    let pins = Some(wanted.section.pins.as_path());
                    pinned::note(self.memory.as_ref(), pins, &self.wires.bus).await;
                    let duty = Duty::new(&self.store, &mut self.wires, &mut self.programs);
                    if duty.run(wanted, self.speaker.clone(), self.lease).await.is_err() {
                        return;
                    }
                }
                None => {
                    if self.wires.wanted.changed().await.is_err() {
                        return;
                    }
                }
            }
            if self.wires.wanted.borrow().is_none() {
                self.leave().await;
            }
        }
    }

    /// The site file does not want it any more.
    async fn leave(&mut self) {
        self.wires.shown.send_replace(None);
        self.wires.situation.send_replace(None);
        let event = match self.programs.leave() {
            Ok(()) => {
                pinned::note(self.memory.as_ref(), None, &self.wires.bus).await;
                Event::Ended
            }
            Err(error) => Event::Off { reason: error.to_string().into() },
        };
        self.wires.bus.tell(&event, Source::Process);
    }
}
