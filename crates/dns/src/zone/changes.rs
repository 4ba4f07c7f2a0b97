//! A zone, and what has changed in it: the next version of the zone.
//!
//! ```text
//!   changes --> names touched, with all their records --> layer over the image that is there
//!                        |
//!                        +-- too many, or of a kind that touches every name --> another image
//! ```

use super::compile::layer::below;
use super::received::{Received, Unusable};
use crate::image::chain::{Denial, InChain, hashed};
use crate::image::layer::Touched;
use crate::image::node::Node;
use crate::image::records::records_of;
use crate::image::{Zone, ZoneRecords};
use crate::order::{SortKey, wire_of};
use crate::table::NameHash;
use std::collections::{BTreeMap, BTreeSet};
use terms::{NamesInData, Record, RecordType};

/// Names that a layer may have before it should be folded in, beside those that the size of the zone allows: to make a
/// layer anew at each change costs as much for each name as to compile it, to fold it in as much for each name of the
/// zone.
const FEW: usize = 1024;
/// The share of a zone that its layer may be.
const SHARE: usize = 128;
/// How many times as many it may have while it is being folded in.
const PATIENCE: usize = 8;

/// Why a zone is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchangeable {
    /// It does not have what is removed, or has already what is added.
    #[error("the changes remove or add {kind} of {owner}, which is not as they say", kind = .0.kind, owner = .0.owner)]
    Mismatch(Box<Record>),
    /// What would come of it cannot be served.
    #[error("{0}")]
    Unusable(#[from] Unusable),
}

impl Zone {
    /// The next version of the zone. What is small lies as a layer over the same image, in milliseconds; otherwise all of
    /// the zone is compiled.
    ///
    /// # Errors
    /// The changes are none of this zone, or what comes of them cannot be served rightly.
    pub fn changed(&self, removed: &[&Record], added: &[&Record]) -> Result<Zone, Unchangeable> {
        let changes = Changes::new(removed, added);
        match self.touched_by(&changes).filter(|touched| touched.len() <= PATIENCE * self.allowance()) {
            Some(touched) => match self.lay(touched, &changes)? {
                Some(zone) => Ok(zone),
                None => self.anew(&changes),
            },
            None => self.anew(&changes),
        }
    }

    /// The same version without a layer: one image, which takes as long as to compile the zone.
    ///
    /// # Errors
    /// What the image says cannot be served.
    pub fn compacted(&self) -> Result<Zone, Unchangeable> {
        self.anew(&Changes::new(&[], &[]))
    }

    /// Whether its layer is so large that it should be folded in.
    pub fn should_be_compacted(&self) -> bool {
        self.laid() > self.allowance()
    }

    fn allowance(&self) -> usize {
        FEW + self.names() / SHARE
    }

    fn anew(&self, changes: &Changes<'_>) -> Result<Zone, Unchangeable> {
        let mut whole = Received::new(self.apex().clone());
        changes.apply(self.authority().into_iter().chain(ZoneRecords::of(self)), &mut whole)?;
        Ok(whole.finish()?)
    }

    /// A zone with a layer; none when that cannot be.
    fn lay(&self, mut touched: Touched, changes: &Changes<'_>) -> Result<Option<Zone>, Unchangeable> {
        for key in changes.cuts(self, &touched) {
            let Some(node) = self.base_node(&key) else { continue };
            for below in below(self, node) {
                touched.names.insert(SortKey::of(below.name).as_slice().to_vec());
                if touched.len() > PATIENCE * self.allowance() {
                    return Ok(None);
                }
            }
        }
        let mut records = Received::new(self.apex().clone());
        changes.apply(self.records_of_touched(&touched), &mut records)?;
        Ok(records.lay(self, &touched)?)
    }

    /// What the changes and those before touch; none when that cannot be told.
    fn touched_by(&self, changes: &Changes<'_>) -> Option<Touched> {
        let mut touched = self.touched();
        let apex = SortKey::of(self.apex().as_wire());
        touched.names.insert(Vec::new());
        if let Denial::Nsec3 { iterations, salt } = self.denial() {
            let lower = self.apex().as_wire().to_ascii_lowercase();
            touched.hashes.insert(hashed([&lower, &[]], *iterations, salt).to_vec());
        }
        for record in changes.removed.iter().chain(&changes.added) {
            let owner = SortKey::of(record.owner.as_wire());
            let key = owner.as_slice().strip_prefix(apex.as_slice())?;
            if !is_hash(record) {
                let ends = key.iter().enumerate().filter(|&(_, &octet)| octet == 0).map(|(at, _)| at + 1);
                touched.names.extend(ends.map(|end| key[..end].to_vec()));
                continue;
            }
            let is_in_chain = matches!(self.in_chain(key), Some(InChain::Match(_)));
            // One of another chain is found by nobody.
            if !is_in_chain && changes.removed.contains(record) {
                return None;
            }
            touched.hashes.insert(key.to_vec());
        }
        Some(touched)
    }

    fn records_of_touched<'t>(&'t self, touched: &'t Touched) -> impl Iterator<Item = Record> + 't {
        let names = touched.names.iter().filter_map(|key| self.current_node(key));
        let hashes = touched.hashes.iter().filter_map(|key| match self.in_chain(key)? {
            InChain::Match(index) => self.in_chain_at(index),
            InChain::Cover(_) => None,
        });
        names.chain(hashes).flat_map(|node| records_of(node, self.apex()))
    }

    fn current_node(&self, key: &[u8]) -> Option<Node<'_>> {
        let owner = [&wire_of(key)[..], &self.apex().as_wire().to_ascii_lowercase()].concat();
        self.find(NameHash::of(&owner), &owner)
    }

    fn base_node(&self, key: &[u8]) -> Option<Node<'_>> {
        let relative = wire_of(key);
        let owner = [&relative[..], &self.apex().as_wire().to_ascii_lowercase()].concat();
        self.base().find(NameHash::of(&owner), &relative)
    }
}

/// Records as they are compared: names in their data in lower case.
struct Changes<'c> {
    removed: BTreeSet<Record>,
    added: BTreeSet<Record>,
    /// As they came.
    new: &'c [&'c Record],
}

impl<'c> Changes<'c> {
    fn new(removed: &[&Record], added: &'c [&'c Record]) -> Changes<'c> {
        let canonical = |records: &[&Record]| records.iter().map(|record| canonical(record)).collect();
        Changes { removed: canonical(removed), added: canonical(added), new: added }
    }

    /// Gives the records of the next version, from those of this one.
    fn apply(&self, old: impl Iterator<Item = Record>, to: &mut Received) -> Result<(), Unchangeable> {
        let mut missing: BTreeSet<&Record> = self.removed.iter().collect();
        for record in old {
            let key = canonical(&record);
            if self.added.contains(&key) {
                return Err(Unchangeable::Mismatch(Box::new(record)));
            }
            if !missing.remove(&key) {
                to.push(&record)?;
            }
        }
        if let Some(&record) = missing.first() {
            return Err(Unchangeable::Mismatch(Box::new(record.clone())));
        }
        for record in self.new {
            to.push(record)?;
        }
        Ok(())
    }

    /// The touched names that are a cut in this version and none in the image, or the other way round: what is below them
    /// is touched, too.
    fn cuts(&self, zone: &Zone, touched: &Touched) -> Vec<Vec<u8>> {
        let apex = SortKey::of(zone.apex().as_wire());
        let mut more = BTreeMap::<Vec<u8>, i64>::new();
        for (records, one) in [(&self.added, 1), (&self.removed, -1)] {
            for record in records.iter().filter(|record| record.kind == RecordType::NS) {
                let owner = SortKey::of(record.owner.as_wire());
                let key = owner.as_slice().strip_prefix(apex.as_slice()).unwrap_or_default();
                *more.entry(key.to_vec()).or_default() += one;
            }
        }
        let servers = |node: Option<Node<'_>>| {
            node.and_then(|node| node.set(RecordType::NS)).map_or(0, |set| i64::from(set.count))
        };
        let is_other = |key: &&Vec<u8>| {
            let now = servers(zone.current_node(key)) + more.get(*key).copied().unwrap_or(0);
            (servers(zone.base_node(key)) > 0) != (now > 0)
        };
        touched.names.iter().filter(|key| !key.is_empty()).filter(is_other).cloned().collect()
    }
}

/// Whether it is found by its hash: an NSEC3 record, or the signature of one.
fn is_hash(record: &Record) -> bool {
    let covers = || record.data.first_chunk() == Some(&RecordType::NSEC3.get().to_be_bytes());
    record.kind == RecordType::NSEC3 || record.kind == RecordType::RRSIG && covers()
}

fn canonical(record: &Record) -> Record {
    let data = NamesInData::of(record.kind).canonical(&record.data).into();
    Record { owner: record.owner.clone(), data, ..*record }
}
