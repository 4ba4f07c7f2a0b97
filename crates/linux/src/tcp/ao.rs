//! TCP-AO (RFC 5925): every segment from and to an address carries an authentication code of a key that has a number,
//! or the kernel drops it. Linux has it from 6.7 on, where it was built with `CONFIG_TCP_AO`.

use super::key::{Address, padded, whole};
use crate::Result;
use crate::error::Attempt;
use crate::option::set;
use nix::errno::Errno;
use nix::libc::{self, c_int};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use terms::SharedKey;

/// `TCP_AO_ADD_KEY` of linux/tcp.h.
const ADD_KEY: c_int = 38;
/// `TCP_AO_DEL_KEY` of linux/tcp.h.
const REMOVE_KEY: c_int = 39;
/// Octets of an authentication code with either algorithm (RFC 5926 section 3.2).
const CODE_LENGTH: u8 = 12;
/// `set_current` and `set_rnext` of `struct tcp_ao_add`: sign with this key at once, and ask the other end to do so.
/// The compiler of the kernel lays bit fields out from the lowest bit on, or from the highest where the highest octet
/// comes first.
const USE_AT_ONCE: u32 = if cfg!(target_endian = "little") { 0b11 } else { 0b11 << 30 };

/// How the authentication code is made (RFC 5926 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1-96.
    HmacSha1,
    /// AES-128-CMAC-96.
    Aes128Cmac,
}

/// A key with its numbers: a Master Key Tuple (RFC 5925 section 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What both ends know.
    pub secret: &'a SharedKey,
    /// How the code is made.
    pub algorithm: Algorithm,
    /// The number that we send with it.
    pub send_id: u8,
    /// The number that the other end sends with it.
    pub receive_id: u8,
}

/// `struct tcp_ao_add` of linux/tcp.h.
#[repr(C, align(8))]
struct AddKey {
    address: Address,
    algorithm: [u8; 64],
    interface: i32,
    bits: u32,
    reserved: u16,
    prefix_length: u8,
    send_id: u8,
    receive_id: u8,
    code_length: u8,
    flags: u8,
    key_length: u8,
    key: [u8; SharedKey::MOST],
}

/// `struct tcp_ao_del` of linux/tcp.h.
#[repr(C, align(8))]
struct RemoveKey {
    address: Address,
    interface: i32,
    bits: u32,
    reserved: u16,
    prefix_length: u8,
    send_id: u8,
    receive_id: u8,
    current_id: u8,
    next_id: u8,
    flags: u8,
}

/// Whether the running kernel knows TCP-AO. It is asked to add a key that is too short to be
/// one: a kernel that knows TCP-AO says so, another does not know the question.
pub fn is_supported() -> Result<bool> {
    let ask = || {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        match set(socket.as_fd(), libc::IPPROTO_TCP, ADD_KEY, &c_int::default()) {
            Err(error) if error.raw_os_error() == Some(Errno::ENOPROTOOPT as i32) => Ok(false),
            Ok(()) | Err(_) => Ok::<_, io::Error>(true),
        }
    };
    ask().attempt(|| "ask whether the kernel knows TCP-AO")
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It listens, for many.
    Listens,
    /// It is one connection, or will be.
    Connects,
}

/// Authenticates with this key whatever the socket exchanges with `peer`.
pub fn add_key(socket: impl AsFd, peer: IpAddr, key: Key<'_>, role: Role) -> Result<()> {
    let option = AddKey::new(peer, key, role);
    set(socket.as_fd(), libc::IPPROTO_TCP, ADD_KEY, &option)
        .attempt(|| format!("set the TCP-AO key of {peer}"))
}

/// Takes the key of these numbers off a listening socket. No such key is no error.
pub fn remove_key(socket: impl AsFd, peer: IpAddr, key: Key<'_>) -> Result<()> {
    match set(socket.as_fd(), libc::IPPROTO_TCP, REMOVE_KEY, &RemoveKey::new(peer, key)) {
        Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => Ok(()),
        result => result.attempt(|| format!("remove the TCP-AO key of {peer}")),
    }
}

impl Algorithm {
    /// What the kernel calls it, ended by zeroes.
    fn kernel_name(self) -> [u8; 64] {
        let name: &[u8] = match self {
            Algorithm::HmacSha1 => b"hmac(sha1)",
            Algorithm::Aes128Cmac => b"cmac(aes128)",
        };
        let mut field = [0; 64];
        field[..name.len()].copy_from_slice(name);
        field
    }
}

impl AddKey {
    fn new(peer: IpAddr, key: Key<'_>, role: Role) -> Self {
        let octets = key.secret.octets();
        AddKey {
            address: Address::of(peer),
            algorithm: key.algorithm.kernel_name(),
            interface: 0,
            bits: if role == Role::Connects { USE_AT_ONCE } else { 0 },
            reserved: 0,
            prefix_length: whole(peer),
            send_id: key.send_id,
            receive_id: key.receive_id,
            code_length: CODE_LENGTH,
            flags: 0,
            key_length: octets.len() as u8,
            key: padded(octets),
        }
    }
}

impl RemoveKey {
    fn new(peer: IpAddr, key: Key<'_>) -> Self {
        RemoveKey {
            address: Address::of(peer),
            interface: 0,
            bits: 0,
            reserved: 0,
            prefix_length: whole(peer),
            send_id: key.send_id,
            receive_id: key.receive_id,
            current_id: 0,
            next_id: 0,
            flags: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn the_layout_is_that_of_the_kernel() {
        assert_eq!((size_of::<AddKey>(), size_of::<RemoveKey>()), (288, 144));
        assert_eq!(
            [
                offset_of!(AddKey, algorithm),
                offset_of!(AddKey, interface),
                offset_of!(AddKey, bits),
                offset_of!(AddKey, prefix_length),
                offset_of!(AddKey, code_length),
                offset_of!(AddKey, key),
            ],
            [128, 192, 196, 202, 205, 208]
        );
        assert_eq!([offset_of!(RemoveKey, send_id), offset_of!(RemoveKey, flags)], [139, 143]);
    }

    /// With a kernel that has TCP-AO the key goes on and off; with another, each step says that it is not there.
    #[test]
    fn the_probe_says_what_setting_a_key_will_meet() {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let peer = "192.0.2.1".parse().unwrap();
        let secret = SharedKey::new("swordfish").unwrap();
        let key = Key { secret: &secret, algorithm: Algorithm::HmacSha1, send_id: 1, receive_id: 2 };
        let added = add_key(&socket, peer, key, Role::Listens);
        if is_supported().unwrap() {
            added.unwrap();
            remove_key(&socket, peer, key).unwrap();
        } else {
            let error = added.unwrap_err();
            assert_eq!(error.errno(), Some(Errno::ENOPROTOOPT as i32));
            assert!(error.to_string().starts_with("cannot set the TCP-AO key of 192.0.2.1: "), "{error}");
        }
    }
}
