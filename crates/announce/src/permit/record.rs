//! What a group has in the store: who belongs to the fleet, who stands, who is away, and why.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use terms::{HostName, Reason, SiteName, WallTime};

use super::decode::{Schema, Written};
use super::refusal::Names;

/// What one group has in the store: one JSON value, replaced as a whole under a compare of its revision.
///
/// A host *stands* when it has promised to announce and not to withdraw without leave. A site is *away* when none of
/// its hosts stands; then the record says why, and the site takes one slot. So a slot is never counted: it follows
/// from who is away, and no change can forget to give one back.
///
/// Every record that exists is sound: decoding checks what the changes keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Record {
    pub(super) schema: Schema,
    pub(super) serial: u64,
    pub(super) doubt: u64,
    /// Shared between the copies of a record: most drafts change nothing.
    pub(super) members: Arc<BTreeMap<SiteName, Member>>,
    pub(super) tokens: BTreeMap<SiteName, Token>,
}

/// A site that was up once and is not retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its hosts; at least one.
    pub(super) hosts: BTreeMap<HostName, Host>,
    /// Why it is away; present exactly when no host stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) away: Option<Away>,
}

/// One machine of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// It announces, and will not withdraw before the record says that it may.
    pub stands: bool,
    /// The serial of the last change that it made itself: what stands here of it was true then.
    pub confirmed: u64,
    /// It was out of contact with the store until this serial, so it relies on no host that confirmed before.
    pub doubt: u64,
    /// What its site file says of `min_sites`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_sites: Option<NonZeroU32>,
}

/// Why a site is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Away {
    /// What makes it count, or not.
    pub cause: Cause,
    /// The serial of the change that said so.
    pub since: u64,
    /// In plain words.
    pub why: Reason,
}

/// What makes a site that is away count, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It asked, and there was a slot. Only the site frees it.
    Permit,
    /// It is gone without having asked: its lease lapsed, or it started and announces nothing yet. Takes a slot even
    /// when none is free; that is a debt.
    Charge,
    /// The operator freed its permit. It takes no slot, by the operator's word.
    Waived,
}

/// Leave for an action of an operator, or of a change of the configuration, at one site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Who acts, and what for.
    pub why: Reason,
    /// It counts until then.
    pub until: WallTime,
}

impl Record {
    /// Most sites of one group.
    pub const MAX_SITES: usize = 1_000;
    /// Most hosts of all sites of one group together.
    pub const MAX_HOSTS: usize = 2_000;
    /// Longest reason kept in a record, in characters.
    pub const MAX_WHY: usize = 80;

    /// The record of a group that nobody has joined.
    pub fn empty() -> Self {
        Record { schema: Schema, serial: 0, doubt: 0, members: Arc::default(), tokens: BTreeMap::new() }
    }

    /// How many changes made this record. Every change adds one, so a smaller one is an older record.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The serial at which somebody noticed that the store had been restored from an old backup; 0 if nobody did.
    /// Nobody may leave before every host that stands has confirmed at or after it.
    pub fn doubt(&self) -> u64 {
        self.doubt
    }

    /// Every member by name.
    pub fn members(&self) -> &BTreeMap<SiteName, Member> {
        &self.members
    }

    /// One member.
    pub fn member(&self, site: &SiteName) -> Option<&Member> {
        self.members.get(site)
    }

    /// One host of a member.
    pub fn host(&self, site: &SiteName, host: &HostName) -> Option<&Host> {
        self.members.get(site)?.hosts.get(host)
    }

    /// Whether this host has promised to announce.
    pub fn stands(&self, site: &SiteName, host: &HostName) -> bool {
        self.host(site, host).is_some_and(|host| host.stands)
    }

    /// Tokens of operators, by the site that they are for. Expired ones may still be listed.
    pub fn tokens(&self) -> &BTreeMap<SiteName, Token> {
        &self.tokens
    }

    /// So many sites must stay: the largest that any host's file says; where a file says nothing, its word is a
    /// quarter of the members, rounded up, and at least one.
    pub fn min_sites(&self) -> u32 {
        self.opinions().max().unwrap_or_else(|| self.quarter())
    }

    /// Whether the files of the fleet disagree on `min_sites`: the smallest and the largest of what they say.
    pub fn disagreement(&self) -> Option<(u32, u32)> {
        let (least, most) = (self.opinions().min()?, self.opinions().max()?);
        (least < most).then_some((least, most))
    }

    fn opinions(&self) -> impl Iterator<Item = u32> {
        let quarter = self.quarter();
        self.each_host().map(move |(_, _, host)| host.min_sites.map_or(quarter, NonZeroU32::get))
    }

    /// A quarter of the members, rounded up, and at least one: the default of `min_sites`, and how many sites
    /// operators may act on within [`Token::WINDOW`].
    pub fn quarter(&self) -> u32 {
        count(self.members.len()).div_ceil(4).max(1)
    }

    /// How many sites may be away at once.
    pub fn slots(&self) -> u32 {
        count(self.members.len()).saturating_sub(self.min_sites())
    }

    /// How many slots are taken; more than there are is a debt.
    pub fn taken(&self) -> u32 {
        count(self.away().filter(|(_, away)| away.counts()).count())
    }

    /// How many slots are free.
    pub fn free(&self) -> u32 {
        self.slots().saturating_sub(self.taken())
    }

    /// How many more slots are taken than there are. Until it is paid nobody gets a permit.
    pub fn debt(&self) -> u32 {
        self.taken().saturating_sub(self.slots())
    }

    /// Every site that is away, and why.
    pub fn away(&self) -> impl Iterator<Item = (&SiteName, &Away)> {
        self.members.iter().filter_map(|(site, member)| Some((site, member.away.as_ref()?)))
    }

    /// Sites with a permit: away by leave of the fleet.
    pub fn holders(&self) -> impl Iterator<Item = (&SiteName, &Away)> {
        self.away().filter(|(_, away)| away.cause == Cause::Permit)
    }

    /// Sites that are gone without having asked.
    pub fn charges(&self) -> impl Iterator<Item = (&SiteName, &Away)> {
        self.away().filter(|(_, away)| away.cause == Cause::Charge)
    }

    /// Hosts that stand here by an old word: nobody who doubts may rely on them before they confirm.
    /// `own_doubt` is that of the host that asks.
    pub fn unconfirmed(&self, own_doubt: u64) -> impl Iterator<Item = (&SiteName, &HostName)> {
        let doubt = self.doubt.max(own_doubt);
        let in_doubt = self.each_host().filter(move |(_, _, host)| host.stands && host.confirmed < doubt);
        in_doubt.map(|(site, name, _)| (site, name))
    }

    /// The youngest doubt of anybody: a host that stands and has confirmed before it is waited for.
    pub fn youngest_doubt(&self) -> u64 {
        self.each_host().map(|(_, _, host)| host.doubt).fold(self.doubt, u64::max)
    }

    /// The sites that take a slot, in words.
    pub(super) fn names_of_taken(&self) -> Names {
        self.away().filter(|(_, away)| away.counts()).map(|(site, _)| site.to_string()).collect()
    }

    pub(super) fn each_host(&self) -> impl Iterator<Item = (&SiteName, &HostName, &Host)> {
        self.members
            .iter()
            .flat_map(|(site, member)| member.hosts.iter().map(move |(name, host)| (site, name, host)))
    }
}

impl Member {
    /// Its hosts by name.
    pub fn hosts(&self) -> &BTreeMap<HostName, Host> {
        &self.hosts
    }

    /// Why it is away; nothing while a host stands.
    pub fn away(&self) -> Option<&Away> {
        self.away.as_ref()
    }

    /// Whether any host stands.
    pub fn stands(&self) -> bool {
        self.away.is_none()
    }
}

impl Away {
    /// Whether it takes a slot.
    pub fn counts(&self) -> bool {
        match self.cause {
            Cause::Permit | Cause::Charge => true,
            Cause::Waived => false,
        }
    }
}

impl Token {
    /// Operators act on at most a quarter of the sites within so long.
    pub const WINDOW: std::time::Duration = std::time::Duration::from_secs(600);
}

/// A count that is bounded by [`Record::MAX_HOSTS`].
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
