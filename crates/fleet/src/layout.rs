//! Where in a store what lies.
//!
//! | key | holds |
//! |---|---|
//! | `v1/groups/GROUP` | the record of the permit protocol |
//! | `v1/hosts/SITE/HOST` | what a host says of itself, while its lease lives |
//! | `v1/cookies` | the secrets of the fleet's DNS cookies |
//! | `continuity/v1/keys` | the keys of the tunnel between sites, and of their flow filters |
//! | `continuity/v1/hosts/SITE/HOST` | the connections of a host, while its lease lives |
//! | `memories` | on one machine: what its groups remember |
//! | `orders` | on one machine: what operators have ordered there |
//! | `blackholes` | on one machine: what its peers are to drop |
//! | `cookies` | on one machine: the secrets of its DNS cookies |

use crate::Key;
use announce::permit::Speaker;
use terms::GroupName;

/// Everything that sites share lies below it. A store with another form has another first part.
const ROOT: &str = "v1";

/// See [`Key::continuity`].
const CONTINUITY: &str = "continuity/v1";

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

    /// Above everything that is said of connections. It lies apart from the rest, because it changes every second, and
    /// whoever waits for a permit shall not have to hear it.
    pub fn continuity() -> Key {
        Key(CONTINUITY.to_owned())
    }

    /// The keys of the tunnel between sites.
    pub fn continuity_keys() -> Key {
        Key(format!("{CONTINUITY}/keys"))
    }

    /// The connections of one host.
    pub fn continuity_host(speaker: &Speaker) -> Key {
        Key(format!("{CONTINUITY}/hosts/{}/{}", speaker.site, speaker.host))
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

    /// Where programs are pinned on one machine that forward packets of moved connections.
    pub fn pinned() -> Key {
        Key("pinned".to_owned())
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
        self.speaker_below(&Key::root())
    }

    /// Whose connections lie here.
    pub fn as_continuity_host(&self) -> Option<Speaker> {
        self.speaker_below(&Key::continuity())
    }

    fn speaker_below(&self, root: &Key) -> Option<Speaker> {
        let (site, host) = self.below(root)?.strip_prefix("hosts/")?.split_once('/')?;
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
        let moved = Key::continuity_host(&speaker);
        assert_eq!((host.as_host(), host.as_group()), (Some(speaker), None));
        assert_eq!((group.as_host(), group.as_group()), (None, Some(name)));
        assert_eq!((moved.as_continuity_host().is_some(), moved.as_host()), (true, None));
        assert_eq!(Key::continuity_keys().as_continuity_host(), None);
        let alone = [
            Key::memories(),
            Key::orders(),
            Key::blackholes(),
            Key::cookies(),
            Key::shared_cookies(),
            Key::continuity(),
            Key::continuity_keys(),
        ];
        for key in [host, group, moved, Key::root(), Key::groups()].into_iter().chain(alone) {
            assert_eq!(key.as_str().parse(), Ok(key), "it is what a key is");
        }
        for strange in ["v1/hosts/london", "v1/hosts/london/a/b", "v2/hosts/london/a", "v1/groups/a/b"] {
            let strange: Key = strange.parse().unwrap();
            assert_eq!((strange.as_host(), strange.as_group()), (None, None), "{strange}");
        }
    }
}
