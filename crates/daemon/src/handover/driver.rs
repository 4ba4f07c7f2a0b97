//! The thread: gives connections away while this site is being left, and takes those of other sites.

use super::channel::Channel;
use super::cooperation::{Offered, Offers, Wish};
use super::delivery::Delivery;
use super::doors::Doors;
use super::event::Event;
use super::giving::{Way, give};
use super::patience::Patience;
use super::room::{Room, Share};
use super::tally::{Numbers, Tally, Why};
use super::ways::Ways;
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
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections that are given away at the same time: each waits for a round trip between the sites.
const AT_ONCE: usize = 64;

/// When connections are offered again that have stayed, counted from the first time. One of sixteen has a query in hand when it is
/// offered: after three times one of four thousand would be left, after five one of a million. The second round is long enough to
/// find out which sites cannot be reached ([`super::ways::REACH`]).
const ROUNDS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(6),
    Duration::from_secs(7),
];

/// How long a turn may be kept. Services are given less by those who speak for them.
const TURN: Duration = Duration::from_secs(5);

/// How long nothing happens before it is told what has happened.
const QUIET: Duration = Duration::from_millis(500);

/// Octets of connections that are on their way at the same time, in each direction. Each is in memory twice for a moment: as it
/// is, and as it is said.
pub(super) const ON_THE_WAY: usize = 16 << 20;

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

    pub(super) fn doors(&self) -> Vec<SocketAddr> {
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
        let mut doors = Doors::new();
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
            let addresses = now.map(|now| now.leaving).unwrap_or_default();
            self.offers.round.send_if_modified(|round| round.keep(&addresses));
            leaving = Leaving::next(leaving, addresses, self.clock.now());
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
                self.offers.round.send_modify(|round| round.begin(&leaving.addresses));
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
        let is_left = |service: &SocketAddr| now.leaving.contains(&service.ip());
        let services: BTreeSet<_> = wish.services().iter().copied().filter(is_left).collect();
        // Another group is being left, or none any more by now: that is nobody's failure.
        if services.is_empty() {
            return wish.refuse();
        }
        let Some((to, channel)) = self.ways.reach(&now, &services).await else {
            self.tally.keep(Why::Unreachable);
            return wish.refuse();
        };
        // It may be busy by now, and comes again.
        let Some(offered) = wish.grant(TURN).await else { return self.ways.put_back(to.number, channel) };
        let Some(service) = offered.service().filter(is_left) else {
            self.ways.put_back(to.number, channel);
            return offered.stays();
        };
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
        self.give(offered, service, most, &way, channel).await;
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

    async fn give(
        &self,
        offered: Offered,
        service: SocketAddr,
        most: usize,
        way: &Way<'_>,
        mut channel: Channel,
    ) {
        let end = give(offered, most, way, &mut channel, &self.tally).await;
        // A service that is full, is being left itself or is not there takes no other one, either.
        if let Some(Why::Service | Why::NoService) = end.why {
            self.ways.pass_over_for(way.to, service);
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
