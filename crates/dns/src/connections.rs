//! Which connections a server keeps, and which one it cuts (RFC 7766 section 6.2.3, RFC 9210 sections 4.1 to 4.3).
//!
//! ```text
//!  open ──> waits ──passed──> waits again ──> ...      a whole message passes: the clock of the connection starts anew
//!             │
//!             ├── for longer than patience ──────────> overdue: cut
//!             └── the longest, when a place is needed ─> cut
//! ```
//! One rule for every way to waste a place: only whole messages count. Who says nothing, sends octet by octet, does
//! not read what it is sent or never finishes a handshake passes none, so it is the idlest, and the idlest goes first.
//! Nobody is turned away: a newcomer takes the place of the idlest of all, or of the idlest of its own network where
//! that has its share. So whoever asks gets an answer, however many others hold on to their places.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use terms::Timestamp;

/// How many connections a server keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: NonZeroUsize,
    /// Connections of one network: an IPv4 /24, an IPv6 /56.
    pub per_network: NonZeroUsize,
    /// How long no message may pass while there are places enough.
    pub idle: Duration,
}

/// Which connection, of one [`Connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(u64);

/// A newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Which one it is from now on.
    pub id: ConnectionId,
    /// The one that gives up its place.
    pub instead_of: Option<ConnectionId>,
}

/// The connections of a server. Whatever it says is to be cut, it has forgotten already.
#[derive(Clone, Debug)]
pub struct Connections {
    limits: Limits,
    next: u64,
    /// Where each comes from, and when a message passed last.
    known: BTreeMap<ConnectionId, (Network, Timestamp)>,
    /// The idlest first.
    idlest: BTreeSet<Waiting>,
    /// The same of each network.
    networks: BTreeMap<Network, BTreeSet<Waiting>>,
}

/// Since when a connection waits for a message to pass.
type Waiting = (Timestamp, ConnectionId);

/// Those who share a limit: an IPv4 /24 or an IPv6 /56, which one customer may have alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Network([u8; 8]);

impl Network {
    fn of(address: IpAddr) -> Network {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Network([4, a, b, c, 0, 0, 0, 0])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, ..] = v6.octets();
                Network([6, a, b, c, d, e, f, g])
            }
        }
    }
}

impl Connections {
    /// However crowded it is, a connection has this part of [`Limits::idle`].
    const LEAST_PATIENCE: u32 = 10;

    /// None yet.
    pub fn new(limits: Limits) -> Self {
        Connections {
            limits,
            next: 0,
            known: BTreeMap::new(),
            idlest: BTreeSet::new(),
            networks: BTreeMap::new(),
        }
    }

    /// Keeps to other limits from now on. What is too many goes with the newcomers.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes a newcomer in.
    pub fn open(&mut self, from: IpAddr, now: Timestamp) -> Opened {
        let network = Network::of(from);
        let its = self.networks.get(&network);
        let idlest = match its {
            Some(its) if its.len() >= self.limits.per_network.get() => its.first(),
            _ if self.known.len() >= self.limits.connections.get() => self.idlest.first(),
            _ => None,
        };
        let instead_of = idlest.map(|&(_, id)| id);
        instead_of.into_iter().for_each(|id| self.close(id));
        let id = ConnectionId(self.next);
        self.next += 1;
        self.wait(id, network, now);
        Opened { id, instead_of }
    }

    /// A whole message has come in and its reply has gone out, or one more message of a long reply has.
    pub fn passed(&mut self, id: ConnectionId, now: Timestamp) {
        if let Some(network) = self.forget(id) {
            self.wait(id, network, now);
        }
    }

    /// It is no more, whoever ended it.
    pub fn close(&mut self, id: ConnectionId) {
        self.forget(id);
    }

    /// One whose time is up. Asked until there is none, a few times a second.
    pub fn overdue(&mut self, now: Timestamp) -> Option<ConnectionId> {
        let &(since, id) = self.idlest.first()?;
        let is_over = now.since(since) >= self.patience();
        is_over.then(|| self.close(id))?;
        Some(id)
    }

    /// The idlest: the system has no room for a newcomer.
    pub fn make_room(&mut self) -> Option<ConnectionId> {
        let &(_, id) = self.idlest.first()?;
        self.close(id);
        Some(id)
    }

    /// How long no message may pass now: all of [`Limits::idle`] while half of the places are free, and less the
    /// fewer they are. A client is told so (RFC 7828 section 3.3.2).
    pub fn patience(&self) -> Duration {
        let all = self.limits.connections.get();
        let free = all.saturating_sub(self.known.len());
        if free >= all - all / 2 {
            return self.limits.idle;
        }
        let part = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let fair = self.limits.idle.saturating_mul(part(free)) / part(all - all / 2);
        fair.max(self.limits.idle / Self::LEAST_PATIENCE)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether a newcomer takes the place of another one, wherever it comes from.
    pub fn is_full(&self) -> bool {
        self.known.len() >= self.limits.connections.get()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn wait(&mut self, id: ConnectionId, network: Network, now: Timestamp) {
        self.known.insert(id, (network, now));
        self.idlest.insert((now, id));
        self.networks.entry(network).or_default().insert((now, id));
    }

    fn forget(&mut self, id: ConnectionId) -> Option<Network> {
        let (network, since) = self.known.remove(&id)?;
        self.idlest.remove(&(since, id));
        if let Some(its) = self.networks.get_mut(&network) {
            its.remove(&(since, id));
            if its.is_empty() {
                self.networks.remove(&network);
            }
        }
        Some(network)
    }
}
