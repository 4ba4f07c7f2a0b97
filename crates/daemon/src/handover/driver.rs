//! The thread: gives connections away while this site is being left, and takes those of other sites.

use super::channel::{Channel, Ends, Fault};
use super::cooperation::{Fate, Offered, Offers};
use super::event::Event;
use super::giving::{Way, give};
use super::taking::Taking;
use super::tally::{Numbers, Tally, Why};
use crate::clock::Clock;
use crate::continuity::Fences;
use crate::error::Error;
use crate::event::Source;
use crate::events::Bus;
use ::continuity::{KeyRing, SiteNumber};
use announce::permit::Speaker;
use linux::tcp::repair;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terms::{Reason, Timestamp};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections that are given away at the same time: each waits for a round trip between the sites.
const AT_ONCE: usize = 64;

/// Channels of other sites at the same time.
const CHANNELS: usize = 4 * AT_ONCE;

/// How long another site may take to be reached.
const REACH: Duration = Duration::from_secs(1);

/// When connections are offered again that have stayed, counted from the first time.
const ROUNDS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// How long nothing happens before it is told what has happened.
const QUIET: Duration = Duration::from_millis(500);

/// After a connection could not be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Another site that takes connections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Receiver {
    pub(crate) number: SiteNumber,
    pub(crate) address: IpAddr,
    pub(crate) host: Speaker,
}

/// What is known of this site and the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Situation {
    pub(crate) here: SiteNumber,
    pub(crate) ring: KeyRing,
    /// This host's own addresses, at most one of each family.
    pub(crate) sources: Vec<IpAddr>,
    pub(crate) port: NonZeroU16,
    /// Where each other site is.
    pub(crate) peers: BTreeMap<SiteNumber, IpAddr>,
    /// Those that are well, the best first.
    pub(crate) receivers: Vec<Receiver>,
    /// The addresses of the services.
    pub(crate) services: BTreeSet<IpAddr>,
    /// Whether this site is being left.
    pub(crate) is_leaving: bool,
}

impl Situation {
    /// This host's address towards another one.
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.sources.iter().copied().find(|source| source.is_ipv4() == to.is_ipv4())
    }

    fn doors(&self) -> Vec<SocketAddr> {
        self.sources.iter().map(|source| SocketAddr::new(*source, self.port.get())).collect()
    }
}

/// The driver.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) offers: Offers,
    pub(crate) fences: Fences,
    pub(crate) tally: Tally,
    /// None: there is nothing to hand over with.
    pub(crate) situation: watch::Receiver<Option<Situation>>,
}

/// Ways to other sites that are not in use.
type Pool = Arc<Mutex<Vec<(SiteNumber, Channel)>>>;

impl Driver {
    /// Starts the thread. It ends with the process.
    pub(crate) fn start(self) -> Result<(), Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
        let run = move || runtime.block_on(self.run());
        std::thread::Builder::new().name("handover".to_owned()).spawn(run).map_err(Error::System)?;
        Ok(())
    }

    pub(super) async fn run(mut self) {
        let mut doors = Doors::default();
        let mut gives = JoinSet::new();
        let pool = Pool::default();
        let mut leaving: Option<Leaving> = None;
        let mut told = Numbers::default();
        let mut tell_at = None;
        loop {
            let now = self.situation.borrow_and_update().clone();
            doors.follow(now.as_ref(), &self);
            leaving = match (leaving, now.filter(|now| now.is_leaving)) {
                (None, Some(now)) => self.leave(&now),
                (leaving, Some(_)) => leaving,
                (_, None) => None,
            };
            if leaving.is_none() {
                self.offers.round.send_if_modified(|round| std::mem::take(round) != 0);
            }
            tokio::select! {
                changed = self.situation.changed() => if changed.is_err() { return },
                Some(offered) = self.offers.offered.recv(), if gives.len() < AT_ONCE => {
                    let (pool, fences) = (Arc::clone(&pool), self.fences.clone());
                    let (tally, situation) = (self.tally.clone(), self.situation.clone());
                    gives.spawn(async move { give_away(offered, &situation, &pool, &fences, &tally).await });
                }
                Some(_) = gives.join_next() => tell_at = Some(self.clock.now() + QUIET),
                () = self.clock.until(leaving.as_ref().and_then(Leaving::next_round)) => {
                    if let Some(leaving) = &mut leaving {
                        leaving.rounds += 1;
                        self.offers.round.send_modify(|round| *round += 1);
                    }
                }
                () = self.clock.until(tell_at), if gives.is_empty() => {
                    tell_at = None;
                    pool.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    let numbers = self.tally.numbers();
                    self.bus.tell(&Event::of(&told, &numbers), Source::Process);
                    told = numbers;
                }
            }
        }
    }

    /// This site begins to be left; says what stands against handing over.
    fn leave(&self, now: &Situation) -> Option<Leaving> {
        if let Err(error) = repair::is_possible() {
            self.bus.tell(&Event::Impossible { reason: Reason::from(error.to_string()) }, Source::Process);
        } else if now.receivers.is_empty() {
            self.bus.tell(&Event::NobodyTakes, Source::Process);
        } else {
            return Some(Leaving { since: self.clock.now(), rounds: 0 });
        }
        // It is said once; nothing is offered.
        Some(Leaving { since: self.clock.now(), rounds: ROUNDS.len() })
    }
}

/// This site is being left.
#[derive(Debug)]
struct Leaving {
    since: Timestamp,
    /// Rounds that have begun.
    rounds: usize,
}

impl Leaving {
    fn next_round(&self) -> Option<Timestamp> {
        ROUNDS.get(self.rounds).map(|after| self.since + *after)
    }
}

/// Gives one connection to the best site that can be reached.
async fn give_away(
    offered: Offered,
    situation: &watch::Receiver<Option<Situation>>,
    pool: &Pool,
    fences: &Fences,
    tally: &Tally,
) {
    let now = situation.borrow().clone();
    for to in now.iter().flat_map(|now| &now.receivers) {
        let Some(now) = &now else { break };
        let Ok((mut channel, packets)) = reach(now, to, pool).await else { continue };
        let way = Way {
            fences,
            here: now.here,
            to: to.number,
            tunnel: SocketAddr::new(to.address, now.port.get()),
            packets: &packets,
            ring: &now.ring,
        };
        if give(offered, &way, &mut channel, tally).await {
            pool.lock().unwrap_or_else(PoisonError::into_inner).push((to.number, channel));
        }
        return;
    }
    tally.keep(Why::Unreachable);
    // A service that is gone does not listen.
    let _ = offered.fate.send(Fate::Stays);
}

/// A way to another site, and a socket for the packets that were held.
async fn reach(now: &Situation, to: &Receiver, pool: &Pool) -> Result<(Channel, UdpSocket), Fault> {
    let source = now.source(to.address).ok_or(io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let packets = UdpSocket::bind((source, 0))?;
    packets.set_nonblocking(true)?;
    let idle = {
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pool.iter().position(|(number, _)| *number == to.number);
        at.map(|at| pool.swap_remove(at).1)
    };
    if let Some(channel) = idle {
        return Ok((channel, packets));
    }
    let begin = async {
        let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(source, 0))?;
        let stream = socket.connect(SocketAddr::new(to.address, now.port.get())).await?;
        stream.set_nodelay(true)?;
        Channel::begin(stream, Ends { giver: now.here, taker: to.number }, &now.ring).await
    };
    let late = |_| Fault::Io(io::ErrorKind::TimedOut.into());
    Ok((timeout(REACH, begin).await.map_err(late)??, packets))
}

/// Where other sites call.
#[derive(Default)]
struct Doors {
    at: Vec<SocketAddr>,
    /// Their tasks; they end with this.
    tasks: JoinSet<()>,
}

impl Doors {
    /// Listens where the site file says, and nowhere else.
    fn follow(&mut self, now: Option<&Situation>, driver: &Driver) {
        let wanted = now.map(Situation::doors).unwrap_or_default();
        if wanted == self.at {
            return;
        }
        self.tasks = JoinSet::new();
        let seats = Arc::new(Semaphore::new(CHANNELS));
        for at in &wanted {
            let host = Host {
                situation: driver.situation.clone(),
                cooperation: driver.offers.cooperation.clone(),
                tally: driver.tally.clone(),
                bus: driver.bus.clone(),
                seats: Arc::clone(&seats),
            };
            self.tasks.spawn(host.listen(*at));
        }
        self.at = wanted;
    }
}

/// Whoever answers at a door.
#[derive(Clone)]
struct Host {
    situation: watch::Receiver<Option<Situation>>,
    cooperation: super::Cooperation,
    tally: Tally,
    bus: Bus,
    seats: Arc<Semaphore>,
}

impl Host {
    async fn listen(self, at: SocketAddr) {
        let listener = match TcpListener::bind(at).await {
            Ok(listener) => listener,
            Err(error) => {
                let reason = Reason::from(error.to_string());
                self.bus.tell(&Event::Deaf { at, reason }, Source::Process);
                return;
            }
        };
        let mut callers = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = callers.join_next() => continue,
            };
            match accepted {
                Ok((stream, from)) => {
                    // Whoever is one too many calls again.
                    if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
                        let host = self.clone();
                        callers.spawn(async move {
                            host.receive(stream, from.ip()).await;
                            drop(seat);
                        });
                    }
                }
                Err(_) => sleep(AFTER_ERROR).await,
            }
        }
    }

    /// One channel, to its end.
    async fn receive(&self, stream: TcpStream, from: IpAddr) {
        let Some(now) = self.situation.borrow().clone() else { return };
        // A stranger is not listened to at all.
        if !now.peers.values().any(|address| *address == from.to_canonical()) {
            return;
        }
        let is_peer = |number: SiteNumber| now.peers.get(&number) == Some(&from.to_canonical());
        let result = async {
            stream.set_nodelay(true)?;
            let begin = timeout(REACH, Channel::hear_out(stream, now.here, &now.ring, is_peer)).await;
            let mut channel = begin.map_err(|_| Fault::Io(io::ErrorKind::TimedOut.into()))??;
            let taking =
                Taking { cooperation: &self.cooperation, services: &now.services, tally: &self.tally };
            taking.serve(&mut channel).await
        };
        match result.await {
            // That is how a giver ends.
            Ok(()) | Err(Fault::Io(_)) => {}
            Err(fault) => {
                let reason = Reason::from(fault.to_string());
                self.bus.tell(&Event::Distrusted { from, reason }, Source::Process);
            }
        }
    }
}
