//! What a catalog zone says (RFC 9432): a list of zones that whoever reads it is to serve.
//!
//! ```text
//!  version.CATALOG              TXT  "2"
//!  LABEL.zones.CATALOG          PTR  ZONE        a member; another label for the same zone: begin it anew
//!  group.LABEL.zones.CATALOG    TXT  "partners"  how it is to be treated, where the site file knows the group
//!  coo.LABEL.zones.CATALOG      PTR  CATALOG     the catalog that may take it over
//! ```
//! Everything else in it is ignored. A catalog that breaks a rule says nothing at all: it is [`Broken`].

mod membership;
#[cfg(test)]
mod tests;

pub use membership::{Clash, Fate, Member, Membership, MembershipError, Owner, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use terms::{DomainName, Record, RecordType};

/// The label of a member below `zones`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(Box<[u8]>);

impl Label {
    fn of(octets: &[u8]) -> Label {
        Label(octets.to_ascii_lowercase().into())
    }

    /// The member's name in a catalog; none where it would be too long.
    pub(crate) fn node(&self, catalog: &DomainName) -> Option<DomainName> {
        let front = [&[self.0.len() as u8][..], &self.0, b"\x05zones"].concat(); // a label has at most 63 octets
        DomainName::from_wire(&[&front[..], catalog.as_wire()].concat()).ok()
    }
}

/// What a catalog says about one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Under which label.
    pub label: Label,
    /// The first of its groups that was asked for.
    pub group: Option<String>,
    /// The catalog that may take it over (`coo`, RFC 9432 section 4.3.1).
    pub new_owner: Option<DomainName>,
}

/// The zones that a catalog lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    members: BTreeMap<DomainName, Listed>,
}

/// Why a zone is no catalog that may be followed (RFC 9432 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not say that it is a catalog.
    #[error("it has no record `version TXT \"2\"`, so it is no catalog (RFC 9432 section 4.2.1)")]
    NoVersion,
    /// It says so twice.
    #[error("it has several records `version TXT`, and may have one")]
    Versions,
    /// Version 1 was BIND's, before the RFC.
    #[error("its version is {0}; only \"2\" is understood (RFC 9432 section 4.2.1)")]
    Version(Text),
    /// One label, several zones.
    #[error("{node} has several PTR records, and may have one")]
    Targets {
        /// Where.
        node: DomainName,
    },
    /// One zone, several labels.
    #[error("{zone} is listed twice, at {first} and {second}")]
    Twice {
        /// Which.
        zone: DomainName,
        /// Where.
        first: DomainName,
        /// And where.
        second: DomainName,
    },
    /// The data of a PTR record is no name.
    #[error("the PTR record of {node} is no name")]
    Target {
        /// Where.
        node: DomainName,
    },
    /// More members than whoever reads it takes.
    #[error("it lists more than {most} zones: raise `most_members` if they are all wanted")]
    Members {
        /// How many are taken.
        most: usize,
    },
}

/// Octets of a TXT record that may be anything, as people read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Box<[u8]>);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// What is wanted of a catalog.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'r> {
    /// The groups that mean something. All others are ignored (RFC 9432 section 4.3.2).
    pub groups: &'r BTreeSet<String>,
    /// The most zones that it may list.
    pub most: usize,
}

impl Catalog {
    /// Reads the records of a zone. Memory is bounded by `most`, whatever else is in the zone.
    ///
    /// # Errors
    /// It breaks a rule; nothing of it may be followed.
    pub fn of(
        zone: &DomainName,
        records: impl IntoIterator<Item = Record>,
        reading: Reading<'_>,
    ) -> Result<Catalog, Broken> {
        let mut found = Found::default();
        let apex = zone.labels().count();
        for record in records {
            let labels: Vec<Vec<u8>> = record.owner.labels().map(<[u8]>::to_ascii_lowercase).collect();
            let Some(above) = labels.len().checked_sub(apex) else { continue };
            let labels: Vec<&[u8]> = labels[..above].iter().map(Vec::as_slice).collect();
            found.take(&labels, record, reading)?;
        }
        found.judge(zone)
    }

    /// The zones that it lists.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&DomainName, &Listed)> {
        self.members.iter()
    }

    /// What it says about a zone.
    pub fn get(&self, zone: &DomainName) -> Option<&Listed> {
        self.members.get(zone)
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    versions: Vec<Box<[u8]>>,
    targets: BTreeMap<Label, DomainName>,
    groups: BTreeMap<Label, BTreeSet<String>>,
    owners: BTreeMap<Label, DomainName>,
}

impl Found {
    fn take(&mut self, labels: &[&[u8]], record: Record, reading: Reading<'_>) -> Result<(), Broken> {
        match (labels, record.kind) {
            ([b"version"], RecordType::TXT) if self.versions.len() < 2 => self.versions.push(record.data),
            ([label, b"zones"], RecordType::PTR) => {
                let target = target(&record)?;
                if self.targets.len() == reading.most {
                    return Err(Broken::Members { most: reading.most });
                }
                if self.targets.insert(Label::of(label), target).is_some() {
                    return Err(Broken::Targets { node: record.owner });
                }
            }
            ([b"coo", label, b"zones"], RecordType::PTR) => {
                let target = target(&record)?;
                // One that belongs to no member is not counted as one.
                if self.owners.len() < reading.most && self.owners.insert(Label::of(label), target).is_some()
                {
                    return Err(Broken::Targets { node: record.owner });
                }
            }
            ([b"group", label, b"zones"], RecordType::TXT) => {
                let group = only_text(&record.data).and_then(|text| std::str::from_utf8(text).ok());
                let Some(group) = group.filter(|&group| reading.groups.contains(group)) else {
                    return Ok(());
                };
                let (label, is_full) = (Label::of(label), self.groups.len() >= reading.most);
                if !is_full || self.groups.contains_key(&label) {
                    self.groups.entry(label).or_default().insert(group.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn judge(mut self, zone: &DomainName) -> Result<Catalog, Broken> {
        match &self.versions[..] {
            [] => return Err(Broken::NoVersion),
            [version] if only_text(version) == Some(b"2") => {}
            [version] => {
                let text = only_text(version).unwrap_or(version);
                return Err(Broken::Version(Text(text.into())));
            }
            _ => return Err(Broken::Versions),
        }
        let mut catalog = Catalog::default();
        for (label, target) in std::mem::take(&mut self.targets) {
            let group = self.groups.remove(&label).and_then(|groups| groups.into_iter().next());
            let listed = Listed { group, new_owner: self.owners.remove(&label), label };
            if let Some(first) = catalog.members.get(&target) {
                let node = |label: &Label| label.node(zone).unwrap_or_else(|| zone.clone());
                let (first, second) = (node(&first.label), node(&listed.label));
                return Err(Broken::Twice { zone: target, first, second });
            }
            catalog.members.insert(target, listed);
        }
        Ok(catalog)
    }
}

/// The name that a PTR record points to.
fn target(record: &Record) -> Result<DomainName, Broken> {
    DomainName::from_wire(&record.data).map_err(|_| Broken::Target { node: record.owner.clone() })
}

/// The text of a TXT record that has one.
fn only_text(data: &[u8]) -> Option<&[u8]> {
    let (&length, text) = data.split_first()?;
    (text.len() == usize::from(length)).then_some(text)
}
