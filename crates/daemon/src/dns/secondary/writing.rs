//! What is written of a version, beside what lies on disk.

use crate::dns::images::{Images, Written};
use crate::dns::shelf::changed;
use ::dns::Zone;
use std::io;
use std::time::Duration;
use transfer::{Difference, Journal};

/// A version that is about to be kept on disk.
pub(super) struct Keeping {
    /// None where it takes another image, which is soon made: what has changed is too much for a journal, or the last
    /// image could not be kept.
    pub(super) written: Option<Written>,
    /// The zone as it will lie there, where it is written anew.
    pub(super) as_kept: Option<Zone>,
}

/// Writes what is to be kept of a version, as little as will do.
pub(super) fn write(
    images: &Images,
    zone: &Zone,
    difference: Option<Difference>,
    journal: &Journal,
) -> io::Result<Keeping> {
    let next =
        difference.as_ref().map_or_else(Journal::default, |difference| journal.with(difference.clone()));
    match (zone.image(), &difference) {
        (Some(image), _) => {
            let (kept, written) = images.write(zone, image, &next)?;
            Ok(Keeping { written: Some(written), as_kept: Some(kept) })
        }
        (None, Some(difference)) => {
            Ok(Keeping { written: images.note(zone.apex(), difference, &next)?, as_kept: None })
        }
        (None, None) => Err(io::Error::other("nobody knows what has changed in it")),
    }
}

/// Writes an image that was made of an earlier version than what is held, and lays over it what has changed since; none
/// where nobody knows that any more.
pub(super) fn write_folded(
    images: &Images,
    folded: &Zone,
    held: &Zone,
    journal: &Journal,
    age: Duration,
) -> io::Result<Option<(Zone, Written)>> {
    let is_same = held.serial() == folded.serial();
    let since = if is_same { None } else { journal.folded(folded.serial()) };
    let is_known = is_same || since.is_some();
    let Some(image) = folded.image().filter(|_| is_known) else { return Ok(None) };
    let (kept, written) = images.write(folded, image, journal)?;
    // It is another form of what was there, and no primary has said anything.
    written.date(age)?;
    let zone = match since {
        Some(difference) => changed(&kept, &difference).ok(),
        None => Some(kept),
    };
    Ok(zone.map(|zone| (zone, written)))
}
