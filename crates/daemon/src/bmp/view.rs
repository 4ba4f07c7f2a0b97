//! What collectors show of themselves.

use super::Line;
use api::{CollectorState, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use terms::{CollectorName, Reason, WallTime};

/// Every collector by its name.
pub(crate) type Shown = BTreeMap<CollectorName, View>;

/// What one collector's task shows of itself.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Where it is reached.
    pub(super) address: SocketAddr,
    /// How the connection stands.
    pub(super) state: CollectorState,
    /// Since when.
    pub(super) since: WallTime,
    /// Why there was none last; nothing while there is one.
    pub(super) reason: Option<Reason>,
    /// Messages that the kernel took, all of them.
    pub(super) messages: u64,
    /// Their octets.
    pub(super) octets: u64,
    /// How often it was hung up on because it was too slow.
    pub(super) overflows: u64,
    /// The line of the connection that there is.
    pub(super) line: Option<Line>,
}

impl View {
    /// For people to see.
    pub(crate) fn status(self, name: CollectorName) -> api::Collector {
        let View { address, state, since, reason, messages, octets, overflows, line } = self;
        let waiting = line.map_or(0, |line| u64::try_from(line.waiting()).unwrap_or(u64::MAX));
        api::Collector { name, address, state, since, reason, messages, octets, waiting, overflows }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    collector: String,
}

/// Shows the collectors; nothing where there is none.
pub(crate) fn register(registry: &mut Registry, status: &Status) {
    if status.collectors.is_empty() {
        return;
    }
    let connected = Family::<Labels, Gauge>::default();
    let messages = Family::<Labels, Counter>::default();
    let octets = Family::<Labels, Counter>::default();
    let waiting = Family::<Labels, Gauge>::default();
    let overflows = Family::<Labels, Counter>::default();
    for collector in &status.collectors {
        let labels = Labels { collector: collector.name.to_string() };
        connected.get_or_create(&labels).set(i64::from(collector.state == CollectorState::Connected));
        messages.get_or_create(&labels).inc_by(collector.messages);
        octets.get_or_create(&labels).inc_by(collector.octets);
        waiting.get_or_create(&labels).set(i64::try_from(collector.waiting).unwrap_or(i64::MAX));
        overflows.get_or_create(&labels).inc_by(collector.overflows);
    }
    registry.register("collector_connected", "Whether the BMP collector is connected", connected);
    registry.register("collector_messages", "BMP messages that were sent to the collector", messages);
    registry.register_with_unit(
        "collector_sent",
        "Octets that were sent to the collector",
        Unit::Bytes,
        octets,
    );
    registry.register_with_unit(
        "collector_waiting",
        "Octets that wait for the collector to take them",
        Unit::Bytes,
        waiting,
    );
    registry.register(
        "collector_overflows",
        "How often the collector was hung up on because it was too slow",
        overflows,
    );
}
