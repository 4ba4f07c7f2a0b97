//! Where services come in: a Unix socket.

use super::wire::Wire;
use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
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

/// Nobody but the daemon reads what else is there.
const MODE_OF_A_DIRECTORY: u32 = 0o711;

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
        if fs::symlink_metadata(path).is_ok() && !is_socket(path) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something that is no socket"));
        }
        if let Some(directory) = path.parent() {
            make(directory)?;
        }
        let listener = Socket::new(Domain::UNIX, Type::SEQPACKET.nonblocking(), None)?;
        // Under another name first: whoever finds the socket can connect.
        let hidden = path.with_extension(std::process::id().to_string());
        // In a container each daemon may have the same number, and one that was killed leaves this behind, too.
        if is_socket(&hidden) {
            fs::remove_file(&hidden)?;
        }
        listener.bind(&SockAddr::unix(&hidden)?)?;
        let named = open_to_all(&hidden)
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

/// Whether there is a socket of this name; a symbolic link to one is none.
fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Makes a directory that is missing, and those above it, so that everybody can come through, whatever the umask says.
fn make(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    directory.parent().map_or(Ok(()), make)?;
    fs::create_dir(directory)?;
    fs::set_permissions(directory, Permissions::from_mode(MODE_OF_A_DIRECTORY))
}

/// Whatever the umask says; what somebody else has put in its place meanwhile stays as it is.
fn open_to_all(socket: &Path) -> io::Result<()> {
    let mode = Mode::from_bits_truncate(MODE);
    Ok(fchmodat(AT_FDCWD, socket, mode, FchmodatFlags::NoFollowSymlink)?)
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
        let through = fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777;
        assert_eq!(through, MODE_OF_A_DIRECTORY, "users can come to the door");
        // A daemon that was killed leaves its socket behind, and another one had not named its own yet.
        before.path.push("nowhere");
        drop(before);
        let hidden = path.with_extension(std::process::id().to_string());
        drop(std::os::unix::net::UnixListener::bind(&hidden).unwrap());
        let door = Door::open(&path).unwrap();
        let client = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        client.connect(&SockAddr::unix(&path).unwrap()).unwrap();
        assert_eq!(door.accept().await.unwrap().user().unwrap(), nix::unistd::Uid::current().as_raw());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        drop(door);
        assert!(!path.exists());
        let bystander = directory.path().join("bystander");
        fs::write(&bystander, "").unwrap();
        fs::set_permissions(&bystander, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&bystander, &path).unwrap();
        assert!(Door::open(&path).is_err() && open_to_all(&path).is_err());
        assert_eq!(fs::metadata(&bystander).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert_eq!(Door::open(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"a file");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
