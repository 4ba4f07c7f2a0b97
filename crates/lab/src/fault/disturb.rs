//! What makes a site ill without ending anything: a service or a cable that comes and goes, a daemon that can open
//! nothing, a host that has lost its addresses.

use crate::cable::Condition;
use crate::fault::apply::FaultError;
use crate::fault::flap::Flap;
use crate::fault::process::Part;
use crate::history::SiteId;
use crate::plan::{CableId, NodeId, Pair, announced, service_address};
use crate::running::{Lab, lock};
use crate::scenario::facts::ToldRouter;
use crate::scenario::words::NodeName;
use linux::address;
use linux::link::LinkIndex;
use linux::process::ProcessSignal;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use terms::SiteName;

/// Something that comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flapping {
    Service(SiteId),
    Cable(CableId),
    /// What a neighbour tells the router.
    Route(NodeId),
}

impl Lab {
    /// Stops and continues the service, `half` of the time each, until it is restored or gone. It begins with a stop.
    pub(super) fn flap(&self, site: &SiteName, half: Duration) -> Result<(), FaultError> {
        let services = self.running(site, Part::Service)?;
        let processes = Arc::clone(&self.processes);
        let swing = move |works: bool| {
            let turn = if works { ProcessSignal::SIGCONT } else { ProcessSignal::SIGSTOP };
            // One that is gone does not mind.
            services.iter().for_each(|service| drop(processes.signal(*service, turn)));
        };
        self.swing(Flapping::Service(self.site_id(site)?), half, swing)
    }

    /// Cuts a cable and lets it carry, `half` of the time each.
    pub(super) fn flap_cable(
        &self,
        end: &NodeName,
        other: &NodeName,
        half: Duration,
    ) -> Result<(), FaultError> {
        for cable in self.cables_between(end, other) {
            let Some(fibre) = lock(&self.fibres).get(&cable).cloned() else { continue };
            let swing = move |works: bool| {
                // The next turn tries again.
                let _ = fibre.set_condition(if works { Condition::Up } else { Condition::Cut });
            };
            self.swing(Flapping::Cable(cable), half, swing)?;
        }
        Ok(())
    }

    pub(super) fn swing(
        &self,
        what: Flapping,
        half: Duration,
        swing: impl Fn(bool) + Send + 'static,
    ) -> Result<(), FaultError> {
        self.end_flapping(what);
        let flap = Flap::begin(half, swing)?;
        lock(&self.flaps).insert(what, flap);
        Ok(())
    }

    /// Has it back before anything else is done to it. Whoever calls this holds nothing that it takes to swing.
    pub(super) fn end_flapping(&self, what: Flapping) {
        let flap = lock(&self.flaps).remove(&what);
        if let Some(flap) = flap {
            flap.end();
        }
    }

    pub(super) fn end_flapping_service(&self, site: SiteId) {
        self.end_flapping(Flapping::Service(site));
    }

    pub(super) fn end_flapping_cable(&self, cable: CableId) {
        self.end_flapping(Flapping::Cable(cable));
    }

    pub(super) fn starve(&self, site: &SiteName) -> Result<(), FaultError> {
        let daemons = self.running(site, Part::Daemon)?;
        Ok(daemons.into_iter().try_for_each(|daemon| self.processes.starve(daemon, true))?)
    }

    pub(super) fn end_starving(&self, site: &SiteName) -> Result<(), FaultError> {
        match self.running(site, Part::Daemon) {
            Ok(daemons) => {
                Ok(daemons.into_iter().try_for_each(|daemon| self.processes.starve(daemon, false))?)
            }
            Err(FaultError::NotRunning { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    pub(super) fn remove_addresses(&self, site: &SiteName) -> Result<(), FaultError> {
        for host in self.hosts_of(site)? {
            for address in self.address_of(site)?.both() {
                self.machines[host.node.0].with_netlink(|netlink| {
                    address::remove(netlink, LinkIndex::LOOPBACK, address.into()).map(drop)
                })?;
            }
        }
        Ok(())
    }

    /// The address that a site announces.
    fn address_of(&self, site: &SiteName) -> Result<Pair, FaultError> {
        let described = &self.world.sites[usize::from(self.site_id(site)?.0)];
        Ok(service_address(described.service))
    }

    /// The service addresses that a host of a site lacks; none for a site that there is not.
    pub(crate) fn missing_addresses(&self, site: &SiteName) -> Option<Vec<IpAddr>> {
        let mut missing = BTreeSet::new();
        let addresses = self.address_of(site).ok()?.both();
        for host in self.hosts_of(site).ok()? {
            let machine = &self.machines[host.node.0];
            let there = machine.with_netlink(|netlink| address::list(netlink, LinkIndex::LOOPBACK)).ok()?;
            let lacks = |address: &IpAddr| !there.iter().any(|net| net.addr() == *address);
            missing.extend(addresses.into_iter().filter(lacks));
        }
        Some(missing.into_iter().collect())
    }

    /// The routes that the edge router of a site has from the site's hosts, over both families; none if it does not
    /// answer.
    pub(crate) fn told_router(&self, site: &SiteName) -> Option<ToldRouter> {
        let edge = self.edge(site).ok()?;
        let routers = lock(&self.routers);
        let router = routers.get(&edge)?;
        let mut told = BTreeSet::new();
        for host in self.hosts_of(site).ok()? {
            told.extend(router.routes_from(self.plan.node(host.node).address.v4).ok()?);
        }
        let described = self.world.sites.iter().find(|described| described.name == *site)?;
        Some(ToldRouter { has: told, of_service: announced(described.service).into() })
    }
}
