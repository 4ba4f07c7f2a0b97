//! Packets that were held and are this host's: its own sockets take them in as if they had just arrived.

use ::continuity::Flow;
use ::continuity::handover::put_in_order;
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

    /// Gives whole IP packets of a flow to the socket that has the flow, in the order in which they were sent.
    pub(super) fn deliver(&self, flow: &Flow, mut packets: Vec<Vec<u8>>) {
        put_in_order(&mut packets);
        let to = flow.service.to_canonical();
        let sender = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        for packet in packets {
            sender.iter().for_each(|sender| _ = sender.send(&packet, to));
        }
    }
}
