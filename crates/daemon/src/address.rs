//! Keeps the service addresses on `lo` and rejects what nobody serves.
//!
//! A withdrawn site keeps its addresses: packets of users who have not heard of the withdrawal yet must still be
//! answered, and an address that is taken away takes the service with it. So nothing here listens to the decision. An
//! address that somebody else removes is put back as soon as the kernel tells of it, and every second in case it did
//! not tell. The same holds for the unreachable routes of the announced prefixes: without them a packet for an unused
//! address would follow the default route back to the router that sent it, and loop.
//!
//! Addresses and routes stay when the daemon ends: the service may live on, and no announcement leads to it.

use crate::event::{Event, Source};
use crate::events::Bus;
use linux::address::Outcome;
use linux::link::LinkIndex;
use linux::route::{Route, Via};
use linux::watch::{Change, Topic, Watch};
use linux::{Netlink, address, route};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};
use terms::{Prefix, Reason};
use tokio::sync::watch;

/// How often everything is looked at, whether the kernel told of a change or not.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Service addresses that are missing and cannot be put back, and what the kernel says about each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Presence(BTreeMap<IpAddr, Reason>);

impl Presence {
    /// Why an address cannot be put back; none if it is there, as far as we know.
    pub(crate) fn missing(&self, address: IpAddr) -> Option<&Reason> {
        self.0.get(&address)
    }

    #[cfg(test)]
    pub(crate) fn without(address: IpAddr, reason: &str) -> Self {
        Presence(BTreeMap::from([(address, Reason::from(reason))]))
    }
}

/// What belongs on this host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Belongings {
    /// Service addresses, on `lo`.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// Announced prefixes whose unused addresses are rejected.
    pub(crate) rejected: BTreeSet<Prefix>,
}

/// One of the [`Belongings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Address(IpAddr),
    Reject(Prefix),
}

impl Item {
    fn put(self, netlink: &mut Netlink) -> linux::Result<Outcome> {
        match self {
            Item::Address(address) => address::add(netlink, LinkIndex::LOOPBACK, address.into()),
            Item::Reject(prefix) => route::add(netlink, unreachable(prefix)),
        }
    }

    fn take(self, netlink: &mut Netlink) -> linux::Result<Outcome> {
        match self {
            Item::Address(address) => address::remove(netlink, LinkIndex::LOOPBACK, address.into()),
            Item::Reject(prefix) => route::delete(netlink, unreachable(prefix)),
        }
    }

    fn restored(self) -> Event {
        match self {
            Item::Address(address) => Event::AddressRestored { address },
            Item::Reject(prefix) => Event::RejectRestored { prefix },
        }
    }

    fn missing(self, reason: Reason) -> Event {
        match self {
            Item::Address(address) => Event::AddressMissing { address, reason },
            Item::Reject(prefix) => Event::RejectMissing { prefix, reason },
        }
    }
}

fn unreachable(prefix: Prefix) -> Route {
    Route { destination: prefix, via: Via::Unreachable, metric: None }
}

/// Puts the belongings in place and keeps them there. Dropped before it keeps them, because the daemon could not start,
/// it takes away what it added.
#[derive(Debug)]
pub(crate) struct Keeper {
    netlink: Netlink,
    items: BTreeSet<Item>,
    /// Items that were not there before us, as long as the start may fail.
    added: Vec<Item>,
    missing: BTreeSet<Item>,
    presence: watch::Sender<Presence>,
}

impl Keeper {
    /// Puts everything in place. If that fails, nothing has changed.
    pub(crate) fn put(belongings: &Belongings) -> linux::Result<Self> {
        let addresses = belongings.addresses.iter().copied().map(Item::Address);
        let rejects = belongings.rejected.iter().copied().map(Item::Reject);
        let mut keeper = Keeper {
            netlink: Netlink::open()?,
            items: addresses.chain(rejects).collect(),
            added: Vec::new(),
            missing: BTreeSet::new(),
            presence: watch::Sender::default(),
        };
        for item in keeper.items.clone() {
            match item.put(&mut keeper.netlink) {
                Ok(Outcome::Changed) => keeper.added.push(item),
                Ok(Outcome::Already) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(keeper)
    }

    /// Which addresses are missing, now and from now on.
    pub(crate) fn presence(&self) -> watch::Receiver<Presence> {
        self.presence.subscribe()
    }

    /// Looks after everything, on a thread of its own, for as long as anybody cares about the presence.
    pub(crate) fn keep(mut self, mut kernel: Watch, bus: &Bus) {
        self.added.clear();
        let mut looked = Instant::now();
        while !self.presence.is_closed() {
            wait(&kernel, LOOK_EVERY.saturating_sub(looked.elapsed()));
            // A kernel that cannot be heard is asked every second.
            let changes = kernel.changes().unwrap_or_default();
            if looked.elapsed() >= LOOK_EVERY || changes.iter().any(|change| self.concerns(change)) {
                self.look(bus);
                looked = Instant::now();
            }
        }
    }

    /// Whether a change may have taken one of our items away.
    fn concerns(&self, change: &Change) -> bool {
        match change {
            Change::AddressRemoved(link, net) => {
                *link == LinkIndex::LOOPBACK && self.items.contains(&Item::Address(net.addr()))
            }
            Change::Route(prefix) => self.items.contains(&Item::Reject(*prefix)),
            // Switching lo off takes every route of IPv6 with it.
            Change::Link(link) => *link == LinkIndex::LOOPBACK,
            Change::Lost => true,
            Change::AddressAdded(..) | Change::LinkRemoved(_) => false,
        }
    }

    /// Puts back what is not there and tells what was found.
    fn look(&mut self, bus: &Bus) {
        let mut presence = Presence::default();
        for &item in &self.items {
            match item.put(&mut self.netlink) {
                Ok(Outcome::Already) => {
                    self.missing.remove(&item);
                }
                Ok(Outcome::Changed) => {
                    self.missing.remove(&item);
                    bus.tell(&item.restored(), Source::Process);
                }
                Err(error) => {
                    let reason = Reason::from(error.to_string());
                    if let Item::Address(address) = item {
                        presence.0.insert(address, reason.clone());
                    }
                    if self.missing.insert(item) {
                        bus.tell(&item.missing(reason), Source::Process);
                    }
                }
            }
        }
        self.presence.send_if_modified(|known| {
            let is_news = *known != presence;
            *known = presence;
            is_news
        });
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        for item in self.added.drain(..) {
            // What cannot be taken away stays: the error that led here is the one to tell.
            let _ = item.take(&mut self.netlink);
        }
    }
}

/// Sleeps until the kernel tells of a change, `limit` at most.
fn wait(kernel: &Watch, limit: Duration) {
    let limit =
        Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(1), tv_nsec: limit.subsec_nanos().into() };
    // Interrupted or out of memory: it is looked at again soon.
    if poll(&mut [PollFd::new(kernel, PollFlags::IN)], Some(&limit)).is_err() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Listens to the kernel for changes of addresses and routes.
pub(crate) fn listen() -> linux::Result<Watch> {
    Watch::open(&[Topic::Addresses, Topic::Routes, Topic::Links])
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::{Namespace, link};

    fn belongings() -> Belongings {
        Belongings {
            addresses: ["198.18.0.53", "2001:db8:53::53"].map(|text| text.parse().unwrap()).into(),
            rejected: ["198.18.0.0/24", "2001:db8:53::/48"].map(|text| text.parse().unwrap()).into(),
        }
    }

    fn inside<T: Send>(work: impl FnOnce(&mut Netlink) -> T + Send) -> T {
        let namespace = Namespace::new().unwrap();
        let run = || {
            let mut netlink = Netlink::open().unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            work(&mut netlink)
        };
        namespace.run(run).unwrap()
    }

    fn is_there(netlink: &mut Netlink, address: IpAddr) -> bool {
        address::exists(netlink, LinkIndex::LOOPBACK, address).unwrap()
    }

    #[test]
    fn what_vanishes_is_put_back_and_told() {
        inside(|netlink| {
            let bus = Bus::for_test();
            let keeper = Keeper::put(&belongings()).unwrap();
            let (presence, kernel) = (keeper.presence(), listen().unwrap());
            let (_, mut events) = bus.follow();
            std::thread::scope(|scope| {
                scope.spawn(|| keeper.keep(kernel, &bus));
                for address in belongings().addresses {
                    address::remove(netlink, LinkIndex::LOOPBACK, address.into()).unwrap();
                    let row = events.blocking_recv().unwrap();
                    assert_eq!(row.kind, "address-restored");
                    assert!(row.text.contains(&address.to_string()), "{}", row.text);
                    assert!(is_there(netlink, address));
                }
                for prefix in belongings().rejected {
                    route::delete(netlink, unreachable(prefix)).unwrap();
                    assert_eq!(events.blocking_recv().unwrap().kind, "reject-restored");
                }
                drop(presence);
            });
        });
    }

    #[test]
    fn a_start_that_fails_takes_away_what_it_added_and_nothing_else() {
        inside(|netlink| {
            let before: IpAddr = "198.18.0.53".parse().unwrap();
            let added: IpAddr = "2001:db8:53::53".parse().unwrap();
            address::add(netlink, LinkIndex::LOOPBACK, before.into()).unwrap();
            let keeper = Keeper::put(&belongings()).unwrap();
            assert!(is_there(netlink, added));
            drop(keeper);
            assert!(is_there(netlink, before));
            assert!(!is_there(netlink, added));
        });
    }

    #[test]
    fn what_cannot_be_put_back_is_missing_and_told_once() {
        inside(|_| {
            let bus = Bus::for_test();
            let mut keeper = Keeper::put(&belongings()).unwrap();
            let presence = keeper.presence();
            // A multicast group is joined, never put on an interface: the kernel refuses.
            let refused: IpAddr = "ff0e::1".parse().unwrap();
            keeper.items.insert(Item::Address(refused));
            keeper.look(&bus);
            assert!(presence.borrow().missing(refused).is_some());
            keeper.look(&bus);
            assert_eq!(bus.latest().iter().filter(|row| row.kind == "address-missing").count(), 1);
        });
    }
}
