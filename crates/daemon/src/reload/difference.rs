//! What another site file changes about a running site: pure, and empty where nothing does.
//!
//! What stays equal is not mentioned, so applying the difference sends nothing for it (law P12). A group goes on where
//! one of that name was; where there was none, in place of a group that is gone and shares a prefix with it, so that a
//! group may be renamed without a withdrawal.

use config::{BuiltInDns, Collector, Continuity, Group, Peer, Service, Signature, Site, SiteFile};
use std::collections::{BTreeMap, BTreeSet};
use terms::{CollectorName, GroupName, PeerName, Prefix, ServiceName};

/// The difference between the running site file and another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Peers that change.
    pub(crate) peers: BTreeMap<PeerName, PeerChange>,
    /// What becomes each group of the other file, in its order.
    pub(crate) groups: Vec<GroupStep>,
    /// Groups that are no more.
    pub(crate) gone: Vec<GroupName>,
    /// Services whose addresses, zones or limits change.
    pub(crate) services: BTreeMap<ServiceName, ServiceChange>,
    /// Collectors of BMP that change.
    pub(crate) collectors: BTreeMap<CollectorName, CollectorChange>,
    /// What becomes of the section that looks after moved connections.
    pub(crate) continuity: Option<SectionChange>,
    /// Covering prefixes that come.
    pub(crate) covers_added: BTreeSet<Prefix>,
    /// Covering prefixes that go.
    pub(crate) covers_removed: BTreeSet<Prefix>,
    /// Keys of `[site]` that take effect at once.
    pub(crate) site: Vec<&'static str>,
    /// Keys that cannot change while the daemon runs.
    pub(crate) needs_restart: Vec<&'static str>,
}

/// What becomes of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerChange {
    /// A new one.
    Added,
    /// It is no more.
    Removed,
    /// Its session has to begin again: address, AS number, families, hold time, who calls.
    Session,
    /// It is told other attributes or next hops, or has other limits; the session goes on.
    Routes,
    /// Another key, distance or source of its connections; the session goes on.
    Transport {
        /// It is told other attributes or next hops, too.
        routes: bool,
    },
}

/// Where a group of the other file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupStep {
    /// It is as it was.
    Same(GroupName),
    /// The group that was called so goes on with other settings.
    Changed {
        /// What it was called.
        was: GroupName,
        /// What it is called.
        now: GroupName,
        /// Its prefixes that come.
        added: BTreeSet<Prefix>,
        /// Its prefixes that go.
        removed: BTreeSet<Prefix>,
    },
    /// A new one, which has to prove itself from the start.
    Added(GroupName),
}

/// What becomes of a service on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceChange {
    /// A new one.
    Added,
    /// It is no more: its addresses go once it has lingered.
    Removed,
    /// Other addresses, zones, limits, or another kind of server.
    Changed,
}

/// What becomes of a collector of BMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectorChange {
    /// A new one.
    Added,
    /// It is no more.
    Removed,
    /// It has other settings, so that its connection begins again.
    Changed,
}

/// What becomes of a section that there is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionChange {
    /// It was not there.
    Added,
    /// It is no more.
    Removed,
    /// It has other settings.
    Changed,
}

impl SectionChange {
    fn between<T: PartialEq>(last: Option<&T>, next: Option<&T>) -> Option<Self> {
        match (last, next) {
            (None, Some(_)) => Some(SectionChange::Added),
            (Some(_), None) => Some(SectionChange::Removed),
            (last, next) => (last != next).then_some(SectionChange::Changed),
        }
    }
}

impl Difference {
    /// What `next` changes about `last`.
    pub(crate) fn between(last: &SiteFile, next: &SiteFile) -> Self {
        let (old_covers, new_covers) = (last.covers(), next.covers());
        let groups: Vec<GroupStep> = steps(&last.groups, &next.groups);
        let stays: BTreeSet<&GroupName> = groups.iter().filter_map(GroupStep::was).collect();
        let names = last.groups.iter().map(|group| &group.settings.group);
        Difference {
            peers: peers(&last.peers, &next.peers),
            gone: names.filter(|name| !stays.contains(name)).cloned().collect(),
            groups,
            services: services(&last.services, &next.services),
            collectors: collectors(&last.collectors, &next.collectors),
            continuity: SectionChange::between(last.continuity.as_ref(), next.continuity.as_ref()),
            covers_added: &new_covers - &old_covers,
            covers_removed: &old_covers - &new_covers,
            site: site_keys(&last.site, &next.site),
            needs_restart: needs_restart(last, next),
        }
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        let Difference { peers, groups, gone, services, collectors, .. } = self;
        let Difference { continuity, covers_added, covers_removed, site, needs_restart, .. } = self;
        let all_same = groups.iter().all(|step| matches!(step, GroupStep::Same(_)));
        all_same
            && peers.is_empty()
            && gone.is_empty()
            && services.is_empty()
            && collectors.is_empty()
            && continuity.is_none()
            && covers_added.is_empty()
            && covers_removed.is_empty()
            && site.is_empty()
            && needs_restart.is_empty()
    }
}

impl GroupStep {
    /// The running group that goes on; none for a new one.
    pub(crate) fn was(&self) -> Option<&GroupName> {
        match self {
            GroupStep::Same(was) | GroupStep::Changed { was, .. } => Some(was),
            GroupStep::Added(_) => None,
        }
    }
}

fn peers(last: &[Peer], next: &[Peer]) -> BTreeMap<PeerName, PeerChange> {
    let find = |peers: &[Peer], name: &PeerName| peers.iter().find(|peer| peer.name == *name).cloned();
    let names: BTreeSet<&PeerName> = last.iter().chain(next).map(|peer| &peer.name).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = match (find(last, name), find(next, name)) {
            (Some(_), None) => PeerChange::Removed,
            (None, _) => PeerChange::Added,
            (Some(old), Some(new)) if needs_another_session(&old, &new) => PeerChange::Session,
            (Some(old), Some(new)) if old.transport != new.transport => {
                let moved = Peer { transport: new.transport.clone(), ..old };
                PeerChange::Transport { routes: moved != new }
            }
            (Some(old), Some(new)) if old != new => PeerChange::Routes,
            (Some(_), Some(_)) => return None,
        };
        Some((name.clone(), change))
    });
    changes.collect()
}

/// A key of TCP-AO is known to both ends by its numbers and cannot be replaced under them, as one of TCP-MD5 can.
fn needs_another_session(old: &Peer, new: &Peer) -> bool {
    let is_ao = |peer: &Peer| matches!(peer.transport.signature, Some(Signature::Ao(_)));
    let another_ao = old.transport.signature != new.transport.signature && (is_ao(old) || is_ao(new));
    !old.session.can_become(&new.session)
        || old.whereabouts() != new.whereabouts()
        || old.address != new.address
        || another_ao
}

fn steps(last: &[Group], next: &[Group]) -> Vec<GroupStep> {
    let named = |group: &Group| last.iter().find(|old| old.settings.group == group.settings.group);
    let mut free: Vec<&Group> = last.iter().collect();
    free.retain(|old| !next.iter().any(|group| group.settings.group == old.settings.group));
    let mut heir = |group: &Group| {
        let at = free.iter().position(|old| !old.prefixes.is_disjoint(&group.prefixes))?;
        Some(free.remove(at))
    };
    let step = |group: &Group| {
        let now = group.settings.group.clone();
        match named(group).or_else(|| heir(group)) {
            None => GroupStep::Added(now),
            Some(old) if old == group => GroupStep::Same(now),
            Some(old) => GroupStep::Changed {
                was: old.settings.group.clone(),
                now,
                added: &group.prefixes - &old.prefixes,
                removed: &old.prefixes - &group.prefixes,
            },
        }
    };
    next.iter().map(step).collect()
}

fn services(last: &[Service], next: &[Service]) -> BTreeMap<ServiceName, ServiceChange> {
    let find = |services: &'_ [Service], name: &ServiceName| {
        services.iter().position(|service| service.name == *name)
    };
    let names: BTreeSet<&ServiceName> = last.iter().chain(next).map(|service| &service.name).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = match (find(last, name), find(next, name)) {
            (Some(_), None) => ServiceChange::Removed,
            (None, _) => ServiceChange::Added,
            (Some(old), Some(new)) => {
                let (old, new) = (last.get(old)?, next.get(new)?);
                let serves_the_same = match (&old.dns, &new.dns) {
                    (Some(old), Some(new)) => serve_the_same(old, new),
                    (None, None) => true,
                    _ => false,
                };
                if old.addresses == new.addresses && serves_the_same {
                    return None;
                }
                ServiceChange::Changed
            }
        };
        Some((name.clone(), change))
    });
    changes.collect()
}

/// Whether both come to the same, also by what their files say.
fn serve_the_same(last: &BuiltInDns, next: &BuiltInDns) -> bool {
    let BuiltInDns { files, listen, zones, limits, tls, rate_limit, dnstap, keys, transfers, catalogs } =
        last;
    let is_same_tls = match (tls, &next.tls) {
        (Some(tls), Some(next)) => {
            tls.certificate.cert == next.certificate.cert && tls.ticket_keys == next.ticket_keys
        }
        (tls, next) => tls.is_none() && next.is_none(),
    };
    *files == next.files
        && *listen == next.listen
        && *limits == next.limits
        && is_same_tls
        && *rate_limit == next.rate_limit
        && *dnstap == next.dnstap
        && *keys == next.keys
        && *transfers == next.transfers
        && *catalogs == next.catalogs
        && zones.iter().map(|zone| zone.image()).eq(next.zones.iter().map(|zone| zone.image()))
}

fn collectors(last: &[Collector], next: &[Collector]) -> BTreeMap<CollectorName, CollectorChange> {
    let find = |collectors: &[Collector], name: &CollectorName| {
        collectors.iter().find(|collector| collector.name == *name).cloned()
    };
    let names: BTreeSet<&CollectorName> = last.iter().chain(next).map(|collector| &collector.name).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = match (find(last, name), find(next, name)) {
            (Some(_), None) => CollectorChange::Removed,
            (None, _) => CollectorChange::Added,
            (Some(old), Some(new)) if old != new => CollectorChange::Changed,
            (Some(_), Some(_)) => return None,
        };
        Some((name.clone(), change))
    });
    changes.collect()
}

fn site_keys(last: &Site, next: &Site) -> Vec<&'static str> {
    let keys = [
        ("city", last.place != next.place),
        ("reject_routes", last.reject_routes != next.reject_routes),
        ("linger", last.linger != next.linger),
        ("max_withdraw", last.max_withdraw != next.max_withdraw),
    ];
    changed(&keys)
}

fn needs_restart(last: &SiteFile, next: &SiteFile) -> Vec<&'static str> {
    let (site, other) = (&last.site, &next.site);
    let keys = [
        ("[site] name", site.name != other.name),
        ("[site] host", site.host != other.host),
        ("[site] asn", site.asn != other.asn),
        ("[site] router_id", site.router_id != other.router_id),
        ("[site] bgp_port", site.bgp_port != other.bgp_port),
        ("[site] state_dir", site.state_dir != other.state_dir),
        ("[service.dns] tls", tls_comes_or_goes(&last.services, &next.services)),
        ("[fleet]", last.fleet != next.fleet),
        ("[continuity] pins", pins_move(last.continuity.as_ref(), next.continuity.as_ref())),
        ("[api] socket", last.api.socket != next.api.socket),
        ("[api] listen", last.api.listen != next.api.listen),
    ];
    changed(&keys)
}

/// Whether the programs that forward packets would have to be pinned elsewhere, with tables that know nothing.
fn pins_move(last: Option<&Continuity>, next: Option<&Continuity>) -> bool {
    last.zip(next).is_some_and(|(last, next)| last.pins != next.pins)
}

/// Whether a built-in DNS service that stays begins or ends to speak TLS.
fn tls_comes_or_goes(last: &[Service], next: &[Service]) -> bool {
    let speaks = |services: &[Service], name: &ServiceName| {
        let service = services.iter().find(|service| service.name == *name)?;
        Some(service.dns.as_ref()?.tls.is_some())
    };
    let other = |service: &Service| {
        let (old, new) = (speaks(last, &service.name), speaks(next, &service.name));
        old.is_some() && new.is_some() && old != new
    };
    last.iter().any(other)
}

fn changed(keys: &[(&'static str, bool)]) -> Vec<&'static str> {
    keys.iter().filter(|(_, differs)| *differs).map(|&(key, _)| key).collect()
}

#[cfg(test)]
pub(super) mod tests;
