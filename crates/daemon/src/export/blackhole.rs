//! Which blackholes a peer is told of, and which not and why: pure, and judged anew with every decision.
//!
//! A blackhole is a route beside others, and never stands alone. Told without the route around it, it would draw
//! traffic that does not come to this site, only for the peer to drop it; and the peer takes it for the sake of that
//! route anyhow (RFC 7999 section 3.3). So it goes where the group of its addresses goes, and comes back with it.

use super::{Decision, Towards};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use terms::{Attributes, Family, PeerName, Prefix, RouteSet};

/// Peers are to drop what is sent to these addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blackhole {
    /// The addresses.
    pub(crate) prefix: Prefix,
    /// Who is asked; nobody named: every peer that takes blackholes.
    pub(crate) peers: BTreeSet<PeerName>,
    /// Whether it may take the addresses of a service.
    pub(crate) override_guard: bool,
}

/// Why a peer is not told of a blackhole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotTold {
    /// It lies in no prefix that this site may announce (RFC 8212).
    NotOurs,
    /// This prefix is announced itself and lies in it.
    Announced(Prefix),
    /// A service is asked at this address.
    InUse(IpAddr),
    /// Others are asked.
    NotAsked,
    /// The site file does not say that the peer takes any.
    NotTaken,
    /// The session carries no such routes.
    Family(Family),
    /// The peer takes longer ones only.
    TooShort {
        /// The shortest one that it takes.
        shortest: u8,
    },
    /// It is told of as many as it may be.
    Full {
        /// So many.
        max: u32,
    },
    /// It is told of no route around it now.
    Alone,
    /// Our own address on the session is its next hop, and there is no session.
    NoNextHop,
}

impl fmt::Display for NotTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTold::NotOurs => f.write_str("it is no part of a prefix that this site may announce"),
            NotTold::Announced(prefix) => write!(f, "{prefix} is announced itself"),
            NotTold::InUse(address) => write!(f, "a service answers at {address}"),
            NotTold::NotAsked => f.write_str("it is not asked"),
            NotTold::NotTaken => f.write_str("its section in the site file has no `blackhole`"),
            NotTold::Family(family) => write!(f, "its session does not carry {family}"),
            NotTold::TooShort { shortest } => write!(f, "it takes none shorter than /{shortest}"),
            NotTold::Full { max } => write!(f, "it is told of {max} already, as many as its `max` allows"),
            NotTold::Alone => f.write_str("it has no route of ours around it now"),
            NotTold::NoNextHop => f.write_str("there is no session"),
        }
    }
}

impl NotTold {
    /// Whether it becomes true by itself: with the session, or when the group is announced again.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            NotTold::Alone | NotTold::NoNextHop => true,
            NotTold::NotOurs
            | NotTold::Announced(_)
            | NotTold::InUse(_)
            | NotTold::NotAsked
            | NotTold::NotTaken
            | NotTold::Family(_)
            | NotTold::TooShort { .. }
            | NotTold::Full { .. } => false,
        }
    }
}

/// What the peer is told of each blackhole of the decision, in their order: the oldest first, which keep their place
/// where not all of them have one. `told` is what it is told beside them.
pub(crate) fn routes(
    decision: &Decision,
    to: &Towards<'_>,
    told: &RouteSet,
) -> impl Iterator<Item = (Prefix, Result<Attributes, NotTold>)> {
    let mut places = 0;
    decision.blackholes.iter().map(move |blackhole| {
        let route = judge(decision, blackhole).and_then(|()| taken(blackhole, to, &mut places));
        (blackhole.prefix, route.and_then(|()| route_beside(blackhole.prefix, to, told)))
    })
}

/// Whether this site may have anybody drop it.
pub(crate) fn judge(decision: &Decision, blackhole: &Blackhole) -> Result<(), NotTold> {
    let ours =
        || decision.groups.iter().flat_map(|group| group.prefixes.iter()).chain(decision.covers.iter());
    let prefix = blackhole.prefix;
    if let Some(&announced) = ours().find(|ours| prefix.covers(**ours)) {
        return Err(NotTold::Announced(announced));
    }
    if !ours().any(|ours| prefix.is_part_of(*ours)) {
        return Err(NotTold::NotOurs);
    }
    match decision.addresses.iter().find(|address| prefix.contains(**address)) {
        Some(&address) if !blackhole.override_guard => Err(NotTold::InUse(address)),
        Some(_) | None => Ok(()),
    }
}

/// Whether the peer is asked and takes it. One that it takes fills one of its places, told or not.
fn taken(blackhole: &Blackhole, to: &Towards<'_>, places: &mut u32) -> Result<(), NotTold> {
    if !blackhole.peers.is_empty() && !blackhole.peers.contains(to.peer) {
        return Err(NotTold::NotAsked);
    }
    let takes = to.policy.blackhole.as_ref().ok_or(NotTold::NotTaken)?;
    let family = blackhole.prefix.family();
    let shortest = *takes.shortest.get(&family).ok_or(NotTold::Family(family))?;
    if blackhole.prefix.length() < shortest {
        return Err(NotTold::TooShort { shortest });
    }
    if *places >= takes.max {
        return Err(NotTold::Full { max: takes.max });
    }
    *places += 1;
    Ok(())
}

fn route_beside(prefix: Prefix, to: &Towards<'_>, told: &RouteSet) -> Result<Attributes, NotTold> {
    let takes = to.policy.blackhole.as_ref().ok_or(NotTold::NotTaken)?;
    let family = prefix.family();
    let next_hop = takes.next_hops.get(&family).or_else(|| to.next_hops.get(&family));
    let next_hop = *next_hop.ok_or(NotTold::NoNextHop)?;
    if !told.keys().any(|around| prefix.is_part_of(*around)) {
        return Err(NotTold::Alone);
    }
    Ok(to.labelled(next_hop, &takes.labels))
}

#[cfg(test)]
mod tests;
