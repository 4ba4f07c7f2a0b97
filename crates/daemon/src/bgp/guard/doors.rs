//! The sockets at which peers call, and what they know of who may.

use super::sign;
use crate::bgp::listener;
use crate::error::Error;
use config::{Peer, Signature};
use linux::tcp::{ao, distance, md5};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener};
use terms::Family;

/// The listening sockets. Whoever takes the calls has a handle of its own on each; this one changes their keys.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    sockets: BTreeMap<Family, TcpListener>,
    /// The keys that the sockets have.
    keys: BTreeMap<IpAddr, Signature>,
}

impl Doors {
    /// Lets these peers in and nobody else: changes keys where they differ, and listens in families that nobody called
    /// in so far. Answers the new listeners. An error leaves everything as it was.
    pub(crate) fn open_for(&mut self, peers: &[Peer], port: u16) -> Result<Vec<TcpListener>, Error> {
        let before = self.keys.clone();
        let mut opened = BTreeMap::new();
        let result = self.try_open_for(peers, port, &mut opened);
        if result.is_err() {
            opened.keys().for_each(|family| drop(self.sockets.remove(family)));
            // What these sockets had before, they take again.
            let _ = self.set_keys(before);
        }
        result.map(|()| opened.into_values().collect())
    }

    fn try_open_for(
        &mut self,
        peers: &[Peer],
        port: u16,
        opened: &mut BTreeMap<Family, TcpListener>,
    ) -> Result<(), Error> {
        super::require_kernel(peers)?;
        let families: BTreeSet<Family> = peers.iter().map(|peer| Family::of(peer.address.ip())).collect();
        for family in families {
            if !self.sockets.contains_key(&family) {
                let socket = listener::bind(family == Family::Ipv4, port);
                let socket = socket.map_err(|source| Error::bgp_port(port, source))?;
                let copy = socket.try_clone().map_err(Error::System)?;
                opened.insert(family, socket.into());
                self.sockets.insert(family, copy.into());
            }
        }
        let signed = |peer: &Peer| Some((peer.address.ip(), peer.transport.signature.clone()?));
        self.set_keys(peers.iter().filter_map(signed).collect())?;
        for (&family, socket) in &self.sockets {
            distance::require_ttl(socket, family, least_ttl(peers, family))?;
        }
        // Only now: whoever calls earlier would get through without a signature.
        opened.values().try_for_each(listener::listen).map_err(|source| Error::bgp_port(port, source))
    }

    fn set_keys(&mut self, wanted: BTreeMap<IpAddr, Signature>) -> linux::Result<()> {
        let gone: Vec<IpAddr> = self.keys.keys().filter(|peer| !wanted.contains_key(peer)).copied().collect();
        gone.into_iter().try_for_each(|peer| self.remove_key(peer))?;
        for (peer, signature) in wanted {
            if self.keys.get(&peer) == Some(&signature) {
                continue;
            }
            let is_same_kind =
                matches!((self.keys.get(&peer), &signature), (Some(Signature::Md5(_)), Signature::Md5(_)));
            if !is_same_kind {
                self.remove_key(peer)?;
            }
            if let Some(socket) = self.sockets.get(&Family::of(peer)) {
                sign(socket, peer, &signature, ao::Role::Listens)?;
            }
            self.keys.insert(peer, signature);
        }
        Ok(())
    }

    fn remove_key(&mut self, peer: IpAddr) -> linux::Result<()> {
        let Some(socket) = self.sockets.get(&Family::of(peer)) else { return Ok(()) };
        match self.keys.remove(&peer) {
            Some(Signature::Md5(_)) => md5::remove_key(socket, peer),
            Some(Signature::Ao(key)) => ao::remove_key(socket, peer, super::numbered(&key)),
            None => Ok(()),
        }
    }
}

/// The smallest TTL with which any of the peers may call. Who calls from further away than its own section allows, but
/// not than that, is refused when the call is taken.
fn least_ttl(peers: &[Peer], family: Family) -> u8 {
    let of_family = peers.iter().filter(|peer| Family::of(peer.address.ip()) == family);
    of_family.map(|peer| peer.transport.least_ttl()).min().unwrap_or_default()
}
