//! The hostile neighbour.

use crate::fault::apply::FaultError;
use crate::history::SiteId;
use crate::hostile::{Attack, Progress, Script, ScriptName};
use crate::plan::{NodeId, hostile_neighbour};
use crate::running::{Lab, lock};
use linux::{Error, address, link, socket};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use terms::SiteName;

/// The port of BGP.
const BGP: u16 = 179;
/// How long the hostile neighbour waits for one connection.
const CONNECTING: Duration = Duration::from_secs(1);

impl Lab {
    /// Plays the script from the LAN of the site, in place of what it played before. The hostile router is an address
    /// in the namespace of the edge router: it needs no more than a connection.
    pub(super) fn attack(&self, name: &SiteName, script: ScriptName) -> Result<(), FaultError> {
        let site = self.site_id(name)?;
        let described = &self.world.sites[usize::from(site.0)];
        if !described.hostile {
            return Err(FaultError::NobodyHostile(name.clone()));
        }
        let script = Script::parse(script.text())
            .map_err(|error| Error::new("read a script", io::Error::other(error)))?;
        let (edge, host) = (self.edge(name)?, self.hosts_of(name)?[0].node);
        let from = hostile_neighbour(described.router).v4;
        self.appear_on_lan(edge, host, from)?;
        let namespace = self.machines[edge.0].namespace.try_clone()?;
        let to = self.plan.node(host).address.v4;
        let attack = self.begin_attack(site);
        let play = move || {
            let connect = || {
                let connect = || socket::connect_tcp((from, 0).into(), (to, BGP).into(), CONNECTING);
                namespace.run(connect).and_then(|connected| connected).map_err(io::Error::other)
            };
            let played = script.play(connect, &attack.stop);
            *lock(&attack.progress) = match played {
                Ok(()) => Progress::Over,
                Err(error) => Progress::Failed(error.to_string()),
            };
        };
        let thread = thread::Builder::new().name("hostile".to_owned()).spawn(play);
        thread.map_err(|error| Error::new("start the hostile neighbour", error))?;
        Ok(())
    }

    /// Gives the edge router's interface on the LAN one more address.
    fn appear_on_lan(&self, edge: NodeId, host: NodeId, address: Ipv4Addr) -> Result<(), FaultError> {
        let mut ports = self.plan.ports(edge);
        let Some((_, port, _)) = ports.find(|(_, _, far)| far.node == host) else { return Ok(()) };
        self.machines[edge.0].with_netlink(|netlink| {
            let link = link::index(netlink, &port.interface)?;
            address::add(netlink, link, IpAddr::from(address).into()).map(drop)
        })?;
        Ok(())
    }

    fn begin_attack(&self, site: SiteId) -> Arc<Attack> {
        self.end_attack(site);
        let attack = Arc::new(Attack::default());
        lock(&self.attacks).insert(site, Arc::clone(&attack));
        attack
    }

    pub(super) fn end_attack(&self, site: SiteId) {
        if let Some(attack) = lock(&self.attacks).remove(&site) {
            attack.stop.store(true, Ordering::Relaxed);
        }
    }
}
