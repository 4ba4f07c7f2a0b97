//! An order to restart, at the office: it knows what file is in force, and takes one order after the other.

use super::difference::Difference;
use super::office::{Office, read};
use crate::event::Source;
use crate::succession::{self, Departing, Program, examine};
use api::{RestartAnswer, RestartVerdict, Schema};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Nobody is served for longer, whatever the peers would bear.
const LONGEST_GAP: Duration = Duration::from_secs(3);

/// The way out: what is to take over, and whoever hands over.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) program: Program,
    pub(crate) departures: mpsc::Sender<Departing>,
}

impl Office {
    /// Judges an order to restart, answers it, and has it carried out.
    pub(super) async fn restart(&mut self, answer: oneshot::Sender<RestartAnswer>) {
        let number = self.board.restart.borrow().as_ref().map_or(0, |last| last.number) + 1;
        let say = |verdict, refusals| RestartAnswer { schema: Schema, verdict, number, refusals };
        let begun = match self.may_restart().await {
            Ok(()) => self.begin_restart().await,
            Err(reason) => Err(reason),
        };
        // Whoever asked may be gone.
        let _ = answer.send(match begun {
            Ok(()) => say(RestartVerdict::Begun, Vec::new()),
            Err(reason) => {
                let event = succession::Event::RestartRefused { reason: reason.as_str().into() };
                self.board.bus.tell(&event, Source::Process);
                say(RestartVerdict::Refused, vec![reason])
            }
        });
    }

    /// Has the site hand over; answers when it begins, or why it does not.
    async fn begin_restart(&self) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let departing = Departing {
            program: self.exit.program.clone(),
            site_file: self.now.path.clone(),
            longest: self.longest_gap(),
            answer,
        };
        // A daemon that stops takes no order, or drops the one that it has taken.
        let stops = "the daemon stops";
        self.exit.departures.send(departing).await.map_err(|_| stops)?;
        answered.await.map_err(|_| stops)?.map_err(|reason| reason.to_string())
    }

    /// Whether the program on disk may take over, or why not.
    async fn may_restart(&self) -> Result<(), String> {
        if self.pending.is_some() {
            return Err(
                "the last reload waits for its confirmation: `catchment reload --confirm` first".to_owned()
            );
        }
        let path = self.now.path.clone();
        let on_disk = read(path.clone()).await;
        let on_disk = on_disk.map_err(|faults| {
            let first =
                faults.iter().next().map(|(file, fault)| format!("{file}:{}: {}", fault.line, fault.message));
            format!("{} has faults: {}", path.display(), first.unwrap_or_default())
        })?;
        if !Difference::between(&self.now.site_file, &on_disk).is_empty() {
            return Err(format!(
                "{} or a zone of it says something else than what is in force: `catchment reload` first, or put it back",
                path.display()
            ));
        }
        let took = examine(&self.exit.program, &path).await?;
        let longest = self.longest_gap();
        if took > longest {
            return Err(format!(
                "{} took {} ms to read the site file, and nobody would be served meanwhile; at most {} ms are borne",
                self.exit.program.path().display(),
                took.as_millis(),
                longest.as_millis()
            ));
        }
        Ok(())
    }

    /// How long everything may stand still: a third of the shortest hold time, because a third may have passed since
    /// the last KEEPALIVE, and the rest is for a machine that is busy.
    fn longest_gap(&self) -> Duration {
        let holds = self.now.site_file.peers.iter().filter_map(|peer| peer.session.hold_time.duration());
        holds.min().map_or(LONGEST_GAP, |shortest| LONGEST_GAP.min(shortest / 3))
    }
}
