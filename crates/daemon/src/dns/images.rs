//! Zones of other servers on disk, so that a restart serves them at once and asks only for what has changed.
//!
//! When a primary said for the last time that a zone is right, is when its file was changed for the last time.

use ::dns::Zone;
use linux::file::{Mapping, replace};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use terms::{Authority, DomainName, ServiceName};
use transfer::Membership;

/// The file that says which zones are there because catalogs list them.
const MEMBERS: &str = "members";

/// The folder of the images of one service.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    folder: PathBuf,
}

/// A zone of an earlier process.
pub(super) struct Image {
    pub(super) zone: Zone,
    /// How long ago a primary had it for the last time. A clock that was set back makes it young.
    pub(super) age: Duration,
}

impl Images {
    /// Those of a service, in the state directory.
    pub(crate) fn new(state_dir: &Path, service: &ServiceName) -> Images {
        Images { folder: state_dir.join("zones").join(service.as_str()) }
    }

    /// The image of a zone; none when there is none that can be used: it comes again from a primary.
    pub(super) fn load(&self, apex: &DomainName) -> Option<Image> {
        let age = self.age(apex)?;
        let zone = Zone::from_image(Mapping::of(&self.path(apex)).ok()?).ok()?;
        (zone.apex() == apex).then_some(Image { zone, age })
    }

    /// How long ago a primary had the kept version for the last time.
    pub(super) fn age(&self, apex: &DomainName) -> Option<Duration> {
        age(&self.path(apex))
    }

    /// Writes a zone's image, and gives the zone as it lies on disk: the system may forget its pages and read them
    /// again, and there is no second copy.
    pub(super) fn keep(&self, zone: &Zone) -> io::Result<Zone> {
        fs::create_dir_all(&self.folder)?;
        let path = self.path(zone.apex());
        replace(&path, zone.image()).map_err(io::Error::other)?;
        let mapping = Mapping::of(&path).map_err(io::Error::other)?;
        Zone::from_image(mapping).map_err(io::Error::other)
    }

    /// Notes that a primary has just said that the kept version is right.
    pub(super) fn confirm(&self, apex: &DomainName) -> io::Result<()> {
        File::open(self.path(apex))?.set_modified(SystemTime::now())
    }

    /// Removes images of other zones than these, once they are too old to be served: until then, a reload that takes a
    /// zone back finds it as it was.
    pub(super) fn sweep<'a>(&self, wanted: impl Iterator<Item = &'a DomainName>) {
        let wanted: BTreeSet<PathBuf> = wanted.map(|apex| self.path(apex)).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_image = path.extension().is_some_and(|extension| extension == "image");
            if is_image && !wanted.contains(&path) && is_over(&path) {
                // What cannot be removed takes room, and nothing else.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Throws a zone's image away, if there is one.
    pub(super) fn forget(&self, apex: &DomainName) {
        // One that cannot be removed is replaced by what comes from a primary.
        let _ = fs::remove_file(self.path(apex));
    }

    /// Which zones were there for a catalog. None where that cannot be read: catalogs list them again.
    pub(super) fn members(&self) -> Membership {
        let text = fs::read_to_string(self.folder.join(MEMBERS)).unwrap_or_default();
        Membership::parse(&text).unwrap_or_default()
    }

    /// Notes which zones are there for a catalog.
    pub(super) fn keep_members(&self, membership: &Membership) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder.join(MEMBERS), membership.text().as_bytes()).map_err(io::Error::other)
    }

    /// A name may have any octet, a file may not: what is not plain stands as `%` and two digits.
    fn path(&self, apex: &DomainName) -> PathBuf {
        let mut name = String::new();
        for label in apex.labels() {
            for octet in label.to_ascii_lowercase() {
                match octet {
                    b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(octet)),
                    // Writing to a String cannot fail.
                    _ => _ = write!(name, "%{octet:02x}"),
                }
            }
            name.push('.');
        }
        self.folder.join(format!("{}.image", if name.is_empty() { "@" } else { name.trim_end_matches('.') }))
    }
}

impl Image {
    /// Whether no primary has had it for as long as it may be served (RFC 1035 section 3.3.13).
    pub(super) fn is_expired(&self) -> bool {
        let authority = self.zone.authority().and_then(|authority| Authority::of(&authority.data));
        authority.is_none_or(|authority| self.age >= Duration::from_secs(u64::from(authority.expire)))
    }
}

/// Whether an image is of no use any more.
fn is_over(path: &Path) -> bool {
    let image = Mapping::of(path).ok().and_then(|mapping| Zone::from_image(mapping).ok());
    image.zip(age(path)).is_none_or(|(zone, age)| Image { zone, age }.is_expired())
}

/// How long ago a file was changed last.
fn age(path: &Path) -> Option<Duration> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(SystemTime::now().duration_since(changed).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::dns::zone;

    #[test]
    fn what_is_kept_is_found_and_has_an_age() {
        let state = tempfile::tempdir().unwrap();
        let images = Images::new(state.path(), &"dns".parse().unwrap());
        let text = "$ORIGIN Ex\\047ample.\n@ 60 SOA ns.a. h.a. 7 3600 900 604800 300\n@ NS ns.a.\n";
        let zone = zone::parse(text).unwrap();
        assert!(images.load(zone.apex()).is_none());
        assert_eq!(images.keep(&zone).unwrap().serial(), 7);
        let hour = Duration::from_secs(3600);
        let file = File::open(images.path(zone.apex())).unwrap();
        file.set_modified(SystemTime::now() - hour).unwrap();
        assert!(images.load(zone.apex()).unwrap().age >= hour);
        images.confirm(zone.apex()).unwrap();
        assert!(images.load(zone.apex()).unwrap().age < hour);
        assert!(images.path(zone.apex()).ends_with("zones/dns/ex%2fample.image"));
        assert!(images.path(&DomainName::root()).ends_with("zones/dns/@.image"));
    }

    #[test]
    fn what_nobody_asks_for_any_more_is_kept_until_it_is_too_old() {
        let state = tempfile::tempdir().unwrap();
        let images = Images::new(state.path(), &"dns".parse().unwrap());
        images.sweep(std::iter::empty());
        for name in ["wanted", "left", "old"] {
            let text = format!("$ORIGIN {name}.\n@ 60 SOA ns.b. h.b. 7 3600 900 604800 300\n@ NS ns.b.\n");
            images.keep(&zone::parse(&text).unwrap()).unwrap();
        }
        let [wanted, left, old] =
            ["wanted.", "left.", "old."].map(|name| name.parse::<DomainName>().unwrap());
        fs::write(images.folder.join("damaged.image"), "no image").unwrap();
        fs::write(images.folder.join("notes"), "somebody else's").unwrap();
        for apex in [&wanted, &old] {
            let file = File::open(images.path(apex)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(604_800)).unwrap();
        }
        images.sweep([&wanted].into_iter());
        let is_there = |path: PathBuf| path.exists();
        assert!(
            is_there(images.path(&wanted)) && is_there(images.path(&left)) && !is_there(images.path(&old))
        );
        assert!(!is_there(images.folder.join("damaged.image")) && is_there(images.folder.join("notes")));
    }

    #[test]
    fn a_damaged_image_is_none() {
        let state = tempfile::tempdir().unwrap();
        let images = Images::new(state.path(), &"dns".parse().unwrap());
        let zone =
            zone::parse("$ORIGIN a.\n@ 60 SOA ns.b. h.b. 7 3600 900 604800 300\n@ NS ns.b.\n").unwrap();
        images.keep(&zone).unwrap();
        let mut octets = fs::read(images.path(zone.apex())).unwrap();
        *octets.last_mut().unwrap() ^= 1;
        fs::write(images.path(zone.apex()), octets).unwrap();
        assert!(images.load(zone.apex()).is_none());
    }
}
