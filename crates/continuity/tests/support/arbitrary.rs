//! Values for property tests: those of a fleet of few, so that packets meet what they are about.

use super::fleet::{self, FAMILIES, site_address};
use super::frames::{self, ACK, FIN, Header, SYN};
use continuity::handover::{Dump, Message, Queue, Refusal, Window};
use continuity::service::{Join, Said};
use continuity::{Flow, KeyId, Layer, Settings, Shim, SiteNumber, State, Visited};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::{IpAddr, SocketAddr};

pub(crate) fn number() -> impl Strategy<Value = SiteNumber> {
    (0..64_u8).prop_map(fleet::number)
}

pub(crate) fn visited() -> impl Strategy<Value = Visited> {
    vec(number(), 1..4).prop_map(|sites| {
        let way = Visited::One(sites[0]);
        sites[1..].iter().fold(way, |way, site| way.and(*site).unwrap_or(way))
    })
}

pub(crate) fn shim() -> impl Strategy<Value = Shim> {
    (select(&KeyId::ALL[..]), visited(), any::<u32>()).prop_map(|(key, visited, tag)| Shim {
        key,
        visited,
        tag,
    })
}

pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u16>(), any::<u16>()).prop_map(
        |(client, service, near, far)| Flow {
            client: client.into(),
            service: service.into(),
            client_port: near,
            service_port: far,
        },
    )
}

/// Any settings of London: held or not, rich or poor, with a site less, or with itself among the sites.
pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let paces = (0..6_u32, 0..4_u32, 0..3_u32);
    let relay = proptest::option::weighted(0.2, 0..5_u8);
    let sites = (proptest::option::of(2..5_u8), proptest::bool::weighted(0.3));
    (paces, relay, sites, 1336..2000_u16).prop_map(
        |((claims, guesses, resets), relay, (gone, has_itself), mtu)| {
            let mut settings = fleet::london();
            settings.paces.claims = fleet::pace(claims);
            settings.paces.guesses = fleet::pace(guesses);
            settings.paces.resets = fleet::pace(resets);
            settings.relay = relay.map(fleet::number);
            settings.mtu = mtu;
            if let Some(gone) = gone {
                settings.sites.remove(&fleet::number(gone));
            }
            if has_itself {
                // Its filter has everything that Paris has, too.
                let itself = fleet::site(1, &[1, 2], State::Alive);
                settings.sites.insert(settings.number, itself);
            }
            settings
        },
    )
}

/// Clients whose flows sites have, one whose flows nobody has, and a neighbour of a client that Paris has.
fn client(family: &'static str) -> impl Strategy<Value = SocketAddr> {
    let neighbour = SocketAddr::new(fleet::client(family, 2).ip(), 50_000);
    let clients = [1, 2, 3, 4, 9].map(|site| fleet::client(family, site));
    select([&clients[..], &[neighbour]].concat())
}

fn header() -> impl Strategy<Value = Header> {
    let options = select(vec![vec![], vec![], vec![0x94, 4, 0, 0], vec![1; 40]]);
    // In a fragment's, what follows the length says whether more fragments follow, and of which place this one is.
    let place = select(vec![0_u8, 0, 1, 8]);
    let extension = (select(vec![0_u8, 43, 60, 60, 44, 44]), select(vec![0_u8, 0, 1, 200]), place);
    let extensions = vec(extension, 0..6).prop_map(|extensions| {
        let rest = |(kind, length, place): (u8, u8, u8)| {
            let length_here = if kind == 44 { 0 } else { usize::from(length.min(1)) };
            (kind, [vec![length, 0, place], vec![0; (length_here + 1) * 8 - 4]].concat())
        };
        extensions.into_iter().map(rest).collect()
    });
    let extensions = prop_oneof![3 => Just(Vec::new()), 1 => extensions];
    let fragment = select(vec![0_u16, 0, 0x4000, 0x4000, 0x4000, 0x2000, 0x0007]);
    (any::<u8>(), options, extensions, fragment).prop_map(|(traffic_class, options, extensions, fragment)| {
        Header { traffic_class, options, extensions, fragment }
    })
}

/// Packets of clients and of routers, for the service most of the time.
fn packet(family: &'static str) -> impl Strategy<Value = (Vec<u8>, Flow)> {
    let service = fleet::service(family);
    let flags = select(vec![ACK, ACK, ACK | FIN, SYN, SYN | ACK, 0x04, 0]);
    let length = prop_oneof![4 => 0..60_usize, 1 => 1200..1800_usize];
    let segment =
        (client(family), header(), flags, length).prop_map(move |(client, header, flags, length)| {
            let segment = frames::segment(client, service, flags, &[], &vec![0x55; length]);
            (frames::ip_with(&header, client.ip(), service.ip(), 6, &segment), Flow::new(client, service))
        });
    let datagram = (client(family), 0..60_usize).prop_map(move |(client, length)| {
        (frames::udp(client, service, &vec![0x55; length]), Flow::new(client, service))
    });
    let error = (client(family), client(family), 0..14_u8, 0..80_usize, any::<bool>()).prop_map(
        move |(router, client, kind, length, is_tcp)| {
            let quoted = if is_tcp {
                frames::tcp(service, client, ACK, &[0x55; 40])
            } else {
                frames::udp(service, client, &[0x55; 60])
            };
            let quoted = &quoted[..length.min(quoted.len())];
            (frames::icmp(router.ip(), service.ip(), kind, 0, quoted), Flow::new(client, service))
        },
    );
    let elsewhere = (client(family), 0..40_usize).prop_map(move |(client, length)| {
        let to = SocketAddr::new(
            fleet::address(if service.is_ipv4() { "198.18.0.54" } else { "2001:db8:53::54" }),
            53,
        );
        (frames::tcp(client, to, ACK, &vec![0x55; length]), Flow::new(client, to))
    });
    prop_oneof![6 => segment, 1 => datagram, 2 => error, 1 => elsewhere]
}

/// What sites send each other, and what somebody sends who would like to be a site.
fn wrapped(family: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let way = vec(select(vec![1_u8, 2, 2, 3, 3, 4, 5]), 1..4).prop_map(|sites| {
        let way = Visited::One(fleet::number(sites[0]));
        sites[1..].iter().fold(way, |way, site| way.and(fleet::number(*site)).unwrap_or(way))
    });
    let spoiled = prop_oneof![6 => Just(0_u32), 1 => any::<u32>()];
    // A site that errs tags what it writes, too.
    let error = prop_oneof![3 => Just(0_u32), 1 => (0..32_u32).prop_map(|bit| 1 << bit), 1 => any::<u32>()];
    (packet(family), way, select(&KeyId::ALL[..]), spoiled, error).prop_map(
        |((packet, flow), way, key, spoiled, error)| {
            let mut keys = fleet::london().keys;
            keys.learn(KeyId::ALL[3], fleet::key(3));
            keys.send_with(key);
            let shim = match error {
                0 => Shim::sign(way, &flow, &keys).encode(),
                error => frames::signed(Shim::sign(way, &flow, &keys).encode(), error, &flow, |id| {
                    keys.get(KeyId::ALL[id])
                }),
            };
            let tag = u32::from_be_bytes([shim[4], shim[5], shim[6], shim[7]]) ^ spoiled;
            let shim = [&shim[..4], &tag.to_be_bytes()].concat();
            let from = SocketAddr::new(site_address(way.last().get()), 0xc001);
            let to: IpAddr = fleet::address(if from.is_ipv4() { "10.1.0.10" } else { "2001:db8:1::10" });
            frames::udp(from, SocketAddr::new(to, fleet::PORT), &[&shim, &packet[..]].concat())
        },
    )
}

/// A frame of any kind, and now and then one that something has gone wrong with.
pub(crate) fn frame() -> impl Strategy<Value = (Layer, Vec<u8>)> {
    let packet = select(&FAMILIES[..]).prop_flat_map(
        |family| prop_oneof![3 => packet(family).prop_map(|(packet, _)| packet), 2 => wrapped(family)],
    );
    let link = select(vec![
        (Layer::Ethernet, false),
        (Layer::Ethernet, false),
        (Layer::Ethernet, true),
        (Layer::Ip, false),
    ]);
    let damage = prop_oneof![4 => Just(None), 1 => any::<(u16, u8)>().prop_map(Some)];
    let length = prop_oneof![6 => Just(0_i32), 1 => -80..80_i32];
    (packet, link, damage, length).prop_map(|(packet, (layer, is_tagged), damage, length)| {
        let mut frame = match (layer, is_tagged) {
            (Layer::Ip, _) => packet,
            (Layer::Ethernet, false) => frames::ethernet(&packet),
            (Layer::Ethernet, true) => frames::tagged(&packet),
        };
        let len = frame.len().saturating_add_signed(length as isize).max(14);
        frame.resize(len, 0);
        if let Some((place, octet)) = damage {
            // The headers are where damage does harm.
            let place = usize::from(place) % len.min(140);
            frame[place] = octet;
        }
        (layer, frame)
    })
}

/// A connection with little in it.
pub(crate) fn a_dump() -> Dump {
    Dump {
        service: fleet::service("IPv4"),
        client: fleet::client("IPv4", 2),
        segment_size: 1460,
        scales: Some((7, 8)),
        is_selective: true,
        timestamp: Some(0x0102_0304),
        window: Window { updated_by: 1, theirs: 64_000, largest: 65_000, ours: 66_000, ours_from: 2 },
        sent: Queue { next: 1000, octets: b"sent".to_vec() },
        unsent: 1,
        received: Queue { next: 2000, octets: b"received".to_vec() },
    }
}

fn dump() -> impl Strategy<Value = Dump> {
    let queue = || (any::<u32>(), vec(any::<u8>(), 0..60)).prop_map(|(next, octets)| Queue { next, octets });
    let window = any::<[u32; 5]>().prop_map(|[updated_by, theirs, largest, ours, ours_from]| Window {
        updated_by,
        theirs,
        largest,
        ours,
        ours_from,
    });
    let options = (any::<u16>(), option::of((0..15_u8, 0..15_u8)), any::<bool>(), option::of(any::<u32>()));
    let ends = (select(&FAMILIES[..]), 1..9_u8);
    (ends, options, window, queue(), queue(), any::<prop::sample::Index>()).prop_map(
        |(
            (family, site),
            (segment_size, scales, is_selective, timestamp),
            window,
            sent,
            received,
            unsent,
        )| Dump {
            service: fleet::service(family),
            client: fleet::client(family, site),
            segment_size,
            scales,
            is_selective,
            timestamp,
            window,
            unsent: unsent.index(sent.octets.len() + 1) as u32,
            sent,
            received,
        },
    )
}

/// Anything that two sites say to each other.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let offer = (vec(any::<u8>(), 0..40), dump()).prop_map(|(state, dump)| Message::Offer { state, dump });
    let short = select(vec![
        Message::Begin,
        Message::Accepted,
        Message::Refused(Refusal::NoService),
        Message::Refused(Refusal::Kernel),
        Message::Refused(Refusal::Service),
        Message::Refused(Refusal::NoRoom),
        Message::Released,
        Message::Withdrawn,
    ]);
    prop_oneof![3 => offer, 1 => short]
}

/// Anything that a service says, and how.
pub(crate) fn said() -> impl Strategy<Value = (Vec<u8>, Said)> {
    let address = (select(&FAMILIES[..]), 1..9_u8)
        .prop_map(|(family, port)| SocketAddr::new(fleet::service(family).ip(), port.into()));
    let join = ("[a-zA-Z0-9_.-]{1,32}", vec(address, 1..16)).prop_map(|(name, addresses)| {
        let words: String = addresses.iter().map(|address| format!(" {address}")).collect();
        let join = Join { name: name.parse().unwrap(), addresses: addresses.into_iter().collect() };
        (format!("join 1 {name}{words}\n").into_bytes(), Said::Join(join))
    });
    let wish = any::<u32>().prop_map(|count| (format!("wish {count}\n").into_bytes(), Said::Wish(count)));
    let offer = (any::<u64>(), vec(any::<u8>(), 0..40)).prop_map(|(turn, state)| {
        let packet = [format!("offer {turn}\n").as_bytes(), &state].concat();
        (packet, Said::Offer { turn, state })
    });
    let pass = any::<u64>().prop_map(|turn| (format!("pass {turn}\n").into_bytes(), Said::Pass(turn)));
    let short = select(vec![(b"full\n".to_vec(), Said::Full), (b"room\n".to_vec(), Said::Room)]);
    prop_oneof![join, wish, offer, pass, short]
}
