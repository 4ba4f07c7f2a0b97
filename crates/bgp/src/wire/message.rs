//! The five messages behind one header (RFC 4271 section 4.1).

use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::open::Open;
use crate::wire::reader::Reader;
use crate::wire::route_refresh::{BEGIN, END, RouteRefresh};

/// What each message begins with.
pub const MARKER: [u8; 16] = [0xff; 16];
/// Octets of marker, length and type.
pub const HEADER: usize = 19;
/// The longest message (RFC 4271 section 4.1).
pub const MAX_MESSAGE: usize = 4096;
/// The longest message between speakers that agreed to it, OPEN and KEEPALIVE excepted (RFC 8654 section 4).
pub const MAX_EXTENDED_MESSAGE: usize = 65_535;

/// The message types of the header.
pub(crate) mod kind {
    pub(crate) const OPEN: u8 = 1;
    pub(crate) const UPDATE: u8 = 2;
    pub(crate) const NOTIFICATION: u8 = 3;
    pub(crate) const KEEPALIVE: u8 = 4;
    pub(crate) const ROUTE_REFRESH: u8 = 5;

    /// What the RFCs call it; none for a type that nobody registered.
    pub(crate) fn name(kind: u8) -> Option<&'static str> {
        match kind {
            OPEN => Some("OPEN"),
            UPDATE => Some("UPDATE"),
            NOTIFICATION => Some("NOTIFICATION"),
            KEEPALIVE => Some("KEEPALIVE"),
            ROUTE_REFRESH => Some("ROUTE-REFRESH"),
            _ => None,
        }
    }
}

/// The whole KEEPALIVE message.
pub const KEEPALIVE: [u8; HEADER] = [
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0,
    19,
    kind::KEEPALIVE,
];

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What the neighbour is and offers.
    Open(Open),
    /// Routes: the body, which [`Verdict::decode`](crate::wire::update::Verdict::decode) reads once it is known what
    /// was negotiated.
    Update(Vec<u8>),
    /// The neighbour gives up, and why.
    Notification(Notification),
    /// The neighbour lives.
    Keepalive,
    /// The neighbour asks to be told everything again, or marks where its own telling begins and ends.
    RouteRefresh(RouteRefresh),
}

impl Message {
    /// Reads a whole message from its first marker octet, as [`Framer`](crate::wire::framer::Framer) cuts it.
    pub fn decode(octets: &[u8]) -> Result<Message, Notification> {
        let mut reader = Reader::new(octets);
        let (Some(_marker), Some(length), Some(kind)) = (reader.take(16), reader.u16(), reader.u8()) else {
            return Err(ErrorCode::HEADER_UNSPECIFIC.into());
        };
        let body = reader.rest();
        let bad_length = || Notification::new(ErrorCode::BAD_MESSAGE_LENGTH, length.to_be_bytes());
        if usize::from(length) != octets.len() {
            return Err(bad_length());
        }
        match kind {
            kind::OPEN if body.len() >= 10 => Open::decode(body).map(Message::Open),
            kind::UPDATE if body.len() >= 4 => Ok(Message::Update(body.to_vec())),
            kind::NOTIFICATION if body.len() >= 2 => {
                let error = ErrorCode { code: body[0], subcode: body[1] };
                Ok(Message::Notification(Notification::new(error, &body[2..])))
            }
            kind::KEEPALIVE if body.is_empty() => Ok(Message::Keepalive),
            kind::ROUTE_REFRESH => match (RouteRefresh::decode(body), body) {
                (Some(refresh), _) => Ok(Message::RouteRefresh(refresh)),
                // RFC 7313 section 5
                (None, &[_, _, BEGIN | END, ..]) => {
                    Err(Notification::new(ErrorCode::ROUTE_REFRESH_LENGTH, octets))
                }
                (None, _) => Err(bad_length()),
            },
            kind::OPEN | kind::UPDATE | kind::NOTIFICATION | kind::KEEPALIVE => Err(bad_length()),
            unknown => Err(Notification::new(ErrorCode::BAD_MESSAGE_TYPE, [unknown])),
        }
    }

    /// "This message makes no sense now": the error is one of the state machine's, and its type goes along (RFC 6608
    /// section 4).
    pub(crate) fn unexpected(&self, error: ErrorCode) -> Notification {
        let kind = match self {
            Message::Open(_) => kind::OPEN,
            Message::Update(_) => kind::UPDATE,
            Message::Notification(_) => kind::NOTIFICATION,
            Message::Keepalive => kind::KEEPALIVE,
            Message::RouteRefresh(_) => kind::ROUTE_REFRESH,
        };
        Notification::new(error, [kind])
    }
}

impl Notification {
    /// The whole message; data that does not fit into one that every neighbour takes is cut (RFC 8654 section 5).
    pub fn encode(&self) -> Vec<u8> {
        let room = MAX_MESSAGE - HEADER - 2;
        let data = &self.data[..self.data.len().min(room)];
        framed(kind::NOTIFICATION, &[&[self.error.code, self.error.subcode], data].concat())
    }
}

/// Header and body. The message is no longer than the neighbour takes: callers see to that.
pub(crate) fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = HEADER + body.len();
    debug_assert!(length <= MAX_EXTENDED_MESSAGE, "message of {length} octets");
    let mut message = Vec::with_capacity(length);
    message.extend_from_slice(&MARKER);
    message.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    message.push(kind);
    message.extend_from_slice(body);
    message
}
