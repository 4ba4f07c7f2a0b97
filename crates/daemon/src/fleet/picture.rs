//! The other sites of the fleet on the page of this one.

use api::{FleetHost, FleetStatus, HostGroup, Output, Site};
use std::collections::BTreeMap;
use terms::{Reason, SiteName, Thousands};

/// One mark for each other site, by name: those that are present, and members that are not.
pub(crate) fn other_sites(fleet: &FleetStatus) -> Vec<Site> {
    let mut sites = BTreeMap::new();
    for member in fleet.groups.iter().flat_map(|group| &group.members) {
        sites.entry(&member.site).or_insert_with(|| missing(&member.site, member.why.clone()));
    }
    for host in &fleet.hosts {
        let Some(group) = worst(host) else { continue };
        let shown = sites.entry(&host.site).or_insert_with(|| missing(&host.site, None));
        // A site announces as strongly as the best of its hosts.
        if shown.state.is_none() || shown.output < group.output {
            *shown = present(host, group);
        }
    }
    sites.remove(&fleet.site);
    sites.into_values().collect()
}

/// A host has one mark: it shows the group that is worst off.
fn worst(host: &FleetHost) -> Option<&HostGroup> {
    host.groups.iter().min_by_key(|group| group.output)
}

fn present(host: &FleetHost, group: &HostGroup) -> Site {
    Site {
        service: None,
        city: host.city.clone().unwrap_or_else(|| host.site.to_string()),
        at: host.at,
        state: Some(group.state),
        output: group.output,
        reason: with_lag(reason_and_load(group), host),
        ..missing(&host.site, None)
    }
}

/// Why it is where it is, and what it has to do there.
fn reason_and_load(group: &HostGroup) -> Reason {
    let reason = &group.reason;
    match (group.load, group.capacity) {
        (None, _) => reason.clone(),
        (Some(load), None) => Reason::from(format!("{reason}; {} answers/s", Thousands(load))),
        (Some(load), Some(capacity)) => {
            Reason::from(format!("{reason}; {} of {} answers/s", Thousands(load), Thousands(capacity)))
        }
    }
}

/// The same, and the zone that is behind most at the host, if one is.
fn with_lag(reason: Reason, host: &FleetHost) -> Reason {
    let behind = host.zones.iter().filter_map(|zone| Some((zone.behind?, zone)));
    match behind.max_by_key(|(behind, _)| *behind) {
        Some((behind, zone)) => Reason::from(format!("{reason}; {} is {behind} behind", zone.name)),
        None => reason,
    }
}

/// A member that nobody hears of.
fn missing(name: &SiteName, why: Option<Reason>) -> Site {
    Site {
        name: name.clone(),
        service: None,
        city: name.to_string(),
        at: None,
        colour: colour(name),
        state: None,
        output: Output::None,
        reason: why.unwrap_or_else(|| Reason::from("not present in the fleet's store")),
        clients: 0,
        rtt_ms: None,
        offers: Vec::new(),
    }
}

/// A place in the palette that stays the same whoever comes and goes: FNV-1a over the name. The first is our own.
fn colour(name: &SiteName) -> u8 {
    let hash = name
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u8::try_from(1 + hash % 254).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_site_is_as_good_as_its_best_host_and_who_is_missing_is_shown() {
        let group = |output: &str| {
            json!([{ "name": "dns", "state": "up", "output": output, "since": 1, "reason": output,
                                              "alarms": 0, "load": 35_000, "capacity": 120_000 }])
        };
        let host = |site: &str, name: &str, output: &str| {
            json!({ "site": site, "host": name, "version": "1", "started": 1, "city": null, "at": null,
                    "groups": group(output) })
        };
        let member =
            |site: &str| json!({ "site": site, "standing": [], "away": "charge", "why": "its lease lapsed" });
        let fleet = json!({
            "schema": 1, "site": "london", "host": "lon-1", "store": "reached", "trouble": null, "alarms": [],
            "hosts": [host("london", "lon-1", "normal"), host("paris", "p-1", "none"), host("paris", "p-2", "gshut")],
            "groups": [{ "name": "dns", "min_sites": 1, "slots": 2, "taken": 1, "permit": "none", "refusal": null,
                         "members": [member("london"), member("newyork"), member("paris")] }],
        });
        let sites = other_sites(&serde_json::from_value(fleet).unwrap());
        let shown: Vec<_> =
            sites.iter().map(|site| (site.name.as_str(), site.output, site.reason.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("newyork", Output::None, "its lease lapsed"),
                ("paris", Output::Gshut, "gshut; 35,000 of 120,000 answers/s")
            ]
        );
        assert!(sites.iter().all(|site| site.colour > 0), "the first mark is our own");
    }
}
