//! Where a running lab is found: two sockets in the runtime directory, named after the lab.

use nix::unistd::Uid;
use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use terms::ServiceName;

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
    /// Where the lab of that name is or would be.
    pub(crate) fn of(name: &LabName) -> Self {
        let directory = directory();
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
    match env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) => Path::new(&runtime).join("catchment"),
        None => env::temp_dir().join(format!("catchment-{user}")),
    }
}

fn listen(path: &Path) -> Result<UnixListener, RuntimeError> {
    let listen = || {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
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
