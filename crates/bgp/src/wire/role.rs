//! Roles: who sells to whom on a session, so that a route cannot leak where nobody pays for it (RFC 9234).

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a speaker is to its neighbour (RFC 9234 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sells the Internet to the neighbour.
    Provider = 0,
    /// Is the route server of an exchange.
    #[serde(rename = "rs-server")]
    RouteServer = 1,
    /// Exchanges routes through the neighbour, a route server.
    #[serde(rename = "rs-client")]
    RouteServerClient = 2,
    /// Buys the Internet from the neighbour.
    Customer = 3,
    /// Exchanges its customers' routes with the neighbour.
    Peer = 4,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Role; 5] =
        [Role::Provider, Role::RouteServer, Role::RouteServerClient, Role::Customer, Role::Peer];

    /// The role of that number, if one is registered.
    pub(crate) fn read(number: u8) -> Option<Role> {
        Role::ALL.into_iter().find(|&role| role as u8 == number)
    }

    /// What the neighbour of such a speaker has to be (RFC 9234 section 4.2, table 2).
    pub fn counterpart(self) -> Role {
        match self {
            Role::Provider => Role::Customer,
            Role::RouteServer => Role::RouteServerClient,
            Role::RouteServerClient => Role::RouteServer,
            Role::Customer => Role::Provider,
            Role::Peer => Role::Peer,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Provider => "provider",
            Role::RouteServer => "rs-server",
            Role::RouteServerClient => "rs-client",
            Role::Customer => "customer",
            Role::Peer => "peer",
        })
    }
}
