//! Zones of other servers on disk, so that a restart serves them at once and asks only for what has changed; and what
//! changed last in every zone, so that others need to ask for no more either.
//!
//! When a primary said for the last time that a zone is right, is when its file was changed for the last time.

use super::shelf::changed;
use ::dns::Zone;
use linux::file::{Beside, Mapping, append, replace};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use terms::{Authority, DomainName, Reason, ServiceName};
use transfer::{Difference, Journal, Membership};

/// The file that says which zones are there because catalogs list them.
const MEMBERS: &str = "members";
/// Octets of a journal's file. It is written anew when it has half of them.
const MOST_OCTETS: u64 = 64 << 20;

/// The folder of the images of one service.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    folder: PathBuf,
    /// Zones whose last version is not on disk, but an older one.
    behind: Arc<Mutex<BTreeSet<DomainName>>>,
}

/// A zone of an earlier process.
pub(super) struct Image {
    pub(super) zone: Zone,
    /// How long ago a primary had it for the last time. A clock that was set back makes it young.
    pub(super) age: Duration,
    pub(super) journal: Journal,
    /// What is wrong with the journal, which then lacks something.
    pub(super) fault: Option<Reason>,
}

/// What is to lie on disk from now on, and does not yet: all that takes a while is done, on whichever thread. Whoever keeps
/// the zone [puts](Written::put) it in its place, at one moment; nothing is left of it where nobody does, because the zone
/// was let go of meanwhile.
#[derive(Debug)]
pub(super) enum Written {
    /// Another image, with a journal where it gets another one.
    Image { image: Beside, journal: Option<Beside> },
    /// Another journal of the image that is there.
    Journal(Beside),
    /// One more difference for the end of the journal that is there.
    Addition { journal: PathBuf, octets: Vec<u8> },
}

impl Written {
    /// Puts it in its place.
    pub(super) fn put(self) -> io::Result<()> {
        let put = match self {
            Written::Image { image, journal } => {
                image.put().and_then(|()| journal.map_or(Ok(()), Beside::put))
            }
            Written::Journal(journal) => journal.put(),
            Written::Addition { journal, octets } => append(&journal, &octets),
        };
        put.map_err(io::Error::other)
    }
}

impl Images {
    /// Those of a service, in the state directory.
    pub(crate) fn new(state_dir: &Path, service: &ServiceName) -> Images {
        Images { folder: state_dir.join("zones").join(service.as_str()), behind: Arc::default() }
    }

    /// The image of a zone; none when there is none that can be used: it comes again from a primary.
    pub(super) fn load(&self, apex: &DomainName) -> Option<Image> {
        let age = self.age(apex)?;
        let zone = Zone::from_image(Mapping::of(&self.path(apex)).ok()?).ok()?;
        if zone.apex() != apex {
            return None;
        }
        let (journal, torn) = self.journal(apex);
        Some(match laid(&zone, &journal) {
            Ok(newer) => Image { zone: newer.unwrap_or(zone), age, journal, fault: torn },
            Err(fault) => Image { zone, age, journal: Journal::default(), fault: Some(fault) },
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
        self.write_journal(apex, journal)?.put()?;
        self.catch_up(apex);
        Ok(())
    }

    fn write_journal(&self, apex: &DomainName, journal: &Journal) -> io::Result<Written> {
        fs::create_dir_all(&self.folder)?;
        let written = Beside::write(&self.journal_path(apex), &journal.file());
        written.map(Written::Journal).map_err(io::Error::other)
    }

    /// Notes the last difference of a journal, as soon as it is [put](Written::put).
    pub(super) fn note(
        &self,
        apex: &DomainName,
        last: &Difference,
        journal: &Journal,
    ) -> io::Result<Written> {
        let path = self.journal_path(apex);
        let has_room = fs::metadata(&path).is_ok_and(|file| file.len() < MOST_OCTETS / 2);
        if has_room && !journal.wants_another_file() && !self.behind().contains(apex) {
            return Ok(Written::Addition { journal: path, octets: Journal::addition(last) });
        }
        self.write_journal(apex, journal)
    }

    /// Takes in that the last version of a zone could not be kept: until one is, nobody confirms what lies there.
    pub(super) fn fall_behind(&self, apex: &DomainName) {
        self.behind().insert(apex.clone());
    }

    /// Takes in that the last version of a zone is kept.
    pub(super) fn catch_up(&self, apex: &DomainName) {
        self.behind().remove(apex);
    }

    fn behind(&self) -> MutexGuard<'_, BTreeSet<DomainName>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago a primary had the kept version for the last time.
    pub(super) fn age(&self, apex: &DomainName) -> Option<Duration> {
        age(&self.path(apex))
    }

    /// Writes a zone's image beside the one that may be there, with a journal where it gets another one. Gives the zone
    /// as it lies on disk, too: the system may forget its pages and read them again, and there is no second copy.
    pub(super) fn write(
        &self,
        zone: &Zone,
        image: &[u8],
        journal: Option<&Journal>,
    ) -> io::Result<(Zone, Written)> {
        fs::create_dir_all(&self.folder)?;
        let beside = |path: PathBuf, content: &[u8]| Beside::write(&path, content).map_err(io::Error::other);
        let image = beside(self.path(zone.apex()), image)?;
        let journal =
            journal.map(|journal| beside(self.journal_path(zone.apex()), &journal.file())).transpose()?;
        let mapping = Mapping::of(image.path()).map_err(io::Error::other)?;
        Ok((Zone::from_image(mapping).map_err(io::Error::other)?, Written::Image { image, journal }))
    }

    /// Notes that a primary has just said that the last version is right, if it is kept.
    pub(super) fn confirm(&self, apex: &DomainName) -> io::Result<()> {
        if self.behind().contains(apex) {
            return Ok(());
        }
        self.date(apex, Duration::ZERO)
    }

    /// Notes how long ago a primary had the kept version for the last time.
    pub(super) fn date(&self, apex: &DomainName, age: Duration) -> io::Result<()> {
        let then = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        File::open(self.path(apex))?.set_modified(then)
    }

    /// Removes images and journals of other zones than these, once they are too old to be served: until then, a reload
    /// that takes a zone back finds it as it was. A journal without an image is that of a zone in a file.
    pub(super) fn sweep<'a>(&self, wanted: impl Iterator<Item = &'a DomainName>) {
        let wanted: BTreeSet<PathBuf> = wanted.map(|apex| self.path(apex)).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_image = path.extension().is_some_and(|extension| extension == "image");
            let image = path.with_extension("image");
            let is_alone =
                path.extension().is_some_and(|extension| extension == "journal") && !image.exists();
            if !wanted.contains(&image) && (is_alone || is_image && is_over(&path)) {
                // What cannot be removed takes room, and nothing else.
                let _ = fs::remove_file(path.with_extension("journal"));
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Looks through what services of earlier site files have left, as [`sweep`](Images::sweep) does, and removes the
    /// folders in which nothing else is. Answers with the services whose folders are gone.
    pub(crate) fn sweep_others(state_dir: &Path, services: &BTreeSet<ServiceName>) -> Vec<ServiceName> {
        let Ok(entries) = fs::read_dir(state_dir.join("zones")) else { return Vec::new() };
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let names = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<ServiceName>().ok());
        let others = names.filter(|name| !services.contains(name));
        others.filter(|name| Images::new(state_dir, name).is_removed()).collect()
    }

    /// Removes what is too old to be served, and the folder if that was all.
    fn is_removed(&self) -> bool {
        self.sweep(std::iter::empty());
        let Ok(entries) = fs::read_dir(&self.folder) else { return false };
        let is_members =
            |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == MEMBERS);
        // A list of zones of which none is there says nothing that the catalog does not.
        if entries.into_iter().all(is_members) {
            let _ = fs::remove_file(self.folder.join(MEMBERS));
        }
        // Only one that is empty goes.
        fs::remove_dir(&self.folder).is_ok()
    }

    /// Throws a zone's image and its journal away, if they are there.
    pub(super) fn forget(&self, apex: &DomainName) {
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

/// Whether an image is of no use any more.
fn is_over(path: &Path) -> bool {
    let image = Mapping::of(path).ok().and_then(|mapping| Zone::from_image(mapping).ok());
    image.zip(age(path)).is_none_or(|(zone, age)| is_expired(&zone, age))
}

/// How long ago a file was changed last.
fn age(path: &Path) -> Option<Duration> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(SystemTime::now().duration_since(changed).unwrap_or(Duration::ZERO))
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
