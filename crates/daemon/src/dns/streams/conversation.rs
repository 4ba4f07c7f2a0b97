//! What is said on one connection: queries in, replies out, in their order. Only transfers take longer: whatever else is
//! asked meanwhile is answered between their messages (RFC 7766 section 6.2.1.1).
//!
//! A client may send many queries without waiting. They are answered as many at a time as fit into [`ENOUGH`], and
//! nothing more is read until that is sent: who does not read makes us wait, not remember.

use super::crowd::{Answered, PREFIX, Place};
use crate::dns::counters::Cut;
use crate::handover::Fate;
use socket2::SockRef;
use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio_rustls::server::TlsStream;

/// Octets of replies after which they are sent, whatever else was asked.
const ENOUGH: usize = 16 << 10;
/// Transfers of one connection at a time; behind the next one, queries wait.
const TRANSFERS: usize = 8;
/// What a connection keeps of its memory between two queries, octets.
const KEPT: usize = 2 << 10;

/// A connection that can be spoken on.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// What the kernel has of it.
    fn connection(&self) -> &TcpStream;

    /// The connection once more, where whoever has it knows all about it.
    fn second_handle(&self) -> Option<OwnedFd>;
}

impl Stream for TcpStream {
    fn connection(&self) -> &TcpStream {
        self
    }

    fn second_handle(&self) -> Option<OwnedFd> {
        self.as_fd().try_clone_to_owned().ok()
    }
}

impl Stream for TlsStream<TcpStream> {
    fn connection(&self) -> &TcpStream {
        self.get_ref().0
    }

    /// Its keys stay here.
    fn second_handle(&self) -> Option<OwnedFd> {
        None
    }
}

/// Ends a connection that has been cut. The client is told that this is the end, unless others need its place or it takes
/// nothing more: then the kernel forgets the connection at once, and what is in it, or thousands of such clients would keep its
/// timers busy long after they are gone from here.
pub(super) fn cut(stream: &impl Stream, why: Cut) {
    let connection = stream.connection();
    if why == Cut::Crowded || linux::tcp::repair::queued(connection).is_ok_and(|octets| octets > 0) {
        // Where it cannot be set, the kernel takes its time.
        let _ = SockRef::from(connection).set_linger(Some(Duration::ZERO));
    }
}

/// Answers until the client hangs up or says what no client says.
///
/// `arrived` is what another site has read of it.
pub(super) async fn converse(stream: &mut impl Stream, arrived: Vec<u8>, place: &Place) -> io::Result<()> {
    let mut arrived = Arrived { octets: arrived, at: 0 };
    let mut round = 0;
    let mut sending = Vec::new();
    let mut transfers = VecDeque::new();
    let (mut is_client, mut may_ask) = (true, true);
    loop {
        place.refresh();
        while is_client
            && transfers.len() < TRANSFERS
            && sending.len() < ENOUGH
            && let Some(query) = arrived.message()
        {
            match place.answer(query, &mut sending) {
                Answered::Reply => {}
                Answered::Transfer(messages) => transfers.push_back(messages),
                Answered::Nothing => is_client = false,
            }
        }
        if !sending.is_empty() {
            stream.write_all(&sending).await?;
            stream.flush().await?;
            sending.clear();
            sending.shrink_to(KEPT);
            place.passed();
        }
        // One message of each in turn.
        if let Some(mut transfer) = transfers.pop_front()
            && let Some(message) = transfer.next()
        {
            send(stream, &message).await?;
            transfers.push_back(transfer);
            place.passed();
            // Who reads faster than we write leaves the others of this thread their turn.
            yield_now().await;
        }
        let is_done = transfers.is_empty() && !arrived.has_message();
        if !is_client || is_done && !may_ask {
            return stream.shutdown().await;
        }
        tokio::select! {
            biased;
            read = arrived.read(stream), if may_ask && !arrived.has_message() => may_ask = read? > 0,
            () = ready(()), if !is_done => {}
            turn = place.turn(&mut round), if is_done && may_ask => {
                // One whose keys are here only stays, and is forwarded; and none goes when all is about to stand still.
                if place.may_leave()
                    && let Some(socket) = stream.second_handle()
                    && turn.offer(socket, arrived.rest().to_vec()).await == Fate::Moved
                {
                    return Ok(());
                }
            }
            () = place.stand() => match place.may_stay(stream) {
                true => {
                    if arrived.is_empty() {
                        place.hand_in(stream);
                    }
                    place.go_on().await;
                }
                // It has been answered, and is told that this is the end.
                false => return stream.shutdown().await,
            },
        }
    }
}

/// Sends one message of many.
async fn send(stream: &mut impl Stream, message: &[u8]) -> io::Result<()> {
    // A message has 65535 octets at most.
    let whole = [&(message.len() as u16).to_be_bytes()[..], message].concat();
    stream.write_all(&whole).await?;
    stream.flush().await
}

/// Octets that have arrived and are not answered yet: whole messages, each with its length in front, and the beginning
/// of one more. It grows with what arrives, never with what a client announces.
struct Arrived {
    octets: Vec<u8>,
    /// Where the next message begins.
    at: usize,
}

impl Arrived {
    /// The next message, if it is there as a whole.
    fn message(&mut self) -> Option<&[u8]> {
        let end = self.end_of_message()?;
        let start = std::mem::replace(&mut self.at, end) + PREFIX;
        Some(&self.octets[start..end])
    }

    fn has_message(&self) -> bool {
        self.end_of_message().is_some()
    }

    fn end_of_message(&self) -> Option<usize> {
        let rest = &self.octets[self.at..];
        let length = u16::from_be_bytes(*rest.first_chunk::<PREFIX>()?);
        let end = PREFIX + usize::from(length);
        (rest.len() >= end).then_some(self.at + end)
    }

    /// The beginning of a message whose end has not arrived.
    fn rest(&self) -> &[u8] {
        &self.octets[self.at..]
    }

    fn is_empty(&self) -> bool {
        self.at == self.octets.len()
    }

    /// Reads what is there; 0 at the end. What is not read stays in the kernel when this is given up.
    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        self.octets.drain(..self.at);
        self.at = 0;
        self.octets.shrink_to(KEPT);
        self.octets.reserve_exact(KEPT);
        stream.read_buf(&mut self.octets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind::ConnectionReset;
    use std::io::Read;

    #[tokio::test]
    async fn a_client_that_is_cut_is_told_unless_it_takes_nothing_or_others_need_its_place() {
        let cases = [
            (Cut::Idle, false, Ok(0)),
            (Cut::Idle, true, Err(ConnectionReset)),
            (Cut::Crowded, false, Err(ConnectionReset)),
        ];
        for (why, is_full, expected) in cases {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let service = listener.accept().unwrap().0;
            service.set_nonblocking(true).unwrap();
            let service = TcpStream::from_std(service).unwrap();
            service.writable().await.unwrap();
            while is_full && service.try_write(&[0; 1 << 16]).is_ok() {}
            cut(&service, why);
            drop(service);
            let end = loop {
                match client.read(&mut [0; 1 << 16]) {
                    Ok(1..) => {}
                    end => break end.map_err(|error| error.kind()),
                }
            };
            assert_eq!(end, expected, "{why:?}, full: {is_full}");
        }
    }
}
