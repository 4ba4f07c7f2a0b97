//! The TCP connection with a collector.

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long what was written may stay unacknowledged, and how long a collector that is sent nothing may be silent
/// before its kernel is asked whether it is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls a collector.
pub(super) async fn dial(settings: &config::Collector) -> io::Result<TcpStream> {
    let address = settings.address;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if let Some(source) = settings.source {
        let bound = socket.bind(&SocketAddr::new(source, 0).into());
        bound.map_err(|error| io::Error::new(error.kind(), format!("cannot call from {source}: {error}")))?;
    }
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(address);
    let stream = tokio::time::timeout(ATTEMPT, connecting)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer"))??;
    let socket = SockRef::from(&stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(PATIENCE))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(PATIENCE).with_interval(PATIENCE / 3))?;
    Ok(stream)
}
