//! From the records of a zone to its image: names that exist only because of others, cuts, and the chain of proofs.

pub(super) mod layer;

use super::denial::{denial, is_hashed_with};
use super::encode::Encoder;
use super::fault::{Flaw, Place};
use super::records::{NameGroup, SetGroup, Sorted};
use crate::image::Zone;
use crate::image::chain::{Denial, hashed};
use crate::image::node::{ALIAS, CUT, OCCLUDED};
use crate::image::write::{NewNode, TooLarge, Writer};
use crate::name::labels;
use crate::table::NameHash;
use terms::{DomainName, RecordType};

/// Makes the image of a zone that keeps the rules.
pub(super) fn compile(sorted: &Sorted<'_>, apex: DomainName) -> Result<Vec<u8>, Flaw> {
    let serial = sorted
        .find(&[])
        .and_then(|name| serial(&name))
        .ok_or_else(|| Place::default().flaw("the SOA record is cut short", "write it anew"))?;
    let denial = denial(sorted, &apex)?;
    Compiler::new(sorted, apex, serial, denial, None).and_then(Compiler::run).map_err(too_large)
}

fn too_large(TooLarge: TooLarge) -> Flaw {
    Place::default().flaw("the image would be larger than 16 GiB", "split the zone into several")
}

/// An SOA record's data ends with serial, refresh, retry, expire and minimum, four octets each.
fn serial(apex: &NameGroup<'_>) -> Option<u32> {
    let (_, data) = apex.set(RecordType::SOA)?.records().next()?;
    Some(u32::from_be_bytes(*data.last_chunk::<20>()?.first_chunk::<4>()?))
}

/// A name on the way from the apex to the last one.
struct Ancestor {
    /// Octets of its key.
    key: usize,
    place: u32,
    hash: NameHash,
}

/// A name that was added.
struct Written {
    place: u32,
    /// Whether its NSEC record belongs into the chain.
    is_in_chain: bool,
}

struct Compiler<'s> {
    sorted: &'s Sorted<'s>,
    apex: DomainName,
    denial: Denial,
    writer: Writer<'s>,
    encoder: Encoder<'s>,
    /// The last name's key, and that name and its ancestors.
    last: Vec<u8>,
    path: Vec<Ancestor>,
    /// The cut that hides what is below it: its key and its place.
    above: Option<(Vec<u8>, u32)>,
    /// The NSEC3 records in order, by the keys of their names.
    hashed: Vec<NameGroup<'s>>,
    /// Whether only some of the zone's NSEC3 records are known.
    is_part: bool,
}

impl<'s> Compiler<'s> {
    fn new(
        sorted: &'s Sorted<'s>,
        apex: DomainName,
        serial: u32,
        denial: Denial,
        over: Option<&'s Zone>,
    ) -> Result<Self, TooLarge> {
        let hashed = match &denial {
            Denial::Nsec3 { iterations, salt } => {
                sorted.names().filter(|name| is_hashed_with(name, *iterations, salt)).collect()
            }
            Denial::None | Denial::Nsec => Vec::new(),
        };
        Ok(Compiler {
            sorted,
            writer: Writer::new(apex.clone(), serial, &denial, over.map(Zone::base))?,
            apex,
            denial,
            encoder: Encoder::new(),
            last: Vec::new(),
            path: Vec::new(),
            above: None,
            hashed,
            is_part: over.is_some(),
        })
    }

    fn run(mut self) -> Result<Vec<u8>, TooLarge> {
        let sorted = self.sorted;
        let mut of_other_chains = Vec::new();
        for name in sorted.names() {
            // A name that has nothing but NSEC3 does not exist (RFC 5155 section 7.2.8).
            if name.sets().any(|set| set.kind != RecordType::NSEC3) {
                self.ancestors(name.key())?;
                let written = self.name(name.key(), Some(&name))?;
                if written.is_in_chain {
                    self.writer.link(written.place, name.key());
                }
            } else if self.hashed.binary_search_by(|one| one.key().cmp(name.key())).is_err() {
                of_other_chains.push(name);
            }
        }
        for name in std::mem::take(&mut self.hashed) {
            let place = self.hash(&name)?;
            self.writer.link(place, name.key());
        }
        // They prove nothing here, but belong to the zone: whoever has it from us may use them.
        for name in of_other_chains {
            self.hash(&name)?;
        }
        let apex_node = self.path.first().map_or(0, |apex| apex.place);
        self.writer.finish(apex_node)
    }

    /// Adds the names between the last one and this one that exist only because of it (RFC 4592 section 2.2.2).
    fn ancestors(&mut self, key: &[u8]) -> Result<(), TooLarge> {
        let ends = key.iter().enumerate().filter(|&(_, &octet)| octet == 0).map(|(at, _)| at + 1);
        for end in ends.filter(|&end| end < key.len()) {
            if !self.last.starts_with(&key[..end]) {
                self.name(&key[..end], None)?;
            }
        }
        Ok(())
    }

    /// Adds a name that is found.
    fn name(&mut self, key: &[u8], group: Option<&NameGroup<'s>>) -> Result<Written, TooLarge> {
        self.path.retain(|ancestor| key.starts_with(&self.last[..ancestor.key]));
        self.encode(key, group, |set| set.kind != RecordType::NSEC3);
        let owner = self.encoder.owner();
        let relative = &owner[..owner.len() - self.apex.as_wire().len()];
        let label = labels(relative).next();
        let parent = self.path.last().map(|parent| (parent.hash, parent.place));
        let hash = match (parent, label) {
            (Some((hash, _)), Some(label)) => hash.below(label),
            _ => NameHash::of(&self.apex.as_wire().to_ascii_lowercase()),
        };
        if self.above.as_ref().is_some_and(|(above, _)| !key.starts_with(above)) {
            self.above = None;
        }
        let above = self.above.as_ref().map(|&(_, place)| place);
        let flags = match (above, group) {
            (Some(_), _) => OCCLUDED,
            (None, Some(group)) if group.has(RecordType::NS) && !key.is_empty() => CUT,
            (None, Some(group)) if group.has(RecordType::DNAME) => ALIAS,
            (None, _) => 0,
        };
        let is_wildcard = label == Some(b"*");
        let node = NewNode { flags, above: above.unwrap_or(0), proof: self.proof(owner), name: relative };
        let place = self.writer.named(hash, &node, &self.encoder.bodies)?;
        if let (true, Some((_, parent))) = (is_wildcard, parent) {
            self.writer.mark_wildcard(parent);
        }
        if flags & CUT != 0 {
            self.above = Some((key.to_vec(), place));
        }
        let may_be_in_chain = self.denial == Denial::Nsec && flags & OCCLUDED == 0;
        let is_in_chain = may_be_in_chain && group.is_some_and(|group| group.has(RecordType::NSEC));
        self.last.clear();
        self.last.extend_from_slice(key);
        self.path.push(Ancestor { key: key.len(), place, hash });
        Ok(Written { place, is_in_chain })
    }

    /// Adds an NSEC3 record.
    fn hash(&mut self, name: &NameGroup<'s>) -> Result<u32, TooLarge> {
        self.encode(name.key(), Some(name), |set| set.kind == RecordType::NSEC3);
        let owner = self.encoder.owner();
        let relative = &owner[..owner.len() - self.apex.as_wire().len()];
        let node = NewNode { flags: 0, above: 0, proof: 0, name: relative };
        self.writer.node(&node, &self.encoder.bodies)
    }

    fn encode(&mut self, key: &[u8], group: Option<&NameGroup<'s>>, wanted: impl Fn(&SetGroup<'s>) -> bool) {
        self.encoder.begin(key, self.apex.as_wire());
        let sets = group.into_iter().flat_map(NameGroup::sets);
        sets.filter(wanted).for_each(|set| self.encoder.set(&set));
    }

    /// One more than the index of the NSEC3 record that matches a name; 0 when none does.
    fn proof(&self, owner: &[u8]) -> u32 {
        let Denial::Nsec3 { iterations, salt } = &self.denial else { return 0 };
        if self.is_part {
            return 0;
        }
        let key = hashed([owner, &[]], *iterations, salt);
        self.hashed.binary_search_by(|name| name.key().cmp(&key)).map_or(0, |index| index as u32 + 1)
    }
}
