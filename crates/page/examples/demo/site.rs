//! An invented site whose service fails once a minute.

use api::*;
use std::error::Error;
use terms::{Attributes, Severity, WallTime, find_city};

/// Of every minute, the seconds in which the service fails.
const FAILS: std::ops::Range<u64> = 30..38;

pub(crate) struct InventedSite {
    started: WallTime,
    now_ms: u64,
    since_ms: u64,
    up: bool,
    seq: u64,
}

impl InventedSite {
    pub(crate) fn new(started: WallTime) -> Self {
        InventedSite { started, now_ms: 0, since_ms: 0, up: true, seq: 0 }
    }

    /// Plays up to `now_ms`: what two checks found, and what followed.
    pub(crate) fn step(&mut self, now_ms: u64) -> (Vec<Sample>, Vec<EventRow>) {
        self.now_ms = now_ms;
        let fails = FAILS.contains(&(now_ms / 1000 % 60));
        let sample = |ribbon: u16, silent: bool| Sample {
            ribbon,
            at_ms: now_ms,
            outcome: if silent {
                Outcome::Silent
            } else {
                Outcome::Answered { site: 0, rtt_ms: 0.2 + (now_ms / 50 * 7 % 11) as f32 / 20.0 }
            },
            family: None,
        };
        let samples = vec![sample(0, fails), sample(1, false)];
        let mut events = Vec::new();
        if self.up == fails {
            (self.up, self.since_ms) = (!fails, now_ms);
            if fails {
                events.push(self.row(Severity::Warning, "check-failed", "the DNS check was refused twice"));
                events.push(self.row(Severity::Warning, "group-down", "down: 198.18.0.0/24 is withdrawn"));
            } else {
                events.push(self.row(Severity::Notice, "group-up", "up: 198.18.0.0/24 is announced"));
            }
        }
        (samples, events)
    }

    fn row(&mut self, severity: Severity, kind: &str, text: &str) -> EventRow {
        self.seq += 1;
        EventRow {
            seq: self.seq,
            at_ms: self.now_ms,
            wall: WallTime(self.started.0 + self.now_ms),
            severity,
            kind: kind.to_owned(),
            subject: "dns".to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn picture(&self) -> Result<Picture, Box<dyn Error>> {
        let (state, output) =
            if self.up { (GroupState::Up, Output::Normal) } else { (GroupState::Down, Output::None) };
        let reason = if self.up { "3 checks passed in a row" } else { "the DNS check was refused twice" };
        let since = WallTime(self.started.0 + self.since_ms);
        let told = |peer: &str, next_hop: &str| -> Result<ToldPeer, Box<dyn Error>> {
            let told = if self.up { Told::Announced } else { Told::Withdrawn };
            let attributes = if self.up { Some(Attributes::originated(next_hop.parse()?)) } else { None };
            Ok(ToldPeer { peer: peer.parse()?, told, attributes })
        };
        let peer = |name: &str, address: &str, asn: u32, state| -> Result<Peer, Box<dyn Error>> {
            Ok(Peer {
                name: name.parse()?,
                address: address.parse()?,
                asn: asn.try_into()?,
                state,
                since: self.started,
                received: Received { accepted: 14, ..Received::default() },
                graceful_restart: None,
                bfd: None,
                transport: api::Transport::default(),
                capabilities: Vec::new(),
            })
        };
        let prefix = |text: &str, next_hop: &str| -> Result<PrefixStatus, Box<dyn Error>> {
            let mut unheard = told("exchange", next_hop)?;
            (unheard.told, unheard.attributes) = (Told::None, None);
            Ok(PrefixStatus {
                prefix: text.parse()?,
                peers: vec![told("transit-a", next_hop)?, told("transit-b", next_hop)?, unheard],
            })
        };
        let check = |name: &str, fails: bool| -> Result<Check, Box<dyn Error>> {
            let last = Some(if fails { CheckResult::Fail } else { CheckResult::Pass });
            let run = ((self.now_ms - self.since_ms) / 100) as u32 + 1;
            let service = "dns".parse()?;
            Ok(Check { service, name: name.to_owned(), last, run, reason: None, seen: None })
        };
        Ok(Picture {
            addresses: vec!["198.18.0.53".parse()?, "2001:db8:53::53".parse()?],
            at_ms: self.now_ms,
            sites: vec![Site {
                name: "london".parse()?,
                service: None,
                city: "London".to_owned(),
                at: find_city("London").map(|city| city.at),
                colour: 0,
                state: Some(state),
                output,
                reason: reason.into(),
                clients: 0,
                rtt_ms: None,
                offers: vec![],
            }],
            groups: vec![Group {
                name: "dns".parse()?,
                services: vec!["dns".parse()?],
                state,
                output,
                since,
                intent: api::Intent::default(),
                reason: reason.into(),
                alarms: vec![],
                prefixes: vec![
                    prefix("198.18.0.0/24", "10.1.0.10")?,
                    prefix("2001:db8:53::/48", "2001:db8:1::10")?,
                ],
                checks: vec![
                    check("example. SOA over IPv4", !self.up)?,
                    check("example. SOA over IPv6", false)?,
                ],
            }],
            peers: vec![
                peer("transit-a", "10.1.0.1", 64500, PeerState::Established)?,
                peer("transit-b", "2001:db8:1::1", 64510, PeerState::Established)?,
                peer("exchange", "10.9.0.7", 64999, PeerState::Active)?,
            ],
            ..Picture::empty(PictureKind::Daemon, "london", self.started)
        })
    }
}
