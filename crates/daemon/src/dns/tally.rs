//! What the threads counted, as Prometheus metrics.

use super::counters::{Counters, Counts};
use super::served::Served;
use super::tap::Tap;
use ::dns::Transport;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::ServiceName;
use tokio::sync::watch;

/// A view of the counters of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(super) service: ServiceName,
    pub(super) transport: Transport,
    pub(super) counters: Arc<Counters>,
    /// What it answers from.
    pub(super) served: watch::Receiver<Arc<Served>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabel {
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabel {
    transport: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabels {
    transport: &'static str,
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReplyLabels {
    transport: &'static str,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CookieLabels {
    transport: &'static str,
    cookie: &'static str,
}

/// What all threads of one service counted.
pub(crate) fn total(tallies: &[Tally], service: &ServiceName) -> Counts {
    let of_it = tallies.iter().filter(|tally| tally.service == *service);
    of_it.map(|tally| tally.counters.read()).sum()
}

/// What every service answers from.
pub(crate) fn served(tallies: &[Tally]) -> BTreeMap<ServiceName, Arc<Served>> {
    tallies.iter().map(|tally| (tally.service.clone(), Arc::clone(&tally.served.borrow()))).collect()
}

/// What all threads of one transport counted.
pub(super) fn total_of(tallies: &[Tally], transport: Transport) -> Counts {
    let of_it = tallies.iter().filter(|tally| tally.transport == transport);
    of_it.map(|tally| tally.counters.read()).sum()
}

/// Adds the metrics of the DNS service; none where there is no such service.
pub(crate) fn register(registry: &mut Registry, tallies: &[Tally]) {
    if tallies.is_empty() {
        return;
    }
    let totals = [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
    let totals = totals.map(|(transport, of)| (transport, total_of(tallies, of)));
    let mut by_transport = |name: &str, help: &str, read: fn(&Counts) -> u64| {
        let family = Family::<TransportLabel, Counter>::default();
        for (transport, counts) in &totals {
            family.get_or_create(&TransportLabel { transport }).inc_by(read(counts));
        }
        registry.register(name, help, family);
    };
    by_transport("dns_queries", "Messages that arrived", |counts| counts.queries);
    by_transport("dns_truncated", "Replies that left records out for want of room", |counts| {
        counts.truncated
    });
    by_transport("dns_silent", "Messages that deserved no reply", |counts| counts.silent);
    by_transport("dns_limited_slipped", "Replies that said less, being the same too often", |counts| {
        counts.slipped
    });
    by_transport("dns_limited_dropped", "Queries without a reply, being the same too often", |counts| {
        counts.dropped
    });
    by_transport("dns_unsent", "Replies that the system did not take", |counts| counts.unsent);
    by_transport("dns_connections", "Connections that were accepted", |counts| counts.connections);
    by_transport("dns_handshake_failures", "Connections on which no TLS session came about", |counts| {
        counts.handshake_failures
    });
    let (open, cut) = (Family::<TransportLabel, Gauge>::default(), Family::<CutLabels, Counter>::default());
    for &(transport, counts) in &totals {
        let number = i64::try_from(counts.open()).unwrap_or(i64::MAX);
        open.get_or_create(&TransportLabel { transport }).set(number);
        for (why, number) in [("idle", counts.idle), ("crowded", counts.crowded)] {
            cut.get_or_create(&CutLabels { transport, why }).inc_by(number);
        }
    }
    registry.register("dns_connections_open", "Connections that are open", open);
    registry.register("dns_cut", "Connections that were cut: idle, or the idlest of a crowd", cut);
    let replies = Family::<ReplyLabels, Counter>::default();
    for (transport, counts) in &totals {
        for (code, number) in counts.replies() {
            replies.get_or_create(&ReplyLabels { transport, code: code.to_string() }).inc_by(number);
        }
    }
    registry.register("dns_replies", "Replies by what they said", replies);
    let cookies = Family::<CookieLabels, Counter>::default();
    for (transport, counts) in &totals {
        for (cookie, number) in counts.cookies() {
            cookies.get_or_create(&CookieLabels { transport, cookie: cookie.word() }).inc_by(number);
        }
    }
    registry.register("dns_cookies", "Queries with a cookie, by what it was worth", cookies);
    register_taps(registry, tallies);
}

/// Adds what became of messages of dnstap, of each service that tells of its exchanges.
fn register_taps(registry: &mut Registry, tallies: &[Tally]) {
    let tap_of = |tally: &Tally| Some((tally.service.to_string(), tally.served.borrow().tap.clone()?));
    let taps: BTreeMap<String, Tap> = tallies.iter().filter_map(tap_of).collect();
    if taps.is_empty() {
        return;
    }
    let (written, dropped) =
        (Family::<ServiceLabel, Counter>::default(), Family::<ServiceLabel, Counter>::default());
    let heard = Family::<ServiceLabel, Gauge>::default();
    for (service, tap) in taps {
        let label = ServiceLabel { service };
        heard.get_or_create(&label).set(i64::from(tap.is_heard()));
        written.get_or_create(&label).inc_by(tap.written());
        dropped.get_or_create(&label).inc_by(tap.dropped());
    }
    registry.register(
        "dnstap_heard",
        "1 while a reader takes messages of dnstap, or the file, else 0",
        heard,
    );
    registry.register("dnstap_written", "Messages of dnstap that the reader took", written);
    registry.register("dnstap_dropped", "Messages of dnstap left out: the reader was slow or away", dropped);
}
