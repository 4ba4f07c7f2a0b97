//! Everything that a start can fail on, opened before anything of it runs.

use super::services;
use crate::address::{self, Keeper};
use crate::error::Error;
use crate::socket::ControlSocket;
use crate::{bgp, dns};
use config::SiteFile;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use terms::Family;

/// Open, and nobody uses it yet. Dropped, it leaves nothing behind.
pub(super) struct Opened {
    pub(super) bgp: BTreeMap<Family, std::net::TcpListener>,
    pub(super) socket: ControlSocket,
    pub(super) api: Option<std::net::TcpListener>,
    pub(super) dns: Vec<dns::Server>,
    pub(super) keeper: Keeper,
    pub(super) kernel: linux::watch::Watch,
}

impl Opened {
    pub(super) fn open(site_file: &SiteFile) -> Result<Self, Error> {
        let families: BTreeSet<Family> =
            site_file.peers.iter().map(|peer| Family::of(peer.address.ip())).collect();
        let bgp = families.into_iter().map(|family| Ok((family, listen_for_peers(family, site_file)?)));
        let bgp = bgp.collect::<Result<_, Error>>()?;
        let socket = ControlSocket::open(&site_file.api.socket)?;
        let api = site_file.api.listen.map(listen).transpose()?;
        let dns = services::start_dns(site_file)?;
        let kernel = address::listen().map_err(Error::host)?;
        // Last, because it is the one step that others can see: nothing after it fails for the site file's sake.
        let keeper = Keeper::put(&services::belongings(site_file)).map_err(Error::host)?;
        Ok(Opened { bgp, socket, api, dns, keeper, kernel })
    }
}

/// Listens for peers of one family.
pub(super) fn listen_for_peers(family: Family, site_file: &SiteFile) -> Result<std::net::TcpListener, Error> {
    let port = site_file.site.bgp_port;
    bgp::bind(family == Family::Ipv4, port).map_err(|source| Error::bgp_port(port, source))
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
