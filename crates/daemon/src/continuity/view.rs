//! What is shown of moved connections.

use super::others::Seen;
use crate::clock::Clock;
use crate::handover::Numbers;
use ::continuity::{Count, Counts, SiteNumber, State};
use api::{
    ContinuityInterface, ContinuityState, Flow, FlowTotal, HandedOver, InterfaceMode, Owner, OwnerState,
    Status,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use terms::{Reason, Timestamp, WallTime};
use xdp::{Mode, Passage};

/// How an interface runs the programs.
pub(super) fn interface((name, mode): (&str, Mode)) -> ContinuityInterface {
    let mode = match mode {
        Mode::Native => InterfaceMode::Native,
        Mode::Generic => InterfaceMode::Generic,
    };
    ContinuityInterface { name: name.to_owned(), mode }
}

/// Another host.
pub(super) fn owner(seen: &Seen) -> Owner {
    let (address, state, reason) = match &seen.site {
        Ok(site) => {
            let state = match site.state {
                State::Alive => OwnerState::Alive,
                State::Dead => OwnerState::Dead,
            };
            (Some(site.address), state, None)
        }
        Err(why) => (None, OwnerState::LeftOut, Some(Reason::from(why.to_string()))),
    };
    Owner {
        site: seen.speaker.site.clone(),
        host: seen.speaker.host.clone(),
        number: seen.number.get(),
        address,
        state,
        reason,
        connections: seen.connections,
    }
}

/// The word of a counter.
pub(super) fn word(count: Count) -> &'static str {
    match count {
        Count::Foreign => "foreign",
        Count::Opaque => "opaque",
        Count::Connectionless => "connectionless",
        Count::Opening => "opening",
        Count::Owned => "owned",
        Count::Orphaned => "orphaned",
        Count::Learned => "learned",
        Count::Claimed => "claimed",
        Count::Guessed => "guessed",
        Count::Relayed => "relayed",
        Count::OverBudget => "over-budget",
        Count::Unclaimed => "unclaimed",
        Count::Oversized => "oversized",
        Count::Refused => "refused",
        Count::Held => "held",
        Count::Arrived => "arrived",
        Count::Missed => "missed",
        Count::Unsent => "unsent",
    }
}

/// Every counter by its word.
pub(super) fn packets(counts: &Counts) -> BTreeMap<String, u64> {
    Count::ALL.into_iter().map(|count| (word(count).to_owned(), counts.get(count))).collect()
}

/// What went from one site to another.
pub(super) fn handed_over(numbers: &Numbers) -> HandedOver {
    let microseconds = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    HandedOver {
        given: numbers.given,
        taken: numbers.taken,
        kept: numbers.kept.iter().map(|(why, number)| (why.word().to_owned(), *number)).collect(),
        longest_stall_us: microseconds(numbers.longest_stall),
        total_stall_us: microseconds(numbers.total_stall),
    }
}

/// One connection of a table.
pub(super) fn flow<'a>(
    passage: Passage,
    clock: Clock,
    host: impl Fn(SiteNumber) -> Option<&'a Seen>,
) -> Flow {
    Flow {
        client: SocketAddr::new(passage.flow.client.to_canonical(), passage.flow.client_port),
        service: SocketAddr::new(passage.flow.service.to_canonical(), passage.flow.service_port),
        number: passage.site.get(),
        site: host(passage.site).map(|seen| seen.speaker.site.clone()),
        since: wall(clock, passage.since),
        seen: wall(clock, passage.seen),
        packets: passage.packets,
    }
}

/// When something was that the programs have written down, which may be long before the daemon started.
pub(super) fn wall(clock: Clock, at: Timestamp) -> WallTime {
    let ago = u64::try_from(machine_time().since(at).as_millis()).unwrap_or(u64::MAX);
    WallTime(clock.wall().0.saturating_sub(ago))
}

/// The clock of the programs.
pub(super) fn machine_time() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    let since_start = Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0));
    Timestamp::ZERO + since_start
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

/// The other host of connections that have moved; its number where nobody knows more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    site: String,
    host: String,
}

impl HostLabels {
    fn of(total: &FlowTotal) -> Self {
        let number = || format!("number {}", total.number);
        HostLabels {
            site: total.site.as_ref().map_or_else(number, ToString::to_string),
            host: total.host.as_ref().map_or_else(number, ToString::to_string),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OwnerLabels {
    site: String,
    host: String,
    state: &'static str,
}

/// Shows how moved connections fare; nothing where the site file does not want them looked after.
pub(crate) fn register(registry: &mut Registry, status: &Status) {
    let Some(continuity) = &status.continuity else { return };
    let on = Gauge::<i64>::default();
    on.set(i64::from(continuity.state == ContinuityState::On));
    registry.register("continuity_on", "Whether packets of moved connections are forwarded", on);
    let owned = Gauge::<i64>::default();
    owned.set(i64::try_from(continuity.owned).unwrap_or(i64::MAX));
    registry.register("continuity_owned", "Connections of this host", owned);
    let directions = [
        (
            "continuity_forwarded",
            "Connections whose packets arrive here and are forwarded to another host",
            &continuity.forwarded,
        ),
        (
            "continuity_received",
            "Connections of this host whose packets another host forwards",
            &continuity.received,
        ),
    ];
    for (name, help, totals) in directions {
        let family = Family::<HostLabels, Gauge>::default();
        for total in totals {
            family
                .get_or_create(&HostLabels::of(total))
                .set(i64::try_from(total.connections).unwrap_or(i64::MAX));
        }
        registry.register(name, help, family);
    }
    let packets = Family::<Verdict, Counter>::default();
    for (verdict, number) in &continuity.packets {
        packets.get_or_create(&Verdict { verdict: verdict.clone() }).inc_by(*number);
    }
    registry.register("continuity_packets", "Packets by what became of them", packets);
    let services = Gauge::<i64>::default();
    services.set(i64::try_from(continuity.services.len()).unwrap_or(i64::MAX));
    let help = "Services of other processes that let their connections go to another site in a drain";
    registry.register("continuity_services", help, services);
    let handed_over = Family::<Outcome, Counter>::default();
    let HandedOver { given, taken, kept, total_stall_us, .. } = &continuity.handed_over;
    let outcomes = [("given".to_owned(), *given), ("taken".to_owned(), *taken)];
    for (outcome, number) in outcomes.into_iter().chain(kept.clone()) {
        handed_over.get_or_create(&Outcome { outcome }).inc_by(number);
    }
    let help = "Connections that were to go to another site while they were open, by what became of them";
    registry.register("continuity_handed_over", help, handed_over);
    let stall = Counter::<f64, AtomicU64>::default();
    stall.inc_by(Duration::from_micros(*total_stall_us).as_secs_f64());
    let help = "Seconds for which the packets of given connections were held, all together";
    registry.register("continuity_stall_seconds", help, stall);
    let owners = Family::<OwnerLabels, Gauge>::default();
    for owner in &continuity.owners {
        let labels = OwnerLabels {
            site: owner.site.to_string(),
            host: owner.host.to_string(),
            state: owner.state.word(),
        };
        owners.get_or_create(&labels).set(i64::try_from(owner.connections).unwrap_or(i64::MAX));
    }
    registry.register("continuity_owner_connections", "Connections of another host, as it said last", owners);
}
