//! Fences in the kernel: who hands a connection over holds its packets, and says then whose they are.

use super::view::machine_time;
use ::continuity::search::Learned;
use ::continuity::{Flow, SiteNumber};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use xdp::Error;

/// Packets of one flow that are kept: more would not fit into a client's window.
const MOST: usize = 1024;

/// Octets of all packets that are kept at the same time.
const MOST_OCTETS: usize = 16 << 20;

/// The fences of this host. Copies are the same.
///
/// The thread of handing over, which must not stand still, shares nothing else with the thread that tells the programs
/// what the fleet knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fences(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    /// None where there are no programs.
    kernel: Option<xdp::Fences>,
    held: BTreeMap<Flow, Vec<Vec<u8>>>,
    /// So many octets are in them.
    octets: usize,
}

impl Fences {
    /// The programs are there, or they are not any more.
    pub(crate) fn follow(&self, kernel: Option<xdp::Fences>) {
        *lock(&self.0) = Tables { kernel, ..Tables::default() };
    }

    /// Holds the packets of a flow, for so long at most; false where there are no programs.
    pub(crate) fn fence(&self, flow: &Flow, lasts: Duration) -> Result<bool, Error> {
        let mut tables = lock(&self.0);
        let Some(kernel) = &mut tables.kernel else { return Ok(false) };
        kernel.fence(flow, machine_time() + lasts)?;
        tables.held.insert(*flow, Vec::new());
        Ok(true)
    }

    /// Its packets go to a site from now on, once no socket here has it.
    pub(crate) fn learn(&self, flow: &Flow, site: SiteNumber) -> Result<(), Error> {
        lock(&self.0)
            .kernel
            .as_mut()
            .map_or(Ok(()), |kernel| kernel.learn(flow, Learned::sent(site, machine_time())))
    }

    /// Takes the packets of a flow that were held, in the order in which they came.
    pub(crate) fn take_held(&self, flow: &Flow) -> Vec<Vec<u8>> {
        lock(&self.0).take_held(flow)
    }

    /// Takes the fence down; answers the packets that were held until then. Where the kernel refuses, it ends by itself.
    pub(crate) fn unfence(&self, flow: &Flow) -> Vec<Vec<u8>> {
        let mut tables = lock(&self.0);
        if let Some(kernel) = &mut tables.kernel {
            let _ = kernel.unfence(flow);
        }
        let last = tables.take_held(flow);
        tables.held.remove(flow);
        last
    }
}

impl Tables {
    fn take_held(&mut self, flow: &Flow) -> Vec<Vec<u8>> {
        for (flow, packet) in self.kernel.as_mut().map(xdp::Fences::held).unwrap_or_default() {
            self.keep(&flow, packet);
        }
        let taken = self.held.get_mut(flow).map(std::mem::take).unwrap_or_default();
        self.octets -= taken.iter().map(Vec::len).sum::<usize>();
        taken
    }

    /// What there is no room for, and what nobody waits for any more, is sent again by its client.
    fn keep(&mut self, flow: &Flow, packet: Vec<u8>) {
        let has_room = self.octets + packet.len() <= MOST_OCTETS;
        if let Some(kept) = self.held.get_mut(flow).filter(|kept| has_room && kept.len() < MOST) {
            self.octets += packet.len();
            kept.push(packet);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
