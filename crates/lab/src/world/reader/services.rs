//! What the networks with sites announce: `service = "unbound"`, `zone = "example."`.

use super::Reader;
use crate::world::{Server, Service};
use document::{Spanned, Table, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use terms::{Asn, DomainName};

/// Services for which there are addresses.
const MOST_SERVICES: usize = 16;

/// What a network with sites says of them.
pub(super) struct Announced {
    span: Range<usize>,
    /// Its key; none if something is wrong with it.
    name: Option<String>,
    host_asn: Option<Asn>,
    hosts: BTreeMap<String, u8>,
    /// None where it says nothing: then it has what the world has.
    server: Option<Server>,
    zone: Option<Spanned<DomainName>>,
    is_good: bool,
}

impl<'d> Reader<'d> {
    /// Reads it, and keeps it until all networks are known.
    pub(super) fn announced(&self, table: &Table<'d>, name: Option<&str>, hosts: BTreeMap<String, u8>) {
        let host_asn = table.required("host_asn").number().map(|asn| asn.value);
        let (server, zone) = (table.optional("service"), table.optional("zone"));
        let given = |value: &Value<'d>, is_read: bool| is_read || !value.is_given();
        let read = server.one_of(&Server::WORDS).map(|server| server.value);
        let origin = zone.parse::<DomainName>();
        let is_good = given(&server, read.is_some()) && given(&zone, origin.is_some());
        if let (Some(Server::Unbound), Some(zone)) = (read, &origin) {
            let hint = "leave `zone` out, or let something else serve it";
            self.document.fault_with_hint(zone.span.clone(), "a resolver serves no zone of its own", hint);
        }
        let (name, span) = (name.map(str::to_owned), table.span());
        let announced = Announced { span, name, host_asn, hosts, server: read, zone: origin, is_good };
        self.announced.borrow_mut().push(announced);
    }

    /// The numbers that hosts of sites speak for.
    pub(super) fn host_numbers(&self) -> Vec<Asn> {
        self.announced.borrow().iter().filter_map(|announced| announced.host_asn).collect()
    }

    /// How many hosts the site of a service has in a city.
    pub(super) fn hosts_of(&self, service: usize, city: &str) -> u8 {
        let announced = self.announced.borrow();
        announced.get(service).and_then(|announced| announced.hosts.get(city)).copied().unwrap_or(1)
    }

    /// Every service, once all networks are read. `usual` answers where a network does not say what does.
    pub(super) fn services(&self, usual: Server) -> Option<Vec<Service>> {
        let announced = self.announced.borrow();
        if let Some(first_too_many) = announced.get(MOST_SERVICES) {
            let message = format!("a world has {MOST_SERVICES} networks with `sites` at most");
            self.document.fault(first_too_many.span.clone(), message);
        }
        self.zones_are_distinct(&announced);
        let zones = || announced.iter().filter_map(|one| one.zone.as_ref().map(|zone| &zone.value));
        // The deeper the zone, the more of the others its resolution needs.
        let deepest = zones().max_by_key(|zone| zone.labels().count()).cloned();
        let service = |one: &Announced| {
            let server = one.server.unwrap_or(usual);
            if server == Server::Unbound && !zones().any(|zone| *zone == DomainName::root()) {
                let hint = "give another network with `sites` the line `zone = \".\"`";
                self.document.fault_with_hint(
                    one.span.clone(),
                    "a resolver begins at the root zone, which nobody serves",
                    hint,
                );
                return None;
            }
            let zone = one.zone.as_ref().map(|zone| zone.value.clone());
            let asked = match server {
                Server::Unbound => deepest.clone(),
                Server::BuiltIn | Server::Nsd => zone.clone(),
            };
            Some(Service {
                name: one.name.as_ref()?.parse().ok()?,
                host_asn: one.host_asn?,
                server,
                zone,
                asked: asked.or_else(|| "example.".parse().ok())?,
            })
        };
        let services: Vec<Option<Service>> = announced.iter().map(service).collect();
        let services: Option<Vec<Service>> = services.into_iter().collect();
        services.filter(|_| announced.iter().all(|one| one.is_good))
    }

    fn zones_are_distinct(&self, announced: &[Announced]) {
        let zones: Vec<&Spanned<DomainName>> = announced.iter().filter_map(|one| one.zone.as_ref()).collect();
        for (index, zone) in zones.iter().enumerate() {
            if zones[..index].iter().any(|other| other.value == zone.value) {
                let message = format!("another network serves the zone `{}`", zone.value);
                self.document.fault(zone.span.clone(), message);
            }
        }
    }
}
