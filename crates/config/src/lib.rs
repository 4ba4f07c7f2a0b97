//! The site file: as written, to valid settings of each core, or every fault with its line, column and a hint.
//!
//! ```text
//!   site.toml --> Document --> one module per section --> whole-file checks --> SiteFile
//!                    |           site  peer (policy)            grouping  group
//!                    |           service (check, built_in_dns)  consistency  fleet
//!                    |           group_section (fold, drain)  api  bmp  continuity
//!                    +---------- faults of all of them ----------------------> Faults
//! ```
//! A section's module holds the type that its section becomes and the function that reads it. What a section cannot
//! know by itself is checked over the whole file afterwards.
#![forbid(unsafe_code)]

mod api;
mod bmp;
mod built_in_dns;
mod catalog;
mod check;
mod consistency;
mod continuity;
mod dnstap;
mod drain;
mod fleet;
mod fold;
mod group;
mod group_section;
mod grouping;
mod octets;
mod peer;
mod policy;
mod rate_limit;
mod resolver;
mod secret_file;
mod service;
mod site;
mod site_file;
mod socket_path;
mod unique;
mod zone_transfers;

pub use api::Api;
pub use bmp::Collector;
pub use built_in_dns::{BuiltInDns, DnsTls, TicketKey, TicketKeyError};
pub use catalog::{Catalog, Members};
pub use check::{Command, Issuers, Probe, Question, ServerCertificate, Way};
pub use continuity::{Continuity, Services};
pub use dns::Zone;
pub use dnstap::DnstapOutput;
pub use fleet::{Endpoint, EndpointError, Fleet, Login, Tls};
pub use group::Group;
pub use peer::{
    AoAlgorithm, AoKey, Bfd, Blackhole, InterfaceName, NextHop, Peer, PeerAddress, PeerAddressError,
    Relation, Signature, Transport,
};
pub use policy::{Labels, Policy};
pub use resolver::Resolver;
pub use service::Service;
pub use site::{Place, Site};
pub use site_file::{SiteFile, load, parse};
pub use zone_transfers::{Server, ZoneTransfers};
