//! Which zones are there because a catalog lists them, and what becomes of them when a catalog says something else.

use super::{Catalog, Label};
use std::collections::BTreeMap;
use std::fmt::Write;
use terms::{DomainName, DomainNameError};

/// Longest line that [`Membership::text`] writes: two names with every octet escaped, and a group.
const LINE_MAX: usize = 4 * 4 * DomainName::MAX_OCTETS;

/// Why a zone is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The catalog that it was taken from.
    pub catalog: DomainName,
    /// Under which label.
    pub label: Label,
    /// How it is treated.
    pub group: Option<String>,
}

/// The zones that are there because of catalogs, each because of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    members: BTreeMap<DomainName, Member>,
}

/// What becomes of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is new.
    Added,
    /// Its catalog lists it no more, and all of it is thrown away.
    Removed,
    /// It stays, and all that there is of it is thrown away (RFC 9432 section 5.4).
    Reset,
    /// Another catalog has taken it over with what there is of it (RFC 9432 section 4.3.1).
    Moved,
    /// It stays as it is, but is treated otherwise.
    Regrouped,
}

/// Whose a zone is that a catalog lists in vain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The site file names it.
    SiteFile,
    /// Another catalog.
    Catalog(DomainName),
}

/// A catalog lists a zone that is there for another reason (RFC 9432 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clash {
    /// The zone.
    pub zone: DomainName,
    /// The catalog that lists it in vain.
    pub catalog: DomainName,
    /// Who has it.
    pub owner: Owner,
}

/// What catalogs say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The zones that are there from now on.
    pub membership: Membership,
    /// What has become of which zone; those of which nothing has become are left out.
    pub fates: BTreeMap<DomainName, Fate>,
    /// What is listed in vain.
    pub clashes: Vec<Clash>,
}

/// Why a text is no membership.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// A line is none that was written here.
    #[error("line {line} is no member")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// A name is none.
    #[error("line {line}: {error}")]
    Name {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        error: DomainNameError,
    },
}

impl Membership {
    /// Every zone, and why it is there.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&DomainName, &Member)> {
        self.members.iter()
    }

    /// How many zones a catalog has.
    pub fn count(&self, catalog: &DomainName) -> usize {
        self.of(catalog).count()
    }

    /// Why a zone is there; none where no catalog is the reason.
    pub fn get(&self, zone: &DomainName) -> Option<&Member> {
        self.members.get(zone)
    }

    fn of<'m>(&'m self, catalog: &'m DomainName) -> impl Iterator<Item = (&'m DomainName, &'m Member)> {
        self.members.iter().filter(move |(_, member)| member.catalog == *catalog)
    }

    /// How many zones of a catalog would lose all that there is of them, if it said this: those that it lists no more,
    /// and those that it lists under another label.
    pub fn loses(&self, catalog: &DomainName, said: &Catalog) -> usize {
        let stays =
            |zone: &DomainName, member: &Member| said.get(zone).is_some_and(|it| it.label == member.label);
        self.of(catalog).filter(|(zone, member)| !stays(zone, member)).count()
    }

    /// What follows from what all catalogs say. One that says nothing now (it has not come, or is broken) keeps its zones;
    /// one that is not among them has lost them.
    pub fn next(
        &self,
        said: &BTreeMap<DomainName, Option<Catalog>>,
        is_by_hand: impl Fn(&DomainName) -> bool,
    ) -> Step {
        let mut step = Step::default();
        for (zone, member) in &self.members {
            if is_by_hand(zone) {
                continue; // the site file says what becomes of it
            }
            match fate_of(zone, member, said) {
                Some((fate, next)) => {
                    step.fates.extend(fate.map(|fate| (zone.clone(), fate)));
                    step.membership.members.insert(zone.clone(), next);
                }
                None => _ = step.fates.insert(zone.clone(), Fate::Removed),
            }
        }
        for (catalog, said) in said {
            for (zone, listed) in said.iter().flat_map(Catalog::members) {
                let owner = match step.membership.get(zone) {
                    _ if is_by_hand(zone) => Owner::SiteFile,
                    Some(member) if member.catalog == *catalog => continue,
                    Some(member) => Owner::Catalog(member.catalog.clone()),
                    None => {
                        let member = Member {
                            catalog: catalog.clone(),
                            label: listed.label.clone(),
                            group: listed.group.clone(),
                        };
                        step.membership.members.insert(zone.clone(), member);
                        // One that another catalog has just let go of begins anew.
                        let fate = step.fates.entry(zone.clone());
                        fate.and_modify(|fate| *fate = Fate::Reset).or_insert(Fate::Added);
                        continue;
                    }
                };
                step.clashes.push(Clash { zone: zone.clone(), catalog: catalog.clone(), owner });
            }
        }
        step
    }

    /// Lines of `ZONE LABEL.zones.CATALOG [GROUP]`, to be kept in a file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (zone, member) in &self.members {
            let Some(node) = member.label.node(&member.catalog) else { continue };
            // Writing to a String cannot fail.
            let _ = write!(text, "{zone} {node}");
            let _ = writeln!(
                text,
                "{}",
                member.group.as_ref().map_or(String::new(), |group| format!(" {group}"))
            );
        }
        text
    }

    /// Reads what [`text`](Membership::text) wrote.
    ///
    /// # Errors
    /// A line is none of them.
    pub fn parse(text: &str) -> Result<Membership, MembershipError> {
        let mut membership = Membership::default();
        for (line, written) in (1..).zip(text.lines()) {
            let name = |text: &str| {
                text.parse::<DomainName>().map_err(|error| MembershipError::Name { line, error })
            };
            let mut words = written.split(' ');
            let (Some(zone), Some(node), group, None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(MembershipError::Line { line });
            };
            if written.len() > LINE_MAX {
                return Err(MembershipError::Line { line });
            }
            let node = name(node)?;
            let catalog = node.parent().and_then(|zones| zones.parent());
            let label = node.labels().next().map(Label::of);
            let (Some(catalog), Some(label)) = (catalog, label) else {
                return Err(MembershipError::Line { line });
            };
            let group = group.map(str::to_owned);
            membership.members.insert(name(zone)?, Member { catalog, label, group });
        }
        Ok(membership)
    }
}

/// What becomes of a zone, and why it is there from now on; none where it is not.
fn fate_of(
    zone: &DomainName,
    member: &Member,
    said: &BTreeMap<DomainName, Option<Catalog>>,
) -> Option<(Option<Fate>, Member)> {
    let Some(catalog) = said.get(&member.catalog)? else { return Some((None, member.clone())) };
    let listed = catalog.get(zone)?;
    // Whoever takes a zone over lists it, too (RFC 9432 section 4.3.1).
    let taker = listed.new_owner.as_ref().filter(|&owner| *owner != member.catalog).and_then(|owner| {
        let (name, catalog) = said.get_key_value(owner)?;
        Some((name, catalog.as_ref()?.get(zone)?))
    });
    let (catalog, listed) = taker.unwrap_or((&member.catalog, listed));
    let (label, group) = (listed.label.clone(), listed.group.clone());
    let next = Member { catalog: catalog.clone(), label, group };
    let fate = match () {
        () if next == *member => None,
        () if next.label != member.label => Some(Fate::Reset),
        () if next.catalog != member.catalog => Some(Fate::Moved),
        () => Some(Fate::Regrouped),
    };
    Some((fate, next))
}
