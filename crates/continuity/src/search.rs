//! Whose is a packet?
//!
//! | asked in this order | then |
//! |---|---|
//! | the flows that are being handed over | it is held |
//! | a socket of this host (one that listens has no connection yet) | it passes |
//! | the flows that were found before | to that site, as long as it says that it has the flow, or nobody else does |
//! | the other sites' filters | to the first that claims it, at the pace of claims; the flow is learned |
//! | the filters of dead sites | it passes and is reset, at the pace of resets |
//! | the site that relays for this one, or the last owner of the client's prefix | there, at the pace of guesses |
//! | nothing | it is dropped |
//!
//! A site may have given a flow to another one since it was found. So the filters are asked again, once in [`LOOK`]. Only an owner
//! whose filter has had the flow, and has it no more, has given it away: one whose filter has never had it may not have been
//! heard since, however long ago that was.
//!
//! The last three are for the site only that took the packet from its client. A packet that came through the tunnel goes
//! on only where somebody claims it, and never to a site that had it.
//!
//! Claims are paced although they are no guesses: a filter is wrong about one flow of 200, so a flood of flows that
//! nobody owns would go to others by the thousand. A flow pays once; a connection that has moved sends again until it has.

use crate::packet::{Kind, Packet};
use crate::{
    Budget, Count, Counts, Flow, Pace, Settings, SiteNumber, State, Verdict, Visited, client_prefix,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;
use terms::Timestamp;

/// How often the filters are asked about a flow that was found before: with its first packet in each such time.
pub const LOOK: Duration = Duration::from_nanos(1 << 28);

/// A flow that was found before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Its owner.
    pub site: SiteNumber,
    /// When its last packet came.
    pub seen: Timestamp,
    /// Whether the owner's filter has had it.
    pub is_confirmed: bool,
}

impl Learned {
    /// By a claim: the filter has it.
    pub fn claimed(site: SiteNumber, now: Timestamp) -> Self {
        Learned { site, seen: now, is_confirmed: true }
    }

    /// It was sent there, or handed over. The filter that is known may be from before.
    pub fn sent(site: SiteNumber, now: Timestamp) -> Self {
        Learned { site, seen: now, is_confirmed: false }
    }

    /// Whether the filters are to be asked again.
    fn is_due(&self, now: Timestamp) -> bool {
        let times = |at: Timestamp| u128::from(at.as_nanos()) / LOOK.as_nanos();
        times(now) != times(self.seen)
    }
}

/// What a site knows that nobody told it.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The connections that this host's sockets have. The kernel looks them up.
    pub sockets: BTreeSet<Flow>,
    /// Flows that are being handed over, and until when their packets are held.
    pub fenced: BTreeMap<Flow, Timestamp>,
    /// The packets that were held, without what was around them: as their clients sent them.
    pub held: Vec<(Flow, Vec<u8>)>,
    /// Flows that another site has claimed, or that were relayed to it. The kernel forgets those longest unused.
    pub learned: BTreeMap<Flow, Learned>,
    /// The last owner that clients of a prefix had.
    pub owners: BTreeMap<Ipv6Addr, SiteNumber>,
    /// What others have been spared.
    pub budgets: Budgets,
    /// What became of everything.
    pub counts: Counts,
}

/// What was spent at each of the [`Paces`](crate::Paces).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// On flows that a filter claims.
    pub claims: Budget,
    /// On packets that nobody claims.
    pub guesses: Budget,
    /// On packets that are to be reset.
    pub resets: Budget,
}

/// How a packet came here, and so where it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The sites that had it before this one; none: it came from its client.
    pub before: Option<Visited>,
    /// With this one; none: it can go no further.
    pub onward: Option<Visited>,
}

impl Visit {
    /// A packet from its client.
    pub fn from_client(here: SiteNumber) -> Self {
        Visit { before: None, onward: Some(Visited::One(here)) }
    }

    /// A packet from another site.
    pub fn from_site(before: Visited, here: SiteNumber) -> Self {
        Visit { before: Some(before), onward: before.and(here) }
    }

    /// Whether it may go to a site.
    fn may_go_to(&self, number: SiteNumber) -> bool {
        self.onward.is_some_and(|visited| !visited.contains(number))
    }
}

/// One packet before its judge.
struct Case<'a> {
    settings: &'a Settings,
    packet: &'a Packet,
    visit: Visit,
    now: Timestamp,
}

/// What becomes of a packet that is for a service.
pub fn judge(
    settings: &Settings,
    known: &mut Knowledge,
    packet: &Packet,
    kind: Kind,
    visit: Visit,
    now: Timestamp,
) -> Verdict {
    let case = Case { settings, packet, visit, now };
    let is_long = packet.end - packet.start > usize::from(settings.longest());
    let relay = settings.relay.filter(|number| visit.before.is_none() && case.is_open(*number));
    match (kind, relay) {
        (Kind::Unreadable, _) => Verdict::Opaque,
        (Kind::Datagram, None) => Verdict::Connectionless,
        (Kind::Datagram, Some(_)) if is_long => Verdict::Oversized,
        (Kind::Datagram, Some(relay)) => Verdict::Relayed(relay),
        (Kind::BrokenUp, _) if known.sockets.contains(&packet.flow) => Verdict::Owned,
        (Kind::BrokenUp, _) => Verdict::Oversized,
        (Kind::First, _) if let Some(owner) = case.find_owner(known) => {
            if is_long {
                Verdict::Oversized
            } else {
                Verdict::Learned(owner)
            }
        }
        (Kind::First, relay) => {
            // The client has taken its port for a new connection.
            known.learned.remove(&packet.flow);
            match relay {
                None => Verdict::Opening,
                Some(_) if is_long => Verdict::Oversized,
                Some(relay) => {
                    known.learned.insert(packet.flow, Learned::sent(relay, now));
                    Verdict::Relayed(relay)
                }
            }
        }
        (Kind::Segment | Kind::Quoted, _)
            if known.fenced.get(&packet.flow).is_some_and(|until| now < *until) =>
        {
            Verdict::Held
        }
        (Kind::Segment | Kind::Quoted, _) if known.sockets.contains(&packet.flow) => Verdict::Owned,
        (Kind::Segment | Kind::Quoted, _) if is_long => Verdict::Oversized,
        (Kind::Segment | Kind::Quoted, _) => case.search(known),
    }
}

impl Case<'_> {
    fn state(&self, number: SiteNumber) -> Option<State> {
        self.settings.sites.get(&number).map(|site| site.state)
    }

    fn is_open(&self, number: SiteNumber) -> bool {
        self.state(number) == Some(State::Alive) && self.visit.may_go_to(number)
    }

    /// The site that has the connection still that a SYN would open: it answers with an ACK, and goes on (RFC 5961 section 4).
    /// A SYN-ACK from here would have the client end a connection that somebody else's SYN was meant to end.
    fn find_owner(&self, known: &mut Knowledge) -> Option<SiteNumber> {
        let learned = known.learned.get_mut(&self.packet.flow)?;
        let filter = self.settings.sites.get(&learned.site)?.filter.as_deref()?;
        let has_it =
            self.is_open(learned.site) && filter.contains(&self.packet.flow, &self.settings.filter_key);
        has_it.then(|| {
            learned.seen = self.now;
            learned.site
        })
    }

    /// No socket here has it.
    fn search(&self, known: &mut Knowledge) -> Verdict {
        let learned = known.learned.get(&self.packet.flow).copied();
        if let Some(learned) = learned.filter(|learned| self.is_open(learned.site)) {
            return self.follow(known, learned);
        }
        known.counts.add(Count::Missed);
        let paces = &self.settings.paces;
        if let Some(number) = self.claimants().find(|number| self.is_open(*number)) {
            return self.claim(known, number);
        }
        if self.visit.before.is_some() {
            return Verdict::Unclaimed;
        }
        let is_of_dead = |number: SiteNumber| self.state(number) == Some(State::Dead);
        if learned.is_some_and(|learned| is_of_dead(learned.site)) || self.claimants().any(is_of_dead) {
            return self.spend(&paces.resets, &mut known.budgets.resets, Verdict::Orphaned);
        }
        let guess = self.settings.relay.or_else(|| known.owners.get(&self.prefix()).copied());
        match guess.filter(|number| self.is_open(*number)) {
            Some(number) => self.spend(&paces.guesses, &mut known.budgets.guesses, Verdict::Guessed(number)),
            None => Verdict::Unclaimed,
        }
    }

    /// It was found before. Over budget it goes where it went.
    fn follow(&self, known: &mut Knowledge, mut learned: Learned) -> Verdict {
        let other = if learned.is_due(self.now) { self.find_other(&mut learned) } else { None };
        known.learned.insert(self.packet.flow, Learned { seen: self.now, ..learned });
        match other.map(|number| self.claim(known, number)) {
            None | Some(Verdict::OverBudget) => Verdict::Learned(learned.site),
            Some(claimed) => {
                known.counts.add(Count::Missed);
                claimed
            }
        }
    }

    /// Who claims what its owner claims no more. One that says nothing of its flows may have it.
    fn find_other(&self, learned: &mut Learned) -> Option<SiteNumber> {
        let filter = self.settings.sites.get(&learned.site)?.filter.as_deref()?;
        if filter.contains(&self.packet.flow, &self.settings.filter_key) {
            learned.is_confirmed = true;
            return None;
        }
        let mut others = self.claimants().filter(|number| self.is_open(*number));
        if learned.is_confirmed { others.next() } else { None }
    }

    fn claim(&self, known: &mut Knowledge, number: SiteNumber) -> Verdict {
        let pace = &self.settings.paces.claims;
        let claimed = self.spend(pace, &mut known.budgets.claims, Verdict::Claimed(number));
        if claimed == Verdict::Claimed(number) {
            known.learned.insert(self.packet.flow, Learned::claimed(number, self.now));
            known.owners.insert(self.prefix(), number);
        }
        claimed
    }

    fn prefix(&self) -> Ipv6Addr {
        client_prefix(self.packet.flow.client, self.packet.family)
    }

    /// Sites whose filter has the flow and that have not had the packet, in the order of their numbers.
    fn claimants(&self) -> impl Iterator<Item = SiteNumber> {
        let settings = self.settings;
        let claims = |filter: &crate::Filter| filter.contains(&self.packet.flow, &settings.filter_key);
        let sites = settings.sites.iter().filter(move |(_, site)| site.filter.as_deref().is_some_and(claims));
        sites.map(|(number, _)| *number).filter(|number| !self.has_been_at(*number))
    }

    fn has_been_at(&self, number: SiteNumber) -> bool {
        number == self.settings.number || self.visit.before.is_some_and(|before| before.contains(number))
    }

    fn spend(&self, pace: &Pace, budget: &mut Budget, verdict: Verdict) -> Verdict {
        if budget.spend(pace, self.now) { verdict } else { Verdict::OverBudget }
    }
}
