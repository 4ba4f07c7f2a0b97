//! Takes the calls of peers and hands each to the task of the peer whose address it comes from.

use super::connection::mark;
use crate::event::{Event, Source};
use crate::events::Bus;
use config::PeerAddress;
use linux::link::{self, LinkIndex};
use linux::tcp::distance;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Calls that wait to be taken; the sessions' own timers make a refused peer call again.
const BACKLOG: i32 = 16;

/// How long to wait after the system could not give a descriptor.
const BREATH: Duration = Duration::from_millis(100);

/// Calls of one peer that its task has not taken yet. A collision needs one; the rest is refused.
pub(crate) const CALLS_PER_PEER: usize = 2;

/// Where each peer's calls go, as it is now.
pub(crate) type Switchboard = BTreeMap<PeerAddress, mpsc::Sender<TcpStream>>;

/// A socket that will listen for peers of one family on every address of the host.
pub(super) fn bind(ipv4: bool, port: u16) -> io::Result<Socket> {
    let any = if ipv4 { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    let address = SocketAddr::new(any, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if !ipv4 {
        socket.set_only_v6(true)?;
    }
    // A daemon that starts again must not wait for connections of the one before to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    mark(&socket, ipv4)?;
    // How far away a caller is shows in the first segment only.
    distance::remember_calls(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Has such a socket take calls from now on.
pub(super) fn listen(socket: impl AsFd) -> io::Result<()> {
    SockRef::from(&socket.as_fd()).listen(BACKLOG)
}

/// Takes calls until the task is aborted. Whoever is no configured peer is hung up on at once.
pub(crate) async fn take_calls(listener: TcpListener, switchboard: watch::Receiver<Switchboard>, bus: Bus) {
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => match switchboard.borrow().get(&whereabouts(caller)) {
                // A full queue drops the call: the peer's task has two to take already.
                Some(peer) => drop(peer.try_send(stream)),
                None => bus.tell(&Event::StrangerRefused { address: caller.ip() }, Source::Process),
            },
            // Out of descriptors or memory, or the caller hung up first: all pass.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Where a caller is. The number of an interface may have gone to another since; then nobody is there.
fn whereabouts(caller: SocketAddr) -> PeerAddress {
    let interface = match caller {
        SocketAddr::V6(caller) if caller.scope_id() != 0 => {
            link::name_here(LinkIndex(caller.scope_id())).ok().and_then(|name| name.parse().ok())
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => None,
    };
    PeerAddress { ip: caller.ip(), interface }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    fn listener(ipv4: bool) -> TcpListener {
        let socket = bind(ipv4, 0).unwrap();
        listen(&socket).unwrap();
        TcpListener::from_std(socket.into()).unwrap()
    }

    #[tokio::test]
    async fn a_stranger_is_hung_up_on_and_told() {
        let bus = Bus::for_test();
        let listener = listener(true);
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(take_calls(listener, watch::Sender::default().subscribe(), bus.clone()));
        let mut call = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        assert_eq!(call.read(&mut [0; 1]).await.unwrap_or(0), 0);
        let told: Vec<String> = bus.latest().into_iter().map(|row| row.text).collect();
        assert_eq!(told, ["127.0.0.1 called the BGP port and is no configured peer"]);
    }

    #[tokio::test]
    async fn a_peer_is_put_through() {
        let (sender, mut calls) = mpsc::channel(CALLS_PER_PEER);
        let listener = listener(false);
        let port = listener.local_addr().unwrap().port();
        let switchboard = Switchboard::from([("::1".parse().unwrap(), sender)]);
        let switchboard = watch::Sender::new(switchboard);
        tokio::spawn(take_calls(listener, switchboard.subscribe(), Bus::for_test()));
        let call = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        let taken = calls.recv().await.unwrap();
        assert_eq!(taken.peer_addr().unwrap(), call.local_addr().unwrap());
    }
}
