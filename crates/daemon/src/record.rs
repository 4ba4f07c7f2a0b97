//! Records what every machine is told, always, so that an incident can be replayed with `catchment replay`.
//!
//! The file lies in the state directory and is bounded: two files of 64 MiB. A disk that is full, slow or read-only
//! costs the recording and nothing else.

use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use recording::{Header, Recorded, Recorder, Track};
use std::fs;
use std::path::Path;
use terms::{Reason, SiteName, Timestamp};

/// The file's name under the state directory.
const FILE: &str = "recording.jsonl";

/// Records, where the disk lets it.
#[derive(Debug)]
pub(crate) struct Recording(Option<Recorder>);

impl Recording {
    /// Begins to record under the state directory. What goes wrong, now or later, is told.
    pub(crate) fn begin(state_dir: &Path, site: &SiteName, clock: Clock, bus: &Bus) -> Self {
        let header = Header::new(site.clone(), clock.wall_at(Timestamp::ZERO));
        let (told, path) = (bus.clone(), state_dir.join(FILE));
        let on_trouble = move |trouble: recording::Trouble| tell(&told, &trouble.to_string());
        // A directory that cannot be made is told by the file that cannot be made in it.
        let _ = fs::create_dir_all(state_dir);
        // It has something to do with every read of a flood, and would now and then take the processor away from the
        // decisions. Refused, it writes all the same.
        let step_back = || drop(linux::scheduling::step_back(10));
        match Recorder::create(&path, Recorder::LIMIT, &header, step_back, on_trouble) {
            Ok(recorder) => Recording(Some(recorder)),
            Err(error) => {
                tell(bus, &error.to_string());
                Recording(None)
            }
        }
    }

    /// Where the driver of one machine notes what it tells it.
    pub(crate) fn track<M: Recorded>(&self, instance: &str) -> Track<M> {
        self.0.as_ref().map_or_else(Track::silent, |recorder| recorder.track(instance))
    }

    /// Ends the recording once everything that was noted is written.
    pub(crate) fn close(self) {
        if let Some(recorder) = self.0 {
            recorder.close();
        }
    }
}

fn tell(bus: &Bus, reason: &str) {
    bus.tell(&Event::RecordingTrouble { reason: Reason::from(reason) }, Source::Process);
}
