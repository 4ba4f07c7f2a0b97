//! What the fuzz targets try: plain functions, so that the ordinary tests run their corpora.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each target uses one of them; a body says what is wrong by panicking

use document::Faults;
use lab::fault::Fault;
use lab::multicast::igmp::{self, Heard};
use lab::multicast::proxy::{self, Input, Interface, Output, Proxy};
use lab::names::Names;
use lab::plan::{Cable, Plan, Port, Purpose, Role};
use lab::scenario::expectation::Expectation;
use lab::scenario::file::Scenario;
use lab::scenario::words::NodeName;
use lab::world::{World, built_in};
use lab::{bird, frr};
use std::collections::BTreeSet;
use std::path::Path;
use terms::Timestamp;

/// Larger worlds are read, and not laid out: a fuzzer has other things to do.
const MOST_ROUTERS: usize = 60;

/// Any text as a world: it is read, or every fault has its line. What is read has a plan in which nothing is given twice,
/// and every router can be told what to do.
pub(crate) fn world(text: &str) {
    let world = match World::parse("fuzzed.toml", text) {
        Ok(world) => world,
        Err(faults) => return every_fault_has_a_line(&faults, text),
    };
    if world.routers().count() > MOST_ROUTERS || world.clients.len() > MOST_ROUTERS {
        return;
    }
    let plan = Plan::new(&world).unwrap();
    nothing_is_given_twice(&plan);
    for router in world.routers() {
        bird::configuration(&world, &plan, router, Path::new("/run/lab"));
        frr::configuration(&world, &plan, plan.router(router).unwrap());
    }
    for node in &plan.nodes {
        assert!(node.name.parse::<NodeName>().is_ok(), "{} cannot be named in a sentence", node.name);
    }
    Names::of(&world, &plan);
}

/// Any text as a scenario: it is read, or every fault has its line; and so for its names in a world.
pub(crate) fn scenario(text: &str) {
    let scenario = match Scenario::parse("fuzzed.toml", text) {
        Ok(scenario) => scenario,
        Err(faults) => return every_fault_has_a_line(&faults, text),
    };
    let mut tiny = World::parse("tiny", &built_in("tiny").unwrap()).unwrap();
    scenario.prepare(&mut tiny);
    let names = Names::of(&tiny, &Plan::new(&tiny).unwrap());
    if let Err(faults) = scenario.check_names(&names) {
        every_fault_has_a_line(&faults, text);
    }
    // What was understood says the same when it is written down and read again.
    for step in &scenario.steps {
        for deed in &step.faults {
            assert_eq!(deed.value.to_string().parse::<Fault>().as_ref(), Ok(&deed.value));
        }
        for wanted in &step.expectations {
            assert_eq!(wanted.value.to_string().parse::<Expectation>().as_ref(), Ok(&wanted.value));
        }
    }
}

/// Any octets as what the raw socket of a multicast router hands over: they are read or refused, and whatever they say,
/// the router stays within its bounds and forwards to those who want it only.
pub(crate) fn igmp(octets: &[u8]) {
    let heard = igmp::read(octets);
    if let Ok(Heard::Report(changes)) = &heard {
        assert!(changes.len() <= igmp::MOST_RECORDS);
        assert!(changes.iter().all(|change| change.group.is_multicast()));
    }
    let Ok(heard) = heard else { return };
    let mut router = Proxy::new(Some(Interface(0)), [Interface(1), Interface(2)], Timestamp::ZERO);
    router.handle(Input::Heard(Some(Interface(1)), heard.clone()), Timestamp::ZERO);
    router.handle(Input::Heard(Some(Interface(2)), heard), Timestamp::ZERO);
    let groups = router.groups();
    assert!(groups.len() <= proxy::MOST_GROUPS);
    while let Some(output) = router.poll_output() {
        if let Output::Forward(flow, from, to) = output {
            let wanted = |to: &Interface| {
                *to == Interface(0) || groups.get(&flow.group).is_some_and(|wanting| wanting.contains(to))
            };
            assert!(to.iter().all(|to| *to != from && wanted(to)));
        }
    }
}

fn every_fault_has_a_line(faults: &Faults, text: &str) {
    let lines = text.lines().count().max(1);
    assert!(!faults.is_empty());
    for (_, fault) in faults.iter() {
        // Something that is missing at the end is missing on the line after the last one at most.
        assert!((1..=lines + 1).contains(&fault.line), "line {} of {lines}: {}", fault.line, fault.message);
        assert!(!fault.message.is_empty());
    }
}

/// Names, addresses and interfaces are what everything else is found by.
pub(crate) fn nothing_is_given_twice(plan: &Plan) {
    let mut names = BTreeSet::new();
    for node in &plan.nodes {
        assert!(names.insert(&node.name), "{} is here twice", node.name);
    }
    let mut addresses = BTreeSet::new();
    let loopbacks = plan.nodes.iter().filter(|node| matches!(node.role, Role::Router(_) | Role::Exchange(_)));
    // The route server has one address for all of its members, and a router one for all devices of its LAN.
    let is_switch = |cable: &Cable, port: &Port| match plan.node(port.node).role {
        Role::Exchange(_) => true,
        Role::Router(_) => cable.purpose == Purpose::Device,
        Role::Core | Role::Host(_) | Role::Client(_) | Role::Device(_) => false,
    };
    let ports = plan.cables.iter().flat_map(|cable| cable.ends.iter().map(move |port| (cable, port)));
    let ports = ports.filter(|(cable, port)| !is_switch(cable, port)).map(|(_, port)| port);
    for pair in loopbacks.map(|node| node.address).chain(ports.map(|port| port.address)) {
        assert!(addresses.insert(pair.v4.to_string()), "{}", pair.v4);
        assert!(addresses.insert(pair.v6.to_string()), "{}", pair.v6);
    }
    let mut interfaces = BTreeSet::new();
    for port in plan.cables.iter().flat_map(|cable| &cable.ends) {
        assert!(interfaces.insert((port.node, &port.interface)), "{}", port.interface);
        assert!(port.interface.len() <= 15, "{}", port.interface);
    }
}
