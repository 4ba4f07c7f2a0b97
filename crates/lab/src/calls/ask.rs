//! One connection to the DNS service: a question, its answer, a while later the next (RFC 7766).

use super::TALK;
use super::call::{Account, Ended};
use crate::clock;
use crate::question;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Where DNS is served.
pub(super) const PORT: u16 = 53;

/// Asks until the connection ends.
pub(super) async fn speak(mut stream: TcpStream, account: &Account) -> io::Result<Ended> {
    let mut first: Option<Vec<u8>> = None;
    let (mut sent, mut returned) = (0, 0);
    for id in (0..=u16::MAX).cycle() {
        let query = question::plain(id);
        let asked = clock::now();
        // A message has its length in front (RFC 1035 section 4.2.2).
        stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], &query].concat()).await?;
        sent += query.len() as u64;
        account.change(|call| call.sent = sent);
        let mut length = [0; 2];
        if stream.read(&mut length[..1]).await? == 0 {
            return Ok(Ended::Closed);
        }
        stream.read_exact(&mut length[1..]).await?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).await?;
        let Some((number, said)) = answer.split_first_chunk() else { return Ok(Ended::Altered(returned)) };
        if u16::from_be_bytes(*number) != id || first.get_or_insert_with(|| said.to_vec()) != said {
            return Ok(Ended::Altered(returned));
        }
        returned += answer.len() as u64;
        account.change(|call| (call.returned, call.proven) = (returned, Some(asked)));
        sleep(TALK.pause).await;
    }
    Ok(Ended::Closed)
}
