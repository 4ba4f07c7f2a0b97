//! Functional checks of the four methods of delivery: who received what was sent in a step, and what routers know of
//! groups. A packet is judged when it can have arrived everywhere: before that nobody knows that nobody else gets it.

use crate::delivery::{Account, Message, Reach};
use crate::scenario::expectation::Expectation;
use crate::scenario::facts::Facts;
use crate::scenario::functional::Seen;
use crate::scenario::words::{Group, HostName, RouterName};
use api::Method;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use terms::{SiteName, Timestamp};

/// Whether such an expectation holds now; none for all others.
pub(super) fn delivered(expectation: &Expectation, facts: &Facts, now: Timestamp) -> Option<Seen> {
    let sent = facts.account.messages.iter().filter(|message| message.wall >= facts.fault);
    let step = Step { account: &facts.account, sent: sent.collect(), now };
    Some(match expectation {
        Expectation::UnicastReached { host } => step.unicast(host),
        Expectation::BroadcastReached { lan } => {
            step.each(Method::Broadcast, |message| message.to == lan.as_str())
        }
        Expectation::MulticastReached { group } => {
            step.each(Method::Multicast, |message| message.address == group.address())
        }
        Expectation::AnycastReachedNearest => step.each(Method::Anycast, |_| true),
        Expectation::AnycastReached { site } => step.anycast(site),
        Expectation::HostReceived { host, count } => step.received(host, count.get()),
        Expectation::GroupKnown { group, router } => step.known(*group, router, true),
        Expectation::GroupUnknown { group, router } => step.known(*group, router, false),
        Expectation::GroupKept { group } => step.kept(group.address()),
        _ => return None,
    })
}

/// What is known of one step.
struct Step<'a> {
    account: &'a Account,
    /// What was sent in it.
    sent: Vec<&'a Message>,
    now: Timestamp,
}

impl Step<'_> {
    fn unicast(&self, host: &HostName) -> Seen {
        let reach = Reach::Each(BTreeSet::from([host.to_string()]));
        self.all(Method::Unicast, |message| message.to == host.as_str(), Some(&reach))
    }

    fn anycast(&self, site: &SiteName) -> Seen {
        let reach = Reach::OneOf(self.account.sites.get(site).cloned().unwrap_or_default());
        self.all(Method::Anycast, |_| true, Some(&reach))
    }

    /// Whether what was sent in a way reached those whom the method reaches.
    fn each(&self, method: Method, asked: impl Fn(&Message) -> bool) -> Seen {
        self.all(method, asked, None)
    }

    /// Whether all that was sent in a way, and is asked about, has arrived and reached those, or else those whom its
    /// method reaches.
    fn all(&self, method: Method, asked: impl Fn(&Message) -> bool, reach: Option<&Reach>) -> Seen {
        let of_method = self.sent.iter().filter(|message| message.method == method && asked(message));
        let sent: Vec<&Message> = of_method.copied().collect();
        let is_met = |message: &&Message| {
            message.has_travelled(self.now) && reach.unwrap_or(&message.reach).is_met(&message.received)
        };
        let seen = sent
            .iter()
            .map(|message| format!("from {} to {}: {}", message.from, message.address, message.receivers()));
        let seen = seen.collect::<Vec<_>>().join("; ");
        let seen = if seen.is_empty() { "nothing was sent".to_owned() } else { seen };
        Seen::when(!sent.is_empty() && sent.iter().all(is_met), seen)
    }

    fn received(&self, host: &HostName, wanted: usize) -> Seen {
        let times = self.sent.iter().filter_map(|message| message.received.get(host.as_str()));
        let received: usize = times.filter_map(|times| usize::try_from(*times).ok()).sum();
        let all_arrived = self.sent.iter().all(|message| message.has_travelled(self.now));
        let seen = format!("{received} of what was sent {} times", self.sent.len());
        Seen::when(all_arrived && received == wanted, seen)
    }

    fn known(&self, group: Group, router: &RouterName, wanted: bool) -> Seen {
        let none = BTreeSet::new();
        let known = self.account.known.get(router.as_str()).unwrap_or(&none);
        let names: Vec<String> = known.iter().map(Ipv4Addr::to_string).collect();
        let seen = if names.is_empty() { "it knows none".to_owned() } else { names.join(", ") };
        Seen::when(known.contains(&group.address()) == wanted, seen)
    }

    /// Whether the routers' kernels forward a group to networks with members only.
    fn kept(&self, group: Ipv4Addr) -> Seen {
        let none = BTreeSet::new();
        let members = self.account.members.get(&group).unwrap_or(&none);
        let sent = self.sent.iter().filter(|message| message.address == group);
        let sent: Vec<&&Message> = sent.collect();
        if sent.is_empty() || !sent.iter().all(|message| message.has_travelled(self.now)) {
            return Seen::NotSo(format!("{} packets to it are on their way or there", sent.len()));
        }
        let outlets: Vec<_> = self.account.outlets.iter().filter(|outlet| outlet.group == group).collect();
        let in_vain = outlets.iter().filter(|outlet| outlet.hosts.is_disjoint(members));
        let in_vain: Vec<String> = in_vain
            .map(|outlet| {
                let hosts: Vec<&str> = outlet.hosts.iter().map(String::as_str).collect();
                format!("{} sends it to {}", outlet.router, hosts.join(", "))
            })
            .collect();
        let seen = match (outlets.len(), &in_vain[..]) {
            (0, _) => "no router forwards it".to_owned(),
            (networks, []) => format!("{networks} networks with members, no other one"),
            (_, in_vain) => format!("nobody is a member: {}", in_vain.join("; ")),
        };
        Seen::when(!outlets.is_empty() && in_vain.is_empty(), seen)
    }
}

#[cfg(test)]
mod tests;
