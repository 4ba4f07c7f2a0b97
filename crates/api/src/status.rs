//! `catchment status --json`: what is announced, since when, and why.

use crate::{Blackhole, Continuity, GracefulRestart, Intent, Restart, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use terms::{
    Asn, Attributes, CollectorName, DomainName, GroupName, PeerName, Prefix, Reason, ServiceName, SiteName,
    WallTime,
};
use utoipa::ToSchema;

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

/// One BGP neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Peer {
    /// Its name in the site file.
    pub name: PeerName,
    /// Where it is reached.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Its AS.
    pub asn: Asn,
    /// The state of the session.
    pub state: PeerState,
    /// Since when it has been in this state.
    pub since: WallTime,
    /// What it told us.
    pub received: Received,
    /// What outlives a session with it; none where graceful restart is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_restart: Option<GracefulRestart>,
    /// The BFD session beside it; none where the peer has no BFD.
    pub bfd: Option<Bfd>,
    /// How its TCP connections are guarded.
    #[serde(default, skip_serializing_if = "Transport::is_open")]
    pub transport: Transport,
    /// What both sides can do beside carrying routes of their families, as agreed when the session began; none without
    /// a session. Our own role (RFC 9234) is among it where the neighbour says that it is the counterpart.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// The BFD session that watches the path to a neighbour. Times are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bfd {
    /// Where it is.
    pub state: BfdState,
    /// Since when it has been in this state.
    pub since: WallTime,
    /// Time between our packets, before jitter; none while there are to be none.
    pub interval_us: Option<u64>,
    /// So many missing packets of ours in a row make the neighbour give up.
    pub multiplier: u8,
    /// How long the neighbour may be silent; none while it was not heard.
    pub detection_us: Option<u64>,
    /// How often the path was lost since the daemon started to watch it.
    pub losses: u64,
    /// The longest time by which this machine itself was late.
    pub own_lateness_us: u64,
    /// How often silence was not taken for a lost path because this machine itself was late.
    pub excused: u64,
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

/// How the TCP connections with a peer are guarded; left out where they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transport {
    /// The interface behind which the peer is, where its address is link-local.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// How every segment is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// How many hops away the peer is at most (RFC 5082).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_security: Option<u8>,
}

impl Transport {
    /// Whether there is nothing to say.
    pub fn is_open(&self) -> bool {
        *self == Transport::default()
    }
}

/// How a TCP segment is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// TCP-MD5 (RFC 2385).
    Md5,
    /// TCP-AO (RFC 5925).
    Ao,
}

/// What a peer told us: counted, then dropped unless the site file wants it kept, since a site needs no routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Received {
    /// Routes that were well formed.
    pub accepted: u64,
    /// Attributes that were wrong and could be left out (RFC 7606 section 2, "attribute discard").
    pub discarded_attributes: u64,
    /// Routes whose attributes were so wrong that they count as withdrawn (RFC 7606 section 2).
    pub treated_as_withdraw: u64,
    /// Routes that were taken back.
    #[serde(default)]
    pub withdrawn: u64,
    /// Routes among the accepted that are about to go (GRACEFUL_SHUTDOWN, RFC 8326).
    #[serde(default)]
    pub graceful_shutdown: u64,
    /// Routes among the accepted with our own AS in their path.
    #[serde(default)]
    pub looped: u64,
    /// Routes among the accepted whose prefix is not for the public Internet (RFC 6890).
    #[serde(default)]
    pub martian: u64,
    /// Routes that leaked to us (RFC 9234); they are not among the accepted.
    #[serde(default)]
    pub leaked: u64,
    /// How many prefixes stand announced, where `max_prefixes` bounds them.
    #[serde(default)]
    pub prefixes: Counted,
    /// What is kept of them now; none unless `keep_received` is set.
    #[serde(default)]
    pub kept: Option<Kept>,
}

/// Prefixes that a peer announces now; each path of a prefix counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// IPv4 prefixes; none where there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<u64>,
    /// IPv6 prefixes; none where there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<u64>,
}

/// Routes of a peer that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// IPv4 routes; each path of a prefix is one.
    pub ipv4: u64,
    /// IPv6 routes.
    pub ipv6: u64,
    /// Those of both that were told before the peer began again, and not confirmed yet.
    pub stale: u64,
    /// Different sets of attributes among them.
    pub attributes: u64,
    /// Octets of memory that they take.
    pub octets: u64,
    /// Routes of this session that could not be kept: memory was full, or their prefix has too many paths.
    pub left_out: u64,
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
