//! A fleet to play with: London, which is site 1, and three others. Each owns one flow of each family.

use continuity::{Filter, Flow, Key, KeyId, KeyRing, Pace, Paces, Settings, Site, SiteNumber, State};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

pub(crate) const PORT: u16 = 9057;

pub(crate) fn number(number: u8) -> SiteNumber {
    number.try_into().unwrap()
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Where the site with a number takes packets: Tokyo, which is site 3, over IPv6.
pub(crate) fn site_address(site: u8) -> IpAddr {
    match site {
        3 => address("2001:db8:3::10"),
        _ => address(&format!("10.{site}.0.10")),
    }
}

pub(crate) const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];

/// The service over a family.
pub(crate) fn service(family: &str) -> SocketAddr {
    SocketAddr::new(address(if family == "IPv4" { "198.18.0.53" } else { "2001:db8:53::53" }), 53)
}

/// The client whose flow a site has; each is in a prefix of its own.
pub(crate) fn client(family: &str, site: u8) -> SocketAddr {
    let text = if family == "IPv4" { format!("203.0.{site}.7") } else { format!("2001:db8:c{site:02}::7") };
    SocketAddr::new(address(&text), 40_000 + u16::from(site))
}

pub(crate) fn flow(family: &str, site: u8) -> Flow {
    Flow::new(client(family, site), service(family))
}

pub(crate) fn key(octet: u8) -> Key {
    Key::new([octet; 16])
}

/// So slow that a test never earns anything, and so many at first.
pub(crate) fn pace(burst: u32) -> Pace {
    Pace { interval: Duration::from_secs(3600), burst }
}

/// A site that says it owns the flows of these sites.
pub(crate) fn site(number: u8, owners: &[u8], state: State) -> Site {
    let mut filter = Filter::with_room_for(200);
    for (family, owner) in
        FAMILIES.into_iter().flat_map(|family| owners.iter().map(move |owner| (family, owner)))
    {
        filter.insert(&flow(family, *owner), &key(9));
    }
    Site { address: site_address(number), state, filter: Some(filter.into()) }
}

/// What London is told: Paris (2) and Tokyo (3) are alive, Oslo (4) is dead; key 1 is in use and key 2 is known already.
pub(crate) fn london() -> Settings {
    let mut keys = KeyRing::new(KeyId::ALL[1], key(1));
    keys.learn(KeyId::ALL[2], key(2));
    Settings {
        number: number(1),
        keys,
        filter_key: key(9),
        paces: Paces { claims: pace(100), guesses: pace(2), resets: pace(1) },
        source4: Some("10.1.0.10".parse().unwrap()),
        source6: Some("2001:db8:1::10".parse().unwrap()),
        port: NonZeroU16::new(PORT).unwrap(),
        mtu: 1500,
        relay: None,
        services: FAMILIES.map(|family| service(family).ip()).into(),
        sites: [
            (number(2), site(2, &[2], State::Alive)),
            (number(3), site(3, &[3], State::Alive)),
            (number(4), site(4, &[4], State::Dead)),
        ]
        .into(),
    }
}
