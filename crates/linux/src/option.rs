//! `setsockopt` and `getsockopt` for options that no library knows.

use nix::errno::Errno;
use nix::libc::{self, c_int, socklen_t};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sets an option to the structure that it is documented with.
pub(crate) fn set<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as socklen_t;
    // SAFETY: the kernel reads `length` octets from the address of `value`, which lives until the call returns.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
    Errno::result(answer).map(drop).map_err(io::Error::from)
}

/// Asks for an option whose value has any length up to that of the buffer; answers its length.
pub(crate) fn get(socket: BorrowedFd<'_>, level: c_int, name: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = buffer.len() as socklen_t;
    // SAFETY: the kernel writes at most `length` octets into the buffer, which has so many, and then the length.
    let answer = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, buffer.as_mut_ptr().cast(), &raw mut length)
    };
    Errno::result(answer).map_err(io::Error::from)?;
    Ok(length as usize)
}
