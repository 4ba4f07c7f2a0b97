//! What every version of QUIC says of a packet (RFC 8999).

/// Whose connection the first packet of a datagram belongs to, as far as the packet says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A long header: the destination connection id, with its length known (section 5.1).
    Long(&'a [u8]),
    /// A short header: the id begins here; how long it is, only who gave it out knows (section 5.2).
    Short(&'a [u8]),
}

/// Reads the destination of a datagram; none where it ends before the id does. All packets of one datagram are of the same
/// connection (RFC 9000 section 12.2).
pub fn destination(datagram: &[u8]) -> Option<Destination<'_>> {
    /// Octets of the version.
    const VERSION: usize = 4;
    let (first, rest) = datagram.split_first()?;
    if first & 0x80 == 0 {
        return Some(Destination::Short(rest));
    }
    let (length, rest) = rest.get(VERSION..)?.split_first()?;
    rest.get(..usize::from(*length)).map(Destination::Long)
}
