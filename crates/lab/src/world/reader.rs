//! From the text of a world file to a [`World`], or to every fault with its line.

mod cables;
mod clients;
mod lans;
mod networks;
mod relations;
mod services;

use super::operation::{Operation, Written};
use super::service::askers;
use super::{CableOverride, IPV6_EVERY, Network, Place, RouterRef, Server, World, key_of, router_name};
use crate::plan::MOST_CABLES;
use document::{Document, Faults, Spanned, Table, Value};
use services::Announced;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use terms::{GeoPoint, SiteName, cities, find_city, nearest_spelling};

const DEFAULT_PROBE: Duration = Duration::from_millis(20);
const SHORTEST_PROBE: Duration = Duration::from_millis(5);
const LONGEST_PROBE: Duration = Duration::from_secs(10);
/// Short, so that nobody waits long for what the world shows.
const DEFAULT_HOLD_SECONDS: u16 = 9;
/// None is shorter (RFC 4271 section 4.2).
const HOLD_TIMES: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(300);

pub(super) fn read(name: &str, text: &str) -> Result<World, Faults> {
    let document = Document::parse(name, text);
    let world = Reader::of(&document).world();
    document.finish(world)
}

/// What a file says about the world as a whole.
struct Head {
    name: String,
    server: Server,
    probe: Duration,
    hold_time: u16,
}

struct Reader<'d> {
    document: &'d Document,
    /// Cities that the file itself defines, by key.
    places: BTreeMap<String, Place>,
    /// What the networks with sites announce, in the order of the file.
    announced: RefCell<Vec<Announced>>,
    /// The names of nodes that are taken.
    taken: RefCell<BTreeSet<String>>,
    /// How many cables begin at each router.
    begun: RefCell<BTreeMap<RouterRef, usize>>,
}

impl<'d> Reader<'d> {
    fn of(document: &'d Document) -> Self {
        Reader {
            document,
            places: BTreeMap::new(),
            announced: RefCell::default(),
            taken: RefCell::new(BTreeSet::from(["core".to_owned()])),
            begun: RefCell::default(),
        }
    }

    /// Asks for every part before giving up, so that every fault is told.
    fn world(mut self) -> Option<World> {
        let root = self.document.root();
        let head = root.required("world").table();
        let head = head.as_ref().and_then(|table| self.head(table));
        for table in root.optional("city").tables() {
            self.city(&table);
        }
        let networks = root.required("as").each(|table: &Table<'d>| self.network(table));
        let relations = root.required("relations").table();
        let clients = root.required("clients").table();
        let cables = root.optional("cable").tables();
        let lans = root.optional("lan").tables();
        let operation = Written::read(&root);
        // Without every network, names that are there would count as unknown.
        let networks = networks?;
        self.networks_are_distinct(&networks);
        let sites = self.sites(&networks);
        let services = self.services(head.as_ref().map_or(Server::default(), |head| head.server));
        let networks: Vec<Network> = networks.into_iter().map(|network| network.value).collect();
        let exchanges = relations.as_ref().map(|table| self.exchanges(table, &networks));
        let relations = relations.map(|table| self.relations(&table, &networks));
        let clients = clients.map(|table| self.clients(&table, &networks));
        let lans = self.lans(&lans, &networks);
        let relations = relations?;
        let overrides: Vec<Option<CableOverride>> =
            cables.iter().map(|table| self.cable(table, &networks, relations.as_deref())).collect();
        let Head { name, server: _, probe, hold_time } = head?;
        let (services, sites, clients) = (services?, sites?, clients??);
        let place = |router: RouterRef| networks[router.network].places[router.place].clone();
        let askers = askers(&clients, &services, &sites, place);
        Some(World {
            name,
            services,
            askers,
            probe,
            probe_ipv6: probe * IPV6_EVERY,
            hold_time,
            networks,
            relations: relations?,
            exchanges: exchanges??,
            clients,
            sites,
            lans: lans?,
            overrides: overrides.into_iter().collect::<Option<_>>()?,
            operation: operation?.over(&Operation::default()),
        })
    }

    fn head(&self, table: &Table<'d>) -> Option<Head> {
        let name = table.required("name").parse::<SiteName>();
        let service = table.optional("service");
        let probe = table.optional("probe");
        let service = match service.parse() {
            None if service.is_given() => None,
            None => Some(Server::default()),
            Some(service) => Some(service.value),
        };
        let probe_every = match probe.duration_in(SHORTEST_PROBE..=LONGEST_PROBE) {
            None if probe.is_given() => None,
            None => Some(DEFAULT_PROBE),
            Some(every) => Some(every.value),
        };
        let hold_time = self.hold_time(&table.optional("hold_time"));
        Some(Head {
            name: name?.value.to_string(),
            server: service?,
            probe: probe_every?,
            hold_time: hold_time?,
        })
    }

    fn hold_time(&self, value: &Value<'d>) -> Option<u16> {
        if !value.is_given() {
            return Some(DEFAULT_HOLD_SECONDS);
        }
        let written = value.duration_in(HOLD_TIMES)?;
        let seconds = u16::try_from(written.as_secs()).ok().filter(|_| written.subsec_nanos() == 0);
        self.accept(seconds.ok_or("a hold time is a number of whole seconds"), written.span)
    }

    fn city(&mut self, table: &Table<'d>) {
        let name = table.required("name").text();
        let latitude = table.required("lat").number::<f64>();
        let longitude = table.required("lon").number::<f64>();
        let (Some(name), Some(latitude), Some(longitude)) = (name, latitude, longitude) else { return };
        let point = GeoPoint::new(latitude.value, longitude.value);
        let Some(at) = self.accept(point, latitude.span) else { return };
        let Some(key) = self.key(&name) else { return };
        if self.places.contains_key(&key) {
            self.document.fault(name.span, format!("`{key}` is here twice"));
            return;
        }
        self.places.insert(key.clone(), Place { key, city: name.value.to_owned(), at });
    }

    /// A name as it can be part of a node's name.
    fn key(&self, name: &Spanned<&str>) -> Option<String> {
        self.accept(key_of(name.value).parse::<SiteName>(), name.span.clone()).map(String::from)
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

    /// Takes the name of a node; a fault if something else has it, or if it is too long for a name.
    fn take(&self, name: &str, span: &Range<usize>) -> Option<SiteName> {
        let good = self.accept(name.parse(), span.clone())?;
        if self.taken.borrow_mut().insert(name.to_owned()) {
            return Some(good);
        }
        self.document.fault(span.clone(), format!("another node of this world is called `{name}`"));
        None
    }

    /// Counts a cable that begins at a router; a fault where its block of addresses has no room for more.
    fn begin_cable(&self, router: RouterRef, network: &Network, span: &Range<usize>) {
        let mut begun = self.begun.borrow_mut();
        let cables = begun.entry(router).or_default();
        *cables += 1;
        if *cables == MOST_CABLES + 1 {
            let name = router_name(&network.name, &network.places[router.place].key);
            let message = format!("{name} has too many cables: at most {MOST_CABLES} can begin at a router");
            self.document.fault(span.clone(), message);
        }
    }

    fn accept<T>(&self, result: Result<T, impl Display>, span: Range<usize>) -> Option<T> {
        result.map_err(|error| self.document.fault(span, error.to_string())).ok()
    }
}
