//! What is announced: an address of its own for each network with sites, what answers there, and who asks.

use super::{Client, Place, RouterRef, Site};
use serde::Serialize;
use std::str::FromStr;
use std::time::Duration;
use terms::{Asn, DomainName, SiteName};

/// An anycast service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its name: that of its network, as names of nodes have it.
    pub name: SiteName,
    /// The AS that the hosts of its sites speak for.
    pub host_asn: Asn,
    /// What answers at its sites.
    pub server: Server,
    /// The zone that is made for it; none has what the sites of a single service have.
    pub zone: Option<DomainName>,
    /// The name whose SOA record is asked for to see who answers.
    pub asked: DomainName,
}

/// What answers at the sites of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// The DNS service of the daemon itself.
    #[default]
    BuiltIn,
    /// Debian's NSD beside the daemon.
    Nsd,
    /// Debian's Unbound beside the daemon: a resolver, which begins at the root zone of this world.
    Unbound,
}

impl Server {
    /// All of them, by the word that a file has for it.
    pub const WORDS: [(&'static str, Server); 3] =
        [("built-in", Server::BuiltIn), ("nsd", Server::Nsd), ("unbound", Server::Unbound)];

    /// Whether it is a process of its own beside the daemon.
    pub fn is_beside(self) -> bool {
        match self {
            Server::BuiltIn => false,
            Server::Nsd | Server::Unbound => true,
        }
    }
}

/// What cannot answer at all sites of a world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no service `{0}`; known: built-in, nsd")]
pub struct NoSuchServer(String);

impl FromStr for Server {
    type Err = NoSuchServer;
    /// Reads what can answer at the sites of every service: a resolver has zones to begin at, so that it is never alone.
    fn from_str(text: &str) -> Result<Self, NoSuchServer> {
        match text {
            "built-in" => Ok(Server::BuiltIn),
            "nsd" => Ok(Server::Nsd),
            other => Err(NoSuchServer(other.to_owned())),
        }
    }
}

/// Somebody who asks a service: a client, or a resolver, which asks those who serve the zones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asker {
    /// The client's name, or that of the resolver's site.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// The router that it is behind.
    pub router: RouterRef,
    /// How often it asks over IPv4, where it is not as often as all others.
    pub probe: Option<Duration>,
    /// What it asks, by its place in [`World::services`](super::World::services).
    pub service: usize,
    /// The site that it is, by its place in [`World::sites`](super::World::sites); none for a client.
    pub site: Option<usize>,
}

/// How often a resolver's site is seen to ask: it is many clients' way to the zones, and none of them waits for it.
const RESOLVER_ASKS_EVERY: Duration = Duration::from_millis(200);

/// Everybody who asks: clients the first service, each site of a resolver every service with a zone.
pub(super) fn askers(
    clients: &[Client],
    services: &[Service],
    sites: &[Site],
    place: impl Fn(RouterRef) -> Place,
) -> Vec<Asker> {
    let asker = |client: &Client| Asker {
        name: client.name.clone(),
        place: client.place.clone(),
        router: client.router,
        probe: client.probe,
        service: 0,
        site: None,
    };
    let resolves = |site: &&Site| services[site.service].server == Server::Unbound;
    let resolver = |(index, site): (usize, &Site)| {
        let asked = services.iter().enumerate().filter(|(_, service)| service.zone.is_some());
        let (name, place, router) = (site.name.to_string(), place(site.router), site.router);
        let one = move |(service, _): (usize, &Service)| Asker {
            name: name.clone(),
            place: place.clone(),
            router,
            probe: Some(RESOLVER_ASKS_EVERY),
            service,
            site: Some(index),
        };
        asked.map(one).collect::<Vec<_>>()
    };
    let resolvers = sites.iter().enumerate().filter(|(_, site)| resolves(site)).flat_map(resolver);
    clients.iter().map(asker).chain(resolvers).collect()
}
