//! `catchment flows`: the connections that routing has moved, and how packets find their owners.

use crate::arguments;
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, count, list, now};
use api::client::Server;
use api::client::blocking::Client;
use api::{
    Continuity, ContinuityState, CooperatingService, Flow, FlowTotal, Flows, HandedOver, OwnerState, route,
};
use std::io::Write;
use std::time::Duration;
use terms::{SiteName, Thousands, WallTime};

/// Connections of each direction that are listed, unless all are wanted.
const FEW: usize = 20;

pub(crate) fn run(arguments: &arguments::Flows, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let flows: Flows = Client::of(Server::Daemon, &arguments.ask.socket)?.get(route::FLOWS)?;
    if arguments.ask.json {
        terminal.json(&flows)?;
    } else {
        let most = if arguments.all { usize::MAX } else { FEW };
        let page = page(&flows, most, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

fn page(flows: &Flows, most: usize, now: WallTime, paint: Paint) -> String {
    let Some(continuity) = &flows.continuity else {
        return format!(
            "{} does not look after connections: its site file has no [continuity]\n",
            flows.site
        );
    };
    let list = |direction, flows, totals| list_of(direction, flows, totals, most, now, paint);
    let parts = [
        standing(continuity, now, paint) + &owned(continuity) + &handed_over(&continuity.handed_over),
        totals(continuity, now).render(paint),
        owners(continuity).render(paint),
        packets(continuity).render(paint),
        list("FORWARDED TO", &flows.forwarded, &continuity.forwarded),
        list("RECEIVED FROM", &flows.received, &continuity.received),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// One line that says whether packets of moved connections are forwarded.
pub(super) fn standing(continuity: &Continuity, now: WallTime, paint: Paint) -> String {
    let interfaces =
        continuity.interfaces.iter().map(|interface| format!("{} ({})", interface.name, interface.mode));
    let interfaces = list(interfaces);
    let since = age(continuity.since, now);
    let line = match (continuity.state, &continuity.reason) {
        (ContinuityState::On, _) => {
            format!(
                "moved connections are forwarded, on {interfaces}, for {since}; number {}",
                continuity.number
            )
        }
        (ContinuityState::Waiting, _) => paint.text(
            Tone::Careful,
            &format!("the fleet was not heard yet, for {since}: moved connections go where they went"),
        ),
        (ContinuityState::Off, reason) => {
            let reason = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            paint.text(Tone::Bad, &format!("moved connections are not forwarded, for {since}{reason}"))
        }
    };
    let relay = continuity.relay.as_ref().map(|site| {
        paint.text(Tone::Careful, &format!("this site is held: {site} answers new users in its place")) + "\n"
    });
    format!("{line}\n{}{}", relay.unwrap_or_default(), cooperating(continuity))
}

/// The services of other processes whose connections go to another site in a drain; nothing where there are none.
fn cooperating(continuity: &Continuity) -> String {
    let service = |service: &CooperatingService| {
        let addresses = list(service.addresses.iter().map(ToString::to_string));
        let full = if service.is_full { ", takes no more" } else { "" };
        format!("connections of {} go along in a drain ({addresses}{full})\n", service.name)
    };
    continuity.services.iter().map(service).collect()
}

/// How many there are, and how many go between which sites.
pub(super) fn in_short(continuity: &Continuity) -> String {
    let each = |words: &str, totals: &[FlowTotal], way: &str| {
        let one = |total: &FlowTotal| {
            format!("{} {way} {}", Thousands(total.connections), site(total.site.as_ref(), total.number))
        };
        if totals.is_empty() { String::new() } else { format!("{words}: {}\n", list(totals.iter().map(one))) }
    };
    owned(continuity)
        + &each("forwarded to other hosts", &continuity.forwarded, "to")
        + &each("forwarded to this host", &continuity.received, "from")
}

fn sum(totals: &[FlowTotal]) -> u64 {
    totals.iter().map(|total| total.connections).sum()
}

/// The other end of a way between sites.
fn site(site: Option<&SiteName>, number: u8) -> String {
    site.map_or_else(|| format!("number {number}"), ToString::to_string)
}

fn owned(continuity: &Continuity) -> String {
    format!("{} of this host's own\n", count(continuity.owned, "connection"))
}

/// What went to another site and came from one; nothing where nothing did.
fn handed_over(handed_over: &HandedOver) -> String {
    let HandedOver { given, taken, kept, longest_stall_us, .. } = handed_over;
    let number = |number: &u64| count(*number, "connection");
    let mut text = String::new();
    if *given > 0 {
        let longest = Duration::from_micros(*longest_stall_us).as_secs_f64() * 1000.0;
        text += &format!("{} given to other sites, {longest:.1} ms without packets at most\n", number(given));
    }
    if *taken > 0 {
        text += &format!("{} taken from other sites\n", number(taken));
    }
    let attempts: u64 = kept.values().sum();
    if attempts > 0 {
        let reasons = kept.iter().map(|(why, number)| format!("{} {why}", Thousands(*number)));
        text += &format!("{} to give one away in vain: {}\n", count(attempts, "attempt"), list(reasons));
    }
    text
}

/// How many go where, and since when.
fn totals(continuity: &Continuity, now: WallTime) -> Table<6> {
    let mut table = Table::new(["CONNECTIONS", "FORWARDED", "HOST", "FOR", "LAST PACKET", "PACKETS"]);
    for (word, totals) in [("to", &continuity.forwarded), ("from", &continuity.received)] {
        for total in totals {
            table.row([
                Thousands(total.connections).to_string().into(),
                format!("{word} {}", site(total.site.as_ref(), total.number)).into(),
                total.host.as_ref().map_or(String::new(), ToString::to_string).into(),
                age(total.since, now).into(),
                format!("{} ago", age(total.seen, now)).into(),
                Thousands(total.packets).to_string().into(),
            ]);
        }
    }
    table
}

fn owners(continuity: &Continuity) -> Table<7> {
    let mut table = Table::new(["SITE", "HOST", "NUMBER", "ADDRESS", "STATE", "CONNECTIONS", "REASON"]);
    for owner in &continuity.owners {
        let tone = match owner.state {
            OwnerState::Alive => Tone::Good,
            OwnerState::Dead | OwnerState::LeftOut => Tone::Bad,
        };
        table.row([
            owner.site.to_string().into(),
            owner.host.to_string().into(),
            owner.number.to_string().into(),
            owner.address.map_or(String::new(), |address| address.to_string()).into(),
            Cell::toned(owner.state, tone),
            Thousands(owner.connections).to_string().into(),
            owner.reason.as_ref().map_or(String::new(), ToString::to_string).into(),
        ]);
    }
    table
}

/// The connections of one direction, and how many of them are not listed.
fn list_of(
    direction: &'static str,
    flows: &[Flow],
    totals: &[FlowTotal],
    most: usize,
    now: WallTime,
    paint: Paint,
) -> String {
    let listed = &flows[..flows.len().min(most)];
    let page = table(direction, listed, now).render(paint);
    let (number, all) = (listed.len() as u64, sum(totals));
    if number >= all {
        return page;
    }
    let how = if listed.len() < flows.len() { "; --all lists more" } else { "" };
    page + &format!("the latest {} of {}{how}\n", Thousands(number), Thousands(all))
}

fn table(direction: &'static str, flows: &[Flow], now: WallTime) -> Table<6> {
    let mut table = Table::new(["CLIENT", "SERVICE", direction, "FOR", "LAST PACKET", "PACKETS"]);
    for flow in flows {
        table.row([
            flow.client.to_string().into(),
            flow.service.to_string().into(),
            site(flow.site.as_ref(), flow.number).into(),
            age(flow.since, now).into(),
            format!("{} ago", age(flow.seen, now)).into(),
            Thousands(flow.packets).to_string().into(),
        ]);
    }
    table
}

fn packets(continuity: &Continuity) -> Table<2> {
    let mut table = Table::new(["PACKETS", "HOW MANY"]);
    for (verdict, number) in continuity.packets.iter().filter(|(_, number)| **number > 0) {
        table.row([verdict.clone().into(), Thousands(*number).to_string().into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows() -> Flows {
        serde_json::from_str(include_str!("flows.json")).unwrap()
    }

    const NOW: WallTime = WallTime(1_795_000_100_000);

    #[test]
    fn flows_say_where_each_connection_goes() {
        let flows = flows();
        insta::assert_snapshot!(page(&flows, FEW, NOW, Paint::Plain));
        let continuity = flows.continuity.clone().unwrap();
        insta::assert_snapshot!(in_short(&continuity), @"
        1,204 connections of this host's own
        forwarded to other hosts: 1 to paris
        forwarded to this host: 1,204 from tokyo, 1 from number 9
        ");
        let off = Continuity {
            state: ContinuityState::Off,
            reason: Some("the kernel is Linux 5.10".into()),
            relay: None,
            services: Vec::new(),
            ..continuity
        };
        let off = standing(&off, NOW, Paint::Plain);
        insta::assert_snapshot!(off, @"moved connections are not forwarded, for 1 min 40 s: the kernel is Linux 5.10");
        let none = page(&Flows { continuity: None, ..flows }, FEW, WallTime(0), Paint::Plain);
        insta::assert_snapshot!(none, @"london does not look after connections: its site file has no [continuity]");
    }

    #[test]
    fn of_very_many_connections_the_latest_are_listed_and_all_are_counted() {
        let one = flows().forwarded.remove(0);
        let flows = vec![one; 30];
        let all = flows_total(100_000);
        let last = |flows: &[Flow], total, most| {
            let list = list_of("FORWARDED TO", flows, &[total], most, NOW, Paint::Plain);
            (list.lines().count(), list.lines().last().unwrap_or_default().to_owned())
        };
        assert_eq!(
            last(&flows, all.clone(), 20),
            (22, "the latest 20 of 100,000; --all lists more".to_owned())
        );
        assert_eq!(last(&flows, all, usize::MAX), (32, "the latest 30 of 100,000".to_owned()));
        let (lines, last) = last(&flows, flows_total(30), usize::MAX);
        assert_eq!((lines, last.contains("of 30")), (31, false));
    }

    fn flows_total(connections: u64) -> FlowTotal {
        FlowTotal { connections, ..flows().continuity.unwrap().forwarded.remove(0) }
    }
}
