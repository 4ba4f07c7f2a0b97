//! Everything that a start can fail on, opened before anything of it runs.

use super::services;
use crate::address::{self, Keeper};
use crate::bgp::Doors;
use crate::dns;
use crate::error::Error;
use crate::socket::ControlSocket;
use crate::succession::{Descriptors, Sockets};
use config::SiteFile;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Open, and nobody uses it yet. Dropped, it leaves nothing behind.
pub(super) struct Opened {
    pub(super) bgp: Vec<TcpListener>,
    pub(super) doors: Doors,
    pub(super) socket: ControlSocket,
    pub(super) api: Option<TcpListener>,
    pub(super) dns: services::DnsServices,
    pub(super) keeper: Keeper,
    pub(super) kernel: linux::watch::Watch,
}

impl Opened {
    /// Opens what the program before has not left open. Where peers call is always opened anew: nobody who has a
    /// session calls, and one who calls in this moment calls again.
    pub(super) fn open(
        site_file: &SiteFile,
        before: Option<&Sockets>,
        descriptors: &mut Descriptors,
        surroundings: &dns::Surroundings,
    ) -> Result<Self, Error> {
        let nothing = Sockets::default();
        let sockets = before.unwrap_or(&nothing);
        let mut doors = Doors::default();
        let bgp = doors.open_for(&site_file.peers, site_file.site.bgp_port)?;
        let socket = control(&site_file.api.socket, sockets.control.and_then(|it| descriptors.take(it)))?;
        let api = site_file.api.listen.map(|address| {
            let before = sockets.api.and_then(|number| descriptors.take::<TcpListener>(number));
            let before = before.filter(|listener| listener.local_addr().is_ok_and(|at| at == address));
            before.map_or_else(|| listen(address), Ok)
        });
        let api = api.transpose()?;
        let mut inherited = dns::Inheritance::take(sockets, descriptors);
        let dns = services::start_dns(site_file, surroundings, &mut inherited)?;
        let kernel = address::listen().map_err(Error::host)?;
        // Last, because it is the one step that others can see: nothing after it fails for the site file's sake.
        let belongings = services::belongings(site_file);
        let keeper = before.map_or_else(|| Keeper::put(&belongings), |_| Keeper::going_on(&belongings));
        let keeper = keeper.map_err(Error::host)?;
        Ok(Opened { bgp, doors, socket, api, dns, keeper, kernel })
    }
}

/// The control socket: the one of the program before, if it is still where it should be.
fn control(path: &Path, before: Option<UnixListener>) -> Result<ControlSocket, Error> {
    let is_there = |listener: &UnixListener| {
        let bound = listener.local_addr().is_ok_and(|address| address.as_pathname().is_some());
        bound && path.exists()
    };
    match before.filter(is_there) {
        Some(listener) => Ok(ControlSocket::going_on(path, listener)),
        None => ControlSocket::open(path),
    }
}

/// Listens for readers of the page and the documents.
fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    listen().map_err(|source| Error::Listen { address, source })
}
