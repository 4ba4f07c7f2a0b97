//! DNS over connections: TCP (RFC 7766, RFC 9210) and TLS (RFC 7858).
//!
//! ```text
//!  listener --+                       +-- conversation ── stream of a client
//!             +-- crowd ── admits ────+-- conversation ── stream of a client
//!  listener --+     │                 +-- ...
//!                   └── cuts: the idlest when a place is needed, whoever is overdue
//! ```
//! All connections of one kind, TCP or TLS, are on one thread. It steps back behind the threads of UDP, the one of TLS
//! also behind the one of TCP, and gives way to them after everything that it does, so that a flood of connections takes
//! from the others only what they do not need. Who is cut is decided by [`dns::Connections`]; memory is bounded by its
//! limits.

mod conversation;
mod crowd;
mod tickets;
mod tls;

use super::orders::Order;
use super::service::Service;
use crate::handover::{Given, Vacancy};
use ::dns::{Limits, Transport};
use crowd::Crowd;
use linux::scheduling;
use nix::libc;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;
pub(super) use tls::Tls;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

/// How long to wait after a connection could not be accepted.
const AFTER_ERROR: Duration = Duration::from_millis(10);
/// How long connections get to finish the query in hand before all stands still. Who takes longer is cut, and asks
/// again (RFC 7766 section 6.2.1).
const FINISH: Duration = Duration::from_millis(20);

/// How clients are spoken to.
#[derive(Clone, Debug)]
pub(super) enum Speech {
    /// As they come.
    Plain,
    /// With TLS, as it is set at the moment.
    Tls(watch::Receiver<Tls>),
}

impl Speech {
    pub(super) fn transport(&self) -> Transport {
        match self {
            Speech::Plain => Transport::Tcp,
            Speech::Tls(_) => Transport::Tls,
        }
    }

    /// What the thread is called.
    pub(super) fn thread(&self) -> &'static str {
        match self {
            Speech::Plain => "dns-tcp",
            Speech::Tls(_) => "dns-tls",
        }
    }

    /// How far the thread steps back behind those of UDP (nice(2)): with 15 steps the part of UDP is 29 of 30. A thread of
    /// UDP that wakes up when it has just had more waits until the kernel looks again. That would be at the next tick, some
    /// milliseconds later, if this thread did not give way after each piece of its work.
    fn steps_back(&self) -> u8 {
        match self {
            Speech::Plain => 15,
            Speech::Tls(_) => 19,
        }
    }
}

/// All listeners of one kind, and what answers on them.
#[derive(Debug)]
pub(super) struct Streams {
    runtime: Runtime,
    listeners: Vec<tokio::net::TcpListener>,
    /// Connections that were open before this program.
    clients: Vec<(tokio::net::TcpStream, SocketAddr)>,
    /// Connections that were open at another site, and whether there is a place for one more.
    given: Option<(mpsc::Receiver<Given>, Vacancy)>,
    speech: Speech,
    limits: watch::Receiver<Limits>,
    service: Service,
}

impl Streams {
    pub(super) fn new(
        listeners: Vec<TcpListener>,
        clients: Vec<TcpStream>,
        given: Option<(mpsc::Receiver<Given>, Vacancy)>,
        speech: Speech,
        limits: watch::Receiver<Limits>,
        service: Service,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let listeners = listeners.into_iter().map(tokio::net::TcpListener::from_std);
        let listeners = listeners.collect::<io::Result<_>>()?;
        // Who has gone in the meantime has no address any more.
        let here = clients.into_iter().filter_map(|client| {
            let from = client.peer_addr().ok()?;
            Some(tokio::net::TcpStream::from_std(client).map(|client| (client, from)))
        });
        let clients = here.collect::<io::Result<_>>()?;
        drop(entered);
        Ok(Streams { runtime, listeners, clients, given, speech, limits, service })
    }

    /// Answers until the service stops; connections end with it.
    pub(super) fn run(self) {
        let Streams { runtime, listeners, clients, given, speech, limits, service } = self;
        // Where it does not, it is one thread among many.
        let _ = scheduling::step_back(speech.steps_back());
        let (stand, standing) = watch::channel(false);
        LocalSet::new().block_on(&runtime, async {
            let (given, vacancy) =
                given.map_or_else(Default::default, |(given, vacancy)| (Some(given), vacancy));
            let crowd =
                Rc::new(Crowd::new(speech, *limits.borrow(), service.clone(), standing.clone(), vacancy));
            for (stream, from) in clients {
                crowd.admit(stream, from, Vec::new());
            }
            if let Some(given) = given {
                spawn_local(take_in(given, Rc::clone(&crowd)));
            }
            for listener in listeners {
                spawn_local(accept(listener, Rc::clone(&crowd), standing.clone()));
            }
            look_after(&crowd, limits, &service, &stand).await;
        });
    }
}

/// Sees to limits, time and orders, until the order is to stop.
async fn look_after(
    crowd: &Crowd,
    mut limits: watch::Receiver<Limits>,
    service: &Service,
    stand: &watch::Sender<bool>,
) {
    loop {
        if limits.has_changed().unwrap_or(false) {
            crowd.limit(*limits.borrow_and_update());
        }
        crowd.cut_overdue();
        crowd.refresh();
        let order = service.order();
        match order {
            Order::Serve | Order::Brace => sleep(order.look_every()).await,
            Order::Stand => {
                stand.send_replace(true);
                sleep(FINISH).await;
                // This thread is all that runs here, so that nothing moves until it goes on.
                service.stand();
                stand.send_replace(false);
            }
            Order::Stop => {
                // Who has asked is answered, and then told that this is the end (RFC 9210 section 4.4).
                stand.send_replace(true);
                return sleep(FINISH).await;
            }
        }
    }
}

/// Serves on who was served at another site. What had arrived of a query there comes along.
async fn take_in(mut given: mpsc::Receiver<Given>, crowd: Rc<Crowd>) {
    while let Some(Given { stream, state }) = given.recv().await {
        // Whoever has gone in the meantime has no address any more.
        let Ok(from) = stream.peer_addr() else { continue };
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            crowd.admit(stream, from, state);
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, crowd: Rc<Crowd>, mut standing: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            biased;
            // Whoever calls from here on waits for the program that takes over.
            () = becomes(&mut standing, true) => {
                becomes(&mut standing, false).await;
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                crowd.admit(stream, from, Vec::new());
                scheduling::give_way();
            }
            Err(error) => {
                if is_want_of_room(&error) {
                    crowd.make_room();
                }
                sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// Whether descriptors or memory ran out; otherwise the client has gone already.
fn is_want_of_room(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// Waits until all is to stand still, or until it may go on; for ever where this program ends.
async fn becomes(standing: &mut watch::Receiver<bool>, wanted: bool) {
    if standing.wait_for(|stands| *stands == wanted).await.is_err() {
        std::future::pending().await
    }
}
