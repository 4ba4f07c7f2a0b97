//! What Prometheus sees of blackholes.

use api::{Status, Told};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    peer: String,
}

/// Fills in how many stand, and how many of them each peer has.
pub(crate) fn register(registry: &mut Registry, status: &Status) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let standing = Gauge::<i64>::default();
    standing.set(number(status.blackholes.len()));
    let told = Family::<PeerLabels, Gauge>::default();
    for peer in &status.peers {
        let rows = status.blackholes.iter().flat_map(|blackhole| &blackhole.peers);
        let has = rows.filter(|row| row.peer == peer.name && row.told == Told::Announced).count();
        told.get_or_create(&PeerLabels { peer: peer.name.to_string() }).set(number(has));
    }
    registry.register("blackholes", "Addresses to which peers are to drop the traffic", standing);
    registry.register("peer_blackholes", "Blackholes that the peer has from us", told);
}
