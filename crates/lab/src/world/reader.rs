//! From the text of a world file to a [`World`], or to every fault with its line.

use super::operation::{Operation, Written};
use super::relation::{End, Sentence};
use super::{CableOverride, Client, Network, Place, Relation, RouterRef, Service, Site, World, router_name};
use document::{Document, Faults, Spanned, Table, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;
use terms::{Asn, GeoPoint, SiteName, cities, find_city, nearest_spelling};

/// Bounds that keep every address of the plan within its block.
const MOST_NETWORKS: usize = 200;
const MOST_PLACES: usize = 200;
/// IPv6 is asked this much more rarely than IPv4: it takes the same ways, and the machine has other things to do.
const IPV6_EVERY: u32 = 5;
const DEFAULT_PROBE: Duration = Duration::from_millis(20);
const SHORTEST_PROBE: Duration = Duration::from_millis(5);
const LONGEST_PROBE: Duration = Duration::from_secs(10);
/// One-way delay of the longest cable, ms: a geostationary satellite takes 250.
const LONGEST_DELAY_MS: f64 = 2000.0;

pub(super) fn read(name: &str, text: &str) -> Result<World, Faults> {
    let document = Document::parse(name, text);
    let world = Reader { document: &document, places: BTreeMap::new(), host_asn: Cell::new(None) }.world();
    document.finish(world)
}

struct Reader<'d> {
    document: &'d Document,
    /// Cities that the file itself defines, by key.
    places: BTreeMap<String, Place>,
    /// The AS of the sites' hosts, where the anycast network says it.
    host_asn: Cell<Option<Asn>>,
}

impl<'d> Reader<'d> {
    /// Asks for every part before giving up, so that every fault is told.
    fn world(mut self) -> Option<World> {
        let root = self.document.root();
        let head = root.required("world").table();
        let head = head.as_ref().and_then(|table| self.head(table));
        for table in root.optional("city").tables() {
            self.city(&table);
        }
        let read = |table: &Table<'d>| self.network(table);
        let networks = root.required("as").each(read);
        let relations = root.required("relations").table();
        let clients = root.required("clients").table();
        let cables = root.optional("cable").tables();
        let operation = Written::read(&root);
        // Without every network, names that are there would count as unknown.
        let networks = networks?;
        self.networks_are_distinct(&networks);
        let sites = self.sites(&networks);
        let networks: Vec<Network> = networks.into_iter().map(|network| network.value).collect();
        let relations = relations.map(|table| self.relations(&table, &networks));
        let clients = clients.map(|table| self.clients(&table, &networks));
        let relations = relations?;
        let overrides: Vec<Option<CableOverride>> =
            cables.iter().map(|table| self.cable(table, &networks, relations.as_deref())).collect();
        let (name, service, probe) = head?;
        Some(World {
            name,
            service,
            probe,
            probe_ipv6: probe * IPV6_EVERY,
            networks,
            relations: relations?,
            clients: clients??,
            host_asn: self.host_asn.get()?,
            sites: sites?,
            overrides: overrides.into_iter().collect::<Option<_>>()?,
            operation: operation?.over(&Operation::default()),
        })
    }

    fn head(&self, table: &Table<'d>) -> Option<(String, Service, Duration)> {
        let name = table.required("name").parse::<SiteName>();
        let service = table.optional("service");
        let probe = table.optional("probe");
        let service = match service.parse() {
            None if service.is_given() => None,
            None => Some(Service::default()),
            Some(service) => Some(service.value),
        };
        let probe_every = match probe.duration_in(SHORTEST_PROBE..=LONGEST_PROBE) {
            None if probe.is_given() => None,
            None => Some(DEFAULT_PROBE),
            Some(every) => Some(every.value),
        };
        Some((name?.value.to_string(), service?, probe_every?))
    }

    fn city(&mut self, table: &Table<'d>) {
        let name = table.required("name").text();
        let latitude = table.required("lat").number::<f64>();
        let longitude = table.required("lon").number::<f64>();
        let (Some(name), Some(latitude), Some(longitude)) = (name, latitude, longitude) else { return };
        let point = GeoPoint::new(latitude.value, longitude.value);
        let Some(at) = self.accept(point, latitude.span) else { return };
        let Some(key) = self.key(&name) else { return };
        self.places.insert(key.clone(), Place { key, city: name.value.to_owned(), at });
    }

    /// A name in lower case without blanks and hyphens, which can be part of a node's name.
    fn key(&self, name: &Spanned<&str>) -> Option<String> {
        let key: String =
            name.value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        self.accept(key.parse::<SiteName>(), name.span.clone()).map(String::from)
    }

    fn place(&self, name: &Spanned<&str>) -> Option<Place> {
        let key = self.key(name)?;
        if let Some(place) = self.places.get(&key) {
            return Some(place.clone());
        }
        if let Some(city) = find_city(&key) {
            return Some(Place { key, city: city.name.to_owned(), at: city.at });
        }
        let known = cities().iter().map(|city| city.name).chain(self.places.keys().map(String::as_str));
        let hint = match nearest_spelling(name.value, known) {
            Some(guess) => format!("did you mean {guess}?"),
            None => "add it: [[city]] with name, lat and lon".to_owned(),
        };
        self.document.fault_with_hint(name.span.clone(), format!("no city is called `{}`", name.value), hint);
        None
    }

    fn network(&self, table: &Table<'d>) -> Option<Spanned<Network>> {
        let asn = table.required("asn").number::<Asn>();
        let name = table.required("name");
        let sites = table.optional("sites");
        let links = table.optional("links");
        let islands = sites.is_given();
        let cities = if islands { sites } else { table.required("cities") };
        if islands {
            self.host_asn.set(table.required("host_asn").number().map(|asn| asn.value));
            table.refuse("cities", "a network with `sites` has its routers there", "leave `cities` out");
        }
        let name = name.text();
        let span = name.as_ref().map_or(table.span(), |name| name.span.clone());
        let key = name.as_ref().and_then(|name| self.key(name));
        let places = self.places(&cities);
        if islands && links.is_given() {
            let message = "a network with `sites` has no backbone";
            self.document.fault_with_hint(links.span(), message, "leave `links` out");
        }
        let backbone = self.backbone(&links, places.as_deref()?);
        let (_, name) = (key?, name?.value.to_owned());
        let network = Network { asn: asn?.value, name, places: places?, backbone: backbone?, islands };
        Some(Spanned { value: network, span })
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
        let read = |item: &Value<'d>| {
            let text = item.text()?;
            let find = |key: &str| places.iter().position(|place| place.key == key.trim());
            let pair = text.split_once('-').and_then(|(from, to)| Some((find(from)?, find(to)?)));
            if pair.is_none_or(|(from, to)| from == to) {
                let message = format!("`{}` joins no two cities of this network", text.value);
                let known: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
                let hint = format!("write city-city with two of: {}", known.join(", "));
                self.document.fault_with_hint(text.span, message, hint);
                return None;
            }
            pair
        };
        let pairs: Vec<Option<(usize, usize)>> = links.list().iter().map(read).collect();
        pairs.into_iter().collect()
    }

    fn networks_are_distinct(&self, networks: &[Spanned<Network>]) {
        let mut numbers = BTreeSet::new();
        let mut names = BTreeSet::new();
        for network in networks {
            let span = || network.span.clone();
            if !numbers.insert(network.asn) || Some(network.asn) == self.host_asn.get() {
                self.document.fault(span(), format!("AS {} is taken", network.asn));
            }
            if !names.insert(network.name.to_lowercase()) {
                self.document.fault(span(), format!("two networks are called `{}`", network.name));
            }
        }
        if let Some(first_too_many) = networks.get(MOST_NETWORKS) {
            let message = format!("a world has {MOST_NETWORKS} networks at most");
            self.document.fault(first_too_many.span.clone(), message);
        }
    }

    fn sites(&self, networks: &[Spanned<Network>]) -> Option<Vec<Site>> {
        let mut anycast = networks.iter().enumerate().filter(|(_, network)| network.islands);
        let Some((index, network)) = anycast.next() else {
            let message = "no network announces the anycast address";
            self.document.fault_with_hint(0..0, message, "give one network `sites` instead of `cities`");
            return None;
        };
        if let Some((_, second)) = anycast.next() {
            self.document.fault(second.span.clone(), "only one network can have `sites`");
            return None;
        }
        let site = |(place, found): (usize, &Place)| {
            let name = self.accept(found.key.parse(), network.span.clone())?;
            Some(Site { name, router: RouterRef { network: index, place }, hostile: false })
        };
        network.places.iter().enumerate().map(site).collect()
    }

    fn relations(&self, table: &Table<'d>, networks: &[Network]) -> Option<Vec<Relation>> {
        let (transit, peering) = (table.optional("transit"), table.optional("peering"));
        let sentences = [(transit, '>'), (peering, '=')].into_iter().flat_map(|(value, sign)| {
            value.parse_list::<Sentence>().into_iter().map(move |sentence| (sentence, sign))
        });
        let read = |(sentence, sign): (Spanned<Sentence>, char)| {
            if !self.document.source().text()[sentence.span.clone()].contains([sign]) {
                let message = format!("a relation of this list has a `{sign}` between its networks");
                self.document.fault(sentence.span, message);
                return None;
            }
            let left = self.end(&sentence.left, networks, &sentence.span);
            let right = self.end(&sentence.right, networks, &sentence.span);
            let (left, right) = (left?, right?);
            if left.network == right.network {
                self.document.fault(sentence.span, "a network has no relation with itself");
                return None;
            }
            Some(Relation { kind: sentence.value.kind, left, right })
        };
        let relations: Vec<Option<Relation>> = sentences.map(read).collect();
        relations.into_iter().collect()
    }

    fn end(&self, end: &End, networks: &[Network], span: &Range<usize>) -> Option<RouterRef> {
        let network = self.network_called(&end.network, networks, span)?;
        let places = &networks[network].places;
        let place = places.iter().position(|place| place.key == end.city);
        if place.is_none() {
            let message = format!("{} has no router in {}", end.network, end.city);
            let known: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
            self.document.fault_with_hint(span.clone(), message, format!("it is in: {}", known.join(", ")));
        }
        Some(RouterRef { network, place: place? })
    }

    fn network_called(&self, name: &str, networks: &[Network], span: &Range<usize>) -> Option<usize> {
        let found = networks.iter().position(|network| network.name == name);
        if found.is_none() {
            let message = format!("no network is called `{name}`");
            match nearest_spelling(name, networks.iter().map(|network| network.name.as_str())) {
                Some(guess) => {
                    self.document.fault_with_hint(span.clone(), message, format!("did you mean {guess}?"))
                }
                None => self.document.fault(span.clone(), message),
            }
        }
        found
    }

    fn clients(&self, table: &Table<'d>, networks: &[Network]) -> Option<Vec<Client>> {
        let read = |(city, value): (Spanned<String>, Value<'d>)| {
            let city = Spanned { value: city.value.as_str(), span: city.span };
            let place = self.place(&city);
            let name = value.text()?;
            let network = self.network_called(name.value, networks, &name.span)?;
            let end = End { network: name.value.to_owned(), city: place.as_ref()?.key.clone() };
            let router = self.end(&end, networks, &name.span)?;
            if networks[network].islands {
                self.document.fault(name.span, "a client of the anycast network would ask itself");
                return None;
            }
            Some(Client { place: place?, router })
        };
        let clients: Vec<Option<Client>> = table.entries().into_iter().map(read).collect();
        if clients.is_empty() {
            self.document.fault(table.span(), "a world has at least one client");
            return None;
        }
        clients.into_iter().collect()
    }

    fn cable(
        &self,
        table: &Table<'d>,
        networks: &[Network],
        relations: Option<&[Relation]>,
    ) -> Option<CableOverride> {
        let ends_value = table.required("ends");
        let ends = ends_value.list();
        let delay = table.optional("ms").number_in(0.0..=LONGEST_DELAY_MS);
        let loss = table.optional("loss").number_in(0.0..=1.0);
        let routers: Vec<Option<RouterRef>> = ends.iter().map(|end| self.router(end, networks)).collect();
        let [from, to] = routers[..] else {
            if ends_value.is_given() {
                self.document.fault(ends_value.span(), "a cable has two ends");
            }
            return None;
        };
        let (from, to) = (from?, to?);
        let same =
            |left: RouterRef, right: RouterRef| (left, right) == (from, to) || (right, left) == (from, to);
        let is_backbone = |network: usize| {
            let router = |place: usize| RouterRef { network, place };
            networks[network].backbone.iter().any(|&(left, right)| same(router(left), router(right)))
        };
        let between = relations?.iter().any(|relation| same(relation.left, relation.right));
        if !between && !is_backbone(from.network) {
            self.document.fault(ends_value.span(), "there is no cable between these two");
            return None;
        }
        let delay = delay.map(|ms| Duration::from_secs_f64(ms.value / 1000.0));
        Some(CableOverride { ends: (from, to), delay, loss: loss.map_or(0.0, |loss| loss.value) })
    }

    fn router(&self, value: &Value<'d>, networks: &[Network]) -> Option<RouterRef> {
        let name = value.text()?;
        for (network, found) in networks.iter().enumerate() {
            for (place, at) in found.places.iter().enumerate() {
                if router_name(&found.name, &at.key) == name.value {
                    return Some(RouterRef { network, place });
                }
            }
        }
        let message = format!("no router is called `{}`", name.value);
        self.document.fault_with_hint(name.span, message, "a router is called network-city in lower case");
        None
    }

    fn accept<T>(&self, result: Result<T, impl Display>, span: Range<usize>) -> Option<T> {
        result.map_err(|error| self.document.fault(span, error.to_string())).ok()
    }
}
