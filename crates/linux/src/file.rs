//! Files as a whole: mapped into memory, and replaced in one step.

use crate::error::Attempt;
use crate::{Error, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::{OsStr, c_void};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Write permission of group and others (inode(7)).
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Octets of the largest file that is copied instead. A process has 65,530 mappings by default, and each takes whole pages:
/// with ten thousand small files, that is more than the files.
const SMALL: usize = 32 << 10;

/// A file that is in memory, without a copy unless it is small: the pages are those of the system's cache.
#[derive(Debug)]
pub struct Mapping(Memory);

#[derive(Debug)]
enum Memory {
    Copied(Box<[u8]>),
    Mapped(Pages),
}

/// Pages of a file, at least one.
#[derive(Debug)]
struct Pages {
    address: NonNull<c_void>,
    length: usize,
}

// SAFETY: the memory is only read, by anybody, and belongs to the value until it is dropped.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Mapping {
    /// Maps a regular file for reading. Whoever wants another content puts another file in its place
    /// ([`replace`]): what changes a mapped file changes memory that is in use, and what cuts it ends the process.
    ///
    /// # Errors
    /// Besides those of the system: group or others may write the file, or it belongs to neither this user nor root.
    pub fn of(path: &Path) -> Result<Mapping> {
        let attempt = || format!("map {} into memory", path.display());
        let mut file = File::open(path).attempt(attempt)?;
        let metadata = file.metadata().attempt(attempt)?;
        let refused = |why: &str| Err(Error::new(attempt(), io::Error::other(why)));
        if !metadata.is_file() {
            return refused("it is no regular file");
        }
        if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
            return refused("others may change it while it is in use: chmod go-w");
        }
        if metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw() {
            return refused("its owner may change it while it is in use: chown it to root");
        }
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if length <= SMALL {
            let mut octets = vec![0; length];
            file.read_exact(&mut octets).attempt(attempt)?;
            return Ok(Mapping(Memory::Copied(octets.into())));
        }
        // All of it at once: every octet is about to be read for its checksum.
        let flags = MapFlags::PRIVATE | MapFlags::POPULATE;
        // SAFETY: the system chooses an address where nothing else is; the mapping is private and read-only.
        let address = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, flags, &file, 0) };
        let address = address.map_err(io::Error::from).attempt(attempt)?;
        match NonNull::new(address) {
            Some(address) => Ok(Mapping(Memory::Mapped(Pages { address, length }))),
            None => refused("the system gave no address"),
        }
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Memory::Copied(octets) => octets,
            Memory::Mapped(pages) => pages.octets(),
        }
    }
}

impl Pages {
    fn octets(&self) -> &[u8] {
        // SAFETY: the mapping has this length and lives as long as `self`. Nobody else may write the file, and whoever
        // owns it replaces it instead (see `Mapping::of`).
        unsafe { std::slice::from_raw_parts(self.address.as_ptr().cast(), self.length) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the value owns the mapping, and no slice of it outlives the value.
        let _ = unsafe { munmap(self.address.as_ptr(), self.length) };
    }
}

/// A file that is written, and lies beside the one that it is to replace. It is removed if it never does, and locked
/// until then (flock(2)), so that one without a lock is of a process that was killed.
#[derive(Debug)]
pub struct Beside {
    file: File,
    path: PathBuf,
    place: PathBuf,
}

/// How the name of such a file ends, before numbers that nobody else has.
const NEW: &str = "new-";

impl Beside {
    /// Writes a file for a place. Several for one place are in nobody's way.
    ///
    /// # Errors
    /// Those of the system; nothing is left.
    pub fn write(place: &Path, content: &[u8]) -> Result<Beside> {
        let attempt = || format!("write {}", place.display());
        let mut beside = Beside::begin(place).attempt(attempt)?;
        beside.file.write_all(content).and_then(|()| beside.file.sync_all()).attempt(attempt)?;
        Ok(beside)
    }

    fn begin(place: &Path) -> io::Result<Beside> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
            let path = place.with_added_extension(format!("{NEW}{}-{number}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path) {
                Ok(file) => {
                    // Where there are no locks, nobody clears up.
                    let _ = file.lock();
                    // Whoever clears up may have come before the lock.
                    if file.metadata()?.nlink() > 0 {
                        return Ok(Beside { file, path, place: place.to_owned() });
                    }
                }
                // In a container, a process that was killed had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it lies now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says when it was changed for the last time, before whoever looks at the place sees it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn date(&self, then: SystemTime) -> Result<()> {
        self.file.set_modified(then).attempt(|| format!("date {}", self.path.display()))
    }

    /// Puts it in its place in one step: whoever has the file there open or mapped keeps that, and whoever opens the
    /// place sees the one or the other, whole.
    ///
    /// # Errors
    /// Those of the system; the place is as it was.
    pub fn put(self) -> Result<()> {
        fs::rename(&self.path, &self.place).attempt(|| format!("write {}", self.place.display()))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Nothing is there any more once it is in its place. What cannot be removed takes room, and nothing else.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of the place that a file was written for; none if it was written in its place.
pub fn place_of(path: &Path) -> Option<&OsStr> {
    path.extension().filter(|extension| extension.as_encoded_bytes().starts_with(NEW.as_bytes()))?;
    path.file_stem()
}

/// Removes a file beside its place whose process was killed as it wrote it. One that somebody writes stays.
pub fn remove_abandoned(path: &Path) {
    let is_abandoned = |file: File| file.try_lock().is_ok().then_some(file);
    // What cannot be removed takes room, and nothing else. The lock is held until it is gone.
    if let Some(_locked) = File::open(path).ok().and_then(is_abandoned) {
        let _ = fs::remove_file(path);
    }
}

/// Puts a file with this content in the place of the one that may be there, in one step ([`Beside::put`]).
///
/// # Errors
/// Those of the system; the place is as it was.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    Beside::write(path, content)?.put()
}

/// Adds to the end of a file that is there. Where that does not go, the file is as long as it was.
pub fn append(path: &Path, content: &[u8]) -> Result<()> {
    let written = || {
        let mut file = OpenOptions::new().append(true).open(path)?;
        let before = file.metadata()?.len();
        file.write_all(content).inspect_err(|_| {
            // A part may be there; if it cannot be taken back, the first error says more.
            let _ = file.set_len(before);
        })
    };
    written().attempt(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_mapping_is_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"first").unwrap();
        let mapping = Mapping::of(&path).unwrap();
        assert_eq!(mapping.as_ref(), b"first");
        replace(&path, b"second, and longer").unwrap();
        assert_eq!(mapping.as_ref(), b"first", "replaced, not changed");
        assert_eq!(Mapping::of(&path).unwrap().as_ref(), b"second, and longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        append(&path, b", at its end").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second, and longer, at its end");
        assert!(append(&folder.path().join("none"), b"").is_err());
        for length in [0, 1, SMALL, SMALL + 1] {
            let content = vec![b'.'; length];
            replace(&path, &content).unwrap();
            let mapping = Mapping::of(&path).unwrap();
            assert_eq!(mapping.as_ref(), content);
            assert_eq!(matches!(mapping.0, Memory::Mapped(_)), length > SMALL, "{length}");
            replace(&path, b"another").unwrap();
            assert_eq!(mapping.as_ref(), content, "replaced, not changed");
        }
    }

    /// Says to the test below that it is the one in which files may not grow.
    const LIMITED: &str = "CATCHMENT_TEST_FILES_ARE_LIMITED";

    #[test]
    fn what_cannot_be_added_as_a_whole_is_not_added() {
        if std::env::var_os(LIMITED).is_some() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            replace(&path, b"first").unwrap();
            assert!(append(&path, &vec![b'.'; 1 << 20]).is_err());
            assert_eq!(fs::read(&path).unwrap(), b"first");
            return append(&path, b" and second").unwrap();
        }
        // In a process of its own, since the limit holds for all of it. Without the trap the system ends it.
        let limited = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
        let mut command = std::process::Command::new("sh");
        command.args(["-c", limited, "sh"]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "file::tests::what_cannot_be_added_as_a_whole_is_not_added"]);
        let output = command.env(LIMITED, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn what_is_never_put_in_its_place_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (first, second) =
            (Beside::write(&path, b"first").unwrap(), Beside::write(&path, b"second").unwrap());
        assert!(!path.exists());
        drop(first);
        second.put().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_was_writing_is_in_nobodys_way_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.file");
        let number = |beside: &Beside| -> u64 {
            beside.path().to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap()
        };
        let first = Beside::write(&path, b"first").unwrap();
        let begun = number(&first) + 1;
        let name = |number: u64| path.with_added_extension(format!("new-{}-{number}", std::process::id()));
        // As a process of this number has left them. Other tests take numbers, too.
        let left: Vec<PathBuf> = (begun..begun + 99).map(name).collect();
        left.iter().for_each(|path| fs::write(path, b"half").unwrap());
        let second = Beside::write(&path, b"second").unwrap();
        assert!(number(&second) >= begun + 99);
        assert_eq!(place_of(second.path()), Some(OsStr::new("a.file")));
        assert_eq!(place_of(&path), None);
        for file in fs::read_dir(folder.path()).unwrap() {
            remove_abandoned(&file.unwrap().path());
        }
        assert!(left.iter().all(|path| !path.exists()));
        let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        first.date(then).unwrap();
        first.put().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), then);
        second.put().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn what_others_may_change_is_not_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"content").unwrap();
        for mode in [0o664, 0o646] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = Mapping::of(&path).unwrap_err().to_string();
            assert!(error.contains("chmod go-w"), "{error}");
        }
        assert!(Mapping::of(folder.path()).unwrap_err().to_string().contains("no regular file"));
        assert_eq!(Mapping::of(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(replace(&folder.path().join("none/file"), b"").is_err());
    }
}
