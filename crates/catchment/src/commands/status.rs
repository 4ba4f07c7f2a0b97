//! `catchment status`: what is announced, since when, and why.

use crate::arguments::Ask;
use crate::commands::{blackhole, flows, order, restart};
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, list, now};
use api::client::Server;
use api::client::blocking::Client;
use api::{
    Alarm, BfdState, Catalog, CatalogState, CheckResult, Collector, CollectorState, Continuity,
    GracefulRestart, Group, GroupState, IntentKind, Output, PeerState, Secondary, SecondaryState, Status,
    Told, route,
};
use std::io::Write;
use std::time::Duration;
use terms::WallTime;

/// Zones that are listed.
const MOST_ZONES: usize = 100;

pub(crate) fn run(ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let status: Status = Client::of(Server::Daemon, &ask.socket)?.get(route::STATUS)?;
    if ask.json {
        terminal.json(&status)?;
    } else {
        let page = page(&status, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

/// Those that have moved, in short.
fn connections(continuity: &Continuity, now: WallTime, paint: Paint) -> String {
    flows::standing(continuity, now, paint) + &flows::in_short(continuity)
}

fn page(status: &Status, now: WallTime, paint: Paint) -> String {
    let parts = [
        format!("site {}\n", status.site) + &restarted(status, now),
        alarms(status, paint),
        orders(status, now, paint),
        blackholes(status, now, paint),
        status.continuity.as_ref().map_or(String::new(), |continuity| connections(continuity, now, paint)),
        groups(status, now).render(paint),
        prefixes(status).render(paint),
        blackhole::peers(&status.blackholes).render(paint),
        checks(status).render(paint),
        zones(status, now).render(paint),
        peers(status, now).render(paint),
        restarts(status, now).render(paint),
        paths(status, now).render(paint),
        collectors(status, now).render(paint),
        secondaries(status, now).render(paint),
        catalogs(status, now).render(paint),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// The last time that another program took over, or could not.
fn restarted(status: &Status, now: WallTime) -> String {
    let words =
        |last: &api::Restart| format!("restarted {} ago: {}", age(last.when, now), restart::page(last));
    status.restart.as_ref().map(words).unwrap_or_default()
}

fn alarms(status: &Status, paint: Paint) -> String {
    let of_groups = status
        .groups
        .iter()
        .flat_map(|group| group.alarms.iter().map(|alarm| format!("ALARM {}: {alarm}", group.name)));
    // Those of the groups are told with their groups.
    let is_known = |alarm: &&Alarm| status.groups.iter().any(|group| group.alarms.contains(&alarm.text));
    let others =
        status.alarms.iter().filter(|alarm| !is_known(alarm)).map(|Alarm { subject, text, .. }| {
            if subject.is_empty() { format!("ALARM {text}") } else { format!("ALARM {subject}: {text}") }
        });
    of_groups.chain(others).map(|line| paint.text(Tone::Bad, &line) + "\n").collect()
}

/// What operators have ordered, one line for each group that it concerns.
fn orders(status: &Status, now: WallTime, paint: Paint) -> String {
    let ordered = status.groups.iter().filter(|group| group.intent.kind != IntentKind::Normal);
    let line = |group: &Group| {
        let words = order::standing(&group.intent, now);
        paint.text(Tone::Careful, &format!("ORDER {}: {words}", group.name)) + "\n"
    };
    ordered.map(line).collect()
}

/// What peers are asked to drop, one line each.
fn blackholes(status: &Status, now: WallTime, paint: Paint) -> String {
    let line = |blackhole| format!("BLACKHOLE {}", blackhole::standing(blackhole, now));
    status.blackholes.iter().map(|blackhole| paint.text(Tone::Careful, &line(blackhole)) + "\n").collect()
}

fn groups(status: &Status, now: WallTime) -> Table<6> {
    let mut table = Table::new(["GROUP", "SERVICES", "STATE", "OUTPUT", "FOR", "REASON"]);
    for group in &status.groups {
        table.row([
            group.name.to_string().into(),
            list(&group.services).into(),
            Cell::toned(group.state, tone_of_state(group.state)),
            Cell::toned(group.output, tone_of_output(group.output)),
            age(group.since, now).into(),
            group.reason.to_string().into(),
        ]);
    }
    table
}

fn prefixes(status: &Status) -> Table<4> {
    let mut table = Table::new(["PREFIX", "PEER", "TOLD", "NEXT HOP"]);
    for prefix in status.groups.iter().flat_map(|group| &group.prefixes).chain(&status.covers) {
        for peer in &prefix.peers {
            let next_hop = peer.attributes.as_ref().map_or(String::new(), |had| had.next_hop.to_string());
            let told = Cell::toned(peer.told, tone_of_told(peer.told));
            table.row([
                prefix.prefix.to_string().into(),
                peer.peer.to_string().into(),
                told,
                next_hop.into(),
            ]);
        }
    }
    table
}

/// The zones of the built-in DNS service; the first of them, where there are very many.
fn zones(status: &Status, now: WallTime) -> Table<4> {
    let mut table = Table::new(["ZONE", "SERVICE", "SERIAL", "SIGNATURES END IN"]);
    for zone in status.zones.iter().take(MOST_ZONES) {
        let end = zone.signatures_end.map_or_else(
            || "".into(),
            |end| if end > now { age(now, end).into() } else { Cell::toned("ended", Tone::Bad) },
        );
        table.row([
            zone.name.as_str().into(),
            zone.service.to_string().into(),
            zone.serial.to_string().into(),
            end,
        ]);
    }
    if let Some(more) = status.zones.len().checked_sub(MOST_ZONES).filter(|&more| more > 0) {
        table.row([format!("and {more} more: --json").into(), "".into(), "".into(), "".into()]);
    }
    table
}

fn checks(status: &Status) -> Table<4> {
    let mut table = Table::new(["SERVICE", "CHECK", "LAST", "IN A ROW"]);
    for check in status.groups.iter().flat_map(|group| &group.checks) {
        let last = match check.last {
            Some(result) => Cell::toned(result, tone_of_result(result)),
            None => Cell::toned("none yet", Tone::Quiet),
        };
        table.row([
            check.service.to_string().into(),
            check.name.clone().into(),
            last,
            check.run.to_string().into(),
        ]);
    }
    table
}

fn peers(status: &Status, now: WallTime) -> Table<6> {
    let mut table = Table::new(["PEER", "ADDRESS", "AS", "SESSION", "FOR", "HEARD"]);
    for peer in &status.peers {
        let heard = peer.received;
        let faults = heard.discarded_attributes + heard.treated_as_withdraw;
        let mut words = format!("{} routes", heard.accepted);
        if let Some(kept) = heard.kept {
            words.push_str(&format!(", {} kept", kept.ipv4 + kept.ipv6));
        }
        let heard = match faults {
            0 => words.into(),
            _ => Cell::toned(format!("{words}, {faults} faulty"), Tone::Careful),
        };
        table.row([
            peer.name.to_string().into(),
            peer.address.to_string().into(),
            peer.asn.to_string().into(),
            Cell::toned(peer.state, tone_of_session(peer.state)),
            age(peer.since, now).into(),
            heard,
        ]);
    }
    table
}

/// What outlives a session with each peer for which the site file says so.
fn restarts(status: &Status, now: WallTime) -> Table<5> {
    let mut table = Table::new(["PEER", "GRACEFUL RESTART", "KEEPS OURS", "ITS OWN TAKES", "NOW"]);
    for (peer, graceful) in
        status.peers.iter().filter_map(|peer| Some((peer, peer.graceful_restart.as_ref()?)))
    {
        let agreed = match (&graceful.peer, graceful.hard_reset, peer.state) {
            (Some(_), true, _) => Cell::toned("agreed, with hard resets", Tone::Good),
            (Some(_), false, _) => Cell::toned("agreed", Tone::Good),
            (None, _, PeerState::Established) => Cell::toned("not offered by the peer", Tone::Careful),
            (None, _, _) => Cell::toned("no session", Tone::Quiet),
        };
        let at_most = |seconds| format!("{seconds} s at most");
        let keeps = graceful.peer.as_ref().map(|_| at_most(graceful.restart_time_s));
        let takes = graceful.peer.as_ref().map(|said| at_most(said.restart_time_s));
        table.row([
            peer.name.to_string().into(),
            agreed,
            keeps.unwrap_or_default().into(),
            takes.unwrap_or_default().into(),
            Cell::toned(under_way(graceful, now), Tone::Careful),
        ]);
    }
    table
}

/// What of a restart is not over yet, of either side.
fn under_way(graceful: &GracefulRestart, now: WallTime) -> String {
    let ours = graceful.end_of_rib_deferred_since;
    let ours = ours.map(|since| format!("End-of-RIB has waited {} for decisions", age(since, now)));
    let theirs = graceful.stale_until.map(|until| {
        let families = list(&graceful.stale_families);
        format!("its {families} routes are stale, {} left", age(now, until))
    });
    list(ours.into_iter().chain(theirs))
}

/// The paths that BFD watches.
fn paths(status: &Status, now: WallTime) -> Table<7> {
    let mut table = Table::new(["PEER", "BFD", "FOR", "EVERY", "DEAD AFTER", "LOST", "OWN LATENESS"]);
    let time = |micros: u64| format!("{:?}", Duration::from_micros(micros));
    for (peer, bfd) in status.peers.iter().filter_map(|peer| Some((peer, peer.bfd?))) {
        let lateness = match bfd.excused {
            0 => time(bfd.own_lateness_us),
            excused => format!("{}, excused {excused} x", time(bfd.own_lateness_us)),
        };
        table.row([
            peer.name.to_string().into(),
            Cell::toned(bfd.state, tone_of_path(bfd.state)),
            age(bfd.since, now).into(),
            bfd.interval_us.map_or_else(|| "never".to_owned(), time).into(),
            bfd.detection_us.map_or_else(|| "not heard".to_owned(), time).into(),
            format!("{} x", bfd.losses).into(),
            Cell::toned(lateness, if bfd.excused > 0 { Tone::Careful } else { Tone::Quiet }),
        ]);
    }
    table
}

/// Who is told by BMP what happens in the sessions.
fn collectors(status: &Status, now: WallTime) -> Table<6> {
    let mut table = Table::new(["COLLECTOR", "ADDRESS", "CONNECTION", "FOR", "TOLD", "TOO SLOW"]);
    for collector in &status.collectors {
        let Collector { name, address, state, since, messages, overflows, .. } = collector;
        table.row([
            name.to_string().into(),
            address.to_string().into(),
            Cell::toned(state, tone_of_collector(*state)),
            age(*since, now).into(),
            format!("{messages} messages").into(),
            Cell::toned(format!("{overflows} x"), if *overflows > 0 { Tone::Careful } else { Tone::Quiet }),
        ]);
    }
    table
}

/// The zones that come from other servers.
fn secondaries(status: &Status, now: WallTime) -> Table<6> {
    let mut table = Table::new(["FROM PRIMARIES", "SERVICE", "SERIAL", "STATE", "FOR", "WHAT IS WRONG"]);
    for zone in &status.secondaries {
        let Secondary { service, name, serial, state, work, since, reason, .. } = zone;
        table.row([
            name.to_string().into(),
            service.to_string().into(),
            serial.map_or_else(String::new, |serial| serial.to_string()).into(),
            Cell::toned(format!("{state}, {work}"), tone_of_secondary(*state)),
            age(*since, now).into(),
            reason.as_ref().map_or_else(String::new, ToString::to_string).into(),
        ]);
    }
    table
}

/// The zones that list others.
fn catalogs(status: &Status, now: WallTime) -> Table<7> {
    let mut table =
        Table::new(["CATALOG", "SERVICE", "SERIAL", "ZONES", "STATE", "FOR", "WHY IT IS NOT FOLLOWED"]);
    for catalog in &status.catalogs {
        let Catalog { service, name, serial, members, state, since, reason } = catalog;
        let tone = match state {
            CatalogState::Followed => Tone::Good,
            CatalogState::Missing => Tone::Careful,
            CatalogState::Refused => Tone::Bad,
        };
        table.row([
            name.to_string().into(),
            service.to_string().into(),
            serial.map_or_else(String::new, |serial| serial.to_string()).into(),
            members.to_string().into(),
            Cell::toned(state.to_string(), tone),
            age(*since, now).into(),
            reason.as_ref().map_or_else(String::new, ToString::to_string).into(),
        ]);
    }
    table
}

fn tone_of_secondary(state: SecondaryState) -> Tone {
    match state {
        SecondaryState::Current => Tone::Good,
        SecondaryState::Missing => Tone::Careful,
        SecondaryState::Expired => Tone::Bad,
    }
}

fn tone_of_collector(state: CollectorState) -> Tone {
    match state {
        CollectorState::Connected => Tone::Good,
        CollectorState::Connecting => Tone::Careful,
        CollectorState::Waiting => Tone::Bad,
    }
}

fn tone_of_path(state: BfdState) -> Tone {
    match state {
        BfdState::Up => Tone::Good,
        BfdState::Init => Tone::Careful,
        BfdState::Down => Tone::Bad,
        BfdState::AdminDown => Tone::Quiet,
    }
}

pub(super) fn tone_of_state(state: GroupState) -> Tone {
    match state {
        GroupState::Up => Tone::Good,
        GroupState::Boot | GroupState::Warm | GroupState::Suspect | GroupState::Drain => Tone::Careful,
        GroupState::Held | GroupState::Down => Tone::Bad,
        GroupState::Off => Tone::Quiet,
    }
}

pub(super) fn tone_of_output(output: Output) -> Tone {
    match output {
        Output::Normal => Tone::Good,
        Output::Depref | Output::Gshut => Tone::Careful,
        Output::None => Tone::Quiet,
    }
}

pub(super) fn tone_of_told(told: Told) -> Tone {
    match told {
        Told::Announced => Tone::Good,
        Told::Withdrawn | Told::None => Tone::Quiet,
    }
}

pub(super) fn tone_of_result(result: CheckResult) -> Tone {
    match result {
        CheckResult::Pass => Tone::Good,
        CheckResult::Fail => Tone::Bad,
        CheckResult::Indeterminate => Tone::Careful,
    }
}

fn tone_of_session(state: PeerState) -> Tone {
    match state {
        PeerState::Established => Tone::Good,
        PeerState::Idle => Tone::Bad,
        PeerState::Connect | PeerState::Active | PeerState::OpenSent | PeerState::OpenConfirm => {
            Tone::Careful
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        serde_json::from_str(include_str!("status.json")).unwrap()
    }

    /// A site without anything to show.
    fn nothing() -> Status {
        let status = Status { groups: Vec::new(), covers: Vec::new(), peers: Vec::new(), ..status() };
        Status {
            collectors: Vec::new(),
            zones: Vec::new(),
            secondaries: Vec::new(),
            catalogs: Vec::new(),
            ..status
        }
    }

    #[test]
    fn the_page_is_calm_and_complete() {
        insta::assert_snapshot!(page(&status(), WallTime(1_795_442_792_000), Paint::Plain));
    }

    #[test]
    fn the_last_restart_stands_on_the_first_page() {
        let last = api::Restart {
            number: 1,
            when: WallTime(1_000),
            outcome: api::RestartOutcome::Done,
            before: "0.1.0".to_owned(),
            version: "0.2.0".to_owned(),
            gap_ms: Some(84),
            sessions: Some(2),
            reason: None,
        };
        let status = Status { restart: Some(last), ..status() };
        let page = page(&status, WallTime(61_000), Paint::Plain);
        let line =
            "restarted 1 min 0 s ago: version 0.2.0 has taken over from 0.1.0: sessions that went on: 2";
        assert!(page.contains(line), "{page}");
    }

    #[test]
    fn a_site_without_peers_and_groups_has_no_empty_headings() {
        let nothing = nothing();
        assert_eq!(page(&nothing, WallTime(0), Paint::Plain), "site london\n");
    }

    #[test]
    fn a_blackhole_stands_on_the_first_page() {
        let answer: api::BlackholeAnswer = serde_json::from_str(include_str!("blackhole.json")).unwrap();
        let alarm = Alarm {
            kind: "blackhole".to_owned(),
            subject: answer.blackhole.prefix.to_string(),
            since: answer.blackhole.when,
            text: "peers are asked to drop what is sent there: alice (as root)".into(),
        };
        let blackholes = vec![answer.blackhole];
        let nothing = nothing();
        let status = Status { alarms: vec![alarm], blackholes, ..nothing };
        insta::assert_snapshot!(page(&status, WallTime(1_795_442_792_000), Paint::Plain));
    }
}
