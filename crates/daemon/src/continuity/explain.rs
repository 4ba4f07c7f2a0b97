//! Where a connection goes, for somebody who asks. What is said is what the search says that the programs would do.

use super::knowledge::{Knowledge, Standing};
use super::others::Seen;
use super::programs::Programs;
use super::view;
use crate::clock::Clock;
use ::continuity::explain::{Account, explain, prefix_of};
use ::continuity::{Flow, Settings, SiteNumber, State, Verdict};
use api::{ExplainedFlow, FlowExplanation, NextPacket, Refusal, Schema};
use linux::tcp::{Ends, each_socket};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use terms::{Reason, SiteName};
use xdp::{Known, Passage, Passages};

/// Most connections of one answer.
const MOST: usize = 100;

/// What somebody wants to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) client: SocketAddr,
    /// None: whatever connection of the client is known.
    pub(crate) service: Option<SocketAddr>,
}

impl Asked {
    /// Whether a connection is meant.
    fn means(&self, flow: &Flow) -> bool {
        let service = self.service.unwrap_or(SocketAddr::new(flow.service.to_canonical(), flow.service_port));
        *flow == Flow::new(self.client, service)
    }
}

/// Why nothing is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unexplained {
    /// There is no such connection, or none is looked after: it would be the same a moment later.
    Unknown(Refusal),
    /// It cannot be said just now.
    NotNow(Refusal),
}

/// A host that looks after connections, as whoever explains sees it.
pub(super) struct Witness<'a> {
    pub(super) site: &'a SiteName,
    pub(super) clock: Clock,
    pub(super) programs: &'a Programs,
    pub(super) known: &'a Knowledge,
    pub(super) seen: &'a [Seen],
}

impl Witness<'_> {
    /// Explains, or says why nothing can be said.
    pub(super) fn explain(&self, asked: Asked) -> Result<FlowExplanation, Unexplained> {
        let told = self.told()?;
        self.has_service(asked).map_err(Unexplained::Unknown)?;
        let failed = |error: &dyn std::error::Error| Unexplained::NotNow(Refusal::because(error.to_string()));
        let sockets = sockets(&asked).map_err(|error| failed(&error))?;
        let flows = match asked.service {
            Some(service) => BTreeSet::from([Flow::new(asked.client, service)]),
            None => {
                let tables = self.programs.passages().map_err(|error| failed(&error))?;
                let tables = tables.as_ref();
                let moved = [tables.map(Passages::forwarded), tables.map(Passages::received)];
                let moved = moved.into_iter().flatten().collect::<Result<Vec<_>, _>>();
                let moved = moved.map_err(|error| failed(&error))?.into_iter().flatten();
                let moved = moved.map(|passage| passage.flow).filter(|flow| asked.means(flow));
                moved.chain(sockets.iter().copied()).collect()
            }
        };
        if flows.is_empty() {
            let refusal = Refusal::because(format!("no connection of {} is known here", asked.client));
            return Err(Unexplained::Unknown(refusal.hint(
                "name the service's address and port after the client's: then the other sites' filters are asked, too",
            )));
        }
        let explained = flows.into_iter().take(MOST).map(|flow| {
            let mut known = self.programs.known_of(&flow).map_err(|error| failed(&error))?;
            known.knowledge.sockets.clone_from(&sockets);
            let account = explain(told, &known.knowledge, flow, view::machine_time());
            Ok(self.words(flow, &account, &known))
        });
        let flows = explained.collect::<Result<_, Unexplained>>()?;
        Ok(FlowExplanation { schema: Schema, site: self.site.clone(), flows })
    }

    /// What the programs go by.
    fn told(&self) -> Result<&Settings, Unexplained> {
        let because = |words: String| Refusal::because(format!("{}: {words}", self.site));
        match &self.known.standing {
            Standing::Off(reason) => {
                let refusal = because(format!("moved connections are not forwarded: {reason}"));
                Err(Unexplained::NotNow(refusal.hint("`catchment status` says since when")))
            }
            Standing::Waiting => {
                let refusal = because("the fleet was not heard yet".to_owned());
                Err(Unexplained::NotNow(refusal.hint("ask again in a moment")))
            }
            Standing::On => self.programs.told().ok_or_else(|| {
                let refusal = because("the programs were told nothing yet".to_owned());
                Unexplained::NotNow(refusal.hint("ask again"))
            }),
        }
    }

    /// Whether the connection can be one of a service of this site.
    fn has_service(&self, Asked { client, service }: Asked) -> Result<(), Refusal> {
        let Some(service) = service else { return Ok(()) };
        let services = &self.known.wanted.services;
        let words = services.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !services.contains(&service.ip()) {
            let words = format!("its services have {words}");
            let because = format!("{} is no address of a service of {}", service.ip(), self.site);
            return Err(Refusal::because(because).hint(words));
        }
        if client.is_ipv4() != service.is_ipv4() {
            let because = format!("{client} and {service} cannot be the ends of one connection");
            return Err(Refusal::because(because).hint("both are of IPv4, or both of IPv6"));
        }
        Ok(())
    }

    fn words(&self, flow: Flow, account: &Account, known: &Known) -> ExplainedFlow {
        let passage = |passage: Option<Passage>| {
            let host = |number| self.host(number);
            passage.map(|passage| view::flow(passage, self.clock, host))
        };
        let (next, to) = next(account.verdict);
        ExplainedFlow {
            client: SocketAddr::new(flow.client.to_canonical(), flow.client_port),
            service: SocketAddr::new(flow.service.to_canonical(), flow.service_port),
            owner: self.owner(account),
            next,
            to: to.and_then(|number| self.name(number)).cloned(),
            verdict: view::word(account.verdict.into()).to_owned(),
            reason: Reason::from(self.reason(&flow, account)),
            claimed_by: account
                .claimants
                .iter()
                .filter_map(|(number, _)| self.name(*number).cloned())
                .collect(),
            last_owner: account.last_owner.and_then(|number| self.name(number)).cloned(),
            forwarded: passage(known.forwarded),
            received: passage(known.received),
        }
    }

    /// Who has it. Whoever is guessed to may not.
    fn owner(&self, account: &Account) -> Option<SiteName> {
        match account.verdict {
            Verdict::Owned => Some(self.site.clone()),
            Verdict::Learned(number) | Verdict::Claimed(number) => self.name(number).cloned(),
            Verdict::Orphaned | Verdict::OverBudget => {
                account.found.and_then(|(number, _)| self.name(number)).cloned()
            }
            // Both sites hold its packets, and each has a socket until it is clear which one goes on.
            Verdict::Held
            | Verdict::Guessed(_)
            | Verdict::Unclaimed
            | Verdict::Foreign
            | Verdict::Opaque
            | Verdict::Connectionless
            | Verdict::Opening
            | Verdict::Relayed(_)
            | Verdict::Oversized
            | Verdict::Refused => None,
        }
    }

    fn reason(&self, flow: &Flow, account: &Account) -> String {
        let name = |number| self.name(number).map_or_else(|| format!("number {number}"), ToString::to_string);
        match account.verdict {
            Verdict::Owned => "a socket of this host has it".to_owned(),
            Verdict::Held => "a handover to or from this site is under way".to_owned(),
            Verdict::Learned(number) => format!("{} was found to have it before", name(number)),
            Verdict::Claimed(number) => format!("{} says that it has it", name(number)),
            Verdict::Guessed(number) if account.last_owner == Some(number) => {
                let prefix = prefix_of(flow).to_canonical();
                let bits = if prefix.is_ipv4() { 24 } else { 48 };
                let name = name(number);
                format!("no site says that it has it; {name} had the last connection of {prefix}/{bits}")
            }
            Verdict::Guessed(number) => {
                format!("no site says that it has it; {} answers in the place of this one", name(number))
            }
            Verdict::OverBudget => match account.found {
                Some((number, State::Alive)) => {
                    format!("{} says that it has it, but `budget` of [continuity] is spent now", name(number))
                }
                Some((number, State::Dead)) => {
                    format!("{} had it and is dead, but `budget` of [continuity] is spent now", name(number))
                }
                None => "it could only be guessed, and `budget` of [continuity] is spent now".to_owned(),
            },
            Verdict::Orphaned => match account.found {
                Some((number, _)) => format!("{} had it and is dead", name(number)),
                None => "whoever had it is dead".to_owned(),
            },
            Verdict::Unclaimed => "no socket of this host has it, and no site says that it has it".to_owned(),
            Verdict::Foreign
            | Verdict::Opaque
            | Verdict::Connectionless
            | Verdict::Opening
            | Verdict::Relayed(_)
            | Verdict::Oversized
            | Verdict::Refused => "it is no connection that is open".to_owned(),
        }
    }

    fn host(&self, number: SiteNumber) -> Option<&Seen> {
        self.seen.iter().find(|seen| seen.number == number && seen.site.is_ok())
    }

    fn name(&self, number: SiteNumber) -> Option<&SiteName> {
        self.host(number).map(|seen| &seen.speaker.site)
    }
}

/// What becomes of a packet, and to which site it goes.
fn next(verdict: Verdict) -> (NextPacket, Option<SiteNumber>) {
    match verdict {
        Verdict::Owned | Verdict::Foreign | Verdict::Opaque | Verdict::Connectionless | Verdict::Opening => {
            (NextPacket::Passes, None)
        }
        Verdict::Learned(to) | Verdict::Claimed(to) | Verdict::Guessed(to) | Verdict::Relayed(to) => {
            (NextPacket::Forwarded, Some(to))
        }
        Verdict::Held => (NextPacket::Held, None),
        Verdict::Orphaned => (NextPacket::Reset, None),
        Verdict::OverBudget | Verdict::Unclaimed | Verdict::Oversized | Verdict::Refused => {
            (NextPacket::Dropped, None)
        }
    }
}

/// The connections that are meant and that the kernel knows a socket of, as the programs ask it.
fn sockets(asked: &Asked) -> linux::Result<BTreeSet<Flow>> {
    let mut sockets = BTreeSet::new();
    each_socket(|Ends { local, remote }| {
        let flow = Flow::new(remote, local);
        if asked.means(&flow) && sockets.len() < MOST {
            sockets.insert(flow);
        }
    })?;
    Ok(sockets)
}

#[cfg(test)]
mod tests;
