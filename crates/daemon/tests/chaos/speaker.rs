//! A speaker of BGP by hand: it can say what no speaker would, so it knows only octets.

use crate::host::Host;
use socket2::{Domain, SockRef, Socket, Type};
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) const OPEN: u8 = 1;
pub(crate) const UPDATE: u8 = 2;
pub(crate) const NOTIFICATION: u8 = 3;
pub(crate) const KEEPALIVE: u8 = 4;
pub(crate) const ROUTE_REFRESH: u8 = 5;

/// How long to wait for anything at all.
const PATIENCE: Duration = Duration::from_secs(30);

const MARKER: [u8; 16] = [0xff; 16];

/// The capabilities of everybody: IPv4 unicast (RFC 4760), route refresh (RFC 2918).
pub(crate) const CAPABILITIES: [u8; 8] = [1, 4, 0, 1, 0, 1, 2, 0];

/// A message with any marker, and any length in its header.
pub(crate) fn raw(marker: [u8; 16], length: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    [&marker[..], &length.to_be_bytes(), &[kind], body].concat()
}

/// A message as it should be (RFC 4271 section 4.1).
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    raw(MARKER, u16::try_from(19 + body.len()).unwrap(), kind, body)
}

/// A well-formed message that states another length.
pub(crate) fn of_length(length: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    raw(MARKER, length, kind, body)
}

/// What an OPEN says.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) version: u8,
    pub(crate) asn: u16,
    pub(crate) hold_time: u16,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) capabilities: Vec<u8>,
}

impl Open {
    /// One that nobody minds.
    pub(crate) fn of(asn: u16, router_id: Ipv4Addr) -> Self {
        Open { version: 4, asn, hold_time: 90, router_id, capabilities: CAPABILITIES.to_vec() }
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let capabilities = u8::try_from(self.capabilities.len()).unwrap();
        let body = [
            &[self.version][..],
            &self.asn.to_be_bytes(),
            &self.hold_time.to_be_bytes(),
            &self.router_id.octets(),
            &[capabilities + 2, 2, capabilities],
            &self.capabilities,
        ];
        message(OPEN, &body.concat())
    }
}

/// An UPDATE with these path attributes and these prefixes of 24 bits.
pub(crate) fn update(attributes: &[u8], prefixes: &[[u8; 3]]) -> Vec<u8> {
    let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
    let prefixes: Vec<u8> = prefixes.iter().flat_map(|&[a, b, c]| [24, a, b, c]).collect();
    message(UPDATE, &[&[0, 0], &length[..], attributes, &prefixes].concat())
}

/// The path attributes of a route from an AS with two-octet numbers: ORIGIN, AS_PATH, NEXT_HOP.
pub(crate) fn attributes(asn: u16, next_hop: Ipv4Addr) -> Vec<u8> {
    let [high, low] = asn.to_be_bytes();
    let path = [0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, high, low, 0x40, 3, 4];
    [&path[..], &next_hop.octets()].concat()
}

/// How the site answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With a NOTIFICATION: its code and subcode.
    Notification(u8, u8),
    /// It hangs up without a word.
    HangsUp,
    /// The session is up and goes on.
    Established,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Notification(code, subcode) => write!(f, "NOTIFICATION {code}/{subcode}"),
            Answer::HangsUp => f.write_str("hangs up"),
            Answer::Established => f.write_str("has a session with it"),
        }
    }
}

/// A connection to the site.
pub(crate) struct Call {
    pub(crate) stream: TcpStream,
    arrived: Vec<u8>,
}

impl Call {
    /// Calls the site from one of the addresses of a host.
    pub(crate) fn dial(host: &Host, from: Ipv4Addr, site: Ipv4Addr) -> std::io::Result<Self> {
        let connect = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from((from, 0)).into())?;
            socket.connect_timeout(&SocketAddr::from((site, 179)).into(), PATIENCE)?;
            Ok::<_, std::io::Error>(TcpStream::from(socket))
        };
        let stream = host.namespace.run(connect).unwrap()?;
        Ok(Call::on(stream))
    }

    /// A connection that the site has opened.
    pub(crate) fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Call { stream, arrived: Vec::new() }
    }

    /// Says something. A site that has hung up hears nothing, and its answer may still be read.
    pub(crate) fn say(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
    }

    /// The next message: its type and its body; none when the site has hung up.
    pub(crate) fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if self.arrived.len() >= 19 {
                let length = usize::from(u16::from_be_bytes([self.arrived[16], self.arrived[17]]));
                if self.arrived.len() >= length {
                    let message: Vec<u8> = self.arrived.drain(..length).collect();
                    return Some((message[18], message[19..].to_vec()));
                }
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.arrived.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the site says nothing: {error}"),
            }
        }
    }

    /// Waits for the site's OPEN.
    pub(crate) fn hear_open(&mut self) {
        let heard = self.hear().map(|(kind, _)| kind);
        assert_eq!(heard, Some(OPEN), "a site introduces itself first");
    }

    /// Brings a session up.
    pub(crate) fn establish(&mut self, open: &Open) {
        self.say(&open.message());
        self.hear_open();
        assert_eq!(self.hear().map(|(kind, _)| kind), Some(KEEPALIVE));
        self.say(&message(KEEPALIVE, &[]));
    }

    /// How the site answers what was said: the end of the session, or an UPDATE, which it sends on a session that is
    /// up.
    pub(crate) fn answer(&mut self) -> Answer {
        loop {
            match self.hear() {
                None => return Answer::HangsUp,
                Some((NOTIFICATION, body)) => return Answer::Notification(body[0], body[1]),
                Some((UPDATE, _)) => return Answer::Established,
                Some(_) => {}
            }
        }
    }

    /// Waits until the site has told everything: its End-of-RIB (RFC 4724 section 2).
    pub(crate) fn hear_everything(&mut self) {
        while self.hear().unwrap() != (UPDATE, vec![0; 4]) {}
    }

    /// How the site answers something that was said on a session that is up and quiet: it is asked to tell its routes
    /// again, and does so only if the session has survived.
    pub(crate) fn answer_of_session(&mut self) -> Answer {
        self.say(&message(ROUTE_REFRESH, &[0, 1, 0, 1]));
        self.answer()
    }

    /// Hangs up so that the site sees a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
