//! Routes that leak: told to a provider, a peer or a route server though they were meant for customers (RFC 9234).
//!
//! A network that tells a route to a customer, a peer or a client of its route server marks it: ONLY_TO_CUSTOMER, with
//! its own number. Whoever then hears the mark from below, or from a peer that did not set it, hears a leak.
//!
//! | we are its | a route without a mark | a route with a mark |
//! |---|---|---|
//! | provider, rs-server | taken | leaked |
//! | peer | taken | leaked, unless the neighbour's own number is in it |
//! | customer, rs-client | taken | taken |
//!
//! What we tell is our own and has no mark, so none of it is ever held back; towards customers, peers and clients it
//! gets ours.

use crate::session::{Event, PeerKind, Prefixes};
use crate::wire::negotiated::Negotiated;
use crate::wire::role::{Egress, Ingress, Role};
use crate::wire::update::Update;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{Asn, Timestamp};

/// At most one event about leaks in this time, however many there are.
const LEAKS_EVERY: Duration = Duration::from_secs(10);

/// Whose mark shows that the routes of an UPDATE leaked; none if they did not.
pub(crate) fn leaked(update: &Update, negotiated: &Negotiated, neighbour: Asn) -> Option<Asn> {
    let marked = update.attributes.only_to_customer;
    match role(negotiated)?.ingress(marked, neighbour) {
        Ingress::Leaked => marked,
        Ingress::Taken(_) => None,
    }
}

/// The mark of the routes that we tell.
pub(crate) fn mark(negotiated: &Negotiated, ours: Asn) -> Option<Asn> {
    match role(negotiated)?.egress(None, ours) {
        Egress::Told(mark) => mark,
        Egress::Held => None,
    }
}

/// What we are to a neighbour of another network.
fn role(negotiated: &Negotiated) -> Option<Role> {
    let relation = negotiated.relation.filter(|_| negotiated.peer_kind == PeerKind::External)?;
    Some(relation.role)
}

/// Leaks since people were last told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Leaks {
    prefixes: Prefixes,
    marked_by: Option<Asn>,
    /// When people may be told again.
    again_at: Timestamp,
}

impl Leaks {
    /// Notes the routes of an UPDATE. Answers how many they are.
    pub(crate) fn add(&mut self, update: &Update, marked_by: Asn) -> u64 {
        self.marked_by.get_or_insert(marked_by);
        update.announced().map(|prefix| self.prefixes.push(prefix)).map(|()| 1).sum()
    }

    /// What to tell people, if it is time again.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Event> {
        if now < self.again_at || self.prefixes.is_empty() {
            return None;
        }
        let marked_by = self.marked_by.take()?;
        self.again_at = now + LEAKS_EVERY;
        Some(Event::Leaked { prefixes: std::mem::take(&mut self.prefixes), marked_by })
    }
}
