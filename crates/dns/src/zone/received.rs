//! A zone whose records come from another server.
//!
//! That server is who judges what the zone should be: what is odd is served as it is. Only what could not be served
//! rightly is refused here.

use super::fault::{Flaw, Place};
use super::records::{Records, Sorted};
use super::text::Read;
use super::{compile, digest, rdata, rules};
use crate::image::Zone;
use crate::image::layer::Touched;
use terms::{DomainName, Record};

/// The records of a zone, as they come.
pub struct Received {
    apex: DomainName,
    records: Records,
}

/// The records make no zone that can be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl From<Flaw> for Unusable {
    fn from(flaw: Flaw) -> Self {
        Unusable(flaw.message)
    }
}

impl Received {
    /// A zone of this name, without records yet.
    pub fn new(apex: DomainName) -> Received {
        Received { apex, records: Records::default() }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Its data is none of its type.
    pub fn push(&mut self, record: &Record) -> Result<(), Unusable> {
        let Record { owner, kind, ttl, data } = record;
        if !rdata::is_well_formed(*kind, data) {
            return Err(Unusable(format!("{kind} of {owner}: the octets are not data of this type")));
        }
        let place = Place::default();
        let owner = self.records.owner(owner.as_wire(), place)?;
        self.records.push(owner, *kind, *ttl, place, |octets| {
            octets.extend_from_slice(data);
            Ok(())
        })?;
        Ok(())
    }

    /// Makes the zone, once every record is there.
    ///
    /// # Errors
    /// Something is missing, or the zone cannot be served rightly.
    pub fn finish(self) -> Result<Zone, Unusable> {
        let image = self.judged(|sorted, apex| Ok(compile::compile(sorted, apex.clone())?))?;
        Zone::from_image(image).map_err(|error| Unusable(error.to_string()))
    }

    /// Makes a layer over the image of a zone of which these are all records of the touched names; none when only a new
    /// image will do.
    pub(super) fn lay(self, zone: &Zone, touched: &Touched) -> Result<Option<Zone>, Unusable> {
        self.judged(|sorted, _| Ok(compile::layer::lay(zone, touched, sorted)?))
    }

    fn judged<T>(
        self,
        make: impl FnOnce(&Sorted<'_>, &DomainName) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        let Received { apex, records } = self;
        let read = Read { records, soa_is_written: false };
        let mut flaws = Vec::new();
        let found = rules::find_authority(&read, &mut flaws);
        let key = found.map(|authority| read.records.key(authority.owner()));
        let Some(key) = key.filter(|_| found.is_some_and(|found| read.records.name(found) == apex)) else {
            return Err(flaws
                .pop()
                .map_or_else(|| Unusable("the zone has no SOA record".into()), Unusable::from));
        };
        rules::judge_owners(&read, key, &apex, &mut flaws);
        let sorted = read.records.sort(key);
        rules::judge_received(&sorted, &mut flaws);
        flaws.extend(digest::judge(&sorted, &apex));
        match flaws.into_iter().next() {
            Some(flaw) => Err(flaw.into()),
            None => make(&sorted, &apex),
        }
    }
}
