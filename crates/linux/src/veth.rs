//! Virtual Ethernet, where a program at one end sends packets back (XDP_TX): they are lost as long as the other end has no
//! program of its own.

use crate::Result;
use crate::error::Attempt;
use crate::link;
use nix::errno::Errno;
use nix::libc;
use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// BPF_PROG_LOAD and BPF_LINK_CREATE of linux/bpf.h.
const LOAD: libc::c_int = 5;
const LINK: libc::c_int = 28;
/// BPF_PROG_TYPE_XDP.
const XDP_PROGRAM: u32 = 6;
/// BPF_XDP of `enum bpf_attach_type`.
const XDP_ATTACHMENT: u32 = 37;
/// XDP_FLAGS_DRV_MODE of linux/if_link.h.
const IN_DRIVER: u32 = 1 << 2;

/// `return XDP_PASS;`: two instructions.
const LET_PASS: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095];

/// The head of `union bpf_attr` for BPF_PROG_LOAD; what follows is zero.
#[repr(C)]
struct Load {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    licence: u64,
}

/// The same for BPF_LINK_CREATE.
#[repr(C)]
struct Link {
    program: u32,
    interface: u32,
    attachment: u32,
    flags: u32,
}

/// A program that lets everything pass, at one end of a virtual Ethernet. It is there for as long as this is.
#[derive(Debug)]
pub struct Receiver {
    _link: OwnedFd,
}

impl Receiver {
    /// Has an interface of the calling thread's network namespace take what programs at its other end send back.
    pub fn at(interface: &str) -> Result<Self> {
        let index = link::index_here(interface)?;
        let attach = || {
            let load = Load {
                program_type: XDP_PROGRAM,
                instruction_count: LET_PASS.len() as u32,
                instructions: LET_PASS.as_ptr() as u64,
                licence: c"MIT".as_ptr() as u64,
            };
            let program = call(LOAD, &load)?;
            let program_number = u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?;
            let (attachment, flags) = (XDP_ATTACHMENT, IN_DRIVER);
            call(LINK, &Link { program: program_number, interface: index.0, attachment, flags })
        };
        let link = attach().attempt(|| format!("attach a program to {interface}"))?;
        Ok(Receiver { _link: link })
    }
}

/// A call that answers with a descriptor.
fn call<T>(command: libc::c_int, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the kernel reads so many octets of the attributes, and what they point to; all of it lives until the call
    // returns.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of_val(attributes)) };
    let descriptor = i32::try_from(Errno::result(answer)?).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{End, create_veth};

    #[test]
    fn an_interface_has_one_such_program_until_it_goes() {
        let (one, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        let end = |namespace, name| End { namespace, name };
        create_veth(&mut one.netlink().unwrap(), end(&one, "eth7"), end(&other, "far")).unwrap();
        let attach = || one.run(|| Receiver::at("eth7")).unwrap();
        let first = attach().unwrap();
        assert!(attach().is_err(), "its place is taken");
        drop(first);
        let error = other.run(|| Receiver::at("eth7")).unwrap().unwrap_err();
        assert!(error.to_string().contains("eth7"), "{error}");
    }
}
