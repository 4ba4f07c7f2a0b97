//! A key that both ends of a session have.

use std::fmt;

/// The key of a signature (RFC 2385, RFC 5925), which the operators of both ends have agreed on. It shows itself to
/// nobody: it has no `Display`, cannot be serialised, and `{:?}` says only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedKey(Vec<u8>);

/// Why octets are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to {most} octets, this one has {0}", most = SharedKey::MOST)]
pub struct SharedKeyError(usize);

impl SharedKey {
    /// The longest key that Linux takes, octets (`TCP_MD5SIG_MAXKEYLEN`, `TCP_AO_MAXKEYLEN`).
    pub const MOST: usize = 80;

    /// A key of these octets.
    pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, SharedKeyError> {
        let octets = octets.into();
        if (1..=Self::MOST).contains(&octets.len()) {
            Ok(SharedKey(octets))
        } else {
            Err(SharedKeyError(octets.len()))
        }
    }

    /// The octets, for the system call that needs them.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_long_as_the_kernel_takes_and_never_shown() {
        assert_eq!(SharedKey::new("").unwrap_err().to_string(), "a key has 1 to 80 octets, this one has 0");
        assert!(SharedKey::new("k".repeat(80)).is_ok());
        assert!(SharedKey::new("k".repeat(81)).is_err());
        let key = SharedKey::new("swordfish").unwrap();
        assert_eq!(format!("{key:?} {:#?}", Some(&key)).matches("swordfish").count(), 0);
        assert_eq!(key.octets(), b"swordfish");
    }
}
