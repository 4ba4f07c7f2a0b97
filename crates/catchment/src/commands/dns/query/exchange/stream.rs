//! Over TCP (RFC 7766): each message has its length before it.

use super::{Exchange, Failure, Ignored, Received, Transport, is_silence, random_id};
use query::Query;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

impl Exchange {
    pub(super) fn over_tcp(&self, query: &Query, ignored: &mut Ignored) -> Result<Received, Failure> {
        let transport = Transport::Tcp;
        let id = random_id()?;
        let message = query.message(id)?;
        let failed = |error: io::Error, ignored: &Ignored| match is_silence(&error) {
            true => self.silence(transport, 1, ignored),
            false => self.socket(transport)(error),
        };
        let mut stream = TcpStream::connect_timeout(&self.server, self.patience)
            .map_err(|error| failed(error, ignored))?;
        send(&mut stream, &message, self.patience).map_err(|error| failed(error, ignored))?;
        let sent = Instant::now();
        let mut incoming = Incoming { stream, begun: sent, patience: self.patience };
        loop {
            let octets = incoming.message().map_err(|error| failed(error, ignored))?;
            let round_trip = sent.elapsed();
            if let Some(answer) = self.judge(transport, query.judge(id, &octets), ignored)? {
                return Ok(Received { answer, transport, round_trip, ignored: Ignored::default() });
            }
        }
    }
}

/// Length and message in one write, so that they leave in one segment (RFC 7766 section 8).
fn send(stream: &mut TcpStream, message: &[u8], patience: Duration) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(&[&length.to_be_bytes()[..], message].concat())
}

/// What arrives, as long as there is patience for all of it together: octets that trickle in gain nothing.
struct Incoming {
    stream: TcpStream,
    begun: Instant,
    patience: Duration,
}

impl Incoming {
    fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.read_exact(&mut length)?;
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        self.read_exact(&mut octets)?;
        Ok(octets)
    }
}

impl Read for Incoming {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let left = self.patience.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        match self.stream.read(octets)? {
            0 if !octets.is_empty() => {
                Err(io::Error::other("the server ended the connection without an answer"))
            }
            length => Ok(length),
        }
    }
}
