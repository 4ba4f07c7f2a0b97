//! What an interface does for the kernel (ethtool(8)).

use crate::Result;
use crate::error::Attempt;
use crate::netlink::interface_name;
use nix::errno::Errno;
use nix::libc;
use socket2::{Domain, Socket, Type};
use std::os::fd::AsRawFd;

/// ETHTOOL_STXCSUM of linux/ethtool.h.
const SET_TRANSMIT_CHECKSUM: u32 = 0x17;

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// Whether an interface of the calling thread's network namespace computes the checksums of what leaves, and with them
/// cuts it into segments. A virtual Ethernet claims to do it and does nothing: programs that take packets at its other
/// end see them without a checksum, and whoever they send them to discards them. Switched off, the kernel does it before.
pub fn set_transmit_checksum(interface: &str, on: bool) -> Result<()> {
    let name = interface_name(interface)?;
    let mut value = Value { command: SET_TRANSMIT_CHECKSUM, data: u32::from(on) };
    // SAFETY: `ifreq` is plain data for which all zeroes is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    let mut change = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        // SAFETY: SIOCETHTOOL reads one `ifreq` and the value that it points to; both live until the call returns.
        let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
        Errno::result(answer).map(drop).map_err(std::io::Error::from)
    };
    let word = if on { "on" } else { "off" };
    change().attempt(|| format!("switch checksums {word} at interface {interface}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{End, create_veth};

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let (one, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        let end = |namespace, name| End { namespace, name };
        create_veth(&mut one.netlink().unwrap(), end(&one, "eth7"), end(&other, "far")).unwrap();
        one.run(|| set_transmit_checksum("eth7", false)).unwrap().unwrap();
        let error = other.run(|| set_transmit_checksum("eth7", true)).unwrap().unwrap_err();
        let said = "cannot switch checksums on at interface eth7: No such device (os error 19)";
        assert_eq!(error.to_string(), said);
    }
}
