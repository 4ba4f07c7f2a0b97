//! Fences in the kernel: who hands a connection over holds its packets, and says then whose they are.

use super::view::machine_time;
use ::continuity::{Flow, SiteNumber};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use xdp::{Continuity, Error};

/// Packets of one flow that are kept: more would not fit into a client's window.
const MOST: usize = 1024;

/// The tables of the programs, as far as fences need them. Copies are of the same tables.
#[derive(Clone, Debug)]
pub(crate) struct Fences {
    pub(super) loaded: Arc<Mutex<Option<Continuity>>>,
    held: Arc<Mutex<BTreeMap<Flow, Vec<Vec<u8>>>>>,
}

impl Fences {
    pub(crate) fn new(loaded: Arc<Mutex<Option<Continuity>>>) -> Self {
        Fences { loaded, held: Arc::default() }
    }

    /// Holds the packets of a flow, for so long at most; false where there are no programs.
    pub(crate) fn fence(&self, flow: &Flow, lasts: Duration) -> Result<bool, Error> {
        let mut loaded = lock(&self.loaded);
        let Some(programs) = loaded.as_mut() else { return Ok(false) };
        lock(&self.held).insert(*flow, Vec::new());
        programs.fence(flow, machine_time() + lasts)?;
        Ok(true)
    }

    /// Its packets go to a site from now on, once no socket here has it.
    pub(crate) fn learn(&self, flow: &Flow, site: SiteNumber) -> Result<(), Error> {
        lock(&self.loaded).as_mut().map_or(Ok(()), |programs| programs.learn(flow, site, machine_time()))
    }

    /// Takes the packets of a flow that were held, in the order in which they came.
    pub(crate) fn take_held(&self, flow: &Flow) -> Result<Vec<Vec<u8>>, Error> {
        let mut loaded = lock(&self.loaded);
        let packets = loaded.as_mut().map_or(Ok(Vec::new()), Continuity::held)?;
        let mut held = lock(&self.held);
        for (flow, packet) in packets {
            // What nobody waits for any more is sent again by its client.
            if let Some(kept) = held.get_mut(&flow).filter(|kept| kept.len() < MOST) {
                kept.push(packet);
            }
        }
        Ok(held.get_mut(flow).map(std::mem::take).unwrap_or_default())
    }

    /// Takes the fence down; answers the packets that were held until then.
    pub(crate) fn unfence(&self, flow: &Flow) -> Result<Vec<Vec<u8>>, Error> {
        lock(&self.loaded).as_mut().map_or(Ok(()), |programs| programs.unfence(flow))?;
        let last = self.take_held(flow)?;
        lock(&self.held).remove(flow);
        Ok(last)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
