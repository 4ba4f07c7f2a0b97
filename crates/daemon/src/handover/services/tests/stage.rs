//! A daemon with a door, a service that has come in, and the connections between both.

use super::super::seats::Seats;
use super::super::trust::Owner;
use super::super::wire::Wire;
use super::super::{Reception, Recess, Roster, Rules, Waits};
use crate::clock::Clock;
use crate::events::Bus;
use crate::handover::cooperation::{Cooperation, Given, Offered, Offers, Wish, prepare};
use linux::pass;
use nix::unistd::Uid;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeSet;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long something that must happen may take on a machine that is busy with other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// What is waited for here without being expected.
pub(super) const SHORT: Duration = Duration::from_millis(300);
pub(super) const LONG: Waits = Waits::of(PATIENCE);
/// Nothing is ever sent to the port; connections are between sockets of the test.
pub(super) const HERE: &str = "127.0.0.1";

/// A daemon with a door, and one service in it.
pub(super) struct Stage {
    pub(super) offers: Offers,
    pub(super) rules: watch::Sender<Option<Rules>>,
    pub(super) roster: Roster,
    pub(super) bus: Bus,
    pub(super) recess: Recess,
    pub(super) seats: Seats,
    pub(super) service: UnixStream,
    pub(super) visit: JoinHandle<()>,
    /// That the service was told.
    pub(super) turns: u64,
}

/// Whoever runs the tests.
pub(super) fn own() -> Owner {
    Owner::nameless(Uid::current().as_raw())
}

pub(super) fn rules() -> Rules {
    let users = BTreeSet::from([Uid::current().as_raw().to_string()]);
    Rules { socket: "/nowhere".into(), users, addresses: [HERE.parse().unwrap()].into() }
}

impl Stage {
    pub(super) fn new(waits: Waits) -> Self {
        Stage::of(own(), waits)
    }

    /// Somebody comes to the door of a daemon.
    pub(super) fn of(owner: Owner, waits: Waits) -> Self {
        let (cooperation, offers) = prepare();
        Stage::at(cooperation, offers, owner, waits)
    }

    /// One more service of the same daemon.
    pub(super) fn another(&self) -> Self {
        Stage::at(self.offers.cooperation(), prepare().1, own(), LONG)
    }

    pub(super) fn at(cooperation: Cooperation, offers: Offers, owner: Owner, waits: Waits) -> Self {
        let (rules, ruled) = watch::channel(Some(rules()));
        let (roster, bus, seats) = (Roster::default(), Bus::for_test(), Seats::default());
        let ends = Socket::pair(Domain::UNIX, Type::SEQPACKET.nonblocking(), None).unwrap();
        let [service, far] = [ends.0, ends.1].map(|end| {
            let end = std::os::unix::net::UnixStream::from(OwnedFd::from(end));
            UnixStream::from_std(end).unwrap()
        });
        let (clock, told, places) = (Clock::start(), bus.clone(), seats.clone());
        let (recess, known) = (Recess::default(), roster.clone());
        let reception = Reception {
            rules: ruled,
            cooperation,
            recess: recess.clone(),
            roster: known,
            waits,
            clock,
            bus: told,
        };
        let visit = tokio::spawn(async move { reception.seat(Wire::new(far), &owner, &places).await });
        Stage { offers, rules, roster, bus, recess, seats, service, visit, turns: 0 }
    }

    /// The service says something, and brings descriptors.
    pub(super) async fn say(&self, octets: &[u8], descriptors: &[BorrowedFd<'_>]) {
        let say = || Ok(pass::send(&self.service, octets, descriptors)?);
        loop {
            self.service.writable().await.unwrap();
            match self.service.try_io(Interest::WRITABLE, say) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                said => return said.unwrap(),
            }
        }
    }

    /// What the service is told next, and the descriptors that come along; empty when the daemon has hung up.
    pub(super) async fn hear(&self) -> (String, Vec<OwnedFd>) {
        let mut room = vec![0; 80_000];
        let hear = async {
            loop {
                self.service.readable().await.unwrap();
                let receive = || Ok(pass::receive(&self.service, &mut room)?);
                match self.service.try_io(Interest::READABLE, receive) {
                    Ok(heard) => return heard,
                    // What the daemon has not read is lost with it.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let (length, descriptors) = tokio::time::timeout(PATIENCE, hear).await.unwrap();
        (String::from_utf8(room[..length].to_vec()).unwrap(), descriptors)
    }

    pub(super) async fn hears(&self, expected: &str) {
        assert_eq!(self.hear().await.0, expected);
    }

    pub(super) async fn join(&self, port: u16) {
        self.say(format!("join 1 chat {HERE}:{port}\n").as_bytes(), &[]).await;
        self.hears("joined\n").await;
    }

    /// This site is being left, and another one can be reached.
    pub(super) async fn drain(&self) {
        self.offers.begin();
        self.hears("drain\n").await;
    }

    /// What a way to another site leads to: the service has a turn, and what it offers then is the driver's.
    pub(super) async fn turn(&mut self) -> JoinHandle<Option<Offered>> {
        let wish = self.wish().await;
        let granted = tokio::spawn(wish.grant(PATIENCE));
        self.turns += 1;
        self.hears(&format!("turn {}\n", self.turns)).await;
        granted
    }

    /// This site is being left, and the service would give one connection away.
    pub(super) async fn first_turn(&mut self) -> JoinHandle<Option<Offered>> {
        self.drain().await;
        self.say(b"wish 1\n", &[]).await;
        self.turn().await
    }

    /// It does not answer: the driver has its way back, and gives it to somebody else.
    pub(super) async fn lets_a_turn_lapse(&mut self) {
        let granted = self.first_turn().await;
        assert!(tokio::time::timeout(PATIENCE, granted).await.unwrap().unwrap().is_none());
    }

    pub(super) async fn wish(&mut self) -> Wish {
        tokio::time::timeout(PATIENCE, self.offers.wishes.recv()).await.unwrap().unwrap()
    }

    /// The daemon hangs up, and says why.
    pub(super) async fn is_refused(&mut self, why: &str) {
        self.hears(&format!("refused {why}\n")).await;
        self.hears("").await;
        tokio::time::timeout(PATIENCE, &mut self.visit).await.unwrap().unwrap();
        assert_eq!(self.roster.all(), []);
        let told = self.bus.latest().pop().unwrap();
        assert!(told.text.contains(why), "{}", told.text);
    }
}

/// A client's end and the service's.
pub(super) fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

pub(super) fn port(service: &TcpStream) -> u16 {
    service.local_addr().unwrap().port()
}

pub(super) fn given(stream: TcpStream, state: &[u8]) -> Given {
    stream.set_nonblocking(true).unwrap();
    Given { stream, state: state.to_vec() }
}
