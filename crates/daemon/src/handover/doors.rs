//! Where other sites call, and who answers there.

use super::channel::{Channel, Fault};
use super::delivery::Delivery;
use super::driver::{Driver, ON_THE_WAY, Situation};
use super::event::Event;
use super::patience::Patience;
use super::room::Room;
use super::taking::Taking;
use super::tally::Tally;
use super::ways::REACH;
use crate::continuity::Fences;
use crate::event::Source;
use crate::events::Bus;
use ::continuity::SiteNumber;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use terms::Reason;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Channels of other sites at the same time.
const CHANNELS: usize = 256;

/// After a connection could not be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// When a door that cannot be opened is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Octets of those that have come and wait for room in this kernel, as they never left the other one.
const WAITING: usize = 16 << 20;

/// Where other sites call.
pub(super) struct Doors {
    at: Vec<SocketAddr>,
    /// Those who listen there; they end with this. The channels that they have opened go on to their own ends: a connection may be
    /// on its way in each, and belong to nobody else any more.
    listeners: JoinSet<()>,
    /// For all channels together, whichever door they came through.
    seats: Arc<Semaphore>,
    room: Room,
    waiting: Room,
}

impl Doors {
    pub(super) fn new() -> Self {
        Doors {
            at: Vec::new(),
            listeners: JoinSet::new(),
            seats: Arc::new(Semaphore::new(CHANNELS)),
            room: Room::of(ON_THE_WAY),
            waiting: Room::of(WAITING),
        }
    }

    /// Listens where the site file says, and nowhere else.
    pub(super) fn follow(&mut self, now: Option<&Situation>, driver: &Driver, delivery: &Arc<Delivery>) {
        let wanted = now.map(Situation::doors).unwrap_or_default();
        if wanted == self.at {
            return;
        }
        self.listeners = JoinSet::new();
        for at in &wanted {
            let host = Host {
                situation: driver.situation.clone(),
                cooperation: driver.offers.cooperation.clone(),
                tally: driver.tally.clone(),
                bus: driver.bus.clone(),
                fences: driver.fences.clone(),
                delivery: Arc::clone(delivery),
                patience: driver.patience,
                seats: Arc::clone(&self.seats),
                room: self.room.clone(),
                waiting: self.waiting.clone(),
            };
            self.listeners.spawn(host.listen(*at));
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
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    // Whoever is one too many calls again.
                    if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
                        let host = self.clone();
                        tokio::spawn(async move {
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
