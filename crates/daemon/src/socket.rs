//! The control socket: a Unix socket that only the daemon's own user can open.

use crate::error::Error;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A listening control socket; its file goes when this does.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
}

impl ControlSocket {
    /// Opens the socket at `path`. What a killed daemon left there is replaced, a daemon that answers is not.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        if UnixStream::connect(path).is_ok() {
            return Err(Error::SocketTaken(path.to_owned()));
        }
        let listener = listen(path).map_err(|source| Error::Socket { path: path.to_owned(), source })?;
        Ok(ControlSocket { path: path.to_owned(), listener })
    }

    /// Goes on with the socket of the program before, which is still at `path`.
    pub(crate) fn going_on(path: &Path, listener: UnixListener) -> Self {
        ControlSocket { path: path.to_owned(), listener }
    }

    /// A second handle on the socket, for the server.
    pub(crate) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

/// The socket is made under another name and renamed when it is closed to others, so that there is no moment at which
/// somebody else could open it.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let hidden = path.with_extension(format!("{}", std::process::id()));
    let listener = UnixListener::bind(&hidden)?;
    let named =
        fs::set_permissions(&hidden, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&hidden, path));
    if let Err(error) = named {
        // The error that led here is the one to tell.
        let _ = fs::remove_file(&hidden);
        return Err(error);
    }
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // The next start would replace it: nothing is lost if it stays.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_for_its_owner_and_goes_with_the_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/api.sock");
        let socket = ControlSocket::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(ControlSocket::open(&path), Err(Error::SocketTaken(_))));
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_daemon_left_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        ControlSocket::open(&path).unwrap();
    }

    #[test]
    fn a_place_that_does_not_exist_is_an_error_that_names_it_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = ControlSocket::open(&file.join("api.sock")).unwrap_err();
        assert!(error.to_string().contains("file/api.sock"), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
