//! What the process uses of what it may use: memory and descriptors. A site should be seen to run short before it does.

mod shortage;

pub(crate) use shortage::watch;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::fs;
use std::path::Path;

/// A look at the process. What cannot be read is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    /// Resident memory, bytes.
    memory: Option<u64>,
    /// The limit of the control group (`MemoryMax=` of the unit), bytes; none without one.
    memory_limit: Option<u64>,
    /// Open descriptors.
    descriptors: Option<u64>,
    /// How many may be open.
    descriptor_limit: Option<u64>,
}

impl Usage {
    /// As it is now.
    fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Usage {
            memory: kilobytes(&text("/proc/self/status"), "VmRSS:"),
            memory_limit: control_group(&text("/proc/self/cgroup")).and_then(|group| {
                let limit = Path::new("/sys/fs/cgroup").join(group).join("memory.max");
                fs::read_to_string(limit).ok()?.trim().parse().ok()
            }),
            descriptors: open_descriptors(),
            descriptor_limit: soft_limit(&text("/proc/self/limits"), "Max open files"),
        }
    }
}

/// How many descriptors this process has open. Linux says it from 6.2 on; before, they have to be listed, which takes the
/// kernel milliseconds where thousands of clients are connected, and meanwhile nobody else has this processor.
fn open_descriptors() -> Option<u64> {
    const OPEN: &str = "/proc/self/fd";
    let said = fs::metadata(OPEN).ok()?.len();
    if said > 0 { Some(said) } else { fs::read_dir(OPEN).ok().map(|open| open.count() as u64) }
}

/// A row of `/proc/self/status`, bytes.
fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let row = status.lines().find_map(|line| line.strip_prefix(name))?;
    row.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The path of the control group below its file system (cgroups(7), version 2).
fn control_group(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::/"))
}

/// A row of `/proc/self/limits`.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let row = limits.lines().find_map(|line| line.strip_prefix(name))?;
    row.split_whitespace().next()?.parse().ok()
}

/// Adds what is known now.
pub(crate) fn register(registry: &mut Registry) {
    let usage = Usage::read();
    let gauge = |value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge
    };
    let sizes = [
        ("memory", "Resident memory of the daemon", usage.memory),
        (
            "memory_limit",
            "Memory at which the kernel ends the daemon (MemoryMax= of its unit)",
            usage.memory_limit,
        ),
    ];
    for (name, help, value) in sizes {
        if let Some(value) = value {
            registry.register_with_unit(name, help, Unit::Bytes, gauge(value));
        }
    }
    let counts = [
        ("descriptors", "Descriptors that the daemon has open", usage.descriptors),
        (
            "descriptors_limit",
            "Descriptors that it may open (LimitNOFILE= of its unit)",
            usage.descriptor_limit,
        ),
    ];
    for (name, help, value) in counts {
        if let Some(value) = value {
            registry.register(name, help, gauge(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        assert_eq!(kilobytes("VmPeak:\t  20 kB\nVmRSS:\t    12 kB\n", "VmRSS:"), Some(12 * 1024));
        assert_eq!(
            control_group("1:cpu:/x\n0::/system.slice/catchment.service\n"),
            Some("system.slice/catchment.service")
        );
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            65536                65536                files     \n";
        assert_eq!(soft_limit(limits, "Max open files"), Some(65536));
        assert_eq!(
            soft_limit("Max open files            unlimited            unlimited", "Max open files"),
            None
        );
    }

    #[test]
    fn this_process_uses_something_and_no_more_than_it_may() {
        let usage = Usage::read();
        assert!(usage.memory.unwrap() > 100_000);
        assert!((3..usage.descriptor_limit.unwrap()).contains(&usage.descriptors.unwrap()));
    }

    #[test]
    fn descriptors_are_counted_one_by_one() {
        let before = open_descriptors().unwrap();
        let open: Vec<_> = (0..500).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        // Other tests of this process may open and close some meanwhile.
        let more = open_descriptors().unwrap() - before;
        assert!((450..=550).contains(&more), "{more} for {}", open.len());
    }
}
