//! The files of a site, as text: what its daemon and its service are told.

use crate::calls::stream::SOCKET;
use crate::continuity::pins_of;
use crate::core::{DEPENDENCY, store_url};
use crate::hostile;
use crate::plan::{
    HostId, NodeId, Pair, Plan, Purpose, Role, announced, core, hostile_neighbour, service_address,
};
use crate::policy::DEPREFERRED;
use crate::world::{BFD_MULTIPLIER, Server, Site, World};
use crate::zones::zone_file;
use std::fmt::Write;

/// The zone that every site serves in a world whose networks do not say which.
pub const ZONE: &str = "\
$ORIGIN example.
$TTL 3600
@     SOA ns.example. hostmaster.example. 1 7200 3600 1209600 300
@     NS  ns
ns    A    198.18.0.53
ns    AAAA 2001:db8:53::53
www   A    198.18.0.80
www   AAAA 2001:db8:53::80
@     TXT \"one address, many sites\"
";
/// The zone's file beside the site file.
pub const ZONE_FILE: &str = "example.zone";

/// What stands before the serial number in the zone.
pub(crate) const HOSTMASTER: &str = " hostmaster.example. ";

/// The same zone with the next serial number.
pub(crate) fn with_next_serial(zone: &str) -> String {
    let raised = |line: &str| {
        let (before, after) = line.split_once(HOSTMASTER)?;
        let (serial, rest) = after.split_once(' ')?;
        let next = serial.parse::<u32>().ok()?.wrapping_add(1);
        Some(format!("{before}{HOSTMASTER}{next} {rest}\n"))
    };
    zone.lines().map(|line| raised(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

/// The site file of `catchment run` on a host, which is called `london-2` where there are several. In the lab nobody damps flaps, so the neighbour counts as a peer and not
/// as a transit provider, for whose sake a failed site would wait half a minute.
pub fn site_file(world: &World, plan: &Plan, site: &Site, (id, host): (HostId, NodeId)) -> String {
    let (_, place) = world.router(site.router);
    let own = plan.node(host).address;
    let (lat, lon) = (place.at.lat(), place.at.lon());
    let (service, operation) = (world.service_of(site), &world.operation);
    let (name, asn) = (&site.name, service.host_asn);
    // What each provider of the site makes of a route that is to be less preferred (see `bird`).
    let less = world
        .relations
        .iter()
        .filter(|relation| relation.left == site.router)
        .map(|relation| world.router(relation.right).0.asn)
        .filter(|asn| asn.fits_two_octets())
        .map(|asn| format!("\"{asn}:{DEPREFERRED}\""));
    let less = less.collect::<Vec<_>>().join(", ");
    let own_name = match site.hosts {
        1 => String::new(),
        _ => format!("host = \"{name}-{}\"\n", id.number + 1),
    };
    let mut text = format!(
        "[site]\nname = \"{name}\"\n{own_name}lat = {lat:?}\nlon = {lon:?}\nasn = {asn}\nrouter_id = \"{}\"\nlinger = \"{}ms\"\n\
         drain = \"{}ms\"\nstate_dir = \"state\"\n",
        own.v4,
        operation.linger.as_millis(),
        operation.drain.as_millis()
    );
    let bfd = operation.bfd.map_or_else(String::new, |interval| {
        format!("bfd = {{ interval = \"{}us\", multiplier = {BFD_MULTIPLIER} }}\n", interval.as_micros())
    });
    let lan = plan.ports(host).filter(|(cable, _, _)| plan.cables[cable.0].purpose == Purpose::SiteLan);
    for (_, _, router) in lan {
        let edge = plan.node(router.node);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[[peer]]\nname = \"{}\"\nkind = \"peer\"\naddress = \"{}\"\nasn = {}\nfamilies = [\"ipv4\", \"ipv6\"]\n\
             next_hop6 = \"{}\"\nhold_time = \"{}s\"\ndeprefer = {{ prepend = 3, communities = [{less}] }}\nblackhole = true\n{bfd}",
            edge.name, router.address.v4, edge.asn, own.v6, world.hold_time
        );
    }
    if site.hostile && id.number == 0 {
        // It calls; the site never can.
        let _ = write!(
            text,
            "\n[[peer]]\nname = \"hostile\"\nkind = \"peer\"\naddress = \"{}\"\nasn = {}\nfamilies = [\"ipv4\"]\n\
             hold_time = \"{}s\"\n",
            hostile_neighbour(site.router).v4,
            hostile::ASN,
            world.hold_time
        );
    }
    text += &service_section(world, site);
    if operation.dependency {
        let _ = write!(
            text,
            "\n[[service.check]]\ntcp = {{ address = \"{}\", port = {DEPENDENCY} }}\nscope = \"dependency\"\n",
            core().v4
        );
    }
    text += &server_section(world, site, own);
    if let Some(fleet) = operation.fleet {
        let _ = write!(text, "\n[fleet]\netcd = [\"{}\"]\nlease = \"3s\"\n", store_url());
        if let Some(min_sites) = fleet.min_sites {
            let _ = writeln!(text, "min_sites = {min_sites}");
        }
    }
    let lan = plan.ports(host).find(|(cable, _, _)| plan.cables[cable.0].purpose == Purpose::SiteLan);
    if let (true, Some((_, port, _))) = (operation.continuity && site.service == 0, lan) {
        let node = plan.node(host);
        let _ = write!(
            text,
            "\n[continuity]\nnumber = {}\ninterfaces = [\"{}\"]\naddresses = [\"{}\", \"{}\"]\nmtu = 1500\npins = \"{}\"\n\
             services = {{ socket = \"{SOCKET}\" }}\n",
            plan.nodes.iter().take(host.0).filter(|node| matches!(node.role, Role::Host(_))).count(),
            port.interface,
            own.v4,
            own.v6,
            pins_of(&node.name).display()
        );
    }
    text + "\n[api]\nsocket = \"api.sock\"\nlisten = \"127.0.0.1:9053\"\n"
}

/// What is announced, and the check that says whether it works.
fn service_section(world: &World, site: &Site) -> String {
    let service = world.service_of(site);
    let [v4, v6] = service_address(site.service).both();
    let [block4, block6] = announced(site.service);
    // The sites of one service have always called it so.
    let name = if world.services.len() == 1 { "dns" } else { service.name.as_str() };
    let question = match service.server {
        Server::BuiltIn | Server::Nsd => format!("name = \"{}\", type = \"SOA\"", service.asked),
        // The resolver answers this name by itself: whatever else fails, it is not this site that does.
        Server::Unbound => "name = \"site.catchment.invalid.\", type = \"TXT\", recursive = true".to_owned(),
    };
    format!(
        "\n[[service]]\nname = \"{name}\"\naddresses = [\"{v4}\", \"{v6}\"]\nannounce = [\"{block4}\", \"{block6}\"]\n\
         \n[[service.check]]\ndns = {{ {question} }}\ninterval = \"100ms\"\ntimeout = \"80ms\"\nfall = 2\nrise = 3\n"
    )
}

/// What answers, where the daemon has a part in it.
fn server_section(world: &World, site: &Site, own: Pair) -> String {
    let service = world.service_of(site);
    match service.server {
        Server::BuiltIn => format!("\n[service.dns]\nzones = [\"{}\"]\n", zone_file(service)),
        Server::Nsd => String::new(),
        Server::Unbound => format!(
            "\n[service.resolver]\nsoftware = \"unbound\"\nallow = [\"0.0.0.0/0\", \"::/0\"]\noutgoing = [\"{}\", \"{}\"]\n",
            own.v4, own.v6
        ),
    }
}

/// The configuration of NSD where it is the service.
pub fn nsd_configuration(world: &World, site: &Site) -> String {
    let (name, service) = (&site.name, world.service_of(site));
    let addresses = service_address(site.service).both();
    let addresses: String = addresses.iter().map(|address| format!("  ip-address: {address}\n")).collect();
    format!(
        "server:\n{addresses}  ip-freebind: yes\n  identity: \"{name}\"\n  nsid: \"ascii_{name}\"\n  server-count: 1\n  \
         username: \"\"\n  chroot: \"\"\n  zonesdir: \".\"\n  pidfile: \"\"\n  database: \"\"\n  \
         xfrdfile: \"xfrd.state\"\n  zonelistfile: \"zone.list\"\n  xfrdir: \".\"\n  rrl-ratelimit: 0\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: {}\n  zonefile: {}\n",
        service.asked,
        zone_file(service)
    )
}

/// The main file of Unbound where it is the service: what the machine is, and not the operator's to say. All else comes
/// from the site file, in the file that the daemon's own command makes of it.
pub fn unbound_configuration(made: &str) -> String {
    format!(
        "server:\n  directory: \".\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  \
         # The zones of the lab are not signed.\n  module-config: \"iterator\"\n  num-threads: 1\n  \
         root-hints: \"{HINTS_FILE}\"\n  # A name server that was silent is soon tried again: sites come back.\n  \
         infra-keep-probing: yes\n  infra-cache-max-rtt: 1000\n\
         include: \"{made}\"\nremote-control:\n  control-enable: no\n"
    )
}

/// Where Unbound finds the root zone's name servers, beside its configuration.
pub const HINTS_FILE: &str = "root.hints";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_serial_is_the_only_difference() {
        let next = with_next_serial(ZONE);
        let changed: Vec<(&str, &str)> = ZONE.lines().zip(next.lines()).filter(|(a, b)| a != b).collect();
        let [(before, after)] = changed[..] else { panic!("{changed:?}") };
        assert_eq!(before.replace(" 1 7200 ", " 2 7200 "), after);
        assert_eq!(ZONE.len(), next.len());
    }
}
