//! `setsockopt` and `getsockopt` for options that no library knows.

use nix::errno::Errno;
use nix::libc::{self, c_int, socklen_t};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sets an option of the TCP level to the structure that it is documented with.
pub(super) fn set<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as socklen_t;
    // SAFETY: the kernel reads `length` octets from the address of `value`, which lives until the call returns.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
    Errno::result(answer).map(drop).map_err(io::Error::from)
}

/// Asks for an option whose value has any length up to that of the buffer; answers its length.
pub(super) fn get(socket: BorrowedFd<'_>, level: c_int, name: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = buffer.len() as socklen_t;
    // SAFETY: the kernel writes at most `length` octets into the buffer, which has so many, and then the length.
    let answer = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, buffer.as_mut_ptr().cast(), &raw mut length)
    };
    Errno::result(answer).map_err(io::Error::from)?;
    Ok(length as usize)
}

/// `struct sockaddr_storage` with an address and no port, as the options about keys want it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Address {
    family: u16,
    rest: [u8; 126],
}

impl Address {
    /// Octets before the address: the port.
    const BEFORE_IPV4: usize = 2;
    /// Octets before the address: the port and the flow label.
    const BEFORE_IPV6: usize = 6;

    pub(super) fn of(address: IpAddr) -> Self {
        let mut rest = [0; 126];
        let family = match address {
            IpAddr::V4(address) => {
                rest[Self::BEFORE_IPV4..][..4].copy_from_slice(&address.octets());
                libc::AF_INET
            }
            IpAddr::V6(address) => {
                rest[Self::BEFORE_IPV6..][..16].copy_from_slice(&address.octets());
                libc::AF_INET6
            }
        };
        Address { family: family as u16, rest }
    }
}

/// The length of a prefix that is one address.
pub(super) fn whole(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The octets of a key, as the options about keys want them: at the beginning of a field of fixed length.
pub(super) fn padded(octets: &[u8]) -> [u8; terms::SharedKey::MOST] {
    let mut field = [0; terms::SharedKey::MOST];
    field[..octets.len()].copy_from_slice(octets);
    field
}
