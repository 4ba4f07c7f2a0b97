//! Who may join, and what may be offered.

use super::Rules;
use super::fault::Fault;
use super::wire::Wire;
use continuity::service::Join;
use nix::unistd::{Uid, User};
use socket2::{Domain, Protocol, SockRef, Type};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// The user whose process is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    uid: u32,
    /// None where no name is known.
    name: Option<String>,
}

impl Owner {
    pub(super) async fn of(wire: &Wire) -> io::Result<Self> {
        let uid = wire.user()?;
        // The names of users may be on another machine.
        let look_up = move || User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
        let name = tokio::task::spawn_blocking(look_up).await.unwrap_or_default();
        Ok(Owner { uid, name })
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// Somebody without a name.
    #[cfg(test)]
    pub(super) fn nameless(uid: u32) -> Self {
        Owner { uid, name: None }
    }

    /// Whether its services may join: root's and the daemon's own may, and those of users that are named.
    fn may_join(&self, users: &BTreeSet<String>) -> bool {
        let is_named = |user: &String| match user.parse::<u32>() {
            Ok(number) => number == self.uid,
            Err(_) => Some(user) == self.name.as_ref(),
        };
        self.uid == 0 || self.uid == Uid::current().as_raw() || users.iter().any(is_named)
    }

    pub(super) fn words(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("uid {}", self.uid),
        }
    }

    /// Whether it may come in by these rules.
    pub(super) fn pass(&self, rules: Option<&Rules>) -> Result<(), Fault> {
        let rules = rules.ok_or(Fault::Closed)?;
        if self.may_join(&rules.users) { Ok(()) } else { Err(Fault::User(self.words())) }
    }
}

/// Whether a service may have the addresses that it joins with.
pub(super) fn may_serve(join: &Join, rules: Option<&Rules>) -> Result<(), Fault> {
    let rules = rules.ok_or(Fault::Closed)?;
    let foreign = join.addresses.iter().find(|address| !rules.addresses.contains(&address.ip()));
    foreign.map_or(Ok(()), |address| Err(Fault::Foreign(*address)))
}

/// Whether an offered socket is a connection that can go: true, or false where its client has gone meanwhile or speaks MPTCP
/// (RFC 8684), whose state the kernel does not hand out: a service cannot choose what its clients speak. Everything else
/// is a mistake: the packets of a flow that is not the service's would be held for it.
pub(super) fn examine(
    socket: &OwnedFd,
    addresses: &BTreeSet<SocketAddr>,
    network: u64,
) -> Result<bool, Fault> {
    let options = SockRef::from(socket);
    let is_stream = options.r#type().is_ok_and(|kind| kind == Type::STREAM)
        && options.domain().is_ok_and(|domain| domain == Domain::IPV4 || domain == Domain::IPV6);
    let protocol = options.protocol().ok().flatten().filter(|_| is_stream);
    if protocol == Some(Protocol::MPTCP) {
        return Ok(false);
    }
    if protocol != Some(Protocol::TCP) {
        return Err(Fault::NoSocket);
    }
    if linux::socket::network(socket).ok() != Some(network) {
        return Err(Fault::Elsewhere);
    }
    let local = options.local_addr().ok().and_then(|address| address.as_socket()).ok_or(Fault::NoSocket)?;
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    // A socket that listens has no peer, and neither has one whose client has reset it.
    match options.peer_addr() {
        Ok(_) if addresses.contains(&local) => Ok(true),
        Ok(_) => Err(Fault::NotJoined(local)),
        Err(_) => Ok(false),
    }
}

/// The network namespace of the calling thread.
pub(super) fn network() -> io::Result<u64> {
    let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    Ok(linux::socket::network(socket)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_users_may_join_beside_root_and_the_daemons_own() {
        let users = BTreeSet::from(["chat".to_owned(), "1001".to_owned()]);
        let owner = |uid, name: Option<&str>| Owner { uid, name: name.map(str::to_owned) };
        let own = Uid::current().as_raw();
        assert!(owner(0, None).may_join(&users) && owner(own, None).may_join(&users));
        let others = own.max(0x1000_0000);
        assert!(owner(others + 1, Some("chat")).may_join(&users));
        assert!(owner(1001, Some("anna")).may_join(&users));
        assert!(!owner(others + 1, Some("mallory")).may_join(&users));
        assert!(!owner(others + 1, None).may_join(&users));
        assert!(
            !owner(others + 1, Some("1001")).may_join(&users),
            "a number is a number, whoever has it as a name"
        );
    }
}
