//! TCP-MD5 (RFC 2385): every segment from and to an address carries a signature, or the kernel drops it.
//!
//! A key belongs to a socket and an address of the other end. A connection that a listening socket accepts takes the
//! key over. The key of a living connection may be changed at any time: what one end drops while only the other has
//! the new key is sent again by TCP.

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

/// `TCP_MD5SIG_EXT` of linux/tcp.h: a key for a prefix of addresses.
const MD5_KEY: c_int = 32;
/// `TCP_MD5SIG_FLAG_PREFIX` of linux/tcp.h: the prefix length counts.
const HAS_PREFIX: u8 = 1;

/// `struct tcp_md5sig` of linux/tcp.h.
#[repr(C)]
struct Md5Key {
    address: Address,
    flags: u8,
    prefix_length: u8,
    /// Zero removes the key.
    key_length: u16,
    interface: c_int,
    key: [u8; SharedKey::MOST],
}

/// Signs with this key whatever the socket exchanges with `peer`, in the place of an earlier key.
pub fn set_key(socket: impl AsFd, peer: IpAddr, key: &SharedKey) -> Result<()> {
    let option = Md5Key::new(peer, key.octets());
    set(socket.as_fd(), libc::IPPROTO_TCP, MD5_KEY, &option).attempt(|| format!("set the MD5 key of {peer}"))
}

/// Signs nothing more of what the socket exchanges with `peer`. No key there is no error, and a kernel that cannot sign
/// has none.
pub fn remove_key(socket: impl AsFd, peer: IpAddr) -> Result<()> {
    let result = set(socket.as_fd(), libc::IPPROTO_TCP, MD5_KEY, &Md5Key::new(peer, &[]));
    match result.as_ref().err().and_then(io::Error::raw_os_error).map(Errno::from_raw) {
        Some(Errno::ENOENT | Errno::ENOPROTOOPT) => Ok(()),
        Some(_) | None => result.attempt(|| format!("remove the MD5 key of {peer}")),
    }
}

impl Md5Key {
    fn new(peer: IpAddr, key: &[u8]) -> Self {
        Md5Key {
            address: Address::of(peer),
            flags: HAS_PREFIX,
            prefix_length: whole(peer),
            key_length: key.len() as u16,
            interface: 0,
            key: padded(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{LinkIndex, set_up};
    use crate::tcp::refused;
    use crate::{Error, Namespace};
    use socket2::{Domain, SockRef, Socket, Type};
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::Duration;

    fn key(text: &str) -> SharedKey {
        SharedKey::new(text).unwrap()
    }

    /// A call from `host` to itself, with a key or without; given up after half a second.
    fn call(host: IpAddr, to: SocketAddr, with: Option<&SharedKey>) -> Option<TcpStream> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
        with.into_iter().for_each(|key| set_key(&socket, host, key).unwrap());
        socket.connect_timeout(&to.into(), Duration::from_millis(500)).ok()?;
        Some(socket.into())
    }

    fn in_a_namespace<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        let namespace = Namespace::new().unwrap();
        set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        namespace.run(work).unwrap()
    }

    #[test]
    fn the_layout_is_that_of_the_kernel() {
        assert_eq!((size_of::<Address>(), size_of::<Md5Key>()), (128, 216));
    }

    #[test]
    fn only_the_right_key_gets_through_and_the_kernel_counts_the_others() {
        in_a_namespace(|| {
            for host in ["127.0.0.1", "::1"] {
                let host: IpAddr = host.parse().unwrap();
                let listener = TcpListener::bind((host, 0)).unwrap();
                let to = listener.local_addr().unwrap();
                set_key(&listener, host, &key("right")).unwrap();
                let before = refused().unwrap();
                assert!(call(host, to, None).is_none(), "{host}: no signature");
                assert!(call(host, to, Some(&key("wrong"))).is_none(), "{host}: a wrong signature");
                let after = refused().unwrap();
                assert!(after.unsigned > before.unsigned && after.wrong > before.wrong, "{after:?}");
                assert!(call(host, to, Some(&key("right"))).is_some(), "{host}: the right signature");
                remove_key(&listener, host).unwrap();
                remove_key(&listener, host).unwrap();
                assert!(call(host, to, None).is_some(), "{host}: no key any more");
            }
        });
    }

    #[test]
    fn a_living_connection_changes_its_key_and_loses_nothing() {
        in_a_namespace(|| {
            let host: IpAddr = "127.0.0.1".parse().unwrap();
            let listener = TcpListener::bind((host, 0)).unwrap();
            set_key(&listener, host, &key("old")).unwrap();
            let mut ours = call(host, listener.local_addr().unwrap(), Some(&key("old"))).unwrap();
            let (mut theirs, _) = listener.accept().unwrap();
            set_key(&ours, host, &key("new")).unwrap();
            let before = refused().unwrap().wrong;
            ours.write_all(b"written between the two changes").unwrap();
            // The kernel drops it and sends it again until both ends agree.
            while refused().unwrap().wrong == before {
                std::thread::sleep(Duration::from_millis(5));
            }
            set_key(&theirs, host, &key("new")).unwrap();
            let mut read = [0; 31];
            theirs.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"written between the two changes");
        });
    }

    #[test]
    fn a_socket_of_another_kind_says_what_was_tried() {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        let refused: Error = set_key(&socket, "192.0.2.1".parse().unwrap(), &key("k")).unwrap_err();
        assert!(refused.to_string().starts_with("cannot set the MD5 key of 192.0.2.1: "), "{refused}");
        assert!(SockRef::from(&socket).local_addr().is_ok(), "the socket lives on");
    }
}
