//! A world that never changes, and what was seen of it for a minute.

use crate::view::{Input, View};
use api::{
    Alarm, Cable, CableState, Client, Command, Detour, DetourKind, EventRow, Fault, FaultKind, Forward,
    GroupState, Live, Nearest, Offer, Outcome, Output, Picture, PictureKind, Router, Sample, Site,
};
use std::sync::Arc;
use terms::{Asn, Family, GeoPoint, Reason, Severity, WallTime};

/// Name, city, latitude, longitude.
const SITES: [(&str, &str, f64, f64); 5] = [
    ("london", "London", 51.5, -0.1),
    ("newyork", "New York", 40.7, -74.0),
    ("saopaulo", "São Paulo", -23.5, -46.6),
    ("johannesburg", "Johannesburg", -26.2, 28.0),
    ("tokyo", "Tokyo", 35.7, 139.7),
];

/// City, latitude, longitude, who answers, round trip, the nearest site.
const CLIENTS: [(&str, f64, f64, usize, f32, usize); 12] = [
    ("London", 51.5, -0.1, 0, 0.8, 0),
    ("Frankfurt", 50.1, 8.7, 0, 10.2, 0),
    ("Amsterdam", 52.4, 4.9, 3, 119.0, 0),
    ("Dubai", 25.2, 55.3, 0, 72.4, 0),
    ("New York", 40.7, -74.0, 1, 1.1, 1),
    ("San Jose", 37.3, -121.9, 1, 55.3, 1),
    ("São Paulo", -23.5, -46.6, 2, 0.9, 2),
    ("Johannesburg", -26.2, 28.0, 3, 0.9, 3),
    ("Mumbai", 19.1, 72.9, 3, 93.0, 4),
    ("Singapore", 1.35, 103.8, 4, 69.0, 4),
    ("Tokyo", 35.7, 139.7, 4, 0.9, 4),
    ("Sydney", -33.9, 151.2, 4, 103.0, 4),
];

/// The moment that is shown.
pub(super) const NOW_MS: u64 = 88_300;

fn offer(label: &str, kind: FaultKind, target: &str) -> Offer {
    Offer { label: label.to_owned(), command: Command { kind, target: target.to_owned() } }
}

fn site((place, (name, city, lat, lon)): (usize, (&str, &str, f64, f64))) -> Site {
    let clients = CLIENTS.iter().filter(|client| client.3 == place).count();
    let at_site = format!("site {name}");
    Site {
        name: name.parse().unwrap(),
        service: None,
        city: city.to_owned(),
        at: GeoPoint::new(lat, lon).ok(),
        colour: u8::try_from(place).unwrap(),
        state: Some(GroupState::Up),
        output: Output::Normal,
        reason: Reason::from("3 good checks in a row"),
        clients: u32::try_from(clients).unwrap(),
        rtt_ms: Some(24.0),
        offers: vec![
            offer("Power cut", FaultKind::PowerCut, &at_site),
            offer("Drain", FaultKind::Drain, &at_site),
            offer("Silence", FaultKind::Blackhole, &at_site),
            offer("Half-broken", FaultKind::HalfBroken, &format!("{at_site} losing 30%")),
            offer("Reboot", FaultKind::Reboot, &at_site),
            offer("Kill daemon", FaultKind::Kill, &format!("daemon {name}")),
            offer("Starve daemon", FaultKind::Starve, &format!("daemon {name}")),
            offer("Lose address", FaultKind::Remove, &format!("address {name}")),
            offer("Flood", FaultKind::Flood, &format!("from anycast-{name} at 5000 per second")),
            offer("Kill service", FaultKind::Kill, &format!("service {name}")),
            offer("Hang service", FaultKind::Hang, &format!("service {name}")),
        ],
    }
}

fn client((city, lat, lon, site, rtt_ms, nearest): (&str, f64, f64, usize, f32, usize)) -> Client {
    let name = city.to_lowercase().replace(' ', "");
    let near = |place: usize| SITES[place].0.parse().unwrap();
    Client {
        path: vec![
            name.clone(),
            format!("atlas-{name}"),
            format!("anycast-{}", SITES[site].0),
            SITES[site].0.into(),
        ],
        name,
        service: None,
        city: city.to_owned(),
        at: GeoPoint::new(lat, lon).unwrap(),
        asn: Asn::try_from(64601).unwrap(),
        network: "Atlas".to_owned(),
        site: Some(near(site)),
        rtt_ms: Some(f64::from(rtt_ms)),
        nearest: Some(Nearest { site: near(nearest), rtt_ms: 5.2 }),
        detour: (site != nearest).then(|| Detour {
            kind: DetourKind::Policy,
            words: Reason::from(format!("Atlas in {city} prefers what its customer tells it")),
        }),
    }
}

fn router(city: &str, network: &str, lat: f64, lon: f64) -> Router {
    let name = format!("{}-{}", network.to_lowercase(), city.to_lowercase().replace(' ', ""));
    let at = GeoPoint::new(lat, lon).unwrap();
    Router {
        name,
        city: city.to_owned(),
        at,
        asn: Asn::try_from(64601).unwrap(),
        network: network.to_owned(),
    }
}

fn cable([from, to]: [&str; 2]) -> Cable {
    let name = format!("atlas-{from} - atlas-{to}");
    Cable {
        offers: vec![
            offer("Cut", FaultKind::Cut, &format!("cable {name}")),
            offer("Silence", FaultKind::Blackhole, &format!("cable {name}")),
        ],
        name,
        ends: [format!("atlas-{from}"), format!("atlas-{to}")],
        delay_ms: 36.2,
        state: CableState::Up,
        used: from == "london",
    }
}

/// Everybody is answered.
pub(super) fn healthy() -> Picture {
    let places = CLIENTS.iter().map(|(city, lat, lon, ..)| router(city, "Atlas", *lat, *lon));
    let sites = SITES.iter().map(|(_, city, lat, lon)| router(city, "Anycast", *lat, *lon));
    let cables = [["london", "newyork"], ["newyork", "sanjose"], ["sanjose", "tokyo"], ["london", "dubai"]];
    Picture {
        addresses: vec!["198.18.0.53".parse().unwrap(), "2001:db8:53::53".parse().unwrap()],
        at_ms: NOW_MS,
        sites: SITES.into_iter().enumerate().map(site).collect(),
        clients: CLIENTS.into_iter().map(client).collect(),
        routers: places.chain(sites).collect(),
        cables: cables.map(cable).into(),
        ..Picture::empty(PictureKind::Lab, "earth", WallTime(0))
    }
}

/// London has no power since 80 s; Frankfurt was moved, Dubai is silent, and a cable is cut.
pub(super) fn power_cut() -> Picture {
    let mut picture = healthy();
    let london = &mut picture.sites[0];
    (london.output, london.state, london.clients, london.rtt_ms) = (Output::None, None, 0, None);
    london.reason = Reason::from("no daemon answers");
    london.offers = vec![offer("Restore", FaultKind::Restore, "site london")];
    for place in [0, 1] {
        let moved = &mut picture.clients[place];
        moved.site = Some("newyork".parse().unwrap());
        moved.rtt_ms = Some(76.0);
        let words = Reason::from("london announces nothing now");
        moved.detour = Some(Detour { kind: DetourKind::Failover, words });
    }
    let dubai = &mut picture.clients[3];
    (dubai.site, dubai.rtt_ms, dubai.detour) = (None, None, None);
    dubai.path.clear();
    picture.cables[1].state = CableState::Cut;
    let fault = |kind, target: &str, since_ms| Fault { kind, target: target.to_owned(), since_ms };
    picture.faults = vec![
        fault(FaultKind::PowerCut, "site london", 80_000),
        fault(FaultKind::Cut, "cable atlas-newyork - atlas-sanjose", 84_000),
    ];
    picture
}

/// Routing has moved the users of Tokyo to London, and of São Paulo to New York; their connections are where they were.
pub(super) fn forwarded() -> Picture {
    let mut picture = healthy();
    for (place, from, to) in [(10, "london", "tokyo"), (9, "london", "tokyo"), (6, "newyork", "saopaulo")] {
        let client = &mut picture.clients[place];
        client.site = from.parse().ok();
        let name = client.name.clone();
        match picture.forwards.iter_mut().find(|forward| forward.to.as_str() == to) {
            Some(forward) => forward.clients.push(name),
            None => picture.forwards.push(Forward {
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                connections: if to == "tokyo" { 1_002 } else { 1 },
                clients: vec![name],
                since_ms: 80_000,
            }),
        }
    }
    picture
}

/// An alarm that stands.
pub(super) fn alarm() -> Alarm {
    Alarm {
        kind: "store-lost".to_owned(),
        subject: "tokyo".to_owned(),
        text: Reason::from("the fleet store does not answer"),
        since: WallTime(0),
    }
}

/// What every client saw, ten times a second; from some moment on, some see something else.
fn samples(after_ms: u64, later: impl Fn(usize, u64) -> Option<Outcome>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for at_ms in (NOW_MS - 60_000..=NOW_MS).step_by(100) {
        for (ribbon, client) in CLIENTS.iter().enumerate() {
            let usual = Outcome::Answered { site: u16::try_from(client.3).unwrap(), rtt_ms: client.4 };
            let changed = later(ribbon, at_ms).filter(|_| at_ms >= after_ms);
            let outcome = changed.unwrap_or(usual);
            let ribbon = u16::try_from(ribbon).unwrap();
            samples.extend(Family::ALL.map(|family| Sample { ribbon, at_ms, outcome, family: Some(family) }));
        }
    }
    samples
}

fn event(seq: u64, at_ms: u64, severity: Severity, kind: &str, subject: &str, text: &str) -> EventRow {
    let (kind, subject, text) = (kind.to_owned(), subject.to_owned(), text.to_owned());
    EventRow { seq, at_ms, wall: WallTime(0), severity, kind, subject, text }
}

/// A view of a healthy world.
pub(super) fn of_healthy() -> View {
    let mut view = View::new("earth", "http://127.0.0.1:8053/");
    let ready = event(0, 1_670, Severity::Info, "ready", "", "every client was answered after 1670 ms");
    for live in
        [Live::Picture(Arc::new(healthy())), Live::Samples(samples(0, |_, _| None)), Live::Event(ready)]
    {
        assert_eq!(view.handle(Input::Live(live)), None);
    }
    view
}

/// A view of a world in which London has no power.
pub(super) fn of_power_cut() -> View {
    let mut view = View::new("earth", "http://127.0.0.1:8053/");
    let later = |ribbon, at_ms| match ribbon {
        0 | 1 if at_ms < 80_600 => Some(Outcome::Silent),
        0 | 1 => Some(Outcome::Answered { site: 1, rtt_ms: 76.0 }),
        3 => Some(Outcome::Silent),
        _ => None,
    };
    let events = [
        event(0, 80_000, Severity::Warning, "fault", "", "london has no power"),
        event(
            1,
            80_590,
            Severity::Notice,
            "moved",
            "london",
            "london is answered by newyork instead of london after 590 ms",
        ),
        event(
            2,
            80_610,
            Severity::Notice,
            "moved",
            "frankfurt",
            "frankfurt is answered by newyork instead of london after 610 ms",
        ),
        event(
            3,
            80_700,
            Severity::Warning,
            "silent",
            "dubai",
            "dubai is no longer answered; it was by london",
        ),
        event(
            4,
            84_000,
            Severity::Warning,
            "fault",
            "",
            "the cable from atlas-newyork to atlas-sanjose was cut",
        ),
    ];
    let events = events.map(Live::Event);
    let picture = Live::Picture(Arc::new(power_cut()));
    for live in [picture, Live::Samples(samples(80_000, later))].into_iter().chain(events) {
        assert_eq!(view.handle(Input::Live(live)), None);
    }
    view
}
