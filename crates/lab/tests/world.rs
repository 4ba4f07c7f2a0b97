//! Reading world files: what is right is read, what is wrong is named, all of it at once.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

use lab::world::{BUILT_IN, RelationKind, Server, World, built_in};
use std::time::Duration;

const GOOD: &str = r#"
[world]
name = "pair"
service = "nsd"
probe = "10ms"
hold_time = "30s"
[[as]]
asn = 64601
name = "Atlas"
cities = ["london", "atlantis"]
links = ["london-atlantis"]
[[as]]
asn = 64500
name = "Anycast"
sites = ["london"]
host_asn = 64501
[relations]
transit = ["Anycast > Atlas @ london=atlantis"]
[clients]
"London" = "Atlas"
[[city]]
name = "Atlantis"
lat = 31.0
lon = -24.0
[[cable]]
ends = ["atlas-atlantis", "atlas-london"]
ms = 12.5
loss = 0.25
"#;

#[test]
fn every_world_that_comes_along_is_read() {
    for name in BUILT_IN {
        let world = World::parse(name, &built_in(name).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(world.name, name);
    }
    assert_eq!(built_in("moon"), None);
}

#[test]
fn earth_has_the_cities_and_sites_that_the_documentation_names() {
    let world = World::parse("earth", &built_in("earth").unwrap()).unwrap();
    let sites: Vec<&str> = world.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(sites, ["london", "newyork", "saopaulo", "johannesburg", "tokyo"]);
    let clients: Vec<&str> = world.clients.iter().map(|client| client.name.as_str()).collect();
    let cities = "london frankfurt amsterdam dubai newyork sanjose saopaulo johannesburg mumbai singapore tokyo sydney";
    assert_eq!(clients.join(" "), cities);
    assert_eq!(world.networks.len(), 15);
}

#[test]
fn everything_that_a_file_says_is_kept() {
    let world = World::parse("pair.toml", GOOD).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(
        (world.services[0].server, world.probe, world.hold_time),
        (Server::Nsd, Duration::from_millis(10), 30)
    );
    assert_eq!(world.networks[0].places[1].city, "Atlantis");
    assert_eq!(world.networks[0].backbone, [(0, 1)]);
    let relation = world.relations[0];
    assert_eq!(relation.kind, RelationKind::Transit);
    assert_eq!(world.router_name(relation.left), "anycast-london");
    assert_eq!(world.router_name(relation.right), "atlas-atlantis");
    assert_eq!(world.clients[0].place.key, "london");
    assert_eq!(world.overrides[0].delay, Some(Duration::from_micros(12_500)));
    assert_eq!(world.overrides[0].loss, 0.25);
    assert_eq!(world.services[0].host_asn.get(), 64501);
}

#[test]
fn every_fault_is_named_with_its_line_and_a_hint() {
    let wrong = r#"
[world]
name = "Wrong World"
service = "apache"
probe = "1ms"
hold_time = "3500ms"
colour = "blue"
[[as]]
asn = 0
name = "Atlas"
cities = ["london", "Frankfrt", "london"]
links = ["london-paris"]
[[as]]
asn = 64602
name = "Borea"
cities = ["newyork"]
links = ["newyork-newyork"]
"#;
    let faults = World::parse("wrong.toml", wrong).unwrap_err();
    insta::assert_snapshot!("faults_of_networks", faults);
}

#[test]
fn every_fault_between_networks_is_named() {
    let wrong = GOOD
        .replace("\"Anycast > Atlas @ london=atlantis\"", "\"Anycast > Atlass @ london\", \"Anycast = Atlas @ london\", \"Anycast > Atlas @ paris\", \"nonsense\", \"Atlas > Atlas @ london\"")
        .replace("\"London\" = \"Atlas\"", "paris = \"Atlas\"\ntokyo = \"Anycast\"\nmadrid = 5")
        .replace("\"atlas-london\"]", "\"atlas-paris\"]")
        .replace("loss = 0.25", "loss = 25")
        .replace("asn = 64601", "asn = 64501");
    let faults = World::parse("wrong.toml", &wrong).unwrap_err();
    insta::assert_snapshot!("faults_of_relations", faults);
}

#[test]
fn how_the_sites_are_run_is_read_with_every_fault() {
    let text = format!("{GOOD}[site]\nlinger = \"5s\"\ndependency = true\n[fleet]\nmin_sites = 2\n");
    let world = World::parse("pair.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    let operation = &world.operation;
    assert_eq!((operation.linger, operation.drain), (Duration::from_secs(5), Duration::from_secs(3)));
    assert!(operation.dependency && operation.has_core());
    assert_eq!(operation.fleet.unwrap().min_sites.unwrap().get(), 2);
    let without = World::parse("pair.toml", GOOD).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(!without.operation.has_core());

    let wrong = format!(
        "{GOOD}[site]\ndrain = 5\nlinger = \"1h\"\ndependency = 1\n[fleet]\nmin_sites = 0\nsize = 3\n"
    );
    let faults = World::parse("wrong.toml", &wrong).unwrap_err().to_string();
    for key in ["`drain`", "`linger`", "`dependency`", "size"] {
        assert!(faults.contains(key), "{key}: {faults}");
    }
    assert!(faults.contains("min_sites = 0"), "{faults}");
}

#[test]
fn local_networks_are_read_with_every_fault() {
    let lan = |name: &str, router: &str, devices: u32| {
        format!("[[lan]]\nname = \"{name}\"\nrouter = \"{router}\"\ndevices = {devices}\n")
    };
    let text = format!("{GOOD}{}{}", lan("office", "atlas-london", 3), lan("home", "anycast-london", 12));
    let world = World::parse("pair.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(world.lans.len(), 2);
    assert_eq!(world.router_name(world.lans[0].router), "atlas-london");
    let names: Vec<String> =
        (0..world.lans[0].devices).map(|number| world.lans[0].device_name(number)).collect();
    assert_eq!(names, ["office-1", "office-2", "office-3"]);

    let wrong = [
        lan("a", "atlas-london", 13),
        lan("b", "atlas-paris", 1),
        lan("London", "atlas-atlantis", 1),
        lan("c", "atlas-london", 1),
        lan("d", "atlas-london", 1),
        lan("atlas-london", "anycast-london", 1),
        "[[lan]]\nname = \"e\"\n".to_owned(),
    ];
    let faults = World::parse("wrong.toml", &format!("{GOOD}{}", wrong.concat())).unwrap_err();
    insta::assert_snapshot!("faults_of_lans", faults);
}

#[test]
fn a_network_with_sites_there_must_be() {
    let none = GOOD.replace("sites = ", "cities = ").replace("host_asn = 64501", "");
    let faults = World::parse("none.toml", &none).unwrap_err();
    assert!(faults.to_string().contains("no network announces the anycast address"), "{faults}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(cut in 0usize..GOOD.len(), junk in "[\\[\\]\"=,.a-z0-9\n -]{0,40}") {
        let mut text = GOOD.to_owned();
        let at = (0..=cut).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.insert_str(at, &junk);
        let _ = World::parse("fuzzed.toml", &text);
    }
}
