//! Connections: pipelines, and each way to waste a place while others want to be served.

use super::*;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

fn with_limits(connections: usize, idle: u64) -> World {
    World::with(&Settings { limits: limits(connections, idle), ..settings(1) })
}

fn ask_over(stream: &mut TcpStream, id: u16) {
    stream.write_all(&framed(&query(id, 6))).unwrap();
    assert_eq!(read_framed(stream)[..2], id.to_be_bytes());
}

/// Waits until the service has closed it. Replies that are still on their way are read.
fn ends(stream: &mut TcpStream) {
    let mut octets = [0; 4096];
    loop {
        match stream.read(&mut octets) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it is still open"),
            Err(_) => return,
        }
    }
}

/// Waits until the service has forgotten it.
fn is_reset(stream: &mut TcpStream) {
    let end = loop {
        match stream.read(&mut [0; 4096]) {
            Ok(1..) => {}
            end => break end.map_err(|error| error.kind()),
        }
    };
    assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset));
}

impl World {
    /// Asks over UDP, 32 queries at a time, until it is enough. Every query is answered, or the test fails.
    fn asking<'s>(&'s self, scope: &'s Scope<'s, '_>, enough: &'s AtomicBool) -> ScopedJoinHandle<'s, u64> {
        scope.spawn(|| {
            let bind = || UdpSocket::bind("198.18.0.53:0").unwrap();
            let socket = self.namespace.run(bind).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.connect("198.18.0.53:53").unwrap();
            let mut answered = 0;
            while !enough.load(Ordering::Relaxed) {
                for id in 0..32 {
                    socket.send(&query(id, 6)).unwrap();
                }
                let mut open: BTreeSet<u16> = (0..32).collect();
                while !open.is_empty() {
                    let mut reply = [0; 512];
                    socket.recv(&mut reply).expect("a query over UDP was lost");
                    assert!(open.remove(&u16::from_be_bytes([reply[0], reply[1]])));
                    answered += 1;
                }
            }
            answered
        })
    }
}

/// `attack` happens; UDP loses nothing meanwhile.
fn during(world: &World, attack: impl FnOnce()) {
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let udp = world.asking(scope, &enough);
        attack();
        enough.store(true, Ordering::Relaxed);
        assert!(udp.join().unwrap() > 0);
    });
}

#[test]
fn ten_thousand_connections_take_nothing_from_who_asks() {
    let allowed = linux::limits::allow_descriptors(65_536).unwrap();
    assert!(allowed > 12_000, "this test needs 12000 descriptors and may have {allowed} (ulimit -n)");
    let world = with_limits(256, 3600);
    during(&world, || {
        let mut asking = world.connect();
        let mut crowd = Vec::new();
        for round in 0..100 {
            crowd.extend((0..100).map(|_| world.connect()));
            ask_over(&mut asking, round);
        }
        wait_until("the end of nearly all of the crowd", || {
            let tcp = world.counts(Transport::Tcp);
            tcp.connections == 10_001 && tcp.open() == 256
        });
        assert_eq!(world.counts(Transport::Tcp).crowded, 10_001 - 256);
        ask_over(&mut asking, 100);
    });
}

#[test]
fn octets_alone_keep_no_place() {
    let world = with_limits(100, 1);
    during(&world, || {
        let mut slow: Vec<TcpStream> = (0..20).map(|_| world.connect()).collect();
        let message = framed(&[0; 60_000]);
        let mut octets = message.iter();
        wait_until("the end of those who send octet by octet", || {
            ask_over(&mut world.connect(), 1);
            let octet = octets.next().unwrap();
            // Fails where the service has hung up, which is the point.
            slow.iter_mut().for_each(|stream| drop(stream.write(&[*octet])));
            world.counts(Transport::Tcp).idle == 20
        });
        slow.iter_mut().for_each(ends);
    });
}

#[test]
fn who_reads_nothing_is_cut() {
    let world = with_limits(100, 1);
    during(&world, || {
        let many = large_query().repeat(1000);
        let mut greedy: Vec<TcpStream> = (0..20).map(|_| world.connect()).collect();
        for stream in &mut greedy {
            stream.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
            // Fails when the service has stopped reading, which is the point.
            let _ = stream.write_all(&many);
        }
        wait_until("the end of those who do not read", || {
            ask_over(&mut world.connect(), 1);
            world.counts(Transport::Tcp).idle == 20
        });
        greedy.iter_mut().for_each(is_reset);
        let replies = world.counts(Transport::Tcp).queries;
        assert!(replies < 20 * 1000, "what nobody reads is not made: {replies}");
    });
}

#[test]
fn the_idlest_gives_its_place_up() {
    let world = with_limits(4, 3600);
    let mut streams: Vec<TcpStream> = (0..4).map(|_| world.connect()).collect();
    for at in [3, 1, 0, 2] {
        ask_over(&mut streams[at], 1);
    }
    let mut newcomer = world.connect();
    ask_over(&mut newcomer, 2);
    is_reset(&mut streams[3]);
    (0..3).for_each(|at| ask_over(&mut streams[at], 3));
    wait_until("its end is counted", || world.counts(Transport::Tcp).open() == 4);
}

#[test]
fn a_network_has_its_share_and_no_more() {
    let shared = Limits { per_network: 2.try_into().unwrap(), ..limits(10, 3600) };
    let world = World::with(&Settings { limits: shared, ..settings(1) });
    let from = |address: &str| {
        let connect = || {
            linux::socket::connect_tcp(address.parse().unwrap(), "198.18.0.53:53".parse().unwrap(), PATIENCE)
        };
        let stream = world.namespace.run(connect).unwrap().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let mut other = from("127.0.9.1:0");
    ask_over(&mut other, 1);
    let mut its: Vec<TcpStream> = (1..=4).map(|host| from(&format!("127.0.0.{host}:0"))).collect();
    ask_over(its.last_mut().unwrap(), 2);
    wait_until("the end of two of them", || world.counts(Transport::Tcp).crowded == 2);
    its[..2].iter_mut().for_each(ends);
    its[2..].iter_mut().for_each(|stream| ask_over(stream, 3));
    ask_over(&mut other, 4);
}

#[test]
fn other_limits_hold_from_a_reload_on() {
    let world = with_limits(100, 3600);
    let mut stream = world.connect();
    ask_over(&mut stream, 1);
    world.server.receive(limits(100, 1), None);
    wait_until("its end", || world.counts(Transport::Tcp).idle == 1);
    ends(&mut stream);
}

#[test]
fn who_hangs_up_after_its_queries_is_answered_first() {
    let world = World::new(1);
    let mut stream = world.connect();
    let queries: Vec<u8> = (0..1000).flat_map(|id| framed(&query(id, 6))).collect();
    stream.write_all(&queries).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    for id in 0..1000u16 {
        assert_eq!(read_framed(&mut stream)[..2], id.to_be_bytes());
    }
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    wait_until("its place is free", || world.counts(Transport::Tcp).open() == 0);
}

#[test]
fn queries_of_one_connection_are_answered_in_order() {
    let world = World::new(1);
    let mut stream = world.connect();
    let queries: Vec<u8> =
        (0..100).flat_map(|id| framed(&query(id, if id % 2 == 0 { 6 } else { 2 }))).collect();
    // In pieces that end anywhere.
    for piece in queries.chunks(7) {
        stream.write_all(piece).unwrap();
    }
    for id in 0..100u16 {
        assert_eq!(read_framed(&mut stream)[..2], id.to_be_bytes());
    }
}

#[test]
fn octets_that_are_no_query_end_the_connection() {
    let world = World::new(1);
    for garbage in [framed(b""), framed(b"hello"), framed(&[0x80; 12])] {
        let mut stream = world.connect();
        stream.write_all(&garbage).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{garbage:?}: {rest:?}");
    }
    assert_eq!(world.counts(Transport::Tcp).silent, 3);
}
