//! Where services come in: a Unix socket.

use super::wire::Wire;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// Everybody may come to the door. Who comes is what the kernel says, and it is asked there who may join: to be of the daemon's
/// group would be to read the keys of the site file.
const MODE: u32 = 0o666;

/// Those that wait to come in.
const WAITING: i32 = 16;

/// A socket that listens; its file goes when this does.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    listener: UnixListener,
}

impl Door {
    /// Opens it. What another daemon has left there is replaced; what is no socket stays.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something that is no socket"));
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let listener = Socket::new(Domain::UNIX, Type::SEQPACKET.nonblocking(), None)?;
        // Under another name first: whoever finds the socket can connect.
        let hidden = path.with_extension(std::process::id().to_string());
        listener.bind(&SockAddr::unix(&hidden)?)?;
        let named = fs::set_permissions(&hidden, Permissions::from_mode(MODE))
            .and_then(|()| listener.listen(WAITING))
            .and_then(|()| fs::rename(&hidden, path));
        if let Err(error) = named {
            // The error that led here is the one to tell.
            let _ = fs::remove_file(&hidden);
            return Err(error);
        }
        // The library knows sockets that keep packets apart as any others.
        let listener = std::os::unix::net::UnixListener::from(OwnedFd::from(listener));
        Ok(Door { path: path.to_owned(), listener: UnixListener::from_std(listener)? })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next that comes in.
    pub(super) async fn accept(&self) -> io::Result<Wire> {
        Ok(Wire::new(self.listener.accept().await?.0))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // The next one would replace it: nothing is lost if it stays.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_left_behind_is_replaced_and_what_is_no_socket_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/services.sock");
        let mut before = Door::open(&path).unwrap();
        // A daemon that was killed leaves its socket behind.
        before.path.push("nowhere");
        drop(before);
        let door = Door::open(&path).unwrap();
        let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        client.connect(&SockAddr::unix(&path).unwrap()).unwrap();
        assert_eq!(door.accept().await.unwrap().user().unwrap(), nix::unistd::Uid::current().as_raw());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        drop(door);
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert_eq!(Door::open(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"a file");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
