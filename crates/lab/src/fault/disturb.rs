//! What makes a site ill without ending anything: a service that comes and goes, a daemon that can open nothing, a host
//! that has lost its addresses.

use crate::fault::apply::{FaultError, Part};
use crate::history::SiteId;
use crate::plan::SERVICE;
use crate::running::{Lab, lock};
use linux::link::LinkIndex;
use linux::process::ProcessSignal;
use linux::{Error, address};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use terms::{Prefix, SiteName};

/// How soon a service that flaps hears that it is enough.
const GLANCE: Duration = Duration::from_millis(10);

impl Lab {
    /// Stops and continues the service, `half` of the time each, until it is restored or gone. It begins with a stop.
    pub(super) fn flap(&self, site: &SiteName, half: Duration) -> Result<(), FaultError> {
        let service = self.running(site, Part::Service)?;
        let enough = Arc::new(AtomicBool::new(false));
        let id = self.site_id(site)?;
        self.end_flapping(id);
        lock(&self.flaps).insert(id, Arc::clone(&enough));
        let processes = Arc::clone(&self.processes);
        let swing = move || {
            let turns = [ProcessSignal::SIGSTOP, ProcessSignal::SIGCONT].into_iter().cycle();
            for turn in turns {
                if enough.load(Ordering::Relaxed) || !processes.is_alive(service) {
                    break;
                }
                // One that is gone ends the loop at its next turn.
                let _ = processes.signal(service, turn);
                wait(half, &enough);
            }
            let _ = processes.signal(service, ProcessSignal::SIGCONT);
        };
        let thread = thread::Builder::new().name("flap".to_owned()).spawn(swing);
        Ok(thread.map(drop).map_err(|error| Error::new("let a service flap", error))?)
    }

    pub(super) fn end_flapping(&self, site: SiteId) {
        if let Some(enough) = lock(&self.flaps).remove(&site) {
            enough.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn starve(&self, site: &SiteName) -> Result<(), FaultError> {
        let daemon = self.running(site, Part::Daemon)?;
        Ok(self.processes.starve(daemon, true)?)
    }

    pub(super) fn end_starving(&self, site: &SiteName) -> Result<(), FaultError> {
        match self.running(site, Part::Daemon) {
            Ok(daemon) => Ok(self.processes.starve(daemon, false)?),
            Err(FaultError::NotRunning { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    pub(super) fn remove_addresses(&self, site: &SiteName) -> Result<(), FaultError> {
        let host = &self.machines[self.host(site)?.0];
        let remove = |address: IpAddr| {
            host.with_netlink(|netlink| address::remove(netlink, LinkIndex::LOOPBACK, address.into()))
        };
        Ok(SERVICE.both().into_iter().try_for_each(|address| remove(address).map(drop))?)
    }

    /// The service addresses that the host of a site lacks; none for a site that there is not.
    pub(crate) fn missing_addresses(&self, site: &SiteName) -> Option<Vec<IpAddr>> {
        let host = &self.machines[self.host(site).ok()?.0];
        let there = host.with_netlink(|netlink| address::list(netlink, LinkIndex::LOOPBACK)).ok()?;
        let lacks = |address: &IpAddr| !there.iter().any(|net| net.addr() == *address);
        Some(SERVICE.both().into_iter().filter(lacks).collect())
    }

    /// The routes that the edge router of a site has from the site's host, over both families; none if it does not
    /// answer.
    pub(crate) fn told_router(&self, site: &SiteName) -> Option<BTreeSet<Prefix>> {
        let host = self.plan.node(self.host(site).ok()?).address.v4;
        let edge = self.edge(site).ok()?;
        let answer = lock(&self.routers).get(&edge)?.ask(&format!("show route where from = {host}")).ok()?;
        // A further route of the same prefix stands behind blanks.
        Some(answer.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect())
    }
}

fn wait(time: Duration, enough: &AtomicBool) {
    let mut left = time;
    while !left.is_zero() && !enough.load(Ordering::Relaxed) {
        let step = left.min(GLANCE);
        thread::sleep(step);
        left -= step;
    }
}
