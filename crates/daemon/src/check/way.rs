//! Sockets that go the way of a check.

use config::Way;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

/// A UDP socket with a port of its own that talks to the target alone.
pub(super) async fn udp(way: Way) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(source(way)).await?;
    socket.connect(way.to).await?;
    Ok(socket)
}

/// A TCP connection from a port of its own.
pub(super) async fn tcp(way: Way) -> io::Result<TcpStream> {
    let socket = if way.to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if way.from.is_some() {
        socket.bind(source(way))?;
    }
    socket.connect(way.to).await
}

/// Where it comes from, at any port.
pub(super) fn source(way: Way) -> SocketAddr {
    let any = match way.to {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(way.from.unwrap_or(any), 0)
}
