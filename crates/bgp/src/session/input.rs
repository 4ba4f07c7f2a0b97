//! What a driver tells a session, and what the session asks of its driver.

use crate::session::{Event, Settings};
use crate::wire::notification::{ErrorCode, Notification, ShutdownText};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use terms::{Family, Reason, RouteSet};

/// The driver's name for one TCP connection; never used twice for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub u64);

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// We did, asked to by [`Output::Connect`].
    Outbound,
    /// The neighbour did.
    Inbound,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
        })
    }
}

/// Which decision of the operator ends a session: what the Cease says (RFC 4486 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// It is shut down for now.
    Shutdown,
    /// The neighbour is configured no more.
    Deconfigured,
    /// It is to begin again as it was.
    Reset,
    /// It is to begin again with other settings.
    Reconfigured,
}

impl StopKind {
    /// What the neighbour is told. Only a shutdown and a reset can carry the text.
    pub(crate) fn notification(self, text: Option<&ShutdownText>) -> Notification {
        let error = match self {
            StopKind::Shutdown => ErrorCode::ADMINISTRATIVE_SHUTDOWN,
            StopKind::Deconfigured => ErrorCode::PEER_DECONFIGURED,
            StopKind::Reset => ErrorCode::ADMINISTRATIVE_RESET,
            StopKind::Reconfigured => ErrorCode::CONFIGURATION_CHANGE,
        };
        Notification::decided(error, text)
    }
}

/// What happened. Everything a session ever learns, so that a recording of inputs replays it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The operator wants the session.
    Start,
    /// The operator does not want the session any more.
    Stop {
        /// Which decision that is.
        kind: StopKind,
        /// What to tell the neighbour's operators, where the kind lets it (RFC 9003).
        text: Option<ShutdownText>,
    },
    /// Somebody who watches the path to the neighbour says that it is gone (RFC 9384): faster than the hold timer.
    PathDown {
        /// What was seen.
        reason: Reason,
    },
    /// A connection to or from the neighbour's address is open.
    Connected {
        /// The driver's name for it.
        connection: ConnectionId,
        /// Who opened it.
        direction: Direction,
    },
    /// What [`Output::Connect`] asked for did not work.
    ConnectFailed {
        /// What the system said.
        reason: Reason,
    },
    /// Octets arrived, in any portions.
    Bytes {
        /// Where.
        connection: ConnectionId,
        /// At least one.
        #[serde(with = "crate::hex")]
        bytes: Vec<u8>,
    },
    /// The kernel took octets that [`Output::Send`] asked to send. The session keeps no more than
    /// [`SEND_WINDOW`](crate::session::SEND_WINDOW) of UPDATEs outstanding, so that a slow neighbour never builds a
    /// backlog, and ends a connection that takes nothing (RFC 9687): a driver that never says this stalls.
    Written {
        /// Where.
        connection: ConnectionId,
        /// How many octets.
        octets: usize,
    },
    /// The neighbour or the system closed the connection.
    Closed {
        /// Which one.
        connection: ConnectionId,
    },
    /// Everything the neighbour is to know from now on.
    Wanted(Arc<RouteSet>),
    /// The operator decided otherwise. What can change while the session is up changes; anything else ends it, and it
    /// begins again soon (see [`Settings::can_become`]).
    Reconfigured(Box<Settings>),
    /// The neighbour was found to know something else than it was told: everything is to be told again.
    TellAgain,
    /// What the neighbour told so far was not noted where it is wanted now: it is asked to tell everything again
    /// (RFC 2918).
    AskAgain,
    /// The program has begun, and a program before it may have told this neighbour routes. To be said before
    /// [`Input::Start`], and answered by [`Input::Decided`] (RFC 4724 section 4.1).
    Restarted {
        /// Families whose packets were delivered all the time.
        forwarding: BTreeSet<Family>,
    },
    /// After [`Input::Restarted`]: the wanted set now has everything that a restart has to decide. What the neighbour
    /// was told before and is not told again may go.
    Decided,
    /// So many prefixes of the neighbour stand announced: what [`Session::poll_input`](crate::session::Session::poll_input)
    /// asks to be told.
    Counted {
        /// Of this family.
        family: Family,
        /// How many; a prefix with several paths counts as often (RFC 7911).
        count: usize,
    },
    /// The deadline has come.
    Timer,
}

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Open a connection to the neighbour; an earlier attempt that is still pending is given up. Answered by
    /// [`Input::Connected`] or [`Input::ConnectFailed`].
    Connect,
    /// Send octets, behind those asked for before.
    Send {
        /// Where.
        connection: ConnectionId,
        /// Whole messages.
        #[serde(with = "crate::hex")]
        bytes: Vec<u8>,
    },
    /// Close the connection once the octets asked for before are written; give up on them if the neighbour does not
    /// take them soon. The name is never used again and needs no [`Input::Closed`].
    Close {
        /// Which one.
        connection: ConnectionId,
    },
    /// Tell people.
    Event(Event),
}
