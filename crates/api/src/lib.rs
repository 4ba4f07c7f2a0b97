//! The JSON that leaves the program: what the control socket, the page, the files and `--json` say.
//!
//! Every document carries `"schema": 1`. Keys may be added; none is renamed or removed without raising it. Nothing
//! here decides anything: the daemon and the lab fill these types, the [client] and the page read them.
#![forbid(unsafe_code)]

mod blackhole;
pub mod client;
mod command;
mod continuity;
mod delivery;
mod event;
mod explanation;
mod fleet;
mod flow;
mod graceful_restart;
mod live;
pub mod minute;
mod node;
pub mod openapi;
mod order;
mod picture;
mod reload;
mod restart;
pub mod route;
mod schema;
mod status;

pub use blackhole::{Blackhole, BlackholeAnswer, BlackholeOrder, BlackholeOrderKind, BlackholePeer};
pub use command::{Command, Done, FaultKind, Offer, Refusal};
pub use continuity::{
    Continuity, ContinuityInterface, ContinuityState, CooperatingService, Flow, FlowTotal, Flows, HandedOver,
    InterfaceMode, Owner, OwnerState,
};
pub use delivery::{Delivery, Host, Lan, Method, MulticastGroup, Receipt, Sent};
pub use event::{EventList, EventRow};
pub use explanation::{Explanation, HeardRoute, PeerHeard, PeerTold};
pub use fleet::{
    AwayCause, FleetGroup, FleetHost, FleetMember, FleetOrder, FleetOrderKind, FleetStatus, HostGroup,
    HostZone, PermitHeld, StoreState,
};
pub use flow::{ExplainedFlow, FlowExplanation, NextPacket};
pub use graceful_restart::{GracefulRestart, PeerRestart};
pub use live::{Live, Outcome, Sample};
pub use minute::LastMinute;
pub use node::{Node, NodeKind, NodeList};
pub use order::{
    GroupChange, Intent, IntentKind, Later, Order, OrderKind, Ordered, PermitState, RouteChange, Stand,
    Survivors,
};
pub use picture::{
    Cable, CableState, Client, Detour, DetourKind, Fault, Forward, Nearest, Picture, PictureKind, Router,
    Service, Site,
};
pub use reload::{ReloadAnswer, ReloadChange, ReloadOrder, ReloadVerdict};
pub use restart::{Restart, RestartAnswer, RestartOutcome, RestartVerdict};
pub use schema::Schema;
pub use status::{
    Alarm, Bfd, BfdState, Catalog, CatalogState, Check, CheckResult, Collector, CollectorState, Counted,
    Group, GroupState, Kept, Output, Peer, PeerState, PrefixStatus, Received, Secondary, SecondaryState,
    SecondaryWork, Signature, Status, Told, ToldPeer, Transport, Zone,
};
