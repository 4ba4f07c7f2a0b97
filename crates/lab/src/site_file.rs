//! The files of a site, as text: what its daemon and its service are told.

use crate::continuity::pins_of;
use crate::core::{DEPENDENCY, store_url};
use crate::hostile;
use crate::plan::{HostId, NodeId, Plan, Purpose, Role, SERVICE, announced, core, hostile_neighbour};
use crate::policy::DEPREFERRED;
use crate::world::{BFD_MULTIPLIER, Service, Site, World};
use std::fmt::Write;

/// The zone that every site serves.
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
const BEFORE_SERIAL: &str = " hostmaster.example. ";

/// The same zone with the next serial number.
pub(crate) fn with_next_serial(zone: &str) -> String {
    let raised = |line: &str| {
        let (before, after) = line.split_once(BEFORE_SERIAL)?;
        let (serial, rest) = after.split_once(' ')?;
        let next = serial.parse::<u32>().ok()?.wrapping_add(1);
        Some(format!("{before}{BEFORE_SERIAL}{next} {rest}\n"))
    };
    zone.lines().map(|line| raised(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

/// The site file of `catchment run` on a host, which is called `london-2` where there are several. In the lab nobody damps flaps, so the neighbour counts as a peer and not
/// as a transit provider, for whose sake a failed site would wait half a minute.
pub fn site_file(world: &World, plan: &Plan, site: &Site, (id, host): (HostId, NodeId)) -> String {
    let (_, place) = world.router(site.router);
    let own = plan.node(host).address;
    let (lat, lon) = (place.at.lat(), place.at.lon());
    let (name, asn, operation) = (&site.name, world.host_asn, &world.operation);
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
    let [v4, v6] = SERVICE.both();
    let [block4, block6] = announced();
    let _ = write!(
        text,
        "\n[[service]]\nname = \"dns\"\naddresses = [\"{v4}\", \"{v6}\"]\nannounce = [\"{block4}\", \"{block6}\"]\n\
         \n[[service.check]]\ndns = {{ name = \"example.\", type = \"SOA\" }}\ninterval = \"100ms\"\ntimeout = \"80ms\"\n\
         fall = 2\nrise = 3\n"
    );
    if operation.dependency {
        let _ = write!(
            text,
            "\n[[service.check]]\ntcp = {{ address = \"{}\", port = {DEPENDENCY} }}\nscope = \"dependency\"\n",
            core().v4
        );
    }
    if world.service == Service::BuiltIn {
        let _ = write!(text, "\n[service.dns]\nzones = [\"{ZONE_FILE}\"]\n");
    }
    if let Some(fleet) = operation.fleet {
        let _ = write!(text, "\n[fleet]\netcd = [\"{}\"]\nlease = \"3s\"\n", store_url());
        if let Some(min_sites) = fleet.min_sites {
            let _ = writeln!(text, "min_sites = {min_sites}");
        }
    }
    let lan = plan.ports(host).find(|(cable, _, _)| plan.cables[cable.0].purpose == Purpose::SiteLan);
    if let (true, Some((_, port, _))) = (operation.continuity, lan) {
        let node = plan.node(host);
        let _ = write!(
            text,
            "\n[continuity]\nnumber = {}\ninterfaces = [\"{}\"]\naddresses = [\"{}\", \"{}\"]\nmtu = 1500\npins = \"{}\"\n",
            plan.nodes.iter().take(host.0).filter(|node| matches!(node.role, Role::Host(_))).count(),
            port.interface,
            own.v4,
            own.v6,
            pins_of(&node.name).display()
        );
    }
    text + "\n[api]\nsocket = \"api.sock\"\nlisten = \"127.0.0.1:9053\"\n"
}

/// The configuration of NSD where it is the service.
pub fn nsd_configuration(site: &Site) -> String {
    let name = &site.name;
    let addresses: String =
        SERVICE.both().iter().map(|address| format!("  ip-address: {address}\n")).collect();
    format!(
        "server:\n{addresses}  ip-freebind: yes\n  identity: \"{name}\"\n  nsid: \"ascii_{name}\"\n  server-count: 1\n  \
         username: \"\"\n  chroot: \"\"\n  zonesdir: \".\"\n  pidfile: \"\"\n  database: \"\"\n  \
         xfrdfile: \"xfrd.state\"\n  zonelistfile: \"zone.list\"\n  xfrdir: \".\"\n  rrl-ratelimit: 0\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: example.\n  zonefile: {ZONE_FILE}\n"
    )
}

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
