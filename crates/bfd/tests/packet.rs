//! The packet: what is written is read, and everything that RFC 5880 section 6.8.6 has discarded is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/arbitrary.rs"]
mod arbitrary;
#[path = "support/bench.rs"]
mod bench;

use bench::says;
use bfd::session::StateName;
use bfd::{Fault, Packet};
use proptest::prelude::*;

/// A packet of BIRD 2.0.12 as it was seen on the wire: down, 1 s, not heard anybody yet.
const OF_BIRD: [u8; 24] = [
    0x20, 0x40, 0x05, 0x18, 0xb1, 0x4b, 0x9f, 0x23, 0, 0, 0, 0, 0x00, 0x0f, 0x42, 0x40, 0x00, 0x00, 0x27,
    0x10, 0, 0, 0, 0,
];

#[test]
fn a_packet_of_another_implementation() {
    let packet = Packet::decode(&OF_BIRD).unwrap();
    assert_eq!(
        (packet.state, packet.multiplier.get(), packet.your_discriminator),
        (StateName::Down, 5, None)
    );
    assert_eq!((packet.desired_min_tx.as_micros(), packet.required_min_rx.as_micros()), (1_000_000, 10_000));
    assert_eq!(packet.encode(), OF_BIRD);
}

#[test]
fn every_rule_of_reception_has_its_packet() {
    let good = says(StateName::Up).encode();
    let with = |place: usize, octet: u8| {
        let mut octets = good;
        octets[place] = octet;
        octets
    };
    let up = 0xc0;
    assert!(Packet::decode(&good).is_ok());
    assert_eq!(Packet::decode(&good[..23]), Err(Fault::Truncated(23)));
    assert_eq!(Packet::decode(&with(0, 2 << 5)), Err(Fault::Version(2)));
    assert_eq!(Packet::decode(&with(0, 0)), Err(Fault::Version(0)));
    assert_eq!(Packet::decode(&with(3, 23)), Err(Fault::Length(23)));
    assert_eq!(Packet::decode(&with(3, 25)), Err(Fault::Truncated(24)));
    assert_eq!(Packet::decode(&with(2, 0)), Err(Fault::Multiplier));
    assert_eq!(Packet::decode(&with(1, up | 1)), Err(Fault::Multipoint));
    assert_eq!(Packet::decode(&with(7, 0)), Err(Fault::MyDiscriminator));
    for (bits, state) in [(0x80, StateName::Init), (up, StateName::Up)] {
        let mut octets = with(11, 0);
        octets[1] = bits;
        assert_eq!(Packet::decode(&octets), Err(Fault::YourDiscriminator(state)));
    }
    for bits in [0x00, 0x40] {
        let mut octets = with(11, 0);
        octets[1] = bits;
        assert_eq!(Packet::decode(&octets).unwrap().your_discriminator, None);
    }
    // Authentication, with a section and without one.
    assert_eq!(Packet::decode(&with(1, up | 4)), Err(Fault::Length(24)));
    let mut long = [with(1, up | 4).as_slice(), &[1, 4, 0, 0]].concat();
    long[3] = 28;
    assert_eq!(Packet::decode(&long), Err(Fault::Authenticated));
}

#[test]
fn octets_behind_the_packet_are_not_looked_at() {
    let packet = says(StateName::Up);
    let padded = [packet.encode().as_slice(), &[0xff; 40]].concat();
    assert_eq!(Packet::decode(&padded), Ok(packet));
}

proptest! {
    #[test]
    fn what_is_written_is_read(packet in arbitrary::packet()) {
        prop_assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
    }

    /// What is read says all that the octets said.
    #[test]
    fn what_is_read_is_written_again(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(packet) = Packet::decode(&octets) {
            let mut written = packet.encode();
            written[3] = octets[3];
            prop_assert_eq!(written.as_slice(), &octets[..24]);
        }
    }
}
