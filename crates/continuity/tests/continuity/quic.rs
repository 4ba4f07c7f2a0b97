//! QUIC: an id names the site that has made it, and no other id names one.

use crate::fleet::number;
use crate::{arbitrary, bodies, model};
use continuity::SiteNumber;
use continuity::quic::{ConnectionId, Destination, Keys, Rotation, Unroutable, destination};
use proptest::prelude::*;

const KEY: [u8; 16] = *b"sixteen octets!!";

fn rotation(number: u8) -> Rotation {
    Rotation::try_from(number).unwrap()
}

fn keys(number: u8) -> Keys {
    let mut keys = Keys::default();
    keys.learn(rotation(number), KEY);
    keys
}

/// A datagram of QUIC version 1 with a long header: the client's next packet of a handshake.
fn long(id: &[u8]) -> Vec<u8> {
    [&[0xe0, 0, 0, 0, 1, id.len() as u8][..], id, &[3, 1, 2, 3, 0, 5], b"sealed"].concat()
}

/// A datagram with a short header.
fn short(id: &[u8]) -> Vec<u8> {
    [&[0x41], id, b"sealed"].concat()
}

/// Behind the first octet is what another program makes of it: `printf '\0\0\0\7abcdefghijkl' | openssl enc -aes-128-ecb -nopad
/// -K $(printf 'sixteen octets!!' | xxd -p) | xxd -p`.
#[test]
fn the_octets_of_the_drawing() {
    let id = keys(2).seal(rotation(2), number(7), *b"abcdefghijkl").unwrap();
    assert_eq!(id.to_string(), "50f0bad4c40f897c45c0a2d5ac84a94c59");
    assert_eq!(id.octets()[0] & 0x1f, 16, "octets that follow");
    assert_eq!(keys(2).open(id.octets()), Ok((number(7), *b"abcdefghijkl")));
}

#[test]
fn every_reason_has_its_datagram() {
    let id = keys(0).seal(rotation(0), number(63), [9; 12]).unwrap();
    let site_of = |datagram: &[u8]| keys(0).site_of(datagram);
    assert_eq!(site_of(&long(id.octets())), Ok(number(63)));
    assert_eq!(site_of(&short(id.octets())), Ok(number(63)));
    assert_eq!(site_of(&[]), Err(Unroutable::Truncated));
    assert_eq!(site_of(&long(id.octets())[..22]), Err(Unroutable::Truncated));
    assert_eq!(site_of(&short(id.octets())[..17]), Err(Unroutable::Truncated));
    assert_eq!(site_of(&long(b"chosen by client")), Err(Unroutable::Length(16)));
    assert_eq!(site_of(&long(&[])), Err(Unroutable::Length(0)));
    assert_eq!(keys(1).site_of(&short(id.octets())), Err(Unroutable::Unknown(0)));
    let of_no_key = [0xe0 | 16; ConnectionId::LEN];
    assert_eq!(site_of(&short(&of_no_key)), Err(Unroutable::Unknown(7)));
    let mut changed = *id.octets();
    changed[0] ^= 1;
    assert_eq!(site_of(&short(&changed)), Err(Unroutable::Foreign), "it says that it is longer");
    assert!(Rotation::try_from(7).is_err());
    assert_eq!(keys(1).seal(rotation(0), number(1), [0; 12]), None, "there is no such key");
}

#[test]
fn keys_follow_one_another_and_no_connection_is_lost_meanwhile() {
    let mut sites = [keys(6), keys(6)];
    let old = sites[0].seal(rotation(6), number(1), [1; 12]).unwrap();
    for site in &mut sites {
        site.learn(rotation(0), [7; 16]);
    }
    let new = sites[0].seal(rotation(0), number(1), [1; 12]).unwrap();
    assert_eq!(sites[1].site_of(&short(old.octets())), Ok(number(1)));
    assert_eq!(sites[1].site_of(&short(new.octets())), Ok(number(1)));
    sites[1].forget(rotation(6));
    assert_eq!(sites[1].site_of(&short(old.octets())), Err(Unroutable::Unknown(6)));
    assert_eq!(sites[1].site_of(&short(new.octets())), Ok(number(1)));
    assert_eq!(format!("{:?}", sites[0]), "{Rotation(0), Rotation(6)}", "and nothing of the keys");
}

#[test]
fn the_corpus_of_datagrams() {
    model::corpus("quic_datagram", bodies::quic);
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(site in arbitrary::number(), key in 0..7_u8, nonce: [u8; 12], rest: Vec<u8>) {
        let id = keys(key).seal(rotation(key), site, nonce).unwrap();
        prop_assert_eq!(keys(key).open(id.octets()), Ok((site, nonce)));
        for mut datagram in [long(id.octets()), short(id.octets())] {
            datagram.extend(&rest);
            prop_assert_eq!(keys(key).site_of(&datagram), Ok(site));
        }
    }

    /// What somebody without the key makes, or changes, names no site. (That it does by chance is once in two billion.)
    #[test]
    fn what_is_changed_is_foreign(site in arbitrary::number(), nonce: [u8; 12], at in 8..136_usize) {
        let mut octets = *keys(3).seal(rotation(3), site, nonce).unwrap().octets();
        octets[at / 8] ^= 1 << (at % 8);
        prop_assert_eq!(keys(3).open(&octets), Err(Unroutable::Foreign));
    }

    /// Nobody sees which ids are of one site: no octet is the same in all of them.
    #[test]
    fn ids_of_a_site_have_nothing_in_common(site in arbitrary::number(), start in any::<u64>()) {
        let sealed = |count: u64| {
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&start.wrapping_add(count).to_be_bytes());
            *keys(0).seal(rotation(0), site, nonce).unwrap().octets()
        };
        let ids: Vec<_> = (0..20).map(sealed).collect();
        for octet in 1..ConnectionId::LEN {
            prop_assert!(ids.iter().any(|id| id[octet] != ids[0][octet]), "octet {}", octet);
        }
    }

    #[test]
    fn the_id_of_a_long_header_is_as_long_as_it_says(id in proptest::collection::vec(any::<u8>(), 0..=255)) {
        let datagram = long(&id);
        prop_assert_eq!(destination(&datagram), Some(Destination::Long(&id)));
        prop_assert_eq!(destination(&datagram[..6 + id.len() - id.len().min(1)]).is_some(), id.is_empty());
    }

    #[test]
    fn any_octets_are_a_datagram(octets: Vec<u8>) {
        bodies::quic(&octets);
    }

    #[test]
    fn a_number_names_a_key_or_none(number: u8) {
        prop_assert_eq!(Rotation::try_from(number).map(Rotation::get).ok(), (number < 7).then_some(number));
        prop_assert_eq!(SiteNumber::try_from(number).is_ok(), number < 64);
    }
}
