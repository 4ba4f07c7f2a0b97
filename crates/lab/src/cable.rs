//! Cables: one thread carries every packet of the world from one plug to another, late by design.
//!
//! ```text
//!  router A                        cable thread                        router B
//!  plug ----- read, due = now + delay --> [ queue A to B ] -- write when due --> plug
//!  plug <---- write when due -- [ queue B to A ] <-- read, due = now + delay --- plug
//! ```
//! A direction is first in, first out, so only the head of each queue needs to be ordered by time: a heap of heads. The
//! thread sleeps until a frame comes or the first head is due, and keeps a log of how late it was.

pub mod ends;
mod queue;

use crate::clock;
use crate::history::{Laggard, LatenessLog};
use crate::lateness::Worst;
use crate::plan::CableId;
use crate::scenario::words::Percent;
use crate::world::Rate;
use linux::panel::{LONGEST_FRAME, Plug};
use linux::{Error, Result, scheduling};
use queue::{Direction, Queues};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Frames taken from one plug before the others get their turn.
const BURST: usize = 64;
/// How often the thread looks whether it is to stop.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

/// What a cable does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Carries them.
    Up,
    /// Its ends have no carrier.
    Cut,
    /// Swallows them; its ends have a carrier and nobody knows.
    Blackhole,
    /// Swallows a share of them.
    HalfBroken(Percent),
}

impl Condition {
    const CUT: u8 = 254;
    const BLACKHOLE: u8 = 255;

    fn of(number: u8) -> Self {
        match number {
            Condition::CUT => Condition::Cut,
            Condition::BLACKHOLE => Condition::Blackhole,
            share => Percent::new(share).map_or(Condition::Up, Condition::HalfBroken),
        }
    }

    /// As a number that a thread can look at while another changes it: the share that is lost, where packets pass.
    fn number(self) -> u8 {
        match self {
            Condition::Up => 0,
            Condition::Cut => Condition::CUT,
            Condition::Blackhole => Condition::BLACKHOLE,
            Condition::HalfBroken(share) => share.get(),
        }
    }

    /// The share of packets that get lost, 0 to 1; none where not a single one passes.
    fn lost(self) -> Option<f64> {
        match self {
            Condition::Up => Some(0.0),
            Condition::HalfBroken(share) => Some(share.share()),
            Condition::Cut | Condition::Blackhole => None,
        }
    }
}

/// How a cable carries packets when nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carriage {
    /// One-way delay.
    pub delay: Duration,
    /// Share of packets that get lost, 0 to 1.
    pub loss: f64,
    /// What it carries at most in each direction; none carries everything.
    pub rate: Option<Rate>,
}

/// A cable between two plugs.
#[derive(Debug)]
pub struct Fibre {
    /// Which cable of the plan it is.
    pub id: CableId,
    /// Its ends, in the order of the plan.
    pub ends: [Plug; 2],
    /// How it carries packets when nothing is wrong with it.
    pub carriage: Carriage,
    condition: AtomicU8,
}

impl Fibre {
    /// A cable that carries.
    pub fn new(id: CableId, ends: [Plug; 2], carriage: Carriage) -> Self {
        Fibre { id, ends, carriage, condition: AtomicU8::new(Condition::Up.number()) }
    }

    /// What it does now.
    pub fn condition(&self) -> Condition {
        Condition::of(self.condition.load(Ordering::Relaxed))
    }

    /// Cuts it, makes it swallow packets, or repairs it. Packets that are under way are lost with it, but for those in
    /// one that is half broken.
    pub fn set_condition(&self, condition: Condition) -> Result<()> {
        self.condition.store(condition.number(), Ordering::Relaxed);
        self.ends.iter().try_for_each(|end| end.set_carrier(condition != Condition::Cut))
    }
}

/// The cable thread, at work.
#[derive(Debug)]
pub struct Carrying {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Carrying {
    /// Ends it: it lets go of its cables.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked has let go as well.
        let _ = self.thread.join();
    }
}

/// Carries packets over these cables from now on.
pub fn carry(fibres: Vec<Arc<Fibre>>, lateness: Arc<LatenessLog>) -> Result<Carrying> {
    let waiting =
        epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::new("create an epoll", error))?;
    for (index, fibre) in fibres.iter().enumerate() {
        for (end, plug) in fibre.ends.iter().enumerate() {
            let data = EventData::new_u64((2 * index + end) as u64);
            epoll::add(&waiting, plug, data, EventFlags::IN)
                .map_err(|error| Error::new("watch a cable", error))?;
        }
    }
    let directions = fibres.iter().flat_map(|fibre| [(); 2].map(|()| Direction::new(fibre.carriage)));
    let queues = Queues::new(directions.collect());
    let worst = Worst::of(Laggard::Cables, lateness);
    let carrier = Carrier { fibres, waiting, queues, worst, buffer: vec![0; LONGEST_FRAME] };
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = thread::Builder::new().name("cables".into()).spawn(move || carrier.run(&stopped));
    Ok(Carrying { stop, thread: thread.map_err(|error| Error::new("start the cable thread", error))? })
}

/// The thread's own things.
struct Carrier {
    fibres: Vec<Arc<Fibre>>,
    waiting: OwnedFd,
    /// Direction `2 * cable + end` is what was sent from that end.
    queues: Queues,
    worst: Worst,
    buffer: Vec<u8>,
}

impl Carrier {
    fn run(mut self, stop: &AtomicBool) {
        // Both make the delay more exact; without them it is still right on average.
        let _ = scheduling::precise_timers();
        let _ = scheduling::real_time();
        let mut events = Vec::with_capacity(128);
        while !stop.load(Ordering::Relaxed) {
            let next = self.queues.next_due().map_or(LONGEST_SLEEP, |due| due.since(clock::now()));
            let patience = timespec(next.min(LONGEST_SLEEP));
            events.clear();
            // Interrupted is the only error a valid epoll knows: look again.
            let _ = epoll::wait(&self.waiting, spare_capacity(&mut events), Some(&patience));
            for event in &events {
                self.take_in(event.data.u64() as usize);
            }
            self.deliver();
        }
    }

    /// Reads what a node sent into its cable.
    fn take_in(&mut self, direction: usize) {
        let fibre = &self.fibres[direction / 2];
        for _ in 0..BURST {
            match fibre.ends[direction % 2].receive(&mut self.buffer) {
                Ok(Some(length)) => {
                    if let Some(lost) = fibre.condition().lost() {
                        self.queues.push(direction, &self.buffer[..length], lost, clock::now());
                    }
                }
                // A plug that cannot be read belongs to a node that is gone; its cable stays silent.
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Writes what is due out of the far end.
    fn deliver(&mut self) {
        let now = clock::now();
        while let Some((direction, due, frame)) = self.queues.pop_due(now) {
            let fibre = &self.fibres[direction / 2];
            if fibre.condition().lost().is_some() {
                fibre.ends[1 - direction % 2].deliver(&frame);
                self.worst.note(now, now.since(due));
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}
