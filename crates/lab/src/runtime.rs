//! Where a running lab is found: two sockets in the runtime directory, named after the lab.

use nix::unistd::Uid;
use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::ServiceName;

/// A socket of this age has a listener, or its lab is gone.
const YOUNG: Duration = Duration::from_secs(2);

/// The name of a lab, and of its sockets.
pub type LabName = ServiceName;

/// Where one lab is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// Speaks HTTP: nodes, picture, events, commands.
    pub(crate) control: PathBuf,
    /// Hands out the namespaces of nodes.
    pub(crate) exec: PathBuf,
}

/// Why the sockets of a lab cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Another lab answers there.
    #[error(
        "a lab called `{name}` is running: stop it with `catchment lab down --name {name}` or choose another --name"
    )]
    Running {
        /// Its name.
        name: String,
    },
    /// The system refused.
    #[error("cannot make {}: {error}", .path.display())]
    Io {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Sockets {
    /// Where the lab of that name is or would be. What killed labs left there is removed.
    pub(crate) fn of(name: &LabName) -> Self {
        let directory = directory();
        sweep(&directory);
        Sockets {
            control: directory.join(format!("lab-{name}.sock")),
            exec: directory.join(format!("lab-{name}.exec")),
        }
    }

    /// Listens on both, in place of what a killed lab left behind. Only the owner can connect.
    pub(crate) fn listen(&self, name: &LabName) -> Result<[UnixListener; 2], RuntimeError> {
        if UnixStream::connect(&self.control).is_ok() {
            return Err(RuntimeError::Running { name: name.to_string() });
        }
        Ok([listen(&self.control)?, listen(&self.exec)?])
    }

    /// Removes both.
    pub(crate) fn remove(&self) {
        // Somebody who has removed them before us has done the work.
        let _ = fs::remove_file(&self.control);
        let _ = fs::remove_file(&self.exec);
    }
}

/// `/run/catchment` for root, otherwise a directory of the user's own.
fn directory() -> PathBuf {
    let user = Uid::effective();
    if user.is_root() {
        return PathBuf::from("/run/catchment");
    }
    // Who became another user with `su` or `setpriv` may still be told of the directory of the first one.
    let own = |runtime: &OsString| fs::metadata(runtime).is_ok_and(|found| found.uid() == user.as_raw());
    match env::var_os("XDG_RUNTIME_DIR").filter(own) {
        Some(runtime) => Path::new(&runtime).join("catchment"),
        None => env::temp_dir().join(format!("catchment-{user}")),
    }
}

/// Removes the sockets to which nobody listens any more. Young ones stay: their lab may be about to listen.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_ours = path.extension().is_some_and(|extension| extension == "sock" || extension == "exec")
            && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"lab-"));
        let is_old = || {
            let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > YOUNG))
        };
        let is_dead = || {
            UnixStream::connect(&path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        if is_ours && is_old() && is_dead() {
            // Another command may have swept it just now.
            let _ = fs::remove_file(&path);
        }
    }
}

fn listen(path: &Path) -> Result<UnixListener, RuntimeError> {
    let listen = || {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
            belongs_to_us(directory)?;
        }
        if path.exists() {
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listen().map_err(|error| RuntimeError::Io { path: path.to_owned(), error })
}

/// Where everybody may write, as in `/tmp`, somebody else can have been there first.
fn belongs_to_us(directory: &Path) -> io::Result<()> {
    const BY_EVERYBODY: u32 = 0o002;
    let Some(above) = directory.parent().filter(|above| !above.as_os_str().is_empty()) else { return Ok(()) };
    let found = fs::symlink_metadata(directory)?;
    let is_ours = found.is_dir() && found.uid() == Uid::effective().as_raw();
    if fs::metadata(above)?.mode() & BY_EVERYBODY == 0 || is_ours {
        return Ok(());
    }
    let reason = format!(
        "{} belongs to somebody else: set XDG_RUNTIME_DIR to a directory of your own",
        directory.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn only_what_a_dead_lab_left_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let old = SystemTime::now() - 2 * YOUNG;
        let _alive = UnixListener::bind(at("lab-alive.sock")).unwrap();
        for name in ["lab-dead.sock", "lab-dead.exec", "lab-young.sock", "api.sock"] {
            drop(UnixListener::bind(at(name)).unwrap());
        }
        for name in ["lab-alive.sock", "lab-dead.sock", "lab-dead.exec", "api.sock"] {
            let time = rustix::fs::Timespec {
                tv_sec: old.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap(),
                tv_nsec: 0,
            };
            let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
            rustix::fs::utimensat(rustix::fs::CWD, at(name), &times, rustix::fs::AtFlags::empty()).unwrap();
        }
        sweep(directory.path());
        let mut left: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["api.sock", "lab-alive.sock", "lab-young.sock"]);
    }
}
