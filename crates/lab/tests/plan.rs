//! What holds for every plan, and what the routers are told.
#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_range_loop)] // a test says what is wrong by panicking

#[path = "support/bodies.rs"]
mod bodies;

use bodies::nothing_is_given_twice;
use lab::bird;
use lab::frr;
use lab::history::SiteId;
use lab::igp;
use lab::plan::{HostId, MOST_OWNERS, Medium, NodeId, Plan, PlanError, Purpose, Role};
use lab::policy::{SessionKind, sessions};
use lab::site_file::{nsd_configuration, site_file};
use lab::world::{RelationKind, RouterRef, Server, World, built_in};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn parsed(name: &str, text: &str) -> (World, Plan) {
    let world = World::parse(name, text).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = Plan::new(&world).unwrap();
    (world, plan)
}

fn exchange() -> (World, Plan) {
    parsed("exchange", include_str!("../../../worlds/exchange.toml"))
}

fn four_methods() -> (World, Plan) {
    parsed("four-methods", include_str!("../../../worlds/four-methods.toml"))
}

fn satellite() -> (World, Plan) {
    parsed("satellite", include_str!("../../../worlds/satellite.toml"))
}

fn worlds() -> Vec<(World, Plan)> {
    let built_in = ["tiny", "earth"].map(|name| parsed(name, &built_in(name).unwrap()));
    let more = [exchange(), four_methods(), satellite(), parsed("starting", lab::STARTING_WORLD)];
    built_in.into_iter().chain(more).collect()
}

/// The metric of every way inside a network, by the names of its ends.
fn metrics(plan: &Plan) -> BTreeMap<(usize, String), u32> {
    let mut metrics = BTreeMap::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        if matches!(node.role, Role::Router(_)) {
            for route in igp::routes(plan, NodeId(index), &BTreeSet::new()) {
                metrics.insert((index, route.destination.v4.to_string()), route.metric);
            }
        }
    }
    metrics
}

#[test]
fn names_addresses_and_interfaces_are_unique() {
    for (_, plan) in worlds() {
        nothing_is_given_twice(&plan);
    }
}

/// Follows the rules of Gao and Rexford: up to providers, across at most one peering, down to customers.
fn reached(world: &World, from: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([(from, true)]);
    let mut open = VecDeque::from([(from, true)]);
    while let Some((network, climbing)) = open.pop_front() {
        for members in world.exchanges.iter().map(|exchange| &exchange.members) {
            if climbing && members.iter().any(|member| member.network == network) {
                let others = members.iter().map(|member| (member.network, false));
                open.extend(others.filter(|other| seen.insert(*other)));
            }
        }
        for relation in &world.relations {
            let (left, right) = (relation.left.network, relation.right.network);
            let steps = match relation.kind {
                RelationKind::Transit => [(left, right, climbing, true), (right, left, true, false)],
                RelationKind::Peering => [(left, right, climbing, false), (right, left, climbing, false)],
            };
            for (start, end, allowed, still_climbing) in steps {
                if start == network && allowed && seen.insert((end, still_climbing)) {
                    open.push_back((end, still_climbing));
                }
            }
        }
    }
    seen.into_iter().map(|(network, _)| network).collect()
}

#[test]
fn every_host_has_a_cable_to_the_data_centre_where_there_is_one() {
    for (mut world, plain) in worlds() {
        assert_eq!(plain.core(), None);
        world.operation.dependency = true;
        let plan = Plan::new(&world).unwrap();
        nothing_is_given_twice(&plan);
        let core = plan.core().unwrap();
        let hosts: BTreeSet<NodeId> = plan.ports(core).map(|(_, _, there)| there.node).collect();
        let all: BTreeSet<NodeId> =
            (0..world.sites.len() as u16).flat_map(|site| plan.hosts(SiteId(site))).collect();
        assert_eq!(hosts, all);
    }
}

#[test]
fn policy_lets_every_client_reach_every_network() {
    for (world, _) in worlds() {
        for client in &world.clients {
            let reached = reached(&world, client.router.network);
            let missing: Vec<&str> = (0..world.networks.len())
                .filter(|network| !reached.contains(network))
                .map(|network| world.networks[network].name.as_str())
                .collect();
            assert!(missing.is_empty(), "{} in {} does not reach {missing:?}", client.name, world.name);
        }
    }
}

#[test]
fn cables_are_as_long_as_geography_says() {
    for (world, plan) in worlds() {
        for cable in &plan.cables {
            let [left, right] = cable.ends.each_ref().map(|port| plan.node(port.node).at);
            match cable.medium {
                Medium::Fibre { delay, .. } => {
                    let is_said = world.overrides.iter().any(|said| {
                        let ends = [said.ends.0, said.ends.1].map(|end| plan.router(end));
                        cable.ends.iter().all(|port| ends.contains(&Some(port.node)))
                    });
                    assert!(is_said || delay == left.cable_delay(right), "{}", cable.name);
                }
                Medium::Lan => {
                    assert!(matches!(
                        cable.purpose,
                        Purpose::SiteLan | Purpose::Management | Purpose::Exchange | Purpose::Device
                    ))
                }
            }
        }
    }
}

#[test]
fn a_network_whose_cable_breaks_goes_round_or_goes_without() {
    let (_, plan) = worlds().remove(1);
    let london = plan.node_called("atlas-london").unwrap();
    let tokyo = plan.node(plan.node_called("atlas-tokyo").unwrap()).address;
    let to_tokyo = |broken: &BTreeSet<_>| {
        igp::routes(&plan, london, broken).into_iter().find(|route| route.destination == tokyo)
    };
    let mut broken = BTreeSet::new();
    let before = to_tokyo(&broken).unwrap();
    let first = plan.ports(london).find(|(_, _, far)| far.address == before.via).unwrap().0;
    broken.insert(first);
    let after = to_tokyo(&broken).unwrap();
    assert!(after.metric > before.metric && after.via != before.via);
    broken.extend(plan.ports(london).map(|(cable, _, _)| cable));
    assert_eq!(to_tokyo(&broken), None);
}

#[test]
fn bird_accepts_every_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bird.conf");
    let judge = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = Command::new("bird").arg("-p").arg("-c").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    };
    std::fs::write(directory.path().join(bird::SHIFT_FILE), bird::shift(Some("atlas-london"))).unwrap();
    for (mut world, plan) in worlds() {
        for router in world.routers() {
            let id = plan.router(router).unwrap();
            let routes = igp::routes(&plan, id, &BTreeSet::new());
            std::fs::write(directory.path().join(bird::IGP_FILE), bird::igp(&routes)).unwrap();
            judge(&bird::configuration(&world, &plan, router, directory.path()));
        }
        for exchange in 0..world.exchanges.len() {
            judge(&bird::route_server(&world, &plan, plan.exchange(exchange).unwrap(), directory.path()));
        }
        // A number of four octets fits into no community of two.
        world.networks[0].asn = 4_200_000_999.try_into().unwrap();
        let plan = Plan::new(&world).unwrap();
        judge(&bird::configuration(&world, &plan, RouterRef { network: 0, place: 0 }, directory.path()));
    }
}

#[test]
fn of_two_routers_one_calls_the_other() {
    for (world, plan) in worlds() {
        let mut ends: BTreeMap<_, Vec<bool>> = BTreeMap::new();
        for router in world.routers() {
            for session in sessions(&world, &plan, plan.router(router).unwrap()) {
                match session.kind {
                    SessionKind::Inside | SessionKind::Border(_) => {
                        let link = BTreeSet::from([session.own.v4, session.theirs.v4]);
                        ends.entry(link).or_default().push(session.waits);
                    }
                    // The route server waits for every member; a host and its router both call.
                    SessionKind::RouteServer | SessionKind::Host => assert!(!session.waits),
                }
            }
        }
        let one_waits = |waits: &Vec<bool>| matches!(waits[..], [true, false] | [false, true]);
        assert!(ends.values().all(one_waits), "{}: {ends:?}", world.name);
    }
}

#[test]
fn frr_accepts_every_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bgpd.conf");
    for (mut world, plan) in worlds() {
        world.operation.bfd = Some(Duration::from_millis(50));
        for router in world.routers() {
            let text = frr::configuration(&world, &plan, plan.router(router).unwrap());
            std::fs::write(&file, &text).unwrap();
            let output = Command::new("/usr/lib/frr/bgpd").arg("-C").arg("-f").arg(&file).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&said));
        }
    }
}

#[test]
fn what_routers_at_an_exchange_are_told() {
    let (world, plan) = exchange();
    let mut text = bird::route_server(&world, &plan, plan.exchange(0).unwrap(), Path::new("/run/lab"));
    for name in ["anycast-amsterdam", "polder-amsterdam"] {
        let id = plan.node_called(name).unwrap();
        let Role::Router(router) = plan.node(id).role else { panic!("{name} is no router") };
        text += "\n========\n";
        text += &bird::configuration(&world, &plan, router, Path::new("/run/lab"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_a_router_of_frr_is_told() {
    let (world, plan) = exchange();
    let id = plan.node_called("borea-amsterdam").unwrap();
    insta::assert_snapshot!(frr::configuration(&world, &plan, id));
}

#[test]
fn what_an_edge_router_and_a_carrier_are_told() {
    let (world, plan) = worlds().remove(0);
    let mut text = String::new();
    for name in ["anycast-newyork", "boreal-newyork"] {
        let id = plan.node_called(name).unwrap();
        let Role::Router(router) = plan.node(id).role else { panic!("{name} is no router") };
        text += &bird::configuration(&world, &plan, router, Path::new("/run/lab"));
        text += &bird::igp(&igp::routes(&plan, id, &BTreeSet::new()));
        text += "\n========\n";
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_a_site_is_told() {
    let (mut world, plan) = worlds().remove(0);
    let site = world.sites[0].clone();
    let host = plan.hosts(SiteId(0)).next().unwrap();
    let first = HostId { site: SiteId(0), number: 0 };
    let built_in = site_file(&world, &plan, &site, (first, host));
    insta::assert_snapshot!("site_file", built_in);
    world.services[0].server = Server::Nsd;
    let beside = site_file(&world, &plan, &site, (first, host));
    assert_eq!(beside, built_in.replace("\n[service.dns]\nzones = [\"example.zone\"]\n", ""));
    insta::assert_snapshot!("nsd_configuration", nsd_configuration(&world, &site));
}

/// A network in some cities with some cables, and the islands that every world needs.
fn world_with_backbone(cities: usize, links: &BTreeSet<(usize, usize)>) -> World {
    let names = ["london", "tokyo", "lagos", "lima", "oslo", "delhi", "perth", "cairo"];
    let links: Vec<String> =
        links.iter().map(|&(from, to)| format!("\"{}-{}\"", names[from], names[to])).collect();
    let text = format!(
        "[world]\nname = \"random\"\n[[as]]\nasn = 64601\nname = \"Net\"\ncities = {:?}\nlinks = [{}]\n\
         [[as]]\nasn = 64500\nname = \"Any\"\nsites = [\"london\"]\nhost_asn = 64501\n\
         [relations]\ntransit = [\"Any > Net @ london\"]\n[clients]\nlondon = \"Net\"\n",
        &names[..cities],
        links.join(", ")
    );
    World::parse("random", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn backbone() -> impl Strategy<Value = (usize, BTreeSet<(usize, usize)>)> {
    (2usize..=8).prop_flat_map(|cities| {
        let pair = (0..cities, 0..cities).prop_filter_map("a cable has two ends", |(from, to)| {
            (from != to).then_some((from.min(to), from.max(to)))
        });
        (Just(cities), prop::collection::btree_set(pair, 0..12))
    })
}

proptest! {
    #[test]
    fn ways_inside_a_network_are_shortest_and_the_same_in_both_directions((cities, links) in backbone()) {
        let world = world_with_backbone(cities, &links);
        let plan = Plan::new(&world).unwrap();
        nothing_is_given_twice(&plan);
        let loopback = |place: usize| {
            plan.node(plan.router(RouterRef { network: 0, place }).unwrap()).address.v4.to_string()
        };
        // Floyd and Warshall find the same by another way.
        let mut expected = vec![vec![None::<u32>; cities]; cities];
        for cable in plan.cables.iter().filter(|cable| cable.purpose == Purpose::Backbone) {
            let Medium::Fibre { delay, .. } = cable.medium else { panic!("a backbone is fibre") };
            let [from, to] = cable.ends.each_ref().map(|port| port.node.0);
            let metric = Some(delay.as_micros() as u32);
            (expected[from][to], expected[to][from]) = (metric, metric);
        }
        for middle in 0..cities {
            for from in 0..cities {
                for to in 0..cities {
                    let (Some(first), Some(second)) = (expected[from][middle], expected[middle][to]) else { continue };
                    let direct = expected[from][to].unwrap_or(u32::MAX);
                    expected[from][to] = Some(direct.min(first + second));
                }
            }
        }
        let found = metrics(&plan);
        for from in 0..cities {
            for to in (0..cities).filter(|&to| to != from) {
                prop_assert_eq!(found.get(&(from, loopback(to))).copied(), expected[from][to]);
            }
        }
    }
}

#[test]
fn more_hosts_than_have_a_number_cannot_look_after_connections() {
    let (mut world, _) = parsed("tiny", &built_in("tiny").unwrap());
    let [first, second, third] = &mut world.sites[..] else { panic!("three sites") };
    (first.hosts, second.hosts, third.hosts) = (32, 31, 1);
    world.operation.continuity = true;
    let hosts = |plan: Plan| plan.nodes.iter().filter(|node| matches!(node.role, Role::Host(_))).count();
    assert_eq!(Plan::new(&world).map(hosts), Ok(MOST_OWNERS));
    world.sites[2].hosts = 2;
    assert_eq!(Plan::new(&world).err(), Some(PlanError::TooManyOwners { hosts: 65 }));
    world.operation.continuity = false;
    assert!(Plan::new(&world).is_ok());
}
