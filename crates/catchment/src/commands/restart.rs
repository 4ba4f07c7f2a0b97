//! `catchment restart`: the program on disk takes the place of a running daemon, and nobody outside sees it.

use crate::arguments::Ask;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::bail;
use api::client::Server;
use api::client::blocking::Client;
use api::{Restart, RestartAnswer, RestartOutcome, RestartVerdict, Status, route};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long the program on disk may take to judge the site file, and a little more.
const JUDGING: Duration = Duration::from_secs(40);

/// How long it may take to take over.
const TAKING_OVER: Duration = Duration::from_secs(30);

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) fn run(ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let client = Client::of(Server::Daemon, &ask.socket)?.patient(JUDGING);
    let answer: RestartAnswer = client.post(route::RESTART, &BTreeMap::<String, String>::new())?;
    if answer.verdict == RestartVerdict::Refused {
        if ask.json {
            terminal.json(&answer)?;
        } else {
            write!(terminal, "{}", refused(&answer))?;
        }
        return Ok(Outcome::No);
    }
    let restart = end_of(&client, answer.number)?;
    if ask.json {
        terminal.json(&restart)?;
    } else {
        write!(terminal, "{}", page(&restart))?;
    }
    Ok(match restart.outcome {
        RestartOutcome::Done => Outcome::Yes,
        RestartOutcome::Failed => Outcome::No,
    })
}

/// Waits until the restart of that number has ended. While the programs change nobody answers.
fn end_of(client: &Client, number: u64) -> anyhow::Result<Restart> {
    let begun = Instant::now();
    while begun.elapsed() < TAKING_OVER {
        let status = client.get::<Status>(route::STATUS);
        if let Some(restart) = status.ok().and_then(|status| status.restart)
            && restart.number >= number
        {
            return Ok(restart);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bail!(
        "the program on disk was started and does not say that it took over: see `catchment status` and its log"
    )
}

fn refused(answer: &RestartAnswer) -> String {
    let refusals: String = answer.refusals.iter().map(|refusal| format!("  {refusal}\n")).collect();
    format!("the restart was refused; nothing was changed\n{refusals}")
}

/// How it went, in words.
pub(crate) fn page(restart: &Restart) -> String {
    let Restart { before, version, .. } = restart;
    match (restart.outcome, restart.gap_ms, &restart.reason) {
        (RestartOutcome::Done, gap, _) => format!(
            "version {version} has taken over from {before}: sessions that went on: {}; everything stood still for {} \
             ms\n",
            restart.sessions.unwrap_or_default(),
            gap.unwrap_or_default()
        ),
        (RestartOutcome::Failed, _, reason) => {
            let reason = reason.as_ref().map_or("no reason given", |reason| reason.as_str());
            format!("the program on disk could not take over: {reason}\nversion {before} goes on\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::WallTime;

    fn restart(outcome: RestartOutcome) -> Restart {
        Restart {
            number: 3,
            when: WallTime(0),
            outcome,
            before: "1.0.0".to_owned(),
            version: "1.1.0".to_owned(),
            gap_ms: Some(84),
            sessions: Some(2),
            reason: None,
        }
    }

    #[test]
    fn how_it_went_is_said_in_words() {
        let done = page(&restart(RestartOutcome::Done));
        let failed = page(&Restart {
            reason: Some("cannot start /usr/bin/catchment: No such file".into()),
            ..restart(RestartOutcome::Failed)
        });
        let answer = RestartAnswer {
            schema: api::Schema,
            verdict: RestartVerdict::Refused,
            number: 4,
            refusals: vec!["the last reload waits for its confirmation".to_owned()],
        };
        insta::assert_snapshot!([done, failed, refused(&answer)].join("\n"), @r"
        version 1.1.0 has taken over from 1.0.0: sessions that went on: 2; everything stood still for 84 ms

        the program on disk could not take over: cannot start /usr/bin/catchment: No such file
        version 1.0.0 goes on

        the restart was refused; nothing was changed
          the last reload waits for its confirmation
        ");
    }
}
