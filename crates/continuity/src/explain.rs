//! What would become of a connection's next packet, and why: the search itself, asked beforehand.

use crate::packet::{IPV4_LEN, IPV6_LEN, Kind, Packet, TCP_LEN};
use crate::search::{Knowledge, Visit, judge};
use crate::{Flow, Settings, SiteNumber, State, Verdict, client_prefix};
use std::net::Ipv6Addr;
use terms::{Family, Timestamp};

/// What is known of a flow, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What would become of its next segment, if its client sent it here now. A SYN opens another connection, and is no
    /// part of this one.
    pub verdict: Verdict,
    /// The other sites whose filter has it, dead ones among them. Usually one; a filter is wrong about one flow of 200.
    pub claimants: Vec<(SiteNumber, State)>,
    /// Whose it is where neither a socket nor a living site that was found before explains it: a living one of these, or else a
    /// dead site that was found before, or else a dead one of these. None: it can only be guessed.
    pub found: Option<(SiteNumber, State)>,
    /// The site that was found to have it before.
    pub learned: Option<SiteNumber>,
    /// The last owner known of the connections of its client's prefix.
    pub last_owner: Option<SiteNumber>,
}

/// Asks without changing anything. The segment is the shortest that there is: whether it fits into the tunnel is not the
/// question.
pub fn explain(settings: &Settings, known: &Knowledge, flow: Flow, now: Timestamp) -> Account {
    let family = family_of(&flow);
    let header_len = match family {
        Family::Ipv4 => IPV4_LEN,
        Family::Ipv6 => IPV6_LEN,
    };
    let end = header_len + TCP_LEN;
    let packet = Packet { flow, start: 0, transport: header_len, end, family, traffic_class: 0 };
    let visit = Visit::from_client(settings.number);
    let claims = |site: &crate::Site| {
        site.filter.as_deref().is_some_and(|filter| filter.contains(&flow, &settings.filter_key))
    };
    let others = settings.sites.iter().filter(|(number, _)| **number != settings.number);
    let claimants = others.filter(|(_, site)| claims(site));
    let claimants: Vec<_> = claimants.map(|(number, site)| (*number, site.state)).collect();
    let learned = known.learned.get(&flow).map(|learned| learned.site);
    let dead = learned.and_then(|number| Some((number, settings.sites.get(&number)?.state)));
    let dead = dead.filter(|(_, state)| *state == State::Dead);
    let living = claimants.iter().find(|(_, state)| *state == State::Alive);
    Account {
        verdict: judge(settings, &mut known.clone(), &packet, Kind::Segment, visit, now),
        found: living.copied().or(dead).or(claimants.first().copied()),
        claimants,
        learned,
        last_owner: known.owners.get(&prefix_of(&flow)).copied(),
    }
}

/// The first address of the prefix whose last owner is asked for the flow.
pub fn prefix_of(flow: &Flow) -> Ipv6Addr {
    client_prefix(flow.client, family_of(flow))
}

fn family_of(flow: &Flow) -> Family {
    match flow.client.to_ipv4_mapped() {
        Some(_) => Family::Ipv4,
        None => Family::Ipv6,
    }
}
