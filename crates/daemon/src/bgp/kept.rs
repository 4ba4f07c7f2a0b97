//! What a peer's task hands to the program that takes over, and how it goes on from it.

use super::connection::Connection;
use super::{Ledger, Mouth, Peer};
use crate::export;
use crate::succession::Descriptors;
use bgp::session::{Announced, ConnectionId, Session, StateName};
use recording::Track;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::TcpStream;
use std::os::fd::RawFd;
use terms::{Reason, WallTime};

/// A session that is up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptSession {
    session: Session,
    /// What the session has counted, which it is saved without.
    announced: Announced,
    connections: Vec<KeptConnection>,
    next_connection: u64,
    since: WallTime,
    ledger: Ledger,
}

/// One connection of it.
#[derive(Debug, Serialize, Deserialize)]
struct KeptConnection {
    id: ConnectionId,
    descriptor: RawFd,
    /// Octets that the kernel has not taken yet.
    unsent: Vec<u8>,
}

impl KeptSession {
    /// The descriptors that it needs.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.connections.iter().map(|connection| connection.descriptor)
    }
}

impl Peer {
    /// What the next program should know: nothing unless the session is up, because another one costs nothing.
    pub(super) fn keep(&self) -> Option<serde_json::Result<KeptSession>> {
        if self.session.state() != StateName::Established {
            return None;
        }
        let keep = |(&id, connection): (&ConnectionId, &Connection)| {
            let (descriptor, unsent) = connection.keep();
            KeptConnection { id, descriptor, unsent }
        };
        // A copy, as a recording would make it: the session lives on where the other program cannot be started.
        let copy = serde_json::to_value(&self.session).and_then(serde_json::from_value);
        let view = self.view.borrow();
        Some(copy.map(|session| KeptSession {
            session,
            announced: self.session.announced(),
            connections: self.connections.iter().map(keep).collect(),
            next_connection: self.next_connection,
            since: view.since,
            ledger: view.ledger.clone(),
        }))
    }

    /// A peer whose session goes on where the program before left it, or why it cannot.
    pub(crate) fn going_on(
        neighbour: config::Peer,
        mut kept: KeptSession,
        descriptors: &mut Descriptors,
        track: Track<Session>,
        mouth: Mouth,
    ) -> Result<Self, Reason> {
        if *kept.session.settings() != neighbour.session {
            return Err(Reason::from("the site file says something else about it"));
        }
        kept.session.remember(&kept.announced).map_err(|error| Reason::from(error.to_string()))?;
        let mut peer = Peer::new(neighbour, 0, track, mouth);
        for KeptConnection { id, descriptor, unsent } in kept.connections {
            let stream: TcpStream = descriptors
                .take(descriptor)
                .ok_or_else(|| Reason::from("its connection was not handed over"))?;
            let connection =
                resume(stream, unsent, &peer).map_err(|error| Reason::from(error.to_string()))?;
            peer.ours = connection.next_hop().ok();
            peer.connections.insert(id, connection);
        }
        if peer.connections.is_empty() {
            return Err(Reason::from("it has no connection"));
        }
        peer.next_hops = export::next_hops(&peer.neighbour.next_hops, peer.ours);
        (peer.session, peer.next_connection) = (kept.session, kept.next_connection);
        // What was heard so far is not handed over; what comes is kept again.
        peer.session.keep(peer.neighbour.keep_received);
        peer.view.send_modify(|view| {
            (view.since, view.ledger, view.state) = (kept.since, kept.ledger, peer.session.state());
        });
        peer.show(peer.mouth.clock.wall());
        Ok(peer)
    }
}

/// Goes on with a connection, if it leads to the peer.
fn resume(stream: TcpStream, unsent: Vec<u8>, peer: &Peer) -> io::Result<Connection> {
    if stream.peer_addr()?.ip() != peer.neighbour.address.ip() {
        return Err(io::Error::other("its connection leads to somebody else"));
    }
    Connection::go_on(stream, unsent)
}
