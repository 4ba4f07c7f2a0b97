//! Handing the running site over to the program on disk, and saying that it was taken over.

use super::site::Site;
use crate::announce::{self, Command};
use crate::bfd;
use crate::bgp;
use crate::dns;
use crate::event::Source;
use crate::fleet;
use crate::succession::{Departing, Estate, Event, Hold, Program, Sockets, StandStill};
use crate::watchdog::tell_manager;
use api::{Restart, RestartOutcome};
use linux::succession::succeed;
use sd_notify::NotifyState;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;
use terms::{PeerName, Reason, Timestamp};
use tokio::time::timeout;

/// How long it may take until everything is handed over; then this program goes on.
const LONGEST: Duration = Duration::from_secs(1);

/// How long the next program may take to start beside reading the site file.
const START: Duration = Duration::from_secs(1);

/// How long the answer to the order gets to leave before nobody is there any more who could send it.
const ANSWER: Duration = Duration::from_millis(50);

/// From one look at the DNS workers to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Everybody who stands still, and what they know.
struct Standing {
    _holds: Vec<Hold>,
    peers: BTreeMap<PeerName, bgp::KeptSession>,
    links: bfd::Kept,
    decision: announce::Kept,
    permits: fleet::Kept,
}

/// What was taken over from the program before.
pub(super) struct Taken {
    pub(super) number: u64,
    pub(super) before: String,
    pub(super) still_since: Timestamp,
    pub(super) sessions: usize,
}

impl Site {
    /// Prepares those who would miss us most. An error says who is not prepared.
    pub(super) async fn announce_silence(&self, departing: &Departing) -> Result<(), Reason> {
        // Before the silence, which is no longer for it.
        self.moved.recess().call().await;
        self.peers.announce_silence(LONGEST + departing.longest + START).await
    }

    /// Lets the program on disk take over if that is borne. Returns where it could not, and then everything is as it was.
    pub(super) async fn depart(&self, departing: Departing, borne: Result<(), Reason>) {
        let Departing { program, site_file, answer, .. } = departing;
        let is_borne = borne.is_ok();
        // Whoever ordered it may not care any more.
        let _ = answer.send(borne);
        if is_borne {
            tokio::time::sleep(ANSWER).await;
            self.leave(&program, &site_file).await;
        }
        self.moved.recess().end();
        self.peers.links().announce_silence(None);
    }

    async fn leave(&self, program: &Program, site_file: &Path) {
        let bus = &self.shared.bus;
        bus.tell(&Event::Restarting, Source::Process);
        let Err(reason) = self.hand_over(program, site_file).await;
        self.services.servers().iter().for_each(dns::Server::serve_on);
        tell_manager(&[NotifyState::Ready]);
        bus.tell(&Event::RestartFailed { reason: reason.clone() }, Source::Process);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.restarts.send_replace(Some(Restart {
            number: self.next_restart(),
            when: self.shared.clock.wall(),
            outcome: RestartOutcome::Failed,
            before: version.clone(),
            version,
            gap_ms: None,
            sessions: None,
            reason: Some(reason),
        }));
    }

    /// Says that this program has taken over.
    pub(super) fn arrived(&self, taken: Taken) {
        let Taken { number, before, still_since, sessions } = taken;
        self.peers.links().announce_silence(None);
        let gap = self.shared.clock.now().since(still_since);
        self.restarts.send_replace(Some(Restart {
            number,
            when: self.shared.clock.wall(),
            outcome: RestartOutcome::Done,
            before: before.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gap_ms: Some(u64::try_from(gap.as_millis()).unwrap_or(u64::MAX)),
            sessions: Some(u64::try_from(sessions).unwrap_or(u64::MAX)),
            reason: None,
        }));
        self.shared.bus.tell(&Event::Restarted { before, sessions, gap }, Source::Process);
    }

    fn next_restart(&self) -> u64 {
        self.restarts.borrow().as_ref().map_or(0, |last| last.number) + 1
    }

    async fn hand_over(&self, program: &Program, site_file: &Path) -> Result<Infallible, Reason> {
        if self.services.is_lingering() {
            return Err(Reason::from(
                "what the last reload took away still answers users who have not heard of it",
            ));
        }
        let servers = self.services.servers();
        if !servers.is_empty() {
            servers.iter().for_each(dns::Server::brace);
            // Each has looked once by then.
            tokio::time::sleep(dns::LOOK_EVERY * 2).await;
        }
        let clock = self.shared.clock;
        let still_since = clock.now();
        let late = |_| Reason::from("not everybody stood still within 1 s");
        let standing = timeout(LONGEST, self.stand_still()).await.map_err(late)??;
        if standing.decision.leaving {
            return Err(Reason::from("the daemon stops"));
        }
        let left = LONGEST.saturating_sub(clock.now().since(still_since));
        timeout(left, stand_still(servers)).await.map_err(late)?;
        let mut sockets = self.sockets();
        let clients: Vec<OwnedFd> =
            servers.iter().flat_map(|server| server.hand_over(&mut sockets)).collect();
        let descriptors =
            sockets.numbers().chain(standing.peers.values().flat_map(bgp::KeptSession::descriptors));
        let descriptors: Vec<RawFd> = descriptors.chain(standing.links.descriptors()).collect();
        let estate = Estate {
            site: self.site_file.site.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            number: self.next_restart(),
            clock: clock.reading(),
            still_since,
            peers: standing.peers,
            links: standing.links,
            decision: standing.decision,
            permits: standing.permits,
            memories: self.memories.borrow().clone(),
            news: self.shared.bus.keep(),
            sockets,
        };
        let memory = estate.encode().map_err(|error| Reason::from(error.to_string()))?;
        if clock.now().since(still_since) > LONGEST {
            return Err(Reason::from("writing down what is known took longer than 1 s"));
        }
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now().ok());
        tell_manager(&states);
        let words = program.running(site_file);
        let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
        let estate = linux::succession::Estate {
            memory: &memory,
            descriptors: &descriptors,
            capabilities: crate::privileges::HANDED_OVER,
        };
        let failed = succeed(program.path(), &words, estate);
        drop(clients);
        failed.map_err(|error| Reason::from(error.to_string()))
    }

    /// Has everybody stand still who owns something that is handed over.
    async fn stand_still(&self) -> Result<Standing, Reason> {
        let (ask, hold, said) = StandStill::ask();
        let gone = || Reason::from("the daemon stops");
        self.commands.send(Command::StandStill(ask)).await.map_err(|_| gone())?;
        let decision = said.await.map_err(|_| gone())?;
        let mut holds = vec![hold];
        // Before the peers, so that each hears of a path that was lost until then.
        let (of_the_paths, links) = self.peers.links().stand_still().await.unzip();
        holds.extend(of_the_paths);
        // After the decision, so that each has been told all of it.
        let (more, peers) = self.peers.stand_still().await?;
        holds.extend(more);
        let (of_the_fleet, permits) = self.fleet.stand_still().await;
        holds.extend(of_the_fleet);
        Ok(Standing { _holds: holds, peers, links: links.unwrap_or_default(), decision, permits })
    }

    /// What is open and listens.
    fn sockets(&self) -> Sockets {
        Sockets {
            control: Some(self.control.as_raw_fd()),
            api: self.api.as_ref().map(AsRawFd::as_raw_fd),
            ..Sockets::default()
        }
    }
}

/// Has the DNS workers finish what they have in hand, and waits until they have.
async fn stand_still(servers: &[dns::Server]) {
    servers.iter().for_each(dns::Server::stand);
    while !servers.iter().all(dns::Server::stands) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
