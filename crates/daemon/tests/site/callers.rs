//! Ten thousand callers who keep the sockets of the API busy, while a decision has to be made.

use crate::world::{World, until};
use linux::limits;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::Write;
use std::net::SocketAddr;

const CALLERS: usize = 10_000;

/// What callers say before they fall silent. None of them ever reads.
const WORDS: [&str; 5] = [
    "",
    "GET /status HTTP/1.1\r\nHost: local",
    "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /events/follow HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65536\r\n\r\nx",
];

/// Calls without waiting for anything: whom the kernel does not let in at once keeps knocking.
fn call(domain: Domain, to: &SockAddr, words: &str) -> Socket {
    let mut socket = Socket::new(domain, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(to);
    let _ = socket.write_all(words.as_bytes());
    socket
}

#[test]
fn ten_thousand_callers_delay_no_decision_and_take_nothing_from_a_session() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    assert!(limits::allow_descriptors(2 * CALLERS as u64).unwrap() >= 2 * CALLERS as u64);

    let page = SockAddr::from("127.0.0.1:9053".parse::<SocketAddr>().unwrap());
    let control = SockAddr::unix(world.path("api.sock")).unwrap();
    let mut callers = Vec::new();
    for words in WORDS.into_iter().cycle().take(CALLERS / 2) {
        callers.push(world.site.run(|| call(Domain::IPV4, &page, words)).unwrap());
        callers.push(call(Domain::UNIX, &control, words));
    }
    until("the callers are inside", || daemon.descriptors() > 2 * page::MAX_CONNECTIONS);

    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    let _nsd = world.nsd();
    until("both prefixes are announced again", || world.is_announced());
    assert!(world.birdc("show protocols site").contains("Established"));
    assert!(!world.bird_log().contains("Hold timer"));
    assert!(daemon.descriptors() < 3 * page::MAX_CONNECTIONS, "{} descriptors", daemon.descriptors());
    drop(callers);
    assert_eq!(world.document("/status")["groups"][0]["state"], "up");
}
