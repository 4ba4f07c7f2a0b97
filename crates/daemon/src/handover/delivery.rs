//! Packets that were held and are this host's: its own sockets take them in as if they had just arrived.

use ::continuity::Flow;
use linux::raw::Sender;
use terms::Family;

/// One way in for each family.
#[derive(Debug)]
pub(super) struct Delivery {
    v4: Option<Sender>,
    v6: Option<Sender>,
}

impl Delivery {
    /// In the calling thread's network namespace. What has no way in is sent again by its client.
    pub(super) fn open() -> Self {
        Delivery { v4: Sender::open(Family::Ipv4).ok(), v6: Sender::open(Family::Ipv6).ok() }
    }

    /// Gives a whole IP packet of a flow to the socket that has the flow.
    pub(super) fn deliver(&self, flow: &Flow, packet: &[u8]) {
        let to = flow.service.to_canonical();
        let sender = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        if let Some(sender) = sender {
            sender.send(packet, to);
        }
    }
}
