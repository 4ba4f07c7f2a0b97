//! Before this daemon is replaced by its successor, no service gives a connection away, and what is underway is waited for: who does
//! not learn what has become of a connection has to close it.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long what is underway is waited for: longer than a service has for its turn and a connection for its way.
const LONGEST: Duration = Duration::from_secs(2);

/// Whether services have turns now, and how many connections are underway. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recess {
    is_called: watch::Sender<bool>,
    underway: watch::Sender<usize>,
}

/// One turn, from the moment when a service is told of it until it has heard what has become of its connection.
#[derive(Debug)]
pub(super) struct Underway(watch::Sender<usize>);

impl Recess {
    /// From now on no service has a turn. Returns when none is underway, or that has taken too long.
    pub(crate) async fn call(&self) {
        // The connections that are underway still are lost: they would be by waiting, too.
        let _ = timeout(LONGEST, self.quiet()).await;
    }

    /// The same, however long it takes.
    pub(super) async fn quiet(&self) {
        self.is_called.send_replace(true);
        let _ = self.underway.subscribe().wait_for(|underway| *underway == 0).await;
    }

    /// Services have turns again.
    pub(crate) fn end(&self) {
        self.is_called.send_replace(false);
    }

    pub(super) fn follow(&self) -> watch::Receiver<bool> {
        self.is_called.subscribe()
    }

    /// A service is to be told of its turn; none: not now.
    pub(super) fn enter(&self) -> Option<Underway> {
        // In this order: whoever has called a recess has seen this one, or is seen.
        self.underway.send_modify(|underway| *underway += 1);
        let underway = Underway(self.underway.clone());
        (!*self.is_called.borrow()).then_some(underway)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.send_modify(|underway| *underway = underway.saturating_sub(1));
    }
}
