//! Whether anybody hears what is told, and that being said when it changes.

use super::{Event, Teller};
use config::DnstapOutput;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use terms::Reason;

/// How long a reader must stay after its first messages until it is said that dnstap is heard: one that goes at the
/// first of them, and comes again, would be told of for ever.
const STAYS: Duration = Duration::from_secs(5);

/// What is known of who reads, and what was said of it.
pub(super) struct Hearing {
    teller: Teller,
    /// What is shown of it.
    is_heard: Arc<AtomicBool>,
    /// Whether it was said that nobody does.
    is_lost: bool,
    /// When this reader had its first messages.
    since: Option<Instant>,
}

impl Hearing {
    /// Nobody has been looked for yet.
    pub(super) fn new(teller: Teller, is_heard: Arc<AtomicBool>) -> Hearing {
        Hearing { teller, is_heard, is_lost: false, since: None }
    }

    /// Whose name is in the messages.
    pub(super) fn identity(&self) -> &str {
        &self.teller.identity
    }

    /// A reader has taken the offer, or the file is open.
    pub(super) fn begin(&mut self) {
        self.is_heard.store(true, Ordering::Relaxed);
        self.since = None;
    }

    /// It has taken messages.
    pub(super) fn take(&mut self) {
        self.since.get_or_insert_with(Instant::now);
        self.stay();
    }

    /// It is still there.
    pub(super) fn stay(&mut self) {
        let is_proven = self.since.is_some_and(|since| since.elapsed() >= STAYS);
        if is_proven && mem::take(&mut self.is_lost) {
            self.teller.say(&Event::Heard);
        }
    }

    /// It has gone, or never came.
    pub(super) fn end(&mut self, output: &DnstapOutput, error: &io::Error) {
        self.is_heard.store(false, Ordering::Relaxed);
        if !mem::replace(&mut self.is_lost, true) {
            let reason = Reason::from(error.to_string());
            self.teller.say(&match output {
                DnstapOutput::Socket(path) => Event::Unheard { path: path.clone(), reason },
                DnstapOutput::File(path) => Event::Unwritten { path: path.clone(), reason },
            });
        }
    }
}
