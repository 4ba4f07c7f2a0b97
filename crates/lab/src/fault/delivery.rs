//! What hosts send, and which groups they join.

use crate::delivery::{self, ANYCAST, Account, Message, Outlet, Post, Reach};
use crate::fault::apply::FaultError;
use crate::history::SiteId;
use crate::multicast::Network;
use crate::nearest::nearest_of;
use crate::plan::{NodeId, broadcast};
use crate::running::{Lab, lock};
use crate::scenario::words::{Group, HostName, LanName};
use api::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use terms::SiteName;

impl Lab {
    pub(super) fn send_unicast(&self, from: &HostName, to: &HostName) -> Result<(), FaultError> {
        let address = self.plan.node(self.node_called(to.as_str())?).address.v4;
        let reach = Reach::Each(BTreeSet::from([to.to_string()]));
        self.send(Method::Unicast, from, to.to_string(), address, reach)
    }

    pub(super) fn send_broadcast(&self, from: &HostName, to: &LanName) -> Result<(), FaultError> {
        let lan = self.world.lans.iter().position(|lan| lan.name.as_str() == to.as_str());
        let lan = lan.ok_or_else(|| self.unknown(to.as_str()))?;
        let address = broadcast(self.world.lans[lan].router);
        let reach = Reach::Each(self.names(self.plan.devices(lan)));
        self.send(Method::Broadcast, from, to.to_string(), address, reach)
    }

    pub(super) fn send_multicast(&self, from: &HostName, to: Group) -> Result<(), FaultError> {
        let members = self.post()?.members().remove(&to.address()).unwrap_or_default();
        self.send(Method::Multicast, from, to.to_string(), to.address(), Reach::Each(members))
    }

    /// The nearest site is the nearest of those that announce the address now.
    pub(super) fn send_anycast(&self, from: &HostName) -> Result<(), FaultError> {
        let place = self.plan.node(self.node_called(from.as_str())?).at;
        let announced = self.announced();
        let nearest = nearest_of(&self.world, place, |site| {
            site.service == 0 && announced.get(&site.name) == Some(&true)
        });
        let hosts = nearest.map(|(site, _)| self.names(self.plan.hosts(site))).unwrap_or_default();
        self.send(Method::Anycast, from, "the anycast address".to_owned(), ANYCAST, Reach::OneOf(hosts))
    }

    pub(super) fn join_group(&self, group: Group, host: &HostName) -> Result<(), FaultError> {
        Ok(self.post()?.join(group.address(), self.node_called(host.as_str())?)?)
    }

    pub(super) fn leave_group(&self, group: Group, host: &HostName) -> Result<(), FaultError> {
        Ok(self.post()?.leave(group.address(), self.node_called(host.as_str())?)?)
    }

    fn send(
        &self,
        method: Method,
        from: &HostName,
        to: String,
        address: Ipv4Addr,
        reach: Reach,
    ) -> Result<(), FaultError> {
        let node = self.node_called(from.as_str())?;
        let message = delivery::message(method, (from.to_string(), to), address, reach);
        Ok(self.post()?.send(node, message)?)
    }

    fn names(&self, nodes: impl Iterator<Item = NodeId>) -> BTreeSet<String> {
        nodes.map(|node| self.plan.node(node).name.clone()).collect()
    }

    /// What carries messages between hosts; it begins to with the first one.
    fn post(&self) -> linux::Result<Arc<Post>> {
        let mut post = lock(&self.post);
        match &*post {
            Some(post) => Ok(Arc::clone(post)),
            None => {
                let started = Arc::new(Post::start(&self.plan, &self.machines)?);
                *post = Some(Arc::clone(&started));
                Ok(started)
            }
        }
    }

    /// The number of the message that was sent last.
    pub(crate) fn last_sent(&self) -> Option<u32> {
        let post = lock(&self.post).clone()?;
        lock(&post.ledger).messages().next_back().map(|message| message.number)
    }

    /// A message that is remembered.
    pub(crate) fn message(&self, number: u32) -> Option<Message> {
        let post = lock(&self.post).clone()?;
        lock(&post.ledger).messages().find(|message| message.number == number).cloned()
    }

    /// What is known of everything that was sent; nothing where nothing was.
    pub(crate) fn account(&self) -> Account {
        let Some(post) = lock(&self.post).clone() else { return Account::default() };
        let name = |node: NodeId| self.plan.node(node).name.clone();
        let outlet = |(router, group, network): (NodeId, Ipv4Addr, Network)| {
            let hosts = self.hosts_on(router, network);
            (!hosts.is_empty()).then(|| Outlet { router: name(router), group, hosts })
        };
        Account {
            messages: lock(&post.ledger).messages().cloned().collect(),
            sites: self.hosts_by_site(),
            members: post.members(),
            known: post.known().into_iter().map(|(router, groups)| (name(router), groups)).collect(),
            outlets: post.forwarded(&self.machines).into_iter().filter_map(outlet).collect(),
        }
    }

    fn hosts_by_site(&self) -> BTreeMap<SiteName, BTreeSet<String>> {
        let sites = (0..).map(SiteId).zip(&self.world.sites);
        sites.map(|(id, site)| (site.name.clone(), self.names(self.plan.hosts(id)))).collect()
    }

    /// The hosts on a network of a router.
    fn hosts_on(&self, router: NodeId, network: Network) -> BTreeSet<String> {
        match network {
            Network::Lan(lan) => self.names(self.plan.devices(lan)),
            Network::Cable(cable) => {
                let far = self.plan.cables[cable.0].ends.iter().map(|port| port.node);
                let is_far = |node: &NodeId| *node != router && delivery::is_host(self.plan.node(*node).role);
                self.names(far.filter(is_far))
            }
        }
    }
}
