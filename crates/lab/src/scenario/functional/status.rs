//! What a site says of itself: groups, alarms, peers, members of the fleet, events.

use super::Seen;
use crate::scenario::facts::Facts;
use crate::scenario::words::{Output, State, Told, Words};
use terms::{PeerName, SiteName, WallTime};

/// Judges what the daemon of a site says.
pub(super) fn with_status(facts: &Facts, site: &SiteName, judge: impl Fn(&api::Status) -> Seen) -> Seen {
    match facts.statuses.get(site) {
        Some(status) => judge(status),
        None => Seen::NotSo(format!("the daemon of {site} does not answer")),
    }
}

/// Judges what it says of a peer.
pub(super) fn with_peer(
    facts: &Facts,
    site: &SiteName,
    name: &PeerName,
    judge: impl Fn(&api::Peer) -> Seen,
) -> Seen {
    with_status(facts, site, |status| match status.peers.iter().find(|peer| peer.name == *name) {
        Some(peer) => judge(peer),
        None => {
            let known: Vec<&str> = status.peers.iter().map(|peer| peer.name.as_str()).collect();
            Seen::NotSo(format!("{site} has no peer {name}, it has {}", known.join(", ")))
        }
    })
}

/// Whether each of its groups is in a state.
pub(super) fn in_state(status: &api::Status, state: State) -> Seen {
    let states: Vec<&str> = status.groups.iter().map(|group| group.state.word()).collect();
    let holds = !states.is_empty() && states.iter().all(|seen| *seen == state.as_str());
    let reasons: Vec<&str> = status.groups.iter().map(|group| group.reason.as_str()).collect();
    Seen::when(holds, format!("{}: {}", states.join(", "), reasons.join(", ")))
}

/// Whether each is, and has been since the fault.
pub(super) fn in_state_since(status: &api::Status, state: State, fault: WallTime) -> Seen {
    let changed = status.groups.iter().find(|group| group.since > fault);
    match (in_state(status, state), changed) {
        (Seen::So(seen), Some(group)) => {
            let later = group.since.0.saturating_sub(fault.0);
            Seen::NotSo(format!("{seen}, but only since {later} ms after the fault"))
        }
        (seen, _) => seen,
    }
}

/// Whether each is announced so strongly.
pub(super) fn announced_as(status: &api::Status, output: Output) -> Seen {
    let outputs: Vec<&str> = status.groups.iter().map(|group| group.output.word()).collect();
    let holds = !outputs.is_empty() && outputs.iter().all(|seen| *seen == output.as_str());
    let reasons: Vec<&str> = status.groups.iter().map(|group| group.reason.as_str()).collect();
    Seen::when(holds, format!("{}: {}", outputs.join(", "), reasons.join(", ")))
}

/// Whether exactly so many sites have the wanted word for each of their groups.
pub(super) fn how_many(
    facts: &Facts,
    count: usize,
    word: fn(&api::Group) -> &'static str,
    wanted: &str,
) -> Seen {
    let words = |status: &api::Status| status.groups.iter().map(word).collect::<Vec<_>>();
    let is_so = |status: &&api::Status| {
        let words = words(status);
        !words.is_empty() && words.iter().all(|word| *word == wanted)
    };
    let sites: Vec<String> =
        facts.statuses.iter().map(|(site, status)| format!("{site} {}", words(status).join(", "))).collect();
    Seen::when(facts.statuses.values().filter(is_so).count() == count, sites.join("; "))
}

/// The alarms that are in force, of the groups and of the daemon itself.
pub(super) fn alarms(status: &api::Status) -> Vec<String> {
    let of_groups = status.groups.iter().flat_map(|group| &group.alarms).map(ToString::to_string);
    let of_all = status.alarms.iter().map(|alarm| format!("{}: {}", alarm.kind, alarm.text));
    of_groups.chain(of_all).collect()
}

/// Alarms in words.
pub(super) fn listed(alarms: &[String]) -> String {
    if alarms.is_empty() { "no alarm".to_owned() } else { alarms.join("; ") }
}

/// Whether the members of the fleet are as wanted, for each group of a site.
pub(super) fn with_members(
    facts: &Facts,
    site: &SiteName,
    wanted: impl Fn(&[api::FleetMember]) -> bool,
) -> Seen {
    let Some(fleet) = facts.fleets.get(site) else {
        return Seen::NotSo(format!("the daemon of {site} does not answer"));
    };
    let holds = !fleet.groups.is_empty() && fleet.groups.iter().all(|group| wanted(&group.members));
    let member = |member: &api::FleetMember| {
        format!("{} {}", member.site, if stands(member) { "stands" } else { "is away" })
    };
    let members: Vec<String> = fleet.groups.iter().flat_map(|group| &group.members).map(member).collect();
    Seen::when(holds, format!("store {}, {}", fleet.store, members.join(", ")))
}

/// What a site sees of the hosts with a zone that is behind. A fleet of which it sees no zone is not judged.
pub(super) fn with_zones(
    facts: &Facts,
    site: &SiteName,
    wanted: impl Fn(&[&api::FleetHost]) -> bool,
) -> Seen {
    let Some(fleet) = facts.fleets.get(site) else {
        return Seen::NotSo(format!("the daemon of {site} does not answer"));
    };
    let zones = || fleet.hosts.iter().flat_map(|host| host.zones.iter().map(move |zone| (host, zone)));
    let is_behind = |host: &&api::FleetHost| host.zones.iter().any(|zone| zone.behind.is_some());
    let behind: Vec<&api::FleetHost> = fleet.hosts.iter().filter(is_behind).collect();
    let serials: Vec<String> =
        zones().map(|(host, zone)| format!("{} {} {}", host.host, zone.name, zone.serial)).collect();
    Seen::when(!serials.is_empty() && wanted(&behind), serials.join(", "))
}

/// Whether a member is there and announces.
pub(super) fn stands(member: &api::FleetMember) -> bool {
    member.away.is_none() && !member.standing.is_empty()
}

/// The first event since the fault that has the words; the last event, if none has.
pub(super) fn said(facts: &Facts, site: &SiteName, words: &Words) -> Seen {
    let Some(events) = facts.events.get(site) else {
        return Seen::NotSo(format!("the daemon of {site} does not answer"));
    };
    let mut since = events.iter().filter(|event| event.wall >= facts.fault);
    match since.clone().find(|event| words.are_in(&event.text)) {
        Some(event) => Seen::So(event.text.clone()),
        None => Seen::NotSo(since.next_back().map_or("nothing".to_owned(), |event| event.text.clone())),
    }
}

/// What the established peers were told. A peer that was never told anything about a prefix has no route to it, which
/// is as good as withdrawn.
pub(super) fn peers_told(status: &api::Status, told: Told) -> Seen {
    let established =
        |name: &PeerName| status.peers.iter().any(|peer| peer.name == *name && is_established(peer));
    let prefixes = status.groups.iter().flat_map(|group| &group.prefixes);
    let rows: Vec<&api::ToldPeer> =
        prefixes.flat_map(|prefix| &prefix.peers).filter(|row| established(&row.peer)).collect();
    let announced = rows.iter().filter(|row| row.told == api::Told::Announced).count();
    let holds = match told {
        Told::Announced => announced == rows.len(),
        Told::Withdrawn => announced == 0,
    };
    Seen::when(holds && !rows.is_empty(), format!("announced in {announced} of {} cases", rows.len()))
}

/// Whether routes are exchanged with it.
pub(super) fn is_established(peer: &api::Peer) -> bool {
    peer.state == api::PeerState::Established
}

/// A session in words, with its age relative to the fault.
pub(super) fn session(peer: &api::Peer, fault: WallTime) -> String {
    let relation = if peer.since > fault { "after" } else { "before" };
    format!("{} since {} ms {relation} the fault", peer.state, peer.since.0.abs_diff(fault.0))
}
