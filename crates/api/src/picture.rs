//! What the page draws. A lab and a site daemon fill the parts they have; the others stay empty and are left out.

use crate::status::words;
use crate::{
    Alarm, Continuity, Delivery, FaultKind, Group, GroupState, Host, Lan, MulticastGroup, Offer, Output,
    Peer, Schema,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use terms::{Asn, GeoPoint, Reason, SiteName, WallTime};
use utoipa::ToSchema;

/// Everything that the page draws at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Picture {
    /// Always 1.
    pub schema: Schema,
    /// Who draws it.
    pub kind: PictureKind,
    /// What stands above it: the world of a lab, the site of a daemon.
    pub title: String,
    /// The anycast addresses.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// The moment it shows, ms since the process started.
    pub at_ms: u64,
    /// When the process started, so that `at_ms` can be shown as a time of day. Read once: it tells one start from
    /// the next.
    pub started: WallTime,
    /// What is announced, where that is more than one service (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// The sites; a daemon has one, itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Site>,
    /// Who asks the address (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<Client>,
    /// Connections that one site takes in for another, one entry a pair of sites (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<Forward>,
    /// Who forwards (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<Router>,
    /// What joins them (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cables: Vec<Cable>,
    /// Faults that are in force (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Local networks (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lans: Vec<Lan>,
    /// Who sends and receives, where something was sent or there is a LAN (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// What was sent to them, one entry a method of delivery (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// Multicast groups that somebody has joined (lab).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multicast_groups: Vec<MulticastGroup>,
    /// BGP neighbours (daemon).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    /// Announcement groups with their checks (daemon).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// How connections that have moved are looked after; none where the site file does not say that they should be (daemon).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<Continuity>,
    /// What is wrong and stays wrong until it is cleared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
}

impl Picture {
    /// A picture without any part.
    pub fn empty(kind: PictureKind, title: impl Into<String>, started: WallTime) -> Self {
        Picture {
            schema: Schema,
            kind,
            title: title.into(),
            addresses: Vec::new(),
            at_ms: 0,
            started,
            services: Vec::new(),
            sites: Vec::new(),
            clients: Vec::new(),
            forwards: Vec::new(),
            routers: Vec::new(),
            cables: Vec::new(),
            faults: Vec::new(),
            lans: Vec::new(),
            hosts: Vec::new(),
            deliveries: Vec::new(),
            multicast_groups: Vec::new(),
            peers: Vec::new(),
            groups: Vec::new(),
            continuity: None,
            alarms: Vec::new(),
        }
    }
}

words! {
    /// Who draws a picture.
    PictureKind {
        /// A whole world on one machine.
        Lab = "lab",
        /// One site.
        Daemon = "daemon",
    }

    /// What a cable does.
    CableState {
        /// Carries.
        Up = "up",
        /// Has no carrier.
        Cut = "cut",
        /// Has a carrier and swallows every packet.
        Blackhole = "blackhole",
        /// Swallows a share of the packets.
        HalfBroken = "half-broken",
    }

    /// Why a client is not answered by the site next to it.
    DetourKind {
        /// Routing policy prefers another way.
        Policy = "policy",
        /// The nearer site does not announce now, or less preferred.
        Failover = "failover",
    }
}

/// One of several services, each with an address and sites of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// Its name.
    pub name: SiteName,
    /// Its anycast addresses.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<IpAddr>,
    /// The zone that it serves; none for a resolver.
    pub zone: Option<String>,
}

/// A place that announces the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// Its name, which is also its answer to `CH TXT id.server`.
    pub name: SiteName,
    /// What it announces, where there are several services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<SiteName>,
    /// The city as people write it.
    pub city: String,
    /// Where it lies; none if the site file does not say.
    pub at: Option<GeoPoint>,
    /// Its place in the palette, the same for as long as the process lives.
    pub colour: u8,
    /// Where its group stands; none: no daemon answers there.
    pub state: Option<GroupState>,
    /// How strongly it is announced.
    pub output: Output,
    /// Why.
    pub reason: Reason,
    /// How many clients it answers now.
    pub clients: u32,
    /// Median round trip of those clients, ms.
    pub rtt_ms: Option<f64>,
    /// What the buttons of its card offer now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

/// Somebody who asks the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// Its name among the nodes; that of its site where a resolver asks.
    pub name: String,
    /// What it asks, where there are several services: a resolver stands here once for each that it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<SiteName>,
    /// The city as people write it.
    pub city: String,
    /// Where it lies.
    pub at: GeoPoint,
    /// Its network.
    pub asn: Asn,
    /// The name of its network.
    pub network: String,
    /// Who answered last; none while it is silent.
    pub site: Option<SiteName>,
    /// Median round trip of late, ms; none while it is silent.
    pub rtt_ms: Option<f64>,
    /// The site that lies next to it by cable.
    pub nearest: Option<Nearest>,
    /// The nodes on the way to the site that answers, from the client to the site, both included; empty if unknown.
    pub path: Vec<String>,
    /// Why another site than the nearest answers; none if the nearest does.
    pub detour: Option<Detour>,
}

/// The site that lies next to a client, whatever routing says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Nearest {
    /// Which.
    pub site: SiteName,
    /// The round trip that the shortest cables would give, ms.
    pub rtt_ms: f64,
}

/// Why a client is answered from further away than it could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Detour {
    /// The kind of reason.
    pub kind: DetourKind,
    /// The reason: the AS path and the preference that decided, one sentence.
    pub words: Reason,
}

/// Connections that routing has moved: their packets arrive at one site, which forwards them to the one that has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forward {
    /// Where their packets arrive.
    pub from: SiteName,
    /// Who has them.
    pub to: SiteName,
    /// How many there are.
    pub connections: u64,
    /// Whose they are, by the names in [`Picture::clients`].
    pub clients: Vec<String>,
    /// Since when there are any, ms since the process started.
    pub since_ms: u64,
}

/// A machine that forwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Router {
    /// Its name among the nodes.
    pub name: String,
    /// The city as people write it.
    pub city: String,
    /// Where it lies.
    pub at: GeoPoint,
    /// Its network.
    pub asn: Asn,
    /// The name of its network.
    pub network: String,
}

/// What joins two nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cable {
    /// Its name, as a fault's target names it.
    pub name: String,
    /// The nodes at its ends.
    pub ends: [String; 2],
    /// One-way delay, ms.
    pub delay_ms: f64,
    /// What it does.
    pub state: CableState,
    /// Whether the path of some client runs over it.
    pub used: bool,
    /// What a person may do to it now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// What was done.
    pub kind: FaultKind,
    /// To what.
    pub target: String,
    /// Since when, ms since the process started.
    pub since_ms: u64,
}
