//! Sockets of the DNS service.

use super::Error;
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force,
};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use terms::Family;

/// Room for queries that arrive while a thread is busy, octets. The system counts 768 for a small one and gives twice as much
/// as is asked for: they are 5,000, for 50 ms at 100,000 a second. With more, those at the end would be answered when their
/// clients have given up, where a flood is answered at a fifth of that.
const RECEIVE_BUFFER: usize = 2 << 20;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 256;

/// One of several UDP sockets on the same address, among which the system divides clients.
pub(super) fn udp(address: SocketAddr) -> Result<UdpSocket, Error> {
    let open = || {
        let socket = open(address, Type::DGRAM)?;
        socket.set_reuse_port(true)?;
        // The system's limit (net.core.rmem_max) is often enough for 5 ms only. Less is no reason not to serve.
        let _ = set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER)
            .or_else(|_| set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER));
        // The path's MTU is not discovered: its ICMP messages could reach another site, and anybody could forge them.
        // What is sent fits in any path, and no router is to cut it up where it does not: fragments can be forged
        // (RFC 9715 section 3.1).
        match address {
            SocketAddr::V4(_) => set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?,
            SocketAddr::V6(_) => set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::OMIT)?,
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    };
    open().map_err(|source| error(address, source))
}

/// A TCP listener that does not block.
pub(super) fn tcp(address: SocketAddr) -> Result<TcpListener, Error> {
    let open = || {
        let socket = open(address, Type::STREAM)?;
        // A restart must not wait for connections of the last run to be forgotten.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|source| error(address, source))
}

/// A socket that can be bound before the address is on the host. An IPv6 one speaks IPv6 only.
fn open(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    linux::socket::allow_foreign_address(&socket, Family::of(address.ip())).map_err(io::Error::other)?;
    Ok(socket)
}

fn error(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::Taken { address },
        io::ErrorKind::PermissionDenied => Error::Forbidden { address },
        _ => Error::Listen { address, source },
    }
}
