//! What has been written and does not lie in its place yet.

use super::{Images, Lying, before_now};
use linux::file::{Beside, append};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use terms::DomainName;

/// What is to lie on disk of a zone from now on, and does not yet: all that takes a while is done, on whichever thread.
/// Whoever keeps the zone [puts](Written::put) it in its place, at one moment; nothing is left of it where nobody does,
/// because the zone was let go of meanwhile.
#[derive(Debug)]
pub(in crate::dns) struct Written {
    pub(super) apex: DomainName,
    pub(super) files: Files,
    pub(super) images: Images,
}

#[derive(Debug)]
pub(super) enum Files {
    /// Another image, of this version, and the journal that leads on from it.
    Image { serial: u32, image: Beside, journal: Beside },
    /// Another journal of the image that is there.
    Journal(Beside),
    /// One more difference for the end of the journal that is there.
    Addition { journal: PathBuf, octets: Vec<u8> },
}

impl Written {
    /// Says of another image how long ago a primary had its version for the last time: otherwise that is now.
    pub(in crate::dns) fn date(&self, age: Duration) -> io::Result<()> {
        match &self.files {
            Files::Image { image, .. } => Ok(image.date(before_now(age))?),
            Files::Journal(_) | Files::Addition { .. } => Ok(()),
        }
    }

    /// Puts it in its place: the last version lies on disk then.
    ///
    /// # Errors
    /// Those of the system. An image may be in its place already, with the journal of the one before.
    pub(in crate::dns) fn put(self) -> io::Result<()> {
        let Written { apex, files, images } = self;
        match files {
            Files::Image { serial, image, journal } => {
                image.put()?;
                images.lying().insert(apex.clone(), Lying { image: Some(serial), is_last: false });
                journal.put()?;
            }
            Files::Journal(journal) => journal.put()?,
            Files::Addition { journal, octets } => append(&journal, &octets)?,
        }
        images.lying().entry(apex).or_default().is_last = true;
        Ok(())
    }
}
