//! A site that serves its zones itself.

use crate::world::{World, until};
use linux::process::ProcessSignal;
use std::fs;
use std::process::Command;

pub(crate) fn zone(serial: u32) -> String {
    format!("$ORIGIN example.\n$TTL 60\n@ SOA ns admin {serial} 60 60 60 60\n NS ns\nns A 198.18.0.53\n")
}

fn dig(world: &World, arguments: &str) -> String {
    let dig =
        || Command::new("dig").args(["+short", "+tries=3"]).args(arguments.split(' ')).output().unwrap();
    String::from_utf8(world.site.run(dig).unwrap().stdout).unwrap()
}

#[test]
fn a_site_answers_with_its_name_and_reads_its_zones_again() {
    let world = World::new();
    let _bird = world.bird();
    fs::write(world.path("example.zone"), zone(1)).unwrap();
    let daemon = world.daemon_with("[api]", "[service.dns]\nzones = [\"example.zone\"]\n[api]");
    until("both prefixes are announced", || world.is_announced());
    for address in ["198.18.0.53", "2001:db8:53::53"] {
        for transport in ["+notcp", "+tcp"] {
            let site = dig(&world, &format!("@{address} {transport} CH TXT id.server"));
            assert_eq!(site, "\"london\"\n", "{address} {transport}");
        }
    }
    let serial = || dig(&world, "@198.18.0.53 example. SOA").split(' ').nth(2).map(str::to_owned);
    assert_eq!(serial().as_deref(), Some("1"));

    fs::write(world.path("example.zone"), zone(2)).unwrap();
    daemon.signal(ProcessSignal::SIGHUP);
    until("the new zone is served", || serial().as_deref() == Some("2"));
    fs::write(world.path("example.zone"), zone(3) + "www A nowhere\n").unwrap();
    daemon.signal(ProcessSignal::SIGHUP);
    until("the faulty zone is refused", || world.count("reload-faulty") == 1);
    assert_eq!(serial().as_deref(), Some("2"), "the zone of before is served on");
    assert!(world.is_announced(), "a faulty zone file is no outage");

    let (_, metrics) = world.get("/metrics");
    let replies = "catchment_dns_replies_total{transport=\"udp\",code=\"NOERROR\"} ";
    let count = metrics.lines().find_map(|line| line.strip_prefix(replies)).unwrap();
    assert!(count.parse::<u64>().unwrap() > 0, "the checks alone ask ten times a second");
}
