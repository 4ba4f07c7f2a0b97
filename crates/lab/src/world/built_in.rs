//! The worlds that the program brings along.

use super::dozens::{DEFAULT_SEED, dozens};
use std::borrow::Cow;

/// The names of the worlds that the program brings along.
pub const BUILT_IN: [&str; 4] = ["earth", "tiny", "dozens", "dns-root"];

/// The file of a world that the program brings along.
pub fn built_in(name: &str) -> Option<Cow<'static, str>> {
    match name {
        "earth" => Some(include_str!("../../../../worlds/earth.toml").into()),
        "tiny" => Some(include_str!("../../../../worlds/tiny.toml").into()),
        "dns-root" => Some(include_str!("../../../../worlds/dns-root.toml").into()),
        "dozens" => Some(dozens(DEFAULT_SEED).into()),
        _ => None,
    }
}
