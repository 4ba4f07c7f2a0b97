//! The image: what was put in comes out, nothing else does, and an image that somebody bent harms nobody.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/bodies.rs"]
#[allow(dead_code)] // the bodies are shared by several tests
mod bodies;
#[path = "support/generated.rs"]
mod generated;
#[path = "support/messages.rs"]
mod messages;

use dns::zone::{self, ImageError, Zone};
use dns::{Identity, Outcome, Transport, Zones};
use generated::Lot;
use messages::{AskEdns, Shown, answer, ask, show};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SIGNED: [&str; 2] = [include_str!("zones/nsec.zone"), include_str!("zones/opt-out.zone")];

fn serve(zone: Zone) -> Zones {
    Zones::new(vec![Arc::new(zone)]).unwrap()
}

fn reply(zones: &Zones, query: &[u8]) -> Vec<u8> {
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let mut out = vec![0; 65535];
    let Outcome::Reply { length, .. } = answer(zones, &identity, query, Transport::Tcp, &mut out) else {
        panic!("no reply to {query:02x?}")
    };
    out.truncate(length);
    out
}

#[test]
fn an_image_answers_as_the_zone_that_it_was_made_of() {
    let generated = (0..6).map(|seed| generated::zone("example.", seed));
    for text in SIGNED.into_iter().map(str::to_owned).chain(generated) {
        let zone = zone::parse(&text).unwrap();
        let image = zone.image().unwrap().to_vec();
        let again = Zone::from_image(image.clone()).unwrap();
        assert_eq!(again.apex().as_wire(), zone.apex().as_wire());
        assert_eq!((again.serial(), again.names()), (zone.serial(), zone.names()));
        assert_eq!(
            zone::parse(&text).unwrap().image().unwrap(),
            image,
            "the same text gives the same octets"
        );
        let (apex, mut lot) = (zone.apex().to_string(), Lot::new(1));
        let (ours, theirs) = (serve(zone), serve(again));
        for _ in 0..300 {
            let kind = lot.one_of(&["A", "NS", "MX", "TXT", "DS", "ANY", "SRV", "CNAME"]);
            let mut ask = ask(&format!("{}.{apex}", generated::some_labels(&mut lot)), kind);
            ask.edns = Some(AskEdns { flags: 0x8000, ..AskEdns::default() });
            assert_eq!(reply(&ours, &ask.octets()), reply(&theirs, &ask.octets()), "{ask:?}");
        }
    }
}

#[test]
fn an_image_that_cannot_be_used_says_why() {
    let image = zone::parse(SIGNED[0]).unwrap().image().unwrap().to_vec();
    let error = |octets: Vec<u8>| Zone::from_image(octets).unwrap_err();
    let with = |at: usize, octet: u8| [&image[..at], &[octet], &image[at + 1..]].concat();
    assert_eq!(error(Vec::new()), ImageError::NoImage);
    assert_eq!(error(SIGNED[0].into()), ImageError::NoImage);
    assert_eq!(error(with(8, 2)), ImageError::Version { found: 2, known: 1 });
    let (wanted, found) = (image.len() as u64, image.len() as u64 - 1);
    assert_eq!(error(image[..image.len() - 1].to_vec()), ImageError::Length { wanted, found });
    for at in (24..image.len()).step_by(97) {
        assert_eq!(error(with(at, !image[at])), ImageError::Damaged, "octet {at}");
    }
    for end in 0..80 {
        error(image[..end].to_vec());
    }
}

/// What RFC 1034 and RFC 4592 say about a zone of addresses, written down once more in the plainest way.
fn expected(zone: &BTreeMap<Vec<String>, u8>, asked: &[String]) -> (&'static str, BTreeSet<String>) {
    let exists = |name: &[String]| zone.keys().any(|owner| owner.ends_with(name)) || name.is_empty();
    let records = |name: &[String]| {
        zone.get(name).map(|last| format!("192.0.2.{last}")).into_iter().collect::<BTreeSet<_>>()
    };
    if exists(asked) {
        return ("NOERROR", records(asked));
    }
    let encloser = (1..=asked.len()).map(|cut| &asked[cut..]).find(|name| exists(name)).unwrap();
    let wildcard = [&["*".to_owned()], encloser].concat();
    if exists(&wildcard) { ("NOERROR", records(&wildcard)) } else { ("NXDOMAIN", BTreeSet::new()) }
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "*", "c\\000", "\\001"]), 1..5)
        .prop_map(|labels| labels.into_iter().map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_was_put_in_comes_out_and_nothing_else(
        zone in prop::collection::btree_map(labels(), any::<u8>(), 0..12), asked in prop::collection::vec(labels(), 1..20)
    ) {
        let mut text = String::from("$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n");
        for (owner, last) in &zone {
            text += &format!("{} 60 A 192.0.2.{last}\n", owner.join("."));
        }
        let zones = serve(zone::parse(&text).unwrap());
        for name in zone.keys().chain(&asked) {
            let query = ask(&format!("{}.example.", name.join(".")), "A").octets();
            let Shown { code, answer, .. } = show(&reply(&zones, &query)).unwrap();
            let data = answer.iter().filter_map(|record| record.rsplit(' ').next().map(str::to_owned)).collect();
            prop_assert_eq!((&*code, data), expected(&zone, name), "{:?} in {}", name, text);
        }
    }

    #[test]
    fn a_bent_image_harms_nobody(
        which in 0..2usize, bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut image = zone::parse(SIGNED[which]).unwrap().image().unwrap().to_vec();
        for (at, octet) in bends {
            let at = at.index(image.len());
            image[at] = octet;
        }
        bodies::image(&image);
    }
}

#[test]
fn the_corpus_of_images() {
    bodies::corpus("dns_image", bodies::image);
}
