//! `catchment status --json`: what is announced, since when, and why.

mod peer;
mod zone;

use crate::{Blackhole, Continuity, Intent, Restart, Schema};
pub use peer::{Bfd, Counted, Kept, Peer, Received, Signature, Transport};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use terms::{
    Attributes, CollectorName, GroupName, PeerName, Prefix, Reason, ServiceName, SiteName, WallTime,
};
use utoipa::ToSchema;
pub use zone::{Catalog, Secondary, Zone};

/// Words in lower case that are the same in JSON, on the terminal and on the page. A word is a `tt`: utoipa does not
/// see through what a `literal` is wrapped in.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:tt,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word in JSON, on the terminal and on the page.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    )+};
}
pub(crate) use words;

words! {
    /// Where an announcement group stands.
    GroupState {
        /// Started; the service was not yet seen ready.
        Boot = "boot",
        /// Ready; earning the passes that announcing needs.
        Warm = "warm",
        /// Announced.
        Up = "up",
        /// Announced, and the last check failed.
        Suspect = "suspect",
        /// Failed, and announced as the last resort: the fleet does not permit this site to go.
        Held = "held",
        /// Being emptied: announced as the last resort until the users have gone.
        Drain = "drain",
        /// Withdrawn because the service failed, or because it was drained.
        Down = "down",
        /// Withdrawn because an operator said so.
        Off = "off",
    }

    /// How strongly a group is announced.
    Output {
        /// Not at all.
        None = "none",
        /// As the last resort: less preferred, and marked as about to go (GRACEFUL_SHUTDOWN, RFC 8326).
        Gshut = "gshut",
        /// Less preferred than other sites.
        Depref = "depref",
        /// As configured.
        Normal = "normal",
    }

    /// What a peer was told last about a prefix.
    Told {
        /// It has our route.
        Announced = "announced",
        /// It had our route and was told to forget it.
        Withdrawn = "withdrawn",
        /// Nothing in this session.
        None = "none",
    }

    /// What the latest run of a check found.
    CheckResult {
        /// The service answered as it should.
        Pass = "pass",
        /// It did not.
        Fail = "fail",
        /// The check itself could not run.
        Indeterminate = "indeterminate",
    }

    /// The state of a BFD session (RFC 5880 section 6.2).
    BfdState {
        /// An operator does not want it.
        AdminDown = "admin-down",
        /// The neighbour is not heard.
        Down = "down",
        /// The neighbour is heard.
        Init = "init",
        /// Both hear each other.
        Up = "up",
    }

    /// How the connection with a BMP collector stands.
    CollectorState {
        /// The last attempt failed; the next is not due yet.
        Waiting = "waiting",
        /// It is being called.
        Connecting = "connecting",
        /// It is told everything.
        Connected = "connected",
    }

    /// What there is of a zone that comes from other servers.
    SecondaryState {
        /// It has not come yet: SERVFAIL.
        Missing = "missing",
        /// It is served.
        Current = "current",
        /// No primary has answered for too long: SERVFAIL.
        Expired = "expired",
    }

    /// What is made of a catalog.
    CatalogState {
        /// It has not come yet.
        Missing = "missing",
        /// The zones that it lists are those that are there because of it.
        Followed = "followed",
        /// Its last version is not followed, and the zones stay as they are.
        Refused = "refused",
    }

    /// What is done about a zone that comes from other servers.
    SecondaryWork {
        /// Nothing, until it is time.
        Waiting = "waiting",
        /// A primary was asked for its version.
        Asking = "asking",
        /// What has changed is on its way.
        FetchingChanges = "fetching-changes",
        /// All of it is on its way.
        FetchingWhole = "fetching-whole",
    }

    /// The state of a BGP session (RFC 4271 section 8.2.2).
    PeerState {
        /// Not trying.
        Idle = "idle",
        /// Waiting for a TCP connection.
        Connect = "connect",
        /// Waiting to be called, or to try again.
        Active = "active",
        /// OPEN was sent.
        OpenSent = "opensent",
        /// OPEN was received and accepted.
        OpenConfirm = "openconfirm",
        /// Routes are exchanged.
        Established = "established",
    }
}

/// Everything that one site daemon says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Always 1.
    pub schema: Schema,
    /// The site that speaks.
    pub site: SiteName,
    /// Its announcement groups, in the order of the site file.
    pub groups: Vec<Group>,
    /// Its covering prefixes: announced for as long as the daemon lives, whatever the checks say.
    #[serde(default)]
    pub covers: Vec<PrefixStatus>,
    /// Its BGP neighbours, in the order of the site file.
    pub peers: Vec<Peer>,
    /// What peers are asked to drop, the oldest first.
    #[serde(default)]
    pub blackholes: Vec<Blackhole>,
    /// The zones of the built-in DNS service, by service and name.
    #[serde(default)]
    pub zones: Vec<Zone>,
    /// The BMP collectors that are told what happens in the sessions, by name.
    #[serde(default)]
    pub collectors: Vec<Collector>,
    /// The zones of the built-in DNS service that come from other servers.
    #[serde(default)]
    pub secondaries: Vec<Secondary>,
    /// The zones of the built-in DNS service that list others.
    #[serde(default)]
    pub catalogs: Vec<Catalog>,
    /// How connections are looked after that routing moves to another site; none if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<Continuity>,
    /// Every alarm that stands, of the groups and of the daemon itself.
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// The last time that another program took over, or could not; none since the process began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
}

/// Something that is wrong and stays wrong until it is cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alarm {
    /// A short stable word in kebab-case, also the metric's label.
    pub kind: String,
    /// Whom it is about: a group, a peer, a prefix; empty for the daemon itself.
    pub subject: String,
    /// Since when.
    pub since: WallTime,
    /// One sentence.
    pub text: Reason,
}

/// Prefixes that go up and down together, and the services behind them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// The services that it stands for.
    pub services: Vec<ServiceName>,
    /// Where it stands.
    pub state: GroupState,
    /// How strongly it is announced.
    pub output: Output,
    /// Since when it has been in this state.
    pub since: WallTime,
    /// Why it is in this state.
    pub reason: Reason,
    /// What an operator has ordered about it; a daemon that takes no orders says nothing.
    #[serde(default)]
    pub intent: Intent,
    /// What is wrong and stays wrong until it is cleared.
    pub alarms: Vec<Reason>,
    /// What each peer was told about each of its prefixes.
    pub prefixes: Vec<PrefixStatus>,
    /// The checks that decide.
    pub checks: Vec<Check>,
}

/// One prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PrefixStatus {
    /// The prefix.
    pub prefix: Prefix,
    /// What each peer was told about it.
    pub peers: Vec<ToldPeer>,
}

/// What one peer was told about one prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToldPeer {
    /// The peer.
    pub peer: PeerName,
    /// What it was told last.
    pub told: Told,
    /// The attributes it has; none unless announced.
    pub attributes: Option<Attributes>,
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// The service it asks.
    pub service: ServiceName,
    /// Its own name, such as `dns example. SOA`.
    pub name: String,
    /// What the latest run found; none before the first.
    pub last: Option<CheckResult>,
    /// How many runs in a row found that.
    pub run: u32,
    /// Why it did not pass, unless it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it saw beside that, such as the output of a program: several lines at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// A BMP collector (RFC 7854).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Collector {
    /// Its name in the site file.
    pub name: CollectorName,
    /// Where it is reached.
    #[schema(value_type = String)]
    pub address: SocketAddr,
    /// How the connection stands.
    pub state: CollectorState,
    /// Since when.
    pub since: WallTime,
    /// Why there was none last; none while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Messages that it was sent, on all connections.
    pub messages: u64,
    /// Their octets.
    pub octets: u64,
    /// Octets that wait for it now.
    pub waiting: u64,
    /// How often it was hung up on because more waited than may.
    pub overflows: u64,
}
