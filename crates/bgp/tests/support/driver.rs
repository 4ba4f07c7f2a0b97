//! The smallest real driver: one thread, sockets on loopback, the clock of the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "the driver of a test does the I/O that the core must not")]

use bgp::session::{ConnectionId, Direction, Event, Input, Output, Session, Settings};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use terms::Timestamp;

pub(crate) struct Driver {
    pub(crate) session: Session,
    /// Every event so far, as a sentence.
    pub(crate) events: Vec<String>,
    listener: TcpListener,
    neighbour: SocketAddr,
    streams: BTreeMap<ConnectionId, TcpStream>,
    opened: u64,
    clock: Instant,
}

impl Driver {
    pub(crate) fn new(settings: Settings, listener: TcpListener, neighbour: SocketAddr) -> Self {
        listener.set_nonblocking(true).unwrap();
        Driver {
            session: Session::new(settings, 1),
            events: Vec::new(),
            listener,
            neighbour,
            streams: BTreeMap::new(),
            opened: 0,
            clock: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.clock.elapsed()
    }

    /// Feeds one input and carries out what follows from it.
    pub(crate) fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.session.handle(input, self.now());
            while let Some(output) = self.session.poll_output() {
                inputs.extend(self.carry_out(output));
            }
            inputs.extend(self.session.poll_input());
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Connect => match TcpStream::connect_timeout(&self.neighbour, Duration::from_secs(5)) {
                Ok(stream) => Some(self.adopt(stream, Direction::Outbound)),
                Err(error) => Some(Input::ConnectFailed { reason: error.to_string().into() }),
            },
            Output::Send { connection, bytes } => {
                // On loopback the few octets of a test always fit the socket's buffer.
                let written = self.streams.get_mut(&connection)?.write_all(&bytes);
                let octets = bytes.len();
                Some(match written {
                    Ok(()) => Input::Written { connection, octets },
                    Err(_) => Input::Closed { connection },
                })
            }
            Output::Close { connection } => {
                self.streams.remove(&connection);
                None
            }
            Output::Event(event) => {
                self.events.push(Event::to_string(&event));
                None
            }
        }
    }

    fn adopt(&mut self, stream: TcpStream, direction: Direction) -> Input {
        stream.set_nonblocking(true).unwrap();
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        self.streams.insert(connection, stream);
        Input::Connected { connection, direction }
    }

    /// What came in from the network, if anything did.
    fn arrival(&mut self) -> Option<Input> {
        if let Ok((stream, _)) = self.listener.accept() {
            return Some(self.adopt(stream, Direction::Inbound));
        }
        let mut buffer = [0; 4096];
        for (&connection, stream) in &mut self.streams {
            match stream.read(&mut buffer) {
                Ok(0) => return Some(Input::Closed { connection }),
                Ok(count) => return Some(Input::Bytes { connection, bytes: buffer[..count].to_vec() }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Some(Input::Closed { connection }),
            }
        }
        None
    }

    /// Runs until the condition holds; a minute without it is a failure.
    pub(crate) fn run_until(&mut self, what: &str, mut holds: impl FnMut(&Driver) -> bool) {
        let patience = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < patience, "waited in vain for {what}: {:#?}", self.events);
            while let Some(input) = self.arrival() {
                if let Input::Closed { connection } = input {
                    self.streams.remove(&connection);
                }
                self.feed(input);
            }
            if self.session.deadline().is_some_and(|deadline| deadline <= self.now()) {
                self.feed(Input::Timer);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn run_until_event(&mut self, part: &str) {
        self.run_until(part, |driver| driver.events.iter().any(|event| event.contains(part)));
    }
}
