//! Services that let their connections go, and take those of others.

use ::continuity::handover::Refusal;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// A connection that its service offers. The service does not touch it until it knows its fate.
#[derive(Debug)]
pub(crate) struct Offered {
    /// A second handle on its socket.
    pub(super) socket: OwnedFd,
    /// What its service knows beside the kernel.
    pub(super) state: Vec<u8>,
    pub(super) fate: oneshot::Sender<Fate>,
}

impl Offered {
    /// The address that the client has called; none if an end has gone already.
    pub(super) fn service(&self) -> Option<IpAddr> {
        let local = socket2::SockRef::from(&self.socket).local_addr().ok()?;
        Some(local.as_socket()?.ip().to_canonical())
    }

    /// It goes on here.
    pub(super) fn stays(self) {
        // A service that is gone does not listen.
        let _ = self.fate.send(Fate::Stays);
    }
}

/// A service would offer a connection, and serves it meanwhile.
#[derive(Debug)]
pub(super) struct Wish(oneshot::Sender<Turn>);

impl Wish {
    /// It may offer it now; none if it has something in hand for it.
    pub(super) async fn grant(self) -> Option<Offered> {
        let (turn, offered) = oneshot::channel();
        self.0.send(Turn(turn)).ok()?;
        offered.await.ok()
    }

    /// It may not in this round.
    pub(super) fn refuse(self) {}
}

/// What has become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is another site's, and its socket here has ended.
    Moved,
    /// It goes on here.
    Stays,
}

/// A connection that another site has given.
#[derive(Debug)]
pub(crate) struct Given {
    /// Its socket, which does not block.
    pub(crate) stream: TcpStream,
    /// What its service at the other site knew.
    pub(crate) state: Vec<u8>,
}

/// Whether a service has a place for one more connection. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vacancy {
    is_full: Arc<AtomicBool>,
}

impl Vacancy {
    /// What is given to a full service would cost another client its place.
    pub(crate) fn say(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }
}

/// A service that takes connections.
#[derive(Debug)]
struct Member {
    takes: mpsc::Sender<Given>,
    vacancy: Vacancy,
}

type Members = Arc<Mutex<BTreeMap<SocketAddr, Member>>>;

/// What services and the driver know of each other.
#[derive(Clone, Debug)]
pub(crate) struct Cooperation {
    members: Members,
    /// A number for each time that connections are to be offered; 0 while none are.
    round: watch::Receiver<u64>,
    wishes: mpsc::Sender<Wish>,
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(super) cooperation: Cooperation,
    pub(super) round: watch::Sender<u64>,
    pub(super) wishes: mpsc::Receiver<Wish>,
}

impl Offers {
    /// The services' end.
    pub(crate) fn cooperation(&self) -> Cooperation {
        self.cooperation.clone()
    }
}

/// Nobody cooperates yet.
pub(crate) fn prepare() -> (Cooperation, Offers) {
    let (round, rounds) = watch::channel(0);
    // Whoever waits for its turn serves on: nothing is gained by a longer queue.
    let (wishes, wished) = mpsc::channel(1);
    let cooperation = Cooperation { members: Members::default(), round: rounds, wishes };
    (cooperation.clone(), Offers { cooperation, round, wishes: wished })
}

/// Grants a wish, on a thread of its own kind.
#[cfg(test)]
fn granted(wish: Wish) -> Option<Offered> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(wish.grant())
}

#[cfg(test)]
impl Offers {
    /// Begins a round, and takes the first connection that is offered.
    pub(crate) fn next(&mut self) -> (OwnedFd, Vec<u8>, oneshot::Sender<Fate>) {
        self.round.send_modify(|round| *round += 1);
        loop {
            let wish = self.wishes.blocking_recv().unwrap();
            if let Some(Offered { socket, state, fate }) = granted(wish) {
                return (socket, state, fate);
            }
        }
    }

    /// Whether the service at an address takes one more.
    pub(crate) fn has_room(&self, at: SocketAddr) -> bool {
        self.cooperation.is_welcome(at).is_ok()
    }

    /// Ends the round, and gives a connection to the service at an address; false if there is none.
    pub(crate) fn give(&self, at: SocketAddr, given: Given) -> bool {
        self.round.send_replace(0);
        self.cooperation.queue(at).is_some_and(|queue| queue.try_send(given).is_ok())
    }
}

/// A service that takes connections, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Membership {
    members: Members,
    addresses: Vec<SocketAddr>,
    takes: mpsc::Sender<Given>,
}

/// The turn to offer one connection.
#[derive(Debug)]
pub(crate) struct Turn(oneshot::Sender<Offered>);

impl Cooperation {
    /// Connections to these addresses go into this queue. The last that says so gets them.
    pub(crate) fn join(
        &self,
        addresses: Vec<SocketAddr>,
        takes: &mpsc::Sender<Given>,
        vacancy: &Vacancy,
    ) -> Membership {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        self.enter(&mut members, addresses, takes, vacancy)
    }

    /// The same for a service that may not take the place of another one; the address that has one already is the error.
    pub(super) fn join_beside(
        &self,
        addresses: Vec<SocketAddr>,
        takes: &mpsc::Sender<Given>,
        vacancy: &Vacancy,
    ) -> Result<Membership, SocketAddr> {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        match addresses.iter().find(|address| members.contains_key(address)) {
            Some(taken) => Err(*taken),
            None => Ok(self.enter(&mut members, addresses, takes, vacancy)),
        }
    }

    fn enter(
        &self,
        members: &mut BTreeMap<SocketAddr, Member>,
        addresses: Vec<SocketAddr>,
        takes: &mpsc::Sender<Given>,
        vacancy: &Vacancy,
    ) -> Membership {
        let member = || Member { takes: takes.clone(), vacancy: vacancy.clone() };
        members.extend(addresses.iter().map(|address| (*address, member())));
        Membership { members: Arc::clone(&self.members), addresses, takes: takes.clone() }
    }

    /// The number of the round in which connections are to be offered; 0 while none are.
    pub(super) fn rounds(&self) -> watch::Receiver<u64> {
        self.round.clone()
    }

    /// The queue of the service at an address; none if there is no such service.
    pub(super) fn queue(&self, address: SocketAddr) -> Option<mpsc::Sender<Given>> {
        self.members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&plain(address))
            .map(|member| member.takes.clone())
    }

    /// Whether the service at an address takes one more.
    pub(super) fn is_welcome(&self, address: SocketAddr) -> Result<(), Refusal> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let member = members.get(&plain(address)).ok_or(Refusal::NoService)?;
        let is_full = member.vacancy.is_full() || member.takes.capacity() == 0;
        if is_full { Err(Refusal::Service) } else { Ok(()) }
    }

    /// Waits for the turn to offer a connection, in a later round than this one; the new round. It comes when there is a way to
    /// another site. Waits for ever where nothing is handed over.
    pub(crate) async fn turn(&self, last: &mut u64) -> Turn {
        let mut round = self.round.clone();
        loop {
            let waited = round.wait_for(|round| *round != 0 && round != last).await.map(|round| *round);
            let Ok(now) = waited else { return std::future::pending().await };
            let turn = self.turn_in(now).await;
            // Nobody can be reached, or the round is over: there may be another one.
            *last = now;
            if let Some(turn) = turn {
                return turn;
            }
        }
    }

    /// Asks for the turn to offer a connection in this round; none where nobody can be reached, or the round is over.
    pub(super) async fn turn_in(&self, round: u64) -> Option<Turn> {
        let place = self.wishes.reserve().await.ok()?;
        let (turn, granted) = oneshot::channel();
        place.send(Wish(turn));
        let turn = granted.await.ok()?;
        (*self.round.borrow() == round).then_some(turn)
    }
}

/// As services join: one that serves both families with one socket has IPv4 clients at addresses of another form.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Turn {
    /// Offers a connection; answers what has become of it. A driver that is gone has taken nothing.
    pub(crate) async fn offer(self, socket: OwnedFd, state: Vec<u8>) -> Fate {
        let (fate, heard) = oneshot::channel();
        match self.0.send(Offered { socket, state, fate }) {
            Ok(()) => heard.await.unwrap_or(Fate::Stays),
            Err(_) => Fate::Stays,
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        for address in &self.addresses {
            // Another one may have come in its place.
            if members.get(address).is_some_and(|member| member.takes.same_channel(&self.takes)) {
                members.remove(address);
            }
        }
    }
}
