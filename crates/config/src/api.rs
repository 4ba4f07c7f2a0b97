//! `[api]`: where the daemon can be asked.

use crate::socket_path;
use document::Table;
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
}

pub(crate) fn read(table: Option<&Table>, directory: &Path) -> Option<Api> {
    let Some(table) = table else {
        return Some(Api { socket: PathBuf::from(Api::SOCKET), listen: None });
    };
    let socket = table.optional("socket");
    let socket = if socket.is_given() {
        socket_path::read(&socket, directory)
    } else {
        Some(PathBuf::from(Api::SOCKET))
    };
    let listen = table.optional("listen").parse();
    Some(Api { socket: socket?, listen: listen.map(|address| address.value) })
}
