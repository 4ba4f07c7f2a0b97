//! The services of the site on this host: their addresses, and the servers of the built-in ones.
//!
//! A service that leaves the site file is withdrawn first; its addresses and its server stay for the time to linger,
//! for users who have not heard of the withdrawal yet.

use super::Shared;
use crate::address::{Belongings, Wanted};
use crate::dns;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::load::Watched;
use crate::watchdog::Hearts;
use config::{BuiltInDns, Service, SiteFile};
use std::collections::BTreeSet;
use std::net::IpAddr;
use terms::{ServiceName, Timestamp};
use tokio::sync::watch;

/// What belongs on this host, as the site file says.
pub(super) fn belongings(site_file: &SiteFile) -> Belongings {
    let services = &site_file.services;
    let announced = site_file.groups.iter().flat_map(|group| group.prefixes.iter().copied());
    let announced = announced.chain(site_file.covers());
    Belongings {
        addresses: services.iter().flat_map(|service| service.addresses.iter().copied()).collect(),
        rejected: announced.filter(|_| site_file.site.reject_routes).collect(),
    }
}

fn shelf_of(
    service: &Service,
    built_in: &BuiltInDns,
    site_file: &SiteFile,
    bus: &Bus,
) -> Result<dns::Shelf, Error> {
    let images = dns::Images::new(&site_file.site.state_dir, &service.name);
    dns::Shelf::new(built_in, images, dns::Teller::new(&service.name, &site_file.site.name, bus))
        .map_err(Error::System)
}

/// The built-in DNS service of each service that has one.
#[derive(Debug, Default)]
pub(super) struct DnsServices {
    servers: Vec<dns::Server>,
    shelves: dns::zone_keeping::Wanted,
}

/// Starts the built-in DNS service of each service that has one. Its addresses may come later.
pub(super) fn start_dns(
    site_file: &SiteFile,
    surroundings: &dns::Surroundings,
    from: &mut dns::Inheritance,
) -> Result<DnsServices, Error> {
    let mut started = DnsServices::default();
    for service in &site_file.services {
        let Some(built_in) = &service.dns else { continue };
        let shelf = shelf_of(service, built_in, site_file, &surroundings.bus)?;
        let settings = settings(service, built_in, service.dns_addresses(), site_file)?;
        started.servers.push(dns::Server::start(&settings, shelf.published(), surroundings, from)?);
        started.shelves.insert(service.name.clone(), shelf);
    }
    Ok(started)
}

/// Looks through what services of earlier site files have left, on a thread that nobody waits for: it reads all of it.
pub(super) fn sweep(site_file: &SiteFile, bus: &Bus) -> std::io::Result<()> {
    let names = site_file.services.iter().map(|service| service.name.clone()).collect();
    let (state_dir, bus) = (site_file.site.state_dir.clone(), bus.clone());
    let sweep = move || {
        for gone in dns::Images::sweep_others(&state_dir, &names) {
            bus.tell(&Event::ZonesForgotten, Source::Service(&gone));
        }
    };
    std::thread::Builder::new().name("dns-sweep".to_owned()).spawn(sweep).map(drop)
}

/// What a server of a service on some of its addresses is to know.
fn settings(
    service: &Service,
    built_in: &BuiltInDns,
    addresses: Vec<IpAddr>,
    site_file: &SiteFile,
) -> Result<dns::Settings, Error> {
    Ok(dns::Settings {
        service: service.name.clone(),
        addresses,
        workers: std::thread::available_parallelism().map_err(Error::System)?,
        identity: ::dns::Identity::new(&site_file.site.name, Some(&site_file.site.host)),
        limits: built_in.limits,
        tls: built_in.tls.clone(),
        rate_limit: built_in.rate_limit,
    })
}

/// What runs and what is on its way out.
pub(super) struct Services {
    shared: Shared,
    wanted: Wanted,
    servers: Vec<dns::Server>,
    shelves: dns::zone_keeping::Wanted,
    /// The zones of the services that the site file has.
    kept: watch::Sender<dns::zone_keeping::Wanted>,
    leaving: Vec<Leaving>,
    hearts: Hearts,
    tallies: watch::Sender<Vec<dns::Tally>>,
    /// Whose load is measured.
    watched: watch::Sender<Vec<Watched>>,
}

/// What stays until users have heard of the withdrawal.
struct Leaving {
    until: Timestamp,
    belongings: Belongings,
    servers: Vec<dns::Server>,
}

impl Services {
    pub(super) fn new(
        shared: Shared,
        wanted: Wanted,
        dns: DnsServices,
        hearts: Hearts,
        site_file: &SiteFile,
    ) -> Self {
        let DnsServices { servers, shelves } = dns;
        let tallies = watch::Sender::default();
        let watched = watch::Sender::new(Watched::of(site_file));
        let services = Services {
            shared,
            wanted,
            servers: Vec::new(),
            kept: watch::Sender::new(shelves.clone()),
            shelves,
            leaving: Vec::new(),
            hearts,
            tallies,
            watched,
        };
        services.with(servers)
    }

    fn with(mut self, servers: Vec<dns::Server>) -> Self {
        self.look_after(servers);
        self
    }

    /// What the threads of the built-in DNS service count, now and from now on.
    pub(super) fn tallies(&self) -> watch::Receiver<Vec<dns::Tally>> {
        self.tallies.subscribe()
    }

    /// The zones to be kept current, now and from now on.
    pub(super) fn kept(&self) -> watch::Receiver<dns::zone_keeping::Wanted> {
        self.kept.subscribe()
    }

    /// The services whose load is measured, now and from now on.
    pub(super) fn watched(&self) -> watch::Receiver<Vec<Watched>> {
        self.watched.subscribe()
    }

    /// Starts the servers that another site file needs and that do not run yet. An error leaves everything as it is.
    pub(super) fn prepare(&self, next: &SiteFile) -> Result<DnsServices, Error> {
        let mut started = DnsServices::default();
        for service in &next.services {
            let Some(built_in) = &service.dns else { continue };
            let leaving = self.leaving.iter().flat_map(|leaving| &leaving.servers);
            let mine = self.servers.iter().chain(leaving).filter(|server| *server.service() == service.name);
            let served: BTreeSet<IpAddr> = mine.flat_map(|server| server.addresses().to_vec()).collect();
            let mut missing = service.dns_addresses();
            missing.retain(|address| !served.contains(address));
            if !missing.is_empty() {
                let shelf = self.shelves.get(&service.name).cloned();
                let shelf = shelf.map_or_else(|| shelf_of(service, built_in, next, &self.shared.bus), Ok)?;
                let settings = settings(service, built_in, missing, next)?;
                let nothing = &mut dns::Inheritance::default();
                let published = shelf.published();
                started.servers.push(dns::Server::start(&settings, published, &self.shared.dns, nothing)?);
                started.shelves.insert(service.name.clone(), shelf);
            }
        }
        Ok(started)
    }

    /// Puts what another site file has in place, with the servers that were prepared for it. What it has no more stays
    /// until it has lingered.
    pub(super) fn change(&mut self, last: &SiteFile, next: &SiteFile, prepared: DnsServices) {
        let DnsServices { servers: prepared, shelves } = prepared;
        self.shelves.extend(shelves);
        let returning: Vec<_> =
            self.leaving.iter_mut().flat_map(|leaving| leaving.servers.drain(..)).collect();
        self.servers.extend(returning);
        self.look_after(prepared);
        let needs = |server: &dns::Server| {
            let service = next.services.iter().find(|service| service.name == *server.service());
            let dns = service.and_then(|service| service.dns.as_ref());
            let is_used = service.is_some_and(|service| {
                let wanted = service.dns_addresses();
                server.addresses().iter().any(|address| wanted.contains(address))
            });
            dns.filter(|_| is_used)
        };
        let (stay, go): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.servers).into_iter().partition(|server| needs(server).is_some());
        for server in &stay {
            if let Some(built_in) = needs(server) {
                server.receive(built_in.limits, built_in.tls.as_ref());
                server.limit(built_in.rate_limit);
            }
        }
        for service in &next.services {
            if let (Some(built_in), Some(shelf)) = (&service.dns, self.shelves.get(&service.name)) {
                let (reread, shelf) = (shelf.change(built_in), shelf.clone());
                tokio::task::spawn_blocking(move || shelf.compare(reread));
            }
        }
        let kept = self.shelves.iter().filter(|(name, _)| has_dns(next, name));
        self.kept.send_replace(kept.map(|(name, shelf)| (name.clone(), shelf.clone())).collect());
        self.servers = stay;
        // Whoever brings a server of their own needs the port now.
        let (replaced, go): (Vec<_>, Vec<_>) =
            go.into_iter().partition(|server| next.services.iter().any(|s| s.name == *server.service()));
        let old = belongings(last).without(&belongings(next));
        if !(old.is_empty() && go.is_empty()) {
            let until = self.shared.clock.now() + next.site.linger;
            self.leaving.push(Leaving { until, belongings: old, servers: go });
        }
        stop(replaced, self.take_unused(next));
        self.watched.send_replace(Watched::of(next));
        self.want(next);
    }

    /// Takes the zones of services that the site file does not have, and whose servers do not linger. One that comes
    /// back has them from disk, as old as they are then.
    fn take_unused(&mut self, site_file: &SiteFile) -> Vec<dns::Shelf> {
        let lingers = |name: &ServiceName| {
            self.leaving.iter().flat_map(|leaving| &leaving.servers).any(|server| server.service() == name)
        };
        let (used, unused) = std::mem::take(&mut self.shelves)
            .into_iter()
            .partition(|(name, _)| has_dns(site_file, name) || lingers(name));
        self.shelves = used;
        unused.into_values().collect()
    }

    /// When something has lingered.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.leaving.iter().map(|leaving| leaving.until).min()
    }

    /// Takes away what has lingered.
    pub(super) fn let_go(&mut self, site_file: &SiteFile) {
        let now = self.shared.clock.now();
        let (gone, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.leaving).into_iter().partition(|leaving| leaving.until <= now);
        self.leaving = stay;
        let unused = self.take_unused(site_file);
        stop(gone.into_iter().flat_map(|leaving| leaving.servers).collect(), unused);
        self.want(site_file);
    }

    /// The servers of the built-in DNS service.
    pub(super) fn servers(&self) -> &[dns::Server] {
        &self.servers
    }

    /// Whether something that was taken away still lingers.
    pub(super) fn is_lingering(&self) -> bool {
        !self.leaving.is_empty()
    }

    fn want(&self, site_file: &SiteFile) {
        let leaving = self.leaving.iter().map(|leaving| &leaving.belongings);
        self.wanted.set(leaving.fold(belongings(site_file), |all, leaving| all.with(leaving)));
    }

    fn look_after(&mut self, servers: Vec<dns::Server>) {
        servers.iter().flat_map(dns::Server::hearts).for_each(|heart| self.hearts.add(heart));
        let tallies = servers.iter().flat_map(dns::Server::tallies);
        self.tallies.send_modify(|all| all.extend(tallies));
        self.servers.extend(servers);
    }
}

fn has_dns(site_file: &SiteFile, name: &ServiceName) -> bool {
    site_file.services.iter().any(|service| service.name == *name && service.dns.is_some())
}

/// Stops servers where nobody waits for the end of their threads, and then frees the zones that nobody serves any more.
fn stop(servers: Vec<dns::Server>, unused: Vec<dns::Shelf>) {
    if !(servers.is_empty() && unused.is_empty()) {
        tokio::task::spawn_blocking(move || {
            servers.into_iter().for_each(dns::Server::stop);
            unused.iter().for_each(dns::Shelf::close);
        });
    }
}
