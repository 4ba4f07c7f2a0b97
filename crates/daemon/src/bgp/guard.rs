//! What the kernel is told about the sockets of peers: how segments are signed (RFC 2385, RFC 5925) and how far away
//! the other end may be (RFC 5082).
//!
//! ```text
//!   site file ──> Doors ──keys of all peers, least TTL──> listening sockets ──accept──┐
//!        │                                                                            v
//!        └──> peer task ──key of this peer, its least TTL──> socket that calls, socket that was called
//! ```
//! A listening socket has a key for every peer that signs, from before it listens, so no unsigned call of such a peer
//! ever gets through. What it drops, only the kernel knows: [`watch`] tells of it.

mod doors;
mod event;
mod watch;

pub(crate) use doors::Doors;
pub(super) use event::Event;
pub(crate) use watch::watch;

use super::Peer;
use super::connection::{Connection, Manners};
use crate::error::Error;
use crate::event::Source;
use config::{AoAlgorithm, AoKey, Signature, Transport};
use linux::tcp::{ao, distance, md5};
use std::net::IpAddr;
use std::os::fd::AsFd;
use terms::Family;

/// Guards the socket of a connection with a peer; also one that is guarded in another way so far, while it lives.
pub(super) fn guard(socket: impl AsFd, peer: IpAddr, transport: &Transport) -> linux::Result<()> {
    let socket = socket.as_fd();
    match &transport.signature {
        Some(signature) => sign(socket, peer, signature, ao::Role::Connects)?,
        None => md5::remove_key(socket, peer)?,
    }
    distance::require_ttl(socket, Family::of(peer), transport.least_ttl())
}

impl Peer {
    /// Guards every connection as the site file says now. What one end drops because the other has another key is
    /// sent again by TCP, so a key may change on a living connection (RFC 2385 section 4.1 leaves it to the operators).
    pub(super) fn guard(&mut self) {
        let manners = Manners::towards(&self.neighbour);
        for connection in self.connections.values() {
            if let Err(error) = connection.guard(&manners) {
                let event = Event::Unguarded { reason: error.to_string().into() };
                self.mouth.bus.tell(&event, Source::Peer(&self.neighbour.name));
            }
        }
        // A call that is under way began with the old guards.
        if self.call.is_some() {
            self.call = Some(Box::pin(Connection::dial(manners)));
        }
    }
}

fn sign(socket: impl AsFd, peer: IpAddr, signature: &Signature, role: ao::Role) -> linux::Result<()> {
    match signature {
        Signature::Md5(key) => md5::set_key(socket, peer, key),
        Signature::Ao(key) => ao::add_key(socket, peer, numbered(key), role),
    }
}

fn numbered(key: &AoKey) -> ao::Key<'_> {
    let algorithm = match key.algorithm {
        AoAlgorithm::HmacSha1 => ao::Algorithm::HmacSha1,
        AoAlgorithm::Aes128Cmac => ao::Algorithm::Aes128Cmac,
    };
    ao::Key { secret: &key.key, algorithm, send_id: key.send_id, receive_id: key.receive_id }
}

/// An error where a peer is to be guarded in a way that the running kernel does not know.
pub(crate) fn require_kernel(peers: &[config::Peer]) -> Result<(), Error> {
    let is_ao = |peer: &&config::Peer| matches!(peer.transport.signature, Some(Signature::Ao(_)));
    match peers.iter().find(is_ao) {
        Some(peer) if !ao::is_supported()? => Err(Error::NoTcpAo { peer: peer.name.clone() }),
        Some(_) | None => Ok(()),
    }
}
