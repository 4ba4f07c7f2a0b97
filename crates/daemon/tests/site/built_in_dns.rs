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

#[test]
fn what_a_reload_takes_away_is_freed_and_may_come_back() {
    let world = World::new();
    let _bird = world.bird();
    fs::write(world.path("example.zone"), zone(1)).unwrap();
    let second = "[[service]]\nname = \"second\"\naddresses = [\"203.0.113.1\"]\nannounce = [\"203.0.113.0/24\"]\n\
                  [[service.check]]\ndns = { name = \"example.\" }\n[service.dns]\nzones = [\"example.zone\"]\n\n[api]";
    let daemon = world.daemon_with("[api]", "[service.dns]\nzones = [\"example.zone\"]\n[api]");
    until("both prefixes are announced", || world.is_announced());
    let publishing = || {
        let threads = fs::read_dir(format!("/proc/{}/task", daemon.id())).unwrap();
        let names =
            threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        names.filter(|name| name.trim_end() == "dns-publish").count()
    };
    let is_served = || dig(&world, "@203.0.113.1 +time=1 example. SOA").contains("admin");
    let reload = || {
        let meant = serde_json::json!({ "override_guard": true, "reason": "the second service is moved" });
        let answer = world.post("/reload", &meant).1;
        assert_eq!(answer["verdict"], "applied", "{answer}");
    };
    for _ in 0..2 {
        world.rewrite(&[("[api]", second)]);
        reload();
        until("the second service is served", is_served);
        assert_eq!(publishing(), 2);
        world.rewrite(&[(second, "[api]")]);
        reload();
        until("its zones are let go of", || publishing() == 1);
    }
}

#[test]
fn a_site_with_a_signature_that_has_ended_is_less_preferred_and_not_withdrawn() {
    let world = World::new();
    let _bird = world.bird();
    let signed = include_str!("../../../dns/tests/zones/nsec.zone");
    fs::write(world.path("example.zone"), zone(1)).unwrap();
    fs::write(world.path("signed.zone"), signed).unwrap();
    let zones = "[service.dns]\nzones = [\"example.zone\", \"signed.zone\"]\n[api]";
    let daemon = world.daemon_with("[api]", zones);
    until("both prefixes are announced", || world.is_announced());
    let group = || world.document("/status")["groups"][0].clone();
    assert_eq!(group()["output"], "normal");

    fs::write(world.path("signed.zone"), signed.replacen("20360101000000", "20200101000000", 1)).unwrap();
    daemon.signal(ProcessSignal::SIGHUP);
    until("the site is less preferred", || group()["output"] == "depref");
    let alarms = group()["alarms"].to_string();
    assert!(alarms.contains("parent.test. has a signature that ended"), "{alarms}");
    assert!(world.is_announced(), "it is the same at every site, and none may go dark for it");
    let zones = world.document("/status")["zones"].clone();
    let ends: Vec<_> = zones.as_array().unwrap().iter().map(|zone| zone["signatures_end"].as_u64()).collect();
    assert_eq!(ends, [None, Some(1_577_836_800_000)], "{zones}");

    fs::write(world.path("signed.zone"), signed).unwrap();
    daemon.signal(ProcessSignal::SIGHUP);
    until("the site is as preferred as before", || group()["output"] == "normal");
}
