//! A message in a datagram: a mark, and its number.

/// What every message begins with. Whatever else arrives is somebody else's.
const MARK: [u8; 8] = *b"catchmnt";

/// Octets of a message.
pub(crate) const LENGTH: usize = 12;

/// The datagram of the message with this number.
pub(crate) fn write(number: u32) -> [u8; LENGTH] {
    let mut datagram = [0; LENGTH];
    datagram[..8].copy_from_slice(&MARK);
    datagram[8..].copy_from_slice(&number.to_be_bytes());
    datagram
}

/// The number of the message in a datagram; none for what is no message.
pub(crate) fn read(datagram: &[u8]) -> Option<u32> {
    let number = datagram.strip_prefix(&MARK)?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_comes_out_as_it_went_in(number: u32, more in 1usize..20) {
            prop_assert_eq!(read(&write(number)), Some(number));
            prop_assert_eq!(read(&write(number)[..LENGTH - more.min(LENGTH)]), None);
            prop_assert_eq!(read(&[&write(number)[..], &vec![0; more]].concat()), None);
        }

        #[test]
        fn whatever_else_arrives_is_no_message(datagram: Vec<u8>) {
            prop_assert!(read(&datagram).is_none() || datagram.starts_with(&MARK));
        }
    }
}
