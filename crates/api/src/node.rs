//! `catchment lab nodes --json`: who lives in a world.

use crate::Schema;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use terms::Asn;

/// Every node of a running world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeList {
    /// Always 1.
    pub schema: Schema,
    /// The name of the world.
    pub world: String,
    /// Its nodes by name.
    pub nodes: Vec<Node>,
}

/// One machine of a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, unique in the world; a client's name is its city.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// The city it stands in.
    pub city: String,
    /// The network it belongs to.
    pub asn: Asn,
    /// Its own addresses.
    pub addresses: Vec<IpAddr>,
}

words! {
    /// What a node is.
    NodeKind {
        /// Asks the anycast address.
        Client = "client",
        /// Forwards.
        Router = "router",
        /// Announces the anycast address and answers on it.
        Site = "site",
        /// Stands on a LAN.
        Device = "device",
        /// The operator's own data centre: the fleet store, and what sites depend on.
        Core = "core",
    }
}
