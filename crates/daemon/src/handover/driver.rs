//! The thread: gives connections away while this site is being left, and takes those of other sites.

use super::channel::{Channel, Fault};
use super::cooperation::{Offered, Offers, Wish};
use super::delivery::Delivery;
use super::event::Event;
use super::giving::{Way, give};
use super::patience::Patience;
use super::room::{Room, Share};
use super::taking::Taking;
use super::tally::{Numbers, Tally, Why};
use super::ways::{REACH, Ways};
use crate::clock::Clock;
use crate::continuity::Fences;
use crate::error::Error;
use crate::event::Source;
use crate::events::Bus;
use ::continuity::handover::{Dump, Message};
use ::continuity::{KeyRing, SiteNumber};
use announce::permit::Speaker;
use linux::tcp::repair;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use terms::{Reason, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections that are given away at the same time: each waits for a round trip between the sites.
const AT_ONCE: usize = 64;

/// Channels of other sites at the same time.
const CHANNELS: usize = 4 * AT_ONCE;

/// When connections are offered again that have stayed, counted from the first time.
const ROUNDS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// How long nothing happens before it is told what has happened.
const QUIET: Duration = Duration::from_millis(500);

/// After a connection could not be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// When a door that cannot be opened is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Octets of connections that are on their way at the same time, in each direction. Each is in memory twice for a moment: as it
/// is, and as it is said.
const ON_THE_WAY: usize = 16 << 20;

/// Octets of those that have come and wait for room in this kernel, as they never left the other one.
const WAITING: usize = 16 << 20;

/// Octets that a client may send from the time when room is taken for a connection until it is frozen.
const MEANWHILE: usize = 64 << 10;

const _: () = assert!(Message::LONGEST + MEANWHILE <= ON_THE_WAY, "the longest goes, too");

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
    /// Those that are being left here; none: this site stays.
    pub(crate) leaving: BTreeSet<IpAddr>,
}

impl Situation {
    /// This host's address towards another one.
    pub(super) fn source(&self, to: IpAddr) -> Option<IpAddr> {
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
    pub(crate) patience: Patience,
    /// None: there is nothing to hand over with.
    pub(crate) situation: watch::Receiver<Option<Situation>>,
}

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
        let mut ways = Ways::default();
        let delivery = Arc::new(Delivery::open());
        let room = Room::of(ON_THE_WAY);
        let mut leaving: Option<Leaving> = None;
        let mut told = Numbers::default();
        let mut tell_at = None;
        loop {
            let now = self.situation.borrow_and_update().clone();
            doors.follow(now.as_ref(), &self, &delivery);
            leaving =
                Leaving::next(leaving, now.map(|now| now.leaving).unwrap_or_default(), self.clock.now());
            if leaving.is_none() {
                self.offers.round.send_if_modified(|round| std::mem::take(round) != 0);
            }
            tokio::select! {
                changed = self.situation.changed() => if changed.is_err() { return },
                Some(wish) = self.offers.wishes.recv(), if gives.len() < AT_ONCE => {
                    let giving = GiveAway {
                        situation: self.situation.clone(),
                        ways: ways.clone(),
                        room: room.clone(),
                        fences: self.fences.clone(),
                        delivery: Arc::clone(&delivery),
                        tally: self.tally.clone(),
                        patience: self.patience,
                    };
                    gives.spawn(giving.run(wish));
                }
                Some(_) = gives.join_next() => tell_at = Some(self.clock.now() + QUIET),
                () = self.clock.until(leaving.as_ref().and_then(Leaving::next_round)) => {
                    if let Some(leaving) = &mut leaving {
                        self.begin_round(leaving, &mut ways);
                    }
                }
                () = self.clock.until(tell_at), if gives.is_empty() => {
                    tell_at = None;
                    ways.rest();
                    self.tell(&mut told);
                }
            }
        }
    }

    /// Connections are offered once more, unless something stands against it now; it is said when it does first.
    fn begin_round(&self, leaving: &mut Leaving, ways: &mut Ways) {
        leaving.rounds += 1;
        let against = match repair::is_possible() {
            Err(error) => Some(Event::Impossible { reason: Reason::from(error.to_string()) }),
            Ok(()) if self.situation.borrow().as_ref().is_none_or(|now| now.receivers.is_empty()) => {
                Some(Event::NobodyTakes)
            }
            Ok(()) => None,
        };
        match against {
            None => {
                ways.begin();
                self.offers.round.send_modify(|round| *round += 1);
            }
            Some(event) if leaving.told.as_ref() != Some(&event) => {
                self.bus.tell(&event, Source::Process);
                leaving.told = Some(event);
            }
            Some(_) => {}
        }
    }

    /// Tells what has happened, if anything has.
    fn tell(&self, told: &mut Numbers) {
        let numbers = self.tally.numbers();
        if numbers.given != told.given || numbers.kept != told.kept {
            self.bus.tell(&Event::of(told, &numbers), Source::Process);
        }
        *told = numbers;
    }
}

/// Addresses are being left.
#[derive(Debug)]
struct Leaving {
    addresses: BTreeSet<IpAddr>,
    since: Timestamp,
    /// Rounds that have begun.
    rounds: usize,
    /// What was said against one.
    told: Option<Event>,
}

impl Leaving {
    /// These are left now: with one more, everything begins anew.
    fn next(before: Option<Self>, addresses: BTreeSet<IpAddr>, now: Timestamp) -> Option<Self> {
        match before {
            _ if addresses.is_empty() => None,
            Some(before) if addresses.is_subset(&before.addresses) => Some(Leaving { addresses, ..before }),
            _ => Some(Leaving { addresses, since: now, rounds: 0, told: None }),
        }
    }

    fn next_round(&self) -> Option<Timestamp> {
        ROUNDS.get(self.rounds).map(|after| self.since + *after)
    }
}

/// What it takes to give one connection away.
struct GiveAway {
    situation: watch::Receiver<Option<Situation>>,
    ways: Ways,
    room: Room,
    fences: Fences,
    delivery: Arc<Delivery>,
    tally: Tally,
    patience: Patience,
}

impl GiveAway {
    /// Finds a way first: until there is one, the connection is served on.
    async fn run(self, wish: Wish) {
        let Some(now) = self.situation.borrow().clone() else { return };
        let Some((to, channel)) = self.ways.reach(&now).await else {
            self.tally.keep(Why::Unreachable);
            return wish.refuse();
        };
        // It may be busy by now, and comes again.
        let Some(offered) = wish.grant().await else { return self.ways.put_back(to.number, channel) };
        if !offered.service().is_some_and(|service| now.leaving.contains(&service)) {
            self.ways.put_back(to.number, channel);
            return offered.stays();
        }
        let (most, _share) = match self.room_for(&offered).await {
            Ok(room) => room,
            Err(why) => {
                self.tally.keep(why);
                self.ways.put_back(to.number, channel);
                return offered.stays();
            }
        };
        let tunnel = SocketAddr::new(to.address, now.port.get());
        let source = now.source(to.address).ok_or(io::Error::from(io::ErrorKind::AddrNotAvailable));
        let Ok(packets) = source.and_then(packets_from) else {
            self.tally.keep(Why::Unreachable);
            return offered.stays();
        };
        let way = Way {
            fences: &self.fences,
            here: now.here,
            to: to.number,
            tunnel,
            packets: &packets,
            ring: &now.ring,
            delivery: &self.delivery,
            patience: self.patience,
        };
        self.give(offered, most, &way, channel).await;
    }

    /// Room for a connection, before it is frozen; how much its queues may hold then.
    async fn room_for(&self, offered: &Offered) -> Result<(usize, Share), Why> {
        let queued = repair::queued(&offered.socket).map_err(|_| Why::Undumpable)?;
        if queued > Dump::MOST_QUEUED {
            return Err(Why::TooMuch);
        }
        let most = (queued + MEANWHILE).min(Dump::MOST_QUEUED);
        let share = timeout(self.patience.giver(), self.room.wait_for(most + offered.state.len())).await;
        share.ok().flatten().map(|share| (most, share)).ok_or(Why::Crowded)
    }

    async fn give(&self, offered: Offered, most: usize, way: &Way<'_>, mut channel: Channel) {
        let end = give(offered, most, way, &mut channel, &self.tally).await;
        // Whoever is full or is being left itself takes no other one, either.
        if end.why == Some(Why::Service) {
            self.ways.pass_over(way.to);
        }
        if end.is_channel_well {
            self.ways.put_back(way.to, channel);
        }
    }
}

/// A socket for the packets that were held.
fn packets_from(source: IpAddr) -> io::Result<UdpSocket> {
    let packets = UdpSocket::bind((source, 0))?;
    packets.set_nonblocking(true)?;
    Ok(packets)
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
    fn follow(&mut self, now: Option<&Situation>, driver: &Driver, delivery: &Arc<Delivery>) {
        let wanted = now.map(Situation::doors).unwrap_or_default();
        if wanted == self.at {
            return;
        }
        self.tasks = JoinSet::new();
        let seats = Arc::new(Semaphore::new(CHANNELS));
        let (room, waiting) = (Room::of(ON_THE_WAY), Room::of(WAITING));
        for at in &wanted {
            let host = Host {
                situation: driver.situation.clone(),
                cooperation: driver.offers.cooperation.clone(),
                tally: driver.tally.clone(),
                bus: driver.bus.clone(),
                fences: driver.fences.clone(),
                delivery: Arc::clone(delivery),
                patience: driver.patience,
                seats: Arc::clone(&seats),
                room: room.clone(),
                waiting: waiting.clone(),
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
    fences: Fences,
    delivery: Arc<Delivery>,
    patience: Patience,
    seats: Arc<Semaphore>,
    room: Room,
    waiting: Room,
}

impl Host {
    async fn listen(self, at: SocketAddr) {
        let listener = self.open(at).await;
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

    /// Tries until it can listen: the address may come later, and whoever has the port may go. Why it cannot is said once.
    async fn open(&self, at: SocketAddr) -> TcpListener {
        let mut is_told = false;
        loop {
            match TcpListener::bind(at).await {
                Ok(listener) => return listener,
                Err(error) if !is_told => {
                    let reason = Reason::from(error.to_string());
                    self.bus.tell(&Event::Deaf { at, reason }, Source::Process);
                    is_told = true;
                }
                Err(_) => {}
            }
            sleep(TRY_AGAIN).await;
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
            let taking = Taking {
                cooperation: &self.cooperation,
                situation: &self.situation,
                fences: &self.fences,
                delivery: &self.delivery,
                tally: &self.tally,
                patience: self.patience,
                room: &self.room,
                waiting: &self.waiting,
            };
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
