//! Routes heard from one neighbour, where the operator wants them kept: for `explain`, for a monitoring station, never
//! for a decision.
//!
//! ```text
//!   UPDATE ──► judged (RFC 7606) ──► marks counted ──┬─ not kept: dropped
//!                                                    └─► [`RibIn`]   prefix, path ──► routes ──► set of attributes
//!                                                                    within so many octets; beyond: counted, not kept
//! ```
//! What is kept never changes what a session does, so a saved session leaves it out: a recording of a session that
//! hears a full table stays as small as what happened in it, and replays to the same. A session that is read back has
//! heard nothing until the neighbour says it again.
//!
//! | file | holds |
//! |---|---|
//! | `table` | a hash table that grows by one bucket at a time, so that no route waits for a million others |
//! | `routes` | the routes of one family, and which of them are stale |
//! | `shared` | sets of attributes, each kept once |
//! | `mark` | what is to be said about a route: looped, martian, about to go |

mod mark;
mod routes;
mod shared;
mod table;

pub use mark::{Mark, Marks};

use crate::session::PeerKind;
use crate::wire::attribute::{self, Attributes, MpReach, PathAttributes};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::Nlri;
use crate::wire::update::Update;
use routes::{Address, Block, Put, Route, Routes};
use serde::{Deserialize, Serialize};
use shared::{Secret, Shared};
use std::net::IpAddr;
use std::time::Duration;
use terms::{Asn, Family, Prefix, Timestamp};

/// What the operator wants kept of what a neighbour tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepReceived {
    /// Octets of memory at most. Routes beyond are counted and not kept.
    pub max_memory: usize,
}

impl Default for KeepReceived {
    /// 512 MiB: room for several million routes, which is more than the Internet has.
    fn default() -> Self {
        KeepReceived { max_memory: 512 << 20 }
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// IPv4 routes; each path of a prefix is one.
    pub ipv4: u64,
    /// IPv6 routes.
    pub ipv6: u64,
    /// Those of both that are stale: told before the neighbour began again, and not confirmed yet.
    pub stale: u64,
    /// Different sets of attributes.
    pub attributes: usize,
    /// Octets of memory, those that are being given back included.
    pub octets: usize,
    /// Routes that were not kept since the session came up, because memory was full or their prefix has too many paths.
    pub left_out: u64,
}

/// A route that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its prefix.
    pub prefix: Prefix,
    /// RFC 7911; 0 without path identifiers.
    pub path: u32,
    /// When it was heard last, in whole seconds.
    pub at: Timestamp,
    /// Whether it was told before the neighbour began again, and not confirmed yet.
    pub stale: bool,
    /// What it says.
    pub attributes: PathAttributes,
    /// What is to be said about it.
    pub marks: Marks,
}

impl Heard {
    /// The UPDATE that says this and nothing else.
    pub fn update(self) -> Update {
        let Heard { prefix, path, mut attributes, .. } = self;
        let path = Nlri { prefix, path };
        let mut reached = Vec::new();
        match &mut attributes.mp_reach {
            Some(reach) => reach.prefixes = vec![path],
            None => reached.push(path),
        }
        Update { withdrawn: Vec::new(), attributes, reached }
    }
}

/// Routes heard from one neighbour.
#[derive(Debug)]
pub struct RibIn {
    local_asn: Asn,
    max_memory: usize,
    /// How attributes are written.
    written: Negotiated,
    shared: Shared,
    ipv4: Routes<[u8; 4]>,
    ipv6: Routes<[u8; 16]>,
    left_out: u64,
}

impl RibIn {
    /// Nothing heard. `secret` is what a neighbour cannot guess: it decides where in memory a route lies.
    pub fn new(local_asn: Asn, keep: KeepReceived, secret: u64) -> Self {
        let secret = Secret::new(secret);
        RibIn {
            local_asn,
            max_memory: keep.max_memory,
            written: as_kept(),
            shared: Shared::new(secret.clone()),
            ipv4: Routes::new(secret.clone()),
            ipv6: Routes::new(secret),
            left_out: 0,
        }
    }

    /// Another bound from now on. What is kept already stays, even if it is more.
    pub fn limit(&mut self, keep: KeepReceived) {
        self.max_memory = keep.max_memory;
    }

    /// How much is kept.
    pub fn kept(&self) -> Kept {
        Kept {
            ipv4: self.ipv4.count(),
            ipv6: self.ipv6.count(),
            stale: self.ipv4.stale() + self.ipv6.stale(),
            attributes: self.shared.count(),
            octets: self.octets(),
            left_out: self.left_out,
        }
    }

    fn octets(&self) -> usize {
        self.shared.octets() + self.ipv4.octets() + self.ipv6.octets()
    }

    /// Takes in a well-formed UPDATE: first what it takes back, then what it announces (RFC 4271 section 9.2).
    pub fn hear(&mut self, update: Update, now: Timestamp) {
        let Update { withdrawn, mut attributes, reached } = update;
        let unreachable = attributes.mp_unreach.take().map_or(Vec::new(), |unreach| unreach.prefixes);
        self.withdraw(withdrawn.into_iter().chain(unreachable));
        let heard = u32::try_from(now.since(Timestamp::ZERO).as_secs()).unwrap_or(u32::MAX);
        let reach = attributes.mp_reach.take();
        self.announce(&attributes, &reached, heard);
        if let Some(MpReach { family, next_hop, link_local, prefixes }) = reach {
            attributes.next_hop = None;
            attributes.mp_reach = Some(MpReach { family, next_hop, link_local, prefixes: Vec::new() });
            self.announce(&attributes, &prefixes, heard);
        }
    }

    /// Forgets these routes: taken back, or treated so (RFC 7606 section 2).
    pub fn withdraw(&mut self, paths: impl IntoIterator<Item = impl Into<Nlri>>) {
        let RibIn { shared, ipv4, ipv6, .. } = self;
        for Nlri { prefix, path } in paths.into_iter().map(Into::into) {
            let before = match key(prefix) {
                Key::Ipv4(block) => ipv4.take(block, path),
                Key::Ipv6(block) => ipv6.take(block, path),
            };
            before.into_iter().for_each(|attributes| shared.release(attributes));
        }
    }

    /// Every route of the family is stale until it is heard again (RFC 4724 section 4.2, RFC 7313 section 4).
    pub fn mark_stale(&mut self, family: Family) {
        let RibIn { shared, ipv4, ipv6, .. } = self;
        match family {
            Family::Ipv4 => ipv4.mark_stale(|attributes| shared.release(attributes)),
            Family::Ipv6 => ipv6.mark_stale(|attributes| shared.release(attributes)),
        }
    }

    /// Forgets the stale routes of the family: all there is was told again. Answers whether there were any.
    pub fn sweep_stale(&mut self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.ipv4.sweep_stale(),
            Family::Ipv6 => self.ipv6.sweep_stale(),
        }
    }

    /// The neighbour tells everything anew: so far nothing of that was left out.
    pub fn begin_anew(&mut self) {
        self.left_out = 0;
    }

    /// Forgets every route: the session ended (RFC 4271 section 8.2.2).
    pub fn clear(&mut self) {
        self.ipv4.clear();
        self.ipv6.clear();
        self.shared.clear();
        self.left_out = 0;
    }

    /// Gives back some memory of what was forgotten. To be called now and then, until [`RibIn::is_untidy`] is over.
    pub fn tidy(&mut self) {
        let RibIn { shared, ipv4, ipv6, .. } = self;
        ipv4.tidy(|attributes| shared.release(attributes));
        ipv6.tidy(|attributes| shared.release(attributes));
        shared.tidy();
    }

    /// Whether there is memory to give back.
    pub fn is_untidy(&self) -> bool {
        self.ipv4.is_untidy() || self.ipv6.is_untidy() || self.shared.is_untidy()
    }

    /// What was heard about the prefix and everything that covers it, the longest prefix first, and of each prefix
    /// every path, the first identifier first.
    pub fn about(&self, prefix: Prefix) -> Vec<Heard> {
        let lengths = (0..=prefix.length()).rev();
        let covering = lengths.filter_map(|length| Prefix::containing(prefix.address(), length).ok());
        covering.flat_map(|covering| self.paths(covering)).collect()
    }

    /// Every path of one prefix.
    fn paths(&self, prefix: Prefix) -> Vec<Heard> {
        let mut paths: Vec<Heard> = match key(prefix) {
            Key::Ipv4(block) => self.ipv4.paths(block).filter_map(|found| self.read(found)).collect(),
            Key::Ipv6(block) => self.ipv6.paths(block).filter_map(|found| self.read(found)).collect(),
        };
        paths.sort_unstable_by_key(|heard| heard.path);
        paths
    }

    /// How many steps [`RibIn::step`] has for a family.
    pub fn steps(&self, family: Family) -> usize {
        match family {
            Family::Ipv4 => self.ipv4.buckets(),
            Family::Ipv6 => self.ipv6.buckets(),
        }
    }

    /// The routes of one step: about one. Whoever takes every step from 0 sees every route that was there all the
    /// time, perhaps twice if routes came meanwhile.
    pub fn step(&self, family: Family, step: usize) -> Vec<Heard> {
        match family {
            Family::Ipv4 => self.ipv4.bucket(step).filter_map(|found| self.read(found)).collect(),
            Family::Ipv6 => self.ipv6.bucket(step).filter_map(|found| self.read(found)).collect(),
        }
    }

    /// A kept route as it was told.
    fn read<A: Address>(&self, (route, stale): (&Route<A>, bool)) -> Option<Heard> {
        let octets = self.shared.octets_of(route.attributes)?;
        let Attributes { said, .. } = Attributes::decode(octets, &self.written).ok()?;
        let prefix = route.block().prefix()?;
        let marks = Marks::of(&said, self.local_asn).with_prefix(prefix);
        let at = Timestamp::ZERO + Duration::from_secs(route.heard.into());
        Some(Heard { prefix, path: route.path(), at, stale, attributes: said, marks })
    }

    fn announce(&mut self, attributes: &PathAttributes, paths: &[Nlri], heard: u32) {
        if paths.is_empty() {
            return;
        }
        let octets = attribute::encode(attributes, &self.written);
        let room = self.room();
        let Some(set) = self.shared.hold(&octets, room) else {
            // What was said before is not true any more.
            self.left_out += paths.iter().map(|_| 1).sum::<u64>();
            return self.withdraw(paths.iter().copied());
        };
        for &Nlri { prefix, path } in paths {
            let room = self.room();
            let put = match key(prefix) {
                Key::Ipv4(block) => self.ipv4.put(block, path, set, heard, room),
                Key::Ipv6(block) => self.ipv6.put(block, path, set, heard, room),
            };
            match put {
                Put::New => self.shared.hold_again(set),
                Put::Instead(before) => {
                    self.shared.hold_again(set);
                    self.shared.release(before);
                }
                Put::LeftOut => self.left_out += 1,
            }
        }
        self.shared.release(set);
    }

    fn room(&self) -> usize {
        self.max_memory.saturating_sub(self.octets())
    }
}

/// A prefix by its family.
enum Key {
    Ipv4(Block<[u8; 4]>),
    Ipv6(Block<[u8; 16]>),
}

fn key(prefix: Prefix) -> Key {
    let length = prefix.length();
    match prefix.address() {
        IpAddr::V4(address) => Key::Ipv4(Block { address: address.octets(), length }),
        IpAddr::V6(address) => Key::Ipv6(Block { address: address.octets(), length }),
    }
}

/// How kept attributes are written: four octets for each AS number, and nothing left out, whoever told them.
fn as_kept() -> Negotiated {
    let extended_next_hop = Family::ALL.into();
    Negotiated { extended_next_hop, ..Negotiated::plain(PeerKind::Internal) }
}
