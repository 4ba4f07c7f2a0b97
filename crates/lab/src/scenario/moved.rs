//! Functional checks of connections that routing has moved: what their clients notice, and what the sites have counted.

use crate::calls::{Call, Ended};
use crate::scenario::functional::Seen;
use crate::scenario::words::ClientName;
use std::collections::BTreeMap;
use terms::{SiteName, Thousands, Timestamp};

/// Whether every connection of a client is open, and has had back something that was sent after the fault.
pub(super) fn go_on(calls: &[Call], client: &ClientName, fault: Timestamp) -> Seen {
    let trouble = |call: &Call| match (&call.end, call.proven) {
        (Some((_, end)), _) => Some(end.to_string()),
        (None, Some(proven)) if proven >= fault => None,
        (None, Some(_)) => Some("has had nothing back since".to_owned()),
        (None, None) => Some("has had nothing back ever".to_owned()),
    };
    all(calls, client, trouble)
}

/// Whether every connection of a client was reset after the fault.
pub(super) fn reset(calls: &[Call], client: &ClientName, fault: Timestamp) -> Seen {
    let trouble = |call: &Call| match &call.end {
        Some((at, Ended::Reset)) if *at >= fault => None,
        Some((_, Ended::Reset)) => Some("was reset before".to_owned()),
        Some((_, end)) => Some(end.to_string()),
        None => Some("is open".to_owned()),
    };
    all(calls, client, trouble)
}

/// Whether no connection of a client is in trouble; how many are in which one.
fn all(calls: &[Call], client: &ClientName, trouble: impl Fn(&Call) -> Option<String>) -> Seen {
    let its = calls.iter().filter(|call| call.client == client.as_str());
    let (mut count, mut octets) = (0, 0);
    let mut troubles: BTreeMap<String, usize> = BTreeMap::new();
    for call in its {
        count += 1;
        octets += call.returned;
        if let Some(trouble) = trouble(call) {
            *troubles.entry(format!("over {} {trouble}", call.family)).or_default() += 1;
        }
    }
    let good = count - troubles.values().sum::<usize>();
    let wrong = troubles.iter().map(|(trouble, count)| format!("; {count} {trouble}"));
    let wrong: String = wrong.collect();
    let seen = format!("{good} of {count} connections, {} octets have come back{wrong}", Thousands(octets));
    Seen::when(count > 0 && good == count, seen)
}

/// Whether a site forwards exactly so many connections to another one.
pub(super) fn forwards(flows: Option<&api::Flows>, wanted: usize, to: &SiteName) -> Seen {
    let Some(flows) = flows else { return Seen::NotSo("its daemon does not answer".to_owned()) };
    let count = flows.forwarded.iter().filter(|flow| flow.site.as_ref() == Some(to)).count();
    Seen::when(count == wanted, format!("{count} of {} that it forwards", flows.forwarded.len()))
}

/// Whether a site knows exactly so many other hosts that own connections.
pub(super) fn knows(flows: Option<&api::Flows>, wanted: usize) -> Seen {
    with_continuity(flows, |continuity| {
        let is_alive = |owner: &&api::Owner| owner.state == api::OwnerState::Alive;
        let count = continuity.owners.iter().filter(is_alive).count();
        let names: Vec<String> =
            continuity.owners.iter().map(|owner| format!("{} ({})", owner.site, owner.state)).collect();
        Seen::when(count == wanted, format!("{count}: {}", names.join(", ")))
    })
}

/// Whether a site has given so many connections away, or more; for how long they stood still, and how many have stayed.
pub(super) fn gave(flows: Option<&api::Flows>, wanted: usize) -> Seen {
    with_continuity(flows, |api::Continuity { handed_over, .. }| {
        let api::HandedOver { given, kept, longest_stall_us, total_stall_us, .. } = handed_over;
        let milliseconds = |microseconds: u64| microseconds as f64 / 1000.0;
        let stayed = kept.iter().map(|(why, number)| format!("; {} {why}", Thousands(*number)));
        let seen = format!(
            "{} given, {:.1} ms at most and {:.1} ms on average without packets{}",
            Thousands(*given),
            milliseconds(*longest_stall_us),
            milliseconds(total_stall_us / given.max(&1)),
            stayed.collect::<String>()
        );
        Seen::when(usize::try_from(*given).is_ok_and(|given| given >= wanted), seen)
    })
}

/// Whether a site has heard that another one has exactly so many connections.
pub(super) fn knows_connections(flows: Option<&api::Flows>, wanted: usize, of: &SiteName) -> Seen {
    with_continuity(flows, |continuity| {
        let its = continuity.owners.iter().filter(|owner| owner.site == *of);
        let count: u64 = its.map(|owner| owner.connections).sum();
        Seen::when(count == wanted as u64, format!("{} of {of}", Thousands(count)))
    })
}

/// Whether every packet of its own connections, but for SYNs, has come through another site. The daemon reads what has arrived
/// from others after it has read what is owned.
pub(super) fn hears_through_others(flows: Option<&api::Flows>) -> Seen {
    with_continuity(flows, |api::Continuity { packets, .. }| {
        let (owned, arrived) = (count(packets, "owned"), count(packets, "arrived"));
        let seen = format!("{} owned, {} arrived through others", Thousands(owned), Thousands(arrived));
        Seen::when(owned > 0 && owned <= arrived, seen)
    })
}

/// Whether no packet of a connection was dropped.
pub(super) fn drops_nothing(flows: Option<&api::Flows>) -> Seen {
    with_continuity(flows, |api::Continuity { packets, .. }| {
        let drops = ["over-budget", "unclaimed", "oversized", "refused", "unsent"];
        let dropped = drops.map(|verdict| (verdict, count(packets, verdict)));
        let dropped: Vec<String> = dropped
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(verdict, number)| format!("{} {verdict}", Thousands(*number)))
            .collect();
        let forwarded = ["learned", "claimed", "guessed", "relayed"].map(|verdict| count(packets, verdict));
        let forwarded = forwarded.iter().sum();
        let seen = match dropped.is_empty() {
            true => format!("{} forwarded, none dropped", Thousands(forwarded)),
            false => dropped.join(", "),
        };
        Seen::when(dropped.is_empty(), seen)
    })
}

/// Whether every packet that was missed has one end.
pub(super) fn adds_up(flows: Option<&api::Flows>) -> Seen {
    with_continuity(flows, |api::Continuity { packets, .. }| {
        let ends = ["claimed", "guessed", "orphaned", "over-budget", "unclaimed"];
        let missed = count(packets, "missed");
        let sum: u64 = ends.iter().map(|end| count(packets, end)).sum();
        let words = ends.map(|end| format!("{} {end}", Thousands(count(packets, end))));
        Seen::when(sum == missed, format!("{} missed = {}", Thousands(missed), words.join(" + ")))
    })
}

/// Whether so few packets were missed.
pub(super) fn misses(flows: Option<&api::Flows>, most: usize) -> Seen {
    with_continuity(flows, |api::Continuity { packets, .. }| {
        let missed = count(packets, "missed");
        let is_few = usize::try_from(missed).is_ok_and(|missed| missed <= most);
        Seen::when(is_few, format!("{} <= {}", Thousands(missed), Thousands(most as u64)))
    })
}

/// Whether a client in whose name somebody floods was never reset.
pub(super) fn not_reset(resets: Option<&u64>) -> Seen {
    match resets {
        Some(0) => Seen::So("none".to_owned()),
        Some(resets) => Seen::NotSo(format!("{} resets", Thousands(*resets))),
        None => Seen::NotSo("nobody floods in its name".to_owned()),
    }
}

fn with_continuity(flows: Option<&api::Flows>, judge: impl FnOnce(&api::Continuity) -> Seen) -> Seen {
    match flows.and_then(|flows| flows.continuity.as_ref()) {
        Some(continuity) if continuity.state == api::ContinuityState::On => judge(continuity),
        Some(continuity) => {
            let why = continuity.reason.as_ref().map_or(String::new(), |why| format!(", {why}"));
            Seen::NotSo(format!("packets are not forwarded: {}{why}", continuity.state))
        }
        None => Seen::NotSo("its daemon does not answer, or looks after no connections".to_owned()),
    }
}

fn count(packets: &BTreeMap<String, u64>, verdict: &str) -> u64 {
    packets.get(verdict).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use terms::Family;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    fn call(proven: Option<u64>, end: Option<(u64, Ended)>) -> Call {
        let end = end.map(|(second, end)| (at(second), end));
        Call { proven: proven.map(at), end, returned: 512, ..Call::new("tokyo", Family::Ipv4, at(0)) }
    }

    #[test]
    fn one_connection_that_is_in_trouble_is_not_hidden_by_the_others() {
        let client: ClientName = "tokyo".parse().unwrap();
        let good = call(Some(10), None);
        let judged = |calls: &[Call]| match go_on(calls, &client, at(10)) {
            Seen::So(seen) => (true, seen),
            Seen::NotSo(seen) => (false, seen),
        };
        assert_eq!(
            judged(&[good.clone(), good.clone()]),
            (true, "2 of 2 connections, 1,024 octets have come back".to_owned())
        );
        for (bad, word) in [
            (call(Some(9), None), "nothing back since"),
            (call(None, None), "nothing back ever"),
            (call(Some(11), Some((12, Ended::Reset))), "was reset"),
            (call(Some(11), Some((12, Ended::Closed))), "was closed"),
            (call(Some(11), Some((12, Ended::Altered(7)))), "other octets back from octet 7"),
        ] {
            let (holds, seen) = judged(&[good.clone(), bad]);
            assert!(!holds && seen.contains("1 of 2") && seen.contains(word), "{seen}");
        }
        assert!(!judged(&[]).0, "nobody has opened any");
        let others = Call { client: "lisbon".to_owned(), ..good };
        assert!(!judged(&[others]).0, "they are somebody else's");
    }

    #[test]
    fn a_reset_that_nobody_was_to_get_is_seen() {
        let holds = |resets: Option<u64>| matches!(not_reset(resets.as_ref()), Seen::So(_));
        assert!(holds(Some(0)));
        assert!(!holds(Some(1)));
        assert!(!holds(None), "nobody has looked");
    }

    #[test]
    fn a_connection_that_hangs_was_not_reset() {
        let client: ClientName = "tokyo".parse().unwrap();
        let holds = |call: Call| matches!(reset(&[call], &client, at(10)), Seen::So(_));
        assert!(holds(call(Some(9), Some((10, Ended::Reset)))));
        assert!(!holds(call(Some(9), Some((9, Ended::Reset)))));
        assert!(!holds(call(Some(9), Some((11, Ended::Closed)))));
        assert!(!holds(call(Some(9), None)));
    }

    /// What a site says of packets and of one other site.
    fn flows(packets: &[(&str, u64)], connections: u64) -> api::Flows {
        let packets: BTreeMap<_, _> = packets.iter().copied().collect();
        let owner = serde_json::json!({
            "site": "tokyo", "host": "tokyo", "number": 2, "address": null, "state": "alive", "reason": null,
            "connections": connections,
        });
        let continuity = serde_json::json!({
            "state": "on", "since": 0, "reason": null, "number": 1, "interfaces": [], "owned": 0, "relay": null,
            "owners": [owner], "packets": packets,
        });
        let flows = serde_json::json!({
            "schema": 1, "site": "london", "continuity": continuity, "forwarded": [], "received": [], "more": 0,
        });
        serde_json::from_value(flows).unwrap()
    }

    #[test]
    fn one_segment_that_came_straight_from_a_user_shows() {
        let holds = |owned, arrived| {
            let flows = flows(&[("opening", 40), ("owned", owned), ("arrived", arrived)], 0);
            matches!(hears_through_others(Some(&flows)), Seen::So(_))
        };
        assert!(holds(80, 80));
        assert!(!holds(81, 80));
        assert!(!holds(0, 0), "no handshake was completed");
    }

    #[test]
    fn the_connections_of_another_site_are_known_to_the_last_one() {
        let holds = |connections, of: &str| {
            let flows = flows(&[], connections);
            matches!(knows_connections(Some(&flows), 42, &of.parse().unwrap()), Seen::So(_))
        };
        assert!(holds(42, "tokyo"));
        assert!(!holds(41, "tokyo") && !holds(43, "tokyo"));
        assert!(!holds(42, "london"), "nobody says so of London");
    }
}
