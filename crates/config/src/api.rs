//! `[api]`: where the daemon can be asked.

use document::{Table, Value};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the daemon can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// The control socket, for the daemon's own user.
    pub socket: PathBuf,
    /// Map, metrics and read-only API over TCP; none where the file does not say.
    pub listen: Option<SocketAddr>,
}

impl Api {
    /// The control socket where the file does not say.
    pub const SOCKET: &str = "/run/catchment/api.sock";
    /// Longest path of a Unix socket, bytes (unix(7): `sun_path` with its closing zero).
    const LONGEST_SOCKET: usize = 107;
}

pub(crate) fn read(table: Option<&Table>, directory: &Path) -> Option<Api> {
    let Some(table) = table else {
        return Some(Api { socket: PathBuf::from(Api::SOCKET), listen: None });
    };
    let socket = socket(&table.optional("socket"), table, directory);
    let listen = table.optional("listen").parse();
    Some(Api { socket: socket?, listen: listen.map(|address| address.value) })
}

fn socket(value: &Value, table: &Table, directory: &Path) -> Option<PathBuf> {
    let Some(written) = value.path() else { return Some(PathBuf::from(Api::SOCKET)) };
    let path = directory.join(&written.value);
    if path.as_os_str().len() > Api::LONGEST_SOCKET {
        let message = format!("a socket's path has at most {} bytes", Api::LONGEST_SOCKET);
        table.document().fault(written.span, message);
        return None;
    }
    Some(path)
}
