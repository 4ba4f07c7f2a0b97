//! Who is left to answer when this host goes, and whether that is enough.
//!
//! What the others can carry is their capacity less the load that they have. The sum says whether it is possible at
//! all; to whom the users go is decided by routing.

use api::{FleetHost, FleetStatus, HostGroup, Output, StoreState, Survivors};
use std::collections::BTreeSet;
use terms::{GroupName, Reason, Thousands};

/// A host, and what it says of the group.
type Other<'a> = (&'a FleetHost, &'a HostGroup);

/// Who carries the users of a group without this host.
pub(super) fn survivors(name: &GroupName, fleet: &FleetStatus) -> Survivors {
    let (enough, words) = match fleet.store {
        StoreState::None => (None, "unknown: this site belongs to no fleet".to_owned()),
        StoreState::Starting | StoreState::Lost => (None, "unknown: the store does not answer".to_owned()),
        StoreState::Reached => among(name, fleet),
    };
    Survivors { enough, words: Reason::from(words) }
}

fn among(name: &GroupName, fleet: &FleetStatus) -> (Option<bool>, String) {
    let of_group = |host: &'_ FleetHost| host.groups.iter().position(|group| group.name == *name);
    let all = fleet.hosts.iter().filter_map(|host| Some((host, host.groups.get(of_group(host)?)?)));
    let (ours, others): (Vec<Other>, Vec<Other>) =
        all.partition(|(host, _)| host.site == fleet.site && host.host == fleet.host);
    let announced: Vec<Other> = others.into_iter().filter(|(_, group)| group.output > Output::None).collect();
    // A last resort is about to go, or is there because it has failed.
    let staying: Vec<Other> =
        announced.iter().copied().filter(|(_, group)| group.output > Output::Gshut).collect();
    if announced.is_empty() {
        return (Some(false), "no other site announces it".to_owned());
    }
    if staying.is_empty() {
        let sites = sites(&announced);
        return (Some(false), format!("NOT enough: {} is there only as the last resort", sites.join(", ")));
    }
    let silent: Vec<Other> = staying.iter().copied().filter(|(_, group)| group.capacity.is_none()).collect();
    if !silent.is_empty() {
        let sites = sites(&silent);
        let verb = if sites.len() == 1 { "states" } else { "state" };
        return (None, format!("unknown: {} {verb} no capacity", sites.join(", ")));
    }
    let unmeasured: Vec<Other> = staying.iter().copied().filter(|(_, group)| group.load.is_none()).collect();
    if !unmeasured.is_empty() {
        return (None, format!("unknown: the load of {} is not measured", sites(&unmeasured).join(", ")));
    }
    let free = |(_, group): &Other| Some(group.capacity?.saturating_sub(group.load?));
    let room = staying.iter().filter_map(free).fold(0, u64::saturating_add);
    let have_room = format!("{} room for {} answers/s more", who_has(&staying, fleet), Thousands(room));
    let Some(load) = ours.first().and_then(|(_, group)| group.load) else {
        return (None, format!("unknown: the load here is not measured; {have_room}"));
    };
    let here = if staying.iter().any(|(host, _)| host.site == fleet.site) { "host" } else { "site" };
    let words = format!("{have_room}; this {here} has {}/s", Thousands(load));
    if room >= load { (Some(true), words) } else { (Some(false), format!("NOT enough: {words}")) }
}

/// Their sites, each once, by name.
fn sites<'a>(hosts: &[Other<'a>]) -> Vec<&'a str> {
    let sites: BTreeSet<&str> = hosts.iter().map(|(host, _)| host.site.as_str()).collect();
    sites.into_iter().collect()
}

/// `the other 2 sites have`, and the other hosts of this one where it has any.
fn who_has(hosts: &[Other], fleet: &FleetStatus) -> String {
    let here = hosts.iter().filter(|(host, _)| host.site == fleet.site).count();
    let elsewhere = sites(hosts).len() - usize::from(here > 0);
    let others = |number: usize, noun: &str| match number {
        0 => None,
        1 => Some(format!("the other {noun}")),
        _ => Some(format!("the other {number} {noun}s")),
    };
    let who: Vec<String> = [others(here, "host"), others(elsewhere, "site")].into_iter().flatten().collect();
    let verb = if here + elsewhere == 1 { "has" } else { "have" };
    format!("{} {verb}", who.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// One host: site, host, output, load and capacity.
    type Row = (&'static str, &'static str, &'static str, Option<u64>, Option<u64>);

    const OURS: Row = ("london", "lon-1", "normal", Some(35_000), Some(100_000));

    fn host((site, host, output, load, capacity): &Row) -> Value {
        json!({ "site": site, "host": host, "version": "1", "started": 1, "city": null, "at": null, "groups": [{
            "name": "dns", "state": "up", "output": output, "since": 1, "reason": "", "alarms": 0,
            "load": load, "capacity": capacity,
        }]})
    }

    fn said(store: &str, rows: &[Row]) -> (Option<bool>, String) {
        let hosts: Vec<Value> = rows.iter().map(host).collect();
        let fleet = json!({ "schema": 1, "site": "london", "host": "lon-1", "store": store, "trouble": null,
                            "alarms": [], "hosts": hosts, "groups": [] });
        let Survivors { enough, words } =
            survivors(&"dns".parse().unwrap(), &serde_json::from_value(fleet).unwrap());
        (enough, words.to_string())
    }

    fn with_others(others: &[Row]) -> (Option<bool>, String) {
        said("reached", &[&[OURS], others].concat())
    }

    #[test]
    fn room_is_capacity_less_load_of_those_who_stay() {
        let paris = ("paris", "par-1", "normal", Some(30_000), Some(100_000));
        let tokyo = ("tokyo", "tyo-1", "depref", Some(30_000), Some(100_000));
        let words = "the other 2 sites have room for 140,000 answers/s more; this site has 35,000/s";
        assert_eq!(with_others(&[paris, tokyo]), (Some(true), words.to_owned()));
        // One that is being drained, and one that has gone, carry nobody.
        let drained = ("rome", "rom-1", "gshut", Some(0), Some(900_000));
        let gone = ("oslo", "osl-1", "none", Some(0), None);
        assert_eq!(with_others(&[paris, tokyo, drained, gone]), (Some(true), words.to_owned()));
        let full = ("tokyo", "tyo-1", "normal", Some(120_000), Some(100_000));
        let nearly = ("paris", "par-1", "normal", Some(65_001), Some(100_000));
        let words =
            "NOT enough: the other 2 sites have room for 34,999 answers/s more; this site has 35,000/s";
        assert_eq!(with_others(&[nearly, full]), (Some(false), words.to_owned()));
        let just = ("paris", "par-1", "normal", Some(65_000), Some(100_000));
        assert_eq!(with_others(&[just, full]).0, Some(true));
    }

    #[test]
    fn another_host_of_this_site_stays_too() {
        let second = ("london", "lon-2", "normal", Some(35_000), Some(100_000));
        let words = "the other host has room for 65,000 answers/s more; this host has 35,000/s";
        assert_eq!(with_others(&[second]), (Some(true), words.to_owned()));
        let paris = ("paris", "par-1", "normal", Some(0), Some(10));
        let words =
            "the other host and the other site have room for 65,010 answers/s more; this host has 35,000/s";
        assert_eq!(with_others(&[second, paris]), (Some(true), words.to_owned()));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let paris = ("paris", "par-1", "normal", Some(0), Some(900_000));
        let silent = ("tokyo", "tyo-1", "normal", Some(7), None);
        let unknown = |words: &str| (None, format!("unknown: {words}"));
        assert_eq!(with_others(&[paris, silent]), unknown("tokyo states no capacity"));
        let too = ("rome", "rom-1", "normal", None, None);
        assert_eq!(with_others(&[paris, silent, too]), unknown("rome, tokyo state no capacity"));
        let unmeasured = ("rome", "rom-1", "normal", None, Some(1));
        assert_eq!(with_others(&[paris, unmeasured]), unknown("the load of rome is not measured"));
        let here = ("london", "lon-1", "normal", None, None);
        let words = "the load here is not measured; the other site has room for 900,000 answers/s more";
        assert_eq!(said("reached", &[here, paris]), unknown(words));
        assert_eq!(said("lost", &[OURS, paris]), unknown("the store does not answer"));
        assert_eq!(said("none", &[OURS]), unknown("this site belongs to no fleet"));
    }

    #[test]
    fn nobody_and_the_last_resort_are_not_enough() {
        assert_eq!(with_others(&[]), (Some(false), "no other site announces it".to_owned()));
        let held = ("paris", "par-1", "gshut", Some(0), Some(900_000));
        let words = "NOT enough: paris is there only as the last resort";
        assert_eq!(with_others(&[held]), (Some(false), words.to_owned()));
    }

    #[test]
    fn absurd_numbers_of_others_do_no_harm() {
        let absurd = ("paris", "par-1", "normal", Some(0), Some(u64::MAX));
        let other = ("rome", "rom-1", "normal", Some(u64::MAX), Some(0));
        let again = ("tokyo", "tyo-1", "normal", Some(0), Some(u64::MAX));
        assert_eq!(with_others(&[absurd, other, again]).0, Some(true));
    }
}
