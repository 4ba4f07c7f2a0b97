//! What is said of the zones of the built-in DNS service.

use super::{CatalogState, SecondaryState, SecondaryWork};
use serde::{Deserialize, Serialize};
use terms::{DomainName, Reason, ServiceName, WallTime};
use utoipa::ToSchema;

/// A zone that the built-in DNS service serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Zone {
    /// The service.
    pub service: ServiceName,
    /// The zone's name, with a dot at its end.
    pub name: String,
    /// Its serial number.
    pub serial: u32,
    /// When the first of its signatures ends; none if it has none.
    pub signatures_end: Option<WallTime>,
}

/// A zone of the built-in DNS service that comes from other servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Secondary {
    /// Whose it is.
    pub service: ServiceName,
    /// Its name.
    #[schema(value_type = String)]
    pub name: DomainName,
    /// The catalog that lists it; none where the site file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub catalog: Option<DomainName>,
    /// The version that there is, served or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// What there is of it.
    pub state: SecondaryState,
    /// What is done about it.
    pub work: SecondaryWork,
    /// Since when.
    pub since: WallTime,
    /// When a primary is asked next; none while one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<WallTime>,
    /// When it expires, or did; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<WallTime>,
    /// What went wrong with the last primary that was asked; none since one answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A zone that lists others (RFC 9432), which the built-in DNS service has because of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Catalog {
    /// Whose it is.
    pub service: ServiceName,
    /// Its name.
    #[schema(value_type = String)]
    pub name: DomainName,
    /// The version that is followed; none before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// How many zones are there because of it.
    pub members: u64,
    /// What is made of its last version.
    pub state: CatalogState,
    /// Since when.
    pub since: WallTime,
    /// Why the last version is not followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
