//! The other hosts, as the store tells of them: pure, and told the time.
//!
//! ```text
//!          its lease lapses           so long again             much later
//!   here ───────────────────> missing ─────────────> dead ──────────────────> forgotten
//!    ^                          │ │                    │
//!    └──────── it is back ──────┘ └─ the store is lost: here
//!    └──────── it is back ─────────────────────────────┘
//! ```
//! A host that is missing still gets its packets: its daemon may be down for a moment, and its programs are in the kernel
//! all the same. While the store is not heard, nobody's time runs.

use super::said::Said;
use announce::permit::Speaker;
use continuity::{Site, SiteNumber, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;
use terms::{GeoPoint, Timestamp};

/// How long the flows of a dead host are reset. A connection that was silent for all of that time waits for its own timers.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// Most hosts that are kept, whatever the store says: those that there are numbers for, and as many dead ones. What one
/// says takes up to a megabyte.
const MOST: usize = 2 * SiteNumber::COUNT;

/// The other hosts.
#[derive(Debug)]
pub(super) struct Others {
    /// How long a host may be missing.
    patience: Duration,
    hosts: BTreeMap<Speaker, Host>,
}

#[derive(Debug)]
struct Host {
    said: Said,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// Its lease has lapsed at this time.
    Missing(Timestamp),
    /// So it counts since this time.
    Dead(Timestamp),
}

/// What this host is to the others.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) speaker: Speaker,
    pub(super) number: SiteNumber,
    pub(super) port: NonZeroU16,
    pub(super) has4: bool,
    pub(super) has6: bool,
    pub(super) at: Option<GeoPoint>,
    /// The addresses that it serves.
    pub(super) services: BTreeSet<IpAddr>,
    /// Blocks that a filter may have.
    pub(super) room: usize,
}

/// Another host, as it is seen from here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) speaker: Speaker,
    pub(super) number: SiteNumber,
    pub(super) connections: u64,
    pub(super) at: Option<GeoPoint>,
    pub(super) is_well: bool,
    /// Whether it serves every address that this host serves.
    pub(super) serves_all: bool,
    /// What the programs are told of it.
    pub(super) site: Result<Site, LeftOut>,
}

/// Why nothing is exchanged with a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// It has this host's own number.
    OwnNumber,
    /// Another one, which comes first by name, has its number.
    NumberOf(Speaker),
    /// It takes packets at another port.
    Port(NonZeroU16),
    /// It has no address of a family that this host has one of.
    Family,
    /// It has said more of its connections than there is room for.
    Room,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LeftOut::OwnNumber => f.write_str("it has this host's own number"),
            LeftOut::NumberOf(other) => {
                write!(f, "its number is that of host {} of site {}", other.host, other.site)
            }
            LeftOut::Port(port) => write!(f, "it takes packets at port {port}; all sites need the same one"),
            LeftOut::Family => f.write_str("it has no address of a family that this host has one of"),
            LeftOut::Room => f.write_str(
                "it has room for more connections than this host; all sites need the same `connections`",
            ),
        }
    }
}

impl Others {
    /// Nobody is known yet.
    pub(super) fn new(patience: Duration) -> Self {
        Others { patience, hosts: BTreeMap::new() }
    }

    /// Exactly these are present.
    pub(super) fn begin(&mut self, present: &BTreeSet<Speaker>, now: Timestamp) {
        let absent: Vec<Speaker> =
            self.hosts.keys().filter(|host| !present.contains(host)).cloned().collect();
        absent.iter().for_each(|host| self.gone(host, now));
    }

    /// A host says this.
    pub(super) fn hear(&mut self, host: Speaker, said: Said) {
        if self.hosts.len() < MOST || self.hosts.contains_key(&host) {
            self.hosts.insert(host, Host { said, presence: Presence::Here });
        }
    }

    /// Its lease has lapsed.
    pub(super) fn gone(&mut self, host: &Speaker, now: Timestamp) {
        if let Some(host) = self.hosts.get_mut(host)
            && host.presence == Presence::Here
        {
            host.presence = Presence::Missing(now);
        }
    }

    /// The store cannot be heard.
    pub(super) fn lose(&mut self) {
        for host in self.hosts.values_mut() {
            if let Presence::Missing(_) = host.presence {
                host.presence = Presence::Here;
            }
        }
    }

    /// Lets time pass; answers who is dead now.
    pub(super) fn pass(&mut self, now: Timestamp) -> Vec<Speaker> {
        let mut died = Vec::new();
        for (speaker, host) in &mut self.hosts {
            if let Presence::Missing(since) = host.presence
                && now.since(since) >= self.patience
            {
                host.presence = Presence::Dead(now);
                died.push(speaker.clone());
            }
        }
        let is_over =
            |host: &Host| matches!(host.presence, Presence::Dead(since) if now.since(since) >= REMEMBERED);
        self.hosts.retain(|_, host| !is_over(host));
        died
    }

    /// Who comes before this host by name and has its number, so that this one may not use it.
    pub(super) fn first_with_number(&self, own: &Own) -> Option<&Speaker> {
        let is_first = |(speaker, host): &(&Speaker, &Host)| {
            host.said.number == own.number && host.presence == Presence::Here && **speaker < own.speaker
        };
        self.hosts.iter().find(is_first).map(|(speaker, _)| speaker)
    }

    /// All of them, as this host sees them. The living come before the dead who had their number.
    pub(super) fn seen_by(&self, own: &Own) -> Vec<Seen> {
        let mut taken: BTreeMap<SiteNumber, Speaker> = BTreeMap::new();
        let is_dead = |host: &Host| matches!(host.presence, Presence::Dead(_));
        let living = self.hosts.iter().filter(|(_, host)| !is_dead(host));
        let dead = self.hosts.iter().filter(|(_, host)| is_dead(host));
        let mut seen: Vec<Seen> = Vec::new();
        for (speaker, host) in living.chain(dead) {
            let said = &host.said;
            let number = match taken.get(&said.number) {
                _ if said.number == own.number => Err(LeftOut::OwnNumber),
                Some(first) => Err(LeftOut::NumberOf(first.clone())),
                None => Ok(()),
            };
            let site = number.and_then(|()| host.site(own));
            if site.is_ok() {
                taken.insert(said.number, speaker.clone());
            }
            seen.push(Seen {
                speaker: speaker.clone(),
                number: said.number,
                connections: said.connections,
                at: said.at,
                is_well: said.is_well && host.presence == Presence::Here,
                serves_all: said.services.is_superset(&own.services),
                site,
            });
        }
        seen.sort_by(|one, other| one.speaker.cmp(&other.speaker));
        seen
    }
}

impl Host {
    /// What the programs are told of it.
    fn site(&self, own: &Own) -> Result<Site, LeftOut> {
        let said = &self.said;
        if said.port != own.port {
            return Err(LeftOut::Port(said.port));
        }
        // Both ends come to the same family: each checks that packets come from the address that it sends them to.
        let over4 = said.source4.filter(|_| own.has4).map(IpAddr::V4);
        let address = over4.or_else(|| said.source6.filter(|_| own.has6).map(IpAddr::V6));
        let address = address.ok_or(LeftOut::Family)?;
        if said.filter.blocks().len() > own.room {
            return Err(LeftOut::Room);
        }
        let state = match self.presence {
            Presence::Here | Presence::Missing(_) => State::Alive,
            Presence::Dead(_) => State::Dead,
        };
        Ok(Site { address, state, filter: Some(said.filter.clone()) })
    }
}

/// The site that answers in the place of a held one. The programs know one for all addresses, and whoever does not serve one
/// drops what is for it.
pub(super) fn relay(seen: &[Seen], own: &Own) -> Option<SiteNumber> {
    well(seen, own).first().map(|seen| seen.number)
}

/// The hosts of other sites that are well and serve all that this one serves: the nearest first, the first by number where
/// nobody says where it is.
pub(super) fn well<'a>(seen: &'a [Seen], own: &Own) -> Vec<&'a Seen> {
    let is_open = |seen: &&Seen| {
        seen.is_well
            && seen.serves_all
            && seen.speaker.site != own.speaker.site
            && seen.site.as_ref().is_ok_and(|site| site.state == State::Alive)
    };
    let distance = |seen: &Seen| match (seen.at, own.at) {
        (Some(there), Some(here)) => there.distance_km(here),
        _ => f64::INFINITY,
    };
    let mut well: Vec<&Seen> = seen.iter().filter(is_open).collect();
    well.sort_by(|one, other| distance(one).total_cmp(&distance(other)).then(one.number.cmp(&other.number)));
    well
}

#[cfg(test)]
mod tests;
