//! How a zone proves what does not exist, and by which of its chains if it has several.

use super::fault::{Flaw, Place};
use super::records::{NameGroup, Record, SetGroup, Sorted};
use crate::image::chain::{Denial, HASH, HASH_TEXT, as_key, hashed};
use terms::{DomainName, RecordType};

/// Most times that a name may be hashed again: beyond this, resolvers treat the zone as unsigned or as bogus (RFC 9276
/// section 3.2), and every question for a name that is not there costs as many hashes thrice.
const MOST_ITERATIONS: u16 = 150;

/// A chain of NSEC3 records that an NSEC3PARAM record says is there (RFC 5155 section 4).
struct Chain<'s> {
    /// Where that record is.
    place: Place,
    iterations: u16,
    salt: &'s [u8],
}

/// How much of a chain there is; the more, the better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Nothing for the zone's own name.
    Missing,
    /// Something, but no ring: a signer is at work, or has made a mistake.
    Begun,
    /// Each record leads to the next one, and the last to the first.
    Complete,
}

/// How the zone proves what does not exist. While its parameters change it has several chains, and any that is complete
/// will do (RFC 5155 section 7.3): the one with the fewest iterations. A chain that its signer still works on or takes
/// away has no NSEC3PARAM with flags 0. NSEC records are better than a chain that is no ring, and worse than one that is.
pub(super) fn denial(sorted: &Sorted<'_>, zone: &DomainName) -> Result<Denial, Flaw> {
    let Some(apex) = sorted.find(&[]) else { return Ok(Denial::None) };
    let announced = apex.set(RecordType::NSEC3PARAM);
    let chains: Vec<Chain<'_>> = announced.iter().flat_map(SetGroup::records).filter_map(Chain::of).collect();
    let has_choice = has_choice(&apex);
    let mut best: Option<(Standing, &Chain<'_>)> = None;
    for chain in chains.iter().filter(|chain| chain.iterations <= MOST_ITERATIONS) {
        let standing = if has_choice { chain.standing(sorted, zone) } else { chain.beginning(sorted, zone) };
        if standing > Standing::Missing && best.as_ref().is_none_or(|(other, _)| standing > *other) {
            best = Some((standing, chain));
        }
    }
    let best = best.filter(|(standing, _)| *standing == Standing::Complete || !apex.has(RecordType::NSEC));
    match (best, chains.first()) {
        (Some((_, chain)), _) => Ok(Denial::Nsec3 { iterations: chain.iterations, salt: chain.salt.into() }),
        _ if apex.has(RecordType::NSEC) => Ok(Denial::Nsec),
        (None, None) => Ok(Denial::None),
        (None, Some(chain)) => Err(chain.flaw()),
    }
}

/// Whether the zone's own name offers several ways to prove, so that only a look at all of the zone tells the best one.
pub(super) fn has_choice(apex: &NameGroup<'_>) -> bool {
    let chains = apex.set(RecordType::NSEC3PARAM).map_or(0, |chains| chains.records().len());
    chains + usize::from(apex.has(RecordType::NSEC)) > 1
}

impl<'s> Chain<'s> {
    /// Of SHA-1 and with no flags (RFC 5155 sections 4.1 and 7.2).
    fn of((record, data): (&Record, &'s [u8])) -> Option<Chain<'s>> {
        let &[1, 0, i0, i1, length, ref salt @ ..] = data else { return None };
        let iterations = u16::from_be_bytes([i0, i1]);
        (salt.len() == usize::from(length)).then_some(Chain { place: record.place, iterations, salt })
    }

    /// Whether there is something of it for the zone's own name.
    fn beginning(&self, sorted: &Sorted<'_>, zone: &DomainName) -> Standing {
        // Whoever has so many iterations is refused before anything is hashed.
        let key = hashed([&zone.as_wire().to_ascii_lowercase(), &[]], self.iterations, self.salt);
        let has = sorted.find(&key).is_some_and(|name| is_hashed_with(&name, self.iterations, self.salt));
        if has { Standing::Begun } else { Standing::Missing }
    }

    fn standing(&self, sorted: &Sorted<'_>, zone: &DomainName) -> Standing {
        match self.beginning(sorted, zone) {
            Standing::Begun if self.is_ring(sorted) => Standing::Complete,
            standing => standing,
        }
    }

    /// Whether each record leads to the next one. Hashes are in the order of their names (RFC 4648 section 7).
    fn is_ring(&self, sorted: &Sorted<'_>) -> bool {
        let mut links = sorted.names().filter_map(|name| {
            let set = name.set(RecordType::NSEC3)?;
            let (_, data) = set.records().find(|(_, data)| is_of(data, self.iterations, self.salt))?;
            Some((name.key(), next_of(data)?))
        });
        let Some((first, mut next)) = links.next() else { return false };
        for (key, following) in links {
            if *key != next {
                return false;
            }
            next = following;
        }
        *first == next
    }

    fn flaw(&self) -> Flaw {
        if self.iterations > MOST_ITERATIONS {
            return self.place.flaw(
                format!("{} iterations of NSEC3, more than {MOST_ITERATIONS}", self.iterations),
                "sign the zone with 0 iterations and no salt (RFC 9276 section 3.1)",
            );
        }
        self.place.flaw(
            "no NSEC3 record for the zone's own name has these parameters",
            "sign the zone anew, or take this record out",
        )
    }
}

/// Whether a name has an NSEC3 record with these parameters.
pub(super) fn is_hashed_with(name: &NameGroup<'_>, iterations: u16, salt: &[u8]) -> bool {
    let set = name.set(RecordType::NSEC3);
    set.is_some_and(|set| set.records().any(|(_, data)| is_of(data, iterations, salt)))
}

/// The key of the record that follows (RFC 5155 section 3.1.7); none where the data is malformed.
fn next_of(data: &[u8]) -> Option<[u8; HASH_TEXT + 1]> {
    let salt = usize::from(*data.get(4)?);
    let (&length, rest) = data.get(5 + salt..)?.split_first()?;
    rest.get(..usize::from(length)).filter(|hash| hash.len() == HASH).map(as_key)
}

/// Whether the data of an NSEC3 record has these parameters.
fn is_of(data: &[u8], iterations: u16, salt: &[u8]) -> bool {
    match data {
        [1, _, i0, i1, length, rest @ ..] => {
            u16::from_be_bytes([*i0, *i1]) == iterations && rest.get(..usize::from(*length)) == Some(salt)
        }
        _ => false,
    }
}
