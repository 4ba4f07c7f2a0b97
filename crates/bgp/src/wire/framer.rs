//! From a stream of octets to single messages (RFC 4271 sections 4.1 and 6.1).

use crate::wire::message::{HEADER, MARKER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE, kind};
use crate::wire::notification::{ErrorCode, Notification};
use serde::{Deserialize, Serialize};

/// Cuts a stream into messages, however it arrives. Holds what was pushed and not yet taken: a driver that takes all
/// messages after each push keeps it below one message plus one push.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Pending", into = "Pending")]
pub struct Framer {
    buffer: Vec<u8>,
    /// Octets at the front of the buffer that were given out.
    taken: usize,
    /// Whether messages may be longer than [`MAX_MESSAGE`].
    extended: bool,
}

/// What is saved of a framer: octets that are not given out yet.
#[derive(Serialize, Deserialize)]
struct Pending {
    #[serde(with = "crate::hex")]
    octets: Vec<u8>,
    extended: bool,
}

impl From<Framer> for Pending {
    fn from(framer: Framer) -> Self {
        let octets = framer.buffer.into_iter().skip(framer.taken).collect();
        Pending { octets, extended: framer.extended }
    }
}

impl From<Pending> for Framer {
    fn from(Pending { octets, extended }: Pending) -> Self {
        Framer { buffer: octets, taken: 0, extended }
    }
}

impl Framer {
    /// From here on messages of up to 65535 octets are taken, OPEN and KEEPALIVE excepted (RFC 8654 section 4).
    pub fn allow_extended_messages(&mut self) {
        self.extended = true;
    }

    /// Appends octets of the stream.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole message with its header, if there is one. The marker and the length are checked as soon as
    /// they are there, without waiting for the rest; after an error the stream has no further messages.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, Notification> {
        let pending = &self.buffer[self.taken..];
        if pending.iter().zip(MARKER).any(|(&octet, marker)| octet != marker) {
            return Err(ErrorCode::NOT_SYNCHRONIZED.into());
        }
        let Some(length_field) = pending.get(MARKER.len()..MARKER.len() + 2) else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([length_field[0], length_field[1]]));
        if !(HEADER..=self.longest(pending)).contains(&length) {
            return Err(Notification::new(ErrorCode::BAD_MESSAGE_LENGTH, length_field));
        }
        let start = self.taken;
        if pending.len() < length {
            return Ok(None);
        }
        self.taken += length;
        Ok(Some(&self.buffer[start..start + length]))
    }

    /// Octets that the message in front may have, as far as its type is known.
    fn longest(&self, pending: &[u8]) -> usize {
        match pending.get(HEADER - 1) {
            Some(&(kind::OPEN | kind::KEEPALIVE)) => MAX_MESSAGE,
            Some(_) | None if self.extended => MAX_EXTENDED_MESSAGE,
            Some(_) | None => MAX_MESSAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::KEEPALIVE;
    use crate::wire::notification::Notification;
    use proptest::prelude::*;

    fn messages(stream: &[&[u8]]) -> Result<Vec<Vec<u8>>, Notification> {
        let mut framer = Framer::default();
        let mut found = Vec::new();
        for part in stream {
            framer.push(part);
            while let Some(message) = framer.next_message()? {
                found.push(message.to_vec());
            }
        }
        Ok(found)
    }

    #[test]
    fn every_split_of_a_stream_gives_the_same_messages() {
        let refused =
            Notification::decided(ErrorCode::ADMINISTRATIVE_SHUTDOWN, Some(&"bye".parse().unwrap())).encode();
        let stream = [&KEEPALIVE[..], &refused, &KEEPALIVE].concat();
        let whole = messages(&[&stream]).unwrap();
        assert_eq!(whole.len(), 3);
        for cut in 0..=stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(messages(&[left, right]).unwrap(), whole, "cut at {cut}");
        }
        let dribble: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(messages(&dribble).unwrap(), whole);
    }

    #[test]
    fn a_wrong_marker_is_noticed_at_its_first_octet() {
        assert_eq!(messages(&[&[0xff, 0xfe]]).unwrap_err().error, ErrorCode::NOT_SYNCHRONIZED);
    }

    #[test]
    fn lengths_outside_19_to_4096_end_the_stream() {
        for (length, wrong) in [(18u16, true), (19, false), (4096, false), (4097, true), (0, true)] {
            let header = [&MARKER[..], &length.to_be_bytes()].concat();
            match messages(&[&header]) {
                Ok(found) => assert!(!wrong && found.is_empty(), "{length}"),
                Err(error) => {
                    assert!(wrong, "{length}");
                    assert_eq!(error, Notification::new(ErrorCode::BAD_MESSAGE_LENGTH, length.to_be_bytes()));
                }
            }
        }
    }

    /// RFC 8654 section 4: not before both sides agreed, and never for OPEN and KEEPALIVE.
    #[test]
    fn long_messages_are_taken_by_agreement() {
        for (extended, kind, taken) in [
            (false, kind::UPDATE, false),
            (true, kind::UPDATE, true),
            (true, kind::NOTIFICATION, true),
            (true, kind::ROUTE_REFRESH, true),
            (true, kind::OPEN, false),
            (true, kind::KEEPALIVE, false),
        ] {
            for length in [4097, u16::MAX] {
                let mut framer = Framer::default();
                if extended {
                    framer.allow_extended_messages();
                }
                let mut message = [&MARKER[..], &length.to_be_bytes(), &[kind]].concat();
                message.resize(length.into(), 0);
                framer.push(&message);
                match framer.next_message() {
                    Ok(found) => assert!(taken && found == Some(&message[..]), "{kind} of {length}"),
                    Err(error) => {
                        assert!(!taken && error.error == ErrorCode::BAD_MESSAGE_LENGTH, "{kind} of {length}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_streams_never_panic(parts: Vec<Vec<u8>>) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let _ = messages(&parts);
        }
    }
}
