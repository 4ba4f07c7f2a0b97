//! Routing moves a connection from Paris to London; London sends its packets on, and Paris takes them as if nothing had
//! happened. The loop in `main` is the network between them.
//!
//! `cargo run -p continuity --example by_hand`

use continuity::search::Knowledge;
use continuity::{
    Filter, Flow, Key, KeyId, KeyRing, Layer, Model, Pace, Paces, Settings, Site, SiteNumber, State,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use terms::Timestamp;

const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 1, 0, 10), Ipv4Addr::new(10, 2, 0, 10)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, service): (SocketAddr, SocketAddr) =
        ("203.0.113.7:40000".parse()?, "198.18.0.53:53".parse()?);
    let flow = Flow::new(client, service);
    let [mut london, mut paris] = [site(0, &[], service.ip())?, site(1, &[], service.ip())?];
    paris.knowledge.sockets.insert(flow);
    // What Paris tells the fleet of its connections, London learns.
    london.settings = site(0, &[flow], service.ip())?.settings;

    let packet = acknowledgement(client, service);
    for arrives in ["the first packet after the shift", "the next one"] {
        let at_london = london.arrive(&packet, Layer::Ip, Timestamp::ZERO);
        let at_paris = paris.arrive(&at_london.frame, Layer::Ip, Timestamp::ZERO);
        println!("{arrives}: {:?} at London, {:?} at Paris", at_london.verdict, at_paris.verdict);
        println!(
            "  {} octets on the way, and as the client sent it: {}",
            at_london.frame.len(),
            at_paris.frame == packet
        );
    }
    Ok(())
}

/// One of two sites, where the other one says that it owns these flows.
fn site(number: u8, others: &[Flow], service: IpAddr) -> Result<Model, Box<dyn std::error::Error>> {
    let filter_key = Key::new([9; 16]);
    let mut filter = Filter::with_room_for(1000);
    others.iter().for_each(|flow| filter.insert(flow, &filter_key));
    let other = Site {
        address: ADDRESSES[usize::from(1 - number)].into(),
        state: State::Alive,
        filter: Some(filter.into()),
    };
    let pace = Pace::per_second(NonZeroU32::try_from(1000)?, 1000);
    let settings = Settings {
        number: SiteNumber::try_from(number)?,
        keys: KeyRing::new(KeyId::ALL[0], Key::new([1; 16])),
        filter_key,
        paces: Paces { claims: pace, guesses: pace, resets: pace },
        source4: Some(ADDRESSES[usize::from(number)]),
        source6: None,
        port: NonZeroU16::try_from(9057)?,
        mtu: 1500,
        relay: None,
        services: [service].into(),
        sites: [(SiteNumber::try_from(1 - number)?, other)].into(),
    };
    Ok(Model { settings: Some(settings), knowledge: Knowledge::default() })
}

/// A segment without data; nobody looks at its checksums here.
fn acknowledgement(client: SocketAddr, service: SocketAddr) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
    for end in [client, service] {
        if let IpAddr::V4(address) = end.ip() {
            packet.extend(address.octets());
        }
    }
    packet.extend(client.port().to_be_bytes());
    packet.extend(service.port().to_be_bytes());
    packet.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    packet
}
