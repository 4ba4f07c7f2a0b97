//! What the cables of a world end in.

use clap::{Args, ValueEnum};
use lab::Ends;

/// What the cables of a world end in.
#[derive(Debug, Args)]
pub(crate) struct Cables {
    /// What cables end in
    #[arg(long = "cables", value_name = "KIND", value_enum, default_value = "auto")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// TUN devices where /dev/net/tun opens, otherwise virtual Ethernet
    Auto,
    /// TUN devices
    Tun,
    /// Virtual Ethernet, its far ends held by packet sockets
    Veth,
}

impl From<Cables> for Ends {
    fn from(cables: Cables) -> Ends {
        match cables.kind {
            Kind::Auto => Ends::Auto,
            Kind::Tun => Ends::Tun,
            Kind::Veth => Ends::Veth,
        }
    }
}
