//! The filter: nothing that is in it is missed, little else seems to be in it, and nobody outside can tell what.

use crate::arbitrary;
use crate::fleet::key;
use continuity::{Filter, Flow};
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddr};

/// As different as those of a flood.
fn flow(number: u32) -> Flow {
    let client = Ipv4Addr::from(number.wrapping_mul(2_654_435_761));
    Flow::new(SocketAddr::new(client.into(), number as u16), "198.18.0.53:443".parse().unwrap())
}

#[test]
fn one_of_two_hundred_strangers_seems_to_be_in_a_full_filter() {
    let (flows, strangers) = (20_000, 200_000);
    let mut filter = Filter::with_room_for(flows as usize);
    (0..flows).for_each(|number| filter.insert(&flow(number), &key(9)));
    assert!((0..flows).all(|number| filter.contains(&flow(number), &key(9))));
    let seen = (flows..flows + strangers).filter(|number| filter.contains(&flow(*number), &key(9))).count();
    assert!((500..1600).contains(&seen), "{seen} of {strangers} strangers");
    // With another key, even its own flows are strangers.
    let seen = (0..flows).filter(|number| filter.contains(&flow(*number), &key(8))).count();
    assert!(seen < 160, "{seen} of {flows} under another key");
    assert_eq!(filter.blocks().len() * Filter::BLOCK_LEN * 8 / flows as usize, Filter::BITS_PER_FLOW);
}

#[test]
fn its_size_is_bounded() {
    assert_eq!(Filter::with_room_for(0).blocks().len(), 1);
    assert_eq!(Filter::of_blocks(Vec::new()), None);
    assert_eq!(Filter::of_blocks(vec![[0; 8]; Filter::MOST_BLOCKS + 1]), None);
    assert_eq!(Filter::with_room_for(usize::MAX).blocks().len(), Filter::MOST_BLOCKS);
}

proptest! {
    #[test]
    fn what_was_put_in_is_found(flows in proptest::collection::vec(arbitrary::flow(), 0..300), room in 0..200_usize) {
        let mut filter = Filter::with_room_for(room);
        prop_assert!(flows.iter().all(|flow| !filter.contains(flow, &key(9))), "an empty one has none");
        flows.iter().for_each(|flow| filter.insert(flow, &key(9)));
        let copy = Filter::of_blocks(filter.blocks().to_vec()).unwrap();
        prop_assert!(flows.iter().all(|flow| copy.contains(flow, &key(9))));
        prop_assert_eq!(copy, filter);
    }
}
