//! Frame Streams, the framing that dnstap travels in: data frames with their length in front, and control frames behind
//! a length of zero (the `fstrm` library's `control.h`). Pure. The crate `framestream` writes files only: it has no
//! greeting, and a reader at a socket takes nothing without.

/// What the frames hold.
const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

/// The one field of a control frame that there is.
const FIELD_CONTENT_TYPE: u32 = 1;

/// Longest control frame, octets (`FSTRM_CONTROL_FRAME_LENGTH_MAX`).
pub(super) const LONGEST_CONTROL: u32 = 512;

/// What a control frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Control {
    /// The reader takes what was offered.
    Accept = 1,
    /// Data begins.
    Start = 2,
    /// Data has ended.
    Stop = 3,
    /// The writer has something to offer.
    Ready = 4,
}

/// A control frame as it is sent. Where something begins, it names the content.
pub(super) fn control(kind: Control) -> Vec<u8> {
    let mut payload = (kind as u32).to_be_bytes().to_vec();
    match kind {
        Control::Accept | Control::Start | Control::Ready => {
            payload.extend(FIELD_CONTENT_TYPE.to_be_bytes());
            payload.extend((CONTENT_TYPE.len() as u32).to_be_bytes()); // a constant
            payload.extend(CONTENT_TYPE);
        }
        Control::Stop => {}
    }
    let length = payload.len() as u32; // within LONGEST_CONTROL
    [&0u32.to_be_bytes()[..], &length.to_be_bytes(), &payload].concat()
}

/// Whether the payload of a control frame says that the reader takes dnstap.
pub(super) fn accepts(payload: &[u8]) -> bool {
    let Some((kind, mut fields)) = payload.split_first_chunk::<4>() else { return false };
    if u32::from_be_bytes(*kind) != Control::Accept as u32 {
        return false;
    }
    // A reader that names no content takes any.
    if fields.is_empty() {
        return true;
    }
    while let Some((field, rest)) = fields.split_first_chunk::<4>() {
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return false };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((value, rest)) = rest.split_at_checked(length) else { return false };
        if u32::from_be_bytes(*field) == FIELD_CONTENT_TYPE && value == CONTENT_TYPE {
            return true;
        }
        fields = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_frames_are_those_of_the_library() {
        let start = control(Control::Start);
        let expected = b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
        assert_eq!(start, expected);
        assert_eq!(control(Control::Stop), b"\0\0\0\0\0\0\0\x04\0\0\0\x03");
    }

    #[test]
    fn only_who_takes_dnstap_accepts() {
        let accept = |kind| control(kind)[8..].to_vec();
        assert!(accepts(&accept(Control::Accept)));
        assert!(accepts(&[0, 0, 0, 1]), "any content");
        assert!(!accepts(&accept(Control::Ready)));
        let mut other = accept(Control::Accept);
        *other.last_mut().unwrap() = b'q';
        assert!(!accepts(&other));
    }

    proptest! {
        #[test]
        fn no_octets_make_the_reader_panic(octets: Vec<u8>) {
            let _ = accepts(&octets);
            let _ = accepts(&[&[0, 0, 0, 1], &octets[..]].concat());
        }
    }
}
