//! The four methods of delivery on the picture: local networks, hosts, what was sent and who got it. A world without a LAN
//! has them once somebody has sent or joined something.

use crate::clock;
use crate::delivery::{Ledger, Message, is_host};
use crate::plan::{Node, Role, broadcast};
use crate::running::{Lab, lock};
use crate::story::milliseconds;
use api::{Delivery, Host, Method, MulticastGroup, NodeKind, Picture, Receipt, Sent};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

type Members = BTreeMap<Ipv4Addr, BTreeSet<String>>;

/// Draws them in.
pub(super) fn draw(lab: &Lab, picture: &mut Picture) {
    let post = lock(&lab.post).clone();
    if lab.world.lans.is_empty() && post.is_none() {
        return;
    }
    picture.lans = lans(lab);
    match post {
        Some(post) => {
            let members = post.members();
            let ledger = lock(&post.ledger);
            picture.hosts = hosts(lab, &members, &ledger);
            picture.deliveries = Method::ALL.map(|method| delivery(lab, method, &ledger)).into();
            drop(ledger);
            picture.multicast_groups = groups(lab, &members, post.known());
        }
        None => {
            let (members, ledger) = (Members::new(), Ledger::default());
            picture.hosts = hosts(lab, &members, &ledger);
            picture.deliveries = Method::ALL.map(|method| delivery(lab, method, &ledger)).into();
        }
    }
}

fn lans(lab: &Lab) -> Vec<api::Lan> {
    let lan = |lan: &crate::world::Lan| api::Lan {
        name: lan.name.to_string(),
        router: lab.world.router_name(lan.router),
        broadcast: broadcast(lan.router),
    };
    lab.world.lans.iter().map(lan).collect()
}

fn hosts(lab: &Lab, members: &Members, ledger: &Ledger) -> Vec<Host> {
    let host = |node: &Node| {
        let lan = match node.role {
            Role::Device(device) => lab.world.lans.get(device.lan),
            _ => None,
        };
        let joined = members.iter().filter(|(_, names)| names.contains(&node.name));
        Host {
            name: node.name.clone(),
            kind: match node.role {
                Role::Host(_) => NodeKind::Site,
                Role::Device(_) => NodeKind::Device,
                _ => NodeKind::Client,
            },
            lan: lan.map(|lan| lan.name.to_string()),
            city: node.city.clone(),
            address: node.address.v4,
            groups: joined.map(|(group, _)| *group).collect(),
            received: Method::ALL.map(|method| ledger.received(&node.name, method)),
        }
    };
    lab.plan.nodes.iter().filter(|node| is_host(node.role)).map(host).collect()
}

fn delivery(lab: &Lab, method: Method, ledger: &Ledger) -> Delivery {
    let last = ledger.messages().rev().find(|message| message.method == method);
    Delivery { method, sent: ledger.sent(method), last: last.map(|message| sent(lab, message)) }
}

fn sent(lab: &Lab, message: &Message) -> Sent {
    let receipt = |(host, times): (&String, &u32)| Receipt { host: host.clone(), times: *times };
    Sent {
        from: message.from.clone(),
        to: message.to.clone(),
        address: message.address,
        at_ms: milliseconds(message.at, lab.began),
        received: message.received.iter().map(receipt).collect(),
        as_meant: message.as_meant(clock::now()),
    }
}

fn groups(
    lab: &Lab,
    members: &Members,
    known: BTreeMap<crate::plan::NodeId, BTreeSet<Ipv4Addr>>,
) -> Vec<MulticastGroup> {
    let mut groups: BTreeMap<Ipv4Addr, MulticastGroup> = BTreeMap::new();
    let blank = |group| MulticastGroup { group, members: Vec::new(), routers: Vec::new() };
    for (group, names) in members {
        let entry = groups.entry(*group).or_insert_with(|| blank(*group));
        entry.members = names.iter().cloned().collect();
    }
    for (router, of_router) in known {
        for group in of_router {
            let entry = groups.entry(group).or_insert_with(|| blank(group));
            entry.routers.push(lab.plan.node(router).name.clone());
        }
    }
    groups.into_values().collect()
}
