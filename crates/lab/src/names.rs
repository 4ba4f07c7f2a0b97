//! The names of a world, and what could be meant by a wrong one.

use crate::delivery::is_host;
use crate::fault::{Central, Fault, LONGEST_PACKET};
use crate::plan::{Medium, NodeId, Plan, Role};
use crate::policy::sessions;
use crate::sentence::{Kind, Mention};
use crate::world::World;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use terms::{SiteName, nearest_spelling};

/// The most questions a second that one node is let send: cables carry every one of them.
const MOST_QUESTIONS: usize = 100_000;
/// What the longest packet of a cable may be: IPv6 needs 1280 octets (RFC 8200 section 5).
const LENGTHS: RangeInclusive<usize> = 1280..=LONGEST_PACKET;
/// Most connections that are opened at once: a client has 28,000 ports for them.
const MOST_CONNECTIONS: usize = 10_000;

/// Everything of a world that sentences can name.
#[derive(Clone, Debug)]
pub struct Names {
    clients: Vec<String>,
    sites: Vec<String>,
    nodes: Vec<String>,
    /// Cables that can be cut, as pairs of nodes.
    cables: Vec<[String; 2]>,
    /// Routers of networks, and of each its neighbours in other networks.
    routers: BTreeMap<String, Vec<String>>,
    /// Hosts of sites.
    hosts: Vec<String>,
    /// Everybody who sends and receives.
    receivers: Vec<String>,
    lans: Vec<String>,
    /// Sites with a service that is a process of its own.
    beside: Vec<String>,
    has_store: bool,
    has_core: bool,
    has_echo: bool,
}

/// The names of those who ask; a resolver asks several services, and has one name.
fn askers(world: &World) -> Vec<String> {
    let mut names: Vec<String> = world.askers.iter().map(|asker| asker.name.clone()).collect();
    names.dedup();
    names
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What there is not.
    pub message: String,
    /// What there is.
    pub hint: String,
}

impl Names {
    /// The names of this world.
    pub fn of(world: &World, plan: &Plan) -> Self {
        let fibres = plan.cables.iter().filter(|cable| matches!(cable.medium, Medium::Fibre { .. }));
        let named = |role: fn(&Role) -> bool| {
            let nodes = plan.nodes.iter().enumerate().filter(move |(_, node)| role(&node.role));
            nodes.map(|(id, node)| (NodeId(id), node.name.clone())).collect::<Vec<_>>()
        };
        let neighbours = |router: NodeId| {
            let sessions = sessions(world, plan, router);
            let outside = sessions.iter().filter(|session| session.kind.neighbour().is_some());
            outside.map(|session| session.far.name.clone()).collect()
        };
        let routers = named(|role| matches!(role, Role::Router(_)));
        Names {
            routers: routers.into_iter().map(|(id, name)| (name, neighbours(id))).collect(),
            hosts: named(|role| matches!(role, Role::Host(_))).into_iter().map(|(_, name)| name).collect(),
            receivers: named(|role| is_host(*role)).into_iter().map(|(_, name)| name).collect(),
            lans: world.lans.iter().map(|lan| lan.name.to_string()).collect(),
            clients: askers(world),
            sites: world.sites.iter().map(|site| site.name.to_string()).collect(),
            nodes: plan.nodes.iter().map(|node| node.name.clone()).collect(),
            beside: world
                .sites
                .iter()
                .filter(|site| world.service_of(site).server.is_beside())
                .map(|site| site.name.to_string())
                .collect(),
            has_store: world.operation.fleet.is_some(),
            has_core: world.operation.has_core(),
            has_echo: world.operation.continuity,
            cables: fibres
                .map(|cable| cable.ends.each_ref().map(|end| plan.node(end.node).name.clone()))
                .collect(),
        }
    }

    /// Which of these names there are not.
    pub fn wrong(&self, mentions: &[Mention<'_>]) -> Vec<Wrong> {
        mentions.iter().filter_map(|mention| self.wrong_name(mention)).collect()
    }

    /// What there is not of that at which a fault aims.
    pub fn wrong_in_fault(&self, fault: &Fault) -> Vec<Wrong> {
        let wrong = self.wrong(&fault.mentions());
        if !wrong.is_empty() {
            return wrong;
        }
        let cable = fault.cable().and_then(|(end, other)| self.no_cable(end.as_str(), other.as_str()));
        let service = fault.service().and_then(|site| self.no_service(site));
        let central = fault.needs().and_then(|part| self.no_central(part));
        let node = self.wrong_node(fault);
        cable.into_iter().chain(service).chain(central).chain(node).collect()
    }

    /// What is wrong with a node for which a fault makes no sense.
    fn wrong_node(&self, fault: &Fault) -> Option<Wrong> {
        match fault {
            Fault::UrpfRouter { router } => self.no_router(router.as_str()),
            Fault::ShiftRouter { router, neighbour } | Fault::FlapRoute { router, neighbour, .. } => self
                .no_router(router.as_str())
                .or_else(|| self.no_session(router.as_str(), neighbour.as_str())),
            Fault::PowerCutHost { host } if !self.hosts.iter().any(|name| name == host.as_str()) => {
                Some(Wrong {
                    message: format!("{host} is no host of a site"),
                    hint: format!("the hosts are {}", self.hosts.join(", ")),
                })
            }
            Fault::OpenConnections { .. }
            | Fault::OpenStreamConnections { .. }
            | Fault::BeginTransfers { .. }
                if !self.has_echo =>
            {
                Some(Wrong {
                    message: "nobody sends back what clients send: no site looks after connections"
                        .to_owned(),
                    hint: "give the world a section `[site]` with `continuity = true`, and a `[fleet]`"
                        .to_owned(),
                })
            }
            Fault::OpenConnections { count, .. }
            | Fault::OpenDnsConnections { count, .. }
            | Fault::OpenStreamConnections { count, .. }
                if !(1..=MOST_CONNECTIONS).contains(&count.get()) =>
            {
                Some(Wrong {
                    message: format!("nobody can open {count} connections at once"),
                    hint: format!("1 to {MOST_CONNECTIONS}"),
                })
            }
            Fault::NarrowCable { count, .. } if !LENGTHS.contains(&count.get()) => Some(Wrong {
                message: format!("no cable is narrowed to {count} octets"),
                hint: format!("{} to {}", LENGTHS.start(), LENGTHS.end()),
            }),
            Fault::FloodFrom { count, .. } | Fault::FloodAcks { count, .. }
                if !(1..=MOST_QUESTIONS).contains(&count.get()) =>
            {
                Some(Wrong {
                    message: format!("nobody can send {count} packets a second"),
                    hint: format!("1 to {MOST_QUESTIONS}"),
                })
            }
            _ => None,
        }
    }

    fn no_router(&self, name: &str) -> Option<Wrong> {
        let known: Vec<&str> = self.routers.keys().map(String::as_str).collect();
        (!self.routers.contains_key(name)).then(|| Wrong {
            message: format!("{name} is no router"),
            hint: format!("the routers are {}", known.join(", ")),
        })
    }

    fn no_session(&self, router: &str, neighbour: &str) -> Option<Wrong> {
        let neighbours = self.routers.get(router)?;
        (!neighbours.iter().any(|name| name == neighbour)).then(|| Wrong {
            message: format!("{router} has no session with {neighbour} in another network"),
            hint: format!("its neighbours there are {}", neighbours.join(", ")),
        })
    }

    fn no_service(&self, site: &SiteName) -> Option<Wrong> {
        (!self.beside.iter().any(|name| name == site.as_str())).then(|| Wrong {
            message: format!(
                "the service of {site} is built into its daemon: it cannot be touched apart from it"
            ),
            hint: format!("strike `daemon {site}`, or let the world have `service = \"nsd\"`"),
        })
    }

    fn no_central(&self, part: Central) -> Option<Wrong> {
        let (message, hint) = match part {
            Central::Store if !self.has_store => {
                ("this world has no fleet store", "give it a section `[fleet]`")
            }
            Central::Backbone if !self.has_core => (
                "the sites of this world depend on no data centre",
                "give it a section `[fleet]`, or `[site]` with `dependency = true`",
            ),
            Central::Store | Central::Backbone => return None,
        };
        Some(Wrong { message: message.to_owned(), hint: hint.to_owned() })
    }

    fn wrong_name(&self, mention: &Mention<'_>) -> Option<Wrong> {
        let known: Vec<&str> = match mention.kind {
            Kind::Client => self.clients.iter().map(String::as_str).collect(),
            Kind::Site => self.sites.iter().map(String::as_str).collect(),
            Kind::Node => self.nodes.iter().map(String::as_str).collect(),
            Kind::Host => self.receivers.iter().map(String::as_str).collect(),
            Kind::Router => self.routers.keys().map(String::as_str).collect(),
            Kind::Lan => self.lans.iter().map(String::as_str).collect(),
        };
        if known.contains(&mention.name) {
            return None;
        }
        if known.is_empty() {
            let message = format!("this world has no {}", mention.kind);
            return Some(Wrong { message, hint: "a world file makes one with `[[lan]]`".to_owned() });
        }
        let guess = nearest_spelling(mention.name, known.iter().copied());
        let guess = guess.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        Some(Wrong {
            message: format!("this world has no {} `{}`", mention.kind, mention.name),
            hint: format!("{guess}It has {}", known.join(", ")),
        })
    }

    fn no_cable(&self, end: &str, other: &str) -> Option<Wrong> {
        let joins = |cable: &[String; 2], node: &str| cable.iter().any(|name| name == node);
        if self.cables.iter().any(|cable| joins(cable, end) && joins(cable, other) && end != other) {
            return None;
        }
        let near = self.cables.iter().filter(|cable| joins(cable, end) || joins(cable, other));
        let near: Vec<String> = near.map(|[left, right]| format!("{left} - {right}")).collect();
        Some(Wrong {
            message: format!("no cable joins {end} and {other}"),
            hint: format!("the cables of these nodes are {}", near.join(", ")),
        })
    }
}
