//! `catchment flows`: the connections that routing has moved, and how packets find their owners.

use crate::arguments::Ask;
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, count, list, now};
use api::client::Server;
use api::client::blocking::Client;
use api::{Continuity, ContinuityState, CooperatingService, Flow, Flows, HandedOver, OwnerState, route};
use std::io::Write;
use std::time::Duration;
use terms::{Thousands, WallTime};

pub(crate) fn run(ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let flows: Flows = Client::of(Server::Daemon, &ask.socket)?.get(route::FLOWS)?;
    if ask.json {
        terminal.json(&flows)?;
    } else {
        let page = page(&flows, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

fn page(flows: &Flows, now: WallTime, paint: Paint) -> String {
    let Some(continuity) = &flows.continuity else {
        return format!(
            "{} does not look after connections: its site file has no [continuity]\n",
            flows.site
        );
    };
    let more = match flows.more {
        0 => String::new(),
        more => format!("{} more have moved\n", Thousands(more)),
    };
    let parts = [
        standing(continuity, now, paint) + &owned(continuity) + &handed_over(&continuity.handed_over),
        owners(continuity).render(paint),
        table("FORWARDED TO", &flows.forwarded, now).render(paint),
        table("RECEIVED FROM", &flows.received, now).render(paint),
        more,
        packets(continuity).render(paint),
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

fn owned(continuity: &Continuity) -> String {
    let number = usize::try_from(continuity.owned).unwrap_or(usize::MAX);
    format!("{} of this host's own\n", count(number, "connection"))
}

/// What went to another site and came from one; nothing where nothing did.
fn handed_over(handed_over: &HandedOver) -> String {
    let HandedOver { given, taken, kept, longest_stall_us, .. } = handed_over;
    let number = |number: &u64| count(usize::try_from(*number).unwrap_or(usize::MAX), "connection");
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
        text += &format!("{} to give one away in vain: {}\n", attempts_of(attempts), list(reasons));
    }
    text
}

fn attempts_of(attempts: u64) -> String {
    count(usize::try_from(attempts).unwrap_or(usize::MAX), "attempt")
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

fn table(direction: &'static str, flows: &[Flow], now: WallTime) -> Table<6> {
    let mut table = Table::new(["CLIENT", "SERVICE", direction, "FOR", "LAST PACKET", "PACKETS"]);
    for flow in flows {
        let site = flow.site.as_ref().map_or_else(|| format!("number {}", flow.number), ToString::to_string);
        table.row([
            flow.client.to_string().into(),
            flow.service.to_string().into(),
            site.into(),
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

    #[test]
    fn flows_say_where_each_connection_goes() {
        let flows: Flows = serde_json::from_str(include_str!("flows.json")).unwrap();
        insta::assert_snapshot!(page(&flows, WallTime(1_795_000_100_000), Paint::Plain));
        let off = Continuity {
            state: ContinuityState::Off,
            reason: Some("the kernel is Linux 5.10".into()),
            relay: None,
            services: Vec::new(),
            ..flows.continuity.clone().unwrap()
        };
        let off = standing(&off, WallTime(1_795_000_100_000), Paint::Plain);
        insta::assert_snapshot!(off, @"moved connections are not forwarded, for 1 min 40 s: the kernel is Linux 5.10");
        let none = page(&Flows { continuity: None, ..flows }, WallTime(0), Paint::Plain);
        insta::assert_snapshot!(none, @"london does not look after connections: its site file has no [continuity]");
    }
}
