//! A program that takes the place of the running one in the same process, and what it inherits.
//!
//! The process keeps its number, its namespaces and its limits; open sockets pass on by their numbers, and what the
//! old program knew passes on in sealed memory. [`succeed`] does all of it from a thread with a descriptor table,
//! capabilities and a signal mask of its own: where the new program cannot be started the thread ends, and nothing
//! has happened.

use crate::error::Attempt;
use crate::privileges::Capabilities;
use crate::{Error, Result};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::process::{parent_process_death_signal, set_parent_process_death_signal};
use rustix::thread::{CapabilitySets, capabilities, configure_capability_in_ambient_set, set_capabilities};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the memory that is handed over is called.
const MEMORY: &str = "catchment-succession";

/// Nothing is handed over that is larger, octets.
const LARGEST: u64 = 256 << 20;

/// Signals that wait for the new program to listen: their default is to end the process.
const HELD_BACK: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

/// What a new program needs to go on where this one stood.
#[derive(Clone, Copy, Debug)]
pub struct Estate<'a> {
    /// What it should know.
    pub memory: &'a [u8],
    /// The open descriptors that it gets, under the numbers that they have here.
    pub descriptors: &'a [RawFd],
    /// What it may do, as far as this process may.
    pub capabilities: Capabilities,
}

/// Puts another program in the place of this one. Returns only where that failed, and then nothing has changed.
///
/// Every other thread ends without a word where it works: they must have nothing in hand.
pub fn succeed(program: &Path, arguments: &[&OsStr], estate: Estate<'_>) -> Result<Infallible> {
    let parent_ends = parent_process_death_signal().attempt(|| "ask with whom this process dies")?;
    let attempt = || {
        set_parent_process_death_signal(parent_ends).attempt(|| "die with the parent")?;
        take_place(program, arguments, estate)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("succession".to_owned()).spawn_scoped(scope, attempt);
        let thread = thread.attempt(|| "start a thread")?;
        thread.join().unwrap_or_else(|_| Err(Error::new("start another program", std::io::ErrorKind::Other)))
    })
}

fn take_place(program: &Path, arguments: &[&OsStr], estate: Estate<'_>) -> Result<Infallible> {
    let text = |text: &OsStr| CString::new(text.as_bytes()).attempt(|| "write the command line");
    let path = text(program.as_os_str())?;
    let words = arguments.iter().map(|word| text(word)).collect::<Result<Vec<_>>>()?;
    // From here on this thread has descriptors of its own: what another thread starts inherits none of them.
    unshare(CloneFlags::CLONE_FILES).attempt(|| "part with the descriptors of the other threads")?;
    let memory = seal(estate.memory)?;
    for &number in estate.descriptors {
        // SAFETY: the borrow ends with this call; a number that is not open is answered with an error.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        fcntl_setfd(descriptor, FdFlags::empty()).attempt(|| "hand a descriptor over")?;
    }
    fcntl_setfd(&memory, FdFlags::empty()).attempt(|| "hand over what is known")?;
    hand_over(estate.capabilities)?;
    HELD_BACK.into_iter().collect::<SigSet>().thread_block().attempt(|| "hold signals back")?;
    nix::unistd::execv(&path, &words).attempt(|| format!("start {}", program.display()))
}

/// Memory that nobody changes any more.
fn seal(octets: &[u8]) -> Result<OwnedFd> {
    let make = || {
        let memory = memfd_create(MEMORY, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(memory);
        file.write_all(octets)?;
        file.rewind()?;
        fcntl_add_seals(&file, sealed())?;
        Ok::<_, std::io::Error>(OwnedFd::from(file))
    };
    make().attempt(|| "put down what the next program should know")
}

fn sealed() -> SealFlags {
    SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE
}

/// Lets a program that this thread becomes keep these capabilities (capabilities(7), the ambient set).
fn hand_over(wanted: Capabilities) -> Result<()> {
    let had = capabilities(None).attempt(|| "read the capabilities")?;
    let kept = had.permitted & wanted;
    let sets = CapabilitySets { inheritable: kept, ..had };
    set_capabilities(None, sets).attempt(|| "make capabilities inheritable")?;
    for capability in kept.iter() {
        configure_capability_in_ambient_set(capability, true)
            .attempt(|| format!("hand {capability:?} over"))?;
    }
    Ok(())
}

/// What the program before left in this process.
#[derive(Debug)]
pub struct Inherited {
    /// What it knew.
    pub memory: Vec<u8>,
    /// What it had open, by number. What is not taken out is closed.
    pub descriptors: BTreeMap<RawFd, OwnedFd>,
}

/// What the program before left; none where this one was started in another way. To be called before any other thread
/// runs and before anything is opened to stay.
pub fn inherited() -> Result<Option<Inherited>> {
    let found = open_to_inherit()?;
    if !found.iter().any(|&number| is_memory(number)) {
        return Ok(None);
    }
    let mut descriptors = BTreeMap::new();
    for number in found {
        // SAFETY: the descriptor is open and does not close on exec. Everything that this program opens does, so it
        // came from the program before, whose owners are gone: this is the only one.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        fcntl_setfd(&descriptor, FdFlags::CLOEXEC).attempt(|| "keep a descriptor from being inherited")?;
        descriptors.insert(number, descriptor);
    }
    let memory = descriptors.keys().copied().find(|&number| is_memory(number));
    let memory = memory.and_then(|number| descriptors.remove(&number));
    memory.map(|memory| Ok(Inherited { memory: read(memory)?, descriptors })).transpose()
}

/// Descriptors above the three of every program that would pass on to another one.
fn open_to_inherit() -> Result<Vec<RawFd>> {
    let list = || {
        let names = fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
        names.collect::<std::io::Result<Vec<_>>>()
    };
    let names = list().attempt(|| "list the open descriptors")?;
    let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<RawFd>().ok());
    Ok(numbers.filter(|&number| number > 2 && passes_on(number)).collect())
}

fn passes_on(number: RawFd) -> bool {
    // SAFETY: the borrow ends with this question; a number that is not open is answered with an error.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(descriptor).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
}

fn is_memory(number: RawFd) -> bool {
    let target = fs::read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
    target.to_str().is_some_and(|target| target.starts_with(&format!("/memfd:{MEMORY} ")))
}

fn read(memory: OwnedFd) -> Result<Vec<u8>> {
    let read = || {
        if !fcntl_get_seals(&memory)?.contains(sealed()) {
            return Err(std::io::Error::other("it is not sealed"));
        }
        let mut file = File::from(memory);
        file.rewind()?;
        let mut octets = Vec::new();
        file.take(LARGEST).read_to_end(&mut octets)?;
        Ok(octets)
    };
    read().attempt(|| "read what the program before left")
}

/// Hears the signals that were held back while the programs changed. To be called once somebody listens.
pub fn hear_signals() -> Result<()> {
    HELD_BACK.into_iter().collect::<SigSet>().thread_unblock().attempt(|| "hear signals again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::process::Command;

    const ROLE: &str = "LINUX_TEST_SUCCESSION";

    fn in_a_process_of_its_own(test: &str) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", &format!("succession::tests::{test}")]);
        let output = command.env(ROLE, std::process::id().to_string()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("the second has it all"), "{said}");
    }

    /// Starts this test once more in the place of itself, with a listener and one caller waiting.
    #[test]
    fn a_second_program_goes_on_with_the_sockets_of_the_first() {
        if std::env::var_os(ROLE).is_none() {
            return in_a_process_of_its_own("a_second_program_goes_on_with_the_sockets_of_the_first");
        }
        let Some(Inherited { memory, mut descriptors }) = inherited().unwrap() else {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let memory = format!("{} {}", listener.as_raw_fd(), std::process::id());
            let _caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let arguments = std::env::args_os().collect::<Vec<_>>();
            let arguments: Vec<&OsStr> = arguments.iter().map(|word| word.as_os_str()).collect();
            let descriptors = [listener.as_raw_fd()];
            let estate = Estate {
                memory: memory.as_bytes(),
                descriptors: &descriptors,
                capabilities: Capabilities::NET_BIND_SERVICE,
            };
            let never = Path::new("/nowhere/to/be/found");
            let refused = succeed(never, &arguments, estate).unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
            let flags = fcntl_getfd(&listener).unwrap();
            assert!(flags.contains(FdFlags::CLOEXEC), "a failed attempt changes nothing");
            let program = std::env::current_exe().unwrap();
            let error = succeed(&program, &arguments, estate).unwrap_err();
            panic!("{error}");
        };
        let memory = String::from_utf8(memory).unwrap();
        let (number, process) = memory.split_once(' ').unwrap();
        assert_eq!(process, std::process::id().to_string(), "it is the same process");
        let listener = TcpListener::from(descriptors.remove(&number.parse().unwrap()).unwrap());
        assert!(fcntl_getfd(&listener).unwrap().contains(FdFlags::CLOEXEC));
        listener.accept().unwrap();
        assert!(capabilities(None).unwrap().permitted.contains(Capabilities::NET_BIND_SERVICE));
        hear_signals().unwrap();
        println!("the second has it all");
    }

    #[test]
    fn a_program_that_was_started_in_order_inherits_nothing() {
        assert!(inherited().unwrap().is_none());
    }
}
