//! How wrong is the clock of this host, by the word of a time server? (SNTP, RFC 4330; NTP, RFC 5905)
//!
//! ```text
//!  query(nonce) --> the server --> judge(nonce, reply, asked, answered)
//!                                     -> NotOurs         another nonce, no reply: keep waiting
//!                                     -> Pass            wrong by the limit at most, as far as that can be told
//!                                     -> Fail            wrong by more for sure
//!                                     -> Indeterminate   the server does not know the time itself
//! ```
//! Signatures, certificates and logs need the right time, and a clock that is wrong is the host's own fault. A server
//! that is silent is not: whoever holds the socket makes that indeterminate, never a failure.

use crate::calendar::span;
use crate::{Finding, Judged};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{Verdict, WallTime};

/// How wrong the clock may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// By how much at most, in either direction.
    pub max_skew: Duration,
}

const MESSAGE: usize = 48;
/// Seconds from the start of NTP's era 0 (1900) to 1970 (RFC 5905 section 6).
const EPOCH: u64 = 2_208_988_800;
/// Milliseconds of an era: 32 bits of seconds.
const ERA_MILLIS: u64 = 1000 << 32;

impl Expectation {
    /// The query to send. It carries `nonce` where the time would stand: the server repeats it, so that only who saw
    /// the query can answer, and learns nothing of our clock.
    pub fn query(nonce: u64) -> [u8; MESSAGE] {
        let mut message = [0; MESSAGE];
        message[0] = 0b0010_0011; // no warning, version 4, client
        message[40..].copy_from_slice(&nonce.to_be_bytes());
        message
    }

    /// Judges one datagram that arrived at `answered`, after `query(nonce)` was sent at `asked`.
    pub fn judge(&self, nonce: u64, datagram: &[u8], asked: WallTime, answered: WallTime) -> Judged {
        let Some(message) = datagram.first_chunk::<MESSAGE>() else { return Judged::NotOurs };
        let word =
            |at: usize| message[at..].first_chunk::<8>().map_or(0, |octets| u64::from_be_bytes(*octets));
        let is_server = message[0] & 0x07 == 4;
        if !is_server || word(24) != nonce {
            return Judged::NotOurs;
        }
        let (warning, stratum) = (message[0] >> 6, message[1]);
        let (received, sent) = (word(32), word(40));
        // Stratum 0 is a server that wants to be left alone (RFC 5905 section 7.4).
        if warning == 3 || !(1..16).contains(&stratum) || received == 0 || sent == 0 {
            let verdict = Verdict::indeterminate("the time server does not know the time itself");
            return Judged::Reply(Finding::from(verdict));
        }
        // RFC 5905 section 8: half the difference on the way there plus half the one on the way back.
        let there = difference(received, asked);
        let back = difference(sent, answered);
        let ahead = -(there + back) / 2;
        let doubt = there.abs_diff(back) / 2;
        let skew = Duration::from_millis(ahead.unsigned_abs());
        let side = if ahead < 0 { "behind" } else { "ahead of" };
        let words = format!("the clock is {} {side} the server, give or take {doubt} ms", span(skew));
        let verdict = match skew.saturating_sub(Duration::from_millis(doubt)) > self.max_skew {
            true => Verdict::definite(&words),
            false => Verdict::Pass,
        };
        Judged::Reply(Finding::new(verdict, &words))
    }
}

/// Milliseconds from a moment of ours to a timestamp of NTP, in the era that puts them nearest to each other.
fn difference(timestamp: u64, ours: WallTime) -> i64 {
    let (seconds, fraction) = (timestamp >> 32, timestamp & 0xffff_ffff);
    let theirs = seconds * 1000 + ((fraction * 1000 + (1 << 31)) >> 32);
    let ours = (ours.0 % ERA_MILLIS + EPOCH * 1000) % ERA_MILLIS;
    let ahead = (theirs + ERA_MILLIS - ours) % ERA_MILLIS;
    let era = i64::try_from(ERA_MILLIS).unwrap_or(i64::MAX);
    let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
    if ahead > era / 2 { ahead - era } else { ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_of_an_era_is_no_skew() {
        // 2036-02-07T06:28:16Z, when the seconds of NTP begin again at 0 (RFC 5905 section 6).
        let turn = WallTime((ERA_MILLIS / 1000 - EPOCH) * 1000);
        assert_eq!(difference(1 << 32, turn), 1000);
        assert_eq!(difference(0xffff_ffff << 32, turn), -1000);
        assert_eq!(difference(5 << 32, WallTime(turn.0 - 2000)), 7000);
    }
}
