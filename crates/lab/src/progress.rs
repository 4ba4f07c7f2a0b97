//! What a person who waits for a world sees: one line on the terminal, written over as things come up. Where nobody
//! looks at a terminal there is none.

use crate::clock;
use crate::router::Sessions;
use crate::running::{Lab, lock};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the line is written. Each time every router is asked.
const BEAT: Duration = Duration::from_millis(250);
/// The pause is at least so many times as long as the asking took: a large world has better to do.
const LEAST_PAUSE: u32 = 20;
/// Those who wait that are named; the others are counted.
const MOST_NAMED: usize = 3;
/// Goes to the begin of the line and empties it (ECMA-48, CR and EL).
const AFRESH: &str = "\r\x1b[K";

/// A line that is kept up to date.
pub(crate) struct Progress {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show how far the world is, on a terminal.
    pub(crate) fn of(lab: &Arc<Lab>) -> Progress {
        let over = Arc::new(AtomicBool::new(false));
        let thread = io::stderr().is_terminal().then(|| {
            let (lab, over) = (Arc::clone(lab), Arc::clone(&over));
            thread::Builder::new().name("progress".into()).spawn(move || show(&lab, &over))
        });
        // Without the thread the world comes up all the same.
        Progress { over, thread: thread.and_then(Result::ok) }
    }

    /// Takes the line away.
    pub(crate) fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn show(lab: &Lab, over: &AtomicBool) {
    let mut terminal = io::stderr();
    while !over.load(Ordering::Relaxed) {
        let began = clock::now();
        let line = line(&lab.waiting(), lab.world.clients.len() * 2, lab.sessions());
        let _ = write!(terminal, "{AFRESH}{line}");
        let _ = terminal.flush();
        thread::park_timeout(BEAT.max(clock::now().since(began) * LEAST_PAUSE));
    }
    let _ = write!(terminal, "{AFRESH}");
    let _ = terminal.flush();
}

/// `BGP 31 of 46 · answered 17 of 24 · waiting for tokyo over IPv6, sydney over IPv4 and 5 more`
fn line(waiting: &[String], all: usize, sessions: Sessions) -> String {
    let named = waiting.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let rest = match waiting.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let answered = all.saturating_sub(waiting.len());
    let waits = if waiting.is_empty() { String::new() } else { format!(" · waiting for {named}{rest}") };
    format!("BGP {} of {} · answered {answered} of {all}{waits}", sessions.up, sessions.all)
}

impl Lab {
    /// How the sessions of all routers are; one between two of them counts at both.
    fn sessions(&self) -> Sessions {
        let routers = lock(&self.routers);
        let each = routers.values().filter_map(|router| router.sessions().ok());
        each.fold(Sessions::default(), |sum, one| Sessions { up: sum.up + one.up, all: sum.all + one.all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_up_and_who_waits() {
        let sessions = Sessions { up: 31, all: 46 };
        let waiting: Vec<String> = (1..=5).map(|number| format!("city{number} over IPv4")).collect();
        assert_eq!(
            line(&waiting, 24, sessions),
            "BGP 31 of 46 · answered 19 of 24 · waiting for city1 over IPv4, city2 over IPv4, city3 over IPv4 and 2 more"
        );
        assert_eq!(
            line(&waiting[..1], 24, sessions),
            "BGP 31 of 46 · answered 23 of 24 · waiting for city1 over IPv4"
        );
        assert_eq!(line(&[], 24, sessions), "BGP 31 of 46 · answered 24 of 24");
    }
}
