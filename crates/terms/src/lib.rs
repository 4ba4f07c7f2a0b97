//! The field's vocabulary: values that exist are valid.
//!
//! Every type here parses on construction and cannot be made wrong afterwards, so that no other
//! crate checks the same thing twice. Nothing here does I/O and nothing here decides anything.
#![forbid(unsafe_code)]

mod asn;
mod city;
mod community;
mod domain_name;
mod event;
mod geo;
mod name;
mod prefix;
mod reason;
mod record;
mod record_type;
mod route;
mod schema;
mod shared_key;
mod thousands;
mod time;
mod verdict;

pub use asn::{Asn, AsnError, RouterId, RouterIdError};
pub use city::{City, cities, find_city, nearest_spelling};
pub use community::{Community, CommunityError, ExtendedCommunity, LargeCommunity};
pub use domain_name::{DomainName, DomainNameError};
pub use event::{AlarmChange, AlarmName, Event, Severity};
pub use geo::{CABLE_STRETCH, FIBRE_KM_PER_MS, GeoPoint, GeoPointError};
pub use name::{CollectorName, GroupName, HostName, NameError, PeerName, ServiceName, SiteName};
pub use prefix::{Family, FamilyError, Prefix, PrefixError};
pub use reason::Reason;
pub use record::{Authority, NamesInData, Record};
pub use record_type::{RecordType, RecordTypeError};
pub use route::{Attributes, Origin, RouteSet};
pub use shared_key::{SharedKey, SharedKeyError};
pub use thousands::Thousands;
pub use time::{Timestamp, WallTime};
pub use verdict::{FailKind, Verdict};
