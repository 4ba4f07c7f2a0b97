//! A large world, drawn by lot: 40 sites, 100 routers. The same seed draws the same world.
//!
//! Three carriers go round the earth, nine regional networks each buy from two of them, and the sites are customers of
//! whoever has a router next to them. Cities are chosen as far from each other as possible, beginning at one that the seed
//! draws.

use super::key_of;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt::Write;
use terms::{City, cities};

const SITES: usize = 40;
const CARRIERS: usize = 3;
const REGIONS: usize = 9;
/// Routers of each carrier.
const WIDE: usize = 8;
/// Routers of each regional network.
const NARROW: usize = 4;
const CLIENTS: usize = 24;

/// The seed of the world called `dozens`.
pub(super) const DEFAULT_SEED: u64 = 1;

/// The file of the world of this seed.
pub fn dozens(seed: u64) -> String {
    let mut lot = ChaCha8Rng::seed_from_u64(seed);
    let carriers: Vec<Drawn> = (1..=CARRIERS).map(|number| Drawn::carrier(number, &mut lot)).collect();
    let hubs = apart(REGIONS, cities(), &mut lot);
    let mut free: Vec<City> = cities().to_vec();
    let regions: Vec<Drawn> =
        hubs.iter().zip(1..).map(|(hub, number)| Drawn::region(number, *hub, &mut free)).collect();
    let sites = apart(SITES, cities(), &mut lot);
    let mut text = format!(
        "# Drawn by lot with the seed {seed}.\n[world]\nname = \"dozens\"\nprobe = \"100ms\"   # so many clients, so many routers\n"
    );
    // Writing to a string cannot fail.
    let _ = write_networks(&mut text, [&carriers[..], &regions].concat().as_slice(), &sites);
    let _ = write_relations(&mut text, &carriers, &regions, &sites);
    let _ = write_clients(&mut text, &regions);
    text
}

/// A network that was drawn.
#[derive(Clone, Debug)]
struct Drawn {
    name: String,
    asn: u32,
    cities: Vec<City>,
    /// Pairs of places.
    links: Vec<(usize, usize)>,
}

impl Drawn {
    /// A ring round the earth, and two cables across it.
    fn carrier(number: usize, lot: &mut ChaCha8Rng) -> Self {
        let mut cities = apart(WIDE, cities(), lot);
        cities.sort_by(|left, right| left.at.lon().total_cmp(&right.at.lon()));
        let ring = (0..WIDE).map(|place| (place, (place + 1) % WIDE));
        let across = [(0, WIDE / 2), (WIDE / 4, 3 * WIDE / 4)];
        let links = ring.chain(across).collect();
        Drawn { name: format!("Carrier{number}"), asn: 64_600 + number as u32, cities, links }
    }

    /// A ring through the cities next to a hub, which no other regional network has.
    fn region(number: usize, hub: City, free: &mut Vec<City>) -> Self {
        free.sort_by(|left, right| left.at.distance_km(hub.at).total_cmp(&right.at.distance_km(hub.at)));
        let cities: Vec<City> = free.drain(..NARROW.min(free.len())).collect();
        let links = (0..cities.len()).map(|place| (place, (place + 1) % cities.len())).collect();
        Drawn { name: format!("Region{number}"), asn: 64_700 + number as u32, cities, links }
    }

    /// The city in which it has the router next to a place.
    fn nearest(&self, to: &City) -> &City {
        let distance = |city: &&City| city.at.distance_km(to.at);
        let nearest = self.cities.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.unwrap_or(&self.cities[0])
    }
}

/// So many cities, each as far from those before it as can be.
fn apart(count: usize, among: &[City], lot: &mut ChaCha8Rng) -> Vec<City> {
    let first = lot.next_u64() % among.len().max(1) as u64;
    let mut chosen = vec![among[first as usize]];
    while chosen.len() < count.min(among.len()) {
        let room = |city: &&City| {
            chosen.iter().map(|other| other.at.distance_km(city.at)).fold(f64::INFINITY, f64::min)
        };
        let Some(next) = among.iter().max_by(|a, b| room(a).total_cmp(&room(b))) else { break };
        chosen.push(*next);
    }
    chosen
}

fn key(city: &City) -> String {
    key_of(city.name)
}

fn write_networks(text: &mut String, networks: &[Drawn], sites: &[City]) -> std::fmt::Result {
    let quoted =
        |words: Vec<String>| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    for Drawn { name, asn, cities, links } in networks {
        let link = |&(from, to): &(usize, usize)| format!("{}-{}", key(&cities[from]), key(&cities[to]));
        let (places, links) =
            (quoted(cities.iter().map(key).collect()), quoted(links.iter().map(link).collect()));
        write!(text, "\n[[as]]\nasn = {asn}\nname = \"{name}\"\ncities = [{places}]\nlinks = [{links}]\n")?;
    }
    let sites = quoted(sites.iter().map(key).collect());
    write!(text, "\n[[as]]\nasn = 64500\nname = \"Anycast\"\nsites = [{sites}]\nhost_asn = 64501\n")
}

fn write_relations(
    text: &mut String,
    carriers: &[Drawn],
    regions: &[Drawn],
    sites: &[City],
) -> std::fmt::Result {
    writeln!(text, "\n[relations]\ntransit = [")?;
    for (number, region) in regions.iter().enumerate() {
        for turn in 0..2 {
            // Each buys from two, each time at another end of its network.
            let carrier = &carriers[(number + turn) % carriers.len()];
            let here = &region.cities[turn * region.cities.len() / 2];
            sentence(text, (region, '>', carrier), here, carrier.nearest(here))?;
        }
    }
    let anycast = Drawn { name: "Anycast".to_owned(), asn: 0, cities: sites.to_vec(), links: Vec::new() };
    let sellers = || carriers.iter().chain(regions);
    for site in sites {
        let distance = |seller: &&Drawn| seller.nearest(site).at.distance_km(site.at);
        if let Some(seller) = sellers().min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            sentence(text, (&anycast, '>', seller), site, seller.nearest(site))?;
        }
    }
    writeln!(text, "]\npeering = [")?;
    for (number, left) in carriers.iter().enumerate() {
        for right in &carriers[number + 1..] {
            for here in left.cities.iter().step_by(WIDE / 3) {
                sentence(text, (left, '=', right), here, right.nearest(here))?;
            }
        }
    }
    writeln!(text, "]")
}

fn sentence(
    text: &mut String,
    (left, sign, right): (&Drawn, char, &Drawn),
    here: &City,
    there: &City,
) -> std::fmt::Result {
    writeln!(text, "  \"{} {sign} {} @ {}={}\",", left.name, right.name, key(here), key(there))
}

/// In the cities of the regional networks, each network in its turn.
fn write_clients(text: &mut String, regions: &[Drawn]) -> std::fmt::Result {
    writeln!(text, "\n[clients]")?;
    let turns = (0..NARROW).flat_map(|place| regions.iter().map(move |region| (place, region)));
    let clients = turns.filter_map(|(place, region)| Some((region.cities.get(place)?, region)));
    clients.take(CLIENTS).try_for_each(|(city, region)| writeln!(text, "{} = \"{}\"", key(city), region.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Role};
    use crate::world::World;
    use proptest::prelude::*;

    fn drawn(seed: u64) -> World {
        World::parse("dozens", &dozens(seed)).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn the_same_seed_draws_the_same_world_and_another_one_another() {
        assert_eq!(dozens(7), dozens(7));
        assert_ne!(dozens(7), dozens(8));
        // Somebody may have written a scenario for it.
        let sites = drawn(DEFAULT_SEED).sites;
        let names: Vec<&str> = sites.iter().take(5).map(|site| site.name.as_str()).collect();
        insta::assert_snapshot!(names.join(" "));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn every_seed_draws_a_world_of_forty_sites_and_a_hundred_routers(seed: u64) {
            let world = drawn(seed);
            let plan = Plan::new(&world).unwrap();
            let routers = plan.nodes.iter().filter(|node| matches!(node.role, Role::Router(_)));
            prop_assert_eq!((world.sites.len(), routers.count(), world.clients.len()), (40, 100, 24));
        }
    }
}
