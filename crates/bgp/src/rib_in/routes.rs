//! The routes of one family by prefix and path: 28 octets for an IPv4 route, 40 for an IPv6 one.
//!
//! Ages are counted in marks. A route that was heard before the latest mark is *stale*; one that was heard before the
//! *floor* is gone for every reader at once, and its memory is taken back a few buckets at a time:
//!
//! ```text
//!   mark     0 ─────── 1 ─────────── 2 ─────────── 3        every mark_stale begins another
//!                      │             └ floor       └ now
//!              gone ───┘   stale: 2, still shown     fresh: 3
//! ```

use super::shared::Secret;
use super::table::{Handle, Item, Table};
use std::net::IpAddr;
use terms::Prefix;

/// Paths of one prefix that are kept (RFC 7911). All of them lie in one chain, so that more would make each step long.
pub(super) const PATHS: usize = 64;

/// Buckets that one step of tidying looks at.
const STEP: usize = 1024;

/// An address of one family.
pub(super) trait Address: Copy + Eq + AsRef<[u8]> + Into<IpAddr> {}

impl Address for [u8; 4] {}
impl Address for [u8; 16] {}

/// A prefix without its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<A> {
    pub(super) address: A,
    pub(super) length: u8,
}

impl<A: Address> Block<A> {
    /// With its family.
    pub(super) fn prefix(self) -> Option<Prefix> {
        Prefix::containing(self.address.into(), self.length).ok()
    }
}

/// One route.
#[derive(Debug)]
pub(super) struct Route<A> {
    address: A,
    /// RFC 7911; 0 without path identifiers.
    path: u32,
    pub(super) attributes: Handle,
    /// Seconds of the session's clock.
    pub(super) heard: u32,
    /// Of the prefix.
    hash: u32,
    next: Handle,
    mark: u16,
    length: u8,
}

impl<A> Item for Route<A> {
    fn hash(&self) -> u32 {
        self.hash
    }

    fn next(&self) -> Handle {
        self.next
    }

    fn set_next(&mut self, next: Handle) {
        self.next = next;
    }
}

impl<A: Address> Route<A> {
    fn is_of(&self, block: Block<A>) -> bool {
        self.length == block.length && self.address == block.address
    }

    /// RFC 7911; 0 without path identifiers.
    pub(super) fn path(&self) -> u32 {
        self.path
    }

    /// Its prefix.
    pub(super) fn block(&self) -> Block<A> {
        Block { address: self.address, length: self.length }
    }
}

/// What became of a route that was to be kept.
pub(super) enum Put {
    /// It is kept, and it is new.
    New,
    /// It is kept in place of what was told before: these are the attributes of that.
    Instead(Handle),
    /// There is no room for it, or its prefix has as many paths as are kept.
    LeftOut,
}

/// The routes of one family.
#[derive(Debug)]
pub(super) struct Routes<A> {
    secret: Secret,
    table: Table<Route<A>>,
    now: u16,
    floor: u16,
    /// Marks since every route had the same one.
    marks: u16,
    fresh: u64,
    stale: u64,
    /// The bucket to tidy next; none when nothing is gone but not taken back.
    tidying: Option<usize>,
}

impl<A: Address> Routes<A> {
    /// No route.
    pub(super) fn new(secret: Secret) -> Self {
        Routes {
            secret,
            table: Table::default(),
            now: 0,
            floor: 0,
            marks: 0,
            fresh: 0,
            stale: 0,
            tidying: None,
        }
    }

    /// Routes that are there, stale ones included.
    pub(super) fn count(&self) -> u64 {
        self.fresh + self.stale
    }

    /// Stale routes among them.
    pub(super) fn stale(&self) -> u64 {
        self.stale
    }

    /// Octets of memory that they take.
    pub(super) fn octets(&self) -> usize {
        self.table.octets()
    }

    /// Keeps a route, if it is known or takes no more than so many octets.
    pub(super) fn put(
        &mut self,
        block: Block<A>,
        path: u32,
        attributes: Handle,
        heard: u32,
        room: usize,
    ) -> Put {
        let hash = self.hash(block);
        match self.find(hash, block, path) {
            Ok(handle) => self.replace(handle, attributes, heard),
            Err(others) if others >= PATHS || self.table.next_octets() > room => Put::LeftOut,
            Err(_) => {
                let Block { address, length } = block;
                let (mark, next) = (self.now, Handle::NONE);
                self.table.insert(Route { address, path, attributes, heard, hash, next, mark, length });
                self.fresh += 1;
                Put::New
            }
        }
    }

    /// Where a route is; the error is how many other paths its prefix has.
    fn find(&self, hash: u32, block: Block<A>, path: u32) -> Result<Handle, usize> {
        let mut others = 0;
        for (handle, route) in self.table.chain(hash).filter(|(_, route)| route.is_of(block)) {
            if route.path == path {
                return Ok(handle);
            }
            others += 1;
        }
        Err(others)
    }

    /// Gives a known route other attributes; it is fresh again.
    fn replace(&mut self, handle: Handle, attributes: Handle, heard: u32) -> Put {
        let (now, floor) = (self.now, self.floor);
        let Some(route) = self.table.get_mut(handle) else { return Put::LeftOut };
        let mark = std::mem::replace(&mut route.mark, now);
        let before = std::mem::replace(&mut route.attributes, attributes);
        route.heard = heard;
        if mark != now {
            // One below the floor was not counted any more.
            self.stale -= u64::from(now.wrapping_sub(mark) <= now.wrapping_sub(floor));
            self.fresh += 1;
        }
        Put::Instead(before)
    }

    /// Forgets a route. Answers with the attributes that it had; none if it was not known.
    pub(super) fn take(&mut self, block: Block<A>, path: u32) -> Option<Handle> {
        let handle = self.find(self.hash(block), block, path).ok()?;
        let route = self.table.get(handle)?;
        let attributes = route.attributes;
        match self.age(route) {
            Age::Fresh => self.fresh -= 1,
            Age::Stale => self.stale -= 1,
            Age::Gone => {}
        }
        self.table.remove(handle);
        Some(attributes)
    }

    fn hash(&self, block: Block<A>) -> u32 {
        self.secret.hash([block.address.as_ref(), &[block.length]])
    }

    /// Every path of one prefix, and whether it is stale.
    pub(super) fn paths(&self, block: Block<A>) -> impl Iterator<Item = (&Route<A>, bool)> {
        let chain = self.table.chain(self.hash(block));
        let found = chain.map(|(_, route)| route).filter(move |route| route.is_of(block));
        found.filter_map(|route| self.shown(route))
    }

    /// Every route in one bucket, and whether it is stale.
    pub(super) fn bucket(&self, bucket: usize) -> impl Iterator<Item = (&Route<A>, bool)> {
        self.table.bucket(bucket).filter_map(|(_, route)| self.shown(route))
    }

    /// Buckets so far.
    pub(super) fn buckets(&self) -> usize {
        self.table.buckets()
    }

    /// Every route is stale until it is heard again.
    pub(super) fn mark_stale(&mut self, release: impl FnMut(Handle)) {
        if self.marks == u16::MAX - 1 {
            self.renumber(release);
        }
        self.marks += 1;
        self.now = self.now.wrapping_add(1);
        self.stale += std::mem::take(&mut self.fresh);
    }

    /// Stale routes are gone. Answers whether there were any.
    pub(super) fn sweep_stale(&mut self) -> bool {
        let any = self.stale > 0;
        if any {
            self.tidying = Some(0);
        }
        self.floor = self.now;
        self.stale = 0;
        any
    }

    /// Gives every stale route the youngest stale mark, before a mark could come round to the one it began with.
    fn renumber(&mut self, mut release: impl FnMut(Handle)) {
        while self.tidying.is_some() {
            self.tidy(&mut release);
        }
        let youngest = self.now.wrapping_sub(1);
        for bucket in 0..self.table.buckets() {
            let stale = self.table.bucket(bucket).filter(|(_, route)| route.mark != self.now);
            for handle in stale.map(|(handle, _)| handle).collect::<Vec<_>>() {
                self.table.get_mut(handle).into_iter().for_each(|route| route.mark = youngest);
            }
        }
        (self.floor, self.marks) = (youngest, 1);
    }

    /// Takes back the memory of some routes that are gone; `release` gets their attributes.
    pub(super) fn tidy(&mut self, mut release: impl FnMut(Handle)) {
        let Some(from) = self.tidying else { return };
        let to = (from + STEP).min(self.table.buckets());
        let buckets = (from..to).flat_map(|bucket| self.table.bucket(bucket));
        let gone: Vec<(Handle, Handle)> = buckets
            .filter(|(_, route)| matches!(self.age(route), Age::Gone))
            .map(|(handle, route)| (handle, route.attributes))
            .collect();
        for (handle, attributes) in gone {
            self.table.remove(handle);
            release(attributes);
        }
        // The table may have grown meanwhile: what a split moves goes to its end.
        self.tidying = (to < self.table.buckets()).then_some(to);
        if self.tidying.is_none() && self.stale == 0 {
            self.marks = 0;
        }
    }

    /// Whether the memory of some routes is still to be taken back.
    pub(super) fn is_untidy(&self) -> bool {
        self.tidying.is_some()
    }

    /// Forgets every route at once. Their attributes are the caller's to let go of.
    pub(super) fn clear(&mut self) {
        *self = Routes::new(self.secret.clone());
    }

    fn age(&self, route: &Route<A>) -> Age {
        match self.now.wrapping_sub(route.mark) {
            0 => Age::Fresh,
            age if age <= self.now.wrapping_sub(self.floor) => Age::Stale,
            _ => Age::Gone,
        }
    }

    fn shown<'a>(&self, route: &'a Route<A>) -> Option<(&'a Route<A>, bool)> {
        match self.age(route) {
            Age::Fresh => Some((route, false)),
            Age::Stale => Some((route, true)),
            Age::Gone => None,
        }
    }
}

/// How a route stands to the marks.
enum Age {
    Fresh,
    Stale,
    Gone,
}
