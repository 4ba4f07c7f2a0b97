//! Room in memory for connections on their way: many go at once, and each is in memory as a whole.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many octets of connections may be in memory at the same time. Copies are the same room.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// A part of a room, until it is dropped.
pub(super) type Share = OwnedSemaphorePermit;

impl Room {
    /// Room for so many octets.
    pub(super) fn of(octets: usize) -> Self {
        Room(Arc::new(Semaphore::new(octets)))
    }

    /// Waits for room for so many octets. Whoever has waited longest is the next.
    pub(super) async fn wait_for(&self, octets: usize) -> Option<Share> {
        Arc::clone(&self.0).acquire_many_owned(u32::try_from(octets).ok()?).await.ok()
    }

    /// Room for so many octets, if there is any now.
    pub(super) fn take(&self, octets: usize) -> Option<Share> {
        Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(octets).ok()?).ok()
    }
}
