//! `catchment blackhole`: peers are asked to drop what is sent to one address.

use crate::arguments;
use crate::commands::explain;
use crate::commands::order::caller;
use crate::commands::status::tone_of_told;
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{now, utc};
use api::client::Server;
use api::client::blocking::Client;
use api::{Blackhole, BlackholeAnswer, BlackholeOrder, BlackholeOrderKind, Schema, route};
use std::io::Write;
use terms::WallTime;

pub(crate) fn run(arguments: &arguments::Blackhole, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let ask = &arguments.ask;
    let answer: BlackholeAnswer =
        Client::of(Server::Daemon, &ask.socket)?.post(route::BLACKHOLES, &order(arguments))?;
    if ask.json {
        terminal.json(&answer)?;
    } else {
        let page = page(&answer, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(Outcome::Yes)
}

fn order(arguments: &arguments::Blackhole) -> BlackholeOrder {
    BlackholeOrder {
        schema: Schema,
        kind: if arguments.end { BlackholeOrderKind::End } else { BlackholeOrderKind::Begin },
        prefix: arguments.prefix,
        peers: arguments.peers.iter().cloned().collect(),
        for_ms: arguments.lasting.map(|lasting| u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX)),
        reason: arguments.reason.clone(),
        who: caller(),
        override_guard: arguments.override_guard,
        dry_run: arguments.dry_run,
    }
}

fn page(answer: &BlackholeAnswer, now: WallTime, paint: Paint) -> String {
    let BlackholeAnswer { kind, dry_run, blackhole, remarks, .. } = answer;
    let mut page = String::new();
    if *dry_run {
        page.push_str("blackhole: nothing was changed, this is what would happen\n\n");
    }
    let is = if *dry_run { "would be" } else { "are" };
    page.push_str(&match kind {
        BlackholeOrderKind::Begin => {
            format!("peers {is} asked to drop what is sent to {}\n", standing(blackhole, now))
        }
        BlackholeOrderKind::End => {
            format!("peers {is} no longer asked to drop what is sent to {}\n", blackhole.prefix)
        }
    });
    page.push_str(&format!("\n{}", peers([blackhole]).render(paint)));
    for remark in remarks {
        page.push_str(&(paint.text(Tone::Careful, remark.as_str()) + "\n"));
    }
    page
}

/// `198.18.0.99/32 by alice, until 2026-11-23 18:00:00.000: flood`.
pub(super) fn standing(blackhole: &Blackhole, now: WallTime) -> String {
    let Blackhole { prefix, who, until, reason, override_guard, .. } = blackhole;
    let guard = if *override_guard { ", guard overridden" } else { "" };
    let over = if *until <= now { " (over)" } else { "" };
    format!("{prefix} by {who}, until {}{over}{guard}: {reason}", utc(*until))
        .replace(char::is_control, "\u{fffd}")
}

/// What each peer makes of each.
pub(super) fn peers<'a>(blackholes: impl IntoIterator<Item = &'a Blackhole>) -> Table<4> {
    let mut table = Table::new(["BLACKHOLE", "PEER", "TOLD", "GETS"]);
    for blackhole in blackholes {
        for row in &blackhole.peers {
            let gets = match (&row.gets, &row.because) {
                (Some(attributes), _) => explain::words(attributes).into(),
                (None, Some(because)) => Cell::toned(format!("nothing: {because}"), Tone::Quiet),
                (None, None) => Cell::toned("nothing", Tone::Quiet),
            };
            table.row([
                blackhole.prefix.to_string().into(),
                row.peer.to_string().into(),
                Cell::toned(row.told, tone_of_told(row.told)),
                gets,
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> BlackholeAnswer {
        serde_json::from_str(include_str!("blackhole.json")).unwrap()
    }

    #[test]
    fn the_page_says_what_is_dropped_by_whom_and_until_when() {
        insta::assert_snapshot!(page(&answer(), WallTime(1_795_442_792_000), Paint::Plain));
    }

    #[test]
    fn a_rehearsal_and_an_end_say_that_they_are_one() {
        let rehearsed = BlackholeAnswer { dry_run: true, ..answer() };
        let rehearsed = page(&rehearsed, WallTime(1_795_442_792_000), Paint::Plain);
        assert!(rehearsed.starts_with("blackhole: nothing was changed"), "{rehearsed}");
        assert!(rehearsed.contains("peers would be asked to drop"), "{rehearsed}");
        let ended = BlackholeAnswer { kind: BlackholeOrderKind::End, ..answer() };
        let ended = page(&ended, WallTime(1_795_442_792_000), Paint::Plain);
        assert!(
            ended.starts_with("peers are no longer asked to drop what is sent to 198.18.0.99/32\n"),
            "{ended}"
        );
    }

    #[test]
    fn an_order_cannot_move_the_cursor() {
        let blackhole = Blackhole { reason: terms::Reason::from("\x1b[2J"), ..answer().blackhole };
        assert!(!standing(&blackhole, WallTime(0)).contains('\x1b'));
    }
}
