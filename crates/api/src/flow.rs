//! `catchment explain CLIENT [SERVICE] --json`: where the packets of a connection go, and why.

use crate::status::words;
use crate::{Flow, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use terms::{Reason, SiteName};
use utoipa::ToSchema;

words! {
    /// What becomes of the next packet of a connection.
    NextPacket {
        /// The socket of this host takes it.
        Passes = "passes",
        /// It goes to another site.
        Forwarded = "forwarded",
        /// It waits: the connection is being handed over.
        Held = "held",
        /// The host answers it with a reset: the site that had the connection is dead.
        Reset = "reset",
        /// Nobody gets it.
        Dropped = "dropped",
    }
}

/// Connections of one client explained, as one site sees them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowExplanation {
    /// Always 1.
    pub schema: Schema,
    /// The site that speaks.
    pub site: SiteName,
    /// The one that was asked for, or every one of the client that is known here.
    pub flows: Vec<ExplainedFlow>,
}

/// One connection explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedFlow {
    /// The client's end.
    #[schema(value_type = String)]
    pub client: SocketAddr,
    /// The service's end.
    #[schema(value_type = String)]
    pub service: SocketAddr,
    /// The site that has it, as far as that is known here; none also while it is being handed over.
    pub owner: Option<SiteName>,
    /// What would become of its next packet, if it arrived here.
    pub next: NextPacket,
    /// Where that packet would go; none unless to another site.
    pub to: Option<SiteName>,
    /// How that is known; docs/reference/continuity.md says what each word means.
    pub verdict: String,
    /// The same in a sentence.
    pub reason: Reason,
    /// The other sites that say that they have it. A site is wrong about one of 200 that it has not.
    pub claimed_by: Vec<SiteName>,
    /// The site that had the last connection known of the client's prefix.
    pub last_owner: Option<SiteName>,
    /// Its packets that went from here to another site.
    pub forwarded: Option<Flow>,
    /// Its packets that came here from another site.
    pub received: Option<Flow>,
}
