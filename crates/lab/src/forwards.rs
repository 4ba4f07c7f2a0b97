//! Connections that one site takes in and another has, as the daemons say: how many between each two sites. Pure but for
//! the asking.

use crate::history::ClientId;
use crate::running::Lab;
use api::client::Server;
use api::client::blocking::Client;
use api::{Continuity, Flow, Flows, route};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use terms::{Family, SiteName, Timestamp};

/// Connections of one client between two sites.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leg {
    /// Where their packets arrive.
    from: SiteName,
    /// Who has them.
    to: SiteName,
    client: ClientId,
}

/// How many there are, and since when.
#[derive(Clone, Copy, Debug)]
struct Sum {
    connections: u64,
    since: Timestamp,
}

/// Between all sites, as they said last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwards(BTreeMap<Leg, Sum>);

/// Connections between two sites, as they are drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) from: SiteName,
    pub(crate) to: SiteName,
    pub(crate) connections: u64,
    /// Whose they are.
    pub(crate) clients: BTreeSet<ClientId>,
    pub(crate) since: Timestamp,
}

impl Forwards {
    /// What a site says that it forwards, all of it.
    pub(crate) fn follow(
        &mut self,
        from: &SiteName,
        said: &[Flow],
        client: impl Fn(IpAddr) -> Option<ClientId>,
        now: Timestamp,
    ) {
        let mut sums: BTreeMap<Leg, Sum> = BTreeMap::new();
        for flow in said {
            // From one host of a site to another one is no way on a map, and so is that of somebody who is not on it.
            let to = flow.site.as_ref().filter(|to| *to != from);
            let Some((to, client)) = to.cloned().zip(client(flow.client.ip())) else { continue };
            let leg = Leg { from: from.clone(), to, client };
            let since = self.0.get(&leg).map_or(now, |before| before.since);
            sums.entry(leg).or_insert(Sum { connections: 0, since }).connections += 1;
        }
        self.0.retain(|leg, _| leg.from != *from);
        self.0.append(&mut sums);
    }

    /// The sum between each two sites. A site lists a connection for as long as it is open, also after routing has brought its
    /// client back: those only are drawn whose client it answers now.
    pub(crate) fn drawn(&self, answers: impl Fn(&SiteName, ClientId) -> bool) -> Vec<Drawn> {
        let mut drawn: Vec<Drawn> = Vec::new();
        for (Leg { from, to, client }, sum) in self.0.iter().filter(|(leg, _)| answers(&leg.from, leg.client))
        {
            let (clients, since) = (BTreeSet::from([*client]), sum.since);
            match drawn.last_mut().filter(|last| (&last.from, &last.to) == (from, to)) {
                Some(last) => {
                    last.connections += sum.connections;
                    last.clients.extend(clients);
                    last.since = last.since.min(since);
                }
                None => drawn.push(Drawn {
                    from: from.clone(),
                    to: to.clone(),
                    connections: sum.connections,
                    clients,
                    since,
                }),
            }
        }
        drawn
    }
}

/// What a daemon forwards.
pub(crate) fn ask(socket: &Path, continuity: &Continuity) -> Vec<Flow> {
    if !has_found_an_owner(continuity) {
        return Vec::new();
    }
    let client = Client::of(Server::Daemon, socket).ok();
    let flows: Option<Flows> = client.and_then(|client| client.get(route::FLOWS).ok());
    flows.map(|flows| flows.forwarded).unwrap_or_default()
}

/// Whether a daemon may have anything to list: what was found is forwarded again, and so is what it has given away.
fn has_found_an_owner(continuity: &Continuity) -> bool {
    let has_counted = |word| continuity.packets.get(word).is_some_and(|found| *found > 0);
    // A daemon that is new goes on with the flows of the one before it, and has given nothing yet.
    continuity.handed_over.given > 0 || ["claimed", "relayed", "learned"].into_iter().any(has_counted)
}

/// The clients of a world by their addresses.
pub(crate) fn clients(lab: &Lab) -> BTreeMap<IpAddr, ClientId> {
    let addresses = |place: usize| {
        let id = ClientId::at(place);
        let node = lab.plan.asker(&lab.world, id)?;
        Some(Family::ALL.map(|family| (lab.plan.node(node).address.of(family), id)))
    };
    // A resolver asks several services: it is the first of its entries.
    (0..lab.world.askers.len()).rev().filter_map(addresses).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use terms::WallTime;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    fn flow(client: &str, to: Option<&str>) -> Flow {
        Flow {
            client: client.parse().unwrap(),
            service: "198.18.0.53:7".parse().unwrap(),
            number: 3,
            site: to.map(|to| to.parse().unwrap()),
            since: WallTime(0),
            seen: WallTime(0),
            packets: 1,
        }
    }

    /// From, to, how many, whose, and since when in seconds.
    type Row = (String, String, u64, Vec<u16>, u64);

    fn row(from: &str, to: &str, connections: u64, clients: &[u16], since: u64) -> Row {
        (from.to_owned(), to.to_owned(), connections, clients.to_vec(), since)
    }

    fn shown(forwards: &Forwards, answers: impl Fn(&SiteName, ClientId) -> bool) -> Vec<Row> {
        let shown = |drawn: &Drawn| {
            let clients: Vec<u16> = drawn.clients.iter().map(|client| client.0).collect();
            let since = drawn.since.since(at(0)).as_secs();
            row(drawn.from.as_str(), drawn.to.as_str(), drawn.connections, &clients, since)
        };
        forwards.drawn(answers).iter().map(shown).collect()
    }

    /// Each client by the last octet of its address.
    fn client(address: IpAddr) -> Option<ClientId> {
        match address {
            IpAddr::V4(address) => Some(ClientId(address.octets()[3].into())),
            IpAddr::V6(_) => None,
        }
    }

    #[test]
    fn connections_are_summed_between_each_two_sites() {
        let [london, tokyo]: [SiteName; 2] = ["london", "tokyo"].map(|name| name.parse().unwrap());
        let everybody = |_: &SiteName, _: ClientId| true;
        let mut forwards = Forwards::default();
        let said = [
            flow("10.0.0.1:5000", Some("tokyo")),
            flow("10.0.0.2:5000", Some("paris")),
            flow("10.0.0.1:5001", Some("tokyo")),
            flow("10.0.0.2:5001", Some("tokyo")),
            flow("[fd00::9]:5001", Some("tokyo")),
            flow("10.0.0.3:5001", Some("london")),
            flow("10.0.0.3:5002", None),
        ];
        forwards.follow(&london, &said, client, at(1));
        let (paris, of_london) = (row("london", "paris", 1, &[2], 1), row("london", "tokyo", 3, &[1, 2], 1));
        assert_eq!(shown(&forwards, everybody), [paris.clone(), of_london.clone()]);

        // Each site speaks for itself, and both directions are two things.
        forwards.follow(&tokyo, &said[1..2], client, at(2));
        forwards.follow(&tokyo, &[flow("10.0.0.2:5001", Some("london"))], client, at(3));
        assert_eq!(shown(&forwards, everybody), [paris, of_london, row("tokyo", "london", 1, &[2], 3)]);

        // What goes on began when it began; what comes back begins anew.
        forwards.follow(&london, &said[..1], client, at(4));
        assert_eq!(shown(&forwards, everybody)[0], row("london", "tokyo", 1, &[1], 1));
        forwards.follow(&london, &[], client, at(5));
        assert_eq!(shown(&forwards, everybody).len(), 1, "of Tokyo alone");
        forwards.follow(&london, &said[..1], client, at(6));
        assert_eq!(shown(&forwards, everybody)[0], row("london", "tokyo", 1, &[1], 6));
    }

    #[test]
    fn whom_another_site_answers_by_now_is_not_drawn_where_it_was() {
        let london: SiteName = "london".parse().unwrap();
        let mut forwards = Forwards::default();
        let said =
            ["10.0.0.1:5000", "10.0.0.2:5000", "10.0.0.2:5001"].map(|client| flow(client, Some("tokyo")));
        forwards.follow(&london, &said[1..], client, at(1));
        forwards.follow(&london, &said, client, at(2));
        let by_london = |clients: &'static [u16]| {
            move |site: &SiteName, client: ClientId| site.as_str() == "london" && clients.contains(&client.0)
        };
        assert_eq!(shown(&forwards, by_london(&[1, 2])), [row("london", "tokyo", 3, &[1, 2], 1)]);
        assert_eq!(shown(&forwards, by_london(&[1])), [row("london", "tokyo", 1, &[1], 2)]);
        assert_eq!(shown(&forwards, by_london(&[])), []);
    }

    #[test]
    fn whoever_never_found_an_owner_is_not_asked() {
        let counted = |packets: &serde_json::Value, given: u64| -> Continuity {
            let mut continuity: Continuity = serde_json::from_value(serde_json::json!({
                "state": "on", "since": 0, "reason": null, "number": 1, "interfaces": [], "owned": 3,
                "relay": null, "owners": [], "packets": packets,
            }))
            .unwrap();
            continuity.handed_over.given = given;
            continuity
        };
        for (packets, given, expected) in [
            (serde_json::json!({}), 0, false),
            (serde_json::json!({ "owned": 7, "claimed": 0, "guessed": 4 }), 0, false),
            (serde_json::json!({ "claimed": 1, "relayed": 0 }), 0, true),
            (serde_json::json!({ "claimed": 0, "relayed": 2 }), 0, true),
            (serde_json::json!({ "claimed": 0, "learned": 1 }), 0, true),
            (serde_json::json!({ "owned": 7, "claimed": 0 }), 1, true),
        ] {
            assert_eq!(has_found_an_owner(&counted(&packets, given)), expected, "{packets}, {given} given");
        }
    }
}
