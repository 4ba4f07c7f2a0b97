//! Functional checks: who answers, and what was told to whom. They wait for a condition; no clock decides them.

mod status;

use crate::hostile::Progress;
use crate::scenario::delivered::delivered;
use crate::scenario::expectation::Expectation;
use crate::scenario::facts::{Answer, Facts, Ordered, PacketEnd, Resolved, Walk};
use crate::scenario::moved;
use crate::scenario::record::{Record, Sample, Span, Viewpoint};
use crate::scenario::timing::Window;
use crate::scenario::words::ClientName;
use status::{
    alarms, announced_as, how_many, in_state, in_state_since, is_established, listed, peers_told, said,
    session, stands, with_members, with_peer, with_status, with_zones,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{DomainName, Family, SiteName};

/// Whether a condition holds, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It holds.
    So(String),
    /// It does not, or not yet.
    NotSo(String),
}

impl Seen {
    pub(crate) fn when(holds: bool, seen: impl Into<String>) -> Seen {
        if holds { Seen::So(seen.into()) } else { Seen::NotSo(seen.into()) }
    }
}

/// Each of the last so many questions since the fault must have had the wanted answer.
const LAST: usize = 3;

/// Whether an expectation holds now. None for what the record of the whole step decides.
pub fn look(expectation: &Expectation, record: &Record, facts: &Facts, window: &Window) -> Option<Seen> {
    let clients = Clients { record, span: window.span(), services: &facts.services };
    Some(match expectation {
        Expectation::EveryClientAnswered => clients.all(Viewpoint::is_of_client, |_| true),
        Expectation::EveryClientBy { site } => {
            clients.all(Viewpoint::is_of_client, |answering| answering == site)
        }
        Expectation::ClientBy { client, site } => clients.one(client, site, |answering| answering == site),
        Expectation::ClientNotBy { client, site } => clients.one(client, site, |answering| answering != site),
        Expectation::ClientResolves { client, name, site } => resolves(facts, (client, name), site),
        Expectation::ClientSilentOver { client, family } => clients.silent(client, *family),
        Expectation::CatchmentsAsRoutersTell => as_routers_tell(facts, &clients),
        Expectation::DetourExplained { client } => detour(facts, client),
        Expectation::PacketsReach { client, address, site } => packets(
            facts,
            client,
            *address,
            |end| matches!(end, PacketEnd::Reaches(reached) if reached == site),
        ),
        Expectation::PacketsDropped { client, address, node } => packets(
            facts,
            client,
            *address,
            |end| matches!(end, PacketEnd::DroppedBy(by) if by == node.as_str()),
        ),
        Expectation::SiteState { site, state } => with_status(facts, site, |status| in_state(status, *state)),
        Expectation::SiteStateThroughout { site, state } => {
            with_status(facts, site, |status| in_state_since(status, *state, facts.fault))
        }
        Expectation::SiteOutput { site, output } => {
            with_status(facts, site, |status| announced_as(status, *output))
        }
        Expectation::SitesInState { count, state } => {
            how_many(facts, count.get(), |group| group.state.word(), state.as_str())
        }
        Expectation::SitesOfOutput { count, output } => {
            how_many(facts, count.get(), |group| group.output.word(), output.as_str())
        }
        Expectation::SiteHasAddresses { site } => has_addresses(facts, site),
        Expectation::SiteSaid { site, words } => said(facts, site, words),
        Expectation::AlarmAt { site, words } => with_status(facts, site, |status| {
            let alarms = alarms(status);
            Seen::when(alarms.iter().any(|alarm| words.are_in(alarm)), listed(&alarms))
        }),
        Expectation::NoAlarmAt { site } => with_status(facts, site, |status| {
            let alarms = alarms(status);
            Seen::when(alarms.is_empty(), listed(&alarms))
        }),
        Expectation::FleetStands { site, count } => with_members(facts, site, |members| {
            members.iter().filter(|member| stands(member)).count() == count.get()
        }),
        Expectation::CountsAway { site, member } => with_members(facts, site, |members| {
            members.iter().any(|other| other.site == *member && other.away.is_some())
        }),
        Expectation::SeesBehind { site, member } => {
            with_zones(facts, site, |behind| behind.iter().any(|host| host.site == *member))
        }
        Expectation::SeesNobodyBehind { site } => with_zones(facts, site, |behind| behind.is_empty()),
        Expectation::OrderObeyed { site } => {
            order_at(facts, site, |answer| matches!(answer, Answer::Obeyed(_)))
        }
        Expectation::OrderRefused { site } => {
            order_at(facts, site, |answer| matches!(answer, Answer::Refused(_)))
        }
        Expectation::OrdersObeyed { count } => orders_obeyed(facts, count.get()),
        Expectation::SiteTold { site, told } => with_status(facts, site, |status| peers_told(status, *told)),
        Expectation::PeerEstablishedThroughout { peer, site } => with_peer(facts, site, peer, |peer| {
            Seen::when(is_established(peer) && peer.since <= facts.fault, session(peer, facts.fault))
        }),
        Expectation::PeerKeptDespiteBrokenUpdates { peer, site } => with_peer(facts, site, peer, |peer| {
            let broken = peer.received.treated_as_withdraw;
            let seen = format!("{}, {broken} routes treated as withdrawn", peer.state);
            Seen::when(is_established(peer) && broken > 0, seen)
        }),
        Expectation::PeerLost { peer, site } => with_peer(facts, site, peer, |peer| {
            Seen::when(!is_established(peer) && peer.since >= facts.fault, session(peer, facts.fault))
        }),
        Expectation::PeerToldRoutes { peer, site, count } => with_peer(facts, site, peer, |peer| {
            let told = peer.received.accepted;
            let enough = usize::try_from(told).is_ok_and(|told| told >= count.get());
            Seen::when(is_established(peer) && enough, format!("{}, {told} routes", peer.state))
        }),
        Expectation::SiteTellsNothingElse { site } => tells_nothing_else(facts, site),
        Expectation::AttackOver { site } => attack(facts, site),
        Expectation::ConnectionsGoOn { client } => moved::go_on(&facts.calls, client, window.fault),
        Expectation::ConnectionsReset { client } => moved::reset(&facts.calls, client, window.fault),
        Expectation::SiteKnowsOwners { site, count } => moved::knows(facts.flows.get(site), count.get()),
        Expectation::SiteKnowsConnections { site, count, member } => {
            moved::knows_connections(facts.flows.get(site), count.get(), member)
        }
        Expectation::SiteForwards { site, count, member } => {
            moved::forwards(facts.flows.get(site), count.get(), member)
        }
        Expectation::SiteGave { site, count } => moved::gave(facts.flows.get(site), count.get()),
        Expectation::SiteDropsNothing { site } => moved::drops_nothing(facts.flows.get(site)),
        Expectation::SiteHearsThroughOthers { site } => moved::hears_through_others(facts.flows.get(site)),
        Expectation::SiteAddsUp { site } => moved::adds_up(facts.flows.get(site)),
        Expectation::SiteMissesAtMost { site, count } => moved::misses(facts.flows.get(site), count.get()),
        Expectation::ClientNotReset { client } => moved::not_reset(facts.resets.get(client.as_str())),
        Expectation::UnicastReached { .. }
        | Expectation::BroadcastReached { .. }
        | Expectation::MulticastReached { .. }
        | Expectation::AnycastReachedNearest
        | Expectation::AnycastReached { .. }
        | Expectation::HostReceived { .. }
        | Expectation::GroupKnown { .. }
        | Expectation::GroupUnknown { .. }
        | Expectation::GroupKept { .. } => delivered(expectation, facts, window.until)?,
        Expectation::EveryClientAnsweredThroughout
        | Expectation::EveryClientKeepsItsCookieThroughout
        | Expectation::SiteAnnouncedThroughout { .. }
        | Expectation::SiteSilentThroughout { .. }
        | Expectation::SitesAnnouncedThroughout { .. }
        | Expectation::SwitchesWithin { .. }
        | Expectation::ClientsAnsweredWithin { .. }
        | Expectation::EveryClientAnsweredWithin { .. }
        | Expectation::OtherClientsSilent { .. }
        | Expectation::ClientSilent { .. }
        | Expectation::EveryClientSilent { .. }
        | Expectation::CatchmentAsBefore { .. }
        | Expectation::MedianAtMost { .. }
        | Expectation::MedianTimesBefore { .. } => return None,
    })
}

/// The clients' view of a span of time.
struct Clients<'a> {
    record: &'a Record,
    span: Span,
    services: &'a BTreeMap<SiteName, Arc<str>>,
}

impl Clients<'_> {
    /// Whether a client has had the wanted answer of the service that a site announces.
    fn one(&self, client: &ClientName, of: &SiteName, wanted: impl Fn(&SiteName) -> bool) -> Seen {
        let service = self.services.get(of).map(|service| &**service);
        self.all(|viewpoint| &*viewpoint.client == client.as_str() && viewpoint.asks(service), wanted)
    }

    /// Whether the last few questions of a client over a family were not answered.
    fn silent(&self, client: &ClientName, family: Family) -> Seen {
        let viewpoint = Viewpoint { client: client.as_str().into(), service: None, family };
        let samples = self.record.samples(&viewpoint, self.span);
        let last = &samples[samples.len().saturating_sub(LAST)..];
        let holds = last.len() == LAST && last.iter().all(|sample| sample.site().is_none());
        Seen::when(holds, format!("{viewpoint} {}", answered(last)))
    }

    /// Whether everybody who is asked about has had the wanted answer, the last few times.
    fn all(&self, asked: impl Fn(&Viewpoint) -> bool, wanted: impl Fn(&SiteName) -> bool) -> Seen {
        let mut seen = String::new();
        let (mut good, mut all) = (0, 0);
        for viewpoint in self.record.everybody().filter(|viewpoint| asked(viewpoint)) {
            let samples = self.record.samples(viewpoint, self.span);
            let last = &samples[samples.len().saturating_sub(LAST)..];
            let holds = last.len() == LAST && last.iter().all(|sample| sample.site().is_some_and(&wanted));
            all += 1;
            good += usize::from(holds);
            if !holds {
                // Writing to a string cannot fail.
                let _ = write!(seen, "; {viewpoint} {}", answered(last));
            }
        }
        Seen::when(all > 0 && good == all, format!("{good} of {all}{seen}"))
    }
}

/// Who gave the last answer, in words.
fn answered(last: &[Sample]) -> String {
    match last.last().map(Sample::site) {
        None => "was not heard of since".to_owned(),
        Some(None) => "is silent".to_owned(),
        Some(Some(site)) => format!("is answered by {site}"),
    }
}

/// Whether each client is answered by the site at which its walk ends.
fn as_routers_tell(facts: &Facts, clients: &Clients<'_>) -> Seen {
    let agrees = |walk: &Walk| match &walk.ends {
        Err(wrong) => Err(format!("{}: {wrong}", walk.viewpoint)),
        Ok(site) => match clients.all(|viewpoint| *viewpoint == walk.viewpoint, |by| by == site) {
            Seen::So(_) => Ok(()),
            Seen::NotSo(seen) => Err(format!("the routers lead {} to {site}: {seen}", walk.viewpoint)),
        },
    };
    let wrong: Vec<String> = facts.walks.iter().filter_map(|walk| agrees(walk).err()).collect();
    let good = facts.walks.len() - wrong.len();
    let seen = [vec![format!("{good} of {} ways", facts.walks.len())], wrong.clone()].concat();
    Seen::when(wrong.is_empty() && good > 0, seen.join("; "))
}

fn detour(facts: &Facts, client: &ClientName) -> Seen {
    let Some(client) = facts.clients.iter().find(|candidate| candidate.name == client.as_str()) else {
        return Seen::NotSo(format!("{client} is not on the map"));
    };
    let site = client.site.as_ref().map_or("nobody", SiteName::as_str);
    match (&client.detour, &client.nearest) {
        (Some(detour), Some(nearest)) if detour.kind == api::DetourKind::Policy => Seen::when(
            !detour.words.as_str().is_empty(),
            format!("{site} not {}: {}", nearest.site, detour.words),
        ),
        (Some(detour), _) => {
            Seen::NotSo(format!("answered by {site} as a {}: {}", detour.kind, detour.words))
        }
        (None, _) => Seen::NotSo(format!("answered by {site}, and that is no detour")),
    }
}

/// Whether what a client sends to an address ends as wanted.
fn packets(facts: &Facts, client: &ClientName, to: IpAddr, wanted: impl Fn(&PacketEnd) -> bool) -> Seen {
    let Some(end) = facts.ends.get(&(client.clone(), to)) else {
        return Seen::NotSo(format!("nobody knows where {client} sends packets"));
    };
    Seen::when(
        wanted(end),
        match end {
            PacketEnd::Reaches(site) => format!("they reach {site}"),
            PacketEnd::DroppedBy(node) => format!("{node} drops them"),
            PacketEnd::LostAt(node) => format!("{node} knows no further"),
        },
    )
}

fn attack(facts: &Facts, site: &SiteName) -> Seen {
    match facts.attacks.get(site) {
        None => Seen::NotSo(format!("nobody attacks {site}")),
        Some(Progress::Playing) => Seen::NotSo("it goes on".to_owned()),
        Some(Progress::Over) => Seen::So("every word was said and answered".to_owned()),
        Some(Progress::Failed(why)) => Seen::NotSo(format!("it ended early: {why}")),
    }
}

/// Whether what a client resolved over both families names a site.
fn resolves(facts: &Facts, question: (&ClientName, &DomainName), site: &SiteName) -> Seen {
    let Some(resolved) = facts.resolved.get(&(question.0.clone(), question.1.clone())) else {
        return Seen::NotSo(format!("{} cannot ask", question.0));
    };
    let names_it = |one: &Resolved| one.text.as_deref() == Some(site.as_str());
    let said: Vec<String> = resolved.iter().map(ToString::to_string).collect();
    Seen::when(!resolved.is_empty() && resolved.iter().all(names_it), said.join("; "))
}

fn has_addresses(facts: &Facts, site: &SiteName) -> Seen {
    let Some(missing) = facts.missing.get(site) else {
        return Seen::NotSo(format!("the host of {site} cannot be looked at"));
    };
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let all = names.is_empty();
    Seen::when(all, if all { "all of them".to_owned() } else { format!("all but {}", names.join(", ")) })
}

fn tells_nothing_else(facts: &Facts, site: &SiteName) -> Seen {
    let Some(told) = facts.told_routers.get(site) else {
        return Seen::NotSo(format!("the router of {site} does not answer"));
    };
    let names: Vec<String> = told.has.iter().map(ToString::to_string).collect();
    Seen::when(told.is_right(), format!("it has {}", names.join(", ")))
}

/// Whether all orders to a site are answered as wanted.
fn order_at(facts: &Facts, site: &SiteName, wanted: impl Fn(&Answer) -> bool) -> Seen {
    let orders: Vec<&Ordered> = facts.orders_of_step().filter(|order| order.site == *site).collect();
    let holds = !orders.is_empty() && orders.iter().all(|order| order.answer.as_ref().is_some_and(&wanted));
    Seen::when(holds, answers(&orders))
}

/// Whether all orders are answered, and so many of them are obeyed.
fn orders_obeyed(facts: &Facts, wanted: usize) -> Seen {
    let orders: Vec<&Ordered> = facts.orders_of_step().collect();
    let answered = !orders.is_empty() && orders.iter().all(|order| order.answer.is_some());
    let obeyed = orders.iter().filter(|order| matches!(order.answer, Some(Answer::Obeyed(_)))).count();
    Seen::when(answered && obeyed == wanted, answers(&orders))
}

/// Longest answer of a command that is shown, characters: its first sentence or two.
const LONGEST_ANSWER: usize = 160;

fn shortened(said: &str) -> String {
    match said.char_indices().nth(LONGEST_ANSWER) {
        None => said.to_owned(),
        Some((end, _)) => format!("{} ...", said[..end].trim_end()),
    }
}

/// What operators were answered, in words.
fn answers(orders: &[&Ordered]) -> String {
    if orders.is_empty() {
        return "nobody ordered anything".to_owned();
    }
    let answer = |order: &&Ordered| match &order.answer {
        None => format!("{} waits", order.site),
        Some(Answer::Obeyed(said)) => format!("{} obeyed: {}", order.site, shortened(said)),
        Some(Answer::Refused(said)) => format!("{} refused: {}", order.site, shortened(said)),
    };
    orders.iter().map(answer).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
