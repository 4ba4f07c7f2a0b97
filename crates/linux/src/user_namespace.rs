//! User namespaces (user_namespaces(7)): whoever has no privileges is root of what he makes himself.

use crate::Result;
use crate::error::Attempt;
use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::fstat;
use rustix::process::{getegid, geteuid};
use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};

/// Where the kernel shows the user namespace of the calling process.
const OURS: &str = "/proc/self/ns/user";

/// The user namespace of the calling process.
pub fn current() -> Result<OwnedFd> {
    File::open(OURS).map(OwnedFd::from).attempt(|| format!("open {OURS}"))
}

/// Moves the calling process into a new user namespace, for good. It is root there, and towards files and processes
/// outside who it was before: its user and its group are all that the namespace knows. The process must have one
/// thread.
pub fn enter_new() -> Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).attempt(|| "create a user namespace")?;
    // A group may be mapped only by a process that cannot drop groups any more: being in one can mean to be kept out.
    write("setgroups", "deny")?;
    write("uid_map", &format!("0 {user} 1"))?;
    write("gid_map", &format!("0 {group} 1"))
}

fn write(file: &str, text: &str) -> Result<()> {
    fs::write(format!("/proc/self/{file}"), text).attempt(|| format!("write {text:?} into /proc/self/{file}"))
}

/// Moves the calling process, which must have one thread, into a user namespace, if it is not in it already.
pub fn enter(namespace: impl AsFd) -> Result<()> {
    let attempt = || "enter a user namespace";
    let (theirs, ours) = (fstat(&namespace).attempt(attempt)?, fstat(current()?).attempt(attempt)?);
    if (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino) {
        return Ok(());
    }
    setns(namespace, CloneFlags::CLONE_NEWUSER).attempt(attempt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::prctl;
    use std::io::{self, Read};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Output, Stdio};

    const NOBODY: u32 = 65534;

    /// Runs a shell as nobody, after what `prepare` does in the child.
    fn run(script: &str, prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", script]).uid(NOBODY).gid(NOBODY);
        // SAFETY: the child has one thread and allocates, which glibc allows after a fork.
        unsafe {
            command.pre_exec(move || {
                // Whoever becomes another user cannot look at himself in /proc before he starts a program.
                prctl::set_dumpable(true)?;
                prepare()
            });
        }
        command.output().unwrap()
    }

    fn said(output: &Output) -> (&str, &str) {
        (str::from_utf8(&output.stdout).unwrap(), str::from_utf8(&output.stderr).unwrap())
    }

    #[test]
    fn nobody_is_root_inside_and_nobody_outside() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::chown(file.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let script = format!(
            "id -u; id -g; unshare --net --mount sh -c 'mount -t tmpfs tmpfs /mnt && ip link set lo up && echo built'; \
             echo written >{}; chown 1 {} 2>/dev/null || echo no other user; ls /root 2>/dev/null || echo no root",
            file.path().display(),
            file.path().display(),
        );
        let output = run(&script, || Ok(enter_new()?));
        assert_eq!(said(&output), ("0\n0\nbuilt\nno other user\nno root\n", ""));
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "written\n");
    }

    #[test]
    fn whoever_made_it_can_come_in_later() {
        let mut inside = Command::new("sh");
        inside.args(["-c", "echo ready; exec sleep 1000"]).uid(NOBODY).gid(NOBODY).stdout(Stdio::piped());
        // SAFETY: as above.
        unsafe {
            inside.pre_exec(|| {
                prctl::set_dumpable(true)?;
                Ok(enter_new()?)
            });
        }
        let mut inside = inside.spawn().unwrap();
        let mut ready = [0; 6];
        inside.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        let namespace = File::open(format!("/proc/{}/ns/user", inside.id())).unwrap();
        let output = run("id -u", move || Ok(enter(&namespace)?));
        inside.kill().unwrap();
        inside.wait().unwrap();
        assert_eq!(said(&output), ("0\n", ""));
    }

    #[test]
    fn a_process_with_threads_cannot_enter() {
        // Whoever runs tests has threads.
        let error = enter_new().unwrap_err();
        assert_eq!(error.to_string(), "cannot create a user namespace: Invalid argument (os error 22)");
        enter(current().unwrap()).unwrap();
    }
}
