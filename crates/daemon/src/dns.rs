//! The built-in DNS service: threads and sockets around [`dns::answer`].
//!
//! ```text
//!  address 1 --+-- UDP socket -- thread (udp)      a thread per socket; SO_REUSEPORT spreads
//!              +-- UDP socket -- thread (udp)      clients over the sockets of one address
//!              +-- TCP listener --+
//!              +-- TLS listener --|-+
//!                                 +-|- thread (tcp) all of TCP, so that a flood of it leaves UDP alone
//!  address 2 --+-- TCP listener --+ +- thread (tls) all of TLS, so that a flood of it leaves TCP alone, too
//!              +-- TLS listener ----+
//!              +-- ...
//!
//!  reload, transfers --> shelf --> served (latest) --> every thread looks for a newer version before each batch
//!  reload --> limits, certificate (latest) --> every thread of connections looks for newer ones
//! ```
//! A socket is bound to one service address, so replies leave from the address that was asked; it may be bound before
//! the address is on the host. Every thread beats the heart that it was given, counts into counters of its own and
//! takes no lock while nothing changes.

mod batch;
mod bell;
mod counters;
mod event;
mod exchange;
mod following;
mod images;
mod inheritance;
mod inventory;
mod listen;
mod orders;
mod secondary;
mod served;
mod service;
mod shelf;
mod streams;
mod tally;
mod tap;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transfer_tests;
mod turns;
mod udp;
pub(crate) mod zone_keeping;

use crate::clock::Clock;
use crate::events::Bus;
use crate::handover::{Cooperation, Given, Membership, Vacancy};
use crate::succession::Sockets;
use crate::watchdog::Heart;
use ::dns::{Identity, Keyring, Limits, RateLimit, Transport};
pub(crate) use images::Images;
pub(crate) use inheritance::Inheritance;
pub(crate) use inventory::{Inventory, take_stock};
use orders::{Order, Orders};
use served::Served;
use service::Service;
pub(crate) use shelf::Shelf;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use streams::{Speech, Streams, Tls};
pub(crate) use tally::{Tally, register, served, total};
pub(crate) use tap::Teller;
use terms::ServiceName;
use tokio::sync::{mpsc, watch};

/// Where DNS is served (RFC 1035 section 4.2).
pub(crate) const PORT: u16 = 53;

/// Where DNS over TLS is served (RFC 7858 section 3.1).
pub(crate) const TLS_PORT: u16 = 853;

/// Longest time that a thread takes to notice that it is to stop, and between two beats of its heart.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Connections of other sites that wait to be admitted.
const GIVEN: usize = 256;

/// What is served where.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The service that it is.
    pub(crate) service: ServiceName,
    /// The service addresses. They need not be on the host yet.
    pub(crate) addresses: Vec<IpAddr>,
    /// UDP threads per address; one per processor is right.
    pub(crate) workers: NonZeroUsize,
    /// Who answers.
    pub(crate) identity: Identity,
    /// How many connections of each kind are kept, and for how long.
    pub(crate) limits: Limits,
    /// What TLS needs; none where it is not spoken.
    pub(crate) tls: Option<config::DnsTls>,
    /// How often a network is told the same over UDP.
    pub(crate) rate_limit: Option<RateLimit>,
}

/// What every thread of every service needs.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    /// What cookies are made with.
    pub(crate) keyring: watch::Receiver<Keyring>,
    /// Who takes connections to another site, and brings those of others.
    pub(crate) cooperation: Cooperation,
    pub(crate) bus: Bus,
}

/// Why the service could not start. Nothing is left half-started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else has the port.
    #[error(
        "{address} is taken by another program, perhaps another DNS server: stop it, or leave [service.dns] out \
         to announce that one"
    )]
    Taken {
        /// Which one.
        address: SocketAddr,
    },
    /// The process may not use a port below 1024.
    #[error("no permission to listen on {address}: run as root or give the process CAP_NET_BIND_SERVICE")]
    Forbidden {
        /// Which one.
        address: SocketAddr,
    },
    /// The socket cannot be used for another reason.
    #[error("cannot listen for DNS on {address}: {source}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// What TLS needs cannot be had.
    #[error("DNS over TLS cannot be served: {0}")]
    Tls(rustls::Error),
    /// The system gave no thread or timer.
    #[error("the system is out of resources: {0}")]
    System(io::Error),
}

/// The running service. It stops with this value.
#[derive(Debug)]
pub(crate) struct Server {
    service: ServiceName,
    addresses: Vec<IpAddr>,
    /// What its threads answer from.
    served: watch::Receiver<Arc<Served>>,
    limits: watch::Sender<Limits>,
    tls: Option<watch::Sender<Tls>>,
    rate_limit: watch::Sender<Option<RateLimit>>,
    orders: Arc<Orders>,
    threads: Vec<Running>,
    /// It takes connections of other sites.
    _membership: Membership,
    /// Second handles on the sockets, for the program that takes over.
    udp: Vec<OwnedFd>,
    listeners: Vec<OwnedFd>,
}

/// One thread and what it tells about itself.
#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    tally: Tally,
    heart: Heart,
}

impl Server {
    /// Opens every socket that the program before has not left open, then starts every thread.
    pub(crate) fn start(
        settings: &Settings,
        published: watch::Receiver<Arc<Served>>,
        surroundings: &Surroundings,
        from: &mut Inheritance,
    ) -> Result<Server, Error> {
        let at = |port| settings.addresses.iter().map(move |&address| SocketAddr::new(address, port));
        let tls = settings.tls.as_ref().map(Tls::new).transpose()?.map(watch::Sender::new);
        // TCP first: unlike UDP with SO_REUSEPORT, it notices another server of the same user.
        let mut listener = |address| from.listener(address).map_or_else(|| listen::tcp(address), Ok);
        let tcp = at(PORT).map(&mut listener).collect::<Result<Vec<_>, Error>>()?;
        let over_tls = at(TLS_PORT).filter(|_| tls.is_some());
        let over_tls = over_tls.map(&mut listener).collect::<Result<Vec<_>, Error>>()?;
        let mut udp = Vec::new();
        for address in at(PORT) {
            let mut its = from.udp(address);
            while its.len() < settings.workers.get() {
                its.push(listen::udp(address)?);
            }
            udp.extend(its);
        }
        let (takes, given) = mpsc::channel(GIVEN);
        let vacancy = Vacancy::default();
        let clients = at(PORT).flat_map(|address| from.streams(address)).collect();
        let (rate_limit, limited) = watch::channel(settings.rate_limit);
        let identity = Arc::new(settings.identity.clone());
        let orders = Arc::<Orders>::default();
        let service = || {
            Service::new(published.clone(), Arc::clone(&identity), surroundings.clone(), Arc::clone(&orders))
        };
        let mut server = Server {
            service: settings.service.clone(),
            addresses: settings.addresses.clone(),
            served: published.clone(),
            limits: watch::Sender::new(settings.limits),
            tls,
            rate_limit,
            orders: Arc::clone(&orders),
            threads: Vec::new(),
            _membership: surroundings.cooperation.join(at(PORT).collect(), &takes, &vacancy),
            udp: second_handles(&udp)?,
            listeners: second_handles(&tcp)?.into_iter().chain(second_handles(&over_tls)?).collect(),
        };
        server.converse(tcp, clients, Some((given, vacancy)), Speech::Plain, service())?;
        if let Some(tls) = &server.tls {
            let speech = Speech::Tls(tls.subscribe());
            server.converse(over_tls, Vec::new(), None, speech, service())?;
        }
        for socket in udp {
            let service = service();
            let worker = udp::Worker::new(socket, service.clone(), limited.clone());
            server.spawn("dns-udp", Transport::Udp, &service, move || worker.run())?;
        }
        Ok(server)
    }

    /// Starts the thread of one kind of connections.
    fn converse(
        &mut self,
        listeners: Vec<TcpListener>,
        clients: Vec<TcpStream>,
        given: Option<(mpsc::Receiver<Given>, Vacancy)>,
        speech: Speech,
        service: Service,
    ) -> Result<(), Error> {
        let (name, transport) = (speech.thread(), speech.transport());
        let limits = self.limits.subscribe();
        let streams = Streams::new(listeners, clients, given, speech, limits, service.clone());
        let streams = streams.map_err(Error::System)?;
        self.spawn(name, transport, &service, move || streams.run())
    }

    fn spawn(
        &mut self,
        name: &str,
        transport: Transport,
        service: &Service,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        let tally = Tally {
            service: self.service.clone(),
            transport,
            counters: service.counters(),
            served: self.served.clone(),
        };
        let heart = service.heart();
        let thread = Builder::new().name(name.to_owned()).spawn(work).map_err(Error::System)?;
        self.threads.push(Running { thread, tally, heart });
        Ok(())
    }

    /// The service that it is.
    pub(crate) fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Where it answers.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Keeps to these limits from now on, and shows this certificate to whoever calls.
    pub(crate) fn receive(&self, limits: Limits, tls: Option<&config::DnsTls>) {
        self.limits.send_if_modified(|now| std::mem::replace(now, limits) != limits);
        let (Some(sender), Some(settings)) = (&self.tls, tls) else { return };
        let changed = sender.borrow().changed(settings);
        // What could fail is the same for every certificate, and did not at the start.
        if let Ok(tls) = changed {
            sender.send_replace(tls);
        }
    }

    /// Tells a network the same so often at most, from now on.
    pub(crate) fn limit(&self, rate_limit: Option<RateLimit>) {
        self.rate_limit.send_if_modified(|limit| std::mem::replace(limit, rate_limit) != rate_limit);
    }

    /// What each thread counts.
    pub(crate) fn tallies(&self) -> Vec<Tally> {
        self.threads.iter().map(|running| running.tally.clone()).collect()
    }

    /// The heart of each thread. Every one of them beats more than once a second.
    pub(crate) fn hearts(&self) -> Vec<Heart> {
        self.threads.iter().map(|running| running.heart.clone()).collect()
    }

    /// Has every thread look out for orders more often: soon it is to stand still.
    pub(crate) fn brace(&self) {
        self.orders.give(Order::Brace);
    }

    /// Has every thread finish what it has in hand and then touch nothing.
    pub(crate) fn stand(&self) {
        self.orders.give(Order::Stand);
    }

    /// Whether every thread does.
    pub(crate) fn stands(&self) -> bool {
        self.orders.standing() == self.threads.len()
    }

    /// Goes on serving.
    pub(crate) fn serve_on(&self) {
        self.orders.give(Order::Serve);
    }

    /// Adds its sockets to those that are handed over. Answers with the connections of clients, which close with what
    /// is returned.
    pub(crate) fn hand_over(&self, sockets: &mut Sockets) -> Vec<OwnedFd> {
        let clients = self.orders.take_streams();
        sockets.dns_udp.extend(self.udp.iter().map(AsRawFd::as_raw_fd));
        sockets.dns_tcp.extend(self.listeners.iter().map(AsRawFd::as_raw_fd));
        sockets.dns_streams.extend(clients.iter().map(AsRawFd::as_raw_fd));
        clients
    }

    /// Stops every thread and waits for its end, which takes as long as one look at most.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.orders.give(Order::Stop);
        for running in self.threads.drain(..) {
            // A thread that panicked has ended too; the panic was reported where it happened.
            let _ = running.thread.join();
        }
    }
}

/// A second handle on each socket: the first belongs to its thread.
fn second_handles(sockets: &[impl AsFd]) -> Result<Vec<OwnedFd>, Error> {
    let handles = sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned());
    handles.collect::<io::Result<_>>().map_err(Error::System)
}
