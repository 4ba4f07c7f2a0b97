//! Who speaks in a record.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{HostName, SiteName};

/// One host of one site: whoever announces, and changes its own lines of the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Speaker {
    /// The site.
    pub site: SiteName,
    /// The machine.
    pub host: HostName,
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.host)
    }
}
