//! The sockets at which peers call, and what they know of who may.

use super::sign;
use crate::bgp::listener;
use crate::error::Error;
use config::{Peer, Signature};
use linux::tcp::{ao, distance, md5};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener};
use terms::Family;

/// The listening sockets. Whoever takes the calls has a handle of its own on each; this one changes who may call.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    sockets: BTreeMap<Family, TcpListener>,
    rules: Rules,
}

/// Whom the sockets let in.
#[derive(Clone, Debug, Default)]
struct Rules {
    keys: BTreeMap<IpAddr, Signature>,
    /// The smallest TTL with which any of the peers may call. Who calls from further away than its own section allows,
    /// but not than that, is refused when the call is taken.
    least_ttl: BTreeMap<Family, u8>,
}

impl Doors {
    /// Lets these peers in: changes keys where they differ, and listens in families in which nobody called so far.
    /// Answers the new listeners. An error leaves everything as it was.
    pub(crate) fn open_for(&mut self, peers: &[Peer], port: u16) -> Result<Vec<TcpListener>, Error> {
        super::require_kernel(peers)?;
        let before = self.rules.clone();
        let mut opened = BTreeMap::new();
        let result = self.try_open_for(peers, port, &mut opened);
        if result.is_err() {
            opened.keys().for_each(|family| drop(self.sockets.remove(family)));
            // What these sockets had before, they take again.
            let _ = self.follow(before);
        }
        result.map(|()| opened.into_values().collect())
    }

    fn try_open_for(
        &mut self,
        peers: &[Peer],
        port: u16,
        opened: &mut BTreeMap<Family, TcpListener>,
    ) -> Result<(), Error> {
        let rules = Rules::of(peers);
        let families: BTreeSet<Family> = rules.least_ttl.keys().copied().collect();
        let served: BTreeSet<Family> = self.sockets.keys().copied().collect();
        for family in &families - &served {
            let socket = listener::bind(family == Family::Ipv4, port);
            let socket = socket.map_err(|source| Error::bgp_port(port, source))?;
            let copy = socket.try_clone().map_err(Error::System)?;
            opened.insert(family, socket.into());
            self.sockets.insert(family, copy.into());
        }
        self.follow(rules)?;
        // Only now: whoever calls earlier would get through without a signature.
        opened.values().try_for_each(listener::listen).map_err(|source| Error::bgp_port(port, source))
    }

    fn follow(&mut self, rules: Rules) -> linux::Result<()> {
        let had: BTreeSet<IpAddr> = self.rules.keys.keys().copied().collect();
        let gone = had.into_iter().filter(|peer| !rules.keys.contains_key(peer));
        gone.collect::<Vec<_>>().into_iter().try_for_each(|peer| self.remove_key(peer))?;
        rules.keys.into_iter().try_for_each(|(peer, signature)| self.set_key(peer, signature))?;
        for (&family, socket) in &self.sockets {
            let least = rules.least_ttl.get(&family).copied().unwrap_or_default();
            distance::require_ttl(socket, family, least)?;
        }
        self.rules.least_ttl = rules.least_ttl;
        Ok(())
    }

    fn set_key(&mut self, peer: IpAddr, signature: Signature) -> linux::Result<()> {
        match (self.rules.keys.get(&peer), &signature) {
            (Some(before), now) if before == now => return Ok(()),
            // In the place of the key before: there is no moment without one.
            (None | Some(Signature::Md5(_)), Signature::Md5(_)) => {}
            (Some(_) | None, Signature::Md5(_) | Signature::Ao(_)) => self.remove_key(peer)?,
        }
        if let Some(socket) = self.sockets.get(&Family::of(peer)) {
            sign(socket, peer, &signature, ao::Role::Listens)?;
            self.rules.keys.insert(peer, signature);
        }
        Ok(())
    }

    fn remove_key(&mut self, peer: IpAddr) -> linux::Result<()> {
        let Some(socket) = self.sockets.get(&Family::of(peer)) else { return Ok(()) };
        match self.rules.keys.remove(&peer) {
            Some(Signature::Md5(_)) => md5::remove_key(socket, peer),
            Some(Signature::Ao(key)) => ao::remove_key(socket, peer, super::numbered(&key)),
            None => Ok(()),
        }
    }
}

impl Rules {
    fn of(peers: &[Peer]) -> Self {
        let signed = |peer: &Peer| Some((peer.address.ip(), peer.transport.signature.clone()?));
        let mut least_ttl = BTreeMap::new();
        for peer in peers {
            let ttl = peer.transport.least_ttl();
            let least = least_ttl.entry(Family::of(peer.address.ip())).or_insert(ttl);
            *least = ttl.min(*least);
        }
        Rules { keys: peers.iter().filter_map(signed).collect(), least_ttl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    /// A site's peers with such sections.
    fn peers(sections: &[&str]) -> Vec<Peer> {
        let directory = tempfile::tempdir().unwrap();
        for name in ["old", "new"] {
            let path = directory.path().join(name);
            fs::write(&path, name).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        let peer =
            |(at, section): (usize, &&str)| format!("[[peer]]\nname = 'peer-{at}'\nasn = 1\n{section}\n");
        let peers: String = sections.iter().enumerate().map(peer).collect();
        let (addresses, announce) = match sections.iter().any(|section| section.contains("::1")) {
            true => ("'198.18.0.1', '2001:db8::1'", "'198.18.0.0/24', '2001:db8::/48'"),
            false => ("'198.18.0.1'", "'198.18.0.0/24'"),
        };
        let text = format!(
            "[site]\nname = 'a'\nasn = 2\nrouter_id = '10.0.0.1'\n{peers}[[service]]\nname = 's'\n\
             addresses = [{addresses}]\nannounce = [{announce}]\n[[service.check]]\ndns = {{ name = '.' }}\n"
        );
        let site = config::parse("site.toml", &text, directory.path());
        site.unwrap_or_else(|faults| panic!("{faults}")).peers
    }

    fn gets_in(to: SocketAddr, key: Option<&str>) -> bool {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        if let Some(key) = key {
            let key = terms::SharedKey::new(key).unwrap();
            md5::set_key(&socket, Ipv4Addr::LOCALHOST.into(), &key).unwrap();
        }
        socket.connect_timeout(&to.into(), Duration::from_millis(300)).is_ok()
    }

    #[test]
    fn keys_come_change_and_go_with_their_peers() {
        let mut doors = Doors::default();
        let opened = doors.open_for(&peers(&["address = '127.0.0.1'\npassword_file = 'old'"]), 0).unwrap();
        let [listener] = &opened[..] else { panic!("{opened:?}") };
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listener.local_addr().unwrap().port());
        assert!(!gets_in(to, None) && !gets_in(to, Some("new")) && gets_in(to, Some("old")));

        let changed = peers(&["address = '127.0.0.1'\npassword_file = 'new'", "address = '127.0.0.2'"]);
        assert!(doors.open_for(&changed, 0).unwrap().is_empty(), "no new family");
        assert!(!gets_in(to, Some("old")) && gets_in(to, Some("new")));

        let gone = peers(&["address = '127.0.0.2'\npassword_file = 'new'"]);
        doors.open_for(&gone, 0).unwrap();
        assert!(gets_in(to, None));
    }

    #[test]
    fn an_error_leaves_everything_as_it_was() {
        let mut doors = Doors::default();
        let signed = peers(&["address = '127.0.0.1'\npassword_file = 'old'"]);
        let opened = doors.open_for(&signed, 0).unwrap();
        let taken = TcpListener::bind("[::]:0").unwrap();
        let next = peers(&["address = '127.0.0.1'\npassword_file = 'new'", "address = '::1'"]);
        let error = doors.open_for(&next, taken.local_addr().unwrap().port()).unwrap_err();
        assert!(matches!(error, Error::BgpPortTaken { .. }), "{error}");
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), opened[0].local_addr().unwrap().port());
        assert!(gets_in(to, Some("old")) && !gets_in(to, Some("new")));
        assert_eq!(doors.sockets.keys().collect::<Vec<_>>(), [&Family::Ipv4]);
    }

    #[test]
    fn the_socket_takes_what_any_peer_may_send() {
        let rules = |sections: &[&str]| Rules::of(&peers(sections)).least_ttl;
        let (near, next) =
            ("address = '127.0.0.1'\nttl_security = 1", "address = '127.0.0.2'\nttl_security = 2");
        assert_eq!(rules(&[near, next]), BTreeMap::from([(Family::Ipv4, 254)]));
        let anywhere = "address = '127.0.0.3'";
        let over_ipv6 = "address = '::1'\nttl_security = 1";
        let both = BTreeMap::from([(Family::Ipv4, 0), (Family::Ipv6, 255)]);
        assert_eq!(rules(&[near, anywhere, over_ipv6]), both);
    }
}
