//! Lays out nodes and cables.

use super::addressing::{self, MOST_CABLES};
use super::{
    Cable, CableId, DeviceId, HostId, MOST_OWNERS, Medium, Node, NodeId, Pair, Plan, PlanError, Port,
    Purpose, Role, SWITCH, Session,
};
use crate::history::{ClientId, SiteId};
use crate::world::{RouterRef, Site, World, host_name};
use std::collections::BTreeMap;
use std::time::Duration;

/// An interface's name has at most this many bytes.
const LONGEST_INTERFACE: usize = 15;
/// One way over the LAN of a site, where it is a cable: as over the shortest of them.
const LAN_DELAY: Duration = Duration::from_micros(50);

pub(super) fn build(world: &World) -> Result<Plan, PlanError> {
    let hosts = world.sites.iter().map(|site| usize::from(site.hosts)).sum();
    if world.operation.continuity && hosts > MOST_OWNERS {
        return Err(PlanError::TooManyOwners { hosts });
    }
    let plan = Plan { nodes: Vec::new(), cables: Vec::new(), sessions: Vec::new() };
    let mut builder = Builder { world, plan, routers: BTreeMap::new(), begun: BTreeMap::new() };
    builder.routers();
    builder.backbones()?;
    builder.borders()?;
    builder.exchanges();
    let core = builder.core();
    builder.sites(core);
    builder.clients()?;
    builder.devices();
    Ok(builder.plan)
}

struct Builder<'w> {
    world: &'w World,
    plan: Plan,
    routers: BTreeMap<RouterRef, NodeId>,
    /// How many cables begin at each router so far.
    begun: BTreeMap<RouterRef, usize>,
}

impl Builder<'_> {
    fn routers(&mut self) {
        for router in self.world.routers() {
            let (network, place) = self.world.router(router);
            let node = Node {
                name: self.world.router_name(router),
                role: Role::Router(router),
                city: place.city.clone(),
                at: place.at,
                asn: network.asn,
                network: network.name.clone(),
                address: addressing::loopback(router),
            };
            let id = self.node(node);
            self.routers.insert(router, id);
        }
    }

    fn backbones(&mut self) -> Result<(), PlanError> {
        let world = self.world;
        for (index, network) in world.networks.iter().enumerate() {
            for &(from, to) in &network.backbone {
                let end = |place| RouterRef { network: index, place };
                self.between(end(from), end(to), Purpose::Backbone)?;
            }
        }
        Ok(())
    }

    fn borders(&mut self) -> Result<(), PlanError> {
        let world = self.world;
        for relation in &world.relations {
            let cable = self.between(relation.left, relation.right, Purpose::Border)?;
            self.plan.sessions.push(Session { cable, kind: relation.kind });
        }
        Ok(())
    }

    fn between(&mut self, from: RouterRef, to: RouterRef, purpose: Purpose) -> Result<CableId, PlanError> {
        let distance = |router| self.world.router(router).1.at;
        let by_geography = distance(from).cable_delay(distance(to));
        let written = self.world.overrides.iter().find(|o| o.ends == (from, to) || o.ends == (to, from));
        let delay = written.and_then(|written| written.delay).unwrap_or(by_geography);
        let loss = written.map_or(0.0, |written| written.loss);
        let rate = written.and_then(|written| written.rate);
        let addresses = self.next_cable(from)?;
        let ends = [self.routers[&from], self.routers[&to]];
        Ok(self.cable(ends, addresses, Medium::Fibre { delay, loss, rate }, purpose))
    }

    fn exchanges(&mut self) {
        let world = self.world;
        for (index, exchange) in world.exchanges.iter().enumerate() {
            let node = self.node(Node {
                name: exchange.name.to_string(),
                role: Role::Exchange(index),
                city: exchange.place.city.clone(),
                at: exchange.place.at,
                asn: exchange.asn,
                network: exchange.name.to_string(),
                address: addressing::route_server(index),
            });
            for (place, member) in exchange.members.iter().enumerate() {
                let addresses = [addressing::member(index, place), addressing::route_server(index)];
                self.cable([self.routers[member], node], addresses, Medium::Lan, Purpose::Exchange);
            }
        }
    }

    /// It stands where the first site stands: on its own cables that makes no difference.
    fn core(&mut self) -> Option<NodeId> {
        let world = self.world;
        let first = world.sites.first().filter(|_| world.operation.has_core())?;
        let (network, place) = world.router(first.router);
        Some(self.node(Node {
            name: "core".to_owned(),
            role: Role::Core,
            city: place.city.clone(),
            at: place.at,
            asn: world.service_of(first).host_asn,
            network: network.name.clone(),
            address: addressing::core(),
        }))
    }

    fn sites(&mut self, core: Option<NodeId>) {
        let world = self.world;
        for (index, site) in world.sites.iter().enumerate() {
            for number in 0..site.hosts {
                self.host(site, HostId { site: SiteId::at(index), number }, core);
            }
        }
    }

    fn host(&mut self, site: &Site, id: HostId, core: Option<NodeId>) {
        let world = self.world;
        let (network, place) = world.router(site.router);
        let addresses = addressing::site_lan(site.router, id.number);
        let host = self.node(Node {
            name: host_name(site, id.number),
            role: Role::Host(id),
            city: place.city.clone(),
            at: place.at,
            asn: world.service_of(site).host_asn,
            network: network.name.clone(),
            address: addresses[1],
        });
        // A link that BFD watches has to be one that can fall silent.
        let silent = Medium::Fibre { delay: LAN_DELAY, loss: 0.0, rate: None };
        let medium = world.operation.bfd.map_or(Medium::Lan, |_| silent);
        self.cable([self.routers[&site.router], host], addresses, medium, Purpose::SiteLan);
        if let Some(core) = core {
            let addresses = addressing::management(usize::from(id.site.0), id.number);
            self.cable([core, host], addresses, Medium::Lan, Purpose::Management);
        }
    }

    fn clients(&mut self) -> Result<(), PlanError> {
        let world = self.world;
        for (index, client) in world.clients.iter().enumerate() {
            let (network, at) = world.router(client.router);
            let addresses = self.next_cable(client.router)?;
            let node = self.node(Node {
                name: client.name.clone(),
                role: Role::Client(ClientId(index as u16)),
                city: client.place.city.clone(),
                at: client.place.at,
                asn: network.asn,
                network: network.name.clone(),
                address: addresses[1],
            });
            let delay: Duration = client.place.at.cable_delay(at.at);
            let ends = [self.routers[&client.router], node];
            self.cable(ends, addresses, Medium::Fibre { delay, loss: 0.0, rate: None }, Purpose::Access);
        }
        Ok(())
    }

    fn devices(&mut self) {
        let world = self.world;
        for (lan, found) in world.lans.iter().enumerate() {
            let (network, place) = world.router(found.router);
            for number in 0..found.devices {
                let addresses =
                    [addressing::lan_router(found.router), addressing::device(found.router, number)];
                let node = self.node(Node {
                    name: found.device_name(number),
                    role: Role::Device(DeviceId { lan, number }),
                    city: place.city.clone(),
                    at: place.at,
                    asn: network.asn,
                    network: network.name.clone(),
                    address: addresses[1],
                });
                let ends = [self.routers[&found.router], node];
                self.cable(ends, addresses, Medium::Lan, Purpose::Device);
            }
        }
    }

    fn next_cable(&mut self, router: RouterRef) -> Result<[Pair; 2], PlanError> {
        let begun = self.begun.entry(router).or_default();
        if *begun == MOST_CABLES {
            let router = self.world.router_name(router);
            return Err(PlanError::TooManyCables { router, most: MOST_CABLES });
        }
        *begun += 1;
        Ok(addressing::cable(router, *begun - 1))
    }

    fn node(&mut self, node: Node) -> NodeId {
        self.plan.nodes.push(node);
        NodeId(self.plan.nodes.len() - 1)
    }

    fn cable(
        &mut self,
        ends: [NodeId; 2],
        addresses: [Pair; 2],
        medium: Medium,
        purpose: Purpose,
    ) -> CableId {
        let id = CableId(self.plan.cables.len());
        let [left, right] = ends;
        let port = |node: NodeId, far: NodeId, address| Port {
            node,
            interface: self.interface(node, &self.plan.node(far).name, id),
            address,
        };
        let ends = [port(left, right, addresses[0]), port(right, left, addresses[1])];
        let name = format!("{}-{}", self.plan.node(left).name, self.plan.node(right).name);
        self.plan.cables.push(Cable { name, ends, medium, purpose });
        id
    }

    /// An interface is called as the node that it leads to, if that fits and is not taken.
    fn interface(&self, node: NodeId, far: &str, cable: CableId) -> String {
        let taken = self.plan.ports(node).any(|(_, port, _)| port.interface == far);
        if far.len() <= LONGEST_INTERFACE && !taken && far != SWITCH {
            far.to_owned()
        } else {
            format!("cable{}", cable.0)
        }
    }
}
