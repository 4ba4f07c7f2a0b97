//! Why a service is not listened to any more. The words are for whoever writes or runs it.

use continuity::service::{Misstep, Unclear};
use std::io;
use std::net::SocketAddr;

/// Why a service is connected no more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("it has hung up")]
    Gone,
    #[error("{0}")]
    Io(#[source] io::Error),
    #[error("a packet is longer than the longest message")]
    Cut,
    #[error("{0}")]
    Unclear(#[from] Unclear),
    #[error("{0}")]
    Misstep(#[from] Misstep),
    #[error("{0} may not join: it is not among `users` of `services` in [continuity]")]
    User(String),
    #[error("the site file lets no services join any more")]
    Closed,
    #[error("{0} is at no address of a service of this site")]
    Foreign(SocketAddr),
    #[error("{0} has a service already")]
    Taken(SocketAddr),
    #[error("it has not joined in time")]
    Silent,
    #[error("it does not read what it is told")]
    Slow,
    #[error("it has offered something that is no TCP socket")]
    NoSocket,
    #[error("it has offered a socket of another network namespace than the daemon's")]
    Elsewhere,
    #[error("it has offered a connection at {0}, where it has not joined")]
    NotJoined(SocketAddr),
}

impl Fault {
    /// Whether the service has just gone, as services do.
    pub(super) fn is_end(&self) -> bool {
        match self {
            Fault::Gone => true,
            Fault::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
            Fault::Cut
            | Fault::Unclear(_)
            | Fault::Misstep(_)
            | Fault::User(_)
            | Fault::Closed
            | Fault::Foreign(_)
            | Fault::Taken(_)
            | Fault::Silent
            | Fault::Slow
            | Fault::NoSocket
            | Fault::Elsewhere
            | Fault::NotJoined(_) => false,
        }
    }
}
