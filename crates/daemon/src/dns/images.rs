//! Zones of other servers on disk, so that a restart serves them at once and asks only for what has changed; and what
//! changed last in every zone, so that others need to ask for no more either.
//!
//! When a primary said for the last time that a zone is right, is when its file was changed for the last time.

mod sweeping;
mod written;

use super::shelf::changed;
use ::dns::Zone;
use linux::file::{Beside, Mapping, replace};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use terms::{Authority, DomainName, Reason, ServiceName};
use transfer::{Difference, Journal, Membership};
use written::Files;
pub(super) use written::Written;

/// The file that says which zones are there because catalogs list them.
const MEMBERS: &str = "members";
/// Octets of a journal's file. It is written anew when it has half of them.
const MOST_OCTETS: u64 = 64 << 20;

/// The folder of the images of one service.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    folder: PathBuf,
    lying: Arc<Mutex<BTreeMap<DomainName, Lying>>>,
}

/// What lies on disk of a zone from primaries, as far as this process has read or written it.
#[derive(Clone, Copy, Debug, Default)]
struct Lying {
    /// The serial number of its image; none where there is none.
    image: Option<u32>,
    /// Whether image and journal are the last version that has come, and not an older one.
    is_last: bool,
}

impl Lying {
    /// Whether a restart that finds this journal would be led from the image to the journal's end.
    fn is_led_on_by(self, journal: &Journal) -> bool {
        self.image.is_some_and(|image| journal.leads_from(image))
    }
}

/// A zone of an earlier process.
pub(super) struct Image {
    pub(super) zone: Zone,
    /// How long ago a primary had it for the last time. A clock that was set back makes it young. More than anything
    /// when its journal says that there was a newer one: what was confirmed last is not known.
    pub(super) age: Duration,
    pub(super) journal: Journal,
    /// What is wrong with the journal, which then lacks something.
    pub(super) fault: Option<Reason>,
}

impl Images {
    /// Those of a service, in the state directory.
    pub(crate) fn new(state_dir: &Path, service: &ServiceName) -> Images {
        Images { folder: state_dir.join("zones").join(service.as_str()), lying: Arc::default() }
    }

    /// The image of a zone; none when there is none that can be used: it comes again from a primary.
    pub(super) fn load(&self, apex: &DomainName) -> Option<Image> {
        self.lying().remove(apex);
        let age = self.age(apex)?;
        let zone = Zone::from_image(Mapping::of(&self.path(apex)).ok()?).ok()?;
        if zone.apex() != apex {
            return None;
        }
        self.lying().insert(apex.clone(), Lying { image: Some(zone.serial()), is_last: true });
        let (journal, torn) = self.journal(apex);
        Some(match laid(&zone, &journal) {
            Ok(newer) => Image { zone: newer.unwrap_or(zone), age, journal, fault: torn },
            Err(fault) => {
                let is_newer = |end| Authority::is_newer(end, zone.serial());
                let age = if journal.end().is_some_and(is_newer) { Duration::MAX } else { age };
                Image { zone, age, journal: Journal::default(), fault: Some(fault) }
            }
        })
    }

    /// What changed last in a zone, as far as its file is good, and what is wrong with the rest: that is thrown away.
    pub(super) fn journal(&self, apex: &DomainName) -> (Journal, Option<Reason>) {
        let path = self.journal_path(apex);
        let Ok(file) = File::open(&path) else { return Default::default() };
        let mut octets = Vec::new();
        let (journal, fault) = match file.take(MOST_OCTETS).read_to_end(&mut octets) {
            Ok(_) => {
                let (journal, torn) = Journal::read(&octets);
                (journal, torn.map(|torn| Reason::from(torn.to_string())))
            }
            Err(error) => (Journal::default(), Some(Reason::from(error.to_string()))),
        };
        // Nothing is ever to be added behind what is damaged.
        if fault.is_some() && self.keep_journal(apex, &journal).is_err() {
            let _ = fs::remove_file(&path);
        }
        (journal, fault)
    }

    /// Keeps what changed last in a zone.
    pub(super) fn keep_journal(&self, apex: &DomainName, journal: &Journal) -> io::Result<()> {
        Ok(self.write_journal(apex, journal)?.put()?)
    }

    fn write_journal(&self, apex: &DomainName, journal: &Journal) -> io::Result<Beside> {
        fs::create_dir_all(&self.folder)?;
        Ok(Beside::write(&self.journal_path(apex), &journal.file())?)
    }

    /// Notes the last difference of a journal, as soon as it is [put](Written::put). None when the journal does not lead
    /// on from the image that lies there: only another image is of use then.
    pub(super) fn note(
        &self,
        apex: &DomainName,
        last: &Difference,
        journal: &Journal,
    ) -> io::Result<Option<Written>> {
        let lying = self.lies(apex);
        if !lying.is_led_on_by(journal) {
            return Ok(None);
        }
        let path = self.journal_path(apex);
        let has_room = fs::metadata(&path).is_ok_and(|file| file.len() < MOST_OCTETS / 2);
        let files = if has_room && !journal.wants_another_file() && lying.is_last {
            Files::Addition { journal: path, octets: Journal::addition(last) }
        } else {
            Files::Journal(self.write_journal(apex, journal)?)
        };
        Ok(Some(Written { apex: apex.clone(), files, images: self.clone() }))
    }

    /// Takes in that the last version of a zone could not be kept: until one is, nobody confirms what lies there.
    pub(super) fn fall_behind(&self, apex: &DomainName) {
        self.lying().entry(apex.clone()).or_default().is_last = false;
    }

    /// Whether only another image would bring the last version of a zone to disk, with this journal.
    pub(super) fn lack_image(&self, apex: &DomainName, journal: &Journal) -> bool {
        let lying = self.lies(apex);
        !lying.is_last && !lying.is_led_on_by(journal)
    }

    fn lies(&self, apex: &DomainName) -> Lying {
        self.lying().get(apex).copied().unwrap_or_default()
    }

    fn lying(&self) -> MutexGuard<'_, BTreeMap<DomainName, Lying>> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago a primary had the kept version for the last time.
    pub(super) fn age(&self, apex: &DomainName) -> Option<Duration> {
        age(&self.path(apex))
    }

    /// Writes a zone's image beside the one that may be there, with the journal that leads on from it. Gives the zone
    /// as it lies on disk, too: the system may forget its pages and read them again, and there is no second copy.
    pub(super) fn write(&self, zone: &Zone, image: &[u8], journal: &Journal) -> io::Result<(Zone, Written)> {
        let apex = zone.apex();
        fs::create_dir_all(&self.folder)?;
        let image = Beside::write(&self.path(apex), image)?;
        let kept = Zone::from_image(Mapping::of(image.path())?).map_err(io::Error::other)?;
        let files =
            Files::Image { serial: kept.serial(), image, journal: self.write_journal(apex, journal)? };
        Ok((kept, Written { apex: apex.clone(), files, images: self.clone() }))
    }

    /// Notes that a primary has just said that the last version is right, if it is kept.
    pub(super) fn confirm(&self, apex: &DomainName) -> io::Result<()> {
        match self.lies(apex).is_last {
            true => self.date(apex, Duration::ZERO),
            false => Ok(()),
        }
    }

    /// Notes how long ago a primary had the kept version for the last time.
    pub(super) fn date(&self, apex: &DomainName, age: Duration) -> io::Result<()> {
        File::open(self.path(apex))?.set_modified(before_now(age))
    }

    /// Throws a zone's image and its journal away, if they are there.
    pub(super) fn forget(&self, apex: &DomainName) {
        self.lying().remove(apex);
        // One that cannot be removed is replaced by what comes from a primary.
        let _ = (fs::remove_file(self.journal_path(apex)), fs::remove_file(self.path(apex)));
    }

    /// Which zones were there for a catalog, and what is wrong with the list. What is missing in it is there again as soon
    /// as a catalog lists it.
    pub(super) fn members(&self) -> (Membership, Option<Reason>) {
        let path = self.folder.join(MEMBERS);
        let (membership, fault) = match fs::read(&path) {
            Ok(octets) => {
                let (membership, fault) = Membership::parse(&String::from_utf8_lossy(&octets));
                (membership, fault.map(|fault| fault.to_string()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
            Err(error) => (Membership::default(), Some(error.to_string())),
        };
        (membership, fault.map(|fault| Reason::from(format!("{}: {fault}", path.display()))))
    }

    /// Notes which zones are there for a catalog.
    ///
    /// # Errors
    /// Those of the system. A list that is there and cannot be read is not replaced: it may say more.
    pub(super) fn keep_members(&self, membership: &Membership) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(MEMBERS);
        match fs::read(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
        replace(&path, membership.text().as_bytes()).map_err(io::Error::other)
    }

    fn journal_path(&self, apex: &DomainName) -> PathBuf {
        self.path(apex).with_extension("journal")
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
        is_expired(&self.zone, self.age)
    }
}

fn is_expired(zone: &Zone, age: Duration) -> bool {
    let authority = zone.authority().and_then(|authority| Authority::of(&authority.data));
    authority.is_none_or(|authority| age >= Duration::from_secs(u64::from(authority.expire)))
}

/// How long ago a file was changed last.
fn age(path: &Path) -> Option<Duration> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(SystemTime::now().duration_since(changed).unwrap_or(Duration::ZERO))
}

fn before_now(age: Duration) -> SystemTime {
    SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A zone with what its journal says has changed since its image was made; none where that is nothing.
fn laid(zone: &Zone, journal: &Journal) -> Result<Option<Zone>, Reason> {
    match (journal.end(), journal.folded(zone.serial())) {
        (Some(end), _) if end == zone.serial() => Ok(None),
        (None, _) => Ok(None),
        (Some(_), Some(difference)) => {
            changed(zone, &difference).map(Some).map_err(|error| Reason::from(error.to_string()))
        }
        (Some(end), None) => Err(Reason::from(format!(
            "it leads to serial {end}, but not from {}, which the image has",
            zone.serial()
        ))),
    }
}

#[cfg(test)]
mod tests;
