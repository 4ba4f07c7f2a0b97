//! Roles: who sells to whom on a session, so that a route cannot leak where nobody pays for it (RFC 9234).

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::Asn;

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

/// What a speaker is to its neighbour by its own word, and whether the neighbour agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The speaker's role: it holds whether or not the neighbour says what it is (RFC 9234 section 4.2).
    pub role: Role,
    /// Whether the neighbour says that it is the counterpart.
    pub is_mutual: bool,
}

/// What becomes of a route from a neighbour (RFC 9234 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// It leaked: it is not eligible.
    Leaked,
    /// It is as it should be, and this is its ONLY_TO_CUSTOMER from here on.
    Taken(Option<Asn>),
}

/// What becomes of a route towards a neighbour (RFC 9234 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// It would leak: it is not told.
    Held,
    /// It is told with this ONLY_TO_CUSTOMER.
    Told(Option<Asn>),
}

impl Role {
    /// Judges a route from a neighbour to whom we are this, by its ONLY_TO_CUSTOMER and the neighbour's network. Only
    /// for neighbours of another network.
    pub fn ingress(self, only_to_customer: Option<Asn>, neighbour: Asn) -> Ingress {
        match (self, only_to_customer) {
            // From a customer or a client of a route server
            (Role::Provider | Role::RouteServer, Some(_)) => Ingress::Leaked,
            (Role::Provider | Role::RouteServer, None) => Ingress::Taken(None),
            (Role::Peer, Some(marked)) if marked != neighbour => Ingress::Leaked,
            // From a provider, a peer or a route server
            (Role::Customer | Role::Peer | Role::RouteServerClient, marked) => {
                Ingress::Taken(Some(marked.unwrap_or(neighbour)))
            }
        }
    }

    /// Judges a route towards a neighbour to whom we are this, by its ONLY_TO_CUSTOMER and our own network. Only for
    /// neighbours of another network.
    pub fn egress(self, only_to_customer: Option<Asn>, ours: Asn) -> Egress {
        match (self, only_to_customer) {
            // To a provider, a peer or a route server
            (Role::Customer | Role::Peer | Role::RouteServerClient, Some(_)) => Egress::Held,
            (Role::Customer | Role::RouteServerClient, None) => Egress::Told(None),
            // To a customer, a peer or a client of a route server
            (Role::Provider | Role::Peer | Role::RouteServer, marked) => {
                Egress::Told(Some(marked.unwrap_or(ours)))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asn(number: u32) -> Asn {
        number.try_into().unwrap()
    }

    /// RFC 9234 section 5, from our side: role, what the route is marked with, and what becomes of it. The neighbour is
    /// 64500, we are 64501.
    #[test]
    fn a_marked_route_goes_to_customers_alone() {
        use Egress::{Held, Told};
        use Ingress::{Leaked, Taken};
        let (theirs, ours, other) = (Some(asn(64500)), Some(asn(64501)), Some(asn(64502)));
        let rows = [
            (Role::Provider, None, Taken(None), Told(ours)),
            (Role::Provider, theirs, Leaked, Told(theirs)),
            (Role::Provider, other, Leaked, Told(other)),
            (Role::RouteServer, None, Taken(None), Told(ours)),
            (Role::RouteServer, other, Leaked, Told(other)),
            (Role::RouteServerClient, None, Taken(theirs), Told(None)),
            (Role::RouteServerClient, other, Taken(other), Held),
            (Role::Customer, None, Taken(theirs), Told(None)),
            (Role::Customer, theirs, Taken(theirs), Held),
            (Role::Customer, other, Taken(other), Held),
            (Role::Peer, None, Taken(theirs), Told(ours)),
            (Role::Peer, theirs, Taken(theirs), Held),
            (Role::Peer, other, Leaked, Held),
        ];
        for (role, marked, ingress, egress) in rows {
            assert_eq!(role.ingress(marked, asn(64500)), ingress, "{role} {marked:?}");
            assert_eq!(role.egress(marked, asn(64501)), egress, "{role} {marked:?}");
        }
    }
}
