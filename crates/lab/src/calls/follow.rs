//! One connection to the stream service: lines that count themselves, and what has come from here.

use super::TALK;
use super::call::{Account, Ended};
use crate::clock;
use std::collections::VecDeque;
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A piece is sent with every so many lines.
const EVERY: u64 = 5;

/// Longest line: two numbers.
const LONGEST: usize = 64;

/// Reads until the connection ends.
pub(super) async fn speak(stream: TcpStream, account: &Account) -> io::Result<Ended> {
    let mut stream = BufReader::new(stream);
    let piece = vec![b'x'; TALK.piece];
    let (mut sent, mut returned, mut pieces) = (0, 0, VecDeque::new());
    for number in 0_u64.. {
        let mut line = Vec::new();
        loop {
            let arrived = stream.fill_buf().await?;
            let end = arrived.iter().position(|octet| *octet == b'\n');
            let length = end.map_or(arrived.len(), |end| end + 1);
            line.extend(&arrived[..length]);
            stream.consume(length);
            match end {
                Some(_) => break,
                None if length == 0 => return Ok(Ended::Closed),
                None if line.len() > LONGEST => return Ok(Ended::Altered(returned)),
                None => {}
            }
        }
        let Some(counted) = counted(&line, number).filter(|counted| *counted <= sent) else {
            return Ok(Ended::Altered(returned));
        };
        returned += line.len() as u64;
        let mut proven = None;
        while let Some((_, at)) = pieces.pop_front_if(|(end, _)| *end <= counted) {
            proven = Some(at);
        }
        account.change(|call| {
            call.returned = returned;
            call.proven = proven.or(call.proven);
        });
        if number.is_multiple_of(EVERY) {
            sent += piece.len() as u64;
            pieces.push_back((sent, clock::now()));
            stream.write_all(&piece).await?;
            account.change(|call| call.sent = sent);
        }
    }
    Ok(Ended::Closed)
}

/// The octets that the line counts, if it is the line of this number.
fn counted(line: &[u8], number: u64) -> Option<u64> {
    let (counted, octets) = str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    if counted.parse() != Ok(number) {
        return None;
    }
    octets.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_missing_comes_twice_or_is_cut_is_none() {
        assert_eq!(counted(b"7 1024\n", 7), Some(1024));
        for line in [&b"8 1024\n"[..], b"6 1024\n", b"7 1024", b"7\n", b"7 \n", b"7 10 24\n", b"\xff 1\n"] {
            assert_eq!(counted(line, 7), None, "{line:?}");
        }
    }
}
