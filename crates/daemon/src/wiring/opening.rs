//! Everything that a start can fail on, opened before anything of it runs.

use super::services;
use crate::address::{self, Keeper};
use crate::bgp::Doors;
use crate::dns;
use crate::error::Error;
use crate::socket::ControlSocket;
use config::SiteFile;
use std::net::SocketAddr;

/// Open, and nobody uses it yet. Dropped, it leaves nothing behind.
pub(super) struct Opened {
    pub(super) bgp: Vec<std::net::TcpListener>,
    pub(super) doors: Doors,
    pub(super) socket: ControlSocket,
    pub(super) api: Option<std::net::TcpListener>,
    pub(super) dns: Vec<dns::Server>,
    pub(super) keeper: Keeper,
    pub(super) kernel: linux::watch::Watch,
}

impl Opened {
    pub(super) fn open(site_file: &SiteFile) -> Result<Self, Error> {
        let mut doors = Doors::default();
        let bgp = doors.open_for(&site_file.peers, site_file.site.bgp_port)?;
        let socket = ControlSocket::open(&site_file.api.socket)?;
        let api = site_file.api.listen.map(listen).transpose()?;
        let dns = services::start_dns(site_file)?;
        let kernel = address::listen().map_err(Error::host)?;
        // Last, because it is the one step that others can see: nothing after it fails for the site file's sake.
        let keeper = Keeper::put(&services::belongings(site_file)).map_err(Error::host)?;
        Ok(Opened { bgp, doors, socket, api, dns, keeper, kernel })
    }
}

/// Listens for readers of the page and the documents.
fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Error> {
    let listen = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    listen().map_err(|source| Error::Listen { address, source })
}
