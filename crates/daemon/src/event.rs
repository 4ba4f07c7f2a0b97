//! What the drivers themselves have to tell. The cores have events of their own.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use terms::{AlarmChange, AlarmName, GroupName, PeerName, Prefix, Reason, Severity};

/// The alarm that stands while the orders that stand are not on disk.
pub(crate) const ORDERS_NOT_KEPT: &str = "orders-not-kept";

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// The daemon as a whole.
    Process,
    /// An announcement group.
    Group(&'a GroupName),
    /// A BGP neighbour.
    Peer(&'a PeerName),
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Process => Ok(()),
            Source::Group(name) => name.fmt(f),
            Source::Peer(name) => name.fmt(f),
        }
    }
}

/// Something that happened to the daemon around its cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Everything is open and running; nothing is announced yet.
    Started,
    /// An operator or the service manager ordered the end.
    Stopping {
        /// The signal that said so.
        signal: &'static str,
    },
    /// The users have gone elsewhere, or had the time to; nothing is announced any more.
    Drained,
    /// The daemon ends although the fleet did not permit this site to go.
    StopUnpermitted {
        /// The groups that other sites may be missing.
        groups: Reason,
    },
    /// A second interrupt: no more waiting.
    Interrupted,
    /// An operator's order is carried out.
    Ordered {
        /// What, by whom, until when and why.
        order: Reason,
    },
    /// An operator's order was not carried out, and nothing has changed.
    OrderRefused {
        /// What, by whom and why.
        order: Reason,
        /// Why not.
        because: Reason,
    },
    /// The time of an order is over.
    OrderExpired {
        /// What, by whom and why.
        order: Reason,
    },
    /// The orders that stood when the last process ended are not readable.
    OrdersUnreadable {
        /// Where they were; the file is kept beside its place.
        path: PathBuf,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The orders that stand could not be written.
    OrdersUnwritable {
        /// Where they should be.
        path: PathBuf,
        /// What the system said.
        reason: Reason,
    },
    /// The orders that stand are on disk again.
    OrdersKept,
    /// Every peer was told to forget the routes; the service answers on for those who have not heard yet.
    Lingering {
        /// For how long.
        linger: Duration,
    },
    /// The end.
    Stopped,
    /// A service address was missing and is on the interface again.
    AddressRestored {
        /// Which.
        address: IpAddr,
    },
    /// A service address is missing and cannot be put back.
    AddressMissing {
        /// Which.
        address: IpAddr,
        /// What the kernel said.
        reason: Reason,
    },
    /// The route that rejects unused addresses of an announced prefix was missing and is there again.
    RejectRestored {
        /// Which prefix.
        prefix: Prefix,
    },
    /// The route that rejects unused addresses of an announced prefix is missing and cannot be put back.
    RejectMissing {
        /// Which prefix.
        prefix: Prefix,
        /// What the kernel said.
        reason: Reason,
    },
    /// Zone files were read again and are served.
    ZonesRead {
        /// Every zone with its serial, such as `example. 7`.
        zones: Reason,
    },
    /// A zone file was read again and has faults; what was served before is served on.
    ZoneRefused {
        /// Which file.
        path: PathBuf,
        /// The first fault, with its line and column.
        reason: Reason,
        /// How many more there are.
        more: usize,
    },
    /// Somebody who is no peer called the BGP port.
    StrangerRefused {
        /// Who.
        address: IpAddr,
    },
    /// What the last process remembered is not usable.
    MemoryUnreadable {
        /// Where it was.
        path: PathBuf,
        /// What is wrong with it.
        reason: Reason,
    },
    /// What the next process should know could not be written.
    MemoryUnwritable {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        reason: Reason,
    },
    /// What the machines are told is not recorded, or not all of it.
    RecordingTrouble {
        /// What is wrong.
        reason: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Started => "started",
            Event::Stopping { .. } => "stopping",
            Event::Drained => "drained",
            Event::StopUnpermitted { .. } => "stop-unpermitted",
            Event::Interrupted => "interrupted",
            Event::Ordered { .. } => "ordered",
            Event::OrderRefused { .. } => "order-refused",
            Event::OrderExpired { .. } => "order-expired",
            Event::OrdersUnreadable { .. } => "orders-unreadable",
            Event::OrdersUnwritable { .. } => "orders-unwritable",
            Event::OrdersKept => "orders-kept",
            Event::Lingering { .. } => "lingering",
            Event::Stopped => "stopped",
            Event::AddressRestored { .. } => "address-restored",
            Event::AddressMissing { .. } => "address-missing",
            Event::RejectRestored { .. } => "reject-restored",
            Event::RejectMissing { .. } => "reject-missing",
            Event::ZonesRead { .. } => "zones-read",
            Event::ZoneRefused { .. } => "zone-refused",
            Event::StrangerRefused { .. } => "stranger-refused",
            Event::MemoryUnreadable { .. } => "memory-unreadable",
            Event::MemoryUnwritable { .. } => "memory-unwritable",
            Event::RecordingTrouble { .. } => "recording-trouble",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Started | Event::Drained | Event::Lingering { .. } | Event::Stopped => Severity::Info,
            Event::Stopping { .. }
            | Event::Interrupted
            | Event::Ordered { .. }
            | Event::OrderExpired { .. }
            | Event::OrdersKept
            | Event::ZonesRead { .. } => Severity::Notice,
            Event::AddressRestored { .. }
            | Event::RejectRestored { .. }
            | Event::OrderRefused { .. }
            | Event::ZoneRefused { .. }
            | Event::StrangerRefused { .. }
            | Event::MemoryUnreadable { .. }
            | Event::MemoryUnwritable { .. }
            | Event::RecordingTrouble { .. } => Severity::Warning,
            Event::AddressMissing { .. }
            | Event::RejectMissing { .. }
            | Event::StopUnpermitted { .. }
            | Event::OrdersUnreadable { .. }
            | Event::OrdersUnwritable { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let address = |address: &IpAddr| AlarmName::about("address-missing", address);
        let reject = |prefix: &Prefix| AlarmName::about("reject-missing", prefix);
        let orders = || AlarmName::only(ORDERS_NOT_KEPT);
        match self {
            Event::AddressMissing { address: missing, .. } => Some(AlarmChange::Raised(address(missing))),
            Event::AddressRestored { address: restored } => Some(AlarmChange::Cleared(address(restored))),
            Event::RejectMissing { prefix, .. } => Some(AlarmChange::Raised(reject(prefix))),
            Event::RejectRestored { prefix } => Some(AlarmChange::Cleared(reject(prefix))),
            Event::OrdersUnreadable { .. } | Event::OrdersUnwritable { .. } => {
                Some(AlarmChange::Raised(orders()))
            }
            Event::OrdersKept => Some(AlarmChange::Cleared(orders())),
            Event::StopUnpermitted { .. } => Some(AlarmChange::Raised(AlarmName::only("stop-unpermitted"))),
            Event::Started
            | Event::Stopping { .. }
            | Event::Drained
            | Event::Lingering { .. }
            | Event::Interrupted
            | Event::Stopped
            | Event::Ordered { .. }
            | Event::OrderRefused { .. }
            | Event::OrderExpired { .. }
            | Event::ZonesRead { .. }
            | Event::ZoneRefused { .. }
            | Event::StrangerRefused { .. }
            | Event::MemoryUnreadable { .. }
            | Event::MemoryUnwritable { .. }
            | Event::RecordingTrouble { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started => f.write_str("started; nothing is announced before the checks have passed"),
            Event::Stopping { signal } => write!(f, "{signal}: sending the users elsewhere, then stopping"),
            Event::Drained => f.write_str("drained; nothing is announced any more"),
            Event::StopUnpermitted { groups } => {
                write!(f, "the fleet does not permit this site to go, and it stops all the same: {groups}")
            }
            Event::Interrupted => f.write_str("interrupted again: withdrawing and stopping now"),
            Event::Ordered { order } => write!(f, "ordered: {order}"),
            Event::OrderRefused { order, because } => {
                write!(f, "refused, nothing has changed: {order}: {because}")
            }
            Event::OrderExpired { order } => write!(f, "the time of an order is over: {order}"),
            Event::OrdersUnreadable { path, reason } => {
                write!(f, "{} is unreadable, no earlier order stands: {reason}", path.display())
            }
            Event::OrdersUnwritable { path, reason } => {
                write!(f, "{} cannot be written, a restart will forget the orders: {reason}", path.display())
            }
            Event::OrdersKept => f.write_str("the orders that stand are on disk"),
            Event::Lingering { linger } => {
                write!(f, "withdrawn; the service answers for another {} s", linger.as_secs_f64())
            }
            Event::Stopped => f.write_str("stopped"),
            Event::AddressRestored { address } => {
                write!(f, "service address {address} had gone from lo and was put back")
            }
            Event::AddressMissing { address, reason } => {
                write!(f, "service address {address} is missing on lo and cannot be put back: {reason}")
            }
            Event::RejectRestored { prefix } => {
                write!(f, "unreachable route {prefix} had gone and was put back")
            }
            Event::RejectMissing { prefix, reason } => {
                write!(f, "unreachable route {prefix} is missing and cannot be put back: {reason}")
            }
            Event::ZonesRead { zones } => write!(f, "zone files were read again: {zones}"),
            Event::ZoneRefused { path, reason, more: 0 } => {
                write!(f, "{}:{reason}; the zones of before are served on", path.display())
            }
            Event::ZoneRefused { path, reason, more } => {
                write!(f, "{}:{reason}; and {more} more; the zones of before are served on", path.display())
            }
            Event::StrangerRefused { address } => {
                write!(f, "{address} called the BGP port and is no configured peer")
            }
            Event::MemoryUnreadable { path, reason } => {
                write!(f, "{} is unreadable, earlier failures are forgotten: {reason}", path.display())
            }
            Event::MemoryUnwritable { path, reason } => {
                write!(f, "{} cannot be written, a restart will forget failures: {reason}", path.display())
            }
            Event::RecordingTrouble { reason } => write!(f, "an incident may not be replayable: {reason}"),
        }
    }
}
