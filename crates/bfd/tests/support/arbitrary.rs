//! Any packet that may exist.

use bfd::session::StateName;
use bfd::{Discriminator, Interval, Packet};
use proptest::prelude::*;
use std::num::{NonZeroU8, NonZeroU32};

pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    let words = (any::<NonZeroU32>(), any::<NonZeroU32>(), any::<[u32; 3]>());
    (any::<[u8; 2]>(), any::<NonZeroU8>(), any::<bool>(), words).prop_filter_map(
        "a code that can be written",
        |([first, flags], multiplier, heard, (mine, yours, intervals))| {
            let mut octets = [0; Packet::LEN];
            octets[0] = 1 << 5 | first & 0x1f;
            octets[2..12].copy_from_slice(&[1, 24, 0, 0, 0, 1, 0, 0, 0, 1]);
            let [desired_min_tx, required_min_rx, required_min_echo_rx] =
                intervals.map(Interval::from_micros);
            let bit = |number: u8| flags >> number & 1 == 1;
            let state = StateName::ALL[usize::from(flags >> 6)];
            let may_be_nobody = matches!(state, StateName::Down | StateName::AdminDown);
            Some(Packet {
                diagnostic: Packet::decode(&octets).ok()?.diagnostic,
                state,
                poll: bit(5),
                r#final: bit(4),
                control_plane_independent: bit(3),
                demand: bit(1),
                multiplier,
                my_discriminator: Discriminator(mine),
                your_discriminator: (heard || !may_be_nobody).then_some(Discriminator(yours)),
                desired_min_tx,
                required_min_rx,
                required_min_echo_rx,
            })
        },
    )
}
