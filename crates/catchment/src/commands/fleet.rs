//! `catchment fleet`: every site through the eyes of one, and what an operator decides about another site.

use crate::arguments::{Ask, Fleet, FleetSite};
use crate::commands::order::caller;
use crate::commands::status::{tone_of_output, tone_of_state};
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, count, list, now};
use api::client::Server;
use api::client::blocking::Client;
use api::{
    AwayCause, Done, FleetOrder, FleetOrderKind, FleetStatus, HostGroup, PermitHeld, Schema, StoreState,
    route,
};
use std::collections::BTreeSet;
use std::io::Write;
use terms::{Reason, Thousands, WallTime};

pub(crate) fn run(command: &Fleet, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Fleet::Status(ask) => status(ask, terminal),
        Fleet::Release(site) => order(FleetOrderKind::Release, site, terminal),
        Fleet::Retire(site) => order(FleetOrderKind::Retire, site, terminal),
    }
}

fn status(ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let status: FleetStatus = Client::of(Server::Daemon, &ask.socket)?.get(route::FLEET)?;
    if ask.json {
        terminal.json(&status)?;
    } else {
        let page = page(&status, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

fn order(kind: FleetOrderKind, arguments: &FleetSite, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let FleetSite { site, reason, ask } = arguments;
    let (site, reason) = (site.clone(), Reason::from(reason));
    let order = FleetOrder { schema: Schema, kind, site, reason, who: caller() };
    let done: Done = Client::of(Server::Daemon, &ask.socket)?.post(route::FLEET, &order)?;
    if ask.json {
        terminal.json(&done)?;
    } else {
        writeln!(terminal, "{}", done.said)?;
    }
    Ok(Outcome::Yes)
}

fn page(status: &FleetStatus, now: WallTime, paint: Paint) -> String {
    let alarms = status.alarms.iter().map(|alarm| paint.text(Tone::Bad, &format!("ALARM {alarm}")) + "\n");
    let parts = [
        format!("{}\n", store(status, paint)),
        alarms.collect(),
        hosts(status, now).render(paint),
        groups(status).render(paint),
        members(status).render(paint),
        zones(status, paint),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// How the site that was asked stands with the store.
fn store(status: &FleetStatus, paint: Paint) -> String {
    let seen = format!("as seen by {} of {}", status.host, status.site);
    match (status.store, &status.trouble) {
        (StoreState::None, _) => format!("{} is alone: its site file has no [fleet]", status.site),
        (StoreState::Starting, _) => format!("the store was not reached yet, {seen}"),
        (StoreState::Reached, _) => format!("the fleet {seen}"),
        (StoreState::Lost, why) => {
            let why = why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
            let words =
                format!("the store is lost{why}: announcements stay as they are, nobody gets a permit");
            format!("{}\nwhat follows was so when it was heard last, {seen}", paint.text(Tone::Bad, &words))
        }
    }
}

fn hosts(status: &FleetStatus, now: WallTime) -> Table<8> {
    let mut table = Table::new(["SITE", "HOST", "GROUP", "STATE", "OUTPUT", "ANSWERS/S", "FOR", "REASON"]);
    for host in &status.hosts {
        for group in &host.groups {
            table.row([
                host.site.to_string().into(),
                host.host.to_string().into(),
                group.name.to_string().into(),
                Cell::toned(group.state, tone_of_state(group.state)),
                Cell::toned(group.output, tone_of_output(group.output)),
                load(group),
                age(group.since, now).into(),
                group.reason.to_string().into(),
            ]);
        }
    }
    table
}

/// The zones that are not the same everywhere; how many are, if all of them are.
fn zones(status: &FleetStatus, paint: Paint) -> String {
    let zones = || status.hosts.iter().flat_map(|host| host.zones.iter().map(move |zone| (host, zone)));
    let late: BTreeSet<&str> =
        zones().filter(|(_, zone)| zone.behind.is_some()).map(|(_, zone)| zone.name.as_str()).collect();
    let all: BTreeSet<&str> = zones().map(|(_, zone)| zone.name.as_str()).collect();
    if late.is_empty() {
        return match all.len() {
            0 => String::new(),
            number => format!("{} with the same serial at every host\n", count(number, "zone")),
        };
    }
    let mut table = Table::new(["ZONE", "SITE", "HOST", "SERIAL", "BEHIND"]);
    for name in late {
        for (host, zone) in zones().filter(|(_, zone)| zone.name == name) {
            table.row([
                name.into(),
                host.site.to_string().into(),
                host.host.to_string().into(),
                zone.serial.to_string().into(),
                zone.behind.map_or_else(|| "".into(), |behind| Cell::toned(behind, Tone::Careful)),
            ]);
        }
    }
    table.render(paint)
}

/// What it has to do, and what it is good for, as far as that is known.
fn load(group: &HostGroup) -> Cell {
    match (group.load, group.capacity) {
        (None, _) => "".into(),
        (Some(load), None) => Thousands(load).to_string().into(),
        (Some(load), Some(capacity)) => {
            let words = format!("{} of {}", Thousands(load), Thousands(capacity));
            if load > capacity { Cell::toned(words, Tone::Bad) } else { words.into() }
        }
    }
}

fn groups(status: &FleetStatus) -> Table<6> {
    let mut table = Table::new(["GROUP", "MEMBERS", "MIN SITES", "MAY BE AWAY", "AWAY", "OUR PERMIT"]);
    for group in &status.groups {
        let taken = group.taken.to_string();
        let permit = match group.permit {
            PermitHeld::None => "none".into(),
            PermitHeld::Asked => Cell::toned("asked", Tone::Careful),
            PermitHeld::Held => Cell::toned("held", Tone::Careful),
        };
        table.row([
            group.name.to_string().into(),
            group.members.len().to_string().into(),
            group.min_sites.to_string().into(),
            group.slots.to_string().into(),
            if group.taken > group.slots { Cell::toned(taken, Tone::Bad) } else { taken.into() },
            permit,
        ]);
    }
    table
}

fn members(status: &FleetStatus) -> Table<4> {
    let mut table = Table::new(["GROUP", "MEMBER", "COUNTED ON", "AWAY"]);
    for group in &status.groups {
        for member in &group.members {
            let why = member.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            let away = match member.away {
                None => "".into(),
                Some(AwayCause::Permit) => Cell::toned(format!("with permit{why}"), Tone::Careful),
                Some(AwayCause::Charge) => Cell::toned(format!("charged{why}"), Tone::Bad),
                Some(AwayCause::Waived) => Cell::toned(format!("released{why}"), Tone::Careful),
            };
            table.row([
                group.name.to_string().into(),
                member.site.to_string().into(),
                list(&member.standing).into(),
                away,
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> FleetStatus {
        serde_json::from_str(include_str!("fleet.json")).unwrap()
    }

    #[test]
    fn the_page_shows_who_is_where_and_who_may_go() {
        insta::assert_snapshot!(page(&status(), WallTime(1_795_442_792_000), Paint::Plain));
    }

    #[test]
    fn a_lost_store_and_a_site_on_its_own_are_said_first() {
        let lost = FleetStatus {
            store: StoreState::Lost,
            trouble: Some(Reason::from("etcd at http://10.0.0.1:2379 did not answer within 2 s")),
            hosts: Vec::new(),
            groups: Vec::new(),
            ..status()
        };
        let alone =
            FleetStatus { store: StoreState::None, trouble: None, alarms: Vec::new(), ..lost.clone() };
        let pages = [lost, alone].map(|status| page(&status, WallTime(0), Paint::Plain));
        insta::assert_snapshot!(pages.join("--\n"));
    }
}
