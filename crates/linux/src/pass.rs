//! Passing open descriptors from one process to another over a Unix socket (`SCM_RIGHTS`, unix(7)).

use crate::error::Attempt;
use crate::{Error, Result};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The most descriptors that the kernel lets one message bring (`SCM_MAX_FD`, unix(7)).
pub const MOST_DESCRIPTORS: usize = 253;

/// Sends bytes and descriptors as one message. A stream may cut a message that is longer than its buffer: keep it to
/// a few kilobytes.
pub fn send(socket: impl AsFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &rights[..0] } else { &rights[..] };
    let parts = [IoSlice::new(bytes)];
    let sent = sendmsg::<()>(socket.as_fd().as_raw_fd(), &parts, control, MsgFlags::MSG_NOSIGNAL, None)
        .attempt(|| "send descriptors")?;
    if sent == bytes.len() {
        Ok(())
    } else {
        Err(Error::new("send descriptors", io::Error::from(io::ErrorKind::WriteZero)))
    }
}

/// Receives what [`send`] sent, up to `buffer`'s length; 0 bytes mean that the other side has closed.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>)> {
    receive_packet(socket, buffer).map(|Packet { length, descriptors, .. }| (length, descriptors))
}

/// What has come in one piece.
#[derive(Debug)]
pub struct Packet {
    /// So many bytes of the buffer.
    pub length: usize,
    /// Every descriptor that came along.
    pub descriptors: Vec<OwnedFd>,
    /// Whether the packet was longer than the buffer: its end is lost. Streams never are.
    pub is_cut: bool,
}

/// Receives as [`receive`], from somebody who is not trusted: whatever came along is closed when it is not wanted.
pub fn receive_packet(socket: impl AsFd, buffer: &mut [u8]) -> Result<Packet> {
    // With less room the kernel would still make some descriptors, and say no more than that there were too many.
    let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut parts = [IoSliceMut::new(buffer)];
    let raw = socket.as_fd().as_raw_fd();
    let message = recvmsg::<()>(raw, &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
        .attempt(|| "receive descriptors")?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs().attempt(|| "receive descriptors: more came than fit")? {
        if let ControlMessageOwned::ScmRights(received) = control {
            // SAFETY: the kernel has just made these descriptors for this process; nobody else knows them.
            descriptors.extend(received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    Ok(Packet { length: message.bytes, descriptors, is_cut: message.flags.contains(MsgFlags::MSG_TRUNC) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_works_on_the_other_side() {
        let (left, right) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        send(&left, b"pipe", &[writer.as_fd()]).unwrap();
        drop(writer);
        let mut buffer = [0; 16];
        let (length, mut descriptors) = receive(&right, &mut buffer).unwrap();
        assert_eq!((&buffer[..length], descriptors.len()), (&b"pipe"[..], 1));
        File::from(descriptors.remove(0)).write_all(b"through").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        send(&left, b"none", &[]).unwrap();
        assert!(receive(&right, &mut buffer).unwrap().1.is_empty());
        drop(left);
        assert_eq!(receive(&right, &mut buffer).unwrap().0, 0);
    }

    #[test]
    fn as_many_descriptors_as_a_message_can_bring_are_taken_and_closed() {
        let (left, right) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        send(&left, b"many", &[writer.as_fd(); MOST_DESCRIPTORS]).unwrap();
        drop(writer);
        let packet = receive_packet(&right, &mut [0; 3]).unwrap();
        assert_eq!((packet.length, packet.descriptors.len(), packet.is_cut), (3, MOST_DESCRIPTORS, true));
        drop(packet);
        // Nobody has the other end any more.
        let mut reader = reader;
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        let too_many = [right.as_fd(); MOST_DESCRIPTORS + 1];
        assert!(send(&left, b"more", &too_many).is_err());
        send(&left, b"abc", &[]).unwrap();
        assert!(!receive_packet(&right, &mut [0; 3]).unwrap().is_cut);
    }
}
