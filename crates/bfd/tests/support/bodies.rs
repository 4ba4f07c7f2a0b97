//! What the fuzz target tries: a plain function, so that the ordinary tests run its corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bfd::session::{Input, Output, Session, Settings};
use bfd::{Discriminator, Packet};
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;
use terms::Timestamp;

/// Any octets as datagrams from the other end, a quarter of the interval or more apart: whatever can be read is written
/// and read again, and given to a session, which stays within its bounds.
pub(crate) fn packets(octets: &[u8]) {
    let ours = Discriminator(NonZeroU32::MIN);
    let settings = Settings {
        interval: Duration::from_millis(50).into(),
        multiplier: NonZeroU8::new(3).unwrap(),
        passive: false,
    };
    let mut session = Session::new(settings, ours, 1);
    let mut now = Timestamp::ZERO;
    session.handle(Input::Start, now);
    for datagram in octets.chunks(Packet::LEN + 4) {
        now = now + Duration::from_millis(u64::from(datagram[0]));
        session.handle(Input::Timer, now);
        if let Ok(packet) = Packet::decode(datagram) {
            assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
            session.handle(Input::Packet(packet), now);
        }
        let outputs: Vec<Output> = std::iter::from_fn(|| session.poll_output()).collect();
        assert!(outputs.len() <= 10, "{outputs:?}");
        for output in &outputs {
            if let Output::Send(packet) = output {
                assert_eq!(Packet::decode(&packet.encode()), Ok(*packet));
                assert!(!(packet.poll && packet.r#final));
            }
        }
        session.handle(Input::Timer, now);
        assert!(session.deadline().is_none_or(|deadline| deadline > now), "a timer that has expired");
    }
}
