//! Where in a store a value lies.

use std::fmt;
use std::str::FromStr;

/// Names joined by `/`, such as `groups/dns`: never empty, no leading or closing slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) String);

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or longer than [`Key::LONGEST`].
    #[error("a key has 1 to {most} characters, this one has {0}", most = Key::LONGEST)]
    Length(usize),
    /// A part between slashes that is empty or has a character that keys do not have.
    #[error("each part of a key is made of a-z, 0-9, `-`, `.` and `_`; `{0}` is not")]
    Part(String),
}

impl Key {
    /// Longest key, characters.
    pub const LONGEST: usize = 255;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of this key below `prefix`; none if it lies elsewhere.
    pub fn below(&self, prefix: &Key) -> Option<&str> {
        self.0.strip_prefix(prefix.as_str())?.strip_prefix('/')
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > Key::LONGEST {
            return Err(KeyError::Length(text.chars().count()));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
        match text.split('/').find(|part| part.is_empty() || !part.chars().all(allowed)) {
            Some(part) => Err(KeyError::Part(part.to_owned())),
            None => Ok(Key(text.to_owned())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_names_joined_by_slashes() {
        let key: Key = "sites/london/lon-1".parse().unwrap();
        assert_eq!(key.below(&"sites".parse().unwrap()), Some("london/lon-1"));
        assert_eq!(key.below(&"sites/lon".parse().unwrap()), None, "half a name is no prefix");
        for wrong in ["", "/", "a//b", "/a", "a/", "A", "a b", "a\0", &"x".repeat(256)] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
    }
}
