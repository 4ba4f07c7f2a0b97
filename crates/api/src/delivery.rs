//! The four methods of delivery, as the page shows them side by side: what was sent, and which host got it.

use crate::NodeKind;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use utoipa::ToSchema;

words! {
    /// Whom an address stands for.
    Method {
        /// One machine.
        Unicast = "unicast",
        /// Every device of one network.
        Broadcast = "broadcast",
        /// The members of a group, who joined it.
        Multicast = "multicast",
        /// The nearest of many machines.
        Anycast = "anycast",
    }
}

impl Method {
    /// All of them, in the order of the page.
    pub const ALL: [Method; 4] = [Method::Unicast, Method::Broadcast, Method::Multicast, Method::Anycast];
}

/// What was sent in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The way.
    pub method: Method,
    /// Packets so far.
    pub sent: u32,
    /// The latest one.
    pub last: Option<Sent>,
}

/// One packet, and who received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sent {
    /// Its sender.
    pub from: String,
    /// What its address stands for: a host, a LAN, a group, or the anycast service.
    pub to: String,
    /// The address.
    #[schema(value_type = String)]
    pub address: Ipv4Addr,
    /// When, ms since the process started.
    pub at_ms: u64,
    /// Each host that received it, by name.
    pub received: Vec<Receipt>,
    /// Whether those received it whom the method reaches, once each, and nobody else. Not before it can have arrived
    /// everywhere.
    pub as_meant: Option<bool>,
}

/// How often a host received a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The host.
    pub host: String,
    /// How often; once, if all is well.
    pub times: u32,
}

/// A machine that sends and receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// Its name among the nodes.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// The name of its LAN; none if it stands on none.
    pub lan: Option<String>,
    /// Where it stands, as people write it.
    pub city: String,
    /// Its own address.
    #[schema(value_type = String)]
    pub address: Ipv4Addr,
    /// The groups that it has joined.
    #[schema(value_type = Vec<String>)]
    pub groups: Vec<Ipv4Addr>,
    /// Packets received so far, one number a method in the order of [`Method::ALL`].
    pub received: [u32; 4],
}

/// A local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lan {
    /// Its name.
    pub name: String,
    /// The router that it lies behind.
    pub router: String,
    /// The address of every device on it.
    #[schema(value_type = String)]
    pub broadcast: Ipv4Addr,
}

/// A multicast group, as the routers know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MulticastGroup {
    /// Its address.
    #[schema(value_type = String)]
    pub group: Ipv4Addr,
    /// The hosts that have joined.
    pub members: Vec<String>,
    /// The routers that have heard of members behind them, by IGMP.
    pub routers: Vec<String>,
}
