//! What cables end in.

use crate::shortfall::Shortfall;
use linux::panel::Panel;
use linux::{Result, tun};
use serde::{Deserialize, Serialize};

/// What cables end in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ends {
    /// TUN devices where they can be made, otherwise virtual Ethernet.
    #[default]
    Auto,
    /// TUN devices.
    Tun,
    /// Virtual Ethernet, its far ends held by packet sockets.
    Veth,
}

impl Ends {
    /// A panel of this kind, and what is lacking if it is not the best one.
    pub(crate) fn panel(self) -> Result<(Panel, Option<Shortfall>)> {
        match (self, tun::available()) {
            (Ends::Auto | Ends::Tun, Ok(())) => Ok((Panel::Tun, None)),
            (Ends::Auto, Err(lacking)) => Ok((Panel::veth()?, Some(Shortfall::NoTun(lacking)))),
            (Ends::Tun, Err(lacking)) => Err(lacking),
            (Ends::Veth, _) => Ok((Panel::veth()?, None)),
        }
    }
}
