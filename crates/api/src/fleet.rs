//! `catchment fleet status --json`: every site of the fleet, and who may withdraw.

use crate::status::words;
use crate::{GroupState, Output, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{GeoPoint, GroupName, HostName, Reason, SiteName, WallTime};
use utoipa::ToSchema;

words! {
    /// How this host stands with the store.
    StoreState {
        /// There is none: the site is alone, and withdraws without asking anybody.
        None = "none",
        /// It was not reached yet.
        Starting = "starting",
        /// It answers.
        Reached = "reached",
        /// It does not answer: announcements stay as they are, and nobody gets a permit from here.
        Lost = "lost",
    }

    /// What the fleet says about this site's permit to withdraw a group.
    PermitHeld {
        /// It is not held, and nobody asks for it.
        None = "none",
        /// It was asked for, and is not granted.
        Asked = "asked",
        /// It is held.
        Held = "held",
    }

    /// Why a site is away.
    AwayCause {
        /// By leave of the fleet.
        Permit = "permit",
        /// Without leave: it stopped, or its lease lapsed.
        Charge = "charge",
        /// The operator freed its permit: it takes no slot.
        Waived = "waived",
    }

    /// What an operator may order about another site.
    FleetOrderKind {
        /// Its permits take no slot any more.
        Release = "release",
        /// It is no member any more.
        Retire = "retire",
    }
}

/// The fleet as one site sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetStatus {
    /// Always 1.
    pub schema: Schema,
    /// The site that speaks.
    pub site: SiteName,
    /// The machine of that site that speaks.
    pub host: HostName,
    /// How it stands with the store.
    pub store: StoreState,
    /// What is wrong with the store, while it is lost.
    pub trouble: Option<Reason>,
    /// What is wrong with the fleet, or with this host's view of it, and stays wrong until it is cleared.
    pub alarms: Vec<Reason>,
    /// Every host that is present, by site and name.
    pub hosts: Vec<FleetHost>,
    /// Every group of this site, and what the fleet says of it.
    pub groups: Vec<FleetGroup>,
}

/// A host that is present: its lease is alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetHost {
    /// Its site.
    pub site: SiteName,
    /// Its name.
    pub host: HostName,
    /// What runs there.
    pub version: String,
    /// When that was started.
    pub started: WallTime,
    /// The city, as people write it; none if its site file does not say.
    pub city: Option<String>,
    /// Where it lies; none if its site file does not say.
    pub at: Option<GeoPoint>,
    /// Its groups.
    pub groups: Vec<HostGroup>,
    /// The zones that it serves, by name: the first of them, where there are very many.
    #[serde(default)]
    pub zones: Vec<HostZone>,
}

/// What a host says of one of its groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HostGroup {
    /// The group.
    pub name: GroupName,
    /// Where it stands.
    pub state: GroupState,
    /// How strongly it is announced.
    pub output: Output,
    /// Since when it has been in this state.
    pub since: WallTime,
    /// Why it is in this state.
    pub reason: Reason,
    /// How many alarms stand.
    pub alarms: u32,
    /// Answers per second of its services; none where one of them is not measured.
    #[serde(default)]
    pub load: Option<u64>,
    /// Answers per second that its services are good for; none where the site file does not say it of each of them.
    #[serde(default)]
    pub capacity: Option<u64>,
}

/// A zone that a host serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostZone {
    /// The zone's name, with a dot at its end.
    pub name: String,
    /// Its serial number there.
    pub serial: u32,
    /// How far that is behind the newest that a host of the fleet has (RFC 1982); none if it is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u32>,
}

/// What the fleet says of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetGroup {
    /// The group.
    pub name: GroupName,
    /// So many sites must stay.
    pub min_sites: u32,
    /// So many may be away at once.
    pub slots: u32,
    /// So many count as away.
    pub taken: u32,
    /// What the fleet says about this site's own permit.
    pub permit: PermitHeld,
    /// Why it is not granted, while it is asked for.
    pub refusal: Option<Reason>,
    /// Every site that belongs to the fleet, by name.
    pub members: Vec<FleetMember>,
}

/// A site that was up once and is not retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FleetMember {
    /// The site.
    pub site: SiteName,
    /// Its hosts that announce, and will not withdraw before they may.
    pub standing: Vec<HostName>,
    /// Why it is away; none while a host of it stands.
    pub away: Option<AwayCause>,
    /// The same in words.
    pub why: Option<Reason>,
}

/// `catchment fleet release` and `retire`: taken on the control socket only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetOrder {
    /// Always 1.
    pub schema: Schema,
    /// What is ordered.
    pub kind: FleetOrderKind,
    /// About which site.
    pub site: SiteName,
    /// Why.
    pub reason: Reason,
    /// Who the caller says it is. The daemon believes its own root user, and nobody else.
    #[serde(default)]
    pub who: Option<String>,
}
