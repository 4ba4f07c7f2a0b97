//! What Prometheus sees of the fleet.

use api::{FleetGroup, FleetStatus, StoreState};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GroupLabels {
    group: String,
}

/// Fills in how the fleet stands. A site on its own has nothing to show.
pub(crate) fn register(registry: &mut Registry, fleet: &FleetStatus) {
    if fleet.store == StoreState::None {
        return;
    }
    let gauge = |number: usize| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        gauge
    };
    let reached = gauge(usize::from(fleet.store == StoreState::Reached));
    registry.register("fleet_store_reached", "Whether the fleet's store answers", reached);
    registry.register("fleet_hosts", "Hosts of all sites whose lease is alive", gauge(fleet.hosts.len()));
    registry.register("fleet_alarms", "Alarms that stand for the fleet", gauge(fleet.alarms.len()));
    register_number(registry, fleet, "fleet_min_sites", "Sites that must stay announced", |group| {
        group.min_sites
    });
    register_number(registry, fleet, "fleet_slots", "Sites that may be away at once", |group| group.slots);
    register_number(registry, fleet, "fleet_slots_taken", "Sites that count as away", |group| group.taken);
}

/// One number of each group.
fn register_number(
    registry: &mut Registry,
    fleet: &FleetStatus,
    name: &str,
    help: &str,
    number: impl Fn(&FleetGroup) -> u32,
) {
    let family = Family::<GroupLabels, Gauge>::default();
    for group in &fleet.groups {
        let labels = GroupLabels { group: group.name.to_string() };
        family.get_or_create(&labels).set(i64::from(number(group)));
    }
    registry.register(name, help, family);
}
