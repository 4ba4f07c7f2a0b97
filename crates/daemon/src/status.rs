//! What the daemon says about itself: status, explanation and picture, made from what each task shows.

use crate::bfd;
use crate::bgp::{self, Ledger};
use crate::blackhole;
use crate::bmp;
use crate::clock::Clock;
use crate::continuity::Moved;
use crate::dns::{Inventory, zone_keeping};
use crate::events::Bus;
use crate::export::Decision;
use crate::fleet::{Fleet, other_sites};
use crate::orders;
use ::bgp::session::{Negotiated, StateName};
use api::{
    Explanation, PeerHeard, PeerState, PeerTold, Picture, PictureKind, PrefixStatus, Refusal, Schema, Status,
    Told, ToldPeer,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use terms::{Asn, Family, GeoPoint, GroupName, PeerName, Prefix, SiteName, WallTime};
use tokio::sync::{mpsc, oneshot, watch};

/// How long a peer's task may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Everything that can be looked at. A copy looks at the same.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) clock: Clock,
    pub(crate) site: SiteName,
    pub(crate) started: WallTime,
    pub(crate) groups: watch::Receiver<Vec<api::Group>>,
    /// What operators have ordered.
    pub(crate) orders: watch::Receiver<orders::Shown>,
    pub(crate) shown: watch::Receiver<Shown>,
    /// What is decided.
    pub(crate) decision: watch::Receiver<Arc<Decision>>,
    /// What peers are to drop.
    pub(crate) blackholes: watch::Receiver<blackhole::Book>,
    pub(crate) fleet: Fleet,
    /// The zones that come from other servers.
    pub(crate) secondaries: watch::Receiver<zone_keeping::Views>,
    /// Connections that have moved.
    pub(crate) moved: Moved,
    /// The BMP collectors.
    pub(crate) collectors: watch::Receiver<bmp::Shown>,
    /// The last time that another program took over.
    pub(crate) restart: watch::Receiver<Option<api::Restart>>,
    /// The zones that are served.
    pub(crate) inventory: watch::Receiver<Inventory>,
    pub(crate) bus: Bus,
}

/// What a reload may change of what is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// What people call the place, and where it is.
    pub(crate) place: Option<(String, GeoPoint)>,
    /// The service addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The covering prefixes.
    pub(crate) covers: BTreeMap<Prefix, Cover>,
    /// The peers, in the order of the site file.
    pub(crate) peers: Vec<Peer>,
}

/// A covering prefix.
#[derive(Clone, Debug)]
pub(crate) struct Cover {
    /// The first group with a service that names it.
    pub(crate) group: GroupName,
    /// Since when the site file names it.
    pub(crate) since: WallTime,
}

/// One peer and where its task shows itself.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: PeerName,
    pub(crate) address: IpAddr,
    pub(crate) asn: Asn,
    pub(crate) view: watch::Receiver<bgp::View>,
    /// Where its task is asked about routes that it heard.
    pub(crate) ask: mpsc::Sender<bgp::Question>,
    pub(crate) path: watch::Receiver<Option<bfd::View>>,
}

impl Board {
    /// What is announced, since when, and why.
    pub(crate) fn status(&self) -> Status {
        let mut groups = self.groups.borrow().clone();
        let orders = self.orders.borrow().clone();
        for group in &mut groups {
            group.intent = orders.get(&group.name).cloned().unwrap_or_default();
        }
        let Shown { peers: ours, covers, .. } = self.shown.borrow().clone();
        let cover = |&prefix: &Prefix| PrefixStatus { prefix, peers: Vec::new() };
        let mut covers: Vec<PrefixStatus> = covers.keys().map(cover).collect();
        let views: Vec<bgp::View> = ours.iter().map(|peer| peer.view.borrow().clone()).collect();
        for prefix in groups.iter_mut().flat_map(|group| &mut group.prefixes).chain(&mut covers) {
            let told = ours.iter().zip(&views);
            prefix.peers = told.map(|(peer, view)| told_peer(peer, &view.ledger, prefix.prefix)).collect();
        }
        let peers = ours.iter().zip(views).map(|(peer, view)| peer.status(view)).collect();
        let collectors = self.collectors.borrow().clone().into_iter();
        let collectors = collectors.map(|(name, view)| view.status(name)).collect();
        Status {
            schema: Schema,
            site: self.site.clone(),
            groups,
            covers,
            peers,
            blackholes: self.blackholes(&ours),
            zones: self.zones(),
            collectors,
            secondaries: zone_keeping::shown(&self.secondaries.borrow(), self.clock),
            catalogs: self.secondaries.borrow().catalogs.clone(),
            continuity: self.moved.status(),
            alarms: self.bus.alarms(),
            restart: self.restart.borrow().clone(),
        }
    }

    /// The zones that are served.
    fn zones(&self) -> Vec<api::Zone> {
        let inventory = self.inventory.borrow();
        let of_services = inventory.iter().flat_map(|(service, zones)| {
            let served = zones.iter().filter_map(|(zone, stock)| Some((zone, (*stock)?)));
            served.map(move |(zone, stock)| api::Zone {
                service: service.clone(),
                name: zone.to_string(),
                serial: stock.serial,
                signatures_end: stock.signatures_end,
            })
        });
        of_services.collect()
    }

    /// What peers are to drop.
    fn blackholes(&self, peers: &[Peer]) -> Vec<api::Blackhole> {
        let (book, decision) = (self.blackholes.borrow().clone(), self.decision.borrow().clone());
        book.iter().map(|standing| blackhole::shown(standing, &decision, peers)).collect()
    }

    /// What was told to whom about one prefix, and the events that led there.
    pub(crate) fn explain(&self, prefix: Prefix) -> Result<Explanation, Refusal> {
        let groups = self.groups.borrow().clone();
        let Shown { covers, peers, .. } = self.shown.borrow().clone();
        let told = |peer: &Peer| {
            let view = peer.view.borrow();
            let ToldPeer { peer, told, attributes } = told_peer(peer, &view.ledger, prefix);
            PeerTold { peer, told, when: view.ledger.entry(prefix).map(|entry| entry.when), attributes }
        };
        let blackhole = self.blackholes(&peers).into_iter().find(|blackhole| blackhole.prefix == prefix);
        let peers = peers.iter().map(told).collect();
        let cover = covers.get(&prefix);
        let is_its = |group: &&api::Group| {
            let mut ours = group.prefixes.iter().map(|ours| ours.prefix);
            match (cover, &blackhole) {
                (Some(cover), _) => group.name == cover.group,
                (None, Some(_)) => ours.any(|ours| prefix.is_part_of(ours)),
                (None, None) => ours.any(|ours| ours == prefix),
            }
        };
        let of_cover = |group: &&api::Group| {
            let around = covers.iter().filter(|(cover, _)| blackhole.is_some() && prefix.is_part_of(**cover));
            around.map(|(_, cover)| &cover.group).any(|name| *name == group.name)
        };
        let Some(group) = groups.iter().find(is_its).or_else(|| groups.iter().find(of_cover)) else {
            let ours = groups.iter().flat_map(|group| &group.prefixes).map(|ours| ours.prefix);
            let ours: Vec<String> = ours.chain(covers.into_keys()).map(|ours| ours.to_string()).collect();
            let refusal = Refusal::because(format!("{} does not announce {prefix}", self.site));
            return Err(refusal.hint(format!("it announces {}", ours.join(", "))));
        };
        let explanation = Explanation {
            schema: Schema,
            prefix,
            group: group.name.clone(),
            cover: cover.is_some(),
            blackhole: None,
            state: group.state,
            output: group.output,
            since: group.since,
            reason: group.reason.clone(),
            peers,
            heard: Vec::new(),
            checks: Vec::new(),
            why: Vec::new(),
        };
        let of_subject = |subject: &str| {
            let mut why = self.bus.latest();
            why.retain(|row| row.subject == subject);
            why
        };
        Ok(match (cover, blackhole) {
            (Some(cover), _) => Explanation {
                output: api::Output::Normal,
                since: cover.since,
                reason: "it is announced as long as the daemon lives, whatever the checks say".into(),
                ..explanation
            },
            (None, Some(blackhole)) => Explanation {
                since: blackhole.when,
                reason: format!("{}: {}", blackhole.who, blackhole.reason).into(),
                blackhole: Some(blackhole),
                why: of_subject(&prefix.to_string()),
                ..explanation
            },
            (None, None) => {
                let why = of_subject(group.name.as_str());
                Explanation { checks: group.checks.clone(), why, ..explanation }
            }
        })
    }

    /// What each peer told about a prefix and everything that covers it, where that is kept.
    pub(crate) async fn heard(&self, prefix: Prefix) -> Vec<PeerHeard> {
        let peers = self.shown.borrow().peers.clone();
        let mut heard = Vec::new();
        for Peer { name, ask, .. } in peers {
            let (answer, answered) = oneshot::channel();
            let asked = ask.try_send(bgp::Question { prefix, answer }).is_ok();
            // A peer whose task is ending, or is asked too much, says nothing.
            let routes = tokio::time::timeout(PATIENCE, answered).await;
            if let (true, Ok(Ok(Some(routes)))) = (asked, routes) {
                heard.push(PeerHeard { peer: name, routes });
            }
        }
        heard
    }

    /// What the page draws: this site, its peers and its groups.
    pub(crate) fn picture(&self) -> Picture {
        let Status { groups, peers, alarms, continuity, .. } = self.status();
        let Shown { place, addresses, .. } = self.shown.borrow().clone();
        // A site has one mark: it shows the group that is worst off.
        let worst = groups.iter().min_by_key(|group| group.output);
        let site = worst.map(|group| api::Site {
            name: self.site.clone(),
            service: None,
            city: place.as_ref().map_or_else(|| self.site.to_string(), |(city, _)| city.clone()),
            at: place.as_ref().map(|(_, at)| *at),
            colour: 0,
            state: Some(group.state),
            output: group.output,
            reason: group.reason.clone(),
            clients: 0,
            rtt_ms: None,
            offers: Vec::new(),
        });
        Picture {
            addresses,
            at_ms: self.clock.now().as_nanos() / 1_000_000,
            sites: site.into_iter().chain(other_sites(&self.fleet.status())).collect(),
            peers,
            groups,
            continuity,
            alarms,
            ..Picture::empty(PictureKind::Daemon, self.site.to_string(), self.started)
        }
    }
}

#[cfg(test)]
impl Peer {
    /// One that nobody can ask about routes, over a path that nobody watches.
    pub(crate) fn for_test(
        name: PeerName,
        address: IpAddr,
        asn: Asn,
        view: watch::Receiver<bgp::View>,
    ) -> Self {
        Peer { name, address, asn, view, ask: mpsc::channel(1).0, path: watch::channel(None).1 }
    }
}

impl Peer {
    fn status(&self, view: bgp::View) -> api::Peer {
        api::Peer {
            name: self.name.clone(),
            address: self.address,
            asn: self.asn,
            state: match view.state {
                StateName::Idle => PeerState::Idle,
                StateName::Connect => PeerState::Connect,
                StateName::Active => PeerState::Active,
                StateName::OpenSent => PeerState::OpenSent,
                StateName::OpenConfirm => PeerState::OpenConfirm,
                StateName::Established => PeerState::Established,
            },
            since: view.since,
            received: api::Received {
                accepted: view.received.accepted,
                discarded_attributes: view.received.discarded_attributes,
                treated_as_withdraw: view.received.treated_as_withdraw,
                withdrawn: view.received.withdrawn,
                graceful_shutdown: view.received.graceful_shutdown,
                looped: view.received.looped,
                martian: view.received.martian,
                leaked: view.received.leaked,
                prefixes: api::Counted {
                    ipv4: view.prefixes.get(&Family::Ipv4).copied().map(number),
                    ipv6: view.prefixes.get(&Family::Ipv6).copied().map(number),
                },
                kept: view.kept.map(|kept| api::Kept {
                    ipv4: kept.ipv4,
                    ipv6: kept.ipv6,
                    stale: kept.stale,
                    attributes: number(kept.attributes),
                    octets: number(kept.octets),
                    left_out: kept.left_out,
                }),
            },
            graceful_restart: view
                .graceful
                .status(view.negotiated.as_ref(), view.kept.map(|kept| kept.stale)),
            bfd: self.path.borrow().as_ref().map(bfd::View::status),
            transport: view.transport,
            capabilities: view.negotiated.as_ref().map(capabilities).unwrap_or_default(),
        }
    }
}

/// What both sides of a session can do, beside families and hold time.
fn capabilities(negotiated: &Negotiated) -> Vec<String> {
    let Negotiated { four_octet_asn, route_refresh, enhanced_refresh, extended_messages, .. } = negotiated;
    let plain = [
        (*four_octet_asn, "four-octet-asn"),
        (*route_refresh, "route-refresh"),
        (*enhanced_refresh, "enhanced-route-refresh"),
        (*extended_messages, "extended-messages"),
        (negotiated.graceful.is_some(), "graceful-restart"),
        (!negotiated.extended_next_hop.is_empty(), "extended-next-hop"),
    ];
    let plain = plain.into_iter().filter(|(agreed, _)| *agreed).map(|(_, word)| word.to_owned());
    let paths = negotiated.add_path.iter().flat_map(|(family, agreed)| {
        let directions = [(agreed.receive, "receive"), (agreed.send, "send")];
        let agreed = directions.into_iter().filter(|(agreed, _)| *agreed);
        agreed.map(move |(_, direction)| format!("add-path-{direction}-{family}"))
    });
    let relation = negotiated.relation.filter(|relation| relation.is_mutual);
    let role = relation.map(|relation| format!("role-{}", relation.role));
    plain.chain(paths).chain(role).collect()
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

pub(crate) fn told_peer(peer: &Peer, ledger: &Ledger, prefix: Prefix) -> ToldPeer {
    let entry = ledger.entry(prefix);
    let attributes = entry.and_then(|entry| entry.attributes.clone());
    let told = match (entry, &attributes) {
        (None, _) => Told::None,
        (Some(_), None) => Told::Withdrawn,
        (Some(_), Some(_)) => Told::Announced,
    };
    ToldPeer { peer: peer.name.clone(), told, attributes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::bgp::session::PeerKind;
    use ::bgp::wire::role::{Relation, Role};

    /// Our own role counts without that, but it is no agreement.
    #[test]
    fn a_role_is_agreed_on_where_both_sides_say_theirs() {
        let plain = Negotiated::plain(PeerKind::External);
        for (is_mutual, shown) in [(true, true), (false, false)] {
            let relation = Some(Relation { role: Role::Customer, is_mutual });
            let words = capabilities(&Negotiated { relation, ..plain.clone() });
            assert_eq!(words.contains(&"role-customer".to_owned()), shown, "{words:?}");
        }
    }
}
