//! What a world needs whose sites look after connections that routing moves: the place where daemons pin their programs,
//! and LANs as they are on a wire.

use crate::machine::Machine;
use crate::plan::{Cable, Medium, Plan, Purpose};
use linux::veth::Receiver;
use linux::{Error, Result, mount, offload};
use std::fs;
use std::path::{Path, PathBuf};

/// A file system for BPF of the world's own: it goes with the world, and with it every program.
const PINS: &str = "/run/bpf";

/// Where a host's daemon pins.
pub(crate) fn pins_of(host: &str) -> PathBuf {
    Path::new(PINS).join(host)
}

/// Makes the place for the pins, and the LANs of the sites so that programs see on them what they would see on a wire.
/// To be called before any daemon runs. What comes back has to be kept for as long as the world is there.
pub(crate) fn prepare(plan: &Plan, machines: &[Machine]) -> Result<Vec<Receiver>> {
    fs::create_dir_all(PINS).map_err(|error| Error::new(format!("make {PINS}"), error))?;
    mount::bpf(Path::new(PINS))?;
    let lans =
        plan.cables.iter().filter(|cable| cable.purpose == Purpose::SiteLan && cable.medium == Medium::Lan);
    let receiver = |cable: &Cable| {
        let [router, _host] = &cable.ends;
        machines[router.node.0].namespace.run(|| {
            // Checksums are in the packets, as on a wire.
            offload::set_transmit_checksum(&router.interface, false)?;
            Receiver::at(&router.interface)
        })?
    };
    lans.map(receiver).collect()
}
