//! What the drivers themselves have to tell. The cores have events of their own.

mod words;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use terms::{
    AlarmChange, AlarmName, CollectorName, DomainName, GroupName, PeerName, Prefix, Reason, ServiceName,
    Severity,
};

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
    /// Addresses, apart from any group.
    Prefix(Prefix),
    /// A BMP collector.
    Collector(&'a CollectorName),
    /// A zone of the built-in DNS service.
    Zone(&'a DomainName),
    /// A service.
    Service(&'a ServiceName),
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Process => Ok(()),
            Source::Group(name) => name.fmt(f),
            Source::Peer(name) => name.fmt(f),
            Source::Prefix(prefix) => prefix.fmt(f),
            Source::Collector(name) => name.fmt(f),
            Source::Zone(name) => name.fmt(f),
            Source::Service(name) => name.fmt(f),
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
    /// An operator decided for another site of the fleet.
    FleetOrdered {
        /// What, about which site, by whom and why.
        order: Reason,
    },
    /// What an operator decided for another site is not in the store, or not everywhere.
    FleetOrderFailed {
        /// What, about which site, by whom and why.
        order: Reason,
        /// Why not.
        because: Reason,
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
    /// What was kept of the zones of a service that the site file has no more is removed.
    ZonesForgotten,
    /// Another site file is in force.
    Reloaded {
        /// Where it was read.
        path: PathBuf,
        /// How many things it changes.
        changes: usize,
    },
    /// One thing that another site file changed.
    Reconfigured {
        /// What, by its kind and name, and what became of it.
        what: Reason,
    },
    /// The site file was to be read again and has faults; nothing was changed.
    ReloadFaulty {
        /// The first fault, with its file, line and column.
        reason: Reason,
        /// How many more there are.
        more: usize,
    },
    /// A good site file was not applied; nothing was changed.
    ReloadRefused {
        /// Where it was read.
        path: PathBuf,
        /// Why.
        reason: Reason,
    },
    /// An operator had a reload withdraw more than it may.
    GuardOverridden {
        /// How many prefixes.
        withdrawn: usize,
        /// Why, in the operator's words.
        reason: Reason,
    },
    /// The new site file is taken back unless it is confirmed.
    ReloadWaits {
        /// Within that time.
        within: Duration,
    },
    /// The new site file stays.
    ReloadConfirmed,
    /// Nobody confirmed the new site file; the one of before is in force again.
    ReloadTakenBack,
    /// Nobody confirmed the new site file, and the system does not take the one of before.
    ReloadStays {
        /// What it says.
        reason: Reason,
    },
    /// Somebody who is no peer called the BGP port.
    StrangerRefused {
        /// Who.
        address: IpAddr,
    },
    /// The system does not let BFD run before everything else.
    BfdNotRealTime {
        /// What it says.
        reason: Reason,
    },
    /// The path to a peer is not watched.
    BfdUnavailable {
        /// What the system says.
        reason: Reason,
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
    /// Routes that a peer told are not kept, though the operator wants them kept.
    ReceivedLeftOut {
        /// Octets of memory that are there for them.
        max_memory: usize,
    },
    /// Every route that a peer tells is kept again, as far as is known.
    ReceivedKept,
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
            Event::FleetOrdered { .. } => "fleet-ordered",
            Event::FleetOrderFailed { .. } => "fleet-order-failed",
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
            Event::ZonesForgotten => "zones-forgotten",
            Event::Reloaded { .. } => "reloaded",
            Event::Reconfigured { .. } => "reconfigured",
            Event::ReloadFaulty { .. } => "reload-faulty",
            Event::ReloadRefused { .. } => "reload-refused",
            Event::GuardOverridden { .. } => "guard-overridden",
            Event::ReloadWaits { .. } => "reload-waits",
            Event::ReloadConfirmed => "reload-confirmed",
            Event::ReloadTakenBack => "reload-taken-back",
            Event::ReloadStays { .. } => "reload-stays",
            Event::StrangerRefused { .. } => "stranger-refused",
            Event::BfdNotRealTime { .. } => "bfd-not-real-time",
            Event::BfdUnavailable { .. } => "bfd-unavailable",
            Event::MemoryUnreadable { .. } => "memory-unreadable",
            Event::MemoryUnwritable { .. } => "memory-unwritable",
            Event::ReceivedLeftOut { .. } => "received-left-out",
            Event::ReceivedKept => "received-kept",
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
            | Event::FleetOrdered { .. }
            | Event::OrdersKept
            | Event::ZonesRead { .. }
            | Event::ZonesForgotten
            | Event::Reloaded { .. }
            | Event::Reconfigured { .. }
            | Event::ReceivedKept
            | Event::ReloadConfirmed => Severity::Notice,
            Event::AddressRestored { .. }
            | Event::RejectRestored { .. }
            | Event::OrderRefused { .. }
            | Event::FleetOrderFailed { .. }
            | Event::ReloadFaulty { .. }
            | Event::ReloadRefused { .. }
            | Event::GuardOverridden { .. }
            | Event::ReloadTakenBack
            | Event::StrangerRefused { .. }
            | Event::BfdNotRealTime { .. }
            | Event::BfdUnavailable { .. }
            | Event::MemoryUnreadable { .. }
            | Event::MemoryUnwritable { .. }
            | Event::RecordingTrouble { .. } => Severity::Warning,
            Event::AddressMissing { .. }
            | Event::RejectMissing { .. }
            | Event::ReceivedLeftOut { .. }
            | Event::StopUnpermitted { .. }
            | Event::OrdersUnreadable { .. }
            | Event::OrdersUnwritable { .. }
            | Event::ReloadWaits { .. }
            | Event::ReloadStays { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let address = |address: &IpAddr| AlarmName::about("address-missing", address);
        let reject = |prefix: &Prefix| AlarmName::about("reject-missing", prefix);
        let reload = || AlarmName::only("reload-unsettled");
        let orders = || AlarmName::only(ORDERS_NOT_KEPT);
        let left_out = || AlarmName::only("received-left-out");
        match self {
            Event::AddressMissing { address: missing, .. } => Some(AlarmChange::Raised(address(missing))),
            Event::AddressRestored { address: restored } => Some(AlarmChange::Cleared(address(restored))),
            Event::RejectMissing { prefix, .. } => Some(AlarmChange::Raised(reject(prefix))),
            Event::RejectRestored { prefix } => Some(AlarmChange::Cleared(reject(prefix))),
            Event::OrdersUnreadable { .. } | Event::OrdersUnwritable { .. } => {
                Some(AlarmChange::Raised(orders()))
            }
            Event::OrdersKept => Some(AlarmChange::Cleared(orders())),
            Event::ReloadWaits { .. } | Event::ReloadStays { .. } => Some(AlarmChange::Raised(reload())),
            Event::Reloaded { .. } | Event::ReloadConfirmed | Event::ReloadTakenBack => {
                Some(AlarmChange::Cleared(reload()))
            }
            Event::ReceivedLeftOut { .. } => Some(AlarmChange::Raised(left_out())),
            Event::ReceivedKept => Some(AlarmChange::Cleared(left_out())),
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
            | Event::FleetOrdered { .. }
            | Event::FleetOrderFailed { .. }
            | Event::ZonesRead { .. }
            | Event::ZonesForgotten
            | Event::Reconfigured { .. }
            | Event::ReloadFaulty { .. }
            | Event::ReloadRefused { .. }
            | Event::GuardOverridden { .. }
            | Event::StrangerRefused { .. }
            | Event::BfdNotRealTime { .. }
            | Event::BfdUnavailable { .. }
            | Event::MemoryUnreadable { .. }
            | Event::MemoryUnwritable { .. }
            | Event::RecordingTrouble { .. } => None,
        }
    }
}
