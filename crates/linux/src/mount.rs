//! Mounts of a mount namespace of one's own.

use crate::Result;
use crate::error::Attempt;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use std::path::Path;

/// Cuts the tie to the parent's mount namespace: what is mounted from now on is seen here alone.
pub fn make_private() -> Result<()> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).attempt(|| "make the mounts private")
}

/// Gives the calling thread a mount namespace of its own: what it mounts is seen by it alone, and goes with it.
pub fn make_own() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).attempt(|| "create a mount namespace")?;
    make_private()
}

/// Mounts an empty file system that lives in memory and goes with the last one who uses it.
pub fn tmpfs(at: &Path, size_mib: u32) -> Result<()> {
    let options = format!("size={size_mib}m,mode=0755");
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(options.as_str()))
        .attempt(|| format!("mount a tmpfs at {}", at.display()))
}

/// Mounts the process table of this process's PID namespace.
pub fn proc(at: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), at, Some("proc"), flags, None::<&str>)
        .attempt(|| format!("mount the process table at {}", at.display()))
}

/// Mounts an empty file system for objects of BPF: what is pinned there outlives its process.
pub fn bpf(at: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("bpf"), at, Some("bpf"), flags, None::<&str>)
        .attempt(|| format!("mount a file system for BPF at {}", at.display()))
}

/// Whether a directory is in such a file system.
pub fn is_bpf(directory: &Path) -> Result<bool> {
    statfs(directory)
        .map(|found| found.filesystem_type() == BPF_FS_MAGIC)
        .attempt(|| format!("ask for the file system of {}", directory.display()))
}
