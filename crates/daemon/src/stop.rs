//! The orderly end, and the quick one.
//!
//! ```text
//!   SIGTERM or SIGINT ──> withdraw every group ──> linger ──> close every session, saying why ──> end
//!                           peers are told at once   │            Cease, Administrative Shutdown (RFC 9003)
//!                                                    └─ SIGINT again: no more lingering
//! ```
//! Lingering is for users whose packets still come here, because the news of the withdrawal has not reached every
//! network between them and us: the service answers them until they have gone. So it counts from when something was
//! announced last; a site that never announced has nobody to wait for.

use crate::announce::Withdraw;
use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::watchdog::tell_manager;
use ::bgp::session::ShutdownText;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use terms::{Reason, SiteName, Timestamp};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

/// The signals that end the daemon.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the system, which would end the process at once.
    pub(crate) fn listen() -> io::Result<Self> {
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
    pub(crate) linger: Duration,
    /// To the decision loop.
    pub(crate) orders: mpsc::Sender<Withdraw>,
    /// To the peer tasks: any change orders the end, and holds what to tell the peer's operators.
    pub(crate) sessions: watch::Sender<Option<ShutdownText>>,
}

impl Stop {
    /// Waits for a signal and carries out everything up to the order that closes the sessions.
    pub(crate) async fn when_told(self, mut signals: Signals) {
        let signal = signals.first().await;
        self.bus.tell(&Event::Stopping { signal }, Source::Process);
        tell_manager(&[NotifyState::Stopping]);
        let announced = self.withdraw(signal).await;
        let linger = self.left_to_linger(announced);
        if !linger.is_zero() {
            self.bus.tell(&Event::Lingering { linger }, Source::Process);
            tokio::select! {
                () = tokio::time::sleep(linger) => {}
                _ = signals.interrupt.recv() => {}
            }
        }
        let text = format!("{} stops on {signal}; its routes were withdrawn before", self.site);
        self.sessions.send_replace(ShutdownText::fitting(&text));
    }

    /// Has every group withdrawn. Answers when something was announced last.
    async fn withdraw(&self, signal: &'static str) -> Option<Timestamp> {
        let (decided, answer) = oneshot::channel();
        let order = Withdraw { who: Reason::from(signal), reason: Reason::from("the daemon stops"), decided };
        self.orders.send(order).await.ok()?;
        answer.await.ok().flatten()
    }

    fn left_to_linger(&self, announced: Option<Timestamp>) -> Duration {
        announced.map_or(Duration::ZERO, |last| self.linger.saturating_sub(self.clock.now().since(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(linger: Duration) -> Stop {
        Stop {
            clock: Clock::start(),
            bus: Bus::for_test(),
            site: "london".parse().unwrap(),
            linger,
            orders: mpsc::channel(1).0,
            sessions: watch::Sender::new(None),
        }
    }

    #[test]
    fn lingering_counts_from_the_last_announcement() {
        let stop = stop(Duration::from_secs(90));
        assert_eq!(stop.left_to_linger(None), Duration::ZERO, "nobody was ever told to come here");
        let left = stop.left_to_linger(Some(stop.clock.now()));
        assert!(left > Duration::from_secs(60) && left <= Duration::from_secs(90), "{left:?}");
        let long_ago = Stop { linger: Duration::ZERO, ..stop };
        assert_eq!(long_ago.left_to_linger(Some(Timestamp::ZERO)), Duration::ZERO);
    }
}
