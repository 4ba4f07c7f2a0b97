//! The example that operators copy, as two processes at two sites: its connections go from one to the other.

use super::super::{Reception, Recess, Roster, Rules, Waits};
use super::stage::{PATIENCE, Place, Stage, inside, number, ring, service, until};
use crate::clock::Clock;
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

/// Where the example serves.
const ADDRESS: &str = "198.18.0.53:19";

const CLIENTS: usize = 8;

/// The example on a host, and the daemon's door for it. It ends with this.
struct Service {
    process: Child,
    roster: Roster,
    _rules: watch::Sender<Option<Rules>>,
}

impl Service {
    fn start(stage: &Stage, site: usize, place: &Place, socket: PathBuf) -> Self {
        let rules =
            Rules { socket: socket.clone(), users: Default::default(), addresses: [service().ip()].into() };
        let (rules, ruled) = watch::channel(Some(rules));
        let roster = Roster::default();
        let reception = Reception {
            rules: ruled,
            cooperation: place.cooperation.clone(),
            recess: Recess::default(),
            roster: roster.clone(),
            waits: Waits::of(PATIENCE),
            clock: Clock::start(),
            bus: place.bus.clone(),
        };
        let namespace = Arc::clone(&stage.hosts[site]);
        // It ends with the rules.
        std::thread::spawn(move || {
            let run = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(reception.run());
            };
            namespace.run(run).unwrap();
        });
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/stream.py");
        let mut command = Command::new("python3");
        command.arg(example).arg(socket).arg(ADDRESS);
        let process = stage.hosts[site].run(|| command.spawn().unwrap()).unwrap();
        Service { process, roster, _rules: rules }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that keeps account of what it was told, and of what it has sent.
struct Client {
    stream: BufReader<TcpStream>,
    lines: u64,
    sent: u64,
}

impl Client {
    async fn call(stage: &Stage) -> Self {
        let to: SocketAddr = ADDRESS.parse().unwrap();
        loop {
            let socket = stage.client.run(|| TcpSocket::new_v4().unwrap()).unwrap();
            // The example may not listen yet.
            if let Ok(stream) = socket.connect(to).await {
                return Client { stream: BufReader::new(stream), lines: 0, sent: 0 };
            }
        }
    }

    /// Reads so many lines, each the next one, and answers each; then reads until all of that has arrived.
    async fn talk(&mut self, lines: u64) {
        for _ in 0..lines {
            self.next_line().await;
            let piece = [b'x'; 7];
            self.stream.write_all(&piece).await.unwrap();
            self.sent += piece.len() as u64;
        }
        while self.next_line().await != self.sent {}
    }

    async fn next_line(&mut self) -> u64 {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        let (counted, octets) = line.trim_end().split_once(' ').unwrap();
        assert_eq!(counted.parse(), Ok(self.lines), "no line is lost, and none comes twice");
        self.lines += 1;
        let octets = octets.parse().unwrap();
        assert!(octets <= self.sent, "{octets} of {} octets", self.sent);
        octets
    }
}

#[test]
fn the_example_lets_its_connections_go_and_takes_them_where_they_go_to() {
    let sockets = tempfile::tempdir().unwrap();
    inside(async |stage| {
        let places = [stage.place(1, false, false, ring(1)), stage.place(2, false, false, ring(1))];
        let at = |site: usize| sockets.path().join(number(site as u8).to_string());
        let services = [0, 1].map(|site| Service::start(&stage, site, &places[site], at(site)));
        until(|| services.iter().all(|service| service.roster.all().len() == 1)).await;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::call(&stage).await);
        }
        for client in &mut clients {
            client.talk(2).await;
        }
        places[0].situation.send_modify(|now| now.as_mut().unwrap().leaving = [service().ip()].into());
        until(|| places[0].tally.numbers().given == CLIENTS as u64).await;
        for client in &mut clients {
            client.talk(3).await;
        }
        assert_eq!(places[1].tally.numbers().taken, CLIENTS as u64);
        // They are where they have gone to: nobody at the first site has them.
        let [first, second] = services;
        drop(first);
        clients[0].talk(1).await;
        drop(second);
    });
}

#[test]
fn a_daemon_with_a_full_queue_does_not_stop_the_example() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full");
    let seat = || Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    let (daemon, first) = (seat(), seat());
    daemon.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    daemon.listen(0).unwrap();
    first.connect(&SockAddr::unix(&path).unwrap()).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/stream.py");
    let mut process =
        Command::new("python3").arg(example).arg(&path).arg(address.to_string()).spawn().unwrap();
    let begun = std::time::Instant::now();
    let mut client = loop {
        match std::net::TcpStream::connect(address) {
            Ok(client) => break client,
            // It may not listen yet.
            Err(_) => assert!(begun.elapsed() < PATIENCE && process.try_wait().unwrap().is_none()),
        }
    };
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut line = [0; 4];
    let served = std::io::Read::read_exact(&mut client, &mut line);
    process.kill().unwrap();
    process.wait().unwrap();
    served.unwrap();
    assert_eq!(&line, b"0 0\n");
}
