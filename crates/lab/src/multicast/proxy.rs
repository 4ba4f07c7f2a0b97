//! What one multicast router knows and decides: who wants which group on which of its interfaces, and where a packet
//! goes. Pure.
//!
//! Routers form a tree. Each is a router of IGMP towards the leaves and, for everything that is wanted behind it, a host
//! towards the root (IGMP proxying, RFC 4605): no protocol between routers is needed. A packet goes up to the root and,
//! at each router, down every other interface behind which somebody wants it.
//!
//! ```text
//!                      wanted                       not wanted           the timer
//!  no member ────────> member
//!  member              lives on                     asked for            no member
//!  asked for           member                       stays                no member
//! ```
//! (RFC 3376 section 6.4, without sources.) A host that leaves is not believed for others on its link: the group is asked
//! for, twice, and gone when nobody answers.

use crate::multicast::igmp::{Change, Heard};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;
use terms::Timestamp;

pub use linux::multicast::Interface;

/// Groups that one router knows at most; who wants another one is not heard.
pub const MOST_GROUPS: usize = 64;
/// Pairs of a sender and a group of which the kernel is told at most: the oldest is forgotten.
pub const MOST_FLOWS: usize = 256;

/// How often everybody is asked what he wants.
pub const QUERY_INTERVAL: Duration = Duration::from_secs(5);
/// Within which hosts answer that.
pub const RESPONSE: Duration = Duration::from_secs(1);
/// How long a member is believed: two questions and the time for an answer (RFC 3376 section 8.4).
pub const MEMBER_FOR: Duration = Duration::from_secs(11);
/// How often, and how many times, a group is asked for that somebody has left (RFC 3376 section 8.8). Shorter than the
/// default of the RFC, so that people see it happen.
pub const LAST_MEMBER: Duration = Duration::from_millis(500);
const LAST_MEMBER_QUERIES: u8 = 2;

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A packet came in by an interface; none for one that it does not route over.
    Heard(Option<Interface>, Heard),
    /// Time passed.
    Time,
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask on an interface who is a member of a group, or of any.
    Query(Interface, Option<Ipv4Addr>),
    /// Be a member towards the root.
    Join(Ipv4Addr),
    /// Be none any more.
    Leave(Ipv4Addr),
    /// Have the kernel forward.
    Forward(Flow, Interface, Vec<Interface>),
    /// Have the kernel forget.
    Forget(Flow),
}

/// What somebody sends to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who.
    pub source: Ipv4Addr,
    /// To which group.
    pub group: Ipv4Addr,
}

/// That a group is wanted on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    /// Somebody said so not long ago.
    Member { until: Timestamp },
    /// Somebody left: who else wants it is being asked.
    Asked { next: Timestamp, left: u8 },
}

/// One multicast router.
#[derive(Debug)]
pub struct Proxy {
    /// Towards the root; the root itself has none.
    upstream: Option<Interface>,
    /// Away from it.
    downstream: BTreeSet<Interface>,
    groups: BTreeMap<Ipv4Addr, BTreeMap<Interface, Membership>>,
    /// By which interface each flow comes in, and since when it is known.
    flows: BTreeMap<Flow, (Interface, Timestamp)>,
    /// When everybody is asked next.
    next_query: Timestamp,
    outputs: VecDeque<Output>,
}

impl Proxy {
    /// A router with these interfaces that knows of nobody yet, and asks at once.
    pub fn new(
        upstream: Option<Interface>,
        downstream: impl IntoIterator<Item = Interface>,
        now: Timestamp,
    ) -> Self {
        Proxy {
            upstream,
            downstream: downstream.into_iter().collect(),
            groups: BTreeMap::new(),
            flows: BTreeMap::new(),
            next_query: now,
            outputs: VecDeque::new(),
        }
    }

    /// Takes something in.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Heard(Some(interface), Heard::Report(changes)) => {
                if self.downstream.contains(&interface) {
                    changes.into_iter().for_each(|change| self.change(interface, change, now));
                }
            }
            Input::Heard(_, Heard::Unresolved { source, group, interface }) => {
                self.learn(Flow { source, group }, Interface(interface), now);
            }
            Input::Heard(None, Heard::Report(_)) | Input::Heard(_, Heard::Other) => {}
            Input::Time => self.pass(now),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When time must be told next.
    pub fn deadline(&self) -> Timestamp {
        let timers = self.groups.values().flat_map(BTreeMap::values).map(|membership| match membership {
            Membership::Member { until } => *until,
            Membership::Asked { next, .. } => *next,
        });
        timers.fold(self.next_query, Timestamp::min)
    }

    /// The groups that are wanted behind it, and on which interfaces.
    pub fn groups(&self) -> BTreeMap<Ipv4Addr, BTreeSet<Interface>> {
        self.groups.iter().map(|(group, where_)| (*group, where_.keys().copied().collect())).collect()
    }

    fn change(&mut self, interface: Interface, Change { group, wanted }: Change, now: Timestamp) {
        // What stays on its link is nobody else's (RFC 3376 section 6).
        if group.octets()[..3] == [224, 0, 0] {
            return;
        }
        let membership = self.groups.get(&group).and_then(|wanting| wanting.get(&interface)).copied();
        match (membership, wanted) {
            (None, true) => self.welcome(group, interface, now),
            (Some(Membership::Member { .. } | Membership::Asked { .. }), true) => {
                self.set(group, interface, Membership::Member { until: now + MEMBER_FOR });
            }
            (Some(Membership::Member { .. }), false) => {
                self.outputs.push_back(Output::Query(interface, Some(group)));
                let left = LAST_MEMBER_QUERIES - 1;
                self.set(group, interface, Membership::Asked { next: now + LAST_MEMBER, left });
            }
            (Some(Membership::Asked { .. }) | None, false) => {}
        }
    }

    fn set(&mut self, group: Ipv4Addr, interface: Interface, membership: Membership) {
        self.groups.entry(group).or_default().insert(interface, membership);
    }

    fn welcome(&mut self, group: Ipv4Addr, interface: Interface, now: Timestamp) {
        let is_new = !self.groups.contains_key(&group);
        if is_new && self.groups.len() == MOST_GROUPS {
            return;
        }
        self.set(group, interface, Membership::Member { until: now + MEMBER_FOR });
        if is_new && self.upstream.is_some() {
            self.outputs.push_back(Output::Join(group));
        }
        self.forward_again(group);
    }

    fn dismiss(&mut self, group: Ipv4Addr, interface: Interface) {
        let Some(wanting) = self.groups.get_mut(&group) else { return };
        wanting.remove(&interface);
        if wanting.is_empty() {
            self.groups.remove(&group);
            if self.upstream.is_some() {
                self.outputs.push_back(Output::Leave(group));
            }
        }
        self.forward_again(group);
    }

    /// What was sent comes in by the same interface each time: ways in a tree do not change.
    fn learn(&mut self, flow: Flow, from: Interface, now: Timestamp) {
        let is_ours = self.upstream == Some(from) || self.downstream.contains(&from);
        if !is_ours || !flow.group.is_multicast() {
            return;
        }
        if !self.flows.contains_key(&flow) && self.flows.len() == MOST_FLOWS {
            let oldest = self.flows.iter().min_by_key(|(_, (_, since))| *since).map(|(flow, _)| *flow);
            if let Some(oldest) = oldest {
                self.flows.remove(&oldest);
                self.outputs.push_back(Output::Forget(oldest));
            }
        }
        self.flows.insert(flow, (from, now));
        self.forward(flow, from);
    }

    fn forward_again(&mut self, group: Ipv4Addr) {
        let flows = self.flows.iter().filter(|(flow, _)| flow.group == group);
        let flows: Vec<(Flow, Interface)> = flows.map(|(flow, (from, _))| (*flow, *from)).collect();
        flows.into_iter().for_each(|(flow, from)| self.forward(flow, from));
    }

    fn forward(&mut self, flow: Flow, from: Interface) {
        let wanting = self.groups.get(&flow.group).into_iter().flat_map(BTreeMap::keys).copied();
        let to = self.upstream.into_iter().chain(wanting).filter(|to| *to != from).collect();
        self.outputs.push_back(Output::Forward(flow, from, to));
    }

    fn pass(&mut self, now: Timestamp) {
        if now >= self.next_query {
            self.next_query = now + QUERY_INTERVAL;
            let queries = self.downstream.iter().map(|interface| Output::Query(*interface, None));
            self.outputs.extend(queries);
        }
        let all = self.groups.iter().flat_map(|(group, wanting)| {
            wanting.iter().map(|(interface, membership)| (*group, *interface, *membership))
        });
        let all: Vec<(Ipv4Addr, Interface, Membership)> = all.collect();
        for (group, interface, membership) in all {
            match membership {
                Membership::Member { until } | Membership::Asked { next: until, left: 0 } => {
                    if now >= until {
                        self.dismiss(group, interface);
                    }
                }
                Membership::Asked { next, left } => {
                    if now >= next {
                        self.outputs.push_back(Output::Query(interface, Some(group)));
                        let next = now + LAST_MEMBER;
                        self.set(group, interface, Membership::Asked { next, left: left - 1 });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
