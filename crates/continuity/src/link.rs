//! What is before the IP header.

use crate::packet::octets;

/// Whether a frame begins with an Ethernet header. An interface of layer 3, such as a TUN device, has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet, with one tag at most (IEEE 802.1Q).
    Ethernet,
    /// Nothing.
    Ip,
}

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
const TAGS: [u16; 2] = [0x8100, 0x88a8];
const ETHERNET_LEN: usize = 14;
const TAG_LEN: usize = 4;

impl Layer {
    /// Where the IP header of the frame begins; none for a frame of another protocol.
    pub(crate) fn start(self, frame: &[u8]) -> Option<usize> {
        match self {
            Layer::Ip => Some(0),
            Layer::Ethernet => {
                octets::<ETHERNET_LEN>(frame, 0)?;
                let kind = protocol(frame, ETHERNET_LEN)?;
                let is_tagged = TAGS.contains(&kind);
                let start = if is_tagged { ETHERNET_LEN + TAG_LEN } else { ETHERNET_LEN };
                [IPV4, IPV6].contains(&protocol(frame, start)?).then_some(start)
            }
        }
    }
}

/// The two octets before the place `end`, which say what follows.
pub(crate) fn protocol(frame: &[u8], end: usize) -> Option<u16> {
    octets(frame, end.checked_sub(2)?).map(u16::from_be_bytes)
}
