//! What the kernel has dropped because of the guards of TCP connections.

use crate::Result;
use crate::error::Attempt;
use std::fs;

/// Where the kernel counts, for the network namespace of the calling thread.
const COUNTERS: &str = "/proc/thread-self/net/netstat";

/// Segments that the kernel has dropped since the network namespace exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// They carried no signature though the socket has a key for their sender.
    pub unsigned: u64,
    /// They carried a signature though the socket has no key for their sender.
    pub unexpected: u64,
    /// Their signature was wrong.
    pub wrong: u64,
    /// They came from too far away.
    pub too_far: u64,
}

/// Reads the counters.
pub fn refused() -> Result<Refused> {
    Ok(Refused::read(&fs::read_to_string(COUNTERS).attempt(|| format!("read {COUNTERS}"))?))
}

impl Refused {
    /// From the kernel's table: a row of names, then a row of numbers with the same first word. A kernel that does
    /// not know a counter counts nothing there.
    fn read(table: &str) -> Self {
        let rows = || table.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
        let (names, values) = (rows().next().unwrap_or_default(), rows().nth(1).unwrap_or_default());
        let counter = |wanted: &str| -> u64 {
            let mut counters = names.split(' ').zip(values.split(' '));
            let found = counters.find(|(name, _)| *name == wanted);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
        };
        let sum = |names: &[&str]| names.iter().map(|name| counter(name)).fold(0, u64::saturating_add);
        Refused {
            unsigned: sum(&["TCPMD5NotFound", "TCPAORequired"]),
            unexpected: sum(&["TCPMD5Unexpected"]),
            wrong: sum(&["TCPMD5Failure", "TCPAOBad", "TCPAOKeyNotFound"]),
            too_far: sum(&["TCPMinTTLDrop"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name() {
        let table = "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Failure TCPMinTTLDrop TCPAOBad\n\
                     TcpExt: 7 1 2 3 4\nIpExt: InNoRoutes\nIpExt: 0\n";
        let counted = Refused { unsigned: 1, unexpected: 0, wrong: 6, too_far: 3 };
        assert_eq!(Refused::read(table), counted);
        for odd in ["", "TcpExt: TCPMD5NotFound", "TcpExt: TCPMD5NotFound\nTcpExt: many\n"] {
            assert_eq!(Refused::read(odd), Refused::default(), "{odd}");
        }
    }
}
