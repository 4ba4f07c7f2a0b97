//! The orderly end, and the quick one.
//!
//! ```text
//!   SIGTERM or SIGINT ──> send users elsewhere ──> all withdrawn ──> linger ──> close every session ──> end
//!                           GSHUT, at once    │        ^                │         saying why (RFC 9003)
//!                           without a permit: │        │                │
//!                           alarm             └ deadline: withdraw      │
//!                                                                       │
//!   SIGINT again, at any time ──> withdraw everything ──────────────────┴> close every session ──> end
//! ```
//! Draining is for users who have another way: they are sent it while this one still works. What the fleet permits is
//! withdrawn when they have gone. A daemon that is told to stop has to stop, so what the fleet does not permit is
//! withdrawn at the deadline all the same, and an alarm says so.
//!
//! Lingering is for users whose packets still come here, because the news of the withdrawal has not reached every
//! network between them and us: the service answers them until they have gone. So it counts from when something was
//! announced last; a site that never announced has nobody to wait for.

use crate::announce::{Command, Leave};
use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::orders::{PERMIT_PATIENCE, is_leaving};
use crate::watchdog::tell_manager;
use ::bgp::session::ShutdownText;
use api::Output;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use terms::{Reason, SiteName, Timestamp};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// What the service manager grants beyond what the end should take.
const MARGIN: Duration = Duration::from_secs(20);

/// The signals that end the daemon.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the system, which would end the process at once.
    pub(crate) fn listen() -> io::Result<Self> {
        // Who reads the file again listens later, and until then this must not end the process either.
        let _ = signal(SignalKind::hangup())?;
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn first(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// What the end needs to know and whom it tells.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) site: SiteName,
    /// How long the service answers on; a reload may change it.
    pub(crate) linger: watch::Receiver<Duration>,
    /// To the decision loop.
    pub(crate) commands: mpsc::Sender<Command>,
    /// What it announces.
    pub(crate) views: watch::Receiver<Vec<api::Group>>,
    /// To the peer tasks: any change orders the end, and holds what to tell the peer's operators.
    pub(crate) sessions: watch::Sender<Option<ShutdownText>>,
}

impl Stop {
    /// Waits for a signal and carries out everything up to the order that closes the sessions.
    pub(crate) async fn when_told(self, mut signals: Signals) {
        let signal = signals.first().await;
        self.bus.tell(&Event::Stopping { signal }, Source::Process);
        tell_manager(&[NotifyState::Stopping]);
        tokio::select! {
            () = self.in_order(signal) => {}
            _ = signals.interrupt.recv() => {
                self.bus.tell(&Event::Interrupted, Source::Process);
                self.leave(Leave::AtOnce, signal).await;
            }
        }
        let text = format!("{} stops on {signal}; its routes were withdrawn before", self.site);
        self.sessions.send_replace(ShutdownText::fitting(&text));
    }

    async fn in_order(&self, signal: &'static str) {
        if self.leave(Leave::InOrder, signal).await.is_some() {
            self.drain().await;
        }
        let announced = self.leave(Leave::AtOnce, signal).await;
        let linger = self.left_to_linger(announced);
        if !linger.is_zero() {
            self.bus.tell(&Event::Lingering { linger }, Source::Process);
            tokio::time::sleep(linger).await;
        }
    }

    /// Waits until the users have gone, or have had the time to.
    async fn drain(&self) {
        let longest = self.longest_drain().await;
        ask_for_time(longest + PERMIT_PATIENCE + *self.linger.borrow() + MARGIN);
        if timeout(PERMIT_PATIENCE, self.become_so(is_leaving)).await.is_err() {
            let groups = Reason::from(self.staying().join(", "));
            self.bus.tell(&Event::StopUnpermitted { groups }, Source::Process);
        }
        // Whatever is announced after this is withdrawn by the caller.
        if timeout(longest, self.become_so(|group| group.output == Output::None)).await.is_ok() {
            self.bus.tell(&Event::Drained, Source::Process);
        }
    }

    /// Waits until it is so for every group.
    async fn become_so(&self, is_so: impl Fn(&api::Group) -> bool) {
        let mut views = self.views.clone();
        // A decision loop that is gone announces nothing.
        let _ = views.wait_for(|groups| groups.iter().all(&is_so)).await;
    }

    /// The groups that the fleet keeps here.
    fn staying(&self) -> Vec<String> {
        let views = self.views.borrow();
        views.iter().filter(|group| !is_leaving(group)).map(|group| group.name.to_string()).collect()
    }

    /// How long the slowest group may take to be drained.
    async fn longest_drain(&self) -> Duration {
        let (seen, answer) = oneshot::channel();
        let asked = self.commands.send(Command::Look { seen }).await;
        let seen = if asked.is_ok() { answer.await.unwrap_or_default() } else { Vec::new() };
        seen.iter().map(|one| one.machine.settings().drain.at_least).max().unwrap_or_default()
    }

    /// Has the decision loop leave. Answers when something was announced last.
    async fn leave(&self, leave: Leave, signal: &'static str) -> Option<Timestamp> {
        let (decided, answer) = oneshot::channel();
        let command = Command::Leave { leave, who: Reason::from(signal), decided };
        self.commands.send(command).await.ok()?;
        answer.await.ok().flatten()
    }

    fn left_to_linger(&self, announced: Option<Timestamp>) -> Duration {
        let linger = *self.linger.borrow();
        announced.map_or(Duration::ZERO, |last| linger.saturating_sub(self.clock.now().since(last)))
    }
}

/// Asks the service manager not to lose patience: the end may be configured to take longer than the unit file says.
fn ask_for_time(duration: Duration) {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    tell_manager(&[NotifyState::ExtendTimeoutUsec(micros)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(linger: Duration) -> Stop {
        Stop {
            clock: Clock::start(),
            bus: Bus::for_test(),
            site: "london".parse().unwrap(),
            linger: watch::channel(linger).1,
            commands: mpsc::channel(1).0,
            views: watch::channel(Vec::new()).1,
            sessions: watch::Sender::new(None),
        }
    }

    #[test]
    fn lingering_counts_from_the_last_announcement() {
        let stop = stop(Duration::from_secs(90));
        assert_eq!(stop.left_to_linger(None), Duration::ZERO, "nobody was ever told to come here");
        let left = stop.left_to_linger(Some(stop.clock.now()));
        assert!(left > Duration::from_secs(60) && left <= Duration::from_secs(90), "{left:?}");
        let long_ago = Stop { linger: watch::channel(Duration::ZERO).1, ..stop };
        assert_eq!(long_ago.left_to_linger(Some(Timestamp::ZERO)), Duration::ZERO);
    }
}
