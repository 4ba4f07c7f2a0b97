//! World files and scenarios come from people: whatever is written, it is read as it was meant, or every fault has its
//! line. The bodies of the fuzz targets run here over their corpora and over what is drawn.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

#[path = "support/bodies.rs"]
mod bodies;

use lab::scenario::file::Scenario;
use lab::world::{Program, RelationKind, RouterRef, World, built_in};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

fn corpus(target: &str, body: fn(&str)) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.iter().for_each(|file| body(&std::fs::read_to_string(file).unwrap()));
}

#[test]
fn the_corpus_of_worlds() {
    corpus("world_file", bodies::world);
}

#[test]
fn the_corpus_of_scenarios() {
    corpus("scenario_file", bodies::scenario);
}

#[test]
fn the_corpus_of_igmp() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/igmp_packet");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.iter().for_each(|file| bodies::igmp(&std::fs::read(file).unwrap()));
}

const CITIES: [&str; 8] = ["london", "tokyo", "lagos", "lima", "oslo", "delhi", "perth", "cairo"];

/// A network as a test writes it.
#[derive(Clone, Debug)]
struct Net {
    cities: Vec<&'static str>,
    frr: bool,
}

/// A world as a test writes it, and what must be read of it.
#[derive(Clone, Debug)]
struct Drawn {
    nets: Vec<Net>,
    /// Sites: the network that sells to each, by a number of which only the rest counts, and how many hosts it has.
    sites: Vec<(&'static str, usize, u8)>,
    /// Each network's provider and the city, likewise; the first network has none.
    ups: Vec<(usize, usize)>,
    /// How many clients the first city of each network has, and how often they ask.
    clients: Vec<(u16, Option<u8>)>,
    rate: Option<u32>,
    /// Devices on a LAN behind the first router.
    devices: Option<u8>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let net =
        (subsequence(CITIES.to_vec(), 1..=4), any::<bool>()).prop_map(|(cities, frr)| Net { cities, frr });
    (1usize..=5)
        .prop_flat_map(move |nets| {
            let sites = subsequence(CITIES.to_vec(), 1..=3).prop_flat_map(|cities| {
                let many = cities.len();
                let more = prop::collection::vec((0usize..64, 1u8..=4), many);
                more.prop_map(move |more| {
                    let sites = cities.iter().zip(more);
                    sites.map(|(city, (seller, hosts))| (*city, seller, hosts)).collect::<Vec<_>>()
                })
            });
            (
                prop::collection::vec(net.clone(), nets),
                sites,
                prop::collection::vec((0usize..64, 0usize..64), nets),
                prop::collection::vec((1u16..=3, prop::option::of(1u8..=100)), nets),
                prop::option::of(1u32..=1000),
                prop::option::of(1u8..=12),
            )
        })
        .prop_map(|(nets, sites, ups, clients, rate, devices)| Drawn {
            nets,
            sites,
            ups,
            clients,
            rate,
            devices,
        })
}

impl Drawn {
    /// The provider of a network, and where they meet.
    fn up(&self, net: usize) -> (usize, &'static str, &'static str) {
        let (provider, place) = self.ups[net];
        let provider = provider % net;
        let (ours, theirs) = (&self.nets[net].cities, &self.nets[provider].cities);
        (provider, ours[place % ours.len()], theirs[place % theirs.len()])
    }

    fn text(&self) -> String {
        let quoted = |words: &[&str]| format!("{words:?}");
        let mut text = "[world]\nname = \"drawn\"\n".to_owned();
        for (number, net) in self.nets.iter().enumerate() {
            let links: Vec<String> = net.cities.windows(2).map(|pair| pair.join("-")).collect();
            let router = if net.frr { "router = \"frr\"\n" } else { "" };
            let cities = quoted(&net.cities);
            let _ = write!(
                text,
                "[[as]]\nasn = {}\nname = \"Net{number}\"\ncities = {cities}\nlinks = {links:?}\n{router}",
                64_600 + number
            );
        }
        let cities: Vec<&str> = self.sites.iter().map(|(city, ..)| *city).collect();
        let hosts: Vec<String> =
            self.sites.iter().map(|(city, _, hosts)| format!("{city} = {hosts}")).collect();
        let _ = write!(
            text,
            "[[as]]\nasn = 64500\nname = \"Any\"\nsites = {}\nhost_asn = 64501\nhosts = {{ {} }}\n[relations]\ntransit = [\n",
            quoted(&cities),
            hosts.join(", ")
        );
        for net in 1..self.nets.len() {
            let (provider, here, there) = self.up(net);
            let _ = writeln!(text, "\"Net{net} > Net{provider} @ {here}={there}\",");
        }
        for (city, seller, _) in &self.sites {
            let seller = seller % self.nets.len();
            let there = self.nets[seller].cities[0];
            let _ = writeln!(text, "\"Any > Net{seller} @ {city}={there}\",");
        }
        let _ = writeln!(text, "]\n{}[clients]", self.exchange());
        for (net, (count, rate)) in self.asking() {
            let rate = rate.map_or_else(String::new, |rate| format!(", rate = {rate}"));
            let city = self.nets[net].cities[0];
            let _ = writeln!(text, "{city} = {{ network = \"Net{net}\", count = {count}{rate} }}");
        }
        if let Some(devices) = self.devices {
            let router = format!("net0-{}", self.nets[0].cities[0]);
            let _ = write!(text, "[[lan]]\nname = \"office\"\nrouter = \"{router}\"\ndevices = {devices}\n");
        }
        if let (Some(rate), true) = (self.rate, self.nets.len() > 1) {
            let (provider, here, there) = self.up(1);
            let _ = write!(
                text,
                "[[cable]]\nends = [\"net{provider}-{there}\", \"net1-{here}\"]\nms = 7.5\nrate = {rate}\n"
            );
        }
        text
    }

    /// Networks whose first city no earlier network has as its first.
    fn asking(&self) -> Vec<(usize, (u16, Option<u8>))> {
        let mut cities = BTreeSet::new();
        let clients = self.clients.iter().copied().enumerate();
        clients.filter(|(net, _)| cities.insert(self.nets[*net].cities[0])).collect()
    }

    /// The networks that meet in London.
    fn members(&self) -> Vec<usize> {
        (0..self.nets.len()).filter(|net| self.nets[*net].cities.contains(&"london")).collect()
    }

    fn exchange(&self) -> String {
        let members: Vec<String> = self.members().iter().map(|net| format!("Net{net}")).collect();
        match members.len() {
            0 | 1 => String::new(),
            _ => format!("ixp = \"lon-ix @ london: {}\"\n", members.join(", ")),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(drawn in drawn()) {
        let text = drawn.text();
        let world = World::parse("drawn.toml", &text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        for (net, read) in drawn.nets.iter().zip(&world.networks) {
            let cities: Vec<&str> = read.places.iter().map(|place| place.key.as_str()).collect();
            prop_assert_eq!(&cities, &net.cities);
            prop_assert_eq!(read.backbone.len(), net.cities.len() - 1);
            prop_assert_eq!(read.program == Program::Frr, net.frr);
        }
        let sites: Vec<(&str, u8)> = world.sites.iter().map(|site| (site.name.as_str(), site.hosts)).collect();
        let written: Vec<(&str, u8)> = drawn.sites.iter().map(|(city, _, hosts)| (*city, *hosts)).collect();
        prop_assert_eq!(sites, written);
        for (net, relation) in (1..drawn.nets.len()).zip(&world.relations) {
            let (provider, here, there) = drawn.up(net);
            prop_assert_eq!(relation.kind, RelationKind::Transit);
            prop_assert_eq!(world.router_name(relation.left), format!("net{net}-{here}"));
            prop_assert_eq!(world.router_name(relation.right), format!("net{provider}-{there}"));
        }
        let members: Vec<Vec<usize>> = world
            .exchanges
            .iter()
            .map(|exchange| exchange.members.iter().map(|member| member.network).collect())
            .collect();
        let meeting = drawn.members();
        prop_assert_eq!(members, if meeting.len() > 1 { vec![meeting] } else { Vec::new() });
        let mut clients = world.clients.iter();
        for (net, (count, rate)) in drawn.asking() {
            for number in 1..=count {
                let client = clients.next().unwrap();
                let city = drawn.nets[net].cities[0];
                let name = if number == 1 { city.to_owned() } else { format!("{city}-{number}") };
                let probe = rate.map(|rate| Duration::from_secs_f64(1.0 / f64::from(rate)));
                prop_assert_eq!((&client.name, client.router.network, client.probe), (&name, net, probe));
            }
        }
        prop_assert!(clients.next().is_none());
        let lans = world.lans.iter().map(|lan| (lan.router, lan.devices)).collect::<Vec<_>>();
        let written = drawn.devices.map(|devices| (RouterRef { network: 0, place: 0 }, devices));
        prop_assert_eq!(lans, written.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(world.overrides.len(), usize::from(drawn.rate.is_some() && drawn.nets.len() > 1));
        bodies::world(&text);
    }

    /// A file with one line lost, doubled or exchanged for another one.
    #[test]
    fn a_damaged_world_is_read_or_named_line_by_line(
        drawn in drawn(), at: prop::sample::Index, other: prop::sample::Index, how in 0usize..3,
    ) {
        let text = damaged(&drawn.text(), at, other, how);
        bodies::world(&text);
    }

    #[test]
    fn a_damaged_scenario_is_read_or_named_line_by_line(
        file in select(scenarios()), at: prop::sample::Index, other: prop::sample::Index, how in 0usize..3,
        junk in "[\\[\\]\"=,.a-z0-9\n -]{0,20}", cut: prop::sample::Index,
    ) {
        let mut text = damaged(&file, at, other, how);
        bodies::scenario(&text);
        let cut = cut.index(text.len() + 1);
        if text.is_char_boundary(cut) {
            text.insert_str(cut, &junk);
            bodies::scenario(&text);
        }
    }

    #[test]
    fn any_text_is_read_or_named_line_by_line(text in "\\PC{0,200}") {
        bodies::world(&text);
        bodies::scenario(&text);
    }
}

fn damaged(text: &str, at: prop::sample::Index, other: prop::sample::Index, how: usize) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let (at, other) = (at.index(lines.len()), other.index(lines.len()));
    match how {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other]),
        _ => lines.swap(at, other),
    }
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// Every scenario of the house.
fn scenarios() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn every_scenario_and_every_world_of_the_house_is_good() {
    for text in scenarios() {
        let scenario = Scenario::parse("scenario", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(&scenario.world);
        let world = match built_in(&scenario.world) {
            Some(text) => text.into_owned(),
            None => std::fs::read_to_string(beside).unwrap(),
        };
        let mut world = World::parse("world", &world).unwrap_or_else(|faults| panic!("{faults}"));
        scenario.prepare(&mut world);
        let names = lab::names::Names::of(&world, &lab::plan::Plan::new(&world).unwrap());
        scenario.check_names(&names).unwrap_or_else(|faults| panic!("{faults}"));
    }
}
