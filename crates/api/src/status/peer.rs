//! What is said of a BGP neighbour.

use super::{BfdState, PeerState};
use crate::GracefulRestart;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use terms::{Asn, PeerName, WallTime};
use utoipa::ToSchema;

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
