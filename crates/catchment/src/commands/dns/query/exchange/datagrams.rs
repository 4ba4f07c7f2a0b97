//! Over UDP.

use super::{Exchange, Failure, Ignored, Received, Transport, is_silence, random_id};
use nix::sys::socket::{setsockopt, sockopt};
use query::{Misfit, Query};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Instant;

/// The longest message there is.
const LONGEST: usize = u16::MAX as usize;

impl Exchange {
    /// Sends until something fits. Each try has another port and id (RFC 5452 section 9).
    pub(super) fn over_udp(&self, query: &Query, ignored: &mut Ignored) -> Result<Received, Failure> {
        let mut refused = None;
        for _ in 0..self.tries {
            match self.one_datagram(query, ignored) {
                Ok(Some(received)) => return Ok(received),
                Ok(None) => {}
                Err(Failure::Socket { error, .. }) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    refused = Some(error);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(match refused {
            Some(error) => self.socket(Transport::Udp)(error),
            None => self.silence(Transport::Udp, self.tries, ignored),
        })
    }

    fn one_datagram(&self, query: &Query, ignored: &mut Ignored) -> Result<Option<Received>, Failure> {
        let transport = Transport::Udp;
        let id = random_id()?;
        let message = query.message(id)?;
        let socket = open(self.server).map_err(self.socket(transport))?;
        socket.send_to(&message, self.server).map_err(self.socket(transport))?;
        let sent = Instant::now();
        let mut octets = vec![0; LONGEST];
        loop {
            let left = self.patience.saturating_sub(sent.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            socket.set_read_timeout(Some(left)).map_err(self.socket(transport))?;
            let (length, sender) = match socket.recv_from(&mut octets) {
                Ok(arrived) => arrived,
                Err(error) if is_silence(&error) => return Ok(None),
                Err(error) => return Err(self.socket(transport)(error)),
            };
            let round_trip = sent.elapsed();
            let judged = match (sender.ip(), sender.port()) == (self.server.ip(), self.server.port()) {
                true => query.judge(id, &octets[..length]),
                false => Err(Misfit::Sender.into()),
            };
            if let Some(answer) = self.judge(transport, judged, ignored)? {
                return Ok(Some(Received { answer, transport, round_trip, ignored: Ignored::default() }));
            }
        }
    }
}

/// A socket on a port that the kernel draws. It is not connected, so that an answer from another address is seen and
/// can be told; that nobody listens is told by the kernel all the same.
fn open(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match server {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
    };
    match server {
        SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(socket)
}
