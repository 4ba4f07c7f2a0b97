//! The driver of BFD: the sessions of all peers, on one thread of their own.
//!
//! ```text
//!   wiring ──orders (queue, bell)──> thread "bfd" ──what each session shows (latest)──> peer task ×n, status
//!                                     │  ^  Session ×n
//!     UDP, one socket per peer <──────┘  └────── UDP 3784 and 4784, one socket per family
//! ```
//! No runtime: a packet is due every few milliseconds, and a loop that is busy with a full table must not make a
//! neighbour believe that this end is dead. The thread asks the kernel to run before every normal one, and where that
//! is not allowed it says so and goes on. It never waits for anybody: an order is taken when it comes, a cell is
//! overwritten, a packet that does not fit is lost as on any link.
//!
//! In each round it first hears all that has arrived and only then looks at the timers, so that packets which the
//! kernel kept while the thread was held up count. What is left of its own lateness the session judges.

mod counters;
mod directory;
mod ear;
mod engine;
mod kept;
mod view;
mod voice;

pub(crate) use counters::{Counters, register};
pub(crate) use kept::Kept;
pub(crate) use view::View;

use crate::clock::Clock;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::succession::{self, Descriptors, Hold, StandStill};
use ::bfd::session::Settings;
use directory::Link;
use ear::Ear;
use engine::Engine;
use rustix::event::{EventfdFlags, eventfd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use terms::{Family, PeerName, Reason};
use tokio::sync::{oneshot, watch};
use voice::Voice;

/// Longest time that the thread gets to say goodbye to every peer.
const GOODBYE: Duration = Duration::from_secs(1);

/// How far away a neighbour may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hops {
    /// On the same link (RFC 5881).
    Single,
    /// Behind routers (RFC 5883).
    Multiple,
}

impl Hops {
    fn of(bfd: &config::Bfd) -> Self {
        if bfd.multihop { Hops::Multiple } else { Hops::Single }
    }

    /// Where packets go (RFC 5881 section 4, RFC 5883 section 5).
    fn port(self) -> u16 {
        match self {
            Hops::Single => 3784,
            Hops::Multiple => 4784,
        }
    }
}

/// What a session shows of itself: none while the peer has no BFD.
pub(crate) type Shown = watch::Sender<Option<View>>;

/// What the thread is told to do.
enum Order {
    /// Hear what comes in here.
    Listen(Ear),
    /// Watch the path to a peer, from now on like this.
    Watch(Box<Watch>),
    /// Stop watching it.
    Forget(PeerName),
    /// Go on with a session of the program before.
    TakeOver(Box<Link>),
    /// Have every other end bear such a silence, or none any more.
    Patience(Option<Duration>),
    /// Another program is about to take over.
    StandStill(StandStill<Kept>),
    /// Say goodbye to every peer, and end.
    End(oneshot::Sender<()>),
}

/// A path to be watched.
struct Watch {
    name: PeerName,
    neighbour: SocketAddr,
    hops: Hops,
    settings: Settings,
    voice: Voice,
    shown: Shown,
}

/// Every path that is watched. The thread and its sockets exist once a peer has BFD. Dropped before that, it leaves
/// nothing behind.
pub(crate) struct Links {
    clock: Clock,
    bus: Bus,
    counters: Arc<Counters>,
    listening: BTreeSet<(Hops, Family)>,
    /// Open, and the thread does not have them yet.
    ears: Vec<Ear>,
    thread: Option<Thread>,
}

/// The way to the thread.
struct Thread {
    orders: mpsc::Sender<Order>,
    bell: Arc<OwnedFd>,
}

impl Thread {
    fn order(&self, order: Order) {
        // The thread ends only when it was told to. A bell that was rung often enough to overflow is being heard.
        if self.orders.send(order).is_ok() {
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }
}

impl Links {
    /// No path yet.
    pub(crate) fn new(clock: Clock, bus: Bus, counters: Arc<Counters>) -> Self {
        Links { clock, bus, counters, listening: BTreeSet::new(), ears: Vec::new(), thread: None }
    }

    /// Goes on with the sessions of the program before that these peers have. The thread gets all of them at once, with
    /// what has arrived meanwhile, so that it is heard before a silence is judged. One that cannot go on begins anew.
    pub(crate) fn go_on(&mut self, kept: Kept, descriptors: &mut Descriptors, peers: &[config::Peer]) {
        let is_watched = |link: &Link| peers.iter().any(|peer| peer.name == link.name && peer.bfd.is_some());
        let (ears, links) = kept.take(descriptors);
        let listening: Vec<_> = ears.iter().map(|ear| (ear.hops, ear.family)).collect();
        let mut orders: Vec<Order> = ears.into_iter().map(Order::Listen).collect();
        for link in links {
            match link {
                Ok(link) if is_watched(&link) => orders.push(Order::TakeOver(Box::new(link))),
                Ok(_) => {}
                Err(name) => {
                    let reason = Reason::from("the socket of its BFD session was not handed over");
                    self.bus.tell(&succession::Event::SessionLost { reason }, Source::Peer(&name));
                }
            }
        }
        // Where the system refuses, the next who needs the thread is told.
        if let Ok(thread) = self.start(orders) {
            self.listening.extend(listening);
            self.thread = Some(thread);
        }
    }

    /// Opens what the peers of a site file need and is not open yet. An error leaves everything as it was.
    pub(crate) fn prepare(&mut self, peers: &[config::Peer]) -> Result<(), Error> {
        let needed = peers.iter().filter_map(|peer| {
            let bfd = peer.bfd.as_ref()?;
            Some((Hops::of(bfd), Family::of(peer.address.ip())))
        });
        let missing: BTreeSet<_> = needed.filter(|place| !self.listening.contains(place)).collect();
        let open = |&(hops, family): &(Hops, Family)| {
            Ear::open(hops, family).map_err(|source| Error::bfd_port(hops.port(), source))
        };
        let ears: Vec<Ear> = missing.iter().map(open).collect::<Result<_, _>>()?;
        self.ears.extend(ears);
        self.listening.extend(missing);
        Ok(())
    }

    /// Watches the path to a peer as its section says now; a session that may go on goes on. `shown` tells what comes of
    /// it. What the peer needs was prepared.
    pub(crate) fn watch(&mut self, peer: &config::Peer, shown: &Shown) {
        let Some(bfd) = &peer.bfd else { return self.forget(&peer.name) };
        if let Err(error) = self.begin_watch(peer, bfd, shown) {
            let event = Event::BfdUnavailable { reason: Reason::from(error.to_string()) };
            self.bus.tell(&event, Source::Peer(&peer.name));
        }
    }

    fn begin_watch(&mut self, peer: &config::Peer, bfd: &config::Bfd, shown: &Shown) -> io::Result<()> {
        let (hops, neighbour) = (Hops::of(bfd), place(peer)?);
        let voice = Voice::open(neighbour, hops.port())?;
        let (name, settings, shown) = (peer.name.clone(), bfd.session, shown.clone());
        let watch = Box::new(Watch { name, neighbour, hops, settings, voice, shown });
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => self.start(Vec::new())?,
        };
        self.ears.drain(..).for_each(|ear| thread.order(Order::Listen(ear)));
        thread.order(Order::Watch(watch));
        self.thread = Some(thread);
        Ok(())
    }

    /// Stops watching the path to a peer; the other end is told that nothing is wrong with it.
    pub(crate) fn forget(&self, name: &PeerName) {
        if let Some(thread) = &self.thread {
            thread.order(Order::Forget(name.clone()));
        }
    }

    /// Has every other end bear a silence of ours, or none any more. [`View::tolerates`] tells when one does.
    pub(crate) fn announce_silence(&self, silence: Option<Duration>) {
        if let Some(thread) = &self.thread {
            thread.order(Order::Patience(silence));
        }
    }

    /// Has the thread stand still. Answers with what holds it and what it knows; nothing where there is none.
    pub(crate) async fn stand_still(&self) -> Option<(Hold, Kept)> {
        let (ask, hold, said) = StandStill::ask();
        self.thread.as_ref()?.order(Order::StandStill(ask));
        Some((hold, said.await.ok()?))
    }

    /// Tells every other end that the sessions end by our order, and ends the thread.
    pub(crate) async fn end(self) {
        if let Some(thread) = &self.thread {
            let (done, ended) = oneshot::channel();
            thread.order(Order::End(done));
            let _ = tokio::time::timeout(GOODBYE, ended).await;
        }
    }

    /// Starts the thread, with orders that it takes before it does anything else.
    fn start(&self, first: Vec<Order>) -> io::Result<Thread> {
        let (orders, taken) = mpsc::channel();
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let thread = Thread { orders, bell: Arc::clone(&bell) };
        first.into_iter().for_each(|order| thread.order(order));
        let engine = Engine::new(self.clock, self.bus.clone(), Arc::clone(&self.counters), taken, bell);
        std::thread::Builder::new().name("bfd".to_owned()).spawn(move || engine.run())?;
        Ok(thread)
    }
}

/// Where a peer is, on its link if its address says so little.
fn place(peer: &config::Peer) -> io::Result<SocketAddr> {
    match (&peer.interface, peer.address) {
        (Some(interface), SocketAddr::V6(mut v6)) => {
            let index = linux::link::index_here(interface.as_str())?;
            v6.set_scope_id(index.0);
            Ok(v6.into())
        }
        (_, address) => Ok(address),
    }
}
