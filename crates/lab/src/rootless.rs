//! A lab without root: the process becomes root of a user namespace of its own, and builds the world in there.

use linux::{Error, privileges, user_namespace};
use nix::errno::Errno;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

/// This machine does not let the user have a world.
#[derive(Debug, thiserror::Error)]
#[error("a lab needs root or a user namespace: {error}{}", hint(.hindrance))]
pub struct Forbidden {
    error: Error,
    hindrance: Option<Hindrance>,
}

fn hint(hindrance: &Option<Hindrance>) -> String {
    hindrance.as_ref().map(|hindrance| format!("; {hindrance}")).unwrap_or_default()
}

/// Lets the process make namespaces if root may not do so already. It must have one thread, and is root of its own
/// namespace afterwards.
pub(crate) fn become_root() -> Result<(), Forbidden> {
    let become_root = || {
        if privileges::can_make_namespaces()? {
            return Ok(());
        }
        user_namespace::enter_new()
    };
    become_root().map_err(|error| {
        let hindrance = Hindrance::of(error.errno(), |setting| fs::read_to_string(setting).ok());
        Forbidden { error, hindrance }
    })
}

/// What keeps users from having namespaces of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hindrance {
    /// None may be made any more.
    NoneLeft,
    /// Only root makes them.
    OnlyRoot,
    /// Whoever makes one gets no privileges in it.
    AppArmor,
    /// The kernel was built without them.
    Unknown,
    /// No setting says no: a container's rules, or a changed root directory.
    Container,
}

const MOST: &str = "/proc/sys/user/max_user_namespaces";
const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
const UBUNTU: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

impl Hindrance {
    /// What it was that the kernel answered with this number, given what settings there are.
    fn of(errno: Option<i32>, read: impl Fn(&'static str) -> Option<String>) -> Option<Hindrance> {
        let is = |setting, value: &str| read(setting).is_some_and(|text| text.trim() == value);
        match Errno::from_raw(errno?) {
            Errno::ENOSPC | Errno::EUSERS => Some(Hindrance::NoneLeft),
            Errno::EPERM | Errno::EACCES if is(DEBIAN, "0") => Some(Hindrance::OnlyRoot),
            Errno::EPERM | Errno::EACCES if is(UBUNTU, "1") => Some(Hindrance::AppArmor),
            Errno::EPERM | Errno::EACCES => Some(Hindrance::Container),
            Errno::EINVAL if read(MOST).is_none() => Some(Hindrance::Unknown),
            _ => None,
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hindrance::NoneLeft => "allow some with `sudo sysctl -w user.max_user_namespaces=10000`",
            Hindrance::OnlyRoot => "allow it to users with `sudo sysctl -w kernel.unprivileged_userns_clone=1`",
            Hindrance::AppArmor => {
                "allow it to users with `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
            }
            Hindrance::Unknown => "this kernel has none (CONFIG_USER_NS): use sudo",
            Hindrance::Container => {
                "nothing in /proc/sys says no, so this may be a container whose rules do: start it with `--privileged`, or \
                 with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`"
            }
        })
    }
}

/// Says why the process table cannot be mounted: the kernel lets nobody see in a user namespace what was covered
/// outside.
pub(crate) fn no_process_table(error: Error) -> Error {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let covered = covered(&mounts);
    if error.errno() != Some(Errno::EPERM as i32) || covered.is_empty() {
        return error;
    }
    let reason = format!(
        "parts of /proc are covered here ({}), as in a container: start it with `--security-opt systempaths=unconfined` \
         (Docker) or `--security-opt unmask=ALL` (Podman), or run the lab as root",
        covered.join(", ")
    );
    Error::new("mount the process table of the world", io::Error::other(reason))
}

/// What is mounted below `/proc`, by the fifth field of each line (proc_pid_mountinfo(5)).
fn covered(mounts: &str) -> Vec<&str> {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.filter(|point| point.starts_with("/proc/")).collect()
}

/// Where programs are searched: as everywhere else, and where Debian has routers and name servers. The PATH of a user
/// does not name it.
pub(crate) fn search_path() -> OsString {
    const SYSTEM: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&path).collect();
    for directory in SYSTEM.map(PathBuf::from) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    // A directory with a colon in its name cannot have come out of a PATH.
    env::join_paths(directories).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_setting_that_says_no_has_its_command() {
        let told = |errno: Errno, settings: &[(&str, &str)]| {
            let read = |setting: &'static str| {
                let found = settings.iter().find(|(name, _)| *name == setting);
                found.map(|(_, value)| format!("{value}\n"))
            };
            Hindrance::of(Some(errno as i32), read)
        };
        assert_eq!(told(Errno::ENOSPC, &[(MOST, "0")]), Some(Hindrance::NoneLeft));
        assert_eq!(told(Errno::EPERM, &[(MOST, "9"), (DEBIAN, "0")]), Some(Hindrance::OnlyRoot));
        assert_eq!(told(Errno::EPERM, &[(DEBIAN, "1"), (UBUNTU, "1")]), Some(Hindrance::AppArmor));
        assert_eq!(told(Errno::EACCES, &[(UBUNTU, "1")]), Some(Hindrance::AppArmor));
        assert_eq!(told(Errno::EPERM, &[(DEBIAN, "1"), (UBUNTU, "0")]), Some(Hindrance::Container));
        assert_eq!(told(Errno::EINVAL, &[]), Some(Hindrance::Unknown));
        assert_eq!(told(Errno::EINVAL, &[(MOST, "9")]), None);
        assert_eq!(told(Errno::ENOMEM, &[(MOST, "0")]), None);
        let command = "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`";
        assert!(Hindrance::AppArmor.to_string().ends_with(command));
    }

    #[test]
    fn what_covers_the_process_table_is_named() {
        let mounts = "21 1 0:20 / /proc rw,nosuid - proc proc rw\n\
                      40 21 0:5 /null /proc/kcore rw,nosuid - devtmpfs udev rw\n\
                      41 21 0:30 / /proc/scsi ro - tmpfs tmpfs ro\n\
                      42 1 0:31 / /processes rw - tmpfs tmpfs rw\n";
        assert_eq!(covered(mounts), ["/proc/kcore", "/proc/scsi"]);
        assert!(covered("").is_empty());
    }

    #[test]
    fn programs_are_searched_where_routers_are_as_well() {
        let directories: Vec<PathBuf> = env::split_paths(&search_path()).collect();
        assert_eq!(directories.iter().filter(|directory| *directory == Path::new("/usr/sbin")).count(), 1);
        let own: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap()).collect();
        assert!(directories.starts_with(&own), "what the user has comes first");
    }
}
