//! DNS cookies (RFC 7873), made so that every server of an anycast address accepts what another one made (RFC 9018).
//!
//! ```text
//!  the client's part 8 | version 1 | reserved 3 | time 4 | hash 8       24 octets of the COOKIE option
//!                                                           ^
//!        SipHash-2-4 of everything before it and the client's address, with a secret that all sites have
//! ```
//! A cookie says that its client receives what is sent to its address: nobody else can know it. It needs no memory.

mod keyring;

pub use keyring::Keyring;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use std::fmt;
use std::net::IpAddr;
use subtle::ConstantTimeEq;
use terms::WallTime;

/// Option code of a cookie (RFC 7873 section 4).
pub(crate) const OPTION_COOKIE: u16 = 10;
/// Octets that a client makes.
const CLIENT: usize = 8;
/// Octets that we make (RFC 9018 section 4).
const SERVER: usize = 16;
/// Octets that a server may have made (RFC 7873 section 4).
const SERVER_LENGTHS: std::ops::RangeInclusive<usize> = 8..=32;
/// The only version of RFC 9018.
const VERSION: u8 = 1;
/// How old a cookie may be, how old it is when a new one is given, and how far ahead the clock of another site may be;
/// seconds (RFC 9018 section 4.3).
const LIFETIME: i32 = 3600;
const RENEWED_AFTER: i32 = 1800;
const AHEAD: i32 = -300;

/// What cookies are made with: 128 random bits (RFC 9018 section 4.4).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Secret(pub [u8; 16]);

/// It is not shown: whoever knows it makes cookies.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A text is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has 32 hexadecimal digits")]
pub struct SecretError;

impl From<Secret> for String {
    fn from(secret: Secret) -> String {
        format!("{:032x}", u128::from_be_bytes(secret.0))
    }
}

impl TryFrom<String> for Secret {
    type Error = SecretError;

    fn try_from(text: String) -> Result<Self, SecretError> {
        let is_plain = text.len() == 32 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        let number = u128::from_str_radix(&text, 16).ok().filter(|_| is_plain).ok_or(SecretError)?;
        Ok(Secret(number.to_be_bytes()))
    }
}

/// The secrets of a moment (RFC 9018 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// What cookies are made with.
    pub active: Secret,
    /// What cookies will be made with: another site may do it already.
    pub staging: Option<Secret>,
    /// What cookies were made with until a short while ago.
    pub previous: Option<Secret>,
}

/// What the cookie of a query says about its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cookie {
    /// There is none.
    None,
    /// Only the client's part: it learns ours with the reply.
    First,
    /// It is ours: the client receives what is sent to its address.
    Good,
    /// It is not ours, too old, or another client's. A good one comes with the reply (RFC 7873 section 5.2.4).
    Bad,
}

impl Cookie {
    /// All that a query with a cookie may have.
    pub const ALL: [Cookie; 3] = [Cookie::First, Cookie::Good, Cookie::Bad];

    /// Its word in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Cookie::None => "none",
            Cookie::First => "first",
            Cookie::Good => "good",
            Cookie::Bad => "bad",
        }
    }
}

/// The cookie of a query, well-formed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    client: [u8; CLIENT],
    server: ServerPart,
}

#[derive(Clone, Copy, Debug)]
enum ServerPart {
    Missing,
    /// As long as ours.
    Ours([u8; SERVER]),
    /// Somebody else's.
    Foreign,
}

impl Presented {
    /// Reads the data of the option; none when its length is none that a cookie has (RFC 7873 section 5.2.2).
    pub(crate) fn of(data: &[u8]) -> Option<Presented> {
        let (client, server) = data.split_first_chunk()?;
        let server = match (<[u8; SERVER]>::try_from(server), server.len()) {
            (_, 0) => ServerPart::Missing,
            (Ok(server), _) => ServerPart::Ours(server),
            (Err(_), length) if SERVER_LENGTHS.contains(&length) => ServerPart::Foreign,
            (Err(_), _) => return None,
        };
        Some(Presented { client: *client, server })
    }
}

/// A whole cookie of ours as an option, ready to be sent.
pub(crate) type CookieOption = [u8; 4 + CLIENT + SERVER];

impl Secrets {
    /// A secret alone.
    pub fn new(active: Secret) -> Secrets {
        Secrets { active, staging: None, previous: None }
    }

    /// Judges a cookie, and gives the option that answers it.
    pub(crate) fn judge(
        &self,
        presented: Presented,
        client: IpAddr,
        now: WallTime,
    ) -> (Cookie, CookieOption) {
        let now = (now.0 / 1000) as u32; // in serial number arithmetic (RFC 9018 section 4.3)
        let (said, part) = match presented.server {
            ServerPart::Missing => (Cookie::First, None),
            ServerPart::Foreign => (Cookie::Bad, None),
            ServerPart::Ours(part) => match self.age(presented.client, part, client, now) {
                Some(age) => (Cookie::Good, age.is_fresh.then_some(part)),
                None => (Cookie::Bad, None),
            },
        };
        let part = part.unwrap_or_else(|| self.active.make(presented.client, [0; 3], now, client));
        (said, option(presented.client, part))
    }

    /// Whether a part of ours is good, and whether it stays as it is.
    fn age(&self, own: [u8; CLIENT], part: [u8; SERVER], client: IpAddr, now: u32) -> Option<Good> {
        let [VERSION, r0, r1, r2, t0, t1, t2, t3, ..] = part else { return None };
        let made = u32::from_be_bytes([t0, t1, t2, t3]);
        let age = now.wrapping_sub(made) as i32;
        if !(AHEAD..=LIFETIME).contains(&age) {
            return None;
        }
        // How long it takes to compare must not tell how much of a forged one is right.
        let is_by = |secret: Secret| bool::from(secret.make(own, [r0, r1, r2], made, client).ct_eq(&part));
        let lasts = is_by(self.active) || self.staging.is_some_and(is_by);
        let passes = lasts || self.previous.is_some_and(is_by);
        passes.then_some(Good { is_fresh: lasts && age <= RENEWED_AFTER })
    }
}

/// A cookie that is good.
struct Good {
    /// Whether it needs no new one yet.
    is_fresh: bool,
}

impl Secret {
    /// Our part of a cookie (RFC 9018 sections 4.1 to 4.4).
    fn make(self, own: [u8; CLIENT], reserved: [u8; 3], now: u32, client: IpAddr) -> [u8; SERVER] {
        let mut part = [0; SERVER];
        part[0] = VERSION;
        part[1..4].copy_from_slice(&reserved);
        part[4..8].copy_from_slice(&now.to_be_bytes());
        let mut input = [0; CLIENT + 8 + 16];
        input[..CLIENT].copy_from_slice(&own);
        input[CLIENT..16].copy_from_slice(&part[..8]);
        let length = match client {
            IpAddr::V4(address) => {
                input[16..20].copy_from_slice(&address.octets());
                20
            }
            IpAddr::V6(address) => {
                input[16..].copy_from_slice(&address.octets());
                32
            }
        };
        let hash = SipHasher24::new_with_key(&self.0).hash(&input[..length]);
        part[8..].copy_from_slice(&hash.to_le_bytes());
        part
    }
}

fn option(own: [u8; CLIENT], part: [u8; SERVER]) -> CookieOption {
    let mut option = [0; 4 + CLIENT + SERVER];
    option[..2].copy_from_slice(&OPTION_COOKIE.to_be_bytes());
    option[2..4].copy_from_slice(&((CLIENT + SERVER) as u16).to_be_bytes());
    option[4..12].copy_from_slice(&own);
    option[12..].copy_from_slice(&part);
    option
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The secrets of RFC 9018 appendix A.
    const SECRET: u128 = 0xe5e973e5a6b2a43f48e7dc849e37bfcf;
    const OLD: u128 = 0xdd3bdf9344b678b185a6f5cb60fca715;
    const NEW: u128 = 0x445536bcd2513298075a5d379663c962;

    fn secret(of: u128) -> Secret {
        Secret(of.to_be_bytes())
    }

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn judge(secrets: &Secrets, cookie: &[u8], client: &str, now: u64) -> (Cookie, Vec<u8>) {
        let presented = Presented::of(cookie).unwrap();
        let (said, option) = secrets.judge(presented, client.parse().unwrap(), WallTime(now * 1000));
        assert_eq!(option[..4], [0, 10, 0, 24]);
        (said, option[4..].to_vec())
    }

    #[test]
    fn the_examples_of_rfc_9018() {
        let secrets = Secrets::new(secret(SECRET));
        let ours = "198.51.100.100";
        // A.1 and A.2: learning a cookie, and a new one after 40 minutes.
        let first = octets("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        assert_eq!(judge(&secrets, &first[..8], ours, 1_559_731_985), (Cookie::First, first.clone()));
        let renewed = octets("2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
        assert_eq!(judge(&secrets, &first, ours, 1_559_734_385), (Cookie::Good, renewed));
        // A.3: reserved octets that are not zero are hashed as they came. In the example it is older than an hour.
        let strange = octets("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
        let other = "203.0.113.203";
        let renewed = octets("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
        assert_eq!(judge(&secrets, &strange, other, 1_559_734_700), (Cookie::Bad, renewed));
        assert_eq!(judge(&secrets, &strange, other, 1_559_727_985), (Cookie::Good, strange));
        // A.4: IPv6, and a secret that has become the previous one.
        let rolled = Secrets { previous: Some(secret(OLD)), ..Secrets::new(secret(NEW)) };
        let before = octets("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
        let after = octets("22681ab97d52c298010000005cf7c609a6bb79d16625507a");
        let client = "2001:db8:220:1:59de:d0f4:8769:82b8";
        assert_eq!(judge(&rolled, &before, client, 1_559_741_961), (Cookie::Good, after));
    }

    #[test]
    fn a_cookie_has_its_time() {
        let secrets = Secrets::new(secret(SECRET));
        // The time of a cookie has 32 bits, and what is left of them is compared (RFC 1982).
        for made in [1_559_731_985, u64::from(u32::MAX) - 100, u64::from(u32::MAX) + 100] {
            let (_, cookie) = judge(&secrets, &[7; 8], "192.0.2.1", made);
            let at = |now: u64| {
                let (said, given) = judge(&secrets, &cookie, "192.0.2.1", now);
                (said, given == cookie)
            };
            assert_eq!(at(made - 301), (Cookie::Bad, false));
            assert_eq!(at(made - 300), (Cookie::Good, true));
            assert_eq!(at(made + 1800), (Cookie::Good, true));
            assert_eq!(at(made + 1801), (Cookie::Good, false));
            assert_eq!(at(made + 3600), (Cookie::Good, false));
            assert_eq!(at(made + 3601), (Cookie::Bad, false));
        }
    }

    #[test]
    fn lengths_of_rfc_7873() {
        let well_formed: Vec<usize> =
            (0..100).filter(|&length| Presented::of(&vec![1; length]).is_some()).collect();
        let expected: Vec<usize> = [8].into_iter().chain(16..=40).collect();
        assert_eq!(well_formed, expected);
    }

    #[test]
    fn every_stage_of_a_rollover_accepts_what_the_stages_beside_it_made() {
        let (old, new) = (secret(OLD), secret(NEW));
        let stages = [
            Secrets::new(old),
            Secrets { staging: Some(new), ..Secrets::new(old) },
            Secrets { previous: Some(old), ..Secrets::new(new) },
            Secrets::new(new),
        ];
        let (now, client) = (1_559_731_985, "2001:db8::1");
        for pair in stages.windows(2) {
            for (makes, judges) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                let (_, cookie) = judge(makes, &[7; 8], client, now);
                let (said, given) = judge(judges, &cookie, client, now + 1);
                // The last two differ only once every cookie of the old secret is too old.
                assert_eq!(said, Cookie::Good, "{makes:?} {judges:?}");
                assert_eq!(
                    given == cookie,
                    judges.previous != Some(makes.active),
                    "what is on its way out is renewed"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn only_the_client_itself_has_a_good_cookie(
            own: [u8; 8], client: IpAddr, key: [u8; 16], now in 4_000..10_000_000_000u64, flipped in 0..24usize * 8
        ) {
            let secrets = Secrets::new(Secret(key));
            let text = client.to_string();
            let (said, cookie) = judge(&secrets, &own, &text, now);
            prop_assert_eq!(said, Cookie::First);
            prop_assert_eq!(judge(&secrets, &cookie, &text, now), (Cookie::Good, cookie.clone()));
            let mut bent = cookie.clone();
            bent[flipped / 8] ^= 1 << (flipped % 8);
            prop_assert_eq!(judge(&secrets, &bent, &text, now).0, Cookie::Bad);
            let elsewhere = if client.is_ipv4() { "2001:db8::99" } else { "192.0.2.99" };
            prop_assert_eq!(judge(&secrets, &cookie, elsewhere, now).0, Cookie::Bad);
            let others = Secrets::new(Secret(key.map(|octet| !octet)));
            prop_assert_eq!(judge(&others, &cookie, &text, now).0, Cookie::Bad);
        }
    }
}
