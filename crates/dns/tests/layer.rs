//! A layer over an image answers as an image of the same records would, octet for octet: whatever has changed, however
//! often, and after it was folded in.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/messages.rs"]
#[allow(dead_code)] // replies are compared, not read
mod messages;
#[path = "support/versions.rs"]
mod versions;

use dns::zone::{Received, Unchangeable, Zone, ZoneRecords};
use dns::{Identity, Outcome, SignatureEnds, Transport, Zones};
use messages::{AskEdns, answer, ask};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use terms::{Record, RecordType, WallTime};
use versions::{APEX, Denial, LABELS, Model, model, txt};

fn anew(records: &BTreeSet<Record>) -> Zone {
    let mut received = Received::new(APEX.parse().unwrap());
    records.iter().for_each(|record| received.push(record).unwrap());
    received.finish().unwrap()
}

fn changed(zone: &Zone, old: &BTreeSet<Record>, new: &BTreeSet<Record>) -> Result<Zone, Unchangeable> {
    let removed: Vec<&Record> = old.difference(new).collect();
    let added: Vec<&Record> = new.difference(old).collect();
    zone.changed(&removed, &added)
}

fn replies(zone: Zone) -> Vec<(String, Vec<u8>)> {
    let zones = Zones::new(vec![Arc::new(zone)]).unwrap();
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let mut names = vec![String::new()];
    let mut out = vec![0; 65535];
    let mut replies = Vec::new();
    for _ in 0..3 {
        names.extend(names.clone().iter().flat_map(|below| LABELS.map(|label| format!("{label}.{below}"))));
        names.sort();
        names.dedup();
    }
    for name in names {
        for kind in ["A", "NS", "DS", "MX", "ANY"] {
            let mut ask = ask(&format!("{name}{APEX}"), kind);
            ask.edns = Some(AskEdns { flags: 0x8000, ..AskEdns::default() });
            let outcome = answer(&zones, &identity, &ask.octets(), Transport::Tcp, &mut out);
            let Outcome::Reply { length, .. } = outcome else { panic!("no reply") };
            replies.push((format!("{name} {kind}"), out[..length].to_vec()));
        }
    }
    replies
}

/// That two zones cannot be told apart from outside.
fn same(layered: Zone, whole: Zone) {
    assert_eq!((layered.serial(), layered.names()), (whole.serial(), whole.names()));
    assert_eq!(layered.signatures_end(WallTime(0)), whole.signatures_end(WallTime(0)));
    let records = |zone: &Zone| zone.authority().into_iter().chain(ZoneRecords::of(zone)).collect::<Vec<_>>();
    assert_eq!(records(&layered), records(&whole));
    let compacted = layered.compacted().unwrap();
    assert!(compacted.image() == whole.image(), "folded in, it is the same image");
    for (one, other) in replies(layered).into_iter().zip(replies(whole)) {
        assert_eq!(one, other);
    }
}

/// Versions, and how those with odd and those with even serial numbers are signed.
fn versions() -> impl Strategy<Value = ([Denial; 2], Vec<Model>)> {
    let denial = prop::sample::select(vec![
        [Denial::None, Denial::None],
        [Denial::Nsec, Denial::Nsec],
        [Denial::Nsec3, Denial::Nsec3],
        [Denial::OptOut, Denial::OptOut],
        [Denial::Nsec3, Denial::OptOut],
        [Denial::OptOut, Denial::Nsec3],
    ]);
    (denial, model(), prop::collection::vec((model(), any::<u64>()), 1..4)).prop_map(
        |(denial, first, others)| {
            let mut versions = vec![first];
            for (other, taken) in others {
                let last = versions.last().unwrap();
                versions.push(last.mixed(&other, taken));
            }
            (denial, versions)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_layer_answers_as_an_image_would((denial, versions) in versions()) {
        let mut old = versions[0].records(1, denial[0]);
        let mut zone = anew(&old);
        let (mut few, mut many) = (SignatureEnds::new(1), SignatureEnds::new(1000));
        for (serial, model) in (2..).zip(&versions[1..]) {
            let new = model.records(serial, denial[(serial as usize + 1) % 2]);
            zone = changed(&zone, &old, &new).unwrap();
            prop_assert!(zone.image().is_none(), "it is a layer");
            let end = anew(&new).signatures_end(WallTime(0));
            prop_assert_eq!(few.first(&zone, WallTime(0)), end, "though all that are remembered may have gone");
            prop_assert_eq!(many.first(&zone, WallTime(0)), end);
            old = new;
        }
        let compacted = zone.compacted().unwrap();
        prop_assert_eq!(many.first(&compacted, WallTime(0)), zone.signatures_end(WallTime(0)), "another image");
        same(zone, anew(&old));
        let new = versions[0].records(99, denial[0]);
        same(changed(&compacted, &old, &new).unwrap(), anew(&new));
    }
}

#[test]
fn what_the_zone_does_not_have_is_not_removed_from_it() {
    let old = Model::default().records(1, Denial::Nsec);
    let zone = anew(&old);
    let record = txt("a", 7);
    let mismatch = |removed: &[&Record], added: &[&Record]| matches!(zone.changed(removed, added), Err(Unchangeable::Mismatch(found)) if *found == record);
    assert!(mismatch(&[&record], &[]));
    let with = zone.changed(&[], &[&record]).unwrap();
    assert!(matches!(with.changed(&[], &[&record]), Err(Unchangeable::Mismatch(_))), "it has it already");
    assert!(with.changed(&[&record], &[]).is_ok());
}

#[test]
fn a_zone_has_one_soa_record() {
    let old = Model::default().records(1, Denial::None);
    let (zone, soa) = (anew(&old), |serial| Model::default().records(serial, Denial::None));
    let soa = |serial| soa(serial).into_iter().find(|record| record.kind == RecordType::SOA).unwrap();
    assert!(matches!(zone.changed(&[&soa(1)], &[]), Err(Unchangeable::Unusable(_))));
    assert!(matches!(zone.changed(&[], &[&soa(2)]), Err(Unchangeable::Unusable(_))));
    assert_eq!(zone.changed(&[&soa(1)], &[&soa(2)]).unwrap().serial(), 2);
}

#[test]
fn what_touches_every_name_makes_another_image() {
    let first = Model::default();
    let (unsigned, signed) = (first.records(1, Denial::None), first.records(2, Denial::Nsec));
    let zone = changed(&anew(&unsigned), &unsigned, &signed).unwrap();
    assert!(zone.image().is_some() && zone.is_signed());
    let hashed = first.records(3, Denial::Nsec3);
    assert!(changed(&zone, &signed, &hashed).unwrap().image() == anew(&hashed).image());
    let mut two = first.records(4, Denial::Nsec3);
    let param = two.iter().find(|record| record.kind == RecordType::NSEC3PARAM).unwrap().clone();
    two.insert(Record { data: [1, 0, 0, 1, 0].into(), ..param });
    let both = changed(&anew(&hashed), &hashed, &two).unwrap();
    assert!(both.image() == anew(&two).image(), "of several chains the best is sought in all of the zone");
    let mut digested = hashed.clone();
    let digest = [&3u32.to_be_bytes()[..], &[1, 1], &[7; 48]].concat();
    digested.insert(Record {
        kind: RecordType::new(63),
        ttl: 300,
        data: digest.into(),
        owner: APEX.parse().unwrap(),
    });
    let refused = changed(&zone, &signed, &digested);
    assert!(matches!(refused, Err(Unchangeable::Unusable(_))), "its digest is judged with all of the zone");
}

#[test]
fn a_chain_that_loses_a_link_gives_way_to_the_other() {
    let model = Model::delegations(&["a", "b", "n"]);
    let old = model.records(1, Denial::Twice);
    let mut new = model.records(2, Denial::Twice);
    // Of the first chain, and not at the zone's own name, where a look at few names would notice.
    let is_of_the_first = |record: &&Record| record.kind == RecordType::new(50) && record.data[4] == 0;
    let of_apex = "3msev9usmd4br9s97v51r2tdvmr9iqo1.example.".parse().unwrap();
    let links: Vec<Record> = old.iter().filter(is_of_the_first).cloned().collect();
    assert!(links.len() == 4 && links.iter().any(|link| link.owner == of_apex));
    let lost = links.into_iter().find(|link| link.owner != of_apex).unwrap();
    new.retain(|record| record.owner != lost.owner);
    let zone = anew(&old);
    same(changed(&zone, &old, &new).unwrap(), anew(&new));
}

#[test]
fn a_link_that_is_lost_proves_nothing_any_more() {
    let model = Model::delegations(&["a", "b", "a.n"]);
    let old = model.records(1, Denial::Nsec3);
    let new = model.records(2, Denial::OptOut);
    let is_link = |record: &&Record| record.kind == RecordType::new(50);
    assert_eq!((old.iter().filter(is_link).count(), new.iter().filter(is_link).count()), (5, 1));
    let zone = changed(&anew(&old), &old, &new).unwrap();
    assert!(zone.image().is_none(), "the delegations are as they were, and so are their nodes");
    same(zone, anew(&new));
}

#[test]
fn a_large_layer_should_be_folded_in() {
    let old = Model::default().records(1, Denial::None);
    let zone = anew(&old);
    let names: Vec<Record> = (0..1100).map(|n| txt(&format!("n{n}"), 1)).collect();
    let zone = zone.changed(&[], &names.iter().collect::<Vec<_>>()).unwrap();
    assert!(zone.image().is_none() && zone.should_be_compacted());
    let zone = zone.compacted().unwrap();
    assert!(zone.image().is_some() && !zone.should_be_compacted());
    let names: Vec<Record> = (0..20_000).map(|n| txt(&format!("m{n}"), 1)).collect();
    assert!(zone.changed(&[], &names.iter().collect::<Vec<_>>()).unwrap().image().is_some(), "at once");
}
