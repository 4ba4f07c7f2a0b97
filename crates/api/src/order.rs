//! `catchment drain`, `resume`, `withdraw`, `freeze` and `force-announce`: what an operator orders, and what comes of
//! it.
//!
//! Orders are taken on the control socket only. A rehearsal (`--dry-run`) is the same document with `dry_run` set,
//! and the same answer, so that what was rehearsed can be compared with what was done.

use crate::status::words;
use crate::{GroupState, Output, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{Attributes, GroupName, PeerName, Prefix, Reason, ServiceName, SiteName, WallTime};
use utoipa::ToSchema;

words! {
    /// What an operator can order.
    OrderKind {
        /// Sends users elsewhere without losing one of them, then withdraws.
        Drain = "drain",
        /// Lifts every earlier order.
        Resume = "resume",
        /// Withdraws at once.
        Withdraw = "withdraw",
        /// Keeps what is announced as it is, whatever the checks say.
        Freeze = "freeze",
        /// Announces whatever the checks say.
        ForceAnnounce = "force-announce",
    }

    /// What stands ordered about a group.
    IntentKind {
        /// Nothing: announce when healthy.
        Normal = "normal",
        /// See [`OrderKind::Drain`].
        Drain = "drain",
        /// See [`OrderKind::Withdraw`].
        Withdraw = "withdraw",
        /// See [`OrderKind::Freeze`].
        Freeze = "freeze",
        /// See [`OrderKind::ForceAnnounce`].
        ForceAnnounce = "force-announce",
    }

    /// Whether a group may go dark: what the fleet says.
    PermitState {
        /// The order takes nothing away that is announced, or the guard is overridden.
        NotNeeded = "not-needed",
        /// This site has it.
        Held = "held",
        /// This site would get it.
        Free = "free",
        /// Other sites have them all.
        Taken = "taken",
        /// Nobody can say now.
        Unknown = "unknown",
    }
}

/// One order. An unknown key refuses the whole, so that a misspelt `dry_run` is not carried out for real.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Always 1.
    pub schema: Schema,
    /// What.
    pub kind: OrderKind,
    /// The service whose group it concerns; every group of the site where none is named.
    #[serde(default)]
    pub service: Option<ServiceName>,
    /// For how long, ms; until another order where none is given.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// Why, in the operator's words; every order but `resume` needs them.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who the caller says it is. The daemon believes its own root user, and nobody else.
    #[serde(default)]
    pub who: Option<String>,
    /// Withdraws even where the fleet does not permit it.
    #[serde(default)]
    pub override_guard: bool,
    /// Says what would come of it and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl Order {
    /// Longest reason, characters.
    pub const LONGEST_REASON: usize = 200;
    /// Longest name of a person, characters.
    pub const LONGEST_WHO: usize = 64;
    /// Longest time an order may be given for, ms: 31 days. An order that should stand longer is given without.
    pub const LONGEST_FOR_MS: u64 = 31 * 24 * 3_600_000;
}

/// What stands ordered about a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Intent {
    /// What.
    pub kind: IntentKind,
    /// Who ordered it; none for `normal`.
    pub who: Option<Reason>,
    /// When; none for `normal`.
    pub when: Option<WallTime>,
    /// Until when it stands; none where it stands until another order.
    pub until: Option<WallTime>,
    /// Why; none for `normal`.
    pub reason: Option<Reason>,
}

impl Default for Intent {
    fn default() -> Self {
        Intent { kind: IntentKind::Normal, who: None, when: None, until: None, reason: None }
    }
}

/// What came of an order, or would come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ordered {
    /// Always 1.
    pub schema: Schema,
    /// The site.
    pub site: SiteName,
    /// What was ordered.
    pub kind: OrderKind,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Whether it was or would be carried out.
    pub accepted: bool,
    /// Each group that it concerns, in the order of the site file.
    pub groups: Vec<GroupChange>,
    /// What else an operator should know, one sentence each.
    pub remarks: Vec<Reason>,
}

/// What an order changes about one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupChange {
    /// The group.
    pub name: GroupName,
    /// Its services: all of them go with it.
    pub services: Vec<ServiceName>,
    /// What stands ordered from now on.
    pub intent: Intent,
    /// How it stood before.
    pub before: Stand,
    /// How it stands at once.
    pub after: Stand,
    /// How it ends up if nothing else happens; the same as `after` where that is all.
    pub finally: Later,
    /// Whether the fleet permits it.
    pub permit: PermitState,
    /// Whether the other sites can carry the users.
    pub survivors: Survivors,
    /// Each prefix at each peer whose route changes.
    pub routes: Vec<RouteChange>,
}

/// How a group stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stand {
    /// Where.
    pub state: GroupState,
    /// How strongly it is announced.
    pub output: Output,
}

/// What follows by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Later {
    /// How strongly it is then announced.
    pub output: Output,
    /// After how long at the latest, ms.
    pub after_ms: u64,
}

/// Whether the sites that remain can carry the users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Survivors {
    /// None where nobody knows.
    pub enough: Option<bool>,
    /// One sentence.
    pub words: Reason,
}

/// What one peer is told about one prefix, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteChange {
    /// The prefix.
    pub prefix: Prefix,
    /// The peer.
    pub peer: PeerName,
    /// What it has now; none if nothing.
    pub before: Option<Attributes>,
    /// What it gets; none where it is told to forget the route.
    pub after: Option<Attributes>,
}
