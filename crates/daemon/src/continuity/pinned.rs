//! Where programs are pinned that outlive their daemon: kept on this machine's disk, so that the next daemon takes them off
//! where its site file does not want them any more, or wants them elsewhere.

use super::event::Event;
use crate::event::Source;
use crate::events::Bus;
use ::fleet::{Embedded, Key, local};
use config::SiteFile;
use std::path::{Path, PathBuf};
use terms::Reason;

/// Takes off what an earlier daemon has left, unless this one goes on with it: what is of another version goes then when
/// the programs are loaded.
pub(crate) async fn settle(store: Option<&Embedded>, site_file: &SiteFile, bus: &Bus) {
    let Some(left) = noted(store).await else { return };
    if site_file.continuity.as_ref().is_some_and(|section| section.pins == left) {
        return;
    }
    match xdp::take_off(&left) {
        Ok(()) => {
            bus.tell(&Event::TakenOff, Source::Process);
            note(store, None, bus).await;
        }
        Err(error) => {
            bus.tell(&Event::Left { reason: Reason::from(error.to_string()) }, Source::Process);
        }
    }
}

/// Notes where programs are pinned from now on; none: nowhere.
pub(super) async fn note(store: Option<&Embedded>, pins: Option<&Path>, bus: &Bus) {
    let Some(store) = store else { return };
    if let Err(error) = local::keep(store, &Key::pinned(), &pins).await {
        bus.tell(&Event::NotNoted { reason: Reason::from(error.to_string()) }, Source::Process);
    }
}

/// Where an earlier daemon has pinned. Whoever opened the store has told where it cannot be read.
async fn noted(store: Option<&Embedded>) -> Option<PathBuf> {
    local::recall::<Option<PathBuf>>(store?, &Key::pinned()).await.ok()??
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::fleet::Opened;

    #[tokio::test]
    async fn what_is_pinned_is_known_to_the_next_daemon_until_it_is_taken_off() {
        let directory = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Embedded::open(&directory.path().join("state.redb")).unwrap();
        let (store, bus) = (Some(&store), Bus::for_test());
        assert_eq!(noted(store).await, None);
        note(store, Some(directory.path()), &bus).await;
        assert_eq!(noted(store).await.as_deref(), Some(directory.path()));
        note(store, None, &bus).await;
        assert_eq!(noted(store).await, None);
    }
}
