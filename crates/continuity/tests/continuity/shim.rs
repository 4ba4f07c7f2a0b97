//! The shim: what is written is read, nothing else is; no packet goes in a circle; a tag proves a key.

use crate::fleet::{key, number};
use crate::{arbitrary, fleet};
use continuity::{Fault, Flow, KeyId, KeyRing, Shim, SiteNumber, Visited};
use proptest::prelude::*;

#[test]
fn the_octets_of_the_drawing() {
    let visited = Visited::Three(number(1), number(2), number(63));
    let shim = Shim { key: KeyId::ALL[2], visited, tag: 0x0102_0304 };
    assert_eq!(shim.encode(), [0xca, 0b1000_0001, 0b1000_0010, 0b1111_1100, 1, 2, 3, 4]);
    let first = Shim { key: KeyId::ALL[0], visited: Visited::One(number(0)), tag: 0 };
    assert_eq!(first.encode(), [0xca, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn every_fault_has_its_octets() {
    let decode = |head: [u8; 4]| Shim::decode(&[head, [0; 4]].concat());
    assert_eq!(Shim::decode(&[0xca, 0, 0, 0, 0, 0, 0]), Err(Fault::Truncated(7)));
    assert_eq!(decode([0xcb, 0, 0, 0]), Err(Fault::Magic(0xcb)));
    assert_eq!(decode([0xca, 0, 0b1100_0000, 0]), Err(Fault::TooMany));
    assert_eq!(decode([0xca, 5, 0b0100_0101, 0]), Err(Fault::Twice));
    assert_eq!(decode([0xca, 5, 0b1000_0110, 5 << 2]), Err(Fault::Twice));
    assert_eq!(decode([0xca, 5, 0b1000_0110, 6 << 2]), Err(Fault::Twice));
    assert_eq!(decode([0xca, 5, 0b0000_0000, 1]), Err(Fault::Reserved));
    assert_eq!(
        decode([0xca, 5, 0b0000_0110, 0]),
        Err(Fault::Reserved),
        "a second site that it has not visited"
    );
    assert_eq!(decode([0xca, 5, 0b0100_0110, 7 << 2]), Err(Fault::Reserved), "nor a third");
}

#[test]
fn keys_follow_one_another_and_no_packet_is_refused_meanwhile() {
    let flow = fleet::flow("IPv4", 1);
    let way = Visited::One(number(1));
    let [first, second] = [KeyId::ALL[3], KeyId::ALL[3].next()];
    assert_eq!(second, KeyId::ALL[0]);
    let mut rings = [KeyRing::new(first, key(1)), KeyRing::new(first, key(1))];
    let all_understand_each_other = |rings: &[KeyRing; 2]| {
        let pairs = [(0, 1), (1, 0), (0, 0)];
        pairs.iter().all(|(from, to)| Shim::sign(way, &flow, &rings[*from]).is_good(&flow, &rings[*to]))
    };
    assert!(!rings[0].send_with(second), "a key that it does not know");
    for site in 0..2 {
        rings[site].learn(second, key(2));
        assert!(all_understand_each_other(&rings));
    }
    let last = Shim::sign(way, &flow, &rings[0]);
    for site in 0..2 {
        assert!(rings[site].send_with(second));
        assert!(all_understand_each_other(&rings));
    }
    for site in 0..2 {
        rings[site].forget(first);
        assert!(all_understand_each_other(&rings));
    }
    assert!(!last.is_good(&flow, &rings[1]), "a tag with the key of the past");
    rings[0].forget(second);
    assert_eq!(rings[0].get(second), Some(key(2)), "what it sends with, it does not forget");
}

proptest! {
    #[test]
    fn what_is_written_is_read(shim in arbitrary::shim()) {
        prop_assert_eq!(Shim::decode(&shim.encode()), Ok(shim));
    }

    #[test]
    fn what_is_read_was_written(mut octets in any::<[u8; 8]>(), is_magic in any::<bool>()) {
        if is_magic {
            octets[0] = 0xca;
        }
        if let Ok(shim) = Shim::decode(&octets) {
            prop_assert_eq!(shim.encode(), octets);
        }
    }

    /// However the next site is chosen: a packet visits three sites at most, and none twice.
    #[test]
    fn no_packet_goes_in_a_circle(sites in proptest::collection::vec(arbitrary::number(), 1..40)) {
        let mut way = Visited::One(sites[0]);
        let mut seen = vec![sites[0]];
        for site in &sites[1..] {
            let is_new = !seen.contains(site) && seen.len() < 3;
            prop_assert_eq!(way.and(*site).is_some(), is_new);
            if let Some(on) = way.and(*site) {
                way = on;
                seen.push(*site);
            }
        }
        prop_assert_eq!((way.origin(), way.last()), (seen[0], seen[seen.len() - 1]));
        for number in (0..64).map(fleet::number) {
            prop_assert_eq!(way.contains(number), seen.contains(&number));
        }
    }

    /// Another flow, another way, another key: the tag is another one.
    #[test]
    fn a_tag_is_good_for_what_it_was_made_for(
        (flow, other) in (arbitrary::flow(), arbitrary::flow()),
        (way, another) in (arbitrary::visited(), arbitrary::visited()),
        (first, second) in (any::<[u8; 16]>(), any::<[u8; 16]>()),
    ) {
        let ring = |octets| KeyRing::new(KeyId::ALL[1], continuity::Key::new(octets));
        let shim = Shim::sign(way, &flow, &ring(first));
        prop_assert!(shim.is_good(&flow, &ring(first)));
        prop_assert_eq!(shim.is_good(&other, &ring(first)), flow == other);
        prop_assert_eq!(shim.is_good(&flow, &ring(second)), first == second);
        prop_assert_eq!(Shim { visited: another, ..shim }.is_good(&flow, &ring(first)), way == another);
        let with_unknown_key = Shim { key: KeyId::ALL[2], ..shim };
        prop_assert!(!with_unknown_key.is_good(&flow, &ring(first)));
    }

    #[test]
    fn a_flow_is_read_from_its_octets(flow in arbitrary::flow()) {
        prop_assert_eq!(Flow::of_octets(&flow.octets()), flow);
    }

    #[test]
    fn a_number_has_six_bits(number in any::<u8>()) {
        prop_assert_eq!(SiteNumber::try_from(number).is_ok(), number < 64);
    }
}
