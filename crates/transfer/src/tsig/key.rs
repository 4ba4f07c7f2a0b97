//! Keys, as operators of both ends have agreed on them.

use ring::hmac;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use terms::{DomainName, SharedKey};

/// How signatures are made (RFC 8945 section 6). MD5 is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// For peers that know no other.
    HmacSha1,
    /// What everybody has to know.
    HmacSha256,
    /// HMAC-SHA-384.
    HmacSha384,
    /// HMAC-SHA-512.
    HmacSha512,
}

impl Algorithm {
    /// All of them, by the names that site files use.
    pub const ALL: [(&'static str, Algorithm); 4] = [
        ("hmac-sha1", Algorithm::HmacSha1),
        ("hmac-sha256", Algorithm::HmacSha256),
        ("hmac-sha384", Algorithm::HmacSha384),
        ("hmac-sha512", Algorithm::HmacSha512),
    ];

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Algorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::HmacSha256 => hmac::HMAC_SHA256,
            Algorithm::HmacSha384 => hmac::HMAC_SHA384,
            Algorithm::HmacSha512 => hmac::HMAC_SHA512,
        }
    }

    /// Octets of a signature.
    pub(super) fn octets(self) -> usize {
        self.hmac().digest_algorithm().output_len()
    }

    /// The name on the wire.
    pub(super) fn wire(self) -> &'static [u8] {
        match self {
            Algorithm::HmacSha1 => b"\x09hmac-sha1\0",
            Algorithm::HmacSha256 => b"\x0bhmac-sha256\0",
            Algorithm::HmacSha384 => b"\x0bhmac-sha384\0",
            Algorithm::HmacSha512 => b"\x0bhmac-sha512\0",
        }
    }
}

/// A key with its name and algorithm, which belong together. It shows its secret to nobody.
#[derive(Clone)]
pub struct Key {
    name: DomainName,
    algorithm: Algorithm,
    secret: hmac::Key,
    /// To compare two keys after a reload.
    written: SharedKey,
}

impl Key {
    /// A key of this secret.
    pub fn new(name: DomainName, algorithm: Algorithm, secret: SharedKey) -> Key {
        Key { name, algorithm, secret: hmac::Key::new(algorithm.hmac(), secret.octets()), written: secret }
    }

    /// What both ends call it.
    pub fn name(&self) -> &DomainName {
        &self.name
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn context(&self) -> hmac::Context {
        hmac::Context::with_key(&self.secret)
    }

    /// Whether a signature is the expected one; how long that takes does not depend on where they differ.
    pub(super) fn is_equal(&self, expected: hmac::Tag, given: &[u8]) -> bool {
        // Signed again, both can be compared by the library, which lets nobody else compare.
        hmac::verify(&self.secret, given, hmac::sign(&self.secret, expected.as_ref()).as_ref()).is_ok()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.algorithm, &self.written) == (&other.name, other.algorithm, &other.written)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, hidden)", self.name)
    }
}

/// The keys of a server, by their names.
pub type Keys = BTreeMap<DomainName, Arc<Key>>;
