//! Services that let their connections go, and take those of others.

use super::round::{Round, Rounds};
use ::continuity::handover::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// A connection that its service offers. The service does not touch it until it knows its fate.
#[derive(Debug)]
pub(crate) struct Offered {
    /// A second handle on its socket.
    pub(super) socket: OwnedFd,
    /// What its service knows beside the kernel.
    pub(super) state: Vec<u8>,
    /// The last of all to be dropped.
    pub(super) fate: oneshot::Sender<Fate>,
}

impl Offered {
    /// The address that the client has called; none if an end has gone already.
    pub(super) fn service(&self) -> Option<SocketAddr> {
        let local = socket2::SockRef::from(&self.socket).local_addr().ok()?;
        local.as_socket().map(plain)
    }

    /// Says what has become of it. The service's handle on the socket is the last one then: whoever closes that may stand still
    /// for as long as the service likes (SO_LINGER), and must not be the driver.
    pub(super) fn settle(self, fate: Fate) {
        let Offered { socket, fate: told, .. } = self;
        drop(socket);
        // A service that is gone does not listen.
        let _ = told.send(fate);
    }

    /// It goes on here.
    pub(super) fn stays(self) {
        self.settle(Fate::Stays);
    }
}

/// A service would offer a connection, and serves it meanwhile.
#[derive(Debug)]
pub(super) struct Wish {
    turn: oneshot::Sender<Turn>,
    services: BTreeSet<SocketAddr>,
}

impl Wish {
    /// The addresses whose connections it may be about.
    pub(super) fn services(&self) -> &BTreeSet<SocketAddr> {
        &self.services
    }

    /// It may offer it now; none if it has something in hand for it, or does not answer for so long.
    pub(super) async fn grant(self, patience: Duration) -> Option<Offered> {
        let (turn, offered) = oneshot::channel();
        self.turn.send(Turn(turn)).ok()?;
        timeout(patience, offered).await.ok()?.ok()
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
    round: watch::Receiver<Round>,
    wishes: mpsc::Sender<Wish>,
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(super) cooperation: Cooperation,
    pub(super) round: watch::Sender<Round>,
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
    let (round, rounds) = watch::channel(Round::default());
    // Whoever waits for its turn serves on: nothing is gained by a longer queue.
    let (wishes, wished) = mpsc::channel(1);
    let cooperation = Cooperation { members: Members::default(), round: rounds, wishes };
    (cooperation.clone(), Offers { cooperation, round, wishes: wished })
}

/// Grants a wish, on a thread of its own kind.
#[cfg(test)]
fn granted(wish: Wish) -> Option<Offered> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(wish.grant(Duration::MAX))
}

#[cfg(test)]
impl Offers {
    /// Begins a round for all who have joined.
    pub(crate) fn begin(&self) {
        let all = self.cooperation.members.lock().unwrap().keys().map(|address| address.ip()).collect();
        self.round.send_modify(|round| round.begin(&all));
    }

    /// Nothing is to be offered any more.
    pub(crate) fn end(&self) {
        self.round.send_modify(|round| _ = round.keep(&BTreeSet::new()));
    }

    /// Begins a round, and takes the first connection that is offered.
    pub(crate) fn next(&mut self) -> (OwnedFd, Vec<u8>, oneshot::Sender<Fate>) {
        self.begin();
        loop {
            let wish = self.wishes.blocking_recv().unwrap();
            if let Some(Offered { socket, state, fate }) = granted(wish) {
                return (socket, state, fate);
            }
        }
    }

    /// Whether the service at an address takes one more.
    pub(crate) fn has_room(&self, at: SocketAddr) -> bool {
        self.cooperation.reserve(at).is_ok()
    }

    /// Ends the round, and gives a connection to the service at an address; false if there is none.
    pub(crate) fn give(&self, at: SocketAddr, given: Given) -> bool {
        self.end();
        self.cooperation.reserve(at).is_ok_and(|place| !place.send(given).is_closed())
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

    /// The rounds of a service with these addresses.
    pub(super) fn rounds(&self, addresses: BTreeSet<SocketAddr>) -> Rounds {
        Rounds::new(self.round.clone(), addresses)
    }

    /// A place for one more with the service at an address. It is kept free until it is used or given back.
    pub(super) fn reserve(&self, address: SocketAddr) -> Result<mpsc::OwnedPermit<Given>, Refusal> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let member = members.get(&plain(address)).ok_or(Refusal::NoService)?;
        if member.vacancy.is_full() {
            return Err(Refusal::Service);
        }
        member.takes.clone().try_reserve_owned().map_err(|_| Refusal::Service)
    }

    /// Waits for the turn to offer a connection of this address, in a later round than this one; the new round. It comes when
    /// there is a way to another site. Waits for ever where nothing is handed over.
    pub(crate) async fn turn(&self, service: SocketAddr, last: &mut u64) -> Turn {
        let mut round = self.round.clone();
        let number = |round: &Round| round.of([&service]);
        loop {
            let is_later = |round: &Round| number(round) != 0 && number(round) != *last;
            let waited = round.wait_for(|round| is_later(round)).await.map(|round| number(&round));
            let Ok(now) = waited else { return std::future::pending().await };
            let turn = self.turn_in(now, BTreeSet::from([plain(service)])).await;
            // Nobody can be reached, or the round is over: there may be another one.
            *last = now;
            if let Some(turn) = turn {
                return turn;
            }
        }
    }

    /// Asks for the turn to offer a connection of one of these addresses in this round; none where nobody can be reached, or the
    /// round is over.
    pub(super) async fn turn_in(&self, round: u64, services: BTreeSet<SocketAddr>) -> Option<Turn> {
        let place = self.wishes.reserve().await.ok()?;
        let (turn, granted) = oneshot::channel();
        place.send(Wish { turn, services: services.clone() });
        let turn = granted.await.ok()?;
        (self.round.borrow().of(&services) == round).then_some(turn)
    }
}

/// As services join: one that serves both families with one socket has IPv4 clients at addresses of another form.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Turn {
    /// Offers a connection; answers what has become of it. A driver that is gone has taken nothing.
    pub(crate) async fn offer(self, socket: OwnedFd, state: Vec<u8>) -> Fate {
        // Whoever closes the last handle with SO_LINGER stands still, and that may be the driver. A socket that does not take
        // the option is none that lingers.
        let _ = socket2::SockRef::from(&socket).set_linger(None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;
    use std::os::unix::net::UnixStream;
    use std::pin::Pin;
    use std::task::{Context, Wake};

    #[tokio::test]
    async fn whoever_keeps_a_turn_is_not_waited_for() {
        let (cooperation, mut offers) = prepare();
        let service = "198.18.0.53:7".parse().unwrap();
        offers.round.send_modify(|round| round.begin(&[service].map(|at: SocketAddr| at.ip()).into()));
        let grant = async { offers.wishes.recv().await.unwrap().grant(Duration::ZERO).await };
        let mut last = 0;
        let (turn, offered) = tokio::join!(cooperation.turn(service, &mut last), grant);
        assert!(offered.is_none());
        let (_client, stream) = connection();
        assert_eq!(turn.offer(stream.into(), Vec::new()).await, Fate::Stays);
    }

    #[tokio::test]
    async fn no_close_of_what_was_offered_waits() {
        let (_client, stream) = connection();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::from_secs(60))).unwrap();
        let (turn, offered) = oneshot::channel();
        let offer = Turn(turn).offer(stream.into(), Vec::new());
        let driver = async {
            let Offered { socket, fate, .. } = offered.await.unwrap();
            assert_eq!(socket2::SockRef::from(&socket).linger().unwrap(), None);
            drop(fate);
        };
        assert_eq!(tokio::join!(offer, driver).0, Fate::Stays);
    }

    /// Looks, when it is woken, whether the other end is closed.
    struct Witness(UnixStream, AtomicBool);

    impl Wake for Witness {
        fn wake(self: Arc<Self>) {
            let is_closed = (&self.0).read(&mut [0]).is_ok();
            self.1.store(is_closed, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_driver_closes_its_handle_before_it_says_what_has_become_of_a_connection() {
        let (end, socket) = UnixStream::pair().unwrap();
        end.set_nonblocking(true).unwrap();
        let witness = Arc::new(Witness(end, AtomicBool::new(false)));
        let (fate, mut heard) = oneshot::channel();
        let waker = Arc::clone(&witness).into();
        assert!(Pin::new(&mut heard).poll(&mut Context::from_waker(&waker)).is_pending());
        Offered { socket: socket.into(), state: Vec::new(), fate }.stays();
        assert_eq!((heard.try_recv(), witness.1.load(Ordering::Relaxed)), (Ok(Fate::Stays), true));
    }

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }
}
