//! The sentence of each event.

use super::Event;
use std::fmt;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::ReceivedLeftOut { max_memory } => write!(
                f,
                "not every route that the peer tells is kept: raise `max_memory` of its keep_received, which is \
                 {} MiB; what is announced does not depend on it",
                max_memory >> 20
            ),
            Event::ReceivedKept => f.write_str("every route that the peer tells is kept again"),
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
            Event::FleetOrdered { order } => write!(f, "the fleet's record was changed: {order}"),
            Event::FleetOrderFailed { order, because } => write!(f, "not done: {order}: {because}"),
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
            Event::ZonesForgotten => f.write_str(
                "the site file does not have this service any more, and what was kept of its zones was too old to be \
                 served: it is removed",
            ),
            Event::Reloaded { path, changes: 0 } => {
                write!(f, "{} was read again and changes nothing", path.display())
            }
            Event::Reloaded { path, changes: 1 } => {
                write!(f, "{} is in force; it changed one thing", path.display())
            }
            Event::Reloaded { path, changes } => {
                write!(f, "{} is in force; it changed {changes} things", path.display())
            }
            Event::Reconfigured { what } => what.fmt(f),
            Event::ReloadFaulty { reason, more: 0 } => write!(f, "{reason}; nothing was changed"),
            Event::ReloadFaulty { reason, more } => {
                write!(f, "{reason}; and {more} more; nothing was changed")
            }
            Event::ReloadRefused { path, reason } => {
                write!(f, "{} was refused, nothing was changed: {reason}", path.display())
            }
            Event::GuardOverridden { withdrawn, reason } => {
                write!(f, "the guard was overridden, {withdrawn} prefixes are withdrawn: {reason}")
            }
            Event::ReloadWaits { within } => write!(
                f,
                "the new site file is taken back in {} s, unless `catchment reload --confirm` comes before",
                within.as_secs_f64()
            ),
            Event::ReloadConfirmed => f.write_str("the new site file was confirmed and stays"),
            Event::ReloadTakenBack => {
                f.write_str("nobody confirmed the new site file: the one of before is in force again")
            }
            Event::ReloadStays { reason } => {
                write!(f, "nobody confirmed the new site file, and it cannot be taken back yet: {reason}")
            }
            Event::BfdNotRealTime { reason } => {
                write!(
                    f,
                    "BFD does not run in real time, so a busy machine may lose links that are good: {reason}"
                )
            }
            Event::BfdUnavailable { reason } => write!(f, "BFD cannot watch the path to this peer: {reason}"),
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
