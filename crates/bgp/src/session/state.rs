//! The six states of RFC 4271 section 8.2.2, each with what exists in it and nowhere else.

use crate::session::established::Established;
use crate::session::{ConnectionId, Direction, Opens, Output};
use crate::wire::framer::Framer;
use crate::wire::message::Message;
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::Notification;
use crate::wire::open::Open;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Not wanted, or pausing after a failure. Connections are refused.
    Idle,
    /// Our attempt to connect is under way.
    Connect,
    /// Waiting for the neighbour to connect, or for the next attempt.
    Active,
    /// Connected; our OPEN is sent, the neighbour's is awaited.
    OpenSent,
    /// Both OPENs agree; the neighbour's KEEPALIVE is awaited.
    OpenConfirm,
    /// Routes are told.
    Established,
}

impl StateName {
    /// Every state, from nothing to everything.
    pub const ALL: [StateName; 6] = [
        StateName::Idle,
        StateName::Connect,
        StateName::Active,
        StateName::OpenSent,
        StateName::OpenConfirm,
        StateName::Established,
    ];
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StateName::Idle => "Idle",
            StateName::Connect => "Connect",
            StateName::Active => "Active",
            StateName::OpenSent => "OpenSent",
            StateName::OpenConfirm => "OpenConfirm",
            StateName::Established => "Established",
        })
    }
}

/// A state and what it owns.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Idle,
    Connect,
    Active,
    OpenSent(OpenSent),
    OpenConfirm(OpenConfirm),
    Established(Box<Established>),
}

/// Our OPEN is on its way. A second connection, opened from the other end, may be as far.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenSent {
    pub(crate) connection: Connection,
    pub(crate) rival: Option<Connection>,
}

/// The neighbour's OPEN is accepted. A second connection has no OPEN yet: once it has, one of them is closed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenConfirm {
    pub(crate) connection: Connection,
    pub(crate) negotiated: Negotiated,
    pub(crate) rival: Option<Connection>,
}

/// One TCP connection.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) direction: Direction,
    pub(crate) framer: Framer,
    /// Octets asked to be sent that the kernel has not taken yet.
    pub(crate) unsent: usize,
    /// What both sides said first.
    #[serde(default)]
    pub(crate) opens: Opens,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, direction: Direction) -> Self {
        Connection { id, direction, framer: Framer::default(), unsent: 0, opens: Opens::default() }
    }

    /// Asks the driver to send whole messages on it.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) -> Output {
        self.unsent += bytes.len();
        Output::Send { connection: self.id, bytes }
    }

    /// The next whole message that arrived on it; the error is what to answer.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, Notification> {
        let Some(octets) = self.framer.next_message()? else { return Ok(None) };
        let message = Message::decode(octets)?;
        if matches!(message, Message::Open(_)) && self.opens.received.is_empty() {
            self.opens.received = octets.to_vec();
        }
        Ok(Some(message))
    }

    /// Whether this is what the neighbour said first on it.
    pub(crate) fn has_heard(&self, open: &Open) -> bool {
        matches!(Message::decode(&self.opens.received), Ok(Message::Open(first)) if first == *open)
    }
}

impl State {
    pub(crate) fn name(&self) -> StateName {
        match self {
            State::Idle => StateName::Idle,
            State::Connect => StateName::Connect,
            State::Active => StateName::Active,
            State::OpenSent(_) => StateName::OpenSent,
            State::OpenConfirm(_) => StateName::OpenConfirm,
            State::Established(_) => StateName::Established,
        }
    }

    /// The connection that the state is about.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        match self {
            State::Idle | State::Connect | State::Active => None,
            State::OpenSent(open_sent) => Some(&mut open_sent.connection),
            State::OpenConfirm(open_confirm) => Some(&mut open_confirm.connection),
            State::Established(established) => Some(&mut established.connection),
        }
    }

    /// The second connection.
    pub(crate) fn rival(&mut self) -> Option<&mut Connection> {
        match self {
            State::Idle | State::Connect | State::Active => None,
            State::OpenSent(open_sent) => open_sent.rival.as_mut(),
            State::OpenConfirm(open_confirm) => open_confirm.rival.as_mut(),
            State::Established(established) => established.rival.as_mut(),
        }
    }
}
