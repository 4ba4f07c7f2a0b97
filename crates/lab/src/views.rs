//! What the network itself says: the real way of every client, and why a router chose it; what every daemon says about
//! its site. Looked up when routes change, and once in a while because a daemon changes its mind silently.

use crate::clock;
use crate::detour::Candidate;
use crate::forwards::{self, Forwards};
use crate::history::{ClientId, SiteId};
use crate::paths::{End, RouteWatch, Way, follow};
use crate::plan::{NodeId, service_address};
use crate::running::{Lab, lock};
use crate::scenario::facts::PacketEnd;
use crate::world::Asker;
use api::client::Server;
use api::client::blocking::Client;
use api::{Alarm, Group, Output, Status, route};
use linux::{Error, Result};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use terms::{Family, SiteName, Timestamp};

/// After a change more of them follow: so long is waited for the last.
const SETTLING: Duration = Duration::from_millis(100);
/// How often the daemons are asked when nothing changes.
const CALM: Duration = Duration::from_millis(500);

/// The latest of everything.
#[derive(Default)]
pub(crate) struct Views {
    /// The way of each client.
    pub(crate) ways: Vec<Way>,
    /// The router on each client's way that had a choice, and what it had to choose from.
    pub(crate) choices: Vec<Option<(NodeId, Vec<Candidate>)>>,
    /// What each daemon that answers says about its announcement group.
    pub(crate) groups: BTreeMap<SiteId, Group>,
    /// The alarms of each daemon that answers.
    pub(crate) alarms: BTreeMap<SiteId, Vec<Alarm>>,
    /// What they forward to each other.
    pub(crate) forwards: Forwards,
    /// What the daemons say is not older than this; none before each was asked once.
    pub(crate) asked: Option<Timestamp>,
}

impl Views {
    /// Whether each of so many sites announces, and none of them less preferred.
    pub(crate) fn all_is_as_usual(&self, sites: usize) -> bool {
        self.groups.len() == sites && self.groups.values().all(|group| group.output == Output::Normal)
    }

    /// Keeps them up to date until the process ends.
    pub(crate) fn keep_up(lab: Arc<Lab>, views: Arc<Mutex<Views>>) -> Result<()> {
        let mut watch = RouteWatch::open(lab.world.services.len(), &lab.machines)?;
        let daemons = thread::Builder::new().name("daemons".into());
        let (asked, answers) = (Arc::clone(&lab), Arc::clone(&views));
        daemons
            .spawn(move || ask_daemons(&asked, &answers))
            .map_err(|error| Error::new("start the thread that asks daemons", error))?;
        let routes = thread::Builder::new().name("routes".into());
        let keep_up = move || {
            loop {
                let (ways, choices) = look(&lab);
                {
                    let mut views = lock(&views);
                    (views.ways, views.choices) = (ways, choices);
                }
                while !watch.changed(Duration::from_secs(60)) {}
                while watch.changed(SETTLING) {}
            }
        };
        routes.spawn(keep_up).map_err(|error| Error::new("start the thread that watches routes", error))?;
        Ok(())
    }
}

type Choices = Vec<Option<(NodeId, Vec<Candidate>)>>;

fn look(lab: &Lab) -> (Vec<Way>, Choices) {
    let address = |asker: &Asker| service_address(asker.service).of(Family::Ipv4);
    let way = |(index, asker): (usize, &Asker)| {
        let from = lab.plan.asker(&lab.world, ClientId::at(index));
        from.map(|from| follow(&lab.plan, &lab.machines, from, address(asker))).unwrap_or_default()
    };
    let ways: Vec<Way> = lab.world.askers.iter().enumerate().map(way).collect();
    // Many ways lead through the same routers: each is asked once.
    let mut told = BTreeMap::new();
    let askers = lab.world.askers.iter().zip(&ways);
    let choices = askers.map(|(asker, way)| choice(lab, way, address(asker), &mut told)).collect();
    (ways, choices)
}

/// The first router on a way that has a choice; where none has, the first one, which is told of one way only.
fn choice(
    lab: &Lab,
    way: &Way,
    to: IpAddr,
    told: &mut BTreeMap<(NodeId, IpAddr), Vec<Candidate>>,
) -> Option<(NodeId, Vec<Candidate>)> {
    let mut first = None;
    for &node in &way.nodes {
        let known = told.entry((node, to)).or_insert_with(|| ask_router(lab, node, to));
        if known.len() > 1 {
            return Some((node, known.clone()));
        }
        if known.len() == 1 && first.is_none() {
            first = Some((node, known.clone()));
        }
    }
    first
}

/// None for a node that is no router, or that does not answer.
fn ask_router(lab: &Lab, node: NodeId, to: IpAddr) -> Vec<Candidate> {
    let routers = lock(&lab.routers);
    let Some(router) = routers.get(&node) else { return Vec::new() };
    router.candidates(to).unwrap_or_default()
}

impl Lab {
    /// What becomes of packets that a client sends to an address; none without such a client.
    pub(crate) fn packet_end(&self, client: &str, to: IpAddr) -> Option<PacketEnd> {
        let place = self.world.clients.iter().position(|one| one.name == client)?;
        let way = follow(&self.plan, &self.machines, self.plan.client(ClientId::at(place))?, to);
        let last = || way.nodes.last().map_or_else(String::new, |node| self.plan.node(*node).name.clone());
        Some(match way.end {
            End::Site(site) => PacketEnd::Reaches(self.world.sites.get(usize::from(site.0))?.name.clone()),
            End::Dropped => PacketEnd::DroppedBy(last()),
            End::Lost => PacketEnd::LostAt(last()),
        })
    }

    /// The control sockets of the daemons of a site.
    pub(crate) fn sockets_of(&self, site: SiteId) -> Vec<PathBuf> {
        let hosts = lock(&self.hosts);
        hosts.iter().filter(|(id, _)| id.site == site).map(|(_, host)| host.socket()).collect()
    }

    /// Whether the edge router of each site has a route to the site's host, over both families.
    pub(crate) fn announced(&self) -> BTreeMap<SiteName, bool> {
        let routers = lock(&self.routers);
        let knows = |site: &crate::world::Site| {
            let router = self.plan.router(site.router).and_then(|node| routers.get(&node));
            let addresses = service_address(site.service).both();
            router.is_some_and(|router| addresses.iter().all(|address| router.knows(*address)))
        };
        self.world.sites.iter().map(|site| (site.name.clone(), knows(site))).collect()
    }
}

/// What a daemon says about itself; none if it does not answer.
fn ask_daemon(socket: &Path) -> Option<Status> {
    Client::of(Server::Daemon, socket).ok()?.get(route::STATUS).ok()
}

fn strength(output: Output) -> u8 {
    match output {
        Output::None => 0,
        Output::Gshut => 1,
        Output::Depref => 2,
        Output::Normal => 3,
    }
}

fn ask_daemons(lab: &Lab, views: &Mutex<Views>) {
    let clients = forwards::clients(lab);
    loop {
        let begun = clock::now();
        for (id, site) in (0..).map(SiteId::at).zip(&lab.world.sites) {
            let mut alarms = Vec::new();
            let mut group: Option<Group> = None;
            let mut forwarded = Vec::new();
            for socket in lab.sockets_of(id) {
                let Some(status) = ask_daemon(&socket) else { continue };
                forwarded.extend(
                    status.continuity.iter().flat_map(|continuity| forwards::ask(&socket, continuity)),
                );
                alarms.extend(status.alarms);
                let more = status.groups.into_iter().next();
                // A site is announced as strongly as the strongest of its hosts.
                group = group.into_iter().chain(more).max_by_key(|group| strength(group.output));
            }
            let mut views = lock(views);
            views.alarms.insert(id, alarms);
            let client = |address| clients.get(&address).copied();
            views.forwards.follow(&site.name, &forwarded, client, clock::now());
            match group {
                Some(group) => views.groups.insert(id, group),
                None => views.groups.remove(&id),
            };
        }
        lock(views).asked = Some(begun);
        thread::sleep(CALM);
    }
}
