//! One TCP connection of a BGP session: reads are bounded, writes never wait.
//!
//! What does not fit the socket's buffer stays in the outbox and leaves when there is room again, so that a peer that
//! reads slowly never delays a decision for another. The session hears how much was taken and bounds what is
//! outstanding.

use super::guard;
use bgp::bmp::Ends;
use config::{InterfaceName, Peer, Transport};
use linux::link::LinkIndex;
use linux::tcp::distance;
use linux::{Netlink, address};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// Class selector 6, the class of routing protocols (RFC 2474 section 4.2.2.2), as a TOS octet.
const ROUTING_CLASS: u32 = 6 << 5;

/// We always send with the largest TTL, so that a peer that accepts no other (RFC 5082) accepts us too.
const TTL: u32 = 255;

/// How long a connection that ends waits for the peer to have read the last message.
const FAREWELL: Duration = Duration::from_secs(1);

/// Octets that a peer may send after the end and still be told why: a full receive buffer. One that sends on does not
/// listen.
const IGNORED: usize = 1 << 20;

/// Octets of one such read.
const IGNORED_AT_ONCE: usize = 4096;

/// What went on in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The kernel took so many octets of the outbox.
    Written(usize),
    /// So many octets arrived, at least one.
    Read(usize),
    /// The peer says no more.
    Ended,
}

/// How connections with a peer are made and guarded.
#[derive(Clone, Debug)]
pub(super) struct Manners {
    /// Whom to call.
    peer: SocketAddr,
    /// Behind which interface, where the address is link-local.
    interface: Option<InterfaceName>,
    transport: Transport,
    /// How long written data may stay unacknowledged; none: the kernel's default.
    patience: Option<Duration>,
}

/// Why a call is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The caller is further away than it may be.
    #[error("the call came with TTL {ttl}, less than {least}")]
    TooFar {
        /// The TTL that was left.
        ttl: u8,
        /// The least that is taken.
        least: u8,
    },
    /// The caller is gone already, or the system does not take what the socket is to be.
    #[error(transparent)]
    Unusable(#[from] io::Error),
}

impl Manners {
    /// As the site file says, before anything is negotiated.
    pub(super) fn towards(peer: &Peer) -> Self {
        Manners {
            peer: peer.address,
            interface: peer.interface.clone(),
            transport: peer.transport.clone(),
            patience: peer.session.hold_time.duration(),
        }
    }

    /// An address with the number of its interface, which is another one after the interface was made anew.
    fn scoped(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        match (&self.interface, address) {
            (Some(interface), SocketAddr::V6(v6)) => {
                let index = linux::link::index_here(interface.as_str())?;
                Ok(SocketAddrV6::new(*v6.ip(), v6.port(), v6.flowinfo(), index.0).into())
            }
            (Some(_) | None, address) => Ok(address),
        }
    }

    /// Has a socket call from our own address that the site file names.
    fn bind(&self, socket: &Socket) -> io::Result<()> {
        let Some(source) = self.transport.source else { return Ok(()) };
        let bound = socket.bind(&self.scoped(SocketAddr::new(source, 0))?.into());
        bound.map_err(|error| io::Error::new(error.kind(), format!("cannot call from {source}: {error}")))
    }
}

/// A connected socket and what still has to be written to it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// The kernel knows them no more once the connection is broken.
    ends: Ends,
    outbox: Vec<u8>,
    patience: Option<Duration>,
}

impl Connection {
    /// Calls a peer.
    pub(super) async fn dial(manners: Manners) -> io::Result<Self> {
        let peer = manners.scoped(manners.peer)?;
        let socket = Socket::new(Domain::for_address(peer), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        mark(&socket, peer.is_ipv4())?;
        guard::guard(&socket, peer.ip(), &manners.transport)?;
        manners.bind(&socket)?;
        let stream = TcpSocket::from_std_stream(socket.into()).connect(peer).await?;
        Connection::over(stream, &manners)
    }

    /// Takes the call of a peer.
    pub(super) fn accept(stream: TcpStream, manners: &Manners) -> Result<Self, CallError> {
        let least = manners.transport.least_ttl();
        let ttl = distance::ttl_of_call(&stream).map_err(io::Error::from)?;
        // A call whose TTL the kernel did not keep goes on: it looks at every segment from here on.
        if let Some(ttl) = ttl.filter(|&ttl| ttl < least) {
            return Err(CallError::TooFar { ttl, least });
        }
        let connection = Connection::over(stream, manners)?;
        connection.guard(manners)?;
        Ok(connection)
    }

    /// Takes over a connected socket.
    fn over(stream: TcpStream, manners: &Manners) -> io::Result<Self> {
        let socket = SockRef::from(&stream);
        let ends = ends(&stream)?;
        mark(&socket, ends.remote.is_ipv4())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_user_timeout(manners.patience)?;
        Ok(Connection { stream, ends, outbox: Vec::new(), patience: manners.patience })
    }

    /// Goes on with a connection of the program before, and with what that could not write any more. The options of
    /// a socket are the kernel's and stay.
    pub(super) fn go_on(stream: std::net::TcpStream, unsent: Vec<u8>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream)?;
        Ok(Connection { ends: ends(&stream)?, stream, outbox: unsent, patience: None })
    }

    /// Both of its ends.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// Its descriptor, and what is still to be written to it.
    pub(super) fn keep(&self) -> (RawFd, Vec<u8>) {
        (self.stream.as_raw_fd(), self.outbox.clone())
    }

    /// Guards the living connection as the site file says now.
    pub(super) fn guard(&self, manners: &Manners) -> io::Result<()> {
        Ok(guard::guard(&self.stream, manners.peer.ip(), &manners.transport)?)
    }

    /// Says how long written data may stay unacknowledged from now on (RFC 5482): what both sides agreed on as the
    /// hold time. A system that does not take it leaves the connection to the session's own timers.
    pub(super) fn wait_at_most(&mut self, patience: Option<Duration>) {
        if self.patience != patience && SockRef::from(&self.stream).set_tcp_user_timeout(patience).is_ok() {
            self.patience = patience;
        }
    }

    /// Where the peer may send packets to us: our own address on this connection; where that is link-local, a global
    /// one of the same interface, if it has one (RFC 2545 section 3).
    pub(super) fn next_hop(&self) -> io::Result<IpAddr> {
        let ours = self.stream.local_addr()?;
        let scope = match ours {
            SocketAddr::V6(ours) if ours.ip().is_unicast_link_local() => ours.scope_id(),
            SocketAddr::V4(_) | SocketAddr::V6(_) => return Ok(ours.ip()),
        };
        let addresses = address::list(&mut Netlink::open()?, LinkIndex(scope))?;
        let is_global = |ip: &IpAddr| matches!(ip, IpAddr::V6(v6) if !v6.is_unicast_link_local());
        let global = addresses.iter().map(|net| net.addr()).find(is_global);
        Ok(global.unwrap_or(ours.ip()))
    }

    /// Takes octets to be written by the next [`Connection::flush`].
    pub(super) fn queue(&mut self, octets: &[u8]) {
        self.outbox.extend_from_slice(octets);
    }

    /// Writes what fits now, in one call, and answers how much that was.
    pub(super) fn flush(&mut self) -> io::Result<usize> {
        if self.outbox.is_empty() {
            return Ok(0);
        }
        match self.stream.try_write(&self.outbox) {
            Ok(written) => {
                self.outbox.drain(..written);
                Ok(written)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Ready when the peer took or sent something, or the connection broke.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Progress>> {
        while !self.outbox.is_empty() && self.stream.poll_write_ready(context)?.is_ready() {
            let written = self.flush()?;
            if written > 0 {
                return Poll::Ready(Ok(Progress::Written(written)));
            }
        }
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.stream.try_read(buffer) {
                Ok(0) => return Poll::Ready(Ok(Progress::Ended)),
                Ok(read) => return Poll::Ready(Ok(Progress::Read(read))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Ends the connection so that the last message arrives: says that no more will come and waits a moment for the
    /// peer to end it too. Closing at once with unread data in the socket would send a reset, and a reset makes the
    /// peer throw away the NOTIFICATION that says why.
    pub(super) async fn farewell(self) {
        // Whether it worked or not, the socket closes now: nobody is left who would act on an error.
        let _ = tokio::time::timeout(FAREWELL, self.end()).await;
    }

    async fn end(mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            self.stream.writable().await?;
            self.flush()?;
        }
        SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write)?;
        let mut ignored = [0; IGNORED_AT_ONCE];
        let mut octets = 0;
        while octets < IGNORED {
            self.stream.readable().await?;
            match self.stream.try_read(&mut ignored) {
                Ok(0) => return Ok(()),
                Ok(read) => octets += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            // A peer that sends without end would otherwise keep this thread to itself, deadline or not.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn ends(stream: &TcpStream) -> io::Result<Ends> {
    Ok(Ends { local: stream.local_addr()?, remote: stream.peer_addr()? })
}

/// Gives a socket of the session the class and the TTL of routing traffic.
pub(super) fn mark(socket: &Socket, ipv4: bool) -> io::Result<()> {
    if ipv4 {
        socket.set_tos_v4(ROUTING_CLASS)?;
        socket.set_ttl_v4(TTL)
    } else {
        socket.set_tclass_v6(ROUTING_CLASS)?;
        socket.set_unicast_hops_v6(TTL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    fn manners(peer: SocketAddr) -> Manners {
        let patience = Some(Duration::from_secs(9));
        Manners { peer, interface: None, transport: Transport::default(), patience }
    }

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialled = Connection::dial(manners(listener.local_addr().unwrap()));
        let (ours, theirs) = tokio::join!(dialled, listener.accept());
        (ours.unwrap(), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn a_peer_that_reads_late_blocks_nobody_and_gets_all_in_order() {
        let (mut ours, mut theirs) = pair().await;
        let mut sent = Vec::new();
        while ours.outbox.len() < 100_000 {
            let message: Vec<u8> = (0..4096usize).map(|at| ((sent.len() + at) / 7) as u8).collect();
            ours.queue(&message);
            ours.flush().unwrap();
            sent.extend(message);
        }
        let reader = tokio::spawn(async move {
            let mut got = Vec::new();
            theirs.read_to_end(&mut got).await.unwrap();
            got
        });
        let mut buffer = [0; 16];
        let progress = poll_fn(|context| ours.poll(context, &mut buffer)).await.unwrap();
        assert!(matches!(progress, Progress::Written(1..)), "{progress:?}");
        ours.farewell().await;
        assert_eq!(reader.await.unwrap(), sent);
    }

    #[tokio::test]
    async fn the_last_message_arrives_though_the_peers_own_was_never_read() {
        use tokio::io::AsyncWriteExt;
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"something that nobody reads").await.unwrap();
        ours.queue(b"the reason");
        let ending = tokio::spawn(ours.farewell());
        let mut got = String::new();
        theirs.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "the reason");
        drop(theirs);
        ending.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_sends_without_end_is_not_listened_to_for_long() {
        let (ours, theirs) = pair().await;
        let mut theirs = theirs.into_std().unwrap();
        theirs.set_nonblocking(false).unwrap();
        let shouting = std::thread::spawn(move || {
            use std::io::Write;
            let writes = (0u64..).take_while(|_| theirs.write_all(&[0xfe; 65536]).is_ok());
            writes.count() * 65536
        });
        ours.farewell().await;
        let octets = shouting.join().unwrap();
        // What was ignored, and what the buffers of both sockets hold.
        assert!(octets < IGNORED + (64 << 20), "{octets}");
    }

    #[tokio::test]
    async fn the_end_of_the_peer_is_noticed() {
        let (mut ours, theirs) = pair().await;
        drop(theirs);
        let mut buffer = [0; 16];
        let progress = poll_fn(|context| ours.poll(context, &mut buffer)).await.unwrap();
        assert_eq!(progress, Progress::Ended);
    }

    #[tokio::test]
    async fn routing_traffic_is_marked_as_such() {
        let (mut ours, _theirs) = pair().await;
        let socket = |ours: &Connection| {
            let socket = SockRef::from(&ours.stream);
            (socket.tos_v4().unwrap(), socket.ttl_v4().unwrap(), socket.tcp_user_timeout().unwrap())
        };
        assert_eq!(socket(&ours), (0xc0, 255, Some(Duration::from_secs(9))));
        ours.wait_at_most(Some(Duration::from_secs(3)));
        assert_eq!(socket(&ours), (0xc0, 255, Some(Duration::from_secs(3))));
        ours.wait_at_most(None);
        assert_eq!(socket(&ours), (0xc0, 255, None));
    }

    #[tokio::test]
    async fn what_stands_in_the_way_of_a_call_is_said() {
        let anywhere = manners("127.0.0.1:1".parse().unwrap());
        let source = |source: &str| Transport { source: source.parse().ok(), ..Transport::default() };
        let foreign = Manners { transport: source("192.0.2.1"), ..anywhere };
        let error = Connection::dial(foreign).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot call from 192.0.2.1: "), "{error}");
        let behind = Manners { interface: "nowhere".parse().ok(), ..manners("[fe80::1]:1".parse().unwrap()) };
        let error = Connection::dial(behind).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot find interface nowhere: "), "{error}");
    }

    #[tokio::test]
    async fn a_call_from_further_away_than_the_peer_may_be_is_refused() {
        let listener = super::super::listener::bind(true, 0).unwrap();
        super::super::listener::listen(&listener).unwrap();
        let listener = TcpListener::from_std(listener.into()).unwrap();
        let to = listener.local_addr().unwrap();
        let near = Transport { ttl_security: 2.try_into().ok(), ..Transport::default() };
        for (ttl, is_taken) in [(253, false), (254, true), (255, true)] {
            let caller = TcpSocket::new_v4().unwrap();
            SockRef::from(&caller).set_ttl_v4(ttl).unwrap();
            let (_caller, called) = tokio::join!(caller.connect(to), listener.accept());
            let (stream, from) = called.unwrap();
            let taken = Connection::accept(stream, &Manners { transport: near.clone(), ..manners(from) });
            assert_eq!(taken.is_ok(), is_taken, "{ttl}: {taken:?}");
        }
    }
}
