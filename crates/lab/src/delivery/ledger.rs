//! What was sent, whom that should reach, and who got it. Bounded: the oldest is forgotten.

use api::Method;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;
use terms::{SiteName, Timestamp, WallTime};

/// Messages that are remembered.
const MOST: usize = 512;

/// How long a packet may be on its way: longer than by any cables of the lab. Before that nobody can say that it reached
/// nobody else.
pub const TRAVEL: Duration = Duration::from_millis(500);

/// Whom a message should reach, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Each of them.
    Each(BTreeSet<String>),
    /// One of them, whichever.
    OneOf(BTreeSet<String>),
}

impl Reach {
    /// Whether those were reached, once each, and nobody else. Nobody at all is no success.
    pub fn is_met(&self, received: &BTreeMap<String, u32>) -> bool {
        let once = received.values().all(|times| *times == 1);
        let got: BTreeSet<&String> = received.keys().collect();
        let met = match self {
            Reach::Each(all) => got == all.iter().collect(),
            Reach::OneOf(some) => got.len() == 1 && got.iter().all(|host| some.contains(*host)),
        };
        once && met && !received.is_empty()
    }
}

/// One packet that somebody was told to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which one: the number in the packet.
    pub number: u32,
    /// How it was sent.
    pub method: Method,
    /// Its sender.
    pub from: String,
    /// What its address stands for.
    pub to: String,
    /// The address.
    pub address: Ipv4Addr,
    /// When it was sent.
    pub at: Timestamp,
    /// The same as people read it.
    pub wall: WallTime,
    /// Whom it should reach, as things stood when it was sent.
    pub reach: Reach,
    /// Who got it, and how often.
    pub received: BTreeMap<String, u32>,
}

impl Message {
    /// Whether it has arrived wherever it can.
    pub fn has_travelled(&self, now: Timestamp) -> bool {
        now.since(self.at) >= TRAVEL
    }

    /// Whether it reached those whom its method reaches, and nobody else; none while it can be on its way.
    pub fn as_meant(&self, now: Timestamp) -> Option<bool> {
        self.has_travelled(now).then(|| self.reach.is_met(&self.received))
    }

    /// Who got it, in words.
    pub fn receivers(&self) -> String {
        if self.received.is_empty() {
            return "nobody".to_owned();
        }
        let receiver = |(host, times): (&String, &u32)| match times {
            1 => host.clone(),
            times => format!("{host} {times} times"),
        };
        self.received.iter().map(receiver).collect::<Vec<_>>().join(", ")
    }
}

/// What was sent and who got it.
#[derive(Debug, Default)]
pub struct Ledger {
    messages: VecDeque<Message>,
    next: u32,
    sent: BTreeMap<Method, u32>,
    received: BTreeMap<(String, Method), u32>,
}

impl Ledger {
    /// Enters a message, which gets a number.
    pub fn enter(&mut self, message: Message) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        *self.sent.entry(message.method).or_default() += 1;
        if self.messages.len() == MOST {
            self.messages.pop_front();
        }
        self.messages.push_back(Message { number, ..message });
        number
    }

    /// A host got a packet with this number. What nobody sent, or long ago, does not count.
    pub fn receive(&mut self, number: u32, host: &str) {
        let Some(message) = self.messages.iter_mut().find(|message| message.number == number) else { return };
        let times = message.received.entry(host.to_owned()).or_default();
        *times = times.saturating_add(1);
        let all = self.received.entry((host.to_owned(), message.method)).or_default();
        *all = all.saturating_add(1);
    }

    /// What is remembered, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    /// How many messages were sent in a way.
    pub fn sent(&self, method: Method) -> u32 {
        self.sent.get(&method).copied().unwrap_or_default()
    }

    /// How many packets that were sent in a way a host has received.
    pub fn received(&self, host: &str, method: Method) -> u32 {
        self.received.get(&(host.to_owned(), method)).copied().unwrap_or_default()
    }
}

/// Where a router's kernel sends what is sent to a group: a network with hosts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// The router.
    pub router: String,
    /// The group.
    pub group: Ipv4Addr,
    /// The hosts on the network.
    pub hosts: BTreeSet<String>,
}

/// Everything that is known of deliveries at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What was sent, oldest first.
    pub messages: Vec<Message>,
    /// The hosts of each site.
    pub sites: BTreeMap<SiteName, BTreeSet<String>>,
    /// Who has joined which group.
    pub members: BTreeMap<Ipv4Addr, BTreeSet<String>>,
    /// Which groups each router knows members of, by IGMP.
    pub known: BTreeMap<String, BTreeSet<Ipv4Addr>>,
    /// Where the routers' kernels forward groups to.
    pub outlets: Vec<Outlet>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn got(hosts: &[&str]) -> BTreeMap<String, u32> {
        let mut received = BTreeMap::new();
        for host in hosts {
            *received.entry((*host).to_owned()).or_default() += 1;
        }
        received
    }

    #[test]
    fn a_method_reaches_whom_it_should_and_nobody_else() {
        let each = Reach::Each(names(&["a", "b"]));
        let one = Reach::OneOf(names(&["a", "b"]));
        for (received, each_met, one_met) in [
            (&["a", "b"][..], true, false),
            (&["a"], false, true),
            (&["b"], false, true),
            (&["a", "b", "c"], false, false),
            (&["c"], false, false),
            (&["a", "a", "b"], false, false),
            (&["a", "a"], false, false),
            (&[], false, false),
        ] {
            assert_eq!(each.is_met(&got(received)), each_met, "each, {received:?}");
            assert_eq!(one.is_met(&got(received)), one_met, "one of, {received:?}");
        }
        assert!(!Reach::Each(names(&[])).is_met(&got(&[])), "nobody is no success");
    }

    fn message(method: Method) -> Message {
        Message {
            number: 0,
            method,
            from: "a".to_owned(),
            to: "b".to_owned(),
            address: Ipv4Addr::LOCALHOST,
            at: Timestamp::ZERO,
            wall: WallTime(0),
            reach: Reach::Each(names(&["b"])),
            received: BTreeMap::new(),
        }
    }

    #[test]
    fn nothing_is_judged_that_can_be_on_its_way() {
        let mut ledger = Ledger::default();
        let number = ledger.enter(message(Method::Unicast));
        ledger.receive(number, "b");
        let message = ledger.messages().next().unwrap();
        assert_eq!(message.as_meant(Timestamp::ZERO + TRAVEL - Duration::from_millis(1)), None);
        assert_eq!(message.as_meant(Timestamp::ZERO + TRAVEL), Some(true));
        assert_eq!(message.receivers(), "b");
    }

    proptest! {
        #[test]
        fn what_nobody_sent_counts_nowhere_and_what_is_kept_is_bounded(
            sent in 0usize..700,
            received in proptest::collection::vec((any::<u16>(), 0u8..3), 0..200),
        ) {
            let mut ledger = Ledger::default();
            for _ in 0..sent {
                ledger.enter(message(Method::Anycast));
            }
            let mut counted = 0;
            for (number, host) in received {
                ledger.receive(u32::from(number), &format!("host-{host}"));
                let number = usize::from(number);
                counted += u32::from(number < sent && number >= sent.saturating_sub(MOST));
            }
            let all: u32 = (0..3).map(|host| ledger.received(&format!("host-{host}"), Method::Anycast)).sum();
            prop_assert_eq!(all, counted);
            prop_assert_eq!(ledger.messages().count(), sent.min(MOST));
            prop_assert_eq!(ledger.sent(Method::Anycast) as usize, sent);
        }
    }
}
