//! Network namespaces that have no name: they exist as long as something holds their descriptor or runs in them.

use crate::error::Attempt;
use crate::{Error, Netlink, Result};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

/// A network stack of its own: interfaces, addresses, routes, sockets.
#[derive(Debug)]
pub struct Namespace {
    descriptor: OwnedFd,
}

impl Namespace {
    /// A new, empty one: a loopback interface that is down, nothing else.
    pub fn new() -> Result<Self> {
        on_a_thread_of_its_own(|| {
            unshare(CloneFlags::CLONE_NEWNET).attempt(|| "create a network namespace")?;
            Namespace::current()
        })?
    }

    /// The one that the calling thread is in.
    pub fn current() -> Result<Self> {
        let file =
            File::open("/proc/thread-self/ns/net").attempt(|| "open this thread's network namespace")?;
        Ok(Namespace { descriptor: file.into() })
    }

    /// Runs `work` inside, on a thread that ends before this returns. Sockets and devices that it opens stay inside
    /// and can be used from anywhere.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        on_a_thread_of_its_own(|| {
            self.enter()?;
            Ok(work())
        })?
    }

    /// Moves the calling thread in for good.
    pub fn enter(&self) -> Result<()> {
        setns(&self.descriptor, CloneFlags::CLONE_NEWNET).attempt(|| "enter a network namespace")
    }

    /// A netlink socket that speaks about this namespace.
    pub fn netlink(&self) -> Result<Netlink> {
        self.run(Netlink::open)?
    }

    /// A second handle on the same namespace.
    pub fn try_clone(&self) -> Result<Self> {
        let descriptor = self.descriptor.try_clone().attempt(|| "duplicate a namespace's descriptor")?;
        Ok(Namespace { descriptor })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// A namespace belongs to a thread: changing it on the caller's would be a surprise that outlives the call.
fn on_a_thread_of_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    thread::scope(|scope| {
        let spawned = thread::Builder::new().name("namespace".into()).spawn_scoped(scope, work);
        let thread = spawned.attempt(|| "start a thread for a network namespace")?;
        thread
            .join()
            .map_err(|_| Error::new("work in a network namespace", io::Error::other("the work panicked")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    fn interfaces() -> Vec<String> {
        let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
        table.lines().skip(2).filter_map(|row| row.split(':').next()).map(|name| name.trim().into()).collect()
    }

    #[test]
    fn the_caller_stays_where_it_was() {
        let before = interfaces();
        let namespace = Namespace::new().unwrap();
        assert_eq!(namespace.run(interfaces).unwrap(), ["lo"]);
        assert_eq!(interfaces(), before);
    }

    #[test]
    fn a_socket_stays_where_it_was_opened() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        crate::link::set_up(&mut netlink, crate::link::LinkIndex::LOOPBACK).unwrap();
        let inside = namespace.run(|| UdpSocket::bind("127.0.0.1:4053")).unwrap().unwrap();
        let outside = UdpSocket::bind("127.0.0.1:4053").unwrap();
        let sender = namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap().unwrap();
        sender.send_to(b"hello", "127.0.0.1:4053").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(inside.recv(&mut buffer).unwrap(), 5);
        outside.set_nonblocking(true).unwrap();
        assert!(outside.recv(&mut buffer).is_err());
    }

    #[test]
    fn a_panic_inside_is_an_error_outside() {
        let namespace = Namespace::new().unwrap();
        let result = namespace.run(|| panic!("planted"));
        assert!(result.unwrap_err().to_string().contains("panicked"));
    }
}
