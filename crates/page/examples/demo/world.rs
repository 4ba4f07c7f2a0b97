//! An invented world: shortest paths, with one network whose policy is odd.

use crate::atlas::*;
use api::*;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::error::Error;
use terms::{Family, GeoPoint, Severity, WallTime};

/// What happens by itself, in seconds of a round of [`ROUND`].
const SCRIPT: [(u64, FaultKind, &str); 6] = [
    (14, FaultKind::PowerCut, "site london"),
    (32, FaultKind::Restore, "site london"),
    (42, FaultKind::Cut, "cable singapore-tokyo"),
    (52, FaultKind::Restore, "cable singapore-tokyo"),
    (56, FaultKind::Blackhole, "cable dubai-mumbai"),
    (66, FaultKind::Restore, "cable dubai-mumbai"),
];
const ROUND: u64 = 75;

/// How a client is answered: the site and the cities on the way.
#[derive(Clone, PartialEq)]
struct Way {
    site: usize,
    cities: Vec<String>,
    delay_ms: f64,
}

struct Asker {
    city: &'static str,
    at: GeoPoint,
    /// The way to the nearest site when nothing is broken.
    nearest: Option<Way>,
    way: Option<Way>,
    /// The way that routing has found and that is not in use yet, and when it will be.
    next: Option<(u64, Option<Way>)>,
}

pub(crate) struct World {
    started: WallTime,
    now_ms: u64,
    /// One-way delay of each of [`CABLES`], in microseconds.
    delays: Vec<u64>,
    askers: Vec<Asker>,
    faults: BTreeMap<String, Fault>,
    events: Vec<EventRow>,
    seq: u64,
    script_at: u64,
    by_hand: bool,
    pictured: u64,
    dice: u64,
}

impl World {
    pub(crate) fn new(started: WallTime) -> Result<Self, Box<dyn Error>> {
        let asker = |city| {
            Ok::<_, Box<dyn Error>>(Asker { city, at: place(city)?, nearest: None, way: None, next: None })
        };
        let askers = CLIENTS.into_iter().map(asker).collect::<Result<_, _>>()?;
        let delay = |(a, b)| Ok::<_, Box<dyn Error>>(place(a)?.cable_delay(place(b)?).as_micros() as u64);
        let delays = CABLES.into_iter().map(delay).collect::<Result<_, _>>()?;
        let mut world = World {
            started,
            now_ms: 0,
            delays,
            askers,
            faults: BTreeMap::new(),
            events: Vec::new(),
            seq: 0,
            script_at: 0,
            by_hand: false,
            pictured: 0,
            dice: 1,
        };
        for (index, city) in CLIENTS.into_iter().enumerate() {
            world.askers[index].way = world.best(index);
            world.askers[index].nearest = world.ways(city, false).into_iter().next();
        }
        Ok(world)
    }

    /// Plays up to `now_ms`; every client asks once over each family.
    pub(crate) fn step(&mut self, now_ms: u64) -> Vec<Sample> {
        self.now_ms = now_ms;
        while !self.by_hand {
            let (at, kind, target) = SCRIPT[self.script_at as usize % SCRIPT.len()];
            let round = self.script_at / SCRIPT.len() as u64;
            if (round * ROUND + at) * 1000 > now_ms {
                break;
            }
            self.script_at += 1;
            self.strike(kind, target.to_owned());
        }
        self.settle();
        let mut samples = Vec::new();
        for index in 0..self.askers.len() {
            for family in Family::ALL {
                samples.push(self.ask(index, family));
            }
        }
        samples
    }

    pub(crate) fn take_events(&mut self) -> Vec<EventRow> {
        std::mem::take(&mut self.events)
    }

    /// Whether a new picture is worth sending: four a second.
    pub(crate) fn changed(&mut self) -> bool {
        let quarter = self.now_ms / 250;
        std::mem::replace(&mut self.pictured, quarter) != quarter
    }

    pub(crate) fn carry_out(&mut self, command: &Command) -> Result<Done, Refusal> {
        let known = SITES.iter().map(|site| format!("site {}", name(site)));
        let known: BTreeSet<String> =
            known.chain(CABLES.iter().map(|cable| format!("cable {}", cable_name(cable)))).collect();
        if !known.contains(&command.target) {
            return Err(Refusal::because(format!("nothing here is called `{}`", command.target)));
        }
        self.by_hand = true;
        self.strike(command.kind, command.target.clone());
        Ok(Done { schema: Schema, said: format!("{} {}", command.kind, command.target) })
    }

    fn strike(&mut self, kind: FaultKind, target: String) {
        let (severity, text) = match kind {
            FaultKind::Restore => (Severity::Notice, format!("{target} is restored")),
            _ => (Severity::Warning, format!("{kind}: {target}")),
        };
        self.tell(severity, "fault", target.clone(), text);
        if kind == FaultKind::Restore {
            self.faults.remove(&target);
        } else {
            self.faults.insert(target.clone(), Fault { kind, target, since_ms: self.now_ms });
        }
        for index in 0..self.askers.len() {
            let best = self.best(index);
            if best != self.askers[index].way {
                let wait = 180 + self.roll(900);
                self.askers[index].next = Some((self.now_ms + wait, best));
            } else {
                self.askers[index].next = None;
            }
        }
    }

    /// Routing converges, client by client.
    fn settle(&mut self) {
        for index in 0..self.askers.len() {
            let asker = &mut self.askers[index];
            if asker.next.as_ref().is_none_or(|&(at, _)| at > self.now_ms) {
                continue;
            }
            let Some((_, next)) = asker.next.take() else { continue };
            let (before, city) = (asker.way.clone(), asker.city);
            asker.way = next.clone();
            let site = |way: &Option<Way>| way.as_ref().map_or("nobody", |way| SITES[way.site]);
            let (from, to) = (site(&before), site(&next));
            if from != to {
                let text = format!("{city}: {from} \u{2192} {to}");
                self.tell(Severity::Info, "client-moved", name(city), text);
            }
        }
    }

    fn ask(&mut self, index: usize, family: Family) -> Sample {
        let noise = self.roll(100) as f64 / 100.0;
        let asker = &self.askers[index];
        let works = |way: &&Way| !self.is_dead(way.site) && !self.is_broken(&way.cities);
        let outcome = match asker.way.as_ref().filter(works) {
            Some(way) => Outcome::Answered {
                site: way.site as u16,
                rtt_ms: (way.delay_ms * 2.0 * (1.0 + 0.02 * noise) + 0.2 * noise) as f32,
            },
            None => Outcome::Silent,
        };
        Sample { ribbon: index as u16, at_ms: self.now_ms, outcome, family: Some(family) }
    }

    fn is_dead(&self, site: usize) -> bool {
        self.faults.contains_key(&format!("site {}", name(SITES[site])))
    }

    fn fault_of(&self, a: &str, b: &str) -> Option<&Fault> {
        let cable = CABLES.iter().find(|cable| [(a, b), (b, a)].contains(&(cable.0, cable.1)))?;
        self.faults.get(&format!("cable {}", cable_name(cable)))
    }

    fn is_broken(&self, cities: &[String]) -> bool {
        cities.windows(2).any(|hop| self.fault_of(&hop[0], &hop[1]).is_some())
    }

    /// The best way of a client as the world is now: its policy's site if that lives, else the nearest.
    fn best(&self, index: usize) -> Option<Way> {
        let city = self.askers[index].city;
        let ways = self.ways(city, true);
        let policy = POLICY.iter().find(|(who, ..)| *who == city).map(|(_, site, _)| *site);
        let preferred =
            policy.and_then(|site| ways.iter().find(|way| name(SITES[way.site]) == site).cloned());
        preferred.or_else(|| ways.into_iter().next())
    }

    /// Ways from a city to every site, nearest first (Dijkstra).
    fn ways(&self, from: &str, with_faults: bool) -> Vec<Way> {
        let mut queue = BinaryHeap::from([(std::cmp::Reverse(0u64), vec![from.to_owned()])]);
        let (mut done, mut ways) = (BTreeSet::new(), Vec::new());
        while let Some((std::cmp::Reverse(micros), cities)) = queue.pop() {
            let here = cities[cities.len() - 1].clone();
            if !done.insert(here.clone()) {
                continue;
            }
            for ((a, b), delay) in CABLES.into_iter().zip(&self.delays) {
                let there = [(a, b), (b, a)].into_iter().find_map(|(x, y)| (x == here).then_some(y));
                if let (Some(there), false) = (there, with_faults && self.fault_of(a, b).is_some()) {
                    let longer = [cities.clone(), vec![there.to_owned()]].concat();
                    queue.push((std::cmp::Reverse(micros + delay), longer));
                }
            }
            let site = SITES.iter().position(|site| *site == here);
            if let Some(site) = site.filter(|&site| !with_faults || !self.is_dead(site)) {
                ways.push(Way { site, cities, delay_ms: micros as f64 / 1000.0 + 0.1 });
            }
        }
        ways
    }

    fn tell(&mut self, severity: Severity, kind: &str, subject: String, text: String) {
        self.seq += 1;
        self.events.push(EventRow {
            seq: self.seq,
            at_ms: self.now_ms,
            wall: WallTime(self.started.0 + self.now_ms),
            severity,
            kind: kind.to_owned(),
            subject,
            text,
        });
    }

    /// A number below `sides`; the same in every run.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    pub(crate) fn picture(&self) -> Picture {
        let mut cities: BTreeSet<&str> = CABLES.iter().flat_map(|&(a, b)| [a, b]).collect();
        cities.extend(CLIENTS);
        let router = |city: &str| {
            Some(Router {
                name: router(city),
                city: city.to_owned(),
                at: place(city).ok()?,
                asn: asn(64520)?,
                network: "Atlas".into(),
            })
        };
        Picture {
            addresses: ["198.18.0.53", "2001:db8:53::53"]
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
            at_ms: self.now_ms,
            sites: (0..SITES.len()).filter_map(|index| self.site(index)).collect(),
            clients: (0..self.askers.len()).filter_map(|index| self.client(index)).collect(),
            routers: cities.into_iter().filter_map(router).collect(),
            cables: CABLES.iter().filter_map(|cable| self.cable(cable)).collect(),
            faults: self.faults.values().cloned().collect(),
            ..Picture::empty(PictureKind::Lab, "earth", self.started)
        }
    }

    fn site(&self, index: usize) -> Option<Site> {
        let mut rtts: Vec<f64> = self
            .askers
            .iter()
            .filter_map(|asker| asker.way.as_ref())
            .filter(|way| way.site == index && !self.is_dead(index))
            .map(|way| way.delay_ms * 2.0)
            .collect();
        rtts.sort_by(f64::total_cmp);
        let dead = self.is_dead(index);
        let site = name(SITES[index]);
        let offer = |label: &str, kind| Offer {
            label: label.to_owned(),
            command: Command { kind, target: format!("site {site}") },
        };
        Some(Site {
            name: site.parse().ok()?,
            service: None,
            city: SITES[index].to_owned(),
            at: place(SITES[index]).ok(),
            colour: index as u8,
            state: (!dead).then_some(GroupState::Up),
            output: if dead { Output::None } else { Output::Normal },
            reason: if dead { "no daemon answers: the power is cut" } else { "3 checks passed in a row" }
                .into(),
            clients: rtts.len() as u32,
            rtt_ms: rtts.get(rtts.len() / 2).copied(),
            offers: if dead {
                vec![offer("restore", FaultKind::Restore)]
            } else {
                vec![
                    offer("power cut", FaultKind::PowerCut),
                    offer("kill service", FaultKind::Kill),
                    offer("hang service", FaultKind::Hang),
                    offer("reboot", FaultKind::Reboot),
                    offer("black hole", FaultKind::Blackhole),
                ]
            },
        })
    }

    fn client(&self, index: usize) -> Option<Client> {
        let asker = &self.askers[index];
        let nearest = asker.nearest.clone()?;
        let works = |way: &&Way| !self.is_dead(way.site) && !self.is_broken(&way.cities);
        let way = asker.way.as_ref().filter(works);
        let away = way.filter(|way| way.site != nearest.site);
        let policy = POLICY.iter().find(|(who, ..)| *who == asker.city);
        let detour = away.map(|way| match policy {
            Some((_, site, words)) if name(SITES[way.site]) == *site => {
                Detour { kind: DetourKind::Policy, words: (*words).into() }
            }
            _ => Detour {
                kind: DetourKind::Failover,
                words: format!("{} does not announce now; {} is next", SITES[nearest.site], SITES[way.site])
                    .into(),
            },
        });
        let host = way.map(|way| name(SITES[way.site]));
        Some(Client {
            name: name(asker.city),
            service: None,
            city: asker.city.to_owned(),
            at: asker.at,
            asn: asn(64600 + index as u32)?,
            network: "Atlas".to_owned(),
            site: host.as_ref().and_then(|host| host.parse().ok()),
            rtt_ms: way.map(|way| way.delay_ms * 2.0),
            nearest: Some(Nearest {
                site: name(SITES[nearest.site]).parse().ok()?,
                rtt_ms: nearest.delay_ms * 2.0,
            }),
            path: way
                .map(|way| {
                    let routers = way.cities.iter().map(|city| router(city));
                    std::iter::once(name(asker.city)).chain(routers).chain(host.clone()).collect()
                })
                .unwrap_or_default(),
            detour,
        })
    }

    fn cable(&self, cable: &(&str, &str)) -> Option<Cable> {
        let (a, b) = *cable;
        let fault = self.fault_of(a, b);
        let hop = |way: &Way| {
            way.cities.windows(2).any(|hop| [(a, b), (b, a)].contains(&(hop[0].as_str(), hop[1].as_str())))
        };
        let target = format!("cable {}", cable_name(cable));
        let offer = |label: &str, kind| Offer {
            label: label.to_owned(),
            command: Command { kind, target: target.clone() },
        };
        Some(Cable {
            name: cable_name(cable),
            ends: [router(a), router(b)],
            delay_ms: place(a).ok()?.cable_delay(place(b).ok()?).as_secs_f64() * 1000.0,
            state: match fault.map(|fault| fault.kind) {
                None => CableState::Up,
                Some(FaultKind::Cut) => CableState::Cut,
                Some(_) => CableState::Blackhole,
            },
            used: self.askers.iter().any(|asker| asker.way.as_ref().is_some_and(hop)),
            offers: match fault {
                None => vec![offer("cut", FaultKind::Cut), offer("black hole", FaultKind::Blackhole)],
                Some(_) => vec![offer("restore", FaultKind::Restore)],
            },
        })
    }
}
