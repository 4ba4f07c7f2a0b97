//! The lines of a recording.

use serde::{Deserialize, Serialize};
use terms::{SiteName, Timestamp, WallTime};

/// The version of the lines that this program writes and reads. Raised whenever a machine or what it can be told
/// changes, because a line of another version could be misread.
pub(crate) const SCHEMA: u32 = 4;

/// The first line: whose recording it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the lines.
    schema: u32,
    /// The version of the program that wrote them.
    pub version: String,
    /// The site.
    pub site: SiteName,
    /// When the process's clock stood at [`Timestamp::ZERO`].
    pub zero: WallTime,
}

impl Header {
    /// The header of recordings that this program writes.
    pub fn new(site: SiteName, zero: WallTime) -> Self {
        Header { schema: SCHEMA, version: env!("CARGO_PKG_VERSION").to_owned(), site, zero }
    }
}

/// Any other line, but for its `seq`, which the writer puts in front.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line<S, M, I> {
    pub(crate) at: Timestamp,
    pub(crate) core: S,
    pub(crate) instance: S,
    #[serde(flatten)]
    pub(crate) what: What<M, I>,
}

/// What a line tells about its machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What<M, I> {
    /// It is this one from here on.
    Begin(M),
    /// So many of its inputs were lost; it begins anew behind this.
    Lost(u64),
    /// It was told this.
    Input(I),
}

/// A line as it is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    #[serde(flatten)]
    pub(crate) line: Line<String, serde_json::Value, serde_json::Value>,
}
