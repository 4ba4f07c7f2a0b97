//! Standing still: a task says what it knows and touches nothing until it may go on.

use std::convert::Infallible;
use tokio::sync::oneshot;

/// Asks a task to stand still.
#[derive(Debug)]
pub(crate) struct StandStill<T> {
    say: oneshot::Sender<T>,
    go_on: oneshot::Receiver<Infallible>,
}

/// Keeps a task standing still; when it is dropped the task goes on.
#[derive(Debug)]
pub(crate) struct Hold {
    _until: oneshot::Sender<Infallible>,
}

impl<T> StandStill<T> {
    /// The request, what holds the task, and where its answer comes.
    pub(crate) fn ask() -> (StandStill<T>, Hold, oneshot::Receiver<T>) {
        let (say, said) = oneshot::channel();
        let (until, go_on) = oneshot::channel();
        (StandStill { say, go_on }, Hold { _until: until }, said)
    }

    /// Says it and stands still until the asker lets go; not at all for one who has gone already.
    pub(crate) async fn stand(self, knows: T) {
        if self.say.send(knows).is_ok() {
            // Nothing is ever sent: it ends when the hold is dropped.
            let _ = self.go_on.await;
        }
    }

    /// The same for a thread of its own, which waits for nothing else.
    pub(crate) fn stand_here(self, knows: T) {
        if self.say.send(knows).is_ok() {
            let _ = self.go_on.blocking_recv();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_stands_still_until_it_is_let_go() {
        let (ask, hold, said) = StandStill::ask();
        let task = tokio::spawn(ask.stand(7));
        assert_eq!(said.await.unwrap(), 7);
        tokio::task::yield_now().await;
        assert!(!task.is_finished());
        drop(hold);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_stands_still_for_one_who_has_gone() {
        let (ask, _hold, said) = StandStill::ask();
        drop(said);
        ask.stand(7).await;
    }

    #[test]
    fn a_thread_stands_still_until_it_is_let_go() {
        let (ask, hold, said) = StandStill::ask();
        let thread = std::thread::spawn(|| ask.stand_here(7));
        assert_eq!(said.blocking_recv().unwrap(), 7);
        assert!(!thread.is_finished());
        drop(hold);
        thread.join().unwrap();
    }
}
