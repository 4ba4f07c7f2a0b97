//! What no section can know by itself.

use crate::group::Group;
use crate::peer::{NextHop, Peer};
use crate::service::Written;
use document::{Document, Spanned};
use std::collections::BTreeSet;
use std::net::IpAddr;
use terms::{Family, Prefix};

pub(crate) fn check(document: &Document, peers: &[Spanned<Peer>], services: &[Written], groups: &[Group]) {
    every_peer_hears_something(document, peers, services);
    every_prefix_is_told(document, peers, services);
    no_peer_is_told_too_much(document, peers, services);
    no_peer_lives_in_a_prefix(document, peers, services);
    one_key_an_address(document, peers);
    one_built_in_service_an_address(document, services);
    no_cover_over_another_group(document, services, groups);
}

fn families(services: &[Written]) -> BTreeSet<Family> {
    services.iter().flat_map(|written| &written.announce).map(|prefix| prefix.family()).collect()
}

fn every_peer_hears_something(document: &Document, peers: &[Spanned<Peer>], services: &[Written]) {
    let announced = families(services);
    for peer in peers.iter().filter(|peer| peer.session.families.is_disjoint(&announced)) {
        let message =
            format!("peer `{}` would be told nothing: no service announces its families", peer.name);
        let hint = "add a family to the peer or a prefix to a service";
        document.fault_with_hint(peer.span.clone(), message, hint);
    }
}

fn every_prefix_is_told(document: &Document, peers: &[Spanned<Peer>], services: &[Written]) {
    for prefix in services.iter().flat_map(|written| written.announce.iter().chain(&written.cover)) {
        let family = prefix.family();
        if !peers.iter().any(|peer| peer.session.families.contains(&family)) {
            let message = format!("nobody would be told {}: no peer carries {family}", prefix.value);
            let hint = format!("add \"{family}\" to the `families` of a peer");
            document.fault_with_hint(prefix.span.clone(), message, hint);
        }
    }
}

/// At run time a peer is told nothing beyond its bound; a file that would have it told more is a mistake.
fn no_peer_is_told_too_much(document: &Document, peers: &[Spanned<Peer>], services: &[Written]) {
    let prefixes = services.iter().flat_map(|written| written.announce.iter().chain(&written.cover));
    let prefixes: BTreeSet<Prefix> = prefixes.map(|prefix| prefix.value).collect();
    for peer in peers {
        let told = prefixes.iter().filter(|prefix| peer.session.families.contains(&prefix.family())).count();
        let blackholes = peer.policy.blackhole.as_ref().map_or(0, |blackhole| blackhole.max);
        let all = told.saturating_add(usize::try_from(blackholes).unwrap_or(usize::MAX));
        let most =
            peer.session.max_announced.filter(|&most| usize::try_from(most).is_ok_and(|most| all > most));
        let Some(most) = most else { continue };
        let (what, hint) = match blackholes {
            0 => (String::new(), "raise its `max_announced`, or take prefixes out of the services"),
            _ => (
                format!(" and up to {blackholes} blackholes"),
                "raise its `max_announced`, or lower `max` of its `blackhole`",
            ),
        };
        let message =
            format!("peer `{}` would be told {told} prefixes{what}, at most {most} are allowed", peer.name);
        document.fault_with_hint(peer.span.clone(), message, hint);
    }
}

/// Packets to such a peer or next hop would be taken for the service's own, or come back for ever.
fn no_peer_lives_in_a_prefix(document: &Document, peers: &[Spanned<Peer>], services: &[Written]) {
    let prefixes = || services.iter().flat_map(|written| &written.announce);
    let around =
        |address: IpAddr| prefixes().find(|prefix| prefix.contains(address)).map(|prefix| prefix.value);
    for peer in peers {
        let hops = peer.next_hops.values().filter_map(|hop| match hop {
            NextHop::Address(address) => Some((*address, "next hop")),
            NextHop::SessionAddress => None,
        });
        let discards = peer.policy.blackhole.iter().flat_map(|blackhole| blackhole.next_hops.values());
        let discards = discards.map(|&address| (address, "next hop of blackholes"));
        for (address, what) in hops.chain(discards).chain([(peer.address.ip(), "address")]) {
            if let Some(prefix) = around(address) {
                in_a_prefix(document, peer, address, what, prefix);
            }
        }
    }
}

fn in_a_prefix(document: &Document, peer: &Spanned<Peer>, address: IpAddr, what: &str, prefix: Prefix) {
    let message =
        format!("the {what} {address} of peer `{}` lies in {prefix}, which this site announces", peer.name);
    document.fault_with_hint(peer.span.clone(), message, "use an address that is not anycast");
}

/// A listening socket knows one key for each address, and a link-local address can be that of several neighbours.
fn one_key_an_address(document: &Document, peers: &[Spanned<Peer>]) {
    for (at, peer) in peers.iter().enumerate() {
        let is_odd = |other: &&Spanned<Peer>| {
            let is_same_address = other.address.ip() == peer.address.ip();
            is_same_address && other.transport.signature != peer.transport.signature
        };
        if let Some(other) = peers[..at].iter().find(is_odd) {
            let message = format!(
                "the peers `{}` and `{}` have the same link-local address, so they need the same key",
                other.name, peer.name
            );
            let hint = "give one of them another address, or both of them one key";
            document.fault_with_hint(peer.span.clone(), message, hint);
        }
    }
}

fn one_built_in_service_an_address(document: &Document, services: &[Written]) {
    let built_in = services.iter().filter(|written| written.service.dns.is_some());
    let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
    for address in built_in.flat_map(|written| &written.addresses) {
        if !taken.insert(address.value) {
            let message = format!("two built-in DNS services cannot share {}", address.value);
            document.fault_with_hint(address.span.clone(), message, "put the zones of both into one service");
        }
    }
}

/// A covering prefix draws the users of everything in it here, also while that is withdrawn: for the services of
/// another group, that group has to say that it is meant.
fn no_cover_over_another_group(document: &Document, services: &[Written], groups: &[Group]) {
    for (written, cover) in services.iter().flat_map(|w| w.cover.iter().map(move |cover| (w, cover))) {
        let is_own = |group: &&Group| group.services.contains(&written.service.name);
        for group in groups.iter().filter(|group| !is_own(group)) {
            let members = services.iter().filter(|member| group.services.contains(&member.service.name));
            let is_agreed = members.clone().any(|member| member.service.cover.contains(&cover.value));
            let covered = group.prefixes.iter().find(|prefix| cover.covers(**prefix));
            if let Some(covered) = covered.filter(|_| !is_agreed) {
                let name = &group.settings.group;
                let message = format!(
                    "{} also covers {covered} of group `{name}`, whatever its checks say",
                    cover.value
                );
                let hint = format!("if that is meant, add it to `cover` of a service of `{name}` too");
                document.fault_with_hint(cover.span.clone(), message, hint);
            }
        }
    }
}
