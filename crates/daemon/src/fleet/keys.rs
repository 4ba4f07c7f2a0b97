//! Where in the store what lies: `v1/groups/GROUP` holds a record, `v1/hosts/SITE/HOST` what a host says of itself.

use ::fleet::Key;
use announce::permit::Speaker;
use terms::GroupName;

/// Everything of ours lies below it. A store with another form has another first part.
const ROOT: &str = "v1";

/// Names are at most 63 characters of what keys are made of, so three of them always make a key.
#[expect(clippy::expect_used, reason = "see above")]
fn key(text: &str) -> Key {
    text.parse().expect("names make a key")
}

/// Everything.
pub(super) fn root() -> Key {
    key(ROOT)
}

/// Below it lie the records.
pub(super) fn groups() -> Key {
    key(&format!("{ROOT}/groups"))
}

/// The record of one group.
pub(super) fn group(group: &GroupName) -> Key {
    key(&format!("{ROOT}/groups/{group}"))
}

/// What one host says of itself.
pub(super) fn host(speaker: &Speaker) -> Key {
    key(&format!("{ROOT}/hosts/{}/{}", speaker.site, speaker.host))
}

/// Whose record lies there.
pub(super) fn group_of(key: &Key) -> Option<GroupName> {
    key.below(&groups())?.parse().ok()
}

/// Who speaks there.
pub(super) fn host_of(key: &Key) -> Option<Speaker> {
    let (site, host) = key.below(&root())?.strip_prefix("hosts/")?.split_once('/')?;
    Some(Speaker { site: site.parse().ok()?, host: host.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_found_again() {
        let longest = "x".repeat(63);
        let speaker = Speaker { site: longest.parse().unwrap(), host: longest.parse().unwrap() };
        assert_eq!(host_of(&host(&speaker)), Some(speaker.clone()));
        let name: GroupName = longest.parse().unwrap();
        assert_eq!(group_of(&group(&name)), Some(name.clone()));
        assert_eq!((host_of(&group(&name)), group_of(&host(&speaker))), (None, None));
        for strange in ["v1/hosts/london", "v1/hosts/london/a/b", "v2/hosts/london/a", "v1/groups/a/b"] {
            let strange = key(strange);
            assert_eq!((host_of(&strange), group_of(&strange)), (None, None), "{strange}");
        }
    }
}
