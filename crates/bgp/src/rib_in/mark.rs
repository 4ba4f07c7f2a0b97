//! What is to be said about a route that was heard. Nothing is done about it: no route that is heard is used.

use crate::wire::attribute::PathAttributes;
use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{Asn, Community, Prefix};

/// Something to be said about a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// GRACEFUL_SHUTDOWN (RFC 8326): about to go, so the least preferred of all, as if its LOCAL_PREF were 0.
    GracefulShutdown,
    /// Our own network is in its path (RFC 4271 section 9.1.2).
    Looped,
    /// Its prefix is not for the public Internet (RFC 6890), or no unicast.
    Martian,
}

impl Mark {
    /// Every mark there is.
    pub const ALL: [Mark; 3] = [Mark::GracefulShutdown, Mark::Looped, Mark::Martian];

    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Mark::GracefulShutdown => "graceful-shutdown",
            Mark::Looped => "looped",
            Mark::Martian => "martian",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The marks of one route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// See [`Mark::GracefulShutdown`].
    pub graceful_shutdown: bool,
    /// See [`Mark::Looped`].
    pub looped: bool,
    /// See [`Mark::Martian`].
    pub martian: bool,
}

impl Marks {
    /// What the attributes say, whatever the prefix.
    pub fn of(attributes: &PathAttributes, local_asn: Asn) -> Self {
        Marks {
            graceful_shutdown: attributes.communities.contains(&Community::GRACEFUL_SHUTDOWN),
            looped: attributes.as_path.iter().flat_map(|path| path.networks()).any(|asn| asn == local_asn),
            martian: false,
        }
    }

    /// With what the prefix says.
    pub fn with_prefix(self, prefix: Prefix) -> Self {
        Marks { martian: is_martian(prefix), ..self }
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        let marks = [
            (Mark::GracefulShutdown, self.graceful_shutdown),
            (Mark::Looped, self.looped),
            (Mark::Martian, self.martian),
        ];
        marks.into_iter().filter(|(_, there)| *there).map(|(mark, _)| mark)
    }
}

/// Blocks that the public Internet does not route: address as a number of its leading octets, and length. From the
/// IANA registries of special-purpose addresses (RFC 6890), multicast and the reserved rest.
const MARTIANS_V4: [(u32, u8); 14] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc000_0200, 24),
    (0xc0a8_0000, 16),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
    (0xe000_0000, 4),
    (0xf000_0000, 4),
];

/// As [`MARTIANS_V4`], the first 64 bits of the address.
const MARTIANS_V6: [(u64, u8); 8] = [
    (0x0000_0000_0000_0000, 8),
    (0x0100_0000_0000_0000, 64),
    (0x2001_0002_0000_0000, 48),
    (0x2001_0db8_0000_0000, 32),
    (0xfc00_0000_0000_0000, 7),
    (0xfe80_0000_0000_0000, 10),
    (0xfec0_0000_0000_0000, 10),
    (0xff00_0000_0000_0000, 8),
];

/// Whether the public Internet does not route the prefix. The default route is no martian.
fn is_martian(prefix: Prefix) -> bool {
    let length = prefix.length();
    match prefix.address() {
        std::net::IpAddr::V4(address) => {
            let bits = u32::from(address);
            MARTIANS_V4.iter().any(|&(block, least)| length >= least && (bits ^ block) >> (32 - least) == 0)
        }
        std::net::IpAddr::V6(address) => {
            let bits = (u128::from(address) >> 64) as u64;
            MARTIANS_V6.iter().any(|&(block, least)| length >= least && (bits ^ block) >> (64 - least) == 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn martians_and_their_neighbours() {
        let martian = |text: &str| is_martian(text.parse().unwrap());
        for yes in [
            "10.0.0.0/8",
            "10.9.8.0/24",
            "192.168.1.0/24",
            "172.31.0.0/16",
            "100.127.0.0/16",
            "240.0.0.0/4",
            "224.0.0.0/24",
            "198.19.0.0/16",
            "fe80::/10",
            "fd00::/8",
            "2001:db8:1::/48",
            "ff02::/16",
            "::/8",
        ] {
            assert!(martian(yes), "{yes}");
        }
        for no in [
            "0.0.0.0/0",
            "::/0",
            "1.0.0.0/24",
            "172.32.0.0/16",
            "100.128.0.0/16",
            "198.20.0.0/16",
            "8.0.0.0/7",
            "192.0.1.0/24",
            "2001:500::/32",
            "2a00::/12",
            "2001:db8::/31",
            "fb00::/8",
        ] {
            assert!(!martian(no), "{no}");
        }
    }
}
