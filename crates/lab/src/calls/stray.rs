//! Segments of connections that there are not, in a client's name: what whoever floods a service with spoofed packets sends.

use super::echo::PORT;
use crate::plan::SERVICE;
use linux::raw::{Listener, Sender};
use linux::{Error, Namespace, Result};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use terms::Family;

/// The first port that a stray comes from, and how many follow it: clients open connections from higher ones (ip(7)).
const FIRST_PORT: u16 = 1024;
const PORTS: usize = 31_744;
const IPV4_LEN: usize = 20;
const TCP_LEN: usize = 20;
const TCP: u8 = 6;
const HOPS: u8 = 64;
/// Place of the flags in a TCP header, and two of them (RFC 9293 section 3.1).
const FLAGS: usize = 13;
const ACK: u8 = 0x10;
const RST: u8 = 0x04;
/// Place of the checksum.
const CHECKSUM: usize = 16;

/// Sends strays over both families.
#[derive(Debug)]
pub(crate) struct Strays {
    senders: [(Sender, IpAddr, IpAddr); 2],
}

impl Strays {
    /// From a node, in the name of a client with these addresses.
    pub(crate) fn open(node: &Namespace, client: [IpAddr; 2]) -> Result<Self> {
        let [v4, v6] = node.run(|| Family::ALL.map(Sender::open))?;
        let [from4, from6] = client;
        let [to4, to6] = SERVICE.both();
        Ok(Strays { senders: [(v4?, from4, to4), (v6?, from6, to6)] })
    }

    /// Sends the stray of this number: every other one over IPv6, and each from another port until all had their turn.
    pub(crate) fn send(&self, number: usize) {
        let [v4, v6] = &self.senders;
        let (sender, from, to) = if number.is_multiple_of(2) { v4 } else { v6 };
        let port = FIRST_PORT + (number / 2 % PORTS) as u16;
        // A full buffer on the way is part of a flood.
        let _ = sender.send(&packet(SocketAddr::new(*from, port), *to, number as u32), *to);
    }
}

/// Counts the resets that a client gets from now on, for as long as the process lives.
pub(crate) fn count_resets(client: &Namespace) -> Result<Arc<AtomicU64>> {
    let resets = Arc::new(AtomicU64::new(0));
    for listener in client.run(|| Family::ALL.map(Listener::open))? {
        let (listener, resets) = (listener?, Arc::clone(&resets));
        let count = move || {
            let mut buffer = [0; 128];
            while let Ok(segment) = listener.receive(&mut buffer) {
                if is_reset(segment) {
                    resets.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let thread = thread::Builder::new().name("resets".to_owned()).spawn(count);
        thread.map_err(|error| Error::new("count resets", error))?;
    }
    Ok(resets)
}

/// Whether a segment of the service is a reset.
fn is_reset(segment: &[u8]) -> bool {
    segment.starts_with(&PORT.to_be_bytes()) && segment.get(FLAGS).is_some_and(|flags| flags & RST != 0)
}

/// An ACK without data, as the client would send it.
fn packet(from: SocketAddr, to: IpAddr, sequence: u32) -> Vec<u8> {
    let mut segment = [0; TCP_LEN];
    segment[..2].copy_from_slice(&from.port().to_be_bytes());
    segment[2..4].copy_from_slice(&PORT.to_be_bytes());
    segment[4..8].copy_from_slice(&sequence.to_be_bytes());
    segment[8..12].copy_from_slice(&sequence.swap_bytes().to_be_bytes());
    segment[12] = (TCP_LEN as u8 / 4) << 4;
    segment[FLAGS] = ACK;
    segment[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    let (source, destination) = (octets(from.ip()), octets(to));
    let pseudo = sum(&source) + sum(&destination) + u32::from(TCP) + TCP_LEN as u32;
    let checksum = folded(pseudo + sum(&segment));
    segment[CHECKSUM..CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
    let mut packet = match from {
        // The kernel fills in its length and its checksum (raw(7)).
        SocketAddr::V4(_) => {
            let mut header = vec![0; IPV4_LEN - 8];
            (header[0], header[8], header[9]) = (0x45, HOPS, TCP);
            header
        }
        SocketAddr::V6(_) => vec![0x60, 0, 0, 0, 0, TCP_LEN as u8, TCP, HOPS],
    };
    packet.extend(source);
    packet.extend(destination);
    packet.extend(segment);
    packet
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The sum of the words (RFC 1071).
fn sum(octets: &[u8]) -> u32 {
    octets.as_chunks().0.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum()
}

fn folded(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    !((once & 0xffff) + (once >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver sums up everything, the checksum too, and gets nothing but ones.
    #[test]
    fn a_stray_is_a_segment_that_a_kernel_takes() {
        for (from, to) in [("192.0.2.9:1024", "198.18.0.53"), ("[2001:db8::9]:1025", "2001:db8:53::53")] {
            let (from, to): (SocketAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
            for sequence in [0, 1, 0x8000_ffff, u32::MAX] {
                let packet = packet(from, to, sequence);
                let segment = &packet[packet.len() - TCP_LEN..];
                let addresses = sum(&octets(from.ip())) + sum(&octets(to));
                let all = addresses + u32::from(TCP) + TCP_LEN as u32 + sum(segment);
                assert_eq!(folded(all), 0);
                assert_eq!(segment[FLAGS], ACK);
            }
        }
    }

    #[test]
    fn only_the_service_resets() {
        let mut segment = [0; TCP_LEN];
        segment[..2].copy_from_slice(&PORT.to_be_bytes());
        segment[FLAGS] = RST | ACK;
        assert!(is_reset(&segment));
        segment[FLAGS] = ACK;
        assert!(!is_reset(&segment), "it acknowledges");
        (segment[FLAGS], segment[1]) = (RST, 53);
        assert!(!is_reset(&segment), "it is somebody else's");
        assert!(!is_reset(&segment[..FLAGS]));
    }
}
