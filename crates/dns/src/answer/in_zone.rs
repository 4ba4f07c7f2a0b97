//! The answer that a zone gives: the algorithm of RFC 1034 section 4.3.2 as later RFCs left it.
//!
//! ```text
//!            +-------------------- CNAME, DNAME: its target, if it is in the zone --------------------+
//!            v                                                                                        |
//!  name --> spot --> exact, wildcard --> the set of the type --> answer (and addresses of its targets)|
//!                         |                  +--> CNAME -----------------------------------------------+
//!                         +--> no such set --> SOA, proof                                             |
//!                    alias --> DNAME, CNAME made from it ----------------------------------------------+
//!                    cut ----> NS, DS or proof, glue
//!                    nowhere --> SOA, proof: NXDOMAIN
//! ```
//! A target in another zone is left to whoever asks, even if that zone is served here: a resolver must not believe
//! what one zone says about another.

use super::proofs::Proofs;
use super::{ResponseCode, Said};
use crate::image::lookup::{Encloser, Spot};
use crate::image::node::{Node, OCCLUDED, Set, Target};
use crate::name::{Name, labels};
use crate::query::{HEADER, Query};
use crate::rate::{Kind, Subject};
use crate::reply::{Form, Owner, Placed, Reply, Section};
use crate::table::NameHash;
use crate::zone::Zone;
use crate::zones::Home;
use terms::{DomainName, RecordType};

/// Names that are looked up for one question, at most. Longer chains of aliases are left to whoever asks.
pub(super) const LONGEST_CHAIN: usize = 16;
/// A chain goes on only while the answer is shorter, so that every pointer of what follows stays within its bounds
/// (see [`crate::zone`]: sets are encoded with offsets up to 0x2fff).
const CHAIN_OCTETS: usize = 0xc00;
const CLASS_IN: u16 = 1;

/// Writes the answer to a question into a reply. None when the image is damaged.
pub(super) fn answer<'z>(home: &Home<'z>, query: &Query<'_>, reply: &mut Reply<'_>) -> Option<Said<'z>> {
    // What an unsigned zone says about DNSSEC proves nothing.
    let form = match query.edns {
        Some(edns) if edns.dnssec_ok && home.zone.is_signed() => Form::Signed,
        _ => Form::Plain,
    };
    let (zone, is_child) = (home.zone, home.is_child);
    let End { code, authoritative, kind, place } =
        Walk { zone, is_child, query, form, proofs: Proofs::new(zone), reply, asked: 0 }.run(home.hash)?;
    let subject = Subject { kind, apex: home.zone.apex().as_wire(), place };
    Some(Said { code, authoritative, error: None, subject })
}

/// How a walk ended.
struct End {
    code: ResponseCode,
    authoritative: bool,
    kind: Kind,
    /// The place of the name that was asked for, or of what stands for it; 0 for every name that does not exist.
    place: u32,
}

struct Walk<'w, 'o> {
    zone: &'w Zone,
    /// Whether another zone that is served here begins at the name.
    is_child: bool,
    query: &'w Query<'w>,
    form: Form,
    proofs: Proofs<'w>,
    reply: &'w mut Reply<'o>,
    /// The place of what the first look-up found.
    asked: u32,
}

/// What a look-up comes to.
enum Step<'w> {
    /// The alias leads to the name at this place of the reply.
    Follow(usize),
    /// A set was the answer.
    Answered(Set<'w>, Placed),
    /// The answer is complete, without more.
    Complete,
    /// The name exists without that type, or does not exist.
    Negative(ResponseCode),
    /// Others know.
    Referred(Set<'w>, Placed, Node<'w>),
    /// The target of a DNAME would be too long (RFC 6672 section 2.2).
    TooLong,
}

impl<'w> Walk<'w, '_> {
    fn run(mut self, hash: NameHash) -> Option<End> {
        let (mut followed, mut hash) = (None::<Name>, hash);
        let mut owner = Owner { at: HEADER, length: self.query.name.length(), renamed: false };
        let mut seen = [hash; LONGEST_CHAIN];
        for turn in 0..LONGEST_CHAIN {
            seen[turn] = hash;
            let step = self.step(followed.as_ref().unwrap_or(&self.query.name), hash, owner)?;
            let Step::Follow(at) = step else { return self.end(step, turn == 0) };
            if self.reply.has_overflowed() || self.reply.length() > CHAIN_OCTETS {
                break;
            }
            let name = Name::at(self.reply.message(), at)?;
            if !name.is_within(self.zone.apex().as_wire()) {
                break;
            }
            hash = name.hash(name.depth());
            if seen[..=turn].contains(&hash) {
                break;
            }
            owner = Owner { at, length: name.length(), renamed: false };
            followed = Some(name);
        }
        self.end(Step::Complete, false)
    }

    fn step(&mut self, name: &Name, hash: NameHash, owner: Owner) -> Option<Step<'w>> {
        let spot = self.zone.spot(name, hash)?;
        if owner.at == HEADER {
            self.asked = match spot {
                Spot::Exact(node) | Spot::Wildcard(node, _) | Spot::Cut(node) | Spot::Alias(node) => {
                    node.place
                }
                Spot::Nowhere(_) => 0,
            };
        }
        match spot {
            Spot::Exact(node) => self.node(name, node, owner, None),
            Spot::Wildcard(node, encloser) => {
                self.node(name, node, Owner { renamed: true, ..owner }, Some(encloser))
            }
            // The parent side of a cut has the say over DS (RFC 4035 section 3.1.4.1).
            Spot::Cut(node) if self.query.kind == RecordType::DS && self.octets(node) == name.length() => {
                self.node(name, node, owner, None)
            }
            Spot::Cut(node) => self.refer(name, node, owner),
            Spot::Alias(node) => self.rename(name, node, owner),
            Spot::Nowhere(encloser) => {
                if self.form == Form::Signed {
                    self.proofs.no_name(name, encloser)?;
                }
                // A zone that is served here exists, even if its parent forgot it.
                let code = if self.is_child { ResponseCode::NoError } else { ResponseCode::NxDomain };
                Some(Step::Negative(code))
            }
        }
    }

    /// Octets of a node's whole name.
    fn octets(&self, node: Node<'_>) -> usize {
        node.name.len() + self.zone.apex().as_wire().len()
    }

    /// A name, or the wildcard that stands for it.
    fn node(
        &mut self,
        name: &Name,
        node: Node<'w>,
        owner: Owner,
        encloser: Option<Encloser<'w>>,
    ) -> Option<Step<'w>> {
        let kind = self.query.kind;
        if kind == RecordType::RRSIG && self.signatures(node, owner)? {
            self.prove_closer(name, encloser)?;
            return Some(Step::Complete);
        }
        let found = match kind {
            // One of the sets is enough (RFC 8482 section 4.1).
            RecordType::ANY => node.sets().next(),
            _ => node.set(kind).or_else(|| node.set(RecordType::CNAME)),
        };
        let Some(set) = found else {
            if self.form == Form::Signed {
                match encloser {
                    Some(encloser) => self.proofs.no_data_of_wildcard(name, encloser, node)?,
                    None => self.proofs.no_data(name, name.depth(), node)?,
                }
            }
            return Some(Step::Negative(ResponseCode::NoError));
        };
        let placed = self.reply.place(Section::Answer, &set, self.form, owner, self.octets(node), None)?;
        self.prove_closer(name, encloser)?;
        Some(match set.kind {
            RecordType::CNAME if !matches!(kind, RecordType::CNAME | RecordType::ANY) => {
                Step::Follow(placed.data())
            }
            _ => Step::Answered(set, placed),
        })
    }

    fn prove_closer(&mut self, name: &Name, encloser: Option<Encloser<'w>>) -> Option<()> {
        match encloser {
            Some(encloser) if self.form == Form::Signed => self.proofs.no_closer(name, encloser),
            _ => Some(()),
        }
    }

    /// All signatures of a name, for a question about them. Says whether there are any.
    fn signatures(&mut self, node: Node<'w>, owner: Owner) -> Option<bool> {
        let mut any = false;
        for set in node.sets().filter(|set| set.signatures > 0) {
            self.reply.place_signatures(Section::Answer, &set, owner, self.octets(node))?;
            any = true;
        }
        Some(any)
    }

    /// A referral to the servers of a child (RFC 4035 section 3.1.4).
    fn refer(&mut self, name: &Name, cut: Node<'w>, owner: Owner) -> Option<Step<'w>> {
        let encoded_for = self.octets(cut);
        let servers = cut.set(RecordType::NS)?;
        let placed = self.reply.place(Section::Authority, &servers, Form::Plain, owner, encoded_for, None)?;
        if self.form == Form::Signed {
            match cut.set(RecordType::DS) {
                Some(set) => {
                    self.reply.place(Section::Authority, &set, self.form, owner, encoded_for, None)?;
                }
                None => {
                    let depth = self.zone.apex_depth() + labels(cut.name).count();
                    self.proofs.no_data(name, depth, cut)?;
                }
            }
        }
        Some(Step::Referred(servers, placed, cut))
    }

    /// A DNAME above the name, and the CNAME that it makes (RFC 6672 section 3).
    fn rename(&mut self, name: &Name, node: Node<'w>, owner: Owner) -> Option<Step<'w>> {
        let encoded_for = self.octets(node);
        let set = node.set(RecordType::DNAME)?;
        let placed = self.reply.place(Section::Answer, &set, self.form, owner, encoded_for, None)?;
        let target = set.plain.get(12..)?;
        let prefix = name.lower().get(..name.length().checked_sub(encoded_for)?)?;
        if prefix.len() + target.len() > DomainName::MAX_OCTETS {
            return Some(Step::TooLong);
        }
        // The data is what is before the DNAME's owner, and a pointer to the DNAME's data.
        let (ttl, at) = (set.plain.get(6..10)?, placed.data());
        let [o0, o1] = (0xc000 | owner.at as u16).to_be_bytes();
        let [k0, k1] = RecordType::CNAME.get().to_be_bytes();
        let [c0, c1] = CLASS_IN.to_be_bytes();
        self.reply.put(&[o0, o1, k0, k1, c0, c1]);
        self.reply.put(ttl);
        self.reply.put(&(prefix.len() as u16 + 2).to_be_bytes());
        let data = self.reply.length();
        self.reply.put(prefix);
        self.reply.put(&(0xc000 | at as u16).to_be_bytes());
        self.reply.count(Section::Answer, 1);
        Some(if self.query.kind == RecordType::CNAME { Step::Complete } else { Step::Follow(data) })
    }

    /// What belongs to the end of the way; `first` if there were no aliases.
    fn end(mut self, step: Step<'w>, first: bool) -> Option<End> {
        let (code, kind) = match &step {
            Step::Negative(code) => {
                self.authority()?;
                (*code, if self.asked == 0 { Kind::NoName } else { Kind::NoData })
            }
            Step::Referred(..) => (ResponseCode::NoError, Kind::Referral),
            Step::TooLong => (ResponseCode::YxDomain, Kind::Answer),
            Step::Follow(_) | Step::Answered(..) | Step::Complete => (ResponseCode::NoError, Kind::Answer),
        };
        let authoritative = !(first && matches!(step, Step::Referred(..)));
        self.prove()?;
        match step {
            Step::Answered(set, placed) => {
                set.targets().try_for_each(|target| {
                    self.addresses(placed, target, Need::Helpful)?;
                    match set.kind {
                        // What the target says of itself helps, too (RFC 9460 section 4.1).
                        RecordType::SVCB | RecordType::HTTPS if !target.is_owner() => {
                            self.beside(placed, target, set.kind, Need::Helpful)
                        }
                        _ => Some(()),
                    }
                })?;
            }
            Step::Referred(set, placed, cut) => {
                // Without the addresses within the child nobody gets there (RFC 9471 section 3.1).
                for (need, inside) in [(Need::Necessary, true), (Need::Helpful, false)] {
                    for target in set.targets() {
                        let node = self.target(placed, target);
                        if node.is_some_and(|node| self.is_inside(node, cut)) == inside {
                            self.addresses(placed, target, need)?;
                        }
                    }
                }
            }
            _ => {}
        }
        Some(End { code, authoritative, kind, place: self.asked })
    }

    /// The SOA record of a negative answer, which lives no longer than its TTL and its minimum (RFC 2308 section 3).
    fn authority(&mut self) -> Option<()> {
        let apex = self.zone.apex_node()?;
        let set = apex.set(RecordType::SOA)?;
        let ttl = u32::from_be_bytes(*set.plain.get(6..)?.first_chunk()?);
        let minimum = u32::from_be_bytes(*set.plain.last_chunk()?);
        let owner = Owner { at: HEADER, length: self.query.name.length(), renamed: false };
        let ttl = Some(ttl.min(minimum));
        self.reply.place(Section::Authority, &set, self.form, owner, self.octets(apex), ttl).map(drop)
    }

    fn prove(&mut self) -> Option<()> {
        let apex = self.zone.apex().as_wire().len();
        for &index in self.proofs.chosen() {
            let node = self.zone.in_chain_at(index)?;
            let set = node.set(RecordType::NSEC).or_else(|| node.set(RecordType::NSEC3))?;
            self.reply.place_with_name(Section::Authority, &set, node.name, &self.query.name, apex)?;
        }
        Some(())
    }

    /// The node of a name that is written in a set; none where the zone does not have it, or nothing more fits.
    fn target(&self, placed: Placed, target: Target) -> Option<Node<'w>> {
        if self.reply.has_overflowed() {
            return None;
        }
        self.zone.target(target.node, || {
            let message = self.reply.message();
            Name::at(message, placed.target(message, target.offset)?)
        })
    }

    /// Whether a name is a cut, or below it.
    fn is_inside(&self, node: Node<'_>, cut: Node<'_>) -> bool {
        let above = || self.zone.node(node.above);
        node.place == cut.place || node.is(OCCLUDED) && above().is_some_and(|above| above.place == cut.place)
    }

    /// The addresses of a name that is written in a set.
    fn addresses(&mut self, placed: Placed, target: Target, need: Need) -> Option<()> {
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .try_for_each(|kind| self.beside(placed, target, kind, need))
    }

    /// What a name that is written in a set has of one type.
    fn beside(&mut self, placed: Placed, target: Target, kind: RecordType, need: Need) -> Option<()> {
        let Some(node) = self.target(placed, target) else { return Some(()) };
        let Some(set) = node.set(kind) else { return Some(()) };
        let at = placed.target(self.reply.message(), target.offset)?;
        let owner = Owner { at, length: self.octets(node), renamed: true };
        let mark = self.reply.mark();
        self.reply.place(Section::Additional, &set, self.form, owner, self.octets(node), None)?;
        if need == Need::Helpful && self.reply.has_overflowed() {
            self.reply.back_to(mark);
        }
        Some(())
    }
}

/// Whether a reply without these records is truncated (RFC 2181 section 9).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Necessary,
    Helpful,
}
