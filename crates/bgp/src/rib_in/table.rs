//! A hash table without a bad moment: it grows by one bucket at a time (linear hashing, Litwin 1980).
//!
//! ```text
//!   hash ──► bucket ──► item ──► item ──► item          chained by handles of 32 bits
//!            0 1 2 … n                                  inserting an item adds bucket n + 1 and
//!                                                       shares out the chain that it splits: one chain, no more
//! ```
//! A table that doubles moves everything it holds in one insertion: a million routes would keep the neighbour's thread
//! from a withdraw for tens of milliseconds. Items lie in chunks that never move, so that no insertion copies them.

/// Items of one chunk, and buckets of one segment.
const CHUNK: usize = 1024;

/// Where an item lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle(u32);

impl Handle {
    /// No item.
    pub(super) const NONE: Handle = Handle(u32::MAX);
}

/// What a table can hold.
pub(super) trait Item {
    /// The hash of its key: one that a neighbour cannot foresee.
    fn hash(&self) -> u32;
    /// The next of its chain.
    fn next(&self) -> Handle;
    /// Puts another behind it.
    fn set_next(&mut self, next: Handle);
}

/// Items found by hash.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: Vec<Vec<T>>,
    /// The first item that was taken out; the others are chained behind it.
    vacant: Handle,
    /// The first item of each bucket.
    segments: Vec<Box<[Handle; CHUNK]>>,
    buckets: usize,
    items: usize,
    /// Items looked at so far.
    #[cfg(test)]
    pub(super) looked_at: std::cell::Cell<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            chunks: Vec::new(),
            vacant: Handle::NONE,
            segments: Vec::new(),
            buckets: 0,
            items: 0,
            #[cfg(test)]
            looked_at: std::cell::Cell::default(),
        }
    }
}

impl<T: Item> Table<T> {
    /// Octets of memory that the next insertion takes at most.
    pub(super) fn next_octets(&self) -> usize {
        let room = self.vacant != Handle::NONE || self.chunks.last().is_some_and(|chunk| chunk.len() < CHUNK);
        let bucket = self.buckets < self.segments.len() * CHUNK;
        (if room { 0 } else { size_of::<T>() * CHUNK })
            + (if bucket { 0 } else { size_of::<Handle>() * CHUNK })
    }

    /// Octets of memory that it takes, without what its items point to.
    pub(super) fn octets(&self) -> usize {
        (self.chunks.len() * size_of::<T>() + self.segments.len() * size_of::<Handle>()) * CHUNK
    }

    /// Buckets so far; each holds about one item.
    pub(super) fn buckets(&self) -> usize {
        self.buckets
    }

    /// The item.
    pub(super) fn get(&self, handle: Handle) -> Option<&T> {
        #[cfg(test)]
        self.looked_at.set(self.looked_at.get() + 1);
        let at = usize::try_from(handle.0).ok()?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The item, to be changed.
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let at = usize::try_from(handle.0).ok()?;
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// Everything that may have that hash, and more.
    pub(super) fn chain(&self, hash: u32) -> impl Iterator<Item = (Handle, &T)> {
        self.follow(self.head(self.bucket_of(hash)))
    }

    /// Everything in one bucket.
    pub(super) fn bucket(&self, bucket: usize) -> impl Iterator<Item = (Handle, &T)> {
        self.follow(self.head(bucket))
    }

    /// Puts an item in.
    pub(super) fn insert(&mut self, mut item: T) -> Handle {
        self.grow();
        let bucket = self.bucket_of(item.hash());
        item.set_next(self.head(bucket));
        let handle = self.place(item);
        self.set_head(bucket, handle);
        self.items += 1;
        handle
    }

    /// Takes an item out of its chain. What it held stays in its place until another item takes it.
    pub(super) fn remove(&mut self, handle: Handle) {
        let Some((hash, next)) = self.get(handle).map(|item| (item.hash(), item.next())) else { return };
        let bucket = self.bucket_of(hash);
        let before = self.follow(self.head(bucket)).find(|(_, item)| item.next() == handle);
        match before.map(|(before, _)| before) {
            Some(before) => self.link(before, next),
            None if self.head(bucket) == handle => self.set_head(bucket, next),
            None => return,
        }
        self.link(handle, self.vacant);
        self.vacant = handle;
        self.items -= 1;
    }

    /// Takes every item out at once. The chunks are handed out: to free what items point to takes time.
    pub(super) fn clear(&mut self) -> Vec<Vec<T>> {
        std::mem::take(self).chunks
    }

    fn follow(&self, mut at: Handle) -> impl Iterator<Item = (Handle, &T)> {
        std::iter::from_fn(move || {
            let (handle, item) = (at, self.get(at)?);
            at = item.next();
            Some((handle, item))
        })
    }

    /// Adds a bucket once there are as many items as buckets, and shares out the one that it splits.
    fn grow(&mut self) {
        if self.items < self.buckets {
            return;
        }
        let new = self.buckets;
        if new == self.segments.len() * CHUNK {
            self.segments.push(Box::new([Handle::NONE; CHUNK]));
        }
        self.buckets += 1;
        if new == 0 {
            return;
        }
        let split = new - (1 << new.ilog2());
        let (mut stay, mut moved) = (Handle::NONE, Handle::NONE);
        let mut at = self.head(split);
        while let Some((hash, next)) = self.get(at).map(|item| (item.hash(), item.next())) {
            let chain = if self.bucket_of(hash) == new { &mut moved } else { &mut stay };
            self.link(at, std::mem::replace(chain, at));
            at = next;
        }
        self.set_head(split, stay);
        self.set_head(new, moved);
    }

    /// The bucket of a hash: as many low bits as the buckets have, one less for a bucket that is not there yet.
    fn bucket_of(&self, hash: u32) -> usize {
        let mask = self.buckets.next_power_of_two().max(1) - 1;
        let bucket = usize::try_from(hash).unwrap_or_default() & mask;
        if bucket < self.buckets { bucket } else { bucket & (mask >> 1) }
    }

    fn head(&self, bucket: usize) -> Handle {
        self.segments.get(bucket / CHUNK).map_or(Handle::NONE, |segment| segment[bucket % CHUNK])
    }

    fn set_head(&mut self, bucket: usize, handle: Handle) {
        if let Some(segment) = self.segments.get_mut(bucket / CHUNK) {
            segment[bucket % CHUNK] = handle;
        }
    }

    fn link(&mut self, handle: Handle, next: Handle) {
        if let Some(item) = self.get_mut(handle) {
            item.set_next(next);
        }
    }

    fn place(&mut self, item: T) -> Handle {
        let vacant = self.vacant;
        if let Some(place) = self.get_mut(vacant) {
            let next = place.next();
            *place = item;
            self.vacant = next;
            return vacant;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let (full, last) = (self.chunks.len() - 1, self.chunks.len() - 1);
        let chunk = &mut self.chunks[last];
        chunk.push(item);
        // A bound in octets keeps tables far below 2^32 items; one that did not would find nothing, not break.
        u32::try_from(full * CHUNK + chunk.len() - 1).map_or(Handle::NONE, Handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    struct Number(u64, Handle);

    impl Item for Number {
        fn hash(&self) -> u32 {
            hash(self.0)
        }
        fn next(&self) -> Handle {
            self.1
        }
        fn set_next(&mut self, next: Handle) {
            self.1 = next;
        }
    }

    fn hash(number: u64) -> u32 {
        let mut hasher = DefaultHasher::new();
        number.hash(&mut hasher);
        hasher.finish() as u32
    }

    fn insert(table: &mut Table<Number>, number: u64) {
        table.insert(Number(number, Handle::NONE));
    }

    fn find(table: &Table<Number>, number: u64) -> Option<Handle> {
        table.chain(hash(number)).find(|(_, item)| item.0 == number).map(|(handle, _)| handle)
    }

    /// A doubling table would look at all of its items in one of these insertions.
    #[test]
    fn no_insertion_looks_at_more_than_a_few_items() {
        let mut table = Table::default();
        let mut most = 0;
        for number in 0..300_000 {
            let before = table.looked_at.get();
            insert(&mut table, number);
            most = most.max(table.looked_at.get() - before);
        }
        assert!((2..40).contains(&most), "{most}");
        assert!((0..300_000).all(|number| find(&table, number).is_some()));
    }

    #[test]
    fn places_of_removed_items_are_used_again() {
        let mut table = Table::default();
        (0..5000).for_each(|number| insert(&mut table, number));
        let octets = table.octets();
        for round in 1..10 {
            for number in 0..5000 {
                let gone = (round - 1) * 5000 + number;
                let handle = find(&table, gone).unwrap();
                table.remove(handle);
                assert_eq!(find(&table, gone), None);
                insert(&mut table, round * 5000 + number);
            }
        }
        assert_eq!(table.octets(), octets);
        assert!((45_000..50_000).all(|number| find(&table, number).is_some()));
    }

    #[test]
    fn what_an_insertion_takes_was_foretold() {
        let mut table = Table::default();
        for number in 0..5000 {
            let most = table.octets() + table.next_octets();
            insert(&mut table, number);
            assert!(table.octets() <= most);
        }
    }

    #[test]
    fn every_item_is_in_one_bucket() {
        let mut table = Table::default();
        (0..3000).for_each(|number| insert(&mut table, number));
        let mut seen: Vec<u64> =
            (0..table.buckets()).flat_map(|bucket| table.bucket(bucket)).map(|(_, item)| item.0).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3000).collect::<Vec<_>>());
    }
}
