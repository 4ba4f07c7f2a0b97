//! Something that comes and goes, half of the time each, until it is enough.

use linux::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How soon something that flaps hears that it is enough.
const GLANCE: Duration = Duration::from_millis(10);

/// The thread that has it come and go.
#[derive(Debug)]
pub(crate) struct Flap {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Flap {
    /// Calls `swing` every `half`: with false when it goes, which it does first, and with true when it is back.
    pub(super) fn begin(half: Duration, swing: impl Fn(bool) + Send + 'static) -> Result<Self> {
        let enough = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&enough);
        let run = move || {
            let turns = [false, true].into_iter().cycle();
            for works in turns.take_while(|_| !told.load(Ordering::Relaxed)) {
                swing(works);
                wait(half, &told);
            }
            swing(true);
        };
        let thread = thread::Builder::new().name("flap".to_owned()).spawn(run);
        Ok(Flap { enough, thread: thread.map_err(|error| Error::new("let something flap", error))? })
    }

    /// Has it back, and returns when it is: whatever is done to it next lasts.
    pub(super) fn end(self) {
        self.enough.store(true, Ordering::Relaxed);
        // One that has panicked has ended, too.
        let _ = self.thread.join();
    }
}

fn wait(time: Duration, enough: &AtomicBool) {
    let mut left = time;
    while !left.is_zero() && !enough.load(Ordering::Relaxed) {
        let step = left.min(GLANCE);
        thread::sleep(step);
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_flapped_is_back_when_it_has_ended_and_nobody_touches_it_again() {
        let (swings, seen) = mpsc::channel();
        let flap = Flap::begin(Duration::from_secs(3600), move |works| swings.send(works).unwrap()).unwrap();
        assert!(!seen.recv().unwrap(), "it begins with going");
        flap.end();
        assert_eq!(seen.try_recv(), Ok(true), "it is back already");
        assert_eq!(seen.try_recv(), Err(mpsc::TryRecvError::Disconnected), "nobody is left who could swing");
    }
}
