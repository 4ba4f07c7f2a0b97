//! Services that let their connections go, and take those of others.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
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

type Members = Arc<Mutex<BTreeMap<SocketAddr, mpsc::Sender<Given>>>>;

/// What services and the driver know of each other.
#[derive(Clone, Debug)]
pub(crate) struct Cooperation {
    members: Members,
    /// A number for each time that connections are to be offered; 0 while none are.
    round: watch::Receiver<u64>,
    offers: mpsc::Sender<Offered>,
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(super) cooperation: Cooperation,
    pub(super) round: watch::Sender<u64>,
    pub(super) offered: mpsc::Receiver<Offered>,
}

/// Nobody cooperates yet.
pub(crate) fn prepare() -> (Cooperation, Offers) {
    let (round, rounds) = watch::channel(0);
    // Whoever waits for its turn serves on: the queue is no longer than what is taken at once.
    let (offers, offered) = mpsc::channel(1);
    let cooperation = Cooperation { members: Members::default(), round: rounds, offers };
    (cooperation.clone(), Offers { cooperation, round, offered })
}

#[cfg(test)]
impl Offers {
    /// Begins a round, and takes the first connection that is offered.
    pub(crate) fn next(&mut self) -> (OwnedFd, Vec<u8>, oneshot::Sender<Fate>) {
        self.round.send_modify(|round| *round += 1);
        let Offered { socket, state, fate } = self.offered.blocking_recv().unwrap();
        (socket, state, fate)
    }

    /// Ends the round, and gives a connection to the service at an address; false if there is none.
    pub(crate) fn give(&self, at: SocketAddr, given: Given) -> bool {
        self.round.send_replace(0);
        self.cooperation.place(at).map(|place| place.send(given)).is_some()
    }
}

/// A service that takes connections, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Membership {
    members: Members,
    addresses: Vec<SocketAddr>,
}

/// The turn to offer one connection.
#[derive(Debug)]
pub(crate) struct Turn(mpsc::OwnedPermit<Offered>);

impl Cooperation {
    /// Connections to these addresses go into this queue. The last that says so gets them.
    pub(crate) fn join(&self, addresses: Vec<SocketAddr>, takes: &mpsc::Sender<Given>) -> Membership {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.extend(addresses.iter().map(|address| (*address, takes.clone())));
        Membership { members: Arc::clone(&self.members), addresses }
    }

    /// A place in the queue of the service at an address; none if there is no such service, or no room.
    pub(super) fn place(&self, address: SocketAddr) -> Option<mpsc::OwnedPermit<Given>> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.get(&address)?.clone().try_reserve_owned().ok()
    }

    /// Waits for the turn to offer a connection, in a later round than this one; the new round. Waits for ever where
    /// nothing is handed over.
    pub(crate) async fn turn(&self, last: &mut u64) -> Turn {
        let mut round = self.round.clone();
        loop {
            let waited = round.wait_for(|round| *round != 0 && round != last).await.map(|round| *round);
            let (Ok(now), Ok(permit)) = (waited, self.offers.clone().reserve_owned().await) else {
                return std::future::pending().await;
            };
            // The round may be over by now.
            if *round.borrow() == now {
                *last = now;
                return Turn(permit);
            }
        }
    }
}

impl Turn {
    /// Offers a connection; answers what has become of it. A driver that is gone has taken nothing.
    pub(crate) async fn offer(self, socket: OwnedFd, state: Vec<u8>) -> Fate {
        let (fate, heard) = oneshot::channel();
        self.0.send(Offered { socket, state, fate });
        heard.await.unwrap_or(Fate::Stays)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        for address in &self.addresses {
            members.remove(address);
        }
    }
}
