//! Does a host answer an echo request? (RFC 792 and RFC 4443 section 4)

use crate::{Finding, Judged};
use serde::{Deserialize, Serialize};
use terms::{Family, Verdict};

/// One echo request. The kernel may replace its identifier, so it is known by the octets that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Whether it is one of ICMP or of ICMPv6.
    pub family: Family,
    /// Octets that nobody could guess: a reply has to repeat them.
    pub cookie: [u8; 16],
}

const HEADER: usize = 8;

impl Echo {
    /// The message to send, without an IP header. Of ICMPv6 the kernel computes the checksum.
    pub fn request(&self) -> Vec<u8> {
        let kind = match self.family {
            Family::Ipv4 => 8,
            Family::Ipv6 => 128,
        };
        let [a, b, ..] = self.cookie;
        let mut message = vec![kind, 0, 0, 0, a, b, 0, 1];
        message.extend_from_slice(&self.cookie);
        if self.family == Family::Ipv4 {
            let [high, low] = checksum(&message).to_be_bytes();
            (message[2], message[3]) = (high, low);
        }
        message
    }

    /// Judges one message that arrived after the request was sent, without an IP header.
    pub fn judge(&self, message: &[u8]) -> Judged {
        let Some((&[kind, code, ..], rest)) = message.split_first_chunk::<HEADER>() else {
            return Judged::NotOurs;
        };
        let quoted = || rest.windows(self.cookie.len()).any(|part| part == self.cookie);
        let verdict = match (self.family, kind) {
            (Family::Ipv4, 0) | (Family::Ipv6, 129) if rest == self.cookie => Verdict::Pass,
            (Family::Ipv4, 3) | (Family::Ipv6, 1) if quoted() => {
                Verdict::definite(format!("unreachable (ICMP code {code})"))
            }
            (Family::Ipv4, 11) | (Family::Ipv6, 3) if quoted() => {
                Verdict::definite("its packets go round in a loop")
            }
            _ => return Judged::NotOurs,
        };
        Judged::Reply(Finding::from(verdict))
    }
}

/// What follows the IPv4 header with which a raw socket delivers a message; none where there is no such header.
pub fn without_ip_header(packet: &[u8]) -> Option<&[u8]> {
    let &first = packet.first()?;
    let octets = usize::from(first & 0x0f) * 4;
    (first >> 4 == 4 && octets >= 20).then(|| packet.get(octets..))?
}

/// The Internet checksum (RFC 1071).
fn checksum(octets: &[u8]) -> u16 {
    let words =
        octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // It fits: the carries have been added.
    !(sum as u16)
}
