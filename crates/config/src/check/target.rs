//! Whom a check asks: the service's addresses, or one that the file names.

use super::Way;
use document::Table;
use std::net::{IpAddr, SocketAddr};

/// Whom a check asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// One address of the file; every address of the service where there is none.
    address: Option<IpAddr>,
    port: u16,
    /// The port that need not be said.
    usual: u16,
}

impl Target {
    /// `address` and `port`, where `usual` is the port unless the file says otherwise.
    pub(super) fn read(table: &Table, usual: u16) -> Option<Target> {
        let port = table.optional("port");
        let number = port.number_in(1..=u16::MAX);
        if port.is_given() && number.is_none() {
            return None;
        }
        Target::with_port(table, number.map_or(usual, |port| port.value), usual)
    }

    /// `address`, at a port that is known.
    pub(super) fn with_port(table: &Table, port: u16, usual: u16) -> Option<Target> {
        let value = table.optional("address");
        let address = value.parse::<IpAddr>().map(|address| address.value);
        (address.is_some() || !value.is_given()).then_some(Target { address, port, usual })
    }

    /// Whether it is the service itself that is asked.
    pub(super) fn is_service(&self) -> bool {
        self.address.is_none()
    }

    /// The port to ask at.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Every way to ask, with how it is called.
    pub(super) fn ways(&self, addresses: &[IpAddr]) -> Vec<(String, Way)> {
        let way = |address: IpAddr, from: Option<IpAddr>| {
            let to = SocketAddr::new(address, self.port);
            let called = if self.port == self.usual { address.to_string() } else { to.to_string() };
            (format!(" at {called}"), Way { to, from })
        };
        match self.address {
            Some(address) => vec![way(address, None)],
            None => addresses.iter().map(|&address| way(address, Some(address))).collect(),
        }
    }
}
