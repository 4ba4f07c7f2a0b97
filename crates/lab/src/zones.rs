//! The zones of a world with a name space of its own, as text: each network with `zone = ...` serves one, and the one above
//! delegates it.
//!
//! In every zone the name `site` is a TXT record with the name of the site that answers. It lives for no time at all
//! (RFC 2181 section 8), so that a resolver asks anew each time: who asks a resolver for it learns which site the resolver
//! asks.

use crate::plan::service_address;
use crate::site_file::{HOSTMASTER, ZONE, ZONE_FILE};
use crate::world::{Service, Site, World};
use std::fmt::Write;
use terms::DomainName;

/// The name, below the origin of each zone, that tells who answers.
const SITE: &str = "site";

/// The zone that a site serves.
pub fn zone(world: &World, site: &Site) -> String {
    match &world.service_of(site).zone {
        Some(origin) => made(world, site, origin),
        None => ZONE.to_owned(),
    }
}

/// Its file, beside the site file.
pub fn zone_file(service: &Service) -> String {
    match service.zone {
        Some(_) => format!("{}.zone", service.name),
        None => ZONE_FILE.to_owned(),
    }
}

/// Where a resolver begins (root hints, RFC 9609).
pub fn root_hints(world: &World) -> String {
    let root = DomainName::root();
    let serves_root = |(_, service): &(usize, &Service)| service.zone.as_ref() == Some(&root);
    world
        .services
        .iter()
        .enumerate()
        .find(serves_root)
        .map_or_else(String::new, |(place, _)| delegation(&root, place))
}

fn made(world: &World, site: &Site, origin: &DomainName) -> String {
    let server = name_server(origin);
    let mut text = format!(
        "$TTL 3600\n{origin} SOA {server}{HOSTMASTER}1 7200 3600 1209600 300\n{}",
        delegation(origin, site.service)
    );
    for (place, child) in children(world, origin) {
        text += &delegation(child, place);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} 0 TXT \"{}\"", below(SITE, origin), site.name);
    if *origin != DomainName::root() {
        let www = below("www", origin);
        let _ = writeln!(text, "{www} A 198.18.0.80\n{www} AAAA 2001:db8:53::80");
    }
    text
}

/// The zones below one, with nothing between them.
fn children<'w>(world: &'w World, origin: &DomainName) -> Vec<(usize, &'w DomainName)> {
    let zones =
        || world.services.iter().enumerate().filter_map(|(place, one)| Some((place, one.zone.as_ref()?)));
    let is_below = |zone: &DomainName, above: &DomainName| zone != above && zone.is_within(above);
    let is_child = |zone: &DomainName| {
        is_below(zone, origin) && !zones().any(|(_, other)| is_below(zone, other) && is_below(other, origin))
    };
    zones().filter(|(_, zone)| is_child(zone)).collect()
}

/// Who serves a zone, and the addresses.
fn delegation(origin: &DomainName, service: usize) -> String {
    let (server, address) = (name_server(origin), service_address(service));
    format!("{origin} NS {server}\n{server} A {}\n{server} AAAA {}\n", address.v4, address.v6)
}

fn name_server(origin: &DomainName) -> String {
    below("ns", origin)
}

fn below(label: &str, origin: &DomainName) -> String {
    match *origin == DomainName::root() {
        true => format!("{label}."),
        false => format!("{label}.{origin}"),
    }
}
