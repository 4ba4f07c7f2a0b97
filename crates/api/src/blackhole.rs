//! `catchment blackhole`: peers are asked to drop what is sent to an address, for a while (RFC 7999).
//!
//! Orders are taken on the control socket only. A rehearsal (`--dry-run`) is the same document with `dry_run` set, and
//! the same answer.

use crate::status::words;
use crate::{Schema, Told};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use terms::{Attributes, PeerName, Prefix, Reason, SiteName, WallTime};
use utoipa::ToSchema;

words! {
    /// What an operator orders about a blackhole.
    BlackholeOrderKind {
        /// Peers are to drop what is sent there; one that stands already gets this time and these peers.
        Begin = "begin",
        /// They are to forget it.
        End = "end",
    }
}

/// One order. An unknown key refuses the whole, so that a misspelt `dry_run` is not carried out for real.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlackholeOrder {
    /// Always 1.
    pub schema: Schema,
    /// What.
    pub kind: BlackholeOrderKind,
    /// The addresses: a part of a prefix that the site may announce.
    pub prefix: Prefix,
    /// Who is asked; every peer that takes blackholes where nobody is named.
    #[serde(default)]
    pub peers: BTreeSet<PeerName>,
    /// For how long, ms; [`BlackholeOrder::FOR_MS`] where the order does not say.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// Why, in the operator's words; the end needs none.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who the caller says it is. The daemon believes its own root user, and nobody else.
    #[serde(default)]
    pub who: Option<String>,
    /// Takes the addresses of services, too: their users behind these peers are left without an answer.
    #[serde(default)]
    pub override_guard: bool,
    /// Says what would come of it and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl BlackholeOrder {
    /// How long a blackhole stands, ms, where the order does not say: one hour.
    pub const FOR_MS: u64 = 3_600_000;
    /// Longest time, ms: 24 hours. One that is forgotten is an outage, so somebody has to want it again every day.
    pub const LONGEST_FOR_MS: u64 = 24 * 3_600_000;
}

/// What came of an order, or would come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BlackholeAnswer {
    /// Always 1.
    pub schema: Schema,
    /// The site.
    pub site: SiteName,
    /// What was ordered.
    pub kind: BlackholeOrderKind,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The blackhole as it stands now, or stood until now.
    pub blackhole: Blackhole,
    /// What else an operator should know, one sentence each.
    pub remarks: Vec<Reason>,
}

/// Addresses to which peers are to drop the traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Blackhole {
    /// The addresses.
    pub prefix: Prefix,
    /// Who ordered it.
    pub who: Reason,
    /// When.
    pub when: WallTime,
    /// Until when it stands.
    pub until: WallTime,
    /// Why.
    pub reason: Reason,
    /// Whether it may take the addresses of services.
    pub override_guard: bool,
    /// Every peer of the site, in the order of the site file.
    pub peers: Vec<BlackholePeer>,
}

/// One peer and one blackhole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BlackholePeer {
    /// The peer.
    pub peer: PeerName,
    /// What it was told last.
    pub told: Told,
    /// What it is to be told; none if nothing.
    pub gets: Option<Attributes>,
    /// Why it is to be told nothing.
    pub because: Option<Reason>,
}
