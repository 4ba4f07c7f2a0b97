//! OPEN: who a speaker is and what it offers (RFC 4271 sections 4.2 and 6.2).

use crate::wire::capability::{Capability, CapabilityError};
use crate::wire::message::{framed, kind};
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::reader::Reader;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{Asn, RouterId};

const VERSION: u8 = 4;
/// Optional parameter that holds capabilities (RFC 5492 section 4).
const CAPABILITIES: u8 = 2;
/// Where a length or a type would be: lengths of two octets follow (RFC 9072).
const EXTENDED: u8 = 255;

/// An OPEN message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The speaker's network: the number of four octets where it says one.
    pub asn: Asn,
    /// How long it accepts silence.
    pub hold_time: HoldTime,
    /// Its BGP identifier.
    pub router_id: RouterId,
    /// What it can do.
    pub capabilities: Vec<Capability>,
}

impl Open {
    /// Reads the body of an OPEN, which has at least 10 octets.
    pub(crate) fn decode(body: &[u8]) -> Result<Open, Notification> {
        let unspecific = || Notification::from(ErrorCode::OPEN_UNSPECIFIC);
        let mut reader = Reader::new(body);
        let version = reader.u8().ok_or_else(unspecific)?;
        if version != VERSION {
            return Err(Notification::new(ErrorCode::UNSUPPORTED_VERSION, u16::from(VERSION).to_be_bytes()));
        }
        let short_asn = reader.u16().ok_or_else(unspecific)?;
        let hold_time = reader.u16().ok_or_else(unspecific)?;
        let router_id = reader.u32().ok_or_else(unspecific)?;
        let capabilities = decode_parameters(reader)?;

        let four_octets = capabilities.iter().find_map(|capability| {
            if let Capability::FourOctetAsn(asn) = capability { Some(*asn) } else { None }
        });
        let two_octets =
            Asn::try_from(u32::from(short_asn)).map_err(|_| Notification::from(ErrorCode::BAD_PEER_AS))?;
        Ok(Open {
            asn: four_octets.unwrap_or(two_octets),
            hold_time: HoldTime::try_from(hold_time).map_err(|_| ErrorCode::UNACCEPTABLE_HOLD_TIME)?,
            router_id: RouterId::try_from(router_id).map_err(|_| ErrorCode::BAD_BGP_IDENTIFIER)?,
            capabilities,
        })
    }

    /// Whether the speaker says what it is to its neighbour; in strict mode it has to (RFC 9234 section 4.2).
    pub fn has_role(&self) -> bool {
        self.capabilities.iter().any(Capability::is_role)
    }

    /// The whole message. A number that two octets cannot hold is AS_TRANS in the old field (RFC 6793 section 9).
    pub fn encode(&self) -> Vec<u8> {
        let short_asn = u16::try_from(if self.asn.fits_two_octets() { self.asn } else { Asn::TRANS }.get());
        let mut body = vec![VERSION];
        body.extend_from_slice(&short_asn.unwrap_or_default().to_be_bytes());
        body.extend_from_slice(&self.hold_time.seconds().to_be_bytes());
        body.extend_from_slice(&self.router_id.get().to_be_bytes());
        let mut capabilities = Vec::new();
        self.capabilities.iter().for_each(|capability| capability.encode(&mut capabilities));
        encode_parameters(&capabilities, &mut body);
        framed(kind::OPEN, &body)
    }
}

/// All capabilities of all optional parameters.
fn decode_parameters(mut reader: Reader<'_>) -> Result<Vec<Capability>, Notification> {
    let unspecific = || Notification::from(ErrorCode::OPEN_UNSPECIFIC);
    let short_length = reader.u8().ok_or_else(unspecific)?;
    // RFC 9072 section 2: the type, not the length, tells the extended form.
    let extended = short_length != 0 && reader.rest().first() == Some(&EXTENDED);
    let length = if extended {
        reader.u8().ok_or_else(unspecific)?;
        usize::from(reader.u16().ok_or_else(unspecific)?)
    } else {
        usize::from(short_length)
    };
    if reader.rest().len() != length {
        return Err(unspecific());
    }
    let mut capabilities = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8().ok_or_else(unspecific)?;
        let length = if extended { reader.u16() } else { reader.u8().map(u16::from) };
        let value = reader.take(length.ok_or_else(unspecific)?.into()).ok_or_else(unspecific)?;
        if kind != CAPABILITIES {
            return Err(ErrorCode::UNSUPPORTED_PARAMETER.into());
        }
        capabilities.extend(Capability::decode_list(value).map_err(|error| match error {
            CapabilityError::Length => ErrorCode::OPEN_UNSPECIFIC,
            CapabilityError::Asn(_) => ErrorCode::BAD_PEER_AS,
        })?);
    }
    Ok(capabilities)
}

/// One parameter with all capabilities, in the short form where it fits.
fn encode_parameters(capabilities: &[u8], body: &mut Vec<u8>) {
    match u8::try_from(capabilities.len()) {
        Ok(0) => body.push(0),
        Ok(length) if length < EXTENDED - 2 => body.extend_from_slice(&[length + 2, CAPABILITIES, length]),
        _ => {
            let length = u16::try_from(capabilities.len()).unwrap_or(u16::MAX);
            body.extend_from_slice(&[EXTENDED, EXTENDED]);
            body.extend_from_slice(&length.saturating_add(3).to_be_bytes());
            body.push(CAPABILITIES);
            body.extend_from_slice(&length.to_be_bytes());
        }
    }
    body.extend_from_slice(capabilities);
}

/// How long the neighbour may be silent, in seconds: 0 (for ever) or 3 to 65535 (RFC 4271 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct HoldTime(u16);

/// One or two seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hold time is 0 s (never expires) or 3 s to 65535 s, not {0} s (RFC 4271 section 4.2)")]
pub struct HoldTimeError(pub u16);

impl HoldTime {
    /// 9 s: a neighbour that lost power is noticed within that time.
    pub const DEFAULT: HoldTime = HoldTime(9);
    /// 90 s, which every neighbour accepts (RFC 4271 section 10): offered after one refused a shorter time.
    pub const CONSERVATIVE: HoldTime = HoldTime(90);

    /// Seconds.
    pub fn seconds(self) -> u16 {
        self.0
    }

    /// The time, or none if silence is never held against the neighbour.
    pub fn duration(self) -> Option<Duration> {
        (self.0 > 0).then(|| Duration::from_secs(self.0.into()))
    }

    /// A third of the hold time: how often to send KEEPALIVE (RFC 4271 section 4.4).
    pub fn keepalive(self) -> Option<Duration> {
        self.duration().map(|hold| hold / 3)
    }
}

impl TryFrom<u16> for HoldTime {
    type Error = HoldTimeError;
    fn try_from(seconds: u16) -> Result<Self, HoldTimeError> {
        match seconds {
            1 | 2 => Err(HoldTimeError(seconds)),
            seconds => Ok(HoldTime(seconds)),
        }
    }
}

impl From<HoldTime> for u16 {
    fn from(hold: HoldTime) -> u16 {
        hold.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_seconds_are_no_hold_time() {
        assert_eq!(HoldTime::try_from(1), Err(HoldTimeError(1)));
        assert_eq!(HoldTime::try_from(2), Err(HoldTimeError(2)));
        assert_eq!(HoldTime::try_from(0).unwrap().duration(), None);
        assert_eq!(HoldTime::DEFAULT.keepalive(), Some(Duration::from_secs(3)));
    }
}
