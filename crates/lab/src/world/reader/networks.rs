//! Networks: their routers, their backbones, and the sites of the one that announces the address.

use super::Reader;
use crate::world::{Network, Place, Program, RouterRef, Site, host_name, router_name};
use document::{Spanned, Table, Value};
use std::collections::{BTreeMap, BTreeSet};
use terms::Asn;

/// Bounds that keep every address of the plan within its block.
const MOST_NETWORKS: usize = 200;
const MOST_PLACES: usize = 200;
/// Hosts for which the block of a site has room.
const MOST_HOSTS: u8 = 4;

/// What `router` can say.
const PROGRAMS: [(&str, Program); 2] = [("bird", Program::Bird), ("frr", Program::Frr)];

impl<'d> Reader<'d> {
    pub(super) fn network(&self, table: &Table<'d>) -> Option<Spanned<Network>> {
        let asn = table.required("asn").number::<Asn>();
        let name = table.required("name");
        let sites = table.optional("sites");
        let links = table.optional("links");
        let program = self.program(&table.optional("router"));
        let islands = sites.is_given();
        let cities = if islands { sites } else { table.required("cities") };
        let name = name.text();
        let span = name.as_ref().map_or(table.span(), |name| name.span.clone());
        let key = name.as_ref().and_then(|name| self.key(name));
        let places = self.places(&cities);
        if islands {
            let hosts = self.hosts_at(&table.optional("hosts"), places.as_deref().unwrap_or_default());
            self.announced(table, key.as_deref(), hosts);
            table.refuse("cities", "a network with `sites` has its routers there", "leave `cities` out");
            table.refuse("links", "a network with `sites` has no backbone", "leave `links` out");
        } else {
            let hint = "the network that announces the address has `sites`";
            table.refuse("hosts", "a network without `sites` has no hosts", hint);
            table.refuse("host_asn", "a network without `sites` has no hosts", hint);
            table.refuse("service", "a network without `sites` answers nobody", hint);
            table.refuse("zone", "a network without `sites` answers nobody", hint);
        }
        let backbone = self.backbone(&links, places.as_deref()?);
        let (_, name) = (key?, name?.value.to_owned());
        for place in places.as_deref().unwrap_or_default() {
            self.take(&router_name(&name, &place.key), &span)?;
        }
        let (asn, places, backbone) = (asn?.value, places?, backbone?);
        Some(Spanned { value: Network { asn, name, places, backbone, islands, program: program? }, span })
    }

    /// None for a word that is no program.
    fn program(&self, value: &Value<'d>) -> Option<Program> {
        if !value.is_given() {
            return Some(Program::default());
        }
        value.one_of(&PROGRAMS).map(|program| program.value)
    }

    /// How many hosts there are at a site, where it is not one: `hosts = { london = 2 }`
    fn hosts_at(&self, value: &Value<'d>, places: &[Place]) -> BTreeMap<String, u8> {
        let mut at = BTreeMap::new();
        let Some(table) = value.table() else { return at };
        for (city, value) in table.entries() {
            let hosts = value.number_in(1..=MOST_HOSTS);
            if !places.iter().any(|place| place.key == city.value) {
                let known: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
                let message = format!("there is no site in `{}`", city.value);
                self.document.fault_with_hint(city.span, message, format!("sites: {}", known.join(", ")));
            } else if let Some(hosts) = hosts {
                at.insert(city.value, hosts.value);
            }
        }
        at
    }

    fn places(&self, cities: &Value<'d>) -> Option<Vec<Place>> {
        let items = cities.list();
        if cities.is_given() && !(1..=MOST_PLACES).contains(&items.len()) {
            let message = format!("a network has 1 to {MOST_PLACES} cities, not {}", items.len());
            self.document.fault(cities.span(), message);
            return None;
        }
        let mut seen = BTreeSet::new();
        let read = |item: &Value<'d>| {
            let name = item.text()?;
            let place = self.place(&name)?;
            if !seen.insert(place.key.clone()) {
                self.document.fault(name.span, format!("`{}` is here twice", place.key));
                return None;
            }
            Some(place)
        };
        let places: Vec<Option<Place>> = items.iter().map(read).collect();
        places.into_iter().collect()
    }

    fn backbone(&self, links: &Value<'d>, places: &[Place]) -> Option<Vec<(usize, usize)>> {
        let mut seen = BTreeSet::new();
        let read = |item: &Value<'d>| {
            let text = item.text()?;
            let find = |key: &str| places.iter().position(|place| place.key == key.trim());
            let pair = text.split_once('-').and_then(|(from, to)| Some((find(from)?, find(to)?)));
            let Some((from, to)) = pair.filter(|(from, to)| from != to) else {
                let message = format!("`{}` joins no two cities of this network", text.value);
                let known: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
                let hint = format!("write city-city with two of: {}", known.join(", "));
                self.document.fault_with_hint(text.span, message, hint);
                return None;
            };
            if !seen.insert((from.min(to), from.max(to))) {
                self.document.fault(text.span, format!("`{}` is here twice", text.value));
                return None;
            }
            Some((from, to))
        };
        let pairs: Vec<Option<(usize, usize)>> = links.list().iter().map(read).collect();
        pairs.into_iter().collect()
    }

    pub(super) fn networks_are_distinct(&self, networks: &[Spanned<Network>]) {
        let hosts = self.host_numbers();
        let mut numbers = BTreeSet::new();
        for network in networks {
            if !numbers.insert(network.asn) || hosts.contains(&network.asn) {
                self.document.fault(network.span.clone(), format!("AS {} is taken", network.asn));
            }
        }
        for (index, network) in networks.iter().enumerate() {
            let same = |other: &&Spanned<Network>| other.name.to_lowercase() == network.name.to_lowercase();
            if networks[..index].iter().any(|other| same(&other)) {
                let message = format!("two networks are called `{}`", network.name);
                self.document.fault(network.span.clone(), message);
            }
        }
        if let Some(first_too_many) = networks.get(MOST_NETWORKS) {
            let message = format!("a world has {MOST_NETWORKS} networks at most");
            self.document.fault(first_too_many.span.clone(), message);
        }
        for (index, network) in networks.iter().enumerate() {
            for &(from, _) in &network.backbone {
                self.begin_cable(RouterRef { network: index, place: from }, network, &network.span);
            }
        }
    }

    /// The sites of all services. Where there are several, a site has the name of its service in its own.
    pub(super) fn sites(&self, networks: &[Spanned<Network>]) -> Option<Vec<Site>> {
        let anycast: Vec<(usize, &Spanned<Network>)> =
            networks.iter().enumerate().filter(|(_, network)| network.islands).collect();
        if anycast.is_empty() {
            let message = "no network announces the anycast address";
            self.document.fault_with_hint(0..0, message, "give one network `sites` instead of `cities`");
            return None;
        }
        let several = anycast.len() > 1;
        let places = anycast.into_iter().enumerate().flat_map(|(service, (index, network))| {
            let places = network.places.iter().enumerate();
            places.map(move |(place, found)| (service, network, RouterRef { network: index, place }, found))
        });
        let site = |(service, network, router, found): (usize, &Spanned<Network>, RouterRef, &Place)| {
            let name = if several { router_name(&network.name, &found.key) } else { found.key.clone() };
            let name = self.accept(name.parse(), network.span.clone())?;
            let site =
                Site { name, service, router, hosts: self.hosts_of(service, &found.key), hostile: false };
            for host in 0..site.hosts {
                self.take(&host_name(&site, host), &network.span)?;
            }
            Some(site)
        };
        let sites: Vec<Option<Site>> = places.map(site).collect();
        sites.into_iter().collect()
    }
}
