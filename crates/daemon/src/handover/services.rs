//! Services that are processes of their own and cooperate: they join at a Unix socket.
//!
//! ```text
//!                     thread "services"
//!   service ──────> [`door`] ── may it join? [`trust`] ──> [`session`] ×n <──turns, fates──> the driver ([`Cooperation`])
//!           <──────────── packets with sockets [`wire`] ───────┘   └──who is here (latest)──> [`roster`]
//! ```
//! What is said, and in which order: [`continuity::service`]. A service is believed no more than anybody else is: what it may
//! hold here is bounded, it is waited for only so long, and each socket that it offers is looked at. From whoever may not join
//! nothing is received, and what anybody has brought is closed on other threads: a close may block. Why so:
//! docs/decisions/0024-cooperating-services.md.

mod door;
mod event;
mod fault;
mod recess;
mod roster;
mod seats;
mod session;
mod trust;
mod wire;

pub(crate) use recess::Recess;
pub(crate) use roster::Roster;

use super::cooperation::Cooperation;
use crate::clock::Clock;
use crate::error::Error;
use crate::event::Source;
use crate::events::Bus;
use config::SiteFile;
use door::Door;
use event::Event;
use seats::Seats;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use terms::Reason;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Those that have come in and have no seat, or not yet: they are looked up, or closed. More wait at the door.
const ON_THEIR_FEET: usize = 64;

/// When a door that cannot be opened is tried again, and after a service could not be let in.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// How long a service is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// Until it joins, and until it reads what it is told.
    word: Duration,
    /// Until it answers a turn: others wait for the way to the other site meanwhile.
    turn: Duration,
    /// How long its seat is taken at least: whoever comes and goes all the time is told of no more often.
    visit: Duration,
    /// The same for whoever was not let in.
    refused: Duration,
}

impl Default for Waits {
    /// Far more than a service needs that does nothing else.
    fn default() -> Self {
        Waits {
            word: Duration::from_secs(5),
            turn: Duration::from_secs(1),
            visit: Duration::from_secs(1),
            refused: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
impl Waits {
    /// One for all that is waited for; seats are free at once.
    pub(super) const fn of(wait: Duration) -> Self {
        Waits { word: wait, turn: wait, visit: Duration::ZERO, refused: Duration::ZERO }
    }
}

/// What the site file says of services that join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Where they join.
    pub(super) socket: PathBuf,
    /// Whose they may be.
    pub(super) users: BTreeSet<String>,
    /// The addresses that they may have.
    pub(super) addresses: BTreeSet<IpAddr>,
}

impl Rules {
    /// None where nobody may join.
    pub(crate) fn of(site_file: &SiteFile) -> Option<Self> {
        let config::Services { socket, users } = site_file.continuity.clone()?.services?;
        let addresses = site_file.services.iter().flat_map(|service| service.addresses.clone());
        Some(Rules { socket, users, addresses: addresses.collect() })
    }
}

/// Lets services join. Each that comes in is attended by a copy.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) rules: watch::Receiver<Option<Rules>>,
    pub(crate) cooperation: Cooperation,
    pub(crate) recess: Recess,
    pub(crate) roster: Roster,
    pub(crate) waits: Waits,
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
}

impl Reception {
    /// Starts the thread. It ends with the process, or with whoever has the rules.
    pub(crate) fn start(self) -> Result<(), Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
        let run = move || {
            runtime.block_on(self.run());
            // What cannot be closed is not waited for.
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("services".to_owned()).spawn(run).map_err(Error::System)?;
        Ok(())
    }

    pub(super) async fn run(mut self) {
        let (mut door, mut is_told) = (None, false);
        let seats = Seats::default();
        let mut visits = JoinSet::new();
        loop {
            let wanted = self.rules.borrow_and_update().as_ref().map(|rules| rules.socket.clone());
            door = door.filter(|door: &Door| Some(door.path()) == wanted.as_deref());
            if let (None, Some(path)) = (&door, &wanted) {
                door = match Door::open(path) {
                    Ok(door) => {
                        is_told = false;
                        Some(door)
                    }
                    Err(error) => {
                        self.tell_once(&mut is_told, path.clone(), &error);
                        None
                    }
                };
            }
            tokio::select! {
                changed = self.rules.changed() => match changed {
                    Ok(()) => is_told = false,
                    Err(_) => return,
                },
                Some(_) = visits.join_next() => {}
                accepted = accept(door.as_ref()), if visits.len() < seats::ALL + ON_THEIR_FEET => match accepted {
                    Ok(caller) => _ = visits.spawn(self.clone().attend(caller, seats.clone())),
                    Err(_) => sleep(TRY_AGAIN).await,
                },
                () = sleep(TRY_AGAIN), if door.is_none() && wanted.is_some() => {}
            }
        }
    }

    fn tell_once(&self, is_told: &mut bool, path: PathBuf, error: &io::Error) {
        if !std::mem::replace(is_told, true) {
            let reason = Reason::from(error.to_string());
            self.bus.tell(&Event::Closed { path, reason }, Source::Process);
        }
    }
}

/// The next that comes in; nobody while there is no door.
async fn accept(door: Option<&Door>) -> io::Result<wire::Wire> {
    match door {
        Some(door) => door.accept().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
