//! The picture of a running world, as the page draws it.

mod deliveries;

use crate::cable::Condition;
use crate::clock;
use crate::detour::Reasons;
use crate::forwards::Drawn;
use crate::history::{ClientId, SiteId};
use crate::nearest::nearest_site;
use crate::plan::{CableId, Medium, Plan, Purpose, Role, SERVICE, service_address};
use crate::running::{Lab, lock};
use crate::story::milliseconds;
use crate::views::Views;
use crate::world::Asker;
use api::{
    Alarm, CableState, Command, Detour, DetourKind, FaultKind, Group, IntentKind, Offer, Output, Picture,
    PictureKind,
};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{Reason, SiteName, WallTime};

/// What a client sees of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Who answers.
    pub(crate) site: Option<SiteId>,
    /// Who answered when every site announced, none of them less preferred.
    pub(crate) usual: Option<SiteId>,
    /// Whether the daemons were asked since it is who answers.
    pub(crate) is_known: bool,
    /// The median round trip.
    pub(crate) round_trip: Option<Duration>,
}

/// Draws it.
pub(crate) fn draw(lab: &Lab, started: WallTime, views: &Views, seen: &[Seen]) -> Picture {
    let mut picture = Picture::empty(PictureKind::Lab, lab.world.name.clone(), started);
    picture.addresses = SERVICE.both().to_vec();
    picture.services = services(lab);
    picture.at_ms = milliseconds(clock::now(), lab.began);
    picture.sites = sites(lab, views, seen);
    picture.clients = clients(lab, views, seen);
    picture.forwards = forwards(lab, views, seen);
    picture.routers = routers(&lab.plan);
    picture.cables = cables(lab, views);
    picture.faults = lock(&lab.faults).clone();
    picture.alarms = alarms(lab, views);
    deliveries::draw(lab, &mut picture);
    picture
}

/// Whether two pictures differ in nothing but the moment. Round trips wobble by microseconds all the time; the
/// ribbons show them anyway.
pub(crate) fn same_but_for_time(shown: &Picture, drawn: &Picture) -> bool {
    let still = |picture: &Picture| {
        let mut still = Picture { at_ms: 0, started: WallTime(0), ..picture.clone() };
        let round = |rtt_ms: &mut Option<f64>| *rtt_ms = rtt_ms.map(f64::round);
        still.clients.iter_mut().for_each(|client| round(&mut client.rtt_ms));
        still.sites.iter_mut().for_each(|site| round(&mut site.rtt_ms));
        still
    };
    still(shown) == still(drawn)
}

/// Where there is one there is nothing to tell apart.
fn services(lab: &Lab) -> Vec<api::Service> {
    let service = |(place, service): (usize, &crate::world::Service)| api::Service {
        name: service.name.clone(),
        addresses: service_address(place).both().to_vec(),
        zone: service.zone.clone().map(String::from),
    };
    match lab.world.services.len() {
        1 => Vec::new(),
        _ => lab.world.services.iter().enumerate().map(service).collect(),
    }
}

/// The name of a service where there are several.
fn name_of_service(lab: &Lab, service: usize) -> Option<SiteName> {
    (lab.world.services.len() > 1).then(|| lab.world.services[service].name.clone())
}

fn sites(lab: &Lab, views: &Views, seen: &[Seen]) -> Vec<api::Site> {
    let site = |(index, site): (usize, &crate::world::Site)| {
        let id = SiteId::at(index);
        let place = lab.world.router(site.router).1;
        let group = views.groups.get(&id);
        let mut round_trips: Vec<Duration> =
            seen.iter().filter(|seen| seen.site == Some(id)).filter_map(|seen| seen.round_trip).collect();
        round_trips.sort_unstable();
        api::Site {
            name: site.name.clone(),
            service: name_of_service(lab, site.service),
            city: place.city.clone(),
            at: Some(place.at),
            colour: colour(lab, index, site.service),
            state: group.map(|group| group.state),
            output: group.map_or(Output::None, |group| group.output),
            reason: group.map_or_else(|| Reason::from("no daemon answers"), |group| group.reason.clone()),
            clients: u32::try_from(seen.iter().filter(|seen| seen.site == Some(id)).count())
                .unwrap_or(u32::MAX),
            rtt_ms: round_trips.get(round_trips.len() / 2).map(|rtt| milli(*rtt)),
            offers: offers_of_site(lab, site, group),
        }
    };
    lab.world.sites.iter().enumerate().map(site).collect()
}

/// The first site of each service has the first colour: services are shown one at a time.
fn colour(lab: &Lab, index: usize, service: usize) -> u8 {
    let before = lab.world.sites.iter().take(index).filter(|site| site.service == service).count();
    u8::try_from(before).unwrap_or(u8::MAX)
}

/// The alarms of all sites. Whom an alarm is about is, on the map of a world, the site.
fn alarms(lab: &Lab, views: &Views) -> Vec<Alarm> {
    let of_site = |(site, alarms): (&SiteId, &Vec<Alarm>)| {
        let name = lab.world.sites[usize::from(site.0)].name.to_string();
        alarms.iter().map(|alarm| Alarm { subject: name.clone(), ..alarm.clone() }).collect::<Vec<_>>()
    };
    views.alarms.iter().flat_map(of_site).collect()
}

/// What the button of a half-broken place or cable says.
const LOST: &str = "30%";
/// Questions a second of the button that floods a site.
const FLOOD: u32 = 5_000;
/// What the button of a cable that flaps says.
const TURN: &str = "2s";

fn offers_of_site(lab: &Lab, described: &crate::world::Site, group: Option<&Group>) -> Vec<Offer> {
    let name = described.name.as_str();
    let edge = lab.plan.router(described.router).map(|edge| lab.plan.node(edge).name.as_str());
    let offer = |label: &str, kind, target: String| Offer {
        label: label.to_owned(),
        command: Command { kind, target },
    };
    let site = format!("site {name}");
    if lab.is_struck(&format!("restore {site}")) {
        return vec![offer("Restore", FaultKind::Restore, site)];
    }
    // What an operator ordered stands until another order, whatever happens to the site.
    let ordered = group.is_some_and(|group| group.intent.kind != IntentKind::Normal);
    let order = match ordered {
        true => offer("Resume", FaultKind::Resume, site.clone()),
        false => offer("Drain", FaultKind::Drain, site.clone()),
    };
    let mut offers = vec![
        offer("Power cut", FaultKind::PowerCut, site.clone()),
        order,
        offer("Silence", FaultKind::Blackhole, site.clone()),
        offer("Half-broken", FaultKind::HalfBroken, format!("{site} losing {LOST}")),
        offer("Reboot", FaultKind::Reboot, site),
        offer("Kill daemon", FaultKind::Kill, format!("daemon {name}")),
        offer("Starve daemon", FaultKind::Starve, format!("daemon {name}")),
        offer("Lose address", FaultKind::Remove, format!("address {name}")),
    ];
    if ordered {
        offers.swap(0, 1);
    }
    if let Some(edge) = edge {
        let target = format!("from {edge} at {FLOOD} per second");
        offers.push(offer("Flood", FaultKind::Flood, target));
    }
    if lab.world.service_of(described).server.is_beside() {
        offers.push(offer("Kill service", FaultKind::Kill, format!("service {name}")));
        offers.push(offer("Hang service", FaultKind::Hang, format!("service {name}")));
    }
    offers
}

fn clients(lab: &Lab, views: &Views, seen: &[Seen]) -> Vec<api::Client> {
    let client = |(index, client): (usize, &Asker)| {
        let (network, _) = lab.world.router(client.router);
        let seen = seen.get(index).copied().unwrap_or_default();
        let way = views.ways.get(index);
        let nearest = nearest_site(&lab.world, ClientId::at(index));
        let name = |site: SiteId| lab.world.sites[usize::from(site.0)].name.clone();
        api::Client {
            name: client.name.clone(),
            service: name_of_service(lab, client.service),
            city: client.place.city.clone(),
            at: client.place.at,
            asn: network.asn,
            network: network.name.clone(),
            site: seen.site.map(name),
            rtt_ms: seen.round_trip.map(milli),
            nearest: nearest.map(|(site, rtt)| api::Nearest { site: name(site), rtt_ms: milli(rtt) }),
            path: way.filter(|way| way.site().is_some()).map_or_else(Vec::new, |way| {
                way.nodes.iter().map(|node| lab.plan.node(*node).name.clone()).collect()
            }),
            detour: detour(lab, views, index, seen, nearest.map(|(site, _)| site)),
        }
    };
    lab.world.askers.iter().enumerate().map(client).collect()
}

/// Why another site than the nearest answers; none while it is not known yet.
fn detour(lab: &Lab, views: &Views, client: usize, seen: Seen, nearest: Option<SiteId>) -> Option<Detour> {
    let (site, nearest) = (seen.site?, nearest?);
    if site == nearest || !seen.is_known {
        return None;
    }
    // Whom policy sends to another site anyway was not moved by what the nearest says.
    if seen.usual != Some(site)
        && let Some(says) = says_less(views.groups.get(&nearest))
    {
        let name = &lab.world.sites[usize::from(nearest.0)].name;
        return Some(Detour { kind: DetourKind::Failover, words: Reason::from(format!("{name} {says}")) });
    }
    let (node, candidates) = views.choices.get(client)?.as_ref()?;
    let router = lab.plan.node(*node);
    let reasons = Reasons { network: &router.network, city: &router.city, candidates };
    Some(Detour { kind: DetourKind::Policy, words: Reason::from(reasons.to_string()) })
}

/// What a site says that sends users elsewhere; none while it is announced as ever.
fn says_less(group: Option<&Group>) -> Option<&'static str> {
    match group.map_or(Output::None, |group| group.output) {
        Output::None => Some("announces nothing now"),
        Output::Gshut => Some("asks to be avoided now"),
        Output::Depref => Some("is announced less preferred now"),
        Output::Normal => None,
    }
}

fn forwards(lab: &Lab, views: &Views, seen: &[Seen]) -> Vec<api::Forward> {
    let answers = |from: &SiteName, client: ClientId| {
        let site = seen.get(usize::from(client.0)).and_then(|seen| seen.site);
        site.is_some_and(|site| lab.world.sites[usize::from(site.0)].name == *from)
    };
    let name = |client: &ClientId| lab.world.askers[usize::from(client.0)].name.clone();
    let forward = |drawn: Drawn| api::Forward {
        from: drawn.from,
        to: drawn.to,
        connections: drawn.connections,
        clients: drawn.clients.iter().map(name).collect(),
        since_ms: milliseconds(drawn.since, lab.began),
    };
    views.forwards.drawn(answers).into_iter().map(forward).collect()
}

fn routers(plan: &Plan) -> Vec<api::Router> {
    let routers = plan.nodes.iter().filter(|node| matches!(node.role, Role::Router(_) | Role::Exchange(_)));
    let router = |node: &crate::plan::Node| api::Router {
        name: node.name.clone(),
        city: node.city.clone(),
        at: node.at,
        asn: node.asn,
        network: node.network.clone(),
    };
    routers.map(router).collect()
}

fn cables(lab: &Lab, views: &Views) -> Vec<api::Cable> {
    let used: BTreeSet<CableId> = views.ways.iter().flat_map(|way| way.cables.iter().copied()).collect();
    let fibres = lock(&lab.fibres);
    let cable = |(index, cable): (usize, &crate::plan::Cable)| {
        let id = CableId(index);
        let condition = fibres.get(&id).map_or(Condition::Up, |fibre| fibre.condition());
        let ends = cable.ends.each_ref().map(|port| lab.plan.node(port.node).name.clone());
        api::Cable {
            name: cable.name.clone(),
            delay_ms: match cable.medium {
                Medium::Fibre { delay, .. } => milli(delay),
                Medium::Lan => 0.0,
            },
            state: match condition {
                Condition::Up => CableState::Up,
                Condition::Cut => CableState::Cut,
                Condition::Blackhole => CableState::Blackhole,
                Condition::HalfBroken(_) => CableState::HalfBroken,
            },
            used: used.contains(&id),
            offers: match cable.purpose {
                Purpose::Backbone => offers_of_cable(lab, &ends),
                Purpose::Border => [offers_of_cable(lab, &ends), offers_of_border(lab, &ends)].concat(),
                Purpose::Access
                | Purpose::Exchange
                | Purpose::SiteLan
                | Purpose::Device
                | Purpose::Management => Vec::new(),
            },
            ends,
        }
    };
    // What is no part of the Internet is not on the map, and a LAN is a point on it.
    let is_drawn = |purpose| !matches!(purpose, Purpose::Management | Purpose::Device);
    let drawn = lab.plan.cables.iter().enumerate().filter(|(_, cable)| is_drawn(cable.purpose));
    drawn.map(cable).collect()
}

fn offers_of_cable(lab: &Lab, [left, right]: &[String; 2]) -> Vec<Offer> {
    let target = format!("cable {left} - {right}");
    let offer = |label: &str, kind, more: &str| Offer {
        label: label.to_owned(),
        command: Command { kind, target: format!("{target}{more}") },
    };
    if lab.is_struck(&format!("restore {target}")) {
        return vec![offer("Repair", FaultKind::Restore, "")];
    }
    vec![
        offer("Cut", FaultKind::Cut, ""),
        offer("Silence", FaultKind::Blackhole, ""),
        offer("Half-broken", FaultKind::HalfBroken, &format!(" losing {LOST}")),
        offer("Flap", FaultKind::Flap, &format!(" every {TURN}")),
    ]
}

/// What can be done at the two routers of a border.
fn offers_of_border(lab: &Lab, [left, right]: &[String; 2]) -> Vec<Offer> {
    let offer = |label: String, kind, target: String| Offer { label, command: Command { kind, target } };
    let at = |router: &String, other: &String| {
        if lab.is_struck(&format!("restore node {router}")) {
            return vec![offer(format!("Restore {router}"), FaultKind::Restore, format!("node {router}"))];
        }
        let away = format!("router {router} away from {other}");
        vec![
            offer(format!("Shift {router} away"), FaultKind::Shift, away),
            offer(format!("uRPF at {router}"), FaultKind::Urpf, format!("router {router}")),
        ]
    };
    [at(left, right), at(right, left)].concat()
}

fn milli(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
