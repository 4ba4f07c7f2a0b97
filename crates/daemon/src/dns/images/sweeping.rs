//! What nobody asks for any more, and may go.

use super::{Images, MEMBERS, age, is_expired};
use ::dns::Zone;
use ::dns::zone::ImageError;
use linux::file::{Mapping, place_of, remove_abandoned};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::{DomainName, ServiceName};

/// How long files stay that do not say themselves for how long they are of use, once nobody asks for them: the journal of
/// a zone in a file, and the list of the zones of catalogs.
const FILES_STAY: Duration = Duration::from_secs(7 * 86_400);

impl Images {
    /// Removes images and journals of other zones than these, once they are too old to be served: until then, a reload
    /// that takes a zone back finds it as it was. A journal without an image is that of a zone in a file. What a process
    /// that was killed had not put in its place goes, too.
    pub(in crate::dns) fn sweep<'a>(&self, wanted: impl Iterator<Item = &'a DomainName>) {
        let wanted: BTreeSet<PathBuf> = wanted.map(|apex| self.path(apex)).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if place_of(&path).is_some_and(is_ours) {
                remove_abandoned(&path);
            }
            let image = path.with_extension("image");
            let is_over = match extension(&path) {
                _ if wanted.contains(&image) => false,
                Some("image") => is_over(&path),
                Some("journal") if !image.exists() => is_unused(&path),
                _ => false,
            };
            if is_over {
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
        let members = self.folder.join(MEMBERS);
        // A list of zones of which none is there says nothing that the catalog does not. One that was written lately may be
        // that of a service that has just come back.
        if entries.into_iter().all(is_members) && is_unused(&members) {
            let _ = fs::remove_file(members);
        }
        // Only one that is empty goes.
        fs::remove_dir(&self.folder).is_ok()
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn is_unused(path: &Path) -> bool {
    age(path).is_some_and(|age| age >= FILES_STAY)
}

/// Whether a file of this name is one that is kept here.
fn is_ours(name: &OsStr) -> bool {
    name == MEMBERS || matches!(extension(name.as_ref()), Some("image" | "journal"))
}

/// Whether an image is of no use any more. One that cannot be read now, or that another release made, may be of use to
/// whoever can.
fn is_over(path: &Path) -> bool {
    let Ok(mapping) = Mapping::of(path) else { return false };
    match Zone::from_image(mapping) {
        Ok(zone) => age(path).is_some_and(|age| is_expired(&zone, age)),
        Err(ImageError::Version { .. }) => false,
        Err(
            ImageError::NoImage | ImageError::Length { .. } | ImageError::Damaged | ImageError::Malformed,
        ) => true,
    }
}
