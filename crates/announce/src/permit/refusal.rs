//! Why a change of the record was refused, with the numbers that decided it.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{HostName, SiteName};

use super::record::Record;

/// Why a change was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Too few sites would stay.
    #[error("{slots} of {members} sites may be away{}", taken.after("; ", ""))]
    NoSlot {
        /// How many may be away.
        slots: u32,
        /// How many there are.
        members: u32,
        /// Those that are away and count.
        taken: Names,
    },
    /// The store was restored, or the asking site was out of contact; what stands in the record may be too good.
    #[error("{missing} must confirm first: what the record says of them may be older than the truth")]
    Unconfirmed {
        /// `site/host` of those that must.
        missing: Names,
    },
    /// Only members are counted, and a site becomes one by being up.
    #[error("{site} is no member: it was never up, or it is retired")]
    NoMember {
        /// The site.
        site: SiteName,
    },
    /// A site that announces cannot be taken off the list: the others would count on one site too many.
    #[error("{site} still stands ({hosts}): withdraw it there first, or wait until its lease has lapsed")]
    StillStands {
        /// The site.
        site: SiteName,
        /// Its hosts that stand.
        hosts: Names,
    },
    /// There is no permit to free.
    #[error("{site} holds no permit")]
    NoPermit {
        /// The site.
        site: SiteName,
    },
    /// Operators and changes of the configuration have touched enough sites for now.
    #[error("operators act on at most {limit} of {members} sites in ten minutes, and have acted at {taken}")]
    NoToken {
        /// How many sites at most.
        limit: u32,
        /// How many sites there are.
        members: u32,
        /// The sites whose tokens still count, until when, and what for.
        taken: Names,
    },
    /// The record is full.
    #[error("{site}/{host} finds no room: a group has at most {most} sites and {hosts} hosts", most = Record::MAX_SITES, hosts = Record::MAX_HOSTS)]
    Full {
        /// The site.
        site: SiteName,
        /// Its host.
        host: HostName,
    },
}

/// Names as words: `paris and tokyo are`, at most a few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(Vec<String>);

impl Names {
    /// So many names are written out; the rest is a number.
    const SHOWN: usize = 6;

    /// The names, with the verb, between two texts; nothing when there are none.
    fn after(&self, before: &str, behind: &str) -> String {
        match self.0.len() {
            0 => String::new(),
            1 => format!("{before}{self} is{behind}"),
            _ => format!("{before}{self} are{behind}"),
        }
    }

    /// Every name.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl FromIterator<String> for Names {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        Names(names.into_iter().collect())
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("nobody"),
            [one] => f.write_str(one),
            [first @ .., last] if self.0.len() <= Names::SHOWN => {
                write!(f, "{} and {last}", first.join(", "))
            }
            many => {
                let (shown, rest) = many.split_at(Names::SHOWN);
                write!(f, "{} and {} more", shown.join(", "), rest.len())
            }
        }
    }
}
