//! `catchment reload`: another site file for a running daemon.

use crate::arguments::Reload;
use crate::outcome::Outcome;
use crate::table::Table;
use crate::terminal::{Paint, Terminal};
use crate::words::{age, count, list, now};
use api::client::Server;
use api::client::blocking::Client;
use api::{ReloadAnswer, ReloadOrder, ReloadVerdict, route};
use std::collections::BTreeMap;
use std::io::Write;
use terms::{Reason, WallTime};

pub(crate) fn run(arguments: &Reload, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let client = Client::of(Server::Daemon, &arguments.ask.socket)?;
    let answer: ReloadAnswer = if arguments.confirm {
        client.post(route::RELOAD_CONFIRM, &BTreeMap::<String, String>::new())?
    } else {
        client.post(route::RELOAD, &order(arguments)?)?
    };
    if arguments.ask.json {
        terminal.json(&answer)?;
    } else {
        for page in [&answer.faults, &answer.warnings].into_iter().flatten() {
            eprint!("{page}");
        }
        let page = page(&answer, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(match answer.verdict {
        ReloadVerdict::Applied
        | ReloadVerdict::Unchanged
        | ReloadVerdict::WouldChange
        | ReloadVerdict::Confirmed => Outcome::Yes,
        ReloadVerdict::Faulty => Outcome::BadInput,
        ReloadVerdict::Refused => Outcome::No,
    })
}

/// The order as the daemon understands it, which may have been started in another directory.
fn order(arguments: &Reload) -> anyhow::Result<ReloadOrder> {
    let within = arguments.confirm_within.map(|within| within.as_millis());
    Ok(ReloadOrder {
        path: arguments.site.as_ref().map(std::path::absolute).transpose()?,
        dry_run: arguments.dry_run,
        confirm_within_ms: within.map(u64::try_from).transpose()?,
        override_guard: arguments.override_guard,
        reason: arguments.reason.as_deref().map(Reason::from),
    })
}

fn page(answer: &ReloadAnswer, now: WallTime, paint: Paint) -> String {
    let file = answer.file.display();
    let verdict = match answer.verdict {
        ReloadVerdict::Applied => format!("{file} is in force\n"),
        ReloadVerdict::Unchanged => format!("{file} changes nothing\n"),
        ReloadVerdict::WouldChange => {
            format!("{file} would change {}\n", count(answer.changes.len(), "thing"))
        }
        ReloadVerdict::Confirmed => format!("{file} is confirmed and stays in force\n"),
        ReloadVerdict::Faulty => format!("{file} has faults; nothing was changed\n"),
        ReloadVerdict::Refused => format!("{file} was refused; nothing was changed\n"),
    };
    let refusals: String = answer.refusals.iter().map(|refusal| format!("  {refusal}\n")).collect();
    let mut table = Table::new(["WHAT", "NAME", "BECOMES"]);
    for change in &answer.changes {
        table.row([change.what.clone().into(), change.name.clone().into(), change.becomes.clone().into()]);
    }
    let withdraws = match &answer.withdraws[..] {
        [] => String::new(),
        going if answer.verdict == ReloadVerdict::Applied => format!("withdrawn: {}\n", list(going)),
        going => format!("would be withdrawn: {}\n", list(going)),
    };
    let until = answer.confirm_until.map_or(String::new(), |until| {
        // `age` says how long lies between two times.
        let left = age(now, until);
        format!("taken back in {left} unless confirmed: catchment reload --confirm\n")
    });
    let parts = [verdict + &refusals, table.render(paint), withdraws, until];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::ReloadChange;

    fn answer(verdict: ReloadVerdict) -> ReloadAnswer {
        let change = |what: &str, name: &str, becomes: &str| ReloadChange {
            what: what.to_owned(),
            name: name.to_owned(),
            becomes: becomes.to_owned(),
        };
        ReloadAnswer {
            changes: vec![
                change("peer", "transit-a", "other attributes or next hops; its session goes on"),
                change("group", "web", "removed; withdrawn at once"),
            ],
            withdraws: vec!["203.0.113.0/24".parse().unwrap()],
            ..ReloadAnswer::of(verdict, "/etc/catchment/site.toml".into())
        }
    }

    #[test]
    fn a_reload_that_waits_says_how_it_is_kept() {
        let answer =
            ReloadAnswer { confirm_until: Some(WallTime(120_000)), ..answer(ReloadVerdict::Applied) };
        insta::assert_snapshot!(page(&answer, WallTime(0), Paint::Plain));
    }

    #[test]
    fn a_refusal_says_what_would_go() {
        let refusal = "it would withdraw 1 of 2 announced prefixes; a reload may withdraw 0: 203.0.113.0/24";
        let answer = ReloadAnswer { refusals: vec![refusal.to_owned()], ..answer(ReloadVerdict::Refused) };
        insta::assert_snapshot!(page(&answer, WallTime(0), Paint::Plain));
    }
}
