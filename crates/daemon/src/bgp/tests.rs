//! The tasks of two peers on one thread, and neighbours who really call: who waits for whom.

use super::*;
use crate::clock::Clock;
use crate::events::Bus;
use crate::export::GroupLevel;
use crate::metrics::Metrics;
use announce::Level;
use bgp::session::{Negotiated, PeerKind, StopKind};
use bgp::wire::as_path::AsPath;
use bgp::wire::attribute::PathAttributes;
use bgp::wire::capability::Capability;
use bgp::wire::message::KEEPALIVE;
use bgp::wire::open::Open;
use bgp::wire::update::Update;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;
use terms::{Asn, Family, Origin, Prefix, RouterId};
use tokio::sync::mpsc;

const SITE: &str = r#"
[site]
name = "site"
asn = 64500
router_id = "10.0.0.1"
reject_routes = false
[[peer]]
name = "observer"
address = "10.0.0.2"
asn = 64511
passive = true
[[peer]]
name = "flooder"
address = "10.0.0.3"
asn = 64512
passive = true
[[service]]
name = "web"
addresses = ["198.18.0.80"]
announce = ["198.18.0.0/24"]
[[service.check]]
http = { url = "http://198.18.0.80/" }
"#;

/// A peer's task, and the neighbour's end of its session.
struct Running {
    view: watch::Receiver<View>,
    theirs: std::net::TcpStream,
    /// Nothing is heard from here; without it the task would end.
    _stop: watch::Sender<Goodbye>,
}

/// Starts the task of a peer and calls it.
async fn start(neighbour: &config::Peer, decision: &watch::Sender<Arc<Decision>>) -> Running {
    let mouth = Mouth { clock: Clock::start(), bus: Bus::for_test(), metrics: Metrics::default() };
    let peer = Peer::new(neighbour.clone(), 1, Track::silent(), mouth);
    let mut view = peer.view();
    let (caller, calls) = mpsc::channel(1);
    let (stop, stopped) = watch::channel(Goodbye { kind: StopKind::Shutdown, text: None });
    let ears = Ears {
        lines: watch::Sender::default().subscribe(),
        decision: decision.subscribe(),
        neighbour: watch::channel(neighbour.clone()).1,
        calls,
        questions: mpsc::channel(1).1,
        path: watch::channel(None).1,
        stop: stopped,
        still: mpsc::channel(1).1,
    };
    tokio::spawn(peer.run(ears));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    caller.send(TcpStream::from_std(ours).unwrap()).await.unwrap();
    theirs.write_all(&greeting(neighbour.session.peer_asn)).unwrap();
    view.wait_for(|view| view.state == StateName::Established).await.unwrap();
    Running { view, theirs, _stop: stop }
}

/// What a neighbour says until the session is up.
fn greeting(asn: Asn) -> Vec<u8> {
    let open = Open {
        asn,
        hold_time: bgp::session::HoldTime::CONSERVATIVE,
        router_id: RouterId::try_from(7).unwrap(),
        capabilities: vec![Capability::Multiprotocol(Family::Ipv4), Capability::FourOctetAsn(asn)],
    };
    [&open.encode()[..], &KEEPALIVE].concat()
}

/// One UPDATE for each of many prefixes, again and again, until nobody reads it any more.
fn flood(mut theirs: std::net::TcpStream, asn: Asn) {
    let negotiated = Negotiated::plain(PeerKind::External);
    let update = |third: u8| {
        let attributes = PathAttributes {
            origin: Some(Origin::Igp),
            as_path: Some(AsPath::sequence(vec![asn])),
            next_hop: Some(Ipv4Addr::new(10, 0, 0, 3)),
            ..PathAttributes::default()
        };
        let prefix = Prefix::containing([100, 64, third, 0].into(), 24).unwrap();
        Update { attributes, reached: vec![prefix.into()], ..Update::default() }.encode(&negotiated).unwrap()
    };
    let octets: Vec<u8> = (0..=u8::MAX).flat_map(update).collect();
    while theirs.write_all(&octets).is_ok() {}
}

/// A decision waits for what is being read at that moment and for one read more, not for what the neighbour has to say.
#[tokio::test]
async fn a_neighbour_that_tells_without_end_delays_a_withdraw_by_two_reads_at_most() {
    /// No UPDATE of the flood is shorter.
    const UPDATE: usize = 40;
    let most = u64::try_from(2 * READ_OCTETS / UPDATE).unwrap();
    let site = config::parse("site.toml", SITE, Path::new("")).unwrap_or_else(|faults| panic!("{faults}"));
    let prefixes: Arc<[Prefix]> = Arc::from(["198.18.0.0/24".parse().unwrap()]);
    let decide = |level| {
        let groups = vec![GroupLevel { level, prefixes: Arc::clone(&prefixes) }];
        Arc::new(Decision { groups, ..Decision::default() })
    };
    let decision = watch::Sender::new(decide(Level::None));
    let mut observer = start(&site.peers[0], &decision).await;
    let mut flooder = start(&site.peers[1], &decision).await;
    let (theirs, asn) = (flooder.theirs.try_clone().unwrap(), site.peers[1].session.peer_asn);
    thread::spawn(move || flood(theirs, asn));
    for level in [Level::Normal, Level::None].into_iter().cycle().take(40) {
        // Deep in the flood: the next read is full again.
        let begun = flooder.view.borrow().received.accepted;
        flooder.view.wait_for(|view| view.received.accepted > begun + 2 * most).await.unwrap();
        let before = flooder.view.borrow().received.accepted;
        decision.send_replace(decide(level));
        let told = |view: &View| view.ledger.entry(prefixes[0]).is_some_and(|told| told.attributes.is_some());
        for peer in [&mut observer, &mut flooder] {
            peer.view.wait_for(|view| told(view) == (level == Level::Normal)).await.unwrap();
        }
        let meanwhile = flooder.view.borrow().received.accepted - before;
        assert!(meanwhile <= most, "{meanwhile} UPDATEs were read first, more than {most}");
    }
    flooder.theirs.shutdown(std::net::Shutdown::Both).unwrap();
}
