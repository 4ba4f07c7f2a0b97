//! A record as bytes. What comes from the store may be anything: it is bounded before it is read and checked after.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::{HostName, SiteName};

use super::record::{Member, Record, Token};

/// The form in which a record is written. A reader of another one refuses it.
const SCHEMA: u32 = 1;

/// The greatest number that every reader of JSON keeps exactly (RFC 8259 section 6).
const GREATEST: u64 = (1 << 53) - 1;

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// Longer than any record.
    #[error("a record has at most {most} octets, this one has {0}", most = Record::MAX_OCTETS)]
    Long(usize),
    /// Not JSON, or not of this form.
    #[error("not a record: {0}")]
    Form(String),
}

/// What a record must keep besides its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsound {
    #[error("at most {most} sites and {hosts} hosts, this has {0} and {1}", most = Record::MAX_SITES, hosts = Record::MAX_HOSTS)]
    Many(usize, usize),
    #[error("{0} has no host")]
    NoHost(SiteName),
    #[error("{0} is away, and one of its hosts stands")]
    AwayAndStanding(SiteName),
    #[error("no host of {0} stands, and nothing says why")]
    NeitherAwayNorStanding(SiteName),
    #[error("{0}/{1} knows of a change that was never made")]
    Future(SiteName, HostName),
    #[error("a serial above {GREATEST}")]
    Serial,
    #[error("a reason of more than {most} characters at {0}", most = Record::MAX_WHY)]
    Why(SiteName),
}

/// A record as it is written, before anything is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    schema: Schema,
    serial: u64,
    doubt: u64,
    members: BTreeMap<SiteName, Member>,
    #[serde(default)]
    tokens: BTreeMap<SiteName, Token>,
}

/// The number that says which form a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(super) struct Schema;

impl From<Schema> for u32 {
    fn from(Schema: Schema) -> u32 {
        SCHEMA
    }
}

impl TryFrom<u32> for Schema {
    type Error = String;
    fn try_from(number: u32) -> Result<Self, String> {
        if number == SCHEMA {
            Ok(Schema)
        } else {
            Err(format!("schema {number}, and this program reads {SCHEMA}: run one version on all sites"))
        }
    }
}

impl TryFrom<Written> for Record {
    type Error = Unsound;

    fn try_from(written: Written) -> Result<Self, Unsound> {
        let Written { schema, serial, doubt, members, tokens } = written;
        let record = Record { schema, serial, doubt, members: Arc::new(members), tokens };
        record.check()?;
        Ok(record)
    }
}

impl Record {
    /// Longest record in octets. The largest one that can be made is shorter, and etcd takes 1.5 MiB.
    pub const MAX_OCTETS: usize = 1_400_000;

    /// Reads what is in the store.
    ///
    /// # Errors
    /// [`Garbled`] when these octets are no record: too long, no JSON, another schema, or against what every record
    /// keeps. It quotes names of the record at most.
    pub fn decode(octets: &[u8]) -> Result<Record, Garbled> {
        if octets.len() > Record::MAX_OCTETS {
            return Err(Garbled::Long(octets.len()));
        }
        serde_json::from_slice(octets).map_err(|error| Garbled::Form(error.to_string()))
    }

    /// Its octets for the store: JSON in one line, keys in a fixed order.
    pub fn encode(&self) -> Vec<u8> {
        // A record is maps from names to structs, none of which can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Unsound> {
        let hosts = self.each_host().count();
        if self.members.len().max(self.tokens.len()) > Record::MAX_SITES || hosts > Record::MAX_HOSTS {
            return Err(Unsound::Many(self.members.len().max(self.tokens.len()), hosts));
        }
        if self.serial > GREATEST || self.doubt > self.serial {
            return Err(Unsound::Serial);
        }
        self.members.iter().try_for_each(|(site, member)| self.check_member(site, member))?;
        let wordy = |(_, token): &(&SiteName, &Token)| token.why.as_str().chars().count() > Record::MAX_WHY;
        match self.tokens.iter().find(wordy) {
            Some((site, _)) => Err(Unsound::Why(site.clone())),
            None => Ok(()),
        }
    }

    fn check_member(&self, site: &SiteName, member: &Member) -> Result<(), Unsound> {
        if member.hosts.is_empty() {
            return Err(Unsound::NoHost(site.clone()));
        }
        let knows_future =
            |(_, host): &(&HostName, &super::Host)| host.confirmed.max(host.doubt) > self.serial;
        if let Some((name, _)) = member.hosts.iter().find(knows_future) {
            return Err(Unsound::Future(site.clone(), name.clone()));
        }
        match (&member.away, member.hosts.values().any(|host| host.stands)) {
            (Some(_), true) => Err(Unsound::AwayAndStanding(site.clone())),
            (None, false) => Err(Unsound::NeitherAwayNorStanding(site.clone())),
            (Some(away), false) if away.since > self.serial => Err(Unsound::Serial),
            (Some(away), false) if away.why.as_str().chars().count() > Record::MAX_WHY => {
                Err(Unsound::Why(site.clone()))
            }
            (Some(_), false) | (None, true) => Ok(()),
        }
    }
}
