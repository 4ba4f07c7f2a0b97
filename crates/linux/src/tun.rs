//! TUN devices: an interface whose cable ends in this process.

use crate::error::Attempt;
use crate::netlink::interface_name;
use crate::{Error, Result};
use nix::libc;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

/// Bytes before each packet (`struct virtio_net_hdr`): checksum and segmentation that are still to be done. A packet
/// handed on with its header reaches the next interface unsegmented, which makes TCP five to eight times as fast.
pub const OFFLOAD_HEADER: usize = 10;

const CHECKSUM: libc::c_ulong = 0x01;
const SEGMENT_IPV4: libc::c_ulong = 0x02;
const SEGMENT_IPV6: libc::c_ulong = 0x04;

/// The requests of `linux/if_tun.h`.
mod request {
    use nix::libc::c_int;

    nix::ioctl_write_int!(
        /// TUNSETIFF: makes the interface that an `ifreq` describes.
        tun_set_interface, b'T', 202
    );
    nix::ioctl_write_int!(
        /// TUNSETOFFLOAD: what this end does not need to have done by the kernel.
        tun_set_offload, b'T', 208
    );
    nix::ioctl_write_ptr!(
        /// TUNSETCARRIER: whether a cable is plugged in.
        tun_set_carrier, b'T', 226, c_int
    );
}

/// An interface that carries IP packets and whose other end is this descriptor. Reading and writing never block.
#[derive(Debug)]
pub struct Tun {
    device: File,
}

/// Whether this process may make TUN devices, as far as the device file is concerned.
pub fn available() -> Result<()> {
    open().map(drop)
}

fn open() -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")
        .attempt(|| "open /dev/net/tun")
}

impl Tun {
    /// Creates the interface `name` in the network namespace of the calling thread; it is gone when the value is
    /// dropped (which takes the kernel some 30 ms).
    pub fn create(name: &str) -> Result<Self> {
        let name = interface_name(name)?;
        let device = open()?;
        let description = describe(name, libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR);
        // SAFETY: TUNSETIFF reads and writes one `ifreq`, which lives until the call returns.
        unsafe { request::tun_set_interface(device.as_raw_fd(), (&raw const description) as libc::c_ulong) }
            .attempt(|| format!("create the TUN interface {name}"))?;
        // SAFETY: TUNSETOFFLOAD takes a number and no pointer.
        unsafe { request::tun_set_offload(device.as_raw_fd(), CHECKSUM | SEGMENT_IPV4 | SEGMENT_IPV6) }
            .attempt(|| format!("switch on offloads of {name}"))?;
        Ok(Tun { device })
    }

    /// Plugs the cable in or pulls it out: the interface sees its carrier come or go.
    pub fn set_carrier(&self, plugged_in: bool) -> Result<()> {
        let value = libc::c_int::from(plugged_in);
        // SAFETY: TUNSETCARRIER reads one int, which lives until the call returns.
        unsafe { request::tun_set_carrier(self.device.as_raw_fd(), &value) }
            .map(drop)
            .attempt(|| format!("set the carrier of a TUN interface to {plugged_in}"))
    }

    /// Takes the next frame that the kernel sends out; none when there is none at the moment.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>> {
        match (&self.device).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if transient(&error) => Ok(None),
            Err(error) => Err(Error::new("read from a TUN interface", error)),
        }
    }

    /// Hands a frame to the kernel as received; false if the interface does not take it (it is down, or full).
    pub fn deliver(&self, frame: &[u8]) -> bool {
        (&self.device).write(frame).is_ok()
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// Nothing to read, interrupted, or the interface is down (EIO): all pass.
fn transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        || error.raw_os_error() == Some(libc::EIO)
}

fn describe(name: &str, flags: libc::c_int) -> libc::ifreq {
    // SAFETY: `ifreq` is plain data for which all zeroes is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{LinkState, index, set_up, state};
    use crate::{Namespace, address};
    use std::net::UdpSocket;

    #[test]
    fn packets_come_out_at_the_other_end_and_the_carrier_can_be_pulled() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let tun = namespace.run(|| Tun::create("cable")).unwrap().unwrap();
        let cable = index(&mut netlink, "cable").unwrap();
        address::add(&mut netlink, cable, "10.0.0.0/31".parse().unwrap()).unwrap();
        set_up(&mut netlink, cable).unwrap();
        let socket = namespace.run(|| UdpSocket::bind("10.0.0.0:0")).unwrap().unwrap();
        socket.send_to(b"payload", "10.0.0.1:9").unwrap();
        let mut buffer = vec![0; 2000];
        let mut seen = Vec::new();
        while let Some(length) = tun.receive(&mut buffer).unwrap() {
            seen.push(buffer[..length].to_vec());
        }
        assert!(seen.iter().any(|frame| frame.ends_with(b"payload") && frame[OFFLOAD_HEADER] == 0x45));
        tun.set_carrier(false).unwrap();
        assert_eq!(state(&mut netlink, cable).unwrap(), LinkState { up: true, carrier: false });
        tun.set_carrier(true).unwrap();
        assert_eq!(state(&mut netlink, cable).unwrap(), LinkState { up: true, carrier: true });
        drop(tun);
        assert!(index(&mut netlink, "cable").is_err());
    }
}
