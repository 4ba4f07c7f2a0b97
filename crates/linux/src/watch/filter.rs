//! A filter that the kernel runs before it tells of a route (bpf(4), and `SKF_AD_NLATTR` of linux/filter.h).

use nix::libc;
use socket2::SockFilter;
use std::net::IpAddr;
use terms::{Family, Prefix};

const ACCEPT: u32 = u32::MAX;
const DROP: u32 = 0;

// Where things stand in a message (netlink(7), rtnetlink(7)).
const TYPE: u32 = 4;
const FAMILY: u32 = 16;
const LENGTH: u32 = 17;
const ATTRIBUTES: u32 = 28;
/// The header of an attribute.
const HEADER: u32 = 4;

/// Lets pass what is told of routes that lie in one of the blocks, and of all whose prefix is shorter: those that cover a
/// block are among them.
pub(super) fn routes_around(blocks: &[Prefix]) -> Vec<SockFilter> {
    let kind = |kind: u16| u32::from(kind.to_be());
    let mut program = vec![
        load(libc::BPF_H | libc::BPF_ABS, TYPE),
        jump(libc::BPF_JEQ, kind(libc::RTM_NEWROUTE), 2, 0),
        jump(libc::BPF_JEQ, kind(libc::RTM_DELROUTE), 1, 0),
        verdict(DROP),
    ];
    blocks.iter().for_each(|block| program.extend(around(*block)));
    program.push(verdict(DROP));
    program
}

fn around(block: Prefix) -> Vec<SockFilter> {
    let words = words(block);
    let family = match block.family() {
        Family::Ipv4 => libc::AF_INET,
        Family::Ipv6 => libc::AF_INET6,
    };
    let in_it = words.len() * 3 + 1;
    let mut program = vec![
        load(libc::BPF_B | libc::BPF_ABS, FAMILY),
        jump(libc::BPF_JEQ, family as u32, 0, in_it + 7),
        load(libc::BPF_B | libc::BPF_ABS, LENGTH),
        jump(libc::BPF_JGE, block.length().into(), 1, 0),
        verdict(ACCEPT),
        SockFilter::new((libc::BPF_LDX | libc::BPF_IMM) as u16, 0, 0, libc::RTA_DST.into()),
        load(libc::BPF_W | libc::BPF_IMM, ATTRIBUTES),
        load(libc::BPF_W | libc::BPF_ABS, (libc::SKF_AD_OFF + libc::SKF_AD_NLATTR) as u32),
        SockFilter::new((libc::BPF_MISC | libc::BPF_TAX) as u16, 0, 0, 0),
    ];
    for (place, (word, mask)) in words.iter().enumerate() {
        let to_the_end = in_it - place * 3 - 3;
        program.push(load(libc::BPF_W | libc::BPF_IND, HEADER + place as u32 * 4));
        program.push(SockFilter::new((libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16, 0, 0, *mask));
        program.push(jump(libc::BPF_JEQ, *word, 0, to_the_end));
    }
    program.push(verdict(ACCEPT));
    program
}

/// What the octets of an address in the block are, four at a time, and which bits of them count.
fn words(block: Prefix) -> Vec<(u32, u32)> {
    let octets = match block.address() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let words =
        octets.chunks_exact(4).map(|word| word.iter().fold(0, |word, octet| word << 8 | u32::from(*octet)));
    let masks = (0..).map(|place| match u32::from(block.length()).saturating_sub(place * 32) {
        0 => 0,
        bits => u32::MAX << 32u32.saturating_sub(bits),
    });
    words.zip(masks).take_while(|(_, mask)| *mask != 0).collect()
}

fn load(how: u32, from: u32) -> SockFilter {
    SockFilter::new((libc::BPF_LD | how) as u16, 0, 0, from)
}

/// Skips so many instructions.
fn jump(how: u32, value: u32, then: usize, otherwise: usize) -> SockFilter {
    SockFilter::new((libc::BPF_JMP | how | libc::BPF_K) as u16, then as u8, otherwise as u8, value)
}

fn verdict(octets: u32) -> SockFilter {
    SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, octets)
}
