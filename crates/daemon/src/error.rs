//! Why a daemon could not start: whose fault it is, and what to do.

use crate::dns;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use terms::PeerName;

/// Why the daemon could not start. Nothing is left half-started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else has the BGP port.
    #[error(
        "port {port} is taken by another program, perhaps another BGP daemon: stop it, or choose another \
         `bgp_port` in [site]"
    )]
    BgpPortTaken {
        /// Which port.
        port: u16,
    },
    /// The process may not use a port below 1024.
    #[error(
        "no permission to listen on port {port}: run as root, give the process CAP_NET_BIND_SERVICE, or choose a \
         `bgp_port` above 1023 in [site]"
    )]
    BgpPortForbidden {
        /// Which port.
        port: u16,
    },
    /// The BGP port cannot be used for another reason.
    #[error("cannot listen for BGP on port {port}: {source}")]
    BgpPort {
        /// Which port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The running kernel does not know a way of signing.
    #[error(
        "peer {peer} has `tcp_ao`, and this kernel does not know TCP-AO: it needs Linux 6.7 or newer with \
         CONFIG_TCP_AO; until then, `password_file` signs with TCP-MD5"
    )]
    NoTcpAo {
        /// The first peer that needs it.
        peer: PeerName,
    },
    /// Somebody else has a port of BFD.
    #[error(
        "port {port} is taken by another program, perhaps another BFD daemon: stop it, or take `bfd` out of every \
         [[peer]]"
    )]
    BfdPortTaken {
        /// Which port.
        port: u16,
    },
    /// A port of BFD cannot be used for another reason.
    #[error("cannot listen for BFD on port {port}: {source}")]
    BfdPort {
        /// Which port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Service addresses and routes may not be changed.
    #[error("no permission to change addresses: run as root or give the process CAP_NET_ADMIN ({0})")]
    MayNotChangeAddresses(linux::Error),
    /// A service address or an unreachable route could not be put in place.
    #[error("the host does not take what the site file asks for: {0}")]
    Host(#[from] linux::Error),
    /// Another daemon uses the control socket.
    #[error("another daemon answers on {}: stop it, or choose another `socket` in [api]", .0.display())]
    SocketTaken(PathBuf),
    /// The control socket could not be made.
    #[error("cannot make the control socket {}: {source}; choose another `socket` in [api]", .path.display())]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The read-only listener could not be opened.
    #[error("cannot listen on {address}: {source}; choose another `listen` in [api]")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Another daemon uses the state directory.
    #[error(transparent)]
    State(fleet::OpenError),
    /// The built-in DNS service could not start.
    #[error(transparent)]
    Dns(#[from] dns::Error),
    /// The daemon is on its way out.
    #[error("the daemon stops and takes no other site file")]
    Stopping,
    /// Readers of the API could take the descriptors that BGP sessions and checks need.
    #[error(
        "only {allowed} descriptors may be open, a site needs {needed}: raise `LimitNOFILE=` of the unit or `ulimit -n`"
    )]
    TooFewDescriptors {
        /// How many may be open.
        allowed: u64,
        /// How many it takes.
        needed: u64,
    },
    /// The system gave no thread, timer or signal handler.
    #[error("the system is out of resources: {0}")]
    System(io::Error),
}

impl Error {
    pub(crate) fn bgp_port(port: u16, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Error::BgpPortTaken { port },
            io::ErrorKind::PermissionDenied => Error::BgpPortForbidden { port },
            _ => Error::BgpPort { port, source },
        }
    }

    pub(crate) fn bfd_port(port: u16, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Error::BfdPortTaken { port },
            _ => Error::BfdPort { port, source },
        }
    }

    pub(crate) fn host(source: linux::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => Error::MayNotChangeAddresses(source),
            _ => Error::Host(source),
        }
    }
}
