//! Sockets of the program before, by where they are bound. What waits in them is served as if nothing had been.

use crate::succession::{Descriptors, Sockets};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{OwnedFd, RawFd};

/// Sockets that a server may go on with. What no server asks for is closed.
#[derive(Debug, Default)]
pub(crate) struct Inheritance {
    udp: Vec<UdpSocket>,
    listeners: Vec<TcpListener>,
    streams: Vec<TcpStream>,
}

impl Inheritance {
    /// Takes them from what was handed over.
    pub(crate) fn take(sockets: &Sockets, descriptors: &mut Descriptors) -> Self {
        Inheritance {
            udp: take(&sockets.dns_udp, descriptors),
            listeners: take(&sockets.dns_tcp, descriptors),
            streams: take(&sockets.dns_streams, descriptors),
        }
    }

    /// The UDP sockets on an address. All of them: what waits in one that is closed is lost.
    pub(super) fn udp(&mut self, address: SocketAddr) -> Vec<UdpSocket> {
        let (its, others) =
            std::mem::take(&mut self.udp).into_iter().partition(|s| s.local_addr().ok() == Some(address));
        self.udp = others;
        its
    }

    /// The listener on an address.
    pub(super) fn listener(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.listeners.iter().position(|one| one.local_addr().ok() == Some(address))?;
        Some(self.listeners.swap_remove(at))
    }

    /// The connections to an address.
    pub(super) fn streams(&mut self, address: SocketAddr) -> Vec<TcpStream> {
        let is_its = |one: &TcpStream| one.local_addr().ok() == Some(address);
        let (its, others) = std::mem::take(&mut self.streams).into_iter().partition(is_its);
        self.streams = others;
        its
    }
}

fn take<T: From<OwnedFd>>(numbers: &[RawFd], descriptors: &mut Descriptors) -> Vec<T> {
    numbers.iter().filter_map(|&number| descriptors.take(number)).collect()
}
