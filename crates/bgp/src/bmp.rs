//! BMP: what a monitoring station is told of the neighbours of this speaker (RFC 7854), and of what they were told
//! (RFC 8671).
//!
//! ```text
//!   Initiation ─► for each neighbour  Peer Up ─► Route Monitoring … Statistics Report … ─► Peer Down  ─► Termination
//! ```
//! Messages are only written here: nothing flows the other way (RFC 7854 section 3.2). Where a neighbour's messages
//! come from says [`Monitored`](crate::session::Monitored); this module gives them their form.

mod peer_header;

pub use peer_header::{Peer, Rib};

use crate::session::{Ending, Opens};
use crate::wire::nlri;
use peer_header::sixteen;
use std::net::SocketAddr;
use terms::{Family, WallTime};

const VERSION: u8 = 3;
/// Octets of version, length and type (RFC 7854 section 4.1).
const HEADER: usize = 6;
/// The longest text of a TLV that is sent: far less than its length field could say, far more than people write.
const LONGEST_TEXT: usize = 1024;

/// The message types of the header (RFC 7854 section 4.1).
mod kind {
    pub(super) const ROUTE_MONITORING: u8 = 0;
    pub(super) const STATISTICS_REPORT: u8 = 1;
    pub(super) const PEER_DOWN: u8 = 2;
    pub(super) const PEER_UP: u8 = 3;
    pub(super) const INITIATION: u8 = 4;
    pub(super) const TERMINATION: u8 = 5;
}

/// The types of information in Initiation and Termination (RFC 7854 sections 4.4 and 4.5).
mod information {
    pub(super) const STRING: u16 = 0;
    pub(super) const SYS_DESCR: u16 = 1;
    pub(super) const SYS_NAME: u16 = 2;
    pub(super) const TERMINATION_REASON: u16 = 1;
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Who speaks: always the first (RFC 7854 section 4.3).
    Initiation {
        /// What it is called (sysName).
        name: &'a str,
        /// What it is (sysDescr).
        description: &'a str,
    },
    /// A session came up, or was up already when the station came (RFC 7854 section 4.10).
    PeerUp {
        /// Of whom.
        peer: &'a Peer,
        /// Since when.
        at: WallTime,
        /// The two ends of its TCP connection.
        ends: Ends,
        /// What both said.
        opens: &'a Opens,
    },
    /// Routes that came or went (RFC 7854 section 4.6).
    RouteMonitoring {
        /// Between whom and us.
        peer: &'a Peer,
        /// In which direction.
        rib: Rib,
        /// When they were told; none if nobody knows any more.
        at: Option<WallTime>,
        /// The whole UPDATE.
        update: &'a [u8],
    },
    /// A session ended (RFC 7854 section 4.9).
    PeerDown {
        /// Whose.
        peer: &'a Peer,
        /// When.
        at: WallTime,
        /// Why.
        reason: Down<'a>,
    },
    /// Figures about a session (RFC 7854 section 4.8).
    Statistics {
        /// Of whom.
        peer: &'a Peer,
        /// When they were true.
        at: WallTime,
        /// Each kind once.
        figures: &'a [Figure],
    },
    /// Nothing more will come: always the last (RFC 7854 section 4.5).
    Termination {
        /// Why.
        reason: Closed,
        /// The same for people.
        text: &'a str,
    },
}

/// The two ends of a TCP connection, both of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The neighbour's.
    pub remote: SocketAddr,
}

/// Why nothing more is said of a session (RFC 7854 section 4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down<'a> {
    /// It is over.
    Ended(&'a Ending),
    /// It lives on, and what was said of it is taken back: reason 5, the one that does not claim an end.
    Unmonitored,
}

/// Why the connection with the station ends (RFC 7854 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// For now.
    Administratively,
    /// For good: the station is configured no more.
    Permanently,
}

/// A figure of a Statistics Report: those of the registry that are counted here exactly as it defines them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Routes of the neighbour that are kept (RFC 7854, type 7).
    AdjRibIn(u64),
    /// Those of one family (RFC 7854, type 9).
    AdjRibInOf(Family, u64),
    /// UPDATEs that were treated as withdraw; it wraps (RFC 7854, type 11).
    TreatedAsWithdraw(u32),
    /// Routes that the neighbour was told (RFC 8671, type 15).
    AdjRibOut(u64),
    /// Those of one family (RFC 8671, type 17).
    AdjRibOutOf(Family, u64),
}

impl Message<'_> {
    /// The whole message.
    pub fn encode(&self) -> Vec<u8> {
        match *self {
            Message::Initiation { name, description } => {
                let mut body = Vec::new();
                inform(information::SYS_DESCR, text(description), &mut body);
                inform(information::SYS_NAME, text(name), &mut body);
                framed(kind::INITIATION, &[&body])
            }
            Message::PeerUp { peer, at, ends: Ends { local, remote }, opens } => {
                let mut ends = sixteen(local.ip()).to_vec();
                ends.extend_from_slice(&local.port().to_be_bytes());
                ends.extend_from_slice(&remote.port().to_be_bytes());
                let header = peer.header(None, Some(at));
                framed(kind::PEER_UP, &[&header, &ends, &opens.sent, &opens.received])
            }
            Message::RouteMonitoring { peer, rib, at, update } => {
                framed(kind::ROUTE_MONITORING, &[&peer.header(Some(rib), at), update])
            }
            Message::PeerDown { peer, at, ref reason } => {
                framed(kind::PEER_DOWN, &[&peer.header(None, Some(at)), &reason.encode()])
            }
            Message::Statistics { peer, at, figures } => {
                let mut body = u32::try_from(figures.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
                figures.iter().for_each(|figure| figure.encode(&mut body));
                framed(kind::STATISTICS_REPORT, &[&peer.header(None, Some(at)), &body])
            }
            Message::Termination { reason, text: said } => {
                let code: u16 = match reason {
                    Closed::Administratively => 0,
                    Closed::Permanently => 4,
                };
                let mut body = Vec::new();
                inform(information::TERMINATION_REASON, &code.to_be_bytes(), &mut body);
                inform(information::STRING, text(said), &mut body);
                framed(kind::TERMINATION, &[&body])
            }
        }
    }
}

impl Down<'_> {
    /// Reason and data.
    fn encode(&self) -> Vec<u8> {
        match self {
            Down::Ended(Ending::Sent(notification)) => [&[1][..], &notification.encode()].concat(),
            Down::Ended(Ending::Unsaid(event)) => [&[2][..], &event.code().to_be_bytes()].concat(),
            Down::Ended(Ending::Received(notification)) => [&[3][..], &notification.encode()].concat(),
            Down::Ended(Ending::Closed) => vec![4],
            Down::Unmonitored => vec![5],
        }
    }
}

impl Figure {
    fn encode(self, body: &mut Vec<u8>) {
        let of = |family, count: u64| {
            let [high, low] = nlri::afi(family).to_be_bytes();
            [&[high, low, nlri::SAFI_UNICAST][..], &count.to_be_bytes()].concat()
        };
        let (kind, value) = match self {
            Figure::AdjRibIn(routes) => (7, routes.to_be_bytes().to_vec()),
            Figure::AdjRibInOf(family, routes) => (9, of(family, routes)),
            Figure::TreatedAsWithdraw(updates) => (11, updates.to_be_bytes().to_vec()),
            Figure::AdjRibOut(routes) => (15, routes.to_be_bytes().to_vec()),
            Figure::AdjRibOutOf(family, routes) => (17, of(family, routes)),
        };
        inform(kind, &value, body);
    }
}

/// As many octets of a text as fit, cut between characters.
fn text(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)]
}

/// Type, length and value.
fn inform(kind: u16, value: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(&kind.to_be_bytes());
    body.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend_from_slice(value);
}

/// Header and body.
fn framed(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = HEADER + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut message = Vec::with_capacity(length);
    message.push(VERSION);
    message.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    message.push(kind);
    parts.iter().for_each(|part| message.extend_from_slice(part));
    message
}
