//! Which session a packet is for (RFC 5880 section 6.3, RFC 5881 section 3).

use super::counters::Discarded;
use super::view::View;
use super::voice::Voice;
use super::{Hops, Shown, Watch};
use ::bfd::session::Session;
use ::bfd::{Discriminator, Packet};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use terms::{PeerName, WallTime};

/// What is left of the hop limit of a packet that crossed no router (RFC 5881 section 5).
const UNTOUCHED: i32 = 255;

/// A path and everything that its session stands on.
pub(super) struct Link {
    pub(super) name: PeerName,
    pub(super) neighbour: SocketAddr,
    pub(super) hops: Hops,
    pub(super) session: Session,
    pub(super) voice: Voice,
    pub(super) view: View,
    /// Where it shows itself; none once it is not wanted any more.
    pub(super) shown: Option<Shown>,
}

/// Every path, by our name for its session.
#[derive(Default)]
pub(super) struct Directory {
    links: BTreeMap<Discriminator, Link>,
}

impl Link {
    /// Whether a packet that came in like this may be of this path's other end. A link-local address counts on its link
    /// only.
    fn is_with(&self, hops: Hops, from: SocketAddr) -> bool {
        let same_link = match (self.neighbour, from) {
            (SocketAddr::V6(ours), SocketAddr::V6(theirs)) if ours.ip().is_unicast_link_local() => {
                ours.scope_id() == theirs.scope_id()
            }
            _ => true,
        };
        self.hops == hops && self.neighbour.ip() == from.ip() && same_link
    }
}

impl Directory {
    /// A new path. A session with the same other end that is on its way out is forgotten: two would confuse it.
    pub(super) fn add(&mut self, watch: Watch, now: WallTime) -> &mut Link {
        let Watch { name, neighbour, hops, settings, voice, shown } = watch;
        self.links.retain(|_, link| link.shown.is_some() || !link.is_with(hops, neighbour));
        let discriminator = self.unused();
        let session = Session::new(settings, discriminator, rand::random());
        let view = View::of(&session, now);
        let link = Link { name, neighbour, hops, session, voice, view, shown: Some(shown) };
        self.links.entry(discriminator).or_insert(link)
    }

    /// A path of the program before.
    pub(super) fn take_over(&mut self, link: Link) {
        self.links.insert(link.session.discriminator(), link);
    }

    pub(super) fn remove(&mut self, discriminator: Discriminator) {
        self.links.remove(&discriminator);
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Link> {
        self.links.values_mut()
    }

    /// The path to a peer, unless it is on its way out.
    pub(super) fn named(&mut self, name: &PeerName) -> Option<&mut Link> {
        self.all().find(|link| link.shown.is_some() && link.name == *name)
    }

    /// The path that a packet is about. Its other end is known by our name for the session, and by its address as long
    /// as it does not know that name; with the name, the address has to be right all the same.
    pub(super) fn addressee(
        &mut self,
        packet: &Packet,
        hops: Hops,
        from: SocketAddr,
        hop_limit: Option<i32>,
    ) -> Result<&mut Link, Discarded> {
        let link = match packet.your_discriminator {
            Some(ours) => self.links.get_mut(&ours).filter(|link| link.is_with(hops, from)),
            None => self
                .links
                .values_mut()
                .filter(|link| link.is_with(hops, from))
                .max_by_key(|link| link.shown.is_some()),
        };
        let link = link.ok_or(Discarded::Stranger)?;
        match hops {
            Hops::Single if hop_limit != Some(UNTOUCHED) => Err(Discarded::TooFar),
            Hops::Single | Hops::Multiple => Ok(link),
        }
    }

    /// A name that no session has, and nobody can guess.
    fn unused(&self) -> Discriminator {
        loop {
            let name = NonZeroU32::new(rand::random()).map(Discriminator);
            if let Some(name) = name.filter(|name| !self.links.contains_key(name)) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests;
