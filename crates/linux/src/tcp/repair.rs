//! A TCP connection that is taken out of one kernel and put into another one (`TCP_REPAIR`, CRIU's "TCP connection").
//!
//! ```text
//!   at one host                            at another one
//!   socket ──freeze──> frozen              [`Connection`] ──restore──> frozen ──thaw──> the socket goes on
//!     ^                  │ [`dump`] ──────────────────────────^
//!     └──────thaw────────┴──discard──> it has ended here, and its peer was told nothing
//! ```
//! A frozen socket sends nothing when it is closed. It still takes what arrives: whoever reads its state keeps packets from
//! it meanwhile. It needs CAP_NET_ADMIN, and a kernel with CONFIG_CHECKPOINT_RESTORE.

use crate::error::Attempt;
use crate::{Result, option};
use nix::libc::{self, c_int};
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// What never left, in octets (linux/sockios.h).
const SIOCOUTQNSD: libc::c_ulong = 0x894b;

/// `enum` of linux/tcp.h: what TCP_REPAIR_QUEUE selects.
const NO_QUEUE: c_int = 0;
const RECEIVE_QUEUE: c_int = 1;
const SEND_QUEUE: c_int = 2;

/// Options of a segment that TCP_REPAIR_OPTIONS restores, by their kinds (RFC 9293 section 3.2, RFC 7323, RFC 2018).
const SEGMENT_SIZE: u32 = 2;
const WINDOW_SCALE: u32 = 3;
const SELECTIVE: u32 = 4;
const TIMESTAMPS: u32 = 8;

/// Flags of `tcpi_options`.
const HAS_TIMESTAMPS: u8 = 1;
const HAS_SELECTIVE: u8 = 2;
const HAS_WINDOW_SCALE: u8 = 4;

/// The first octets of `struct tcp_info` that are read here.
const STATE: usize = 0;
const OPTIONS: usize = 5;
const SCALES: usize = 6;
const ESTABLISHED: u8 = 1;

/// One direction of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The sequence number of what follows the queue: the next that is sent, or the next that is expected.
    pub next: u32,
    /// What is in it: not acknowledged by the peer yet, or not read by the service yet.
    pub octets: Vec<u8>,
}

/// What a window is, as far as both ends know (`struct tcp_repair_window`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The sequence number of the segment that has told the peer's window last.
    pub updated_by: u32,
    /// The peer's window, octets.
    pub theirs: u32,
    /// The largest that it ever was.
    pub largest: u32,
    /// Ours.
    pub ours: u32,
    /// The sequence number from which ours counts.
    pub ours_from: u32,
}

/// A connection as its kernel has known it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The service's end.
    pub local: SocketAddr,
    /// The client's end.
    pub remote: SocketAddr,
    /// The segment size that the peer has named.
    pub segment_size: u16,
    /// By how many bits windows are scaled, the peer's and ours; none: neither is.
    pub scales: Option<(u8, u8)>,
    /// Whether both ends acknowledge selectively.
    pub is_selective: bool,
    /// The clock of our timestamps; none: no segment has them.
    pub timestamp: Option<u32>,
    /// The windows.
    pub window: Window,
    /// What was sent.
    pub sent: Queue,
    /// So many octets at the end of the sent queue have never left.
    pub unsent: u32,
    /// What was received.
    pub received: Queue,
}

/// Freezes the socket: from now on its state can be read and written, and closing it tells its peer nothing.
pub fn freeze(socket: impl AsFd) -> Result<()> {
    set(socket.as_fd(), libc::TCP_REPAIR, &1).attempt(|| "freeze a TCP connection")
}

/// The socket goes on. It asks its peer where it stands.
pub fn thaw(socket: impl AsFd) -> Result<()> {
    let socket = socket.as_fd();
    let thaw = || {
        set(socket, libc::TCP_REPAIR, &0)?;
        // The kernel has forgotten that others may bind beside it, and the next listener could not.
        SockRef::from(&socket).set_reuse_address(true)
    };
    thaw().attempt(|| "thaw a TCP connection")
}

/// Ends a frozen connection in this kernel, whoever else has the socket open. Its peer is told nothing.
pub fn discard(socket: impl AsFd) -> Result<()> {
    // SAFETY: all zeros is an address of no family, which ends the connection (connect(2)).
    let nowhere: libc::sockaddr = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel reads so many octets from an address that lives until the call returns.
    let answer = unsafe {
        libc::connect(
            socket.as_fd().as_raw_fd(),
            &raw const nowhere,
            size_of::<libc::sockaddr>() as libc::socklen_t,
        )
    };
    nix::errno::Errno::result(answer).map(drop).attempt(|| "end a frozen TCP connection")
}

/// Whether this kernel and this process can do it; the error says what is missing.
pub fn is_possible() -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).attempt(|| "open a TCP socket")?;
    freeze(&socket)
}

/// Octets that wait in both queues of a socket, frozen or not: those that its peer has not acknowledged, and those that its
/// service has not read.
pub fn queued(socket: impl AsFd) -> Result<usize> {
    let socket = socket.as_fd();
    let look = || Ok::<_, io::Error>(waiting(socket, libc::TIOCOUTQ)? + waiting(socket, libc::FIONREAD)?);
    look().attempt(|| "read how much waits in a TCP connection")
}

/// The state of a frozen connection, with everything that is on its way in it. One in whose queues more than `most` octets
/// wait is not read.
pub fn dump(socket: impl AsFd, most: usize) -> Result<Connection> {
    let socket = socket.as_fd();
    let dump = || {
        let stream = SockRef::from(&socket);
        let address = |address: socket2::SockAddr| address.as_socket().ok_or(io::ErrorKind::Unsupported);
        let mut info = [0; 8];
        if option::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)? < info.len() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if info[STATE] != ESTABLISHED {
            return Err(io::Error::other("one of its ends has closed it"));
        }
        let unsent = waiting(socket, SIOCOUTQNSD)?;
        let sent = queue(socket, SEND_QUEUE, libc::TIOCOUTQ, most)?;
        let received = queue(socket, RECEIVE_QUEUE, libc::FIONREAD, most - sent.octets.len())?;
        set(socket, libc::TCP_REPAIR_QUEUE, &NO_QUEUE)?;
        let has = |flag: u8| info[OPTIONS] & flag != 0;
        Ok(Connection {
            local: address(stream.local_addr()?)?,
            remote: address(stream.peer_addr()?)?,
            segment_size: u16::try_from(number(socket, libc::TCP_MAXSEG)?).unwrap_or(u16::MAX),
            scales: has(HAS_WINDOW_SCALE).then_some((info[SCALES] & 15, info[SCALES] >> 4)),
            is_selective: has(HAS_SELECTIVE),
            timestamp: has(HAS_TIMESTAMPS).then(|| number(socket, libc::TCP_TIMESTAMP)).transpose()?,
            window: window(socket)?,
            sent,
            unsent: u32::try_from(unsent).unwrap_or(u32::MAX),
            received,
        })
    };
    dump().attempt(|| "read the state of a TCP connection")
}

/// The sequence number of what a frozen socket expects next. Once it is another one than that of its [`dump`], the dump lacks
/// what the socket has taken in.
pub fn expected(socket: impl AsFd) -> Result<u32> {
    let socket = socket.as_fd();
    let look = || {
        set(socket, libc::TCP_REPAIR_QUEUE, &RECEIVE_QUEUE)?;
        let next = number(socket, libc::TCP_QUEUE_SEQ)?;
        set(socket, libc::TCP_REPAIR_QUEUE, &NO_QUEUE)?;
        Ok::<_, io::Error>(next)
    };
    look().attempt(|| "read what a frozen TCP connection expects")
}

/// Makes the connection in this kernel, frozen: it sends nothing before it is thawed. Its address may be that of a socket
/// that listens. What has never left ([`rest`]) is not in it.
pub fn restore(connection: &Connection) -> Result<TcpStream> {
    let make = || {
        let socket = Socket::new(Domain::for_address(connection.local), Type::STREAM, None)?;
        let end = socket.as_fd();
        set(end, libc::TCP_REPAIR, &1)?;
        socket.bind(&connection.local.into())?;
        let (in_flight, _) = halves(connection)?;
        let first = |next: u32, length: usize| next.wrapping_sub(length as u32);
        let start = first(connection.sent.next, connection.sent.octets.len());
        let received = &connection.received;
        for (name, next) in
            [(SEND_QUEUE, start), (RECEIVE_QUEUE, first(received.next, received.octets.len()))]
        {
            set(end, libc::TCP_REPAIR_QUEUE, &name)?;
            set(end, libc::TCP_QUEUE_SEQ, &next)?;
        }
        socket.connect(&connection.remote.into())?;
        set_options(end, connection)?;
        fill(&socket, RECEIVE_QUEUE, &received.octets)?;
        fill(&socket, SEND_QUEUE, in_flight)?;
        set(end, libc::TCP_REPAIR_QUEUE, &NO_QUEUE)?;
        let Window { updated_by, theirs, largest, ours, ours_from } = connection.window;
        set(end, libc::TCP_REPAIR_WINDOW, &[updated_by, theirs, largest, ours, ours_from])?;
        Ok::<_, io::Error>(TcpStream::from(socket))
    };
    make().attempt(|| format!("restore the TCP connection of {}", connection.remote))
}

/// What has never left: a thawed connection is to send it first.
pub fn rest(connection: &Connection) -> &[u8] {
    halves(connection).map_or(&[], |(_, rest)| rest)
}

/// What has left and is not acknowledged, and what has never left.
fn halves(connection: &Connection) -> io::Result<(&[u8], &[u8])> {
    let octets = &connection.sent.octets;
    let unsent = usize::try_from(connection.unsent).unwrap_or(usize::MAX);
    let left = octets.len().checked_sub(unsent).ok_or(io::ErrorKind::InvalidData)?;
    Ok(octets.split_at(left))
}

fn set_options(socket: BorrowedFd<'_>, connection: &Connection) -> io::Result<()> {
    let mut options = vec![[SEGMENT_SIZE, u32::from(connection.segment_size)]];
    if let Some((theirs, ours)) = connection.scales {
        options.push([WINDOW_SCALE, u32::from(theirs) | u32::from(ours) << 16]);
    }
    if connection.is_selective {
        options.push([SELECTIVE, 0]);
    }
    if connection.timestamp.is_some() {
        options.push([TIMESTAMPS, 0]);
    }
    for option in options {
        set(socket, libc::TCP_REPAIR_OPTIONS, &option)?;
    }
    connection.timestamp.map_or(Ok(()), |now| set(socket, libc::TCP_TIMESTAMP, &now))
}

/// Puts octets into a queue of a frozen socket. The buffers first: the queue of the host before may have been larger.
fn fill(socket: &Socket, queue: c_int, mut octets: &[u8]) -> io::Result<()> {
    let room = octets.len().saturating_mul(2);
    match queue {
        SEND_QUEUE if room > socket.send_buffer_size()? => force(socket, libc::SO_SNDBUFFORCE, octets.len())?,
        RECEIVE_QUEUE if room > socket.recv_buffer_size()? => {
            force(socket, libc::SO_RCVBUFFORCE, octets.len())?;
        }
        _ => {}
    }
    set(socket.as_fd(), libc::TCP_REPAIR_QUEUE, &queue)?;
    while !octets.is_empty() {
        let written = socket.send(&octets[..octets.len().min(MOST_AT_ONCE)])?;
        octets = &octets[written..];
    }
    Ok(())
}

/// The kernel makes one buffer of what it is given at once.
const MOST_AT_ONCE: usize = 16 << 10;

fn force(socket: &Socket, name: c_int, room: usize) -> io::Result<()> {
    let room = c_int::try_from(room.saturating_mul(2)).unwrap_or(c_int::MAX);
    option::set(socket.as_fd(), libc::SOL_SOCKET, name, &room)
}

/// A queue of a frozen socket, which keeps what is in it.
fn queue(socket: BorrowedFd<'_>, name: c_int, request: libc::c_ulong, most: usize) -> io::Result<Queue> {
    set(socket, libc::TCP_REPAIR_QUEUE, &name)?;
    let length = waiting(socket, request)?;
    if length > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{length} octets wait in it")));
    }
    let mut octets = vec![0; length];
    // Looking twice would show the same: it is the whole of it in one look, or it is none.
    let read = if length == 0 { 0 } else { peek(socket, &mut octets)? };
    if read != length {
        return Err(io::Error::other(format!("{read} of {length} octets can be read")));
    }
    Ok(Queue { next: number(socket, libc::TCP_QUEUE_SEQ)?, octets })
}

fn window(socket: BorrowedFd<'_>) -> io::Result<Window> {
    let mut octets = [0; 20];
    if option::get(socket, libc::IPPROTO_TCP, libc::TCP_REPAIR_WINDOW, &mut octets)? < octets.len() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let words = octets.as_chunks::<4>().0;
    let [updated_by, theirs, largest, ours, ours_from] =
        [words[0], words[1], words[2], words[3], words[4]].map(u32::from_ne_bytes);
    Ok(Window { updated_by, theirs, largest, ours, ours_from })
}

fn peek(socket: BorrowedFd<'_>, octets: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most so many octets into the slice.
    let read = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            octets.as_mut_ptr().cast(),
            octets.len(),
            libc::MSG_PEEK | libc::MSG_DONTWAIT,
        )
    };
    Ok(nix::errno::Errno::result(read)?.unsigned_abs())
}

/// How much waits in a queue (tcp(7), `SIOCINQ` and `SIOCOUTQ`).
fn waiting(socket: BorrowedFd<'_>, request: libc::c_ulong) -> io::Result<usize> {
    let mut length: c_int = 0;
    // SAFETY: the kernel writes one number to an address that lives until the call returns.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut length) };
    nix::errno::Errno::result(answer)?;
    Ok(usize::try_from(length).unwrap_or(0))
}

fn set<T>(socket: BorrowedFd<'_>, name: c_int, value: &T) -> io::Result<()> {
    option::set(socket, libc::IPPROTO_TCP, name, value)
}

fn number(socket: BorrowedFd<'_>, name: c_int) -> io::Result<u32> {
    let mut octets = [0; 4];
    option::get(socket, libc::IPPROTO_TCP, name, &mut octets)?;
    Ok(u32::from_ne_bytes(octets))
}

#[cfg(test)]
mod tests;
