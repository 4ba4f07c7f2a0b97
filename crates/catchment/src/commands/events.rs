//! `catchment events`: what happened, one line each.

use crate::arguments::Events;
use crate::outcome::Outcome;
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::utc;
use api::client::Server;
use api::client::blocking::Client;
use api::{EventList, EventRow, route};
use std::io::Write;
use terms::Severity;

pub(crate) fn run(arguments: &Events, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let client = Client::of(Server::Daemon, &arguments.ask.socket)?;
    if arguments.follow {
        for row in client.follow::<EventRow>(route::FOLLOW)? {
            print(&row?, arguments.ask.json, terminal)?;
        }
        return Ok(Outcome::Yes);
    }
    let list: EventList = client.get(route::EVENTS)?;
    if arguments.ask.json {
        terminal.json(&list)?;
    } else {
        for row in &list.events {
            print(row, false, terminal)?;
        }
    }
    Ok(Outcome::Yes)
}

fn print(row: &EventRow, json: bool, terminal: &mut Terminal) -> anyhow::Result<()> {
    if json {
        return terminal.json_row(row);
    }
    let line = line(row, terminal.paint());
    writeln!(terminal, "{line}")?;
    Ok(terminal.flush()?)
}

/// Time, severity, whom it is about, and the sentence.
pub(super) fn line(row: &EventRow, paint: Paint) -> String {
    let (word, tone) = match row.severity {
        Severity::Info => ("info   ", Tone::Quiet),
        Severity::Notice => ("notice ", Tone::Good),
        Severity::Warning => ("warning", Tone::Careful),
        Severity::Alarm => ("ALARM  ", Tone::Bad),
    };
    let subject = if row.subject.is_empty() { String::new() } else { format!("{}: ", row.subject) };
    let sentence = format!("{subject}{}", row.text).replace(char::is_control, "\u{fffd}");
    format!("{}  {}  {sentence}", paint.text(Tone::Quiet, &utc(row.wall)), paint.text(tone, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::WallTime;

    #[test]
    fn a_line_says_when_how_bad_whom_and_what() {
        let row = EventRow {
            seq: 7,
            at_ms: 1200,
            wall: WallTime(1_795_442_600_123),
            severity: Severity::Alarm,
            kind: "group-down".to_owned(),
            subject: "dns".to_owned(),
            text: "withdrawn: the peer said \x1b[2J".to_owned(),
        };
        assert_eq!(
            line(&row, Paint::Plain),
            "2026-11-23 14:03:20.123  ALARM    dns: withdrawn: the peer said \u{fffd}[2J"
        );
        let of_the_process = EventRow { subject: String::new(), text: "started".to_owned(), ..row };
        assert!(line(&of_the_process, Paint::Coloured).ends_with("\x1b[31mALARM  \x1b[0m  started"));
    }
}
