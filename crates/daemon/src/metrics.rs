//! Prometheus metrics.
//!
//! Counters and the histogram are written where things happen; what is a state (groups, peers) is filled in from the
//! status when somebody asks, so that status and metrics cannot disagree.

use crate::load::Loads;
use crate::{bfd, blackhole, bmp, continuity, dns, fleet, usage};
use api::{CheckResult, EventRow, FleetStatus, Status, Told};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;
use terms::Severity;
use tokio::sync::watch;

/// Upper bounds of the latency histogram, seconds: the promise is < 1 ms, so most of them lie below.
const LATENCY_BUCKETS: [f64; 11] =
    [0.000_05, 0.000_1, 0.000_2, 0.000_35, 0.000_5, 0.000_75, 0.001, 0.002, 0.005, 0.02, 0.1];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    kind: String,
    severity: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    service: String,
    check: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GroupLabels {
    group: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    service: String,
    zone: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutputLabels {
    group: String,
    output: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NamedLabels {
    group: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlarmLabels {
    kind: String,
    subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    peer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerFamilyLabels {
    peer: String,
    family: &'static str,
}

/// Everything that is counted while it happens. Every copy counts into the same.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    events: Family<EventLabels, Counter>,
    checks: Family<CheckLabels, Counter>,
    verdict_to_bytes: Histogram,
    /// Of each thread of the DNS service, which counts for itself.
    dns: watch::Receiver<Vec<dns::Tally>>,
    /// Of each service that has a DNS service built in.
    loads: watch::Receiver<Loads>,
    /// Packets that no BFD session took.
    bfd: Arc<bfd::Counters>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            events: Family::default(),
            checks: Family::default(),
            verdict_to_bytes: Histogram::new(LATENCY_BUCKETS),
            dns: watch::Sender::default().subscribe(),
            loads: watch::Sender::default().subscribe(),
            bfd: Arc::default(),
        }
    }
}

impl Metrics {
    /// Shows what the threads of the DNS service count, too.
    pub(crate) fn with_dns(self, dns: watch::Receiver<Vec<dns::Tally>>) -> Self {
        Metrics { dns, ..self }
    }

    /// Shows how much there is to do, too.
    pub(crate) fn with_loads(self, loads: watch::Receiver<Loads>) -> Self {
        Metrics { loads, ..self }
    }

    /// Where packets are counted that no BFD session took.
    pub(crate) fn bfd(&self) -> Arc<bfd::Counters> {
        Arc::clone(&self.bfd)
    }

    /// Counts one event.
    pub(crate) fn count_event(&self, row: &EventRow) {
        let severity = match row.severity {
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Alarm => "alarm",
        };
        self.events.get_or_create(&EventLabels { kind: row.kind.clone(), severity }).inc();
    }

    /// Counts one run of a check.
    pub(crate) fn count_check(&self, service: &str, check: &str, result: CheckResult) {
        let labels =
            CheckLabels { service: service.to_owned(), check: check.to_owned(), result: result.word() };
        self.checks.get_or_create(&labels).inc();
    }

    /// Notes how long it took from a verdict that changed the announcement to the bytes in the socket of one peer.
    pub(crate) fn observe_verdict_to_bytes(&self, latency: Duration) {
        self.verdict_to_bytes.observe(latency.as_secs_f64());
    }

    /// The text that Prometheus reads (OpenMetrics 1.0), with the states that `status` holds.
    pub(crate) fn render(&self, status: &Status, fleet: &FleetStatus) -> String {
        let mut registry = Registry::with_prefix("catchment");
        registry.register("events", "Things that happened", self.events.clone());
        registry.register("check_runs", "Runs of a check by what they found", self.checks.clone());
        registry.register_with_unit(
            "verdict_to_bytes",
            "From a check's verdict to the bytes in a peer's socket",
            Unit::Seconds,
            self.verdict_to_bytes.clone(),
        );
        register_groups(&mut registry, status);
        register_peers(&mut registry, status);
        blackhole::register(&mut registry, status);
        bfd::register(&mut registry, status, &self.bfd);
        bmp::register(&mut registry, status);
        continuity::register(&mut registry, status);
        register_alarms(&mut registry, status);
        fleet::register(&mut registry, fleet);
        dns::register(&mut registry, &self.dns.borrow());
        register_zones(&mut registry, status);
        dns::zone_keeping::register(&mut registry, &status.secondaries);
        dns::zone_keeping::register_catalogs(&mut registry, &status.catalogs);
        register_loads(&mut registry, &self.loads.borrow());
        usage::register(&mut registry);
        let mut text = String::new();
        // Writing into a string does not fail; an empty answer would be noticed by the reader.
        if encode(&mut text, &registry).is_err() {
            text.clear();
        }
        text
    }
}

fn register_loads(registry: &mut Registry, loads: &Loads) {
    if loads.is_empty() {
        return;
    }
    let per_second = Family::<ServiceLabels, Gauge>::default();
    let capacity = Family::<ServiceLabels, Gauge>::default();
    let overloaded = Family::<ServiceLabels, Gauge>::default();
    let dropped = Family::<ServiceLabels, Counter>::default();
    for (service, load) in loads {
        let labels = ServiceLabels { service: service.to_string() };
        per_second.get_or_create(&labels).set(gauge(load.per_second));
        overloaded.get_or_create(&labels).set(i64::from(load.overloaded));
        dropped.get_or_create(&labels).inc_by(load.dropped);
        if let Some(most) = load.capacity {
            capacity.get_or_create(&labels).set(gauge(most));
        }
    }
    registry.register("service_load", "Answers per second", per_second);
    registry.register("service_capacity", "Answers per second that the service is good for", capacity);
    registry.register("service_overloaded", "Whether the service has more to do than it can", overloaded);
    registry.register(
        "service_dropped",
        "Datagrams that the kernel dropped because the queue was full",
        dropped,
    );
}

fn register_zones(registry: &mut Registry, status: &Status) {
    if status.zones.is_empty() {
        return;
    }
    let (serial, end) = (Family::<ZoneLabels, Gauge>::default(), Family::<ZoneLabels, Gauge>::default());
    for zone in &status.zones {
        let labels = ZoneLabels { service: zone.service.to_string(), zone: zone.name.clone() };
        serial.get_or_create(&labels).set(i64::from(zone.serial));
        if let Some(when) = zone.signatures_end {
            end.get_or_create(&labels).set(gauge(when.0 / 1000));
        }
    }
    registry.register("zone_serial", "The zone's serial number", serial);
    registry.register("zone_signatures_end_seconds", "When the zone's first signature ends, Unix time", end);
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn register_groups(registry: &mut Registry, status: &Status) {
    let state = Family::<GroupLabels, Gauge>::default();
    let output = Family::<OutputLabels, Gauge>::default();
    let alarms = Family::<NamedLabels, Gauge>::default();
    for group in &status.groups {
        let labels = GroupLabels { group: group.name.to_string(), state: group.state.word() };
        state.get_or_create(&labels).set(1);
        let labels = OutputLabels { group: group.name.to_string(), output: group.output.word() };
        output.get_or_create(&labels).set(1);
        let labels = NamedLabels { group: group.name.to_string() };
        alarms.get_or_create(&labels).set(i64::try_from(group.alarms.len()).unwrap_or(i64::MAX));
    }
    registry.register("group_state", "1 for the state that the announcement group is in", state);
    registry.register("group_output", "1 for how strongly the announcement group is announced", output);
    registry.register("group_alarms", "Alarms that stand for the announcement group", alarms);
}

fn register_alarms(registry: &mut Registry, status: &Status) {
    let standing = Family::<AlarmLabels, Gauge>::default();
    for alarm in &status.alarms {
        let labels = AlarmLabels { kind: alarm.kind.clone(), subject: alarm.subject.clone() };
        standing.get_or_create(&labels).inc();
    }
    registry.register("alarm", "Alarms of the kind that stand about the subject", standing);
}

fn register_peers(registry: &mut Registry, status: &Status) {
    let established = Family::<PeerLabels, Gauge>::default();
    let announced = Family::<PeerLabels, Gauge>::default();
    let received = Family::<PeerLabels, Counter>::default();
    let malformed = Family::<PeerLabels, Counter>::default();
    let leaked = Family::<PeerLabels, Counter>::default();
    let withdrawn = Family::<PeerLabels, Counter>::default();
    let kept = Family::<PeerFamilyLabels, Gauge>::default();
    let octets = Family::<PeerLabels, Gauge>::default();
    let left_out = Family::<PeerLabels, Gauge>::default();
    let stale = Family::<PeerLabels, Gauge>::default();
    let deferred = Family::<PeerLabels, Gauge>::default();
    for peer in &status.peers {
        let labels = PeerLabels { peer: peer.name.to_string() };
        established.get_or_create(&labels).set(i64::from(peer.state == api::PeerState::Established));
        received.get_or_create(&labels).inc_by(peer.received.accepted);
        leaked.get_or_create(&labels).inc_by(peer.received.leaked);
        malformed
            .get_or_create(&labels)
            .inc_by(peer.received.discarded_attributes + peer.received.treated_as_withdraw);
        withdrawn.get_or_create(&labels).inc_by(peer.received.withdrawn);
        if let Some(graceful) = &peer.graceful_restart {
            stale.get_or_create(&labels).set(gauge(graceful.stale_routes));
            deferred.get_or_create(&labels).set(i64::from(graceful.end_of_rib_deferred_since.is_some()));
        }
        if let Some(now) = peer.received.kept {
            for (family, routes) in [("ipv4", now.ipv4), ("ipv6", now.ipv6)] {
                let labels = PeerFamilyLabels { peer: peer.name.to_string(), family };
                kept.get_or_create(&labels).set(gauge(routes));
            }
            octets.get_or_create(&labels).set(gauge(now.octets));
            left_out.get_or_create(&labels).set(gauge(now.left_out));
        }
        let told = status.groups.iter().flat_map(|group| &group.prefixes).flat_map(|prefix| &prefix.peers);
        let has = told.filter(|told| told.peer == peer.name && told.told == Told::Announced).count();
        announced.get_or_create(&labels).set(i64::try_from(has).unwrap_or(i64::MAX));
    }
    registry.register("peer_established", "Whether the BGP session exchanges routes", established);
    registry.register("peer_announced_prefixes", "Prefixes that the peer has from us", announced);
    registry.register("peer_received_routes", "Well-formed routes heard from the peer", received);
    registry.register("peer_leaked_routes", "Routes of the peer that leaked (RFC 9234)", leaked);
    registry.register("peer_withdrawn_routes", "Routes that the peer took back", withdrawn);
    registry.register("peer_kept_routes", "Routes of the peer that are kept", kept);
    registry.register("peer_kept_octets", "Memory that the peer's kept routes take", octets);
    registry.register("peer_stale_routes", "Routes of before the peer's restart that are kept", stale);
    registry.register(
        "peer_end_of_rib_deferred",
        "Whether the peer keeps what we told it before our restart until all is decided",
        deferred,
    );
    registry.register("peer_left_out_routes", "Routes of the peer that could not be kept", left_out);
    registry.register(
        "peer_malformed_routes",
        "Routes or attributes of the peer that were wrong (RFC 7606)",
        malformed,
    );
}
