//! Connections that routing has moved to another site: how a site looks after them (`catchment status --json`), and each
//! of them (`catchment flows --json`).

use crate::Schema;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use terms::{HostName, Reason, SiteName, WallTime};
use utoipa::ToSchema;

words! {
    /// Whether packets of moved connections are forwarded.
    ContinuityState {
        /// The programs are not in the kernel, or let everything pass.
        Off = "off",
        /// They are, and do what they were told last: the fleet was not heard yet.
        Waiting = "waiting",
        /// They are, and know what the fleet says.
        On = "on",
    }

    /// How an interface runs the programs.
    InterfaceMode {
        /// In its driver.
        Native = "native",
        /// In the kernel's general path, which costs more.
        Generic = "generic",
    }

    /// What the fleet says of another host.
    OwnerState {
        /// It takes what is forwarded.
        Alive = "alive",
        /// Its lease has lapsed, and as much time again has gone by: its connections are reset.
        Dead = "dead",
        /// It is there, and no packets are exchanged with it.
        LeftOut = "left-out",
    }
}

/// How a site looks after moved connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Continuity {
    /// How it stands.
    pub state: ContinuityState,
    /// Since when.
    pub since: WallTime,
    /// What is missing; none while nothing is.
    pub reason: Option<Reason>,
    /// This host's number.
    pub number: u8,
    /// The interfaces that run the programs.
    pub interfaces: Vec<ContinuityInterface>,
    /// Connections of this host.
    pub owned: u64,
    /// The site that answers new users in the place of this one, which is held.
    pub relay: Option<SiteName>,
    /// Connections of other hosts whose packets arrive here and are forwarded: how many to each, by its number. Counted once a
    /// second, more rarely where there are very many.
    #[serde(default)]
    pub forwarded: Vec<FlowTotal>,
    /// Connections of this host whose packets other hosts forward: how many come from each, by its number.
    #[serde(default)]
    pub received: Vec<FlowTotal>,
    /// The other hosts of the fleet that look after connections, by site and name.
    pub owners: Vec<Owner>,
    /// Packets by what became of them, since the programs were loaded first; docs/reference/continuity.md says what each
    /// word means.
    pub packets: BTreeMap<String, u64>,
    /// Connections that went from one site to another while they were open, since the daemon started.
    #[serde(default)]
    pub handed_over: HandedOver,
    /// The services that are processes of their own and let their connections go, in the order in which they have joined.
    #[serde(default)]
    pub services: Vec<CooperatingService>,
}

/// A service that is a process of its own and lets its connections go to another site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CooperatingService {
    /// How it calls itself.
    pub name: String,
    /// The user whose process it is.
    pub user: String,
    /// Where it serves.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<SocketAddr>,
    /// When it joined.
    pub since: WallTime,
    /// Whether it has no place for a connection of another site.
    pub is_full: bool,
}

/// Connections that went from one site to another while they were open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HandedOver {
    /// They were this host's, and another site has them now.
    pub given: u64,
    /// They were another site's, and this host has them now.
    pub taken: u64,
    /// Attempts after which a connection has stayed here, by their reason; docs/reference/continuity.md says what each word
    /// means.
    pub kept: BTreeMap<String, u64>,
    /// The longest time that the packets of one given connection were held, microseconds.
    pub longest_stall_us: u64,
    /// The time of all of them together, microseconds.
    pub total_stall_us: u64,
}

/// An interface that runs the programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContinuityInterface {
    /// Its name.
    pub name: String,
    /// How.
    pub mode: InterfaceMode,
}

/// Another host that owns connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// Its site.
    pub site: SiteName,
    /// Its name.
    pub host: HostName,
    /// Its number.
    pub number: u8,
    /// Where packets are sent to it; none where it is left out.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// How it stands.
    pub state: OwnerState,
    /// Why it is left out.
    pub reason: Option<Reason>,
    /// Its connections, as it said last.
    pub connections: u64,
}

/// All connections that have moved between this host and another one, in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowTotal {
    /// The number of the other host.
    pub number: u8,
    /// Its site; none where nobody with that number is known any more.
    pub site: Option<SiteName>,
    /// Its name.
    pub host: Option<HostName>,
    /// So many connections.
    pub connections: u64,
    /// When the first packet of all of them was forwarded.
    pub since: WallTime,
    /// When the last was.
    pub seen: WallTime,
    /// So many were.
    pub packets: u64,
}

/// The connections that have moved, as one site sees them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flows {
    /// Always 1.
    pub schema: Schema,
    /// The site that speaks.
    pub site: SiteName,
    /// How it looks after connections; none if its site file does not say that it should.
    pub continuity: Option<Continuity>,
    /// Connections of others whose packets arrive here and are forwarded, those that were seen last first.
    pub forwarded: Vec<Flow>,
    /// Connections of this host whose packets another site forwards, those that were seen last first.
    pub received: Vec<Flow>,
    /// So many more have moved that are not listed.
    pub more: u64,
}

/// A connection that has moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// The client's end.
    #[schema(value_type = String)]
    pub client: SocketAddr,
    /// The service's end.
    #[schema(value_type = String)]
    pub service: SocketAddr,
    /// The number of the other host: the owner of what is forwarded, the forwarder of what is received.
    pub number: u8,
    /// Its site; none where nobody with that number is known any more.
    pub site: Option<SiteName>,
    /// When its first packet was forwarded.
    pub since: WallTime,
    /// When the last was.
    pub seen: WallTime,
    /// So many were.
    pub packets: u64,
}
