//! One packet for every verdict, IPv4 and IPv6: what happens to it, as text. The model is asked here; the tests of the
//! programs ask the kernel for the same text.

use super::fleet::{self, FAMILIES, client, london, number, service, site_address};
use super::frames::{self, ACK, FIN, Header, SYN};
use continuity::search::Learned;
use continuity::{Action, Count, Counts, Flow, KeyId, Layer, Settings, Shim, SiteNumber, Visited};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use terms::Timestamp;

/// A packet, and the site that it comes to.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    /// Learned before.
    pub(crate) learned: Vec<(Flow, Learned)>,
    /// Being handed over.
    pub(crate) fenced: Vec<Flow>,
    /// Guessed before.
    pub(crate) owners: Vec<(IpAddr, SiteNumber)>,
    pub(crate) layer: Layer,
    /// All but the last one only lead there.
    pub(crate) frames: Vec<Vec<u8>>,
}

/// What became of the last frame of a case.
pub(crate) struct Seen {
    pub(crate) action: Action,
    pub(crate) frame: Vec<u8>,
    pub(crate) counts: Counts,
    pub(crate) held: Vec<(Flow, Vec<u8>)>,
}

/// The flow that a socket of the host has, where there is one.
pub(crate) fn owned(family: &str) -> Flow {
    fleet::flow(family, 1)
}

fn case(name: &str, family: &str, packet: Vec<u8>) -> Case {
    Case {
        name: format!("{name}, {family}"),
        settings: london(),
        learned: Vec::new(),
        fenced: Vec::new(),
        owners: Vec::new(),
        layer: Layer::Ethernet,
        frames: vec![frames::ethernet(&packet)],
    }
}

fn stranger(family: &str) -> SocketAddr {
    client(family, 99)
}

fn syn(family: &str, site: u8) -> Vec<u8> {
    frames::tcp(client(family, site), service(family), SYN, b"")
}

fn data(family: &str, site: u8) -> Vec<u8> {
    frames::tcp(client(family, site), service(family), ACK, b"data")
}

/// The packet as the last of the visited sites sends it to London.
pub(crate) fn wrapped(packet: &[u8], flow: &Flow, visited: Visited, key: KeyId) -> Vec<u8> {
    let mut keys = london().keys;
    keys.send_with(key);
    wrapped_with(packet, Shim::sign(visited, flow, &keys))
}

pub(crate) fn wrapped_with(packet: &[u8], shim: Shim) -> Vec<u8> {
    tunnelled(site_address(shim.visited.last().get()), &shim.encode(), packet)
}

fn tunnelled(from: IpAddr, shim: &[u8], packet: &[u8]) -> Vec<u8> {
    let to = fleet::address(if from.is_ipv4() { "10.1.0.10" } else { "2001:db8:1::10" });
    let [from, to] =
        [(from, 0xc001), (to, fleet::PORT)].map(|(address, port)| SocketAddr::new(address, port));
    frames::udp(from, to, &[shim, packet].concat())
}

fn relayed(family: &str, site: u8) -> Vec<u8> {
    wrapped(&data(family, site), &fleet::flow(family, site), Visited::One(number(2)), KeyId::ALL[1])
}

pub(crate) fn all() -> Vec<Case> {
    FAMILIES.into_iter().flat_map(of_family).collect()
}

fn of_family(family: &str) -> Vec<Case> {
    let cases = [passing(family), forwarded(family), dropped(family), arriving(family)].into_iter().flatten();
    // IPv4 has no extension headers.
    cases.filter(|case| family == "IPv6" || !case.name.contains("extension headers")).collect()
}

fn passing(family: &str) -> Vec<Case> {
    let (client, service) = (stranger(family), service(family));
    let elsewhere =
        SocketAddr::new(fleet::address(if family == "IPv4" { "192.0.2.1" } else { "2001:db8::1" }), 53);
    let later = broken_up(family, stranger(family), 8, true);
    let chain = Header { extensions: vec![(60, vec![0, 1, 4, 0, 0, 0, 0]); 5], ..Header::default() };
    let segment = frames::segment(client, service, ACK, &[], b"half");
    let mut again = case("a SYN of a learned connection that Tokyo has no more", family, syn(family, 2));
    again.learned = vec![(fleet::flow(family, 2), Learned::claimed(number(3), Timestamp::ZERO))];
    let mut dead = case("of a dead site", family, data(family, 4));
    dead.settings.paces.resets = fleet::pace(1);
    vec![
        case("to another address", family, frames::tcp(client, elsewhere, ACK, b"data")),
        case("a later fragment", family, later),
        case(
            "the first fragment, of a socket here",
            family,
            broken_up(family, fleet::client(family, 1), 0, true),
        ),
        case(
            "five extension headers",
            family,
            frames::ip_with(&chain, client.ip(), service.ip(), 6, &segment),
        ),
        case("a datagram", family, frames::udp(client, service, b"query")),
        case("a SYN", family, frames::tcp(client, service, SYN, b"")),
        again,
        case("of a socket here", family, frames::tcp(fleet::client(family, 1), service, ACK, b"data")),
        case(
            "too big, of a socket here",
            family,
            frames::too_big(router(family), fleet::client(family, 1), service),
        ),
        dead,
    ]
}

/// A fragment of a segment, at a place of so many octets, and whether more follow.
fn broken_up(family: &str, client: SocketAddr, place: u16, is_followed: bool) -> Vec<u8> {
    let more = u16::from(is_followed);
    let [high, low] = (place | more).to_be_bytes();
    let header = Header {
        fragment: (more << 13) | (place / 8),
        extensions: vec![(44, vec![0, high, low, 0, 0, 0, 7])],
        ..Header::default()
    };
    let service = service(family);
    let segment = frames::segment(client, service, ACK, &[], b"half");
    frames::ip_with(&header, client.ip(), service.ip(), 6, &segment)
}

fn router(family: &str) -> IpAddr {
    fleet::address(if family == "IPv4" { "192.0.2.254" } else { "2001:db8:ffff::1" })
}

fn forwarded(family: &str) -> Vec<Case> {
    let options = Header {
        traffic_class: 0xb9,
        options: vec![0x94, 0x04, 0, 0],
        extensions: vec![(0, vec![0, 5, 2, 0, 0, 1, 0]), (60, vec![0, 1, 4, 0, 0, 0, 0])],
        fragment: 0x4000,
    };
    let (client, service) = (client(family, 2), service(family));
    let whole = broken_up(family, client, 0, false);
    let segment = frames::segment(client, service, ACK, &[], b"data");
    let unusual = frames::ip_with(&options, client.ip(), service.ip(), 6, &segment);
    let chained = |count: usize, name: &str| {
        let extensions = vec![(60, vec![0, 1, 4, 0, 0, 0, 0]); count];
        let chained = Header { extensions, ..Header::default() };
        case(name, family, frames::ip_with(&chained, client.ip(), service.ip(), 6, &segment))
    };
    let mut learned = case("learned", family, data(family, 99));
    learned.learned = vec![(fleet::flow(family, 99), Learned::claimed(number(3), Timestamp::ZERO))];
    let mut kept = case("learned, and its owner has it still", family, data(family, 3));
    kept.learned = vec![(fleet::flow(family, 3), Learned::claimed(number(3), Timestamp::ZERO))];
    let mut given = case("learned, and its owner has given it to Paris", family, data(family, 2));
    given.learned = vec![(fleet::flow(family, 2), Learned::claimed(number(3), Timestamp::ZERO))];
    let mut sent =
        case("relayed to Tokyo, whose filter is from before, and Paris claims it", family, data(family, 2));
    sent.learned = vec![(fleet::flow(family, 2), Learned::sent(number(3), Timestamp::ZERO))];
    let mut opened = case("a SYN of a learned connection that Tokyo has still", family, syn(family, 3));
    opened.learned = vec![(fleet::flow(family, 3), Learned::claimed(number(3), Timestamp::ZERO))];
    let mut again = case("claimed, and again", family, data(family, 2));
    again.frames.push(again.frames[0].clone());
    let mut guessed = case("guessed", family, data(family, 99));
    guessed.owners = vec![(stranger(family).ip(), number(2))];
    let mut tagged = case("claimed, with a tag of 802.1Q", family, Vec::new());
    tagged.frames = vec![frames::tagged(&data(family, 2))];
    let mut bare = case("claimed, without a link header", family, Vec::new());
    (bare.layer, bare.frames) = (Layer::Ip, vec![data(family, 2)]);
    let mut forwarded = vec![
        learned,
        kept,
        given,
        sent,
        opened,
        case("claimed, whole, with that of a fragment among its extension headers", family, whole),
        case("claimed over IPv4", family, data(family, 2)),
        case("claimed over IPv6", family, data(family, 3)),
        case("claimed, with options", family, unusual),
        chained(4, "claimed, with four extension headers"),
        case("too big, claimed", family, frames::too_big(router(family), client, service)),
        again,
        guessed,
        tagged,
        bare,
    ];
    let held = [
        ("a SYN", frames::tcp(stranger(family), service, SYN, b"")),
        ("a datagram", frames::udp(stranger(family), service, b"query")),
        ("a segment", data(family, 99)),
    ];
    forwarded.extend(held.map(|(name, packet)| {
        let mut held = case(&format!("{name}, while London is held"), family, packet);
        held.settings.relay = Some(number(2));
        held
    }));
    forwarded
}

fn dropped(family: &str) -> Vec<Case> {
    let long = frames::tcp(client(family, 2), service(family), ACK, &[0x55; 1460]);
    let mut claims = case("claimed, and the budget is spent", family, data(family, 2));
    claims.settings.paces.claims = fleet::pace(0);
    let mut guesses = case("guessed, and the budget is spent", family, data(family, 99));
    guesses.owners = vec![(stranger(family).ip(), number(2))];
    guesses.frames = vec![guesses.frames[0].clone(); 3];
    let mut resets = case("of a dead site, and the budget is spent", family, data(family, 4));
    resets.frames = vec![resets.frames[0].clone(); 2];
    let fenced = |name: &str, packet: Vec<u8>| {
        let mut fenced = case(name, family, packet);
        fenced.fenced = vec![owned(family)];
        fenced
    };
    let ours = fleet::client(family, 1);
    let much = frames::segment(ours, service(family), ACK, &[], &[0x55; 2048]);
    let much = frames::ip(ours.ip(), service(family).ip(), 6, &much);
    let mut twice = fenced("held twice", frames::tcp(ours, service(family), ACK, b"data"));
    twice.frames.push(frames::tagged(&frames::tcp(ours, service(family), ACK | FIN, b"more")));
    vec![
        case("claimed by nobody", family, data(family, 99)),
        case("claimed, and too long", family, long),
        case("claimed, the first fragment", family, broken_up(family, client(family, 2), 0, true)),
        claims,
        guesses,
        resets,
        fenced("held", frames::tcp(ours, service(family), ACK, b"data")),
        twice,
        fenced(
            "held, from Paris",
            wrapped(&data(family, 1), &owned(family), Visited::One(number(2)), KeyId::ALL[1]),
        ),
        fenced("held, and too long", much),
        fenced("of another flow than the one that is held", data(family, 2)),
    ]
}

fn arriving(family: &str) -> Vec<Case> {
    let ours = owned(family);
    let packet = frames::tcp(client(family, 1), service(family), ACK | FIN, b"bye");
    let way = Visited::One(number(2));
    let from_paris = |name: &str, shim: Shim| case(name, family, wrapped_with(&packet, shim));
    let good = Shim::sign(way, &ours, &london().keys);
    // Paris errs, and tags what it writes.
    let in_error = |name: &str, change: u32| {
        let keys = london().keys;
        let shim = frames::signed(good.encode(), change, &ours, |id| keys.get(KeyId::ALL[id]));
        case(name, family, tunnelled(site_address(2), &shim, &packet))
    };
    let unknown = Shim { key: KeyId::ALL[3], ..good };
    let through = Visited::Two(number(4), number(3));
    let long_way = Visited::Three(number(9), number(8), number(2));
    let mut bare = case("from Paris, without a link header", family, Vec::new());
    (bare.layer, bare.frames) = (Layer::Ip, vec![wrapped(&packet, &ours, way, KeyId::ALL[1])]);
    let syn = frames::tcp(stranger(family), service(family), SYN, b"");
    let query = frames::udp(stranger(family), service(family), b"query");
    let on = wrapped(&data(family, 3), &fleet::flow(family, 3), way, KeyId::ALL[1]);
    let far = wrapped(&data(family, 3), &fleet::flow(family, 3), long_way, KeyId::ALL[1]);
    let back = wrapped(&data(family, 2), &fleet::flow(family, 2), way, KeyId::ALL[1]);
    let torn = broken_up(family, client(family, 1), 0, true);
    let nested = wrapped(&relayed(family, 1), &ours, way, KeyId::ALL[1]);
    vec![
        case("from Paris, of a socket here", family, wrapped(&packet, &ours, way, KeyId::ALL[1])),
        case(
            "from Tokyo after Oslo, with the next key",
            family,
            wrapped(&packet, &ours, through, KeyId::ALL[2]),
        ),
        bare,
        case("from Paris, a SYN", family, wrapped(&syn, &fleet::flow(family, 99), way, KeyId::ALL[1])),
        case("from Paris, a datagram", family, wrapped(&query, &fleet::flow(family, 99), way, KeyId::ALL[1])),
        case("from Paris, on to Tokyo", family, on),
        case("from Paris, and would go back", family, back),
        case("from Paris, and has visited three", family, far),
        from_paris("with a wrong tag", Shim { tag: !good.tag, ..good }),
        from_paris("with a key that is not known", unknown),
        from_paris(
            "that was here before",
            Shim::sign(Visited::Two(number(1), number(2)), &ours, &london().keys),
        ),
        case(
            "from a stranger's address",
            family,
            wrapped(&packet, &ours, Visited::One(number(7)), KeyId::ALL[1]),
        ),
        case("wrapped twice", family, nested),
        case("from Paris, a fragment", family, wrapped(&torn, &ours, way, KeyId::ALL[1])),
        in_error("with a bit that must be zero", 1),
        in_error("with a second site that it has not visited", 5 << 8),
        in_error("with a third site that it has not visited", 5 << 2),
        in_error("that has visited Paris twice", 1 << 14 | 2 << 8),
        in_error("that has visited four sites", 3 << 14 | 5 << 8 | 6 << 2),
        in_error("of another version", 1 << 24),
        case("with no shim", family, truncated()),
    ]
}

/// To the port of the tunnel, with fewer octets than a shim has.
fn truncated() -> Vec<u8> {
    let to = SocketAddr::new(fleet::address("10.1.0.10"), fleet::PORT);
    frames::udp(SocketAddr::new(site_address(2), 0xc001), to, b"\xca\x42")
}

/// What went in, what came out, what was counted.
pub(crate) fn render(case: &Case, seen: &Seen) -> String {
    let mut text = format!("{}: {:?}\n", case.name, seen.action);
    let counted = Count::ALL.into_iter().filter(|count| seen.counts.get(*count) > 0);
    let counted: Vec<_> = counted.map(|count| format!("{count:?} {}", seen.counts.get(count))).collect();
    let _ = writeln!(text, "  {}", counted.join(", "));
    for (flow, packet) in &seen.held {
        let _ = writeln!(text, "  held {} {}", flow.client_port, hex(packet));
    }
    let last = &case.frames[case.frames.len() - 1];
    let rows =
        if *last == seen.frame { vec![("same", last)] } else { vec![("in", last), ("out", &seen.frame)] };
    for (name, frame) in rows {
        let start = match case.layer {
            Layer::Ip => 0,
            Layer::Ethernet => {
                if frame[12..14] == [0x81, 0] {
                    18
                } else {
                    14
                }
            }
        };
        let (link, packet) = frame.split_at(start);
        let _ = writeln!(text, "  {name:<4} {}|{}", hex(link), hex(&packet[..packet.len().min(160)]));
    }
    text
}

fn hex(octets: &[u8]) -> String {
    let words =
        octets.chunks(4).map(|word| word.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
    words.collect::<Vec<_>>().join(" ")
}
