//! What the process may do, made less (capabilities(7)). A program that was broken into can do only that.

use crate::Result;
use crate::error::Attempt;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits, set_no_new_privs,
};

/// A set of capabilities.
pub type Capabilities = CapabilitySet;

/// Whether the process is root and has what root needs to make namespaces and what is in them. In a container it may
/// have less.
pub fn can_make_namespaces() -> Result<bool> {
    let has = capabilities(None).attempt(|| "read the capabilities")?.effective;
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN;
    Ok(rustix::process::geteuid().is_root() && has.contains(needed))
}

/// Gives up every capability but these, for good, and returns those of them that the process has. Programs that it
/// starts get none, be they set-user-ID or run by root.
///
/// Each thread has capabilities of its own: call this before any other thread runs.
pub fn keep_only(keep: Capabilities) -> Result<Capabilities> {
    let had = capabilities(None).attempt(|| "read the capabilities")?;
    if had.effective.contains(CapabilitySet::SETPCAP) {
        // The ways back: the bounding set is what a program can gain, and root gains everything in it.
        for capability in CapabilitySet::all().difference(keep).iter() {
            // The kernel may be older than the list.
            if let Ok(true) = capability_is_in_bounding_set(capability) {
                remove_capability_from_bounding_set(capability)
                    .attempt(|| format!("give up {capability:?}"))?;
            }
        }
        let no_root = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
        set_capabilities_secure_bits(no_root).attempt(|| "take root's privileges from what is started")?;
    }
    clear_ambient_capability_set().attempt(|| "clear the ambient capabilities")?;
    let kept = had.permitted & keep;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).attempt(|| "give up capabilities")?;
    set_no_new_privs(true).attempt(|| "forbid new privileges")?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use std::process::Command;

    const ALONE: &str = "LINUX_TEST_ALONE";

    /// Capabilities cannot be had back: this test runs once more, in a process of its own.
    #[test]
    fn what_is_not_kept_is_gone_for_the_process_and_for_what_it_starts() {
        if std::env::var_os(ALONE).is_none() {
            let name = "privileges::tests::what_is_not_kept_is_gone_for_the_process_and_for_what_it_starts";
            let mut command = Command::new(std::env::current_exe().unwrap());
            let output = command.args(["--exact", name]).env(ALONE, "1").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            return;
        }
        Namespace::new().unwrap();
        let kept = keep_only(CapabilitySet::NET_BIND_SERVICE).unwrap();
        assert_eq!(kept, CapabilitySet::NET_BIND_SERVICE);
        assert_eq!(capabilities(None).unwrap().permitted, CapabilitySet::NET_BIND_SERVICE);
        let kind = Namespace::new().unwrap_err().kind();
        assert_eq!(kind, std::io::ErrorKind::PermissionDenied);

        let started = Command::new("cat").arg("/proc/self/status").output().unwrap();
        let status = String::from_utf8(started.stdout).unwrap();
        let row = |name: &str| {
            let row = status.lines().find_map(|line| line.strip_prefix(name));
            u64::from_str_radix(row.unwrap().trim(), 16).unwrap()
        };
        assert_eq!([row("CapPrm:"), row("CapEff:"), row("CapAmb:")], [0; 3]);
        assert_eq!(row("CapBnd:"), CapabilitySet::NET_BIND_SERVICE.bits());
        assert_eq!(row("NoNewPrivs:"), 1);
    }
}
