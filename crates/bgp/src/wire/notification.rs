//! NOTIFICATION: why a session ends (RFC 4271 section 4.5).

use crate::wire::message::kind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Error code and subcode of a NOTIFICATION. A peer may send any pair; those that have a name are in
/// the registry below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ErrorCode {
    /// What kind of error (RFC 4271 section 4.5).
    pub code: u8,
    /// Which one; 0 is "unspecific".
    pub subcode: u8,
}

/// The IANA registry "BGP Error (Notification) Codes" and its subcodes, as constants and as names.
macro_rules! error_codes {
    ($($constant:ident = $code:literal / $subcode:literal, $name:literal;)+) => {
        impl ErrorCode {
            $(
                #[doc = concat!($name, ".")]
                pub const $constant: ErrorCode = ErrorCode { code: $code, subcode: $subcode };
            )+

            /// The registered name of the pair, if it has one.
            pub fn name(self) -> Option<&'static str> {
                match (self.code, self.subcode) {
                    $(($code, $subcode) => Some($name),)+
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    // RFC 4271 section 6.1
    HEADER_UNSPECIFIC = 1 / 0, "Message Header Error";
    NOT_SYNCHRONIZED = 1 / 1, "Connection Not Synchronized";
    BAD_MESSAGE_LENGTH = 1 / 2, "Bad Message Length";
    BAD_MESSAGE_TYPE = 1 / 3, "Bad Message Type";
    // RFC 4271 section 6.2
    OPEN_UNSPECIFIC = 2 / 0, "OPEN Message Error";
    UNSUPPORTED_VERSION = 2 / 1, "Unsupported Version Number";
    BAD_PEER_AS = 2 / 2, "Bad Peer AS";
    BAD_BGP_IDENTIFIER = 2 / 3, "Bad BGP Identifier";
    UNSUPPORTED_PARAMETER = 2 / 4, "Unsupported Optional Parameter";
    UNACCEPTABLE_HOLD_TIME = 2 / 6, "Unacceptable Hold Time";
    // RFC 5492 section 5
    UNSUPPORTED_CAPABILITY = 2 / 7, "Unsupported Capability";
    // RFC 9234 section 4.2
    ROLE_MISMATCH = 2 / 11, "Role Mismatch";
    // RFC 4271 section 6.3
    UPDATE_UNSPECIFIC = 3 / 0, "UPDATE Message Error";
    MALFORMED_ATTRIBUTE_LIST = 3 / 1, "Malformed Attribute List";
    UNRECOGNIZED_WELL_KNOWN = 3 / 2, "Unrecognized Well-known Attribute";
    MISSING_WELL_KNOWN = 3 / 3, "Missing Well-known Attribute";
    ATTRIBUTE_FLAGS = 3 / 4, "Attribute Flags Error";
    ATTRIBUTE_LENGTH = 3 / 5, "Attribute Length Error";
    INVALID_ORIGIN = 3 / 6, "Invalid ORIGIN Attribute";
    INVALID_NEXT_HOP = 3 / 8, "Invalid NEXT_HOP Attribute";
    OPTIONAL_ATTRIBUTE = 3 / 9, "Optional Attribute Error";
    INVALID_NETWORK_FIELD = 3 / 10, "Invalid Network Field";
    MALFORMED_AS_PATH = 3 / 11, "Malformed AS_PATH";
    // RFC 4271 section 6.5
    HOLD_TIMER_EXPIRED = 4 / 0, "Hold Timer Expired";
    // RFC 6608
    STATE_MACHINE = 5 / 0, "Finite State Machine Error";
    UNEXPECTED_IN_OPEN_SENT = 5 / 1, "Receive Unexpected Message in OpenSent State";
    UNEXPECTED_IN_OPEN_CONFIRM = 5 / 2, "Receive Unexpected Message in OpenConfirm State";
    UNEXPECTED_IN_ESTABLISHED = 5 / 3, "Receive Unexpected Message in Established State";
    // RFC 4486, RFC 8538, RFC 9384
    CEASE_UNSPECIFIC = 6 / 0, "Cease";
    MAXIMUM_PREFIXES = 6 / 1, "Maximum Number of Prefixes Reached";
    ADMINISTRATIVE_SHUTDOWN = 6 / 2, "Administrative Shutdown";
    PEER_DECONFIGURED = 6 / 3, "Peer De-configured";
    ADMINISTRATIVE_RESET = 6 / 4, "Administrative Reset";
    CONNECTION_REJECTED = 6 / 5, "Connection Rejected";
    CONFIGURATION_CHANGE = 6 / 6, "Other Configuration Change";
    CONNECTION_COLLISION = 6 / 7, "Connection Collision Resolution";
    OUT_OF_RESOURCES = 6 / 8, "Out of Resources";
    HARD_RESET = 6 / 9, "Hard Reset";
    BFD_DOWN = 6 / 10, "BFD Down";
    // RFC 7313 section 5
    ROUTE_REFRESH_UNSPECIFIC = 7 / 0, "ROUTE-REFRESH Message Error";
    ROUTE_REFRESH_LENGTH = 7 / 1, "Invalid Message Length";
    // RFC 9687
    SEND_HOLD_TIMER_EXPIRED = 8 / 0, "Send Hold Timer Expired";
}

impl ErrorCode {
    /// Whether a text of the operator goes along (RFC 9003 section 2).
    fn carries_text(self) -> bool {
        [ErrorCode::ADMINISTRATIVE_SHUTDOWN, ErrorCode::ADMINISTRATIVE_RESET].contains(&self)
    }

    /// The name of the code alone, for a pair whose subcode nobody registered.
    fn class(self) -> &'static str {
        ErrorCode { code: self.code, subcode: 0 }.name().unwrap_or("unknown error")
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.subcode) {
            (Some(name), 0) => write!(f, "{name} ({}/0)", self.code),
            (Some(name), subcode) => write!(f, "{}: {name} ({}/{subcode})", self.class(), self.code),
            (None, subcode) => write!(f, "{} ({}/{subcode})", self.class(), self.code),
        }
    }
}

/// A NOTIFICATION message: the last one on a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notification {
    /// What went wrong.
    pub error: ErrorCode,
    /// What the code says belongs to it: the octets at fault, or a shutdown text.
    pub data: Vec<u8>,
}

impl Notification {
    /// A notification with the octets that explain it.
    pub fn new(error: ErrorCode, data: impl Into<Vec<u8>>) -> Self {
        Notification { error, data: data.into() }
    }

    /// What the operator decided, and why. The text goes along where the error carries one (RFC 9003 section 2).
    pub fn decided(error: ErrorCode, text: Option<&ShutdownText>) -> Self {
        let mut data = Vec::new();
        if let Some(text) = text.filter(|_| error.carries_text()) {
            data.push(text.octets());
            data.extend_from_slice(text.as_str().as_bytes());
        }
        Notification::new(error, data)
    }

    /// "This session ends for good: no graceful restart", and why (RFC 8538 section 3.1).
    pub fn hard_reset(why: &Notification) -> Self {
        let data = [&[why.error.code, why.error.subcode], &why.data[..]].concat();
        Notification::new(ErrorCode::HARD_RESET, data)
    }

    /// What a hard reset is about; none for any other notification, one that does not say, and one within another.
    pub fn wrapped(&self) -> Option<Notification> {
        let (&[code, subcode], data) = self.data.split_first_chunk()?;
        let error = ErrorCode { code, subcode };
        let is_wrapper = self.error == ErrorCode::HARD_RESET && error != ErrorCode::HARD_RESET;
        is_wrapper.then(|| Notification::new(error, data))
    }

    /// The type of the message that came in the wrong state, where the peer says it (RFC 6608 section 4).
    fn unexpected(&self) -> Option<&'static str> {
        let &[kind] = self.data.as_slice() else { return None };
        (self.error.code == ErrorCode::STATE_MACHINE.code).then(|| kind::name(kind))?
    }

    /// What the peer's operator wrote: only shutdown and reset carry a text, and one that is cut short or is no
    /// UTF-8 is none (RFC 9003 section 2). A hard reset may wrap one.
    pub fn shutdown_text(&self) -> Option<ShutdownText> {
        if let Some(wrapped) = self.wrapped() {
            return wrapped.shutdown_text();
        }
        if !self.error.carries_text() {
            return None;
        }
        let (&length, rest) = self.data.split_first()?;
        let text = str::from_utf8(rest.get(..usize::from(length))?).ok()?;
        text.parse().ok()
    }
}

impl From<ErrorCode> for Notification {
    fn from(error: ErrorCode) -> Self {
        Notification::new(error, [])
    }
}

/// What an operator tells the operators of the other side when a session is stopped (RFC 9003): 1 to 255 octets of
/// UTF-8. Control characters are replaced, because terminals show it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShutdownText(String);

/// A text that cannot be sent with a shutdown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShutdownTextError {
    /// Nothing to say.
    #[error("a shutdown text must not be empty: leave it out")]
    Empty,
    /// More than the one length octet can count.
    #[error("a shutdown text has at most 255 octets of UTF-8 (RFC 9003), this one has {0}")]
    TooLong(usize),
}

impl ShutdownText {
    /// The text that fits: as many characters of `text` as 255 octets hold; none if nothing is left.
    pub fn fitting(text: &str) -> Option<Self> {
        let mut kept = printable(text);
        while kept.len() > usize::from(u8::MAX) {
            kept.pop();
        }
        (!kept.is_empty()).then_some(ShutdownText(kept))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its length in octets; the constructors bound it.
    fn octets(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

/// The text with `?` for each control character: not longer than before, so that a received text stays in bounds.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

impl FromStr for ShutdownText {
    type Err = ShutdownTextError;
    fn from_str(text: &str) -> Result<Self, ShutdownTextError> {
        match text.len() {
            0 => Err(ShutdownTextError::Empty),
            1..=255 => Ok(ShutdownText(printable(text))),
            longer => Err(ShutdownTextError::TooLong(longer)),
        }
    }
}

impl TryFrom<String> for ShutdownText {
    type Error = ShutdownTextError;
    fn try_from(text: String) -> Result<Self, ShutdownTextError> {
        text.parse()
    }
}

impl From<ShutdownText> for String {
    fn from(text: ShutdownText) -> String {
        text.0
    }
}

impl fmt::Display for ShutdownText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        if let Some(wrapped) = self.wrapped() {
            return write!(f, ", {wrapped}");
        }
        if let Some(kind) = self.unexpected() {
            return write!(f, ", {kind}");
        }
        match self.shutdown_text() {
            Some(text) => write!(f, " \"{text}\""),
            None => Ok(()),
        }
    }
}
