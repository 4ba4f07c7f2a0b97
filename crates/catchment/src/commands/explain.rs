//! `catchment explain`: what peers were told about one prefix, or where a connection goes, and why.

mod flow;

use crate::arguments::{Explain, Subject};
use crate::commands::status::{tone_of_result, tone_of_state, tone_of_told};
use crate::commands::{blackhole, events};
use crate::outcome::{Outcome, bad_input};
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, list, now, utc};
use api::client::Server;
use api::client::blocking::Client;
use api::{Check, Explanation, FlowExplanation, HeardRoute, PeerHeard, route};
use serde::Serialize;
use std::io::Write;
use terms::{Attributes, WallTime};

pub(crate) fn run(arguments: &Explain, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let client = Client::of(Server::Daemon, &arguments.ask.socket)?;
    match (arguments.subject, arguments.service) {
        (Subject::Prefix(prefix), None) => {
            let explanation: Explanation = client.get(&route::explain(prefix))?;
            show(arguments, &explanation, page, terminal)
        }
        (Subject::Client(end), service) => {
            let explanation: FlowExplanation = client.get(&route::explain_flow(end, service))?;
            show(arguments, &explanation, flow::page, terminal)
        }
        (Subject::Prefix(prefix), Some(service)) => Ok(bad_input(format_args!(
            "{prefix} is a prefix, and has no connection to {service}: write the client's address and port before it"
        ))),
    }
}

fn show<T: Serialize>(
    arguments: &Explain,
    explanation: &T,
    page: fn(&T, WallTime, Paint) -> String,
    terminal: &mut Terminal,
) -> anyhow::Result<Outcome> {
    if arguments.ask.json {
        terminal.json(explanation)?;
    } else {
        let page = page(explanation, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

fn page(explanation: &Explanation, now: WallTime, paint: Paint) -> String {
    let Explanation { prefix, group, state, since, reason, .. } = explanation;
    let word = paint.text(tone_of_state(*state), state.word());
    let age = age(*since, now);
    let mut page = match (&explanation.blackhole, explanation.cover) {
        (Some(_), _) => format!("{prefix}, of group {group}, is to be dropped by peers for {age} now:\n"),
        (None, true) => format!("{prefix} has covered group {group} for {age}:\n"),
        (None, false) => format!("{prefix} belongs to group {group}, which has been {word} for {age}:\n"),
    };
    page.push_str(&format!("  {reason}\n"));
    let mut table = Table::new(["PEER", "TOLD", "WHEN", "WITH"]);
    for peer in &explanation.peers {
        table.row([
            peer.peer.to_string().into(),
            Cell::toned(peer.told, tone_of_told(peer.told)),
            peer.when.map_or(String::new(), utc).into(),
            peer.attributes.as_ref().map_or(String::new(), words).into(),
        ]);
    }
    page.push_str(&format!("\n{}", table.render(paint)));
    if let Some(blackhole) = &explanation.blackhole {
        page.push_str(&format!("\n{}", blackhole::peers([blackhole]).render(paint)));
    }
    if !explanation.heard.is_empty() {
        page.push_str(&format!("\n{}", heard(&explanation.heard, paint)));
    }
    if !explanation.checks.is_empty() {
        page.push_str(&format!("\n{}", checks(&explanation.checks, paint)));
    }
    if !explanation.why.is_empty() {
        let lines = explanation.why.iter().map(|row| events::line(row, paint) + "\n");
        page.push_str(&format!("\nWhat led here:\n{}", lines.collect::<String>()));
    }
    page
}

/// What peers told about the prefix and everything that covers it.
fn heard(peers: &[PeerHeard], paint: Paint) -> String {
    let mut table = Table::new(["PEER", "HEARD", "WHEN", "WITH"]);
    for PeerHeard { peer, routes } in peers {
        for route in routes {
            let tone = if route.marks.is_empty() && !route.stale { Tone::Quiet } else { Tone::Careful };
            table.row([
                peer.to_string().into(),
                Cell::toned(route.prefix, tone),
                utc(route.when).into(),
                words_of_heard(route).into(),
            ]);
        }
        if routes.is_empty() {
            table.row([peer.to_string().into(), Cell::toned("nothing", Tone::Quiet), "".into(), "".into()]);
        }
    }
    table.render(paint)
}

fn words_of_heard(route: &HeardRoute) -> String {
    let mut words = route.marks.clone();
    words.extend(route.stale.then(|| "stale".to_owned()));
    words.extend(route.path_id.map(|id| format!("path identifier {id}")));
    words.extend(route.next_hop.map(|next_hop| format!("next hop {next_hop}")));
    words.push(format!("path {}", route.path));
    words.extend(route.med.map(|med| format!("MED {med}")));
    words.extend(route.local_pref.map(|preference| format!("local preference {preference}")));
    let labels =
        [list(&route.communities), list(&route.extended_communities), list(&route.large_communities)];
    words.extend(labels.into_iter().filter(|text| !text.is_empty()).map(|text| format!("community {text}")));
    words.join(", ")
}

/// What each check found last, and below that what those saw that see more, such as the output of a program.
fn checks(checks: &[Check], paint: Paint) -> String {
    let mut table = Table::new(["SERVICE", "CHECK", "LAST", "IN A ROW", "BECAUSE"]);
    let mut seen = String::new();
    for check in checks {
        let (service, name) = (check.service.to_string(), &check.name);
        let last = match check.last {
            Some(last) => Cell::toned(last, tone_of_result(last)),
            None => Cell::toned("none yet", Tone::Quiet),
        };
        let reason = check.reason.as_ref().map_or(String::new(), ToString::to_string);
        if let Some(text) = &check.seen {
            let lines =
                text.lines().map(|line| format!("  {}\n", line.replace(char::is_control, "\u{fffd}")));
            seen.push_str(&format!("\n{name} saw:\n{}", lines.collect::<String>()));
        }
        table.row([service.into(), name.clone().into(), last, check.run.to_string().into(), reason.into()]);
    }
    table.render(paint) + &seen
}

/// What stands in the route, in the words of an operator.
pub(super) fn words(attributes: &Attributes) -> String {
    let mut words = vec![format!("next hop {}", attributes.next_hop)];
    if !attributes.path.is_empty() {
        words.push(format!("path {}", list(&attributes.path)));
    }
    words.extend(attributes.med.map(|med| format!("MED {med}")));
    words.extend(attributes.local_pref.map(|preference| format!("local preference {preference}")));
    let communities = [
        list(&attributes.communities),
        list(&attributes.extended_communities),
        list(&attributes.large_communities),
    ];
    words.extend(
        communities.into_iter().filter(|text| !text.is_empty()).map(|text| format!("community {text}")),
    );
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_whom_when_and_why() {
        let explanation: Explanation = serde_json::from_str(include_str!("explain.json")).unwrap();
        insta::assert_snapshot!(page(&explanation, WallTime(1_795_442_792_000), Paint::Plain));
    }

    #[test]
    fn a_covering_prefix_has_no_checks_and_no_state() {
        let explanation: Explanation = serde_json::from_str(include_str!("explain.json")).unwrap();
        let cover = Explanation {
            prefix: "198.18.0.0/15".parse().unwrap(),
            cover: true,
            reason: terms::Reason::from(
                "it is announced as long as the daemon lives, whatever the checks say",
            ),
            checks: Vec::new(),
            why: Vec::new(),
            ..explanation
        };
        insta::assert_snapshot!(page(&cover, WallTime(1_795_442_792_000), Paint::Plain));
    }
    #[test]
    fn a_blackhole_says_who_ordered_it_and_what_each_peer_makes_of_it() {
        let answer: api::BlackholeAnswer = serde_json::from_str(include_str!("blackhole.json")).unwrap();
        let explanation: Explanation = serde_json::from_str(include_str!("explain.json")).unwrap();
        let blackhole = answer.blackhole;
        let explained = Explanation {
            prefix: blackhole.prefix,
            since: blackhole.when,
            reason: format!("{}: {}", blackhole.who, blackhole.reason).into(),
            peers: Vec::new(),
            heard: Vec::new(),
            checks: Vec::new(),
            why: Vec::new(),
            blackhole: Some(blackhole),
            ..explanation
        };
        insta::assert_snapshot!(page(&explained, WallTime(1_795_442_852_000), Paint::Plain));
    }
}
