//! Several services in one world: which site is whose, who asks whom, and what each site is told.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

use lab::history::SiteId;
use lab::plan::{HostId, Plan, announced, service_address};
use lab::site_file::{site_file, unbound_configuration};
use lab::world::{Server, Site, World, built_in};
use lab::zones::{root_hints, zone};
use std::collections::BTreeSet;
use std::fmt::Write;
use terms::Prefix;

fn world() -> World {
    World::parse("dns-root", &built_in("dns-root").unwrap()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn site<'w>(world: &'w World, name: &str) -> (SiteId, &'w Site) {
    let place = world.sites.iter().position(|site| site.name.as_str() == name).unwrap();
    (SiteId(place as u16), &world.sites[place])
}

#[test]
fn a_site_has_the_name_of_its_service_and_a_resolver_asks_those_with_zones() {
    let world = world();
    let services: Vec<(&str, Server)> =
        world.services.iter().map(|service| (service.name.as_str(), service.server)).collect();
    assert_eq!(
        services,
        [("resolver", Server::Unbound), ("root", Server::BuiltIn), ("example", Server::BuiltIn)]
    );
    let sites: Vec<&str> = world.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(sites[..4], ["resolver-london", "resolver-newyork", "resolver-singapore", "root-frankfurt"]);
    let askers: Vec<(&str, usize)> =
        world.askers.iter().map(|asker| (asker.name.as_str(), asker.service)).collect();
    let (clients, resolvers) = askers.split_at(world.clients.len());
    assert!(
        clients
            .iter()
            .all(|(name, service)| world.clients.iter().any(|one| one.name == *name) && *service == 0)
    );
    assert_eq!(resolvers[..3], [("resolver-london", 1), ("resolver-london", 2), ("resolver-newyork", 1)]);
    assert_eq!(resolvers.len(), 6);
    // The deepest zone is what a resolver is asked for: it needs all others.
    let asked: Vec<String> = world.services.iter().map(|service| service.asked.to_string()).collect();
    assert_eq!(asked, ["example.", ".", "example."]);
}

#[test]
fn each_service_has_an_address_and_blocks_of_its_own() {
    let blocks: Vec<Prefix> = (0..16).flat_map(announced).collect();
    for (service, blocks) in (0..16).zip(blocks.chunks(2)) {
        for (address, block) in service_address(service).both().iter().zip(blocks) {
            assert!(block.contains(*address), "{address} {block}");
        }
    }
    assert_eq!(blocks.iter().collect::<BTreeSet<_>>().len(), 32, "no block twice: {blocks:?}");
    assert_eq!(service_address(0).v4.to_string(), "198.18.0.53");
    assert_eq!(service_address(2).v6.to_string(), "2001:db8:55::53");
}

#[test]
fn what_the_sites_of_each_service_are_told() {
    let world = world();
    let plan = Plan::new(&world).unwrap();
    let mut text = String::new();
    for name in ["resolver-london", "root-tokyo", "example-tokyo"] {
        let (id, described) = site(&world, name);
        let host = plan.hosts(id).next().unwrap();
        let file = site_file(&world, &plan, described, (HostId { site: id, number: 0 }, host));
        let _ = writeln!(text, "======== {name}\n{file}");
    }
    for name in ["root-tokyo", "example-tokyo"] {
        let _ = writeln!(text, "======== zone at {name}\n{}", zone(&world, site(&world, name).1));
    }
    let _ = write!(text, "======== root.hints\n{}", root_hints(&world));
    let _ = write!(text, "======== unbound.conf\n{}", unbound_configuration("catchment.conf"));
    insta::assert_snapshot!(text);
}

#[test]
fn a_zone_is_delegated_by_the_one_above_and_by_no_other() {
    let deep = built_in("dns-root").unwrap().replace("service = \"unbound\"", "zone = \"deep.example.\"");
    let world = World::parse("deep.toml", &deep).unwrap_or_else(|faults| panic!("{faults}"));
    let delegates = |site_name: &str, child: &str| {
        zone(&world, site(&world, site_name).1).contains(&format!("\n{child} NS"))
    };
    assert!(delegates("root-tokyo", "example."));
    assert!(!delegates("root-tokyo", "deep.example."), "two levels at once");
    assert!(delegates("example-tokyo", "deep.example."));
}

#[test]
fn what_cannot_be_is_told_with_its_line() {
    let good = built_in("dns-root").unwrap();
    let no_root = good.replace("zone = \".\"", "zone = \"example.org.\"");
    let twice = good.replace("zone = \".\"", "zone = \"example.\"").replace("service = \"unbound\"", "");
    let zone_of_resolver = good.replace("service = \"unbound\"", "service = \"unbound\"\nzone = \"lab.\"");
    let no_sites = good.replace("asn = 64611", "asn = 64611\nservice = \"nsd\"\nzone = \"lab.\"");
    let no_word = good.replace("\"unbound\"", "\"unbond\"").replace("zone = \".\"", "zone = \"root\"");
    let mut told = String::new();
    for text in [no_root, twice, zone_of_resolver, no_sites, no_word] {
        let faults = World::parse("wrong.toml", &text).unwrap_err();
        let _ = writeln!(told, "{faults}");
    }
    insta::assert_snapshot!(told);
}
