//! The kernel as a judge: programs in namespaces of their own, where the service listens and one client is connected.
//!
//! Everything lives in one thread's namespaces, the file system for pins too: it goes with the process, however that ends.

use crate::fleet::{FAMILIES, client, service};
use continuity::{Action, Count, Counts, Layer};
use linux::link::{self, LinkIndex};
use linux::{Namespace, Netlink, address, mount};
use std::io::{self, ErrorKind::NetworkUnreachable};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use xdp::{Continuity, Program, Room, VERSION};

/// Little, so that a test is quick; what is tested fits.
pub(crate) const ROOM: Room = Room { flows_of_a_site: 10_000, moved_flows: 4096, prefixes: 4096 };

/// Runs the work where programs may be loaded, in an empty network with a place for pins.
pub(crate) fn inside<T: Send>(work: impl FnOnce(&Path) -> T + Send) -> Option<T> {
    if !linux::privileges::can_make_namespaces().unwrap() {
        eprintln!("SKIPPED: only root may load programs into the kernel: run the tests as root");
        return None;
    }
    let pins = tempfile::tempdir().unwrap();
    let run = || {
        mount::make_own().unwrap();
        mount::bpf(pins.path()).unwrap();
        work(&pins.path().join("catchment").join(VERSION))
    };
    Some(Namespace::new().unwrap().run(run).unwrap())
}

/// The service's sockets, and those of the one client that is connected to it over each family.
pub(crate) struct Sockets {
    _listeners: Vec<TcpListener>,
    _connections: Vec<(TcpStream, TcpStream)>,
}

impl Sockets {
    /// In the network of the calling thread.
    pub(crate) fn open() -> Self {
        let mut netlink = Netlink::open().unwrap();
        link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
        let (mut listeners, mut connections) = (Vec::new(), Vec::new());
        for family in FAMILIES {
            for end in [service(family), client(family, 1)] {
                address::add(&mut netlink, LinkIndex::LOOPBACK, end.ip().into()).unwrap();
            }
            let listener = TcpListener::bind(service(family)).unwrap();
            let near = connect(client(family, 1), service(family));
            connections.push((near, listener.accept().unwrap().0));
            listeners.push(listener);
        }
        Sockets { _listeners: listeners, _connections: connections }
    }
}

fn connect(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let connect = || linux::socket::connect_tcp(from, to, Duration::from_secs(30)).map_err(io::Error::from);
    when_there_is_a_way(connect).unwrap()
}

/// The kernel takes a moment to know the way to an IPv6 address that was just added.
pub(crate) fn when_there_is_a_way<T>(mut send: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let began = Instant::now();
    loop {
        match send() {
            Err(error) if error.kind() == NetworkUnreachable && began.elapsed() < Duration::from_secs(30) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
}

/// Has the program for what arrives judge a frame, once: run again, it would judge what it has made of it.
pub(crate) fn arrive(programs: &Continuity, layer: Layer, frame: &[u8]) -> (Action, Vec<u8>) {
    let program = match layer {
        Layer::Ethernet => Program::ArriveEthernet,
        Layer::Ip => Program::ArriveIp,
    };
    let trial = programs.trial(program, frame, 1).unwrap();
    // enum xdp_action of linux/bpf.h.
    let action = match trial.answer {
        1 => Action::Drop,
        2 => Action::Pass,
        3 => Action::Transmit,
        other => panic!("the program answered {other}"),
    };
    (action, trial.frame)
}

/// What was counted since then.
pub(crate) fn counted(programs: &Continuity, before: &Counts) -> Counts {
    let now = programs.counts().unwrap();
    Counts::new(Count::ALL.map(|count| now.get(count) - before.get(count)))
}
