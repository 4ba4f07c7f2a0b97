//! The third packet of a handshake that was answered with a SYN cookie (RFC 4987 section 3.6): no socket has it yet, and
//! it is this host's all the same.

use crate::fleet::{FAMILIES, client, london, service};
use crate::frames::{self, ACK, SYN};
use crate::kernel::{self, ROOM};
use continuity::{Action, Count, Layer};
use linux::link::LinkIndex;
use linux::{Netlink, address, sysctl};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind::WouldBlock, Read};
use std::net::SocketAddr;
use std::time::Duration;
use xdp::Continuity;

/// Sends a SYN as a client that has no socket would, and returns the number that the service answers with.
fn cookie(client: SocketAddr, service: SocketAddr) -> u32 {
    let [client_port, service_port] = [client, service].map(|end| SocketAddr::new(end.ip(), 0));
    let mut raw = Socket::new(Domain::for_address(client), Type::RAW, Some(Protocol::TCP)).unwrap();
    raw.bind(&client_port.into()).unwrap();
    raw.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let syn = frames::segment(client, service, SYN, &[], b"");
    let mut octets = [0; 200];
    // As a client does that hears nothing. Soon after an address was added, the kernel loses some of what is sent there.
    for _ in 0..30 {
        kernel::when_there_is_a_way(|| raw.send_to(&syn, &service_port.into())).unwrap();
        if let Some(number) = answer_to(client, &mut raw, &mut octets) {
            return number;
        }
    }
    panic!("no answer to 30 SYNs");
}

/// The number of the SYN-ACK for a client; none when there is silence.
fn answer_to(client: SocketAddr, raw: &mut Socket, octets: &mut [u8]) -> Option<u32> {
    loop {
        let length = match raw.read(octets) {
            Ok(length) => length,
            Err(error) if error.kind() == WouldBlock => return None,
            Err(error) => panic!("{error}"),
        };
        // Over IPv4, the header comes along.
        let header = if client.is_ipv4() { usize::from(octets[0] & 15) * 4 } else { 0 };
        let segment = &octets[header..length];
        if segment[2..4] == client.port().to_be_bytes() && segment[13] == SYN | ACK {
            return Some(u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]));
        }
    }
}

fn acknowledgement(client: SocketAddr, service: SocketAddr, number: u32) -> Vec<u8> {
    let mut segment = frames::segment(client, service, ACK, &[], b"");
    let after_syn = u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]) + 1;
    segment[4..8].copy_from_slice(&after_syn.to_be_bytes());
    segment[8..12].copy_from_slice(&number.to_be_bytes());
    segment[16..18].fill(0);
    let sum = frames::transport_checksum(client.ip(), service.ip(), 6, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    frames::ethernet(&frames::ip(client.ip(), service.ip(), 6, &segment))
}

#[test]
fn an_answer_to_a_cookie_is_this_hosts() {
    kernel::inside(|pins| {
        let _sockets = kernel::Sockets::open();
        // Cookies always, not only in a flood.
        sysctl::write("ipv4/tcp_syncookies", "2").unwrap();
        let mut netlink = Netlink::open().unwrap();
        let mut programs = Continuity::load(pins, ROOM).unwrap();
        programs.tell(&london()).unwrap();
        for family in FAMILIES {
            let (client, service) = (client(family, 9), service(family));
            address::add(&mut netlink, LinkIndex::LOOPBACK, client.ip().into()).unwrap();
            let cookie = cookie(client, service);
            let verdict = |number: u32, expected: Count| {
                let before = programs.counts().unwrap();
                let frame = acknowledgement(client, service, number);
                let (action, _) = kernel::arrive(&programs, Layer::Ethernet, &frame);
                assert_eq!(kernel::counted(&programs, &before).get(expected), 1, "{family}: {expected:?}");
                action
            };
            assert_eq!(verdict(cookie.wrapping_add(1), Count::Owned), Action::Pass);
            assert_eq!(verdict(cookie.wrapping_add(0x0100_0001), Count::Unclaimed), Action::Drop);
        }
    });
}
