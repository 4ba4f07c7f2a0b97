//! Keys that the sites of a fleet share, and their succession.

use siphasher::sip::SipHasher24;
use std::fmt;

/// A key for SipHash-2-4: whoever does not have it can neither make a tag nor choose flows that a filter answers for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// The key with these octets.
    pub fn new(octets: [u8; 16]) -> Self {
        Key(octets)
    }

    /// Its octets, to be shared with the kernel only.
    pub fn octets(&self) -> [u8; 16] {
        self.0
    }

    /// SipHash-2-4 of the octets.
    pub fn hash(&self, octets: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(octets)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// Which key a tag was made with, two bits: a site that has the next key already, and one that has the last one still,
/// understand each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u8);

impl KeyId {
    /// All of them, in their order.
    pub const ALL: [KeyId; 4] = [KeyId(0), KeyId(1), KeyId(2), KeyId(3)];

    /// The number itself, 0 to 3.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The one that follows; after the last comes the first.
    #[must_use]
    pub fn next(self) -> KeyId {
        KeyId((self.0 + 1) % 4)
    }

    /// The number in the low two bits; the others are not looked at.
    pub(crate) fn of_low_bits(bits: u32) -> Self {
        KeyId((bits & 3) as u8)
    }
}

/// The keys that a site knows: one that it makes tags with, and others that it checks tags with, too.
///
/// A key is changed in three steps, each of which may take its time: every site learns the next key; every site makes its
/// tags with it; every site forgets the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    sending: KeyId,
    keys: [Option<Key>; 4],
}

impl KeyRing {
    /// One key, for making and for checking.
    pub fn new(id: KeyId, key: Key) -> Self {
        let mut ring = KeyRing { sending: id, keys: [None; 4] };
        ring.keys[usize::from(id.0)] = Some(key);
        ring
    }

    /// The key with a name, if it is known.
    pub fn get(&self, id: KeyId) -> Option<Key> {
        self.keys[usize::from(id.0)]
    }

    /// Which key tags are made with.
    pub fn sending(&self) -> KeyId {
        self.sending
    }

    /// First step: tags that are made with this key are good from now on.
    pub fn learn(&mut self, id: KeyId, key: Key) {
        self.keys[usize::from(id.0)] = Some(key);
    }

    /// Second step: makes tags with a key that is known; says whether it is.
    pub fn send_with(&mut self, id: KeyId) -> bool {
        let is_known = self.get(id).is_some();
        if is_known {
            self.sending = id;
        }
        is_known
    }

    /// Third step: tags made with it are refused. The key that tags are made with stays.
    pub fn forget(&mut self, id: KeyId) {
        if id != self.sending {
            self.keys[usize::from(id.0)] = None;
        }
    }

    /// The ring after the next step: the key that follows is learned, then tags are made with it, then the one before is
    /// forgotten. `fresh` is the key to learn where that is the step. Every site may ask for the same step at the same
    /// time, as long as one of them is heard.
    #[must_use]
    pub fn advance(&self, fresh: Key) -> KeyRing {
        let mut ring = self.clone();
        let next = self.sending.next();
        let others = || KeyId::ALL.into_iter().filter(|id| *id != self.sending && *id != next);
        match (self.get(next), others().find(|id| self.get(*id).is_some())) {
            (_, Some(old)) => ring.forget(old),
            (Some(_), None) => _ = ring.send_with(next),
            (None, None) => ring.learn(next, fresh),
        }
        ring
    }

    /// Whether the next step begins a succession, as opposed to going on with one.
    pub fn is_settled(&self) -> bool {
        self.keys.iter().flatten().count() == 1
    }

    /// The tag of a shim's first word and the flow behind it.
    pub(crate) fn tag(&self, id: KeyId, octets: &[u8]) -> Option<u32> {
        self.get(id).map(|key| key.hash(octets) as u32)
    }
}
