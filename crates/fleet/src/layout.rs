//! Where in a store what lies.
//!
//! | key | holds |
//! |---|---|
//! | `v1/groups/GROUP` | the record of the permit protocol |
//! | `v1/hosts/SITE/HOST` | what a host says of itself, while its lease lives |
//! | `v1/cookies` | the secrets of the fleet's DNS cookies |
//! | `memories` | on one machine: what its groups remember |
//! | `orders` | on one machine: what operators have ordered there |
//! | `blackholes` | on one machine: what its peers are to drop |
//! | `cookies` | on one machine: the secrets of its DNS cookies |

use crate::Key;
use announce::permit::Speaker;
use terms::GroupName;

/// Everything that sites share lies below it. A store with another form has another first part.
const ROOT: &str = "v1";

/// Names are what keys are made of, and three of the longest fit into one.
impl Key {
    /// Above everything that sites share.
    pub fn root() -> Key {
        Key(ROOT.to_owned())
    }

    /// Above the records.
    pub fn groups() -> Key {
        Key(format!("{ROOT}/groups"))
    }

    /// The record of one group.
    pub fn group(group: &GroupName) -> Key {
        Key(format!("{ROOT}/groups/{group}"))
    }

    /// What one host says of itself.
    pub fn host(speaker: &Speaker) -> Key {
        Key(format!("{ROOT}/hosts/{}/{}", speaker.site, speaker.host))
    }

    /// The secrets of the fleet's DNS cookies.
    pub fn shared_cookies() -> Key {
        Key(format!("{ROOT}/cookies"))
    }

    /// What the groups of one machine remember.
    pub fn memories() -> Key {
        Key("memories".to_owned())
    }

    /// What operators have ordered on one machine.
    pub fn orders() -> Key {
        Key("orders".to_owned())
    }

    /// What the peers of one machine are to drop.
    pub fn blackholes() -> Key {
        Key("blackholes".to_owned())
    }

    /// The secrets of one machine's DNS cookies.
    pub fn cookies() -> Key {
        Key("cookies".to_owned())
    }

    /// Whose record lies here.
    pub fn as_group(&self) -> Option<GroupName> {
        self.below(&Key::groups())?.parse().ok()
    }

    /// Who speaks here.
    pub fn as_host(&self) -> Option<Speaker> {
        let (site, host) = self.below(&Key::root())?.strip_prefix("hosts/")?.split_once('/')?;
        Some(Speaker { site: site.parse().ok()?, host: host.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_found_again() {
        let longest = "x".repeat(63);
        let speaker = Speaker { site: longest.parse().unwrap(), host: longest.parse().unwrap() };
        let name: GroupName = longest.parse().unwrap();
        let (host, group) = (Key::host(&speaker), Key::group(&name));
        assert_eq!((host.as_host(), host.as_group()), (Some(speaker), None));
        assert_eq!((group.as_host(), group.as_group()), (None, Some(name)));
        let alone = [Key::memories(), Key::orders(), Key::blackholes(), Key::cookies()];
        for key in [host, group, Key::root(), Key::groups(), Key::shared_cookies()].into_iter().chain(alone) {
            assert_eq!(key.as_str().parse(), Ok(key), "it is what a key is");
        }
        for strange in ["v1/hosts/london", "v1/hosts/london/a/b", "v2/hosts/london/a", "v1/groups/a/b"] {
            let strange: Key = strange.parse().unwrap();
            assert_eq!((strange.as_host(), strange.as_group()), (None, None), "{strange}");
        }
    }
}
