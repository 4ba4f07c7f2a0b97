//! Versions of a zone full of what is hard, with chains of NSEC and NSEC3 records that a signer would make. Signatures
//! are there, but are none.

use proptest::prelude::*;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::collections::{BTreeMap, BTreeSet};
use terms::{DomainName, Record, RecordType};

pub(crate) const APEX: &str = "example.";
pub(crate) const LABELS: [&str; 4] = ["a", "b", "*", "n"];
const TTL: u32 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    None,
    Nsec,
    Nsec3,
    OptOut,
    /// Two chains, the second one with salt.
    Twice,
}

/// What one name may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    A(u8),
    Ns(String),
    Ds(u8),
    Mx(String),
    Cname(String),
    Dname(String),
}

/// A version without what a signer adds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model(BTreeMap<String, BTreeSet<Kind>>);

fn labels() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(LABELS.to_vec()), 1..4).prop_map(|labels| labels.join("."))
}

pub(crate) fn model() -> impl Strategy<Value = Model> {
    let target = || prop_oneof![4 => labels().prop_map(|labels| format!("{labels}.{APEX}")), 1 => Just("x.test.".to_owned())];
    let kind = prop_oneof![
        4 => (0..3u8).prop_map(Kind::A),
        4 => target().prop_map(Kind::Ns),
        1 => (0..2u8).prop_map(Kind::Ds),
        2 => target().prop_map(Kind::Mx),
        1 => target().prop_map(Kind::Cname),
        1 => target().prop_map(Kind::Dname),
    ];
    let kinds = prop::collection::btree_set(kind, 1..3);
    prop::collection::btree_map(labels(), kinds, 0..14).prop_map(Model)
}

impl Model {
    /// Delegations without DS at these names.
    pub(crate) fn delegations(names: &[&str]) -> Model {
        let cut = BTreeSet::from([Kind::Ns("x.test.".to_owned())]);
        Model(names.iter().map(|&name| (name.to_owned(), cut.clone())).collect())
    }

    /// This version, but for some names those of another one.
    pub(crate) fn mixed(&self, other: &Model, taken: u64) -> Model {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let one = |(index, name): (usize, &String)| {
            let of = if taken >> (index % 64) & 1 == 1 { other } else { self };
            Some((name.clone(), of.0.get(name)?.clone()))
        };
        Model(names.into_iter().enumerate().filter_map(one).collect())
    }

    /// Every record, signed.
    pub(crate) fn records(&self, serial: u32, denial: Denial) -> BTreeSet<Record> {
        let mut records: BTreeSet<Record> = [soa(serial), record("", 2, wire("n.example."))].into();
        for (name, kinds) in &self.0 {
            records.extend(kinds.iter().map(|kind| kind.record(name)));
        }
        if denial != Denial::None {
            chain(&mut records, denial);
            let sets: BTreeSet<(DomainName, RecordType)> =
                records.iter().map(|record| (record.owner.clone(), record.kind)).collect();
            records.extend(sets.into_iter().map(|(owner, kind)| signature(owner, kind)));
        }
        records
    }
}

impl Kind {
    fn record(&self, name: &str) -> Record {
        match self {
            Kind::A(last) => record(name, 1, vec![192, 0, 2, *last]),
            Kind::Ns(target) => record(name, 2, wire(target)),
            Kind::Ds(tag) => record(name, 43, [&[0, *tag, 13, 2][..], &[7; 32]].concat()),
            Kind::Mx(target) => record(name, 15, [vec![0, 1], wire(target)].concat()),
            Kind::Cname(target) => record(name, 5, wire(target)),
            Kind::Dname(target) => record(name, 39, wire(target)),
        }
    }
}

fn wire(name: &str) -> Vec<u8> {
    name.parse::<DomainName>().unwrap().as_wire().to_vec()
}

fn record(name: &str, kind: u16, data: Vec<u8>) -> Record {
    let owner = if name.is_empty() { APEX.to_owned() } else { format!("{name}.{APEX}") };
    Record { owner: owner.parse().unwrap(), kind: RecordType::new(kind), ttl: TTL, data: data.into() }
}

pub(crate) fn txt(name: &str, text: u8) -> Record {
    record(name, 16, vec![1, text])
}

fn soa(serial: u32) -> Record {
    let numbers = [serial, 3600, 900, 604_800, 300].map(u32::to_be_bytes).concat();
    record("", 6, [wire("n.example."), wire("h.example."), numbers].concat())
}

fn signature(owner: DomainName, kind: RecordType) -> Record {
    let end = 1_000_000
        + u32::from(
            owner
                .as_wire()
                .iter()
                .fold(0u16, |sum, &octet| sum.wrapping_mul(31).wrapping_add(u16::from(octet))),
        );
    let kind = kind.get().to_be_bytes();
    let data =
        [&kind[..], &[13, 1], &TTL.to_be_bytes(), &end.to_be_bytes(), &[0; 6], &wire(APEX), &[9; 8]].concat();
    Record { owner, kind: RecordType::new(46), ttl: TTL, data: data.into() }
}

/// Adds the chain of NSEC or NSEC3 records over all names that are not below a cut.
fn chain(records: &mut BTreeSet<Record>, denial: Denial) {
    let apex: DomainName = APEX.parse().unwrap();
    let has = |name: &DomainName, kind: u16| records.iter().any(|r| r.owner == *name && r.kind.get() == kind);
    let cuts: Vec<DomainName> =
        records.iter().filter(|r| r.kind.get() == 2 && r.owner != apex).map(|r| r.owner.clone()).collect();
    let is_ours = |name: &DomainName| !cuts.iter().any(|cut| cut != name && name.is_within(cut));
    let mut names: BTreeSet<DomainName> =
        records.iter().map(|record| record.owner.clone()).filter(is_ours).collect();
    if denial == Denial::Nsec {
        let next = names.iter().skip(1).chain(names.first()).cloned().collect::<Vec<_>>();
        records.extend(names.into_iter().zip(next).map(|(owner, next)| {
            let data = [next.as_wire(), &[0, 1, 0x40]].concat();
            Record { owner, kind: RecordType::new(47), ttl: TTL, data: data.into() }
        }));
        return;
    }
    let is_out = |name: &DomainName| denial == Denial::OptOut && cuts.contains(name) && !has(name, 43);
    names.retain(|name| !is_out(name));
    for name in names.clone() {
        let labels: Vec<&[u8]> = name.labels().collect();
        for above in 1..labels.len() {
            let octets = labels[above..].iter().flat_map(|label| [&[label.len() as u8], *label].concat());
            names.insert(DomainName::from_wire(&octets.chain([0]).collect::<Vec<_>>()).unwrap());
        }
    }
    names.retain(|name| name.is_within(&apex));
    let salts: &[&[u8]] = if denial == Denial::Twice { &[&[], &[7]] } else { &[&[]] };
    for salt in salts {
        hashed_chain(records, &names, u8::from(denial == Denial::OptOut), salt);
    }
}

/// Adds a chain of NSEC3 records over these names.
fn hashed_chain(records: &mut BTreeSet<Record>, names: &BTreeSet<DomainName>, flags: u8, salt: &[u8]) {
    let salted = [&[salt.len() as u8], salt].concat();
    let hash = |name: &DomainName| {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &[name.as_wire(), salt].concat()).as_ref().to_vec()
    };
    let hashes: BTreeSet<Vec<u8>> = names.iter().map(hash).collect();
    let next = hashes.iter().skip(1).chain(hashes.first());
    let of_hash = |(hash, next): (&Vec<u8>, &Vec<u8>)| {
        let data = [&[1, flags, 0, 0], &salted[..], &[20], next, &[0, 1, 0x40]].concat();
        record(&base_32(hash), 50, data)
    };
    records.extend(hashes.iter().zip(next).map(of_hash));
    records.insert(record("", 51, [&[1, 0, 0, 0], &salted[..]].concat()));
}

fn base_32(hash: &[u8]) -> String {
    let of = |octets: &[u8]| {
        let bits = octets.iter().fold(0u64, |bits, &octet| bits << 8 | u64::from(octet));
        (0..8)
            .map(|at| char::from(b"0123456789abcdefghijklmnopqrstuv"[(bits >> (35 - 5 * at) & 31) as usize]))
            .collect::<String>()
    };
    hash.chunks(5).map(of).collect()
}
