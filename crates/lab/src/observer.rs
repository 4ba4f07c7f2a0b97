//! Watches the running world and draws the picture that the page shows.
//!
//! ```text
//!  history ───> trackers ──> story (events)          ┐
//!     └───────> samples for the ribbons              ├─> live stream of the page
//!  routes ────> real ways, reasons of detours ──┐    │
//!  conditions of cables, daemons' own words ────┴─> picture
//! ```
//! One thread looks at the history ten times a second, another at the routes when they change. Neither can slow the
//! prober down.

use crate::catchment::{Change, Tracker};
use crate::clock;
use crate::history::{Outcome, Sample, SiteId};
use crate::journal::Place;
use crate::picture::{self, Seen};
use crate::replay::Pictures;
use crate::running::{Lab, lock};
use crate::story::{by_name, milliseconds};
use crate::views::Views;
use api::{Live, Picture};
use linux::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use terms::{Family, Timestamp, WallTime};
use tokio::sync::{broadcast, watch};

/// How often the page is told what the clients see.
const BEAT: Duration = Duration::from_millis(100);
/// Pictures per beat: one in so many.
const BEATS_PER_PICTURE: u32 = 3;
/// Round trips of which the median is shown.
const ROUND_TRIPS: usize = 25;

/// Watches until the process ends; the picture and the messages come out of the other ends. Pictures are also kept where
/// somebody wants them.
pub(crate) fn watch(
    lab: Arc<Lab>,
    pictures: watch::Sender<Arc<Picture>>,
    live: broadcast::Sender<Live>,
    kept: Option<Arc<Mutex<Pictures>>>,
) -> Result<()> {
    let views = Arc::new(Mutex::new(Views::default()));
    Views::keep_up(Arc::clone(&lab), Arc::clone(&views))?;
    let clients = lab.world.askers.iter().map(|_| Watched::default()).collect();
    let started = WallTime(clock::wall().0.saturating_sub(milliseconds(clock::now(), lab.began)));
    let observer = Observer { lab, started, views, clients, pictures, live, kept };
    let thread = thread::Builder::new().name("observer".into());
    thread.spawn(move || observer.run()).map_err(|error| Error::new("start the observer", error))?;
    Ok(())
}

/// One client, as its ribbon shows it.
#[derive(Default)]
struct Watched {
    tracker: Tracker,
    /// Who answered it when every site announced.
    usual: Option<SiteId>,
    /// When the one who answers it now was first seen to.
    since: Timestamp,
    round_trips: VecDeque<Duration>,
}

impl Watched {
    /// Whether what the daemons said at a time may explain who answers now: they were asked after the last change.
    fn is_known(&self, asked: Option<Timestamp>) -> bool {
        asked.is_some_and(|asked| asked >= self.since)
    }

    /// Every site announced as usual when the daemons were asked.
    fn all_is_as_usual(&mut self, asked: Option<Timestamp>) {
        if self.is_known(asked) {
            self.usual = self.tracker.site().or(self.usual);
        }
    }

    /// Takes its next sample, and tells what changed.
    fn take(&mut self, sample: &Sample, now: Timestamp) -> Option<Change> {
        if let Outcome::Answered { round_trip, .. } = sample.outcome {
            if self.round_trips.len() == ROUND_TRIPS {
                self.round_trips.pop_front();
            }
            self.round_trips.push_back(round_trip);
        }
        let change = self.tracker.take(sample)?;
        self.round_trips.clear();
        self.since = now;
        Some(change)
    }

    fn seen(&self, asked: Option<Timestamp>) -> Seen {
        let mut sorted: Vec<Duration> = self.round_trips.iter().copied().collect();
        sorted.sort_unstable();
        let site = self.tracker.site();
        let is_known = self.is_known(asked);
        Seen {
            site,
            usual: self.usual,
            is_known,
            round_trip: site.and(sorted.get(sorted.len() / 2).copied()),
        }
    }
}

struct Observer {
    lab: Arc<Lab>,
    /// When the lab began. Read once, or a clock that is set would begin it anew for everybody who looks.
    started: WallTime,
    views: Arc<Mutex<Views>>,
    clients: Vec<Watched>,
    pictures: watch::Sender<Arc<Picture>>,
    live: broadcast::Sender<Live>,
    kept: Option<Arc<Mutex<Pictures>>>,
}

impl Observer {
    fn run(mut self) {
        let (mut samples, mut events) = (Place::default(), Place::default());
        let mut beat = 0;
        loop {
            thread::sleep(BEAT);
            let page = self.lab.history.read(samples);
            samples = page.next;
            page.entries.iter().for_each(|sample| self.take(sample));
            let rows = page.entries.iter().map(|sample| row(sample, self.lab.began)).collect();
            // Without a reader nobody is told.
            let _ = self.live.send(Live::Samples(rows));
            let page = self.lab.story.rows().read(events);
            events = page.next;
            for row in page.entries {
                let _ = self.live.send(Live::Event(row));
            }
            if beat % BEATS_PER_PICTURE == 0 {
                self.draw();
            }
            beat = beat.wrapping_add(1);
        }
    }

    /// A client's state follows its IPv4 samples: five times as many as IPv6 ones, and the same routing.
    fn take(&mut self, sample: &Sample) {
        if sample.family != Family::Ipv4 {
            return;
        }
        let Some(client) = self.clients.get_mut(usize::from(sample.client.0)) else { return };
        if let Some(change) = client.take(sample, clock::now()) {
            self.lab.story.tell(&by_name(&self.lab.world, sample.client, change));
        }
    }

    fn draw(&mut self) {
        let views = lock(&self.views);
        if views.all_is_as_usual(self.lab.world.sites.len()) {
            self.clients.iter_mut().for_each(|client| client.all_is_as_usual(views.asked));
        }
        let seen: Vec<Seen> = self.clients.iter().map(|client| client.seen(views.asked)).collect();
        let picture = picture::draw(&self.lab, self.started, &views, &seen);
        drop(views);
        self.pictures.send_if_modified(|shown| {
            let changed = !picture::same_but_for_time(shown, &picture);
            if changed && let Some(kept) = &self.kept {
                lock(kept).add(&picture);
            }
            *shown = Arc::new(picture);
            changed
        });
    }
}

/// A sample as the page is told of it.
pub(crate) fn row(sample: &Sample, began: Timestamp) -> api::Sample {
    let outcome = match sample.outcome {
        Outcome::Answered { site, round_trip, .. } => {
            api::Outcome::Answered { site: site.0, rtt_ms: round_trip.as_secs_f32() * 1000.0 }
        }
        Outcome::Silent => api::Outcome::Silent,
    };
    let at_ms = milliseconds(sample.sent, began);
    api::Sample { ribbon: sample.client.0, at_ms, outcome, family: Some(sample.family) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{ClientId, Cookie};

    fn answers(client: &mut Watched, site: u16, from_ms: u64) {
        for ms in (from_ms..).step_by(20).take(10) {
            let now = Timestamp::ZERO + Duration::from_millis(ms);
            let (site, round_trip) = (SiteId(site), Duration::from_millis(1));
            let outcome = Outcome::Answered { site, round_trip, cookie: Cookie::None };
            client.take(&Sample { client: ClientId(0), family: Family::Ipv4, sent: now, outcome }, now);
        }
    }

    #[test]
    fn who_moved_since_the_daemons_were_asked_is_not_answered_as_usual() {
        let asked = |ms| Some(Timestamp::ZERO + Duration::from_millis(ms));
        let mut client = Watched::default();
        answers(&mut client, 1, 0);
        client.all_is_as_usual(None);
        assert_eq!(client.usual, None, "nobody was asked yet");
        client.all_is_as_usual(asked(500));
        assert_eq!(client.usual, Some(SiteId(1)));

        // A site fails; its daemon was asked before, and said that all is well.
        answers(&mut client, 2, 600);
        client.all_is_as_usual(asked(500));
        let seen = client.seen(asked(500));
        assert_eq!((seen.site, seen.usual, seen.is_known), (Some(SiteId(2)), Some(SiteId(1)), false));

        // Asked again, they say the same: it is a cable that broke, or policy that changed.
        client.all_is_as_usual(asked(1000));
        let seen = client.seen(asked(1000));
        assert_eq!((seen.usual, seen.is_known), (Some(SiteId(2)), true));
    }
}
