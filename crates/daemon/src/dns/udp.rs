//! One thread on one UDP socket: receive a batch, answer each, send a batch. It waits for nothing else, takes no lock
//! and no memory.

use super::batch::{Inbox, Outbox};
use super::orders::Order;
use super::served::Said;
use super::service::{Reply, Service};
use ::dns::{RateLimit, RateLimiter, Transport};
use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrLike};
use rustix::net::addr::SocketAddrArg;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;

/// How long to wait after an error of the socket that is no time-out, so that it does not fill a processor.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// A socket and what answers on it.
#[derive(Debug)]
pub(super) struct Worker {
    socket: UdpSocket,
    service: Service,
    rate_limit: watch::Receiver<Option<RateLimit>>,
    /// Its own, so that no lock is needed: what other threads said is not counted here.
    limiter: Option<RateLimiter>,
}

impl Worker {
    pub(super) fn new(
        socket: UdpSocket,
        service: Service,
        mut rate_limit: watch::Receiver<Option<RateLimit>>,
    ) -> Self {
        let limiter = limiter(*rate_limit.borrow_and_update());
        Worker { socket, service, rate_limit, limiter }
    }

    /// Answers until the service stops.
    pub(super) fn run(self) {
        // Where it does not, it is one thread among many.
        let _ = linux::scheduling::step_forward();
        match self.socket.local_addr() {
            Ok(SocketAddr::V4(_)) => {
                self.serve::<SockaddrIn, SocketAddrV4>(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
            }
            _ => self.serve::<SockaddrIn6, SocketAddrV6>(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0)),
        }
    }

    /// `S` is the form of addresses in which the system writes them, `A` the one in which it reads them.
    fn serve<S, A>(mut self, nowhere: A)
    where
        S: SockaddrLike + Copy + Into<A>,
        A: SocketAddrArg + Into<SocketAddr> + Copy,
    {
        let mut inbox = Inbox::<S>::new();
        let mut outbox = Outbox::new(nowhere.as_any());
        let mut looking = None;
        let here = self.socket.local_addr().ok();
        loop {
            let order = self.service.order();
            match order {
                Order::Serve | Order::Brace => {}
                Order::Stand => {
                    self.service.stand();
                    continue;
                }
                Order::Stop => return,
            }
            if looking != Some(order) {
                // Where it fails the next order is noticed with the next query.
                let _ = self.socket.set_read_timeout(Some(order.look_every()));
                looking = Some(order);
            }
            match inbox.receive(&self.socket) {
                Ok(()) => {}
                // Who has nothing to answer does not hold on to zones of yesterday.
                Err(nix::Error::EAGAIN | nix::Error::EINTR) => {
                    self.service.refresh();
                    continue;
                }
                Err(_) => {
                    thread::sleep(AFTER_ERROR);
                    continue;
                }
            }
            self.service.refresh();
            if self.rate_limit.has_changed().unwrap_or(false) {
                self.limiter = limiter(*self.rate_limit.borrow_and_update());
            }
            self.service.foresee(inbox.messages().map(|(message, _)| message));
            for (message, from) in inbox.messages() {
                let Some(room) = outbox.room() else { break };
                let from: A = from.into();
                let client: SocketAddr = from.into();
                // What this host asks itself reaches nobody else: somebody who is told too much in the name of its
                // network is not to make its checks fail.
                let is_own = here.is_some_and(|here| here.ip() == client.ip());
                let limiter = self.limiter.as_mut().filter(|_| !is_own);
                let reply = self.service.answer(message, client.ip(), Transport::Udp, None, limiter, room);
                let length = match reply {
                    Reply::Written(length) => Some(length),
                    Reply::Silence => None,
                    Reply::Aside => aside(&self.service, message, client.ip(), room),
                };
                let reply = length.and_then(|length| room.get(..length));
                self.service.tell((client, here), Transport::Udp, message, reply);
                if let Some(length) = length {
                    outbox.keep(length, from.as_any());
                }
            }
            self.service.counters().count_unsent(outbox.send(&self.socket));
        }
    }
}

/// Writes the reply to a message about a zone as a whole, or a signed one, and says how long it is.
fn aside(service: &Service, message: &[u8], client: IpAddr, room: &mut [u8]) -> Option<usize> {
    let Said::Reply(reply, _) = service.aside(message, client, Transport::Udp, None) else { return None };
    room.get_mut(..reply.len())?.copy_from_slice(&reply);
    Some(reply.len())
}

/// A new limiter, whose buckets nobody can foresee.
fn limiter(limit: Option<RateLimit>) -> Option<RateLimiter> {
    limit.map(|limit| RateLimiter::new(limit, rand::random()))
}
