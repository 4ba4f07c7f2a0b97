//! Zone files are read again on SIGHUP. A service with a faulty file serves on what it served before.

use crate::event::{Event, Source};
use crate::events::Bus;
use ::dns::{Zone, Zones, zone};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::Reason;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Longest zone file that is read, octets.
const LONGEST: u64 = 1 << 30;

/// The files of one service, and the cell whose zones it serves.
#[derive(Clone, Debug)]
pub(crate) struct ZoneFiles {
    pub(super) files: Vec<PathBuf>,
    pub(super) served: watch::Sender<Arc<Zones>>,
}

/// Reads all files of every service again, as often as the process gets SIGHUP. Without this, the signal would end it.
pub(crate) async fn reread_on_hangup(services: Vec<ZoneFiles>, bus: Bus) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        for service in services.clone() {
            // Reading a large zone takes seconds.
            let reading = tokio::task::spawn_blocking(move || service.reread());
            for event in reading.await.unwrap_or_default() {
                bus.tell(&event, Source::Process);
            }
        }
    }
}

impl ZoneFiles {
    /// Serves what the files say now, unless there is a fault. Says what came of it.
    pub(super) fn reread(&self) -> Vec<Event> {
        let read: Vec<Result<Zone, Event>> = self.files.iter().map(|path| read(path)).collect();
        let (zones, refused): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
        if !refused.is_empty() {
            return refused.into_iter().filter_map(Result::err).collect();
        }
        match Zones::new(zones.into_iter().flatten().map(Arc::new).collect()) {
            Ok(zones) => {
                let shown = zones.iter().map(|zone| format!("{} {}", zone.apex(), zone.serial()));
                let event = Event::ZonesRead { zones: shown.collect::<Vec<_>>().join(", ").into() };
                self.served.send_replace(Arc::new(zones));
                vec![event]
            }
            Err(twice) => {
                let path = self.files.first().cloned().unwrap_or_default();
                vec![Event::ZoneRefused { path, reason: Reason::from(twice.to_string()), more: 0 }]
            }
        }
    }
}

fn read(path: &Path) -> Result<Zone, Event> {
    let refused =
        |reason: String, more| Event::ZoneRefused { path: path.to_owned(), reason: reason.into(), more };
    let mut text = String::new();
    let reading = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    match reading {
        Err(error) => Err(refused(format!(" {error}"), 0)),
        Ok(_) if text.len() as u64 > LONGEST => Err(refused(" longer than 1 GiB".to_owned(), 0)),
        Ok(_) => zone::parse(&text).map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            refused(first, faults.len().saturating_sub(1))
        }),
    }
}
