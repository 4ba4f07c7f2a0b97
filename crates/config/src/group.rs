//! What goes up and down together.

use crate::check::DNS_PORT;
use crate::peer::{Peer, Relation};
use crate::service::Written;
use announce::{Backoff, CheckSettings, Scope, Settings};
use check::dns::Expectation;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use terms::{GroupName, Prefix, ServiceName};

/// An announcement group: prefixes that go up and down together, and the services behind them. It is named after
/// its first service.
#[derive(Clone, Debug)]
pub struct Group {
    /// What its machine has to know. A check of the file becomes one check for each address of its service.
    pub settings: Settings,
    /// How each check of `settings.checks` is run, in the same order.
    pub probes: Vec<Probe>,
    /// What it announces.
    pub prefixes: BTreeSet<Prefix>,
    /// The services behind it, in the order of the file.
    pub services: Vec<ServiceName>,
}

/// How one check is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whom to ask.
    pub target: SocketAddr,
    /// What to ask, and what a healthy service answers.
    pub expectation: Expectation,
    /// How long to wait for the answer.
    pub timeout: Duration,
}

/// Puts services that share a prefix into one group. Two prefixes are shared when one covers the other: a user of the
/// longer one would otherwise follow the shorter one to a site that does not answer for it.
pub(crate) fn derive(services: &[Written], peers: &[Peer]) -> Vec<Group> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, written) in services.iter().enumerate() {
        let is_shared = |group: &Vec<usize>| group.iter().any(|&other| share(&services[other], written));
        let (sharing, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_shared);
        let mut joined: Vec<usize> = sharing.into_iter().flatten().chain([index]).collect();
        joined.sort_unstable();
        groups = apart;
        groups.push(joined);
    }
    groups.sort_unstable();
    let backoff = backoff(peers);
    groups
        .iter()
        .filter_map(|group| Group::of(group.iter().map(|&index| &services[index]), backoff))
        .collect()
}

fn share(one: &Written, other: &Written) -> bool {
    let overlap = |a: &Prefix, b: &Prefix| a.covers(*b) || b.covers(*a);
    one.service.announce.iter().any(|a| other.service.announce.iter().any(|b| overlap(a, b)))
}

/// A transit provider may damp a route that flaps, so a group that it hears of returns more slowly.
fn backoff(peers: &[Peer]) -> Backoff {
    let transit = peers.iter().any(|peer| peer.relation == Relation::Transit);
    if transit { Backoff::TRANSIT } else { Backoff::DEFAULT }
}

impl Group {
    /// The group of these services; none if there are none.
    fn of<'a>(services: impl Iterator<Item = &'a Written> + Clone, backoff: Backoff) -> Option<Group> {
        let names: Vec<ServiceName> = services.clone().map(|written| written.service.name.clone()).collect();
        let prefixes =
            services.clone().flat_map(|written| written.service.announce.iter().copied()).collect();
        let (checks, probes) = services.flat_map(checks_of).unzip();
        let group = names.first()?.as_str().parse::<GroupName>().ok()?;
        let settings = Settings { backoff, ..Settings::new(group, checks) };
        Some(Group { settings, probes, prefixes, services: names })
    }
}

/// Each check of a service through each of its addresses.
fn checks_of(written: &Written) -> impl Iterator<Item = (CheckSettings, Probe)> {
    let service = &written.service;
    written.checks.iter().flat_map(move |check| {
        service.addresses.iter().map(move |&address| {
            let settings = CheckSettings {
                service: service.name.clone(),
                name: format!("{} at {address}", check.name()),
                interval: check.interval,
                fall: check.fall,
                rise: check.rise,
                hang_after: check.hang_after,
                scope: Scope::Local,
            };
            let target = SocketAddr::new(address, DNS_PORT);
            (settings, Probe { target, expectation: check.expectation.value.clone(), timeout: check.timeout })
        })
    })
}
