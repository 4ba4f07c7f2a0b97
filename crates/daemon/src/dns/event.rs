//! What there is to tell of zones that come from other servers, or go to them, and of catalogs that list them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use terms::{AlarmChange, AlarmName, DomainName, Reason, Severity};
use transfer::{Fate, Owner};

/// Something that happened to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Another version has come from a primary and is served.
    Received {
        /// The version.
        serial: u32,
        /// Which primary.
        primary: SocketAddr,
    },
    /// A primary was asked in vain.
    NotReceived {
        /// Which primary.
        primary: SocketAddr,
        /// What went wrong.
        reason: Reason,
    },
    /// No primary has said for too long whether the zone is still right; it is answered with SERVFAIL.
    Expired {
        /// How long it may be served without that, at most.
        after: Duration,
    },
    /// A primary has answered, and the zone is served again.
    Revived,
    /// The site file has it no more; it had expired.
    Left,
    /// The zone's image is not on disk.
    NotKept {
        /// What the system said.
        reason: Reason,
    },
    /// Some of what changed before this program was started is not known.
    JournalLost {
        /// What is wrong with the file.
        reason: Reason,
    },
    /// Another server does not hear that there is another version.
    Untold {
        /// The version.
        serial: u32,
        /// Which server.
        secondary: SocketAddr,
        /// What went wrong.
        reason: Reason,
    },
    /// A version of a catalog is followed.
    CatalogFollowed {
        /// The version.
        serial: u32,
        /// What becomes of which zones.
        fates: BTreeMap<Fate, Vec<DomainName>>,
    },
    /// A version of a catalog is not followed; its zones stay as they are.
    CatalogRefused {
        /// The version.
        serial: u32,
        /// Why.
        reason: Reason,
    },
    /// A catalog lists a zone that is there for another reason.
    CatalogClash {
        /// The zone.
        zone: DomainName,
        /// Whose it is.
        owner: Owner,
    },
    /// The site file has a catalog no more.
    CatalogLeft {
        /// How many zones were there because of it.
        zones: usize,
    },
    /// Not all of what an earlier process has noted of catalogs can be read.
    MembersLost {
        /// What is wrong with the file.
        reason: Reason,
    },
    /// Which zones catalogs list is not on disk.
    MembersNotKept {
        /// What the system said.
        reason: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Received { .. } => "zone-received",
            Event::NotReceived { .. } => "zone-not-received",
            Event::Expired { .. } => "zone-expired",
            Event::Revived => "zone-revived",
            Event::Left => "zone-left",
            Event::NotKept { .. } => "zone-not-kept",
            Event::JournalLost { .. } => "zone-journal-lost",
            Event::Untold { .. } => "zone-untold",
            Event::CatalogFollowed { .. } => "catalog-followed",
            Event::CatalogRefused { .. } => "catalog-refused",
            Event::CatalogClash { .. } => "catalog-clash",
            Event::CatalogLeft { .. } => "catalog-left",
            Event::MembersLost { .. } => "members-lost",
            Event::MembersNotKept { .. } => "members-not-kept",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Received { .. } => Severity::Info,
            Event::CatalogFollowed { fates, .. } if fates.is_empty() => Severity::Info,
            Event::Revived | Event::Left | Event::CatalogFollowed { .. } | Event::CatalogLeft { .. } => {
                Severity::Notice
            }
            Event::NotReceived { .. }
            | Event::NotKept { .. }
            | Event::JournalLost { .. }
            | Event::Untold { .. }
            | Event::CatalogClash { .. }
            | Event::MembersLost { .. }
            | Event::MembersNotKept { .. } => Severity::Warning,
            Event::Expired { .. } | Event::CatalogRefused { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let expired = || AlarmName::only("zone-expired");
        let refused = || AlarmName::only("catalog-refused");
        match self {
            Event::Expired { .. } => Some(AlarmChange::Raised(expired())),
            Event::Revived | Event::Left => Some(AlarmChange::Cleared(expired())),
            Event::CatalogRefused { .. } => Some(AlarmChange::Raised(refused())),
            Event::CatalogFollowed { .. } | Event::CatalogLeft { .. } => {
                Some(AlarmChange::Cleared(refused()))
            }
            Event::Received { .. }
            | Event::NotReceived { .. }
            | Event::NotKept { .. }
            | Event::JournalLost { .. }
            | Event::Untold { .. }
            | Event::CatalogClash { .. }
            | Event::MembersLost { .. }
            | Event::MembersNotKept { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Received { serial, primary } => write!(f, "serial {serial} has come from {primary}"),
            Event::NotReceived { primary, reason } => write!(f, "{primary}: {reason}"),
            Event::Expired { after } => write!(
                f,
                "expired: no primary has answered for {} s, so it is answered with SERVFAIL until one does",
                after.as_secs()
            ),
            Event::Revived => f.write_str("a primary has answered, it is served again"),
            Event::Left => f.write_str("the site file does not have it any more"),
            Event::NotKept { reason } => {
                write!(f, "it cannot be kept on disk, a restart may have to fetch it: {reason}")
            }
            Event::JournalLost { reason } => write!(
                f,
                "what its journal has lost comes again, and whoever asks for those changes gets the whole zone: {reason}"
            ),
            Event::Untold { serial, secondary, reason } => {
                write!(f, "{secondary} does not hear of serial {serial}: {reason}")
            }
            Event::CatalogFollowed { serial, fates } => {
                write!(f, "the catalog's serial {serial} is followed: {}", Fates(fates))
            }
            Event::CatalogRefused { serial, reason } => {
                write!(
                    f,
                    "the catalog's serial {serial} is not followed, and its zones stay as they are: {reason}"
                )
            }
            Event::CatalogClash { zone, owner: Owner::SiteFile(apex) } if apex == zone => {
                write!(f, "it lists {zone}, which the site file names: that holds")
            }
            Event::CatalogClash { zone, owner: Owner::SiteFile(apex) } => write!(
                f,
                "it lists {zone}, which is a name in {apex} of the site file, so it is not taken: if it is a zone of \
                 its own, name it in the site file"
            ),
            Event::CatalogClash { zone, owner: Owner::Catalog(catalog) } => write!(
                f,
                "it lists {zone}, which the catalog {catalog} has: it stays there until that lets go of it"
            ),
            Event::CatalogLeft { zones } => {
                write!(f, "the site file does not have the catalog any more, nor its {zones} zones")
            }
            Event::MembersLost { reason } => write!(
                f,
                "the list of the zones of catalogs cannot be read in full, so a zone that is missing in it waits for its \
                 catalog: {reason}"
            ),
            Event::MembersNotKept { reason } => write!(
                f,
                "the list of the zones of catalogs cannot be kept on disk, a restart will make it anew: {reason}"
            ),
        }
    }
}

/// What becomes of zones, in words; of many only some are named.
struct Fates<'f>(&'f BTreeMap<Fate, Vec<DomainName>>);

/// How many zones are named.
const NAMED: usize = 4;

impl fmt::Display for Fates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no zone comes or goes");
        }
        for (index, (fate, zones)) in self.0.iter().enumerate() {
            let word = match fate {
                Fate::Added => "new",
                Fate::Removed => "gone",
                Fate::Left => "left",
                Fate::Reset => "begun anew",
                Fate::Moved => "taken over",
                Fate::Regrouped => "of another group",
            };
            let names: Vec<String> = zones.iter().take(NAMED).map(DomainName::to_string).collect();
            let more = if zones.len() > NAMED { ", ..." } else { "" };
            let comma = if index > 0 { "; " } else { "" };
            write!(f, "{comma}{} {word} ({}{more})", zones.len(), names.join(", "))?;
        }
        Ok(())
    }
}
