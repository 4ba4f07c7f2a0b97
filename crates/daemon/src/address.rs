//! Keeps the service addresses on `lo` and rejects what nobody serves.
//!
//! A withdrawn site keeps its addresses: packets of users who have not heard of the withdrawal yet must still be
//! answered, and an address that is taken away takes the service with it. So nothing here listens to the decision. An
//! address that somebody else removes is put back as soon as the kernel tells of it, and every second in case it did
//! not tell. The same holds for the unreachable routes of the announced prefixes: without them a packet for an unused
//! address would follow the default route back to the router that sent it, and loop.
//!
//! What belongs on the host is a value that may change while the daemon runs ([`Wanted`]): whoever takes an address out
//! of it says that its service has been withdrawn and has lingered.
//!
//! Addresses and routes stay when the daemon ends: the service may live on, and no announcement leads to it.

use crate::event::{Event, Source};
use crate::events::Bus;
use linux::address::Outcome;
use linux::link::LinkIndex;
use linux::route::{Route, Via};
use linux::watch::{Change, Topic, Watch};
use linux::{Netlink, address, route};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use terms::{Family, Prefix, Reason};
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongings {
    /// Service addresses, on `lo`.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// Announced prefixes whose unused addresses are rejected.
    pub(crate) rejected: BTreeSet<Prefix>,
}

impl Belongings {
    /// Whether nothing belongs here.
    pub(crate) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.rejected.is_empty()
    }

    /// These and others.
    pub(crate) fn with(&self, others: &Belongings) -> Belongings {
        Belongings {
            addresses: &self.addresses | &others.addresses,
            rejected: &self.rejected | &others.rejected,
        }
    }

    /// These, but not those.
    pub(crate) fn without(&self, those: &Belongings) -> Belongings {
        Belongings {
            addresses: &self.addresses - &those.addresses,
            rejected: &self.rejected - &those.rejected,
        }
    }

    fn items(&self) -> BTreeSet<Item> {
        let addresses = self.addresses.iter().copied().map(Item::Address);
        addresses.chain(self.rejected.iter().copied().map(Item::Reject)).collect()
    }
}

/// What belongs on the host from now on, told to the keeper.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    belongings: watch::Sender<Belongings>,
    /// Wakes the keeper, who sleeps in the kernel.
    bell: Arc<OwnedFd>,
}

impl Wanted {
    /// Takes the place of what belonged on the host before. The keeper acts on it at once, on its own thread.
    pub(crate) fn set(&self, belongings: Belongings) {
        self.belongings.send_replace(belongings);
        // A bell that cannot be rung leaves the keeper to look by itself, within a second.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
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

    /// The family of a service address.
    fn served(self) -> Option<Family> {
        match self {
            Item::Address(address) => Some(Family::of(address)),
            Item::Reject(_) => None,
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
    wanted: Wanted,
}

impl Keeper {
    /// Puts everything in place. If that fails, nothing has changed.
    pub(crate) fn put(belongings: &Belongings) -> linux::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|source| linux::Error::new("make an event descriptor", source))?;
        let wanted = Wanted { belongings: watch::Sender::new(belongings.clone()), bell: Arc::new(bell) };
        let mut keeper = Keeper {
            netlink: Netlink::open()?,
            items: belongings.items(),
            added: Vec::new(),
            missing: BTreeSet::new(),
            presence: watch::Sender::default(),
            wanted,
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

    /// Goes on where another program left everything in place: what is missing is put back by the first look, and an
    /// error is no reason to stop.
    pub(crate) fn going_on(belongings: &Belongings) -> linux::Result<Self> {
        let mut keeper = Keeper::put(&Belongings::default())?;
        keeper.items = belongings.items();
        keeper.wanted.belongings.send_replace(belongings.clone());
        Ok(keeper)
    }

    /// Which addresses are missing, now and from now on.
    pub(crate) fn presence(&self) -> watch::Receiver<Presence> {
        self.presence.subscribe()
    }

    /// The families of which every service address was there before this daemon put it: packets for them were delivered
    /// while no daemon ran. After a boot of the host there are none.
    pub(crate) fn forwarding(&self) -> BTreeSet<Family> {
        let all: BTreeSet<Family> = self.items.iter().filter_map(|item| item.served()).collect();
        let put: BTreeSet<Family> = self.added.iter().filter_map(|item| item.served()).collect();
        &all - &put
    }

    /// How to tell the keeper that other things belong on the host.
    pub(crate) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Looks after everything, on a thread of its own, for as long as anybody cares about the presence.
    pub(crate) fn keep(mut self, mut kernel: Watch, bus: &Bus) {
        self.added.clear();
        let mut looked = Instant::now();
        while !self.presence.is_closed() {
            wait(&kernel, &self.wanted.bell, LOOK_EVERY.saturating_sub(looked.elapsed()));
            let items = self.wanted.belongings.borrow().items();
            if items != self.items {
                self.change(items);
                self.look(bus);
            }
            // A kernel that cannot be heard is asked every second.
            let changes = kernel.changes().unwrap_or_default();
            if looked.elapsed() >= LOOK_EVERY || changes.iter().any(|change| self.concerns(change)) {
                self.look(bus);
                looked = Instant::now();
            }
        }
    }

    /// Other things belong here from now on. What cannot be put is told by the look that follows.
    fn change(&mut self, items: BTreeSet<Item>) {
        for item in self.items.difference(&items) {
            // What cannot be taken away stays, and nobody serves it.
            let _ = item.take(&mut self.netlink);
            self.missing.remove(item);
        }
        for item in items.difference(&self.items) {
            let _ = item.put(&mut self.netlink);
        }
        self.items = items;
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

/// Sleeps until the kernel tells of a change or the bell rings, `limit` at most.
fn wait(kernel: &Watch, bell: &OwnedFd, limit: Duration) {
    let limit =
        Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(1), tv_nsec: limit.subsec_nanos().into() };
    // Interrupted or out of memory: it is looked at again soon.
    let mut ears = [PollFd::new(kernel, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
    let rung = poll(&mut ears, Some(&limit));
    // Reading the bell silences it; one that did not ring says so, which is no error here.
    let _ = rustix::io::read(bell, &mut [0; 8]);
    if rung.is_err() {
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
    fn what_belongs_here_may_change_while_it_is_kept() {
        inside(|netlink| {
            let bus = Bus::for_test();
            let keeper = Keeper::put(&belongings()).unwrap();
            let (presence, kernel, wanted) = (keeper.presence(), listen().unwrap(), keeper.wanted());
            let (old, new): (IpAddr, IpAddr) =
                ("198.18.0.53".parse().unwrap(), "198.18.0.54".parse().unwrap());
            let mut other = belongings();
            other.addresses.remove(&old);
            other.addresses.insert(new);
            other.rejected.clear();
            std::thread::scope(|scope| {
                scope.spawn(|| keeper.keep(kernel, &bus));
                wanted.set(other);
                while is_there(netlink, old) || !is_there(netlink, new) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                drop(presence);
            });
            let reject = unreachable("198.18.0.0/24".parse().unwrap());
            assert_eq!(route::add(netlink, reject).unwrap(), Outcome::Changed, "it had been taken away");
            assert_eq!(bus.latest(), [], "what was ordered is no news");
        });
    }

    #[test]
    fn a_family_was_served_all_the_time_if_every_address_of_it_was_there() {
        inside(|netlink| {
            let put = |netlink: &mut Netlink, address: &str| {
                let address: IpAddr = address.parse().unwrap();
                address::add(netlink, LinkIndex::LOOPBACK, address.into()).unwrap();
            };
            let mut two = belongings();
            two.addresses.insert("198.18.0.54".parse().unwrap());
            assert_eq!(Keeper::put(&two).unwrap().forwarding(), [].into(), "a host that was booted");
            put(netlink, "198.18.0.53");
            put(netlink, "2001:db8:53::53");
            assert_eq!(Keeper::put(&two).unwrap().forwarding(), [Family::Ipv6].into());
            put(netlink, "198.18.0.54");
            assert_eq!(Keeper::put(&two).unwrap().forwarding(), Family::ALL.into());
            assert_eq!(Keeper::put(&Belongings::default()).unwrap().forwarding(), [].into());
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
