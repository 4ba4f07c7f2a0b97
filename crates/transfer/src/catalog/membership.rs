//! Which zones are there because a catalog lists them, and what becomes of them when a catalog says something else.

use super::{Catalog, Label, Listed};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::iter::successors;
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
    /// The site file has its catalog no more. What there is of it is wanted again if the site file is put back.
    Left,
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
    /// The site file: it names this zone, which is the listed one or one that the listed one is in.
    SiteFile(DomainName),
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

impl Fate {
    /// Whether all that there is of the zone is thrown away.
    pub fn loses(self) -> bool {
        match self {
            Fate::Removed | Fate::Reset => true,
            Fate::Added | Fate::Left | Fate::Moved | Fate::Regrouped => false,
        }
    }
}

impl Step {
    /// The zones of which all that there is is thrown away.
    pub fn lost(&self) -> impl Iterator<Item = &DomainName> {
        self.fates.iter().filter(|(_, fate)| fate.loses()).map(|(zone, _)| zone)
    }
}

impl Owner {
    /// The site file, if one of its zones is this one or above it: what is below a zone is that zone's.
    pub fn by_hand(zone: &DomainName, by_hand: &BTreeSet<DomainName>) -> Option<Owner> {
        let mut at_or_above = successors(Some(zone.clone()), DomainName::parent);
        at_or_above.find(|name| by_hand.contains(name)).map(Owner::SiteFile)
    }
}

impl Membership {
    /// Every zone, and why it is there.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&DomainName, &Member)> {
        self.members.iter()
    }

    /// How many zones a catalog has.
    pub fn count(&self, catalog: &DomainName) -> usize {
        self.members.values().filter(|member| member.catalog == *catalog).count()
    }

    /// The catalogs that have zones.
    pub fn catalogs(&self) -> BTreeSet<&DomainName> {
        self.members.values().map(|member| &member.catalog).collect()
    }

    /// Why a zone is there; none where no catalog is the reason.
    pub fn get(&self, zone: &DomainName) -> Option<&Member> {
        self.members.get(zone)
    }

    /// What follows from what all catalogs say. One that says nothing now (it has not come, or is broken) keeps its zones;
    /// one that is not among them has them no more. What the site file names (`by_hand`) is its own, and so is what is
    /// below that.
    ///
    /// The same again changes nothing: all that catalogs would take away is in this step.
    pub fn next(&self, said: &BTreeMap<DomainName, Option<Catalog>>, by_hand: &BTreeSet<DomainName>) -> Step {
        let mut step = Step::default();
        for (zone, member) in &self.members {
            if Owner::by_hand(zone, by_hand).is_some() {
                continue; // the site file says what becomes of it
            }
            match fate_of(zone, member, said) {
                (fate, Some(next)) => {
                    step.fates.extend(fate.map(|fate| (zone.clone(), fate)));
                    step.membership.members.insert(zone.clone(), next);
                }
                (fate, None) => step.fates.extend(fate.map(|fate| (zone.clone(), fate))),
            }
        }
        for (catalog, listing) in said {
            for (zone, listed) in listing.iter().flat_map(Catalog::members) {
                let by_hand = Owner::by_hand(zone, by_hand);
                let owner = match (by_hand, step.membership.get(zone)) {
                    (Some(site_file), _) => site_file,
                    (None, Some(member)) if member.catalog == *catalog => continue,
                    (None, Some(member)) => Owner::Catalog(member.catalog.clone()),
                    (None, None) => {
                        let (catalog, listed) =
                            taker(zone, catalog, listed, said).unwrap_or((catalog, listed));
                        step.membership.members.insert(zone.clone(), Member::of(catalog, listed));
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

    /// Reads what [`text`](Membership::text) wrote. A line that is damaged is left out, and what is wrong with the first
    /// one is said: a catalog lists its zone again.
    pub fn parse(text: &str) -> (Membership, Option<MembershipError>) {
        let (mut membership, mut fault) = (Membership::default(), None);
        for (line, written) in (1..).zip(text.lines()) {
            match member(line, written) {
                Ok((zone, member)) => _ = membership.members.insert(zone, member),
                Err(error) => _ = fault.get_or_insert(error),
            }
        }
        (membership, fault)
    }
}

/// Reads a line of [`Membership::text`].
fn member(line: usize, written: &str) -> Result<(DomainName, Member), MembershipError> {
    let name = |text: &str| text.parse::<DomainName>().map_err(|error| MembershipError::Name { line, error });
    let mut words = written.split(' ');
    let (Some(zone), Some(node), group, None) = (words.next(), words.next(), words.next(), words.next())
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
    Ok((name(zone)?, Member { catalog, label, group: group.map(str::to_owned) }))
}

impl Member {
    fn of(catalog: &DomainName, listed: &Listed) -> Member {
        Member { catalog: catalog.clone(), label: listed.label.clone(), group: listed.group.clone() }
    }
}

/// What becomes of a zone, and why it is there from now on; none where it is not.
fn fate_of(
    zone: &DomainName,
    member: &Member,
    said: &BTreeMap<DomainName, Option<Catalog>>,
) -> (Option<Fate>, Option<Member>) {
    let listed = match said.get(&member.catalog) {
        None => return (Some(Fate::Left), None),
        Some(None) => return (None, Some(member.clone())),
        Some(Some(catalog)) => catalog.get(zone),
    };
    let Some(listed) = listed else { return (Some(Fate::Removed), None) };
    let (catalog, listed) = taker(zone, &member.catalog, listed, said).unwrap_or((&member.catalog, listed));
    let next = Member::of(catalog, listed);
    let fate = match () {
        () if next == *member => None,
        () if next.label != member.label => Some(Fate::Reset),
        () if next.catalog != member.catalog => Some(Fate::Moved),
        () => Some(Fate::Regrouped),
    };
    (fate, Some(next))
}

/// The catalog that takes a zone over, and what that says about it. It lists the zone, too (RFC 9432 section 4.3.1), and
/// does not give it away in the same breath: a zone takes one step at a time, and none in a circle.
fn taker<'s>(
    zone: &DomainName,
    catalog: &DomainName,
    listed: &Listed,
    said: &'s BTreeMap<DomainName, Option<Catalog>>,
) -> Option<(&'s DomainName, &'s Listed)> {
    let owner = listed.new_owner.as_ref().filter(|&owner| owner != catalog)?;
    let (name, taking) = said.get_key_value(owner)?;
    let listed = taking.as_ref()?.get(zone)?;
    listed.new_owner.as_ref().is_none_or(|next| next == name).then_some((name, listed))
}
