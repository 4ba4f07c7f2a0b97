//! Response codes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a reply says about itself: the four bits of RFC 1035 section 4.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResponseCode(u8);

/// A text that names no response code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no response code: write NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP or REFUSED")]
pub struct ResponseCodeError(String);

const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

impl ResponseCode {
    /// The question was answered, perhaps with nothing.
    pub const NO_ERROR: ResponseCode = ResponseCode(0);
    /// The server failed.
    pub const SERVFAIL: ResponseCode = ResponseCode(2);
    /// The name does not exist.
    pub const NXDOMAIN: ResponseCode = ResponseCode(3);

    /// The code in the fourth octet of a message.
    pub(super) fn of(octet: u8) -> Self {
        ResponseCode(octet & 0x0f)
    }

    /// Whether an authority says this with authority.
    pub(super) fn needs_authority(self) -> bool {
        matches!(self, ResponseCode::NO_ERROR | ResponseCode::NXDOMAIN)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.pad(name),
            None => write!(f, "RCODE {}", self.0),
        }
    }
}

impl FromStr for ResponseCode {
    type Err = ResponseCodeError;
    fn from_str(text: &str) -> Result<Self, ResponseCodeError> {
        let code = (0..).zip(NAMES).find(|(_, name)| name.eq_ignore_ascii_case(text));
        code.map(|(code, _)| ResponseCode(code)).ok_or_else(|| ResponseCodeError(text.to_owned()))
    }
}

impl TryFrom<String> for ResponseCode {
    type Error = ResponseCodeError;
    fn try_from(text: String) -> Result<Self, ResponseCodeError> {
        text.parse()
    }
}

impl From<ResponseCode> for String {
    fn from(code: ResponseCode) -> String {
        code.to_string()
    }
}
