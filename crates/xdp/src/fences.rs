//! The tables that fences are made of, with handles of their own: whoever hands a connection over waits for nobody who reads
//! or writes others meanwhile.

use crate::layout::{self, FLOW_LEN, PASSAGE_LEN};
use crate::load::missing;
use crate::{Continuity, Error};
use aya::maps::{Array, HashMap, Map, MapData, MapError, RingBuf};
use continuity::Flow;
use continuity::search::Learned;
use std::collections::BTreeSet;
use std::fmt;
use std::os::fd::AsFd;
use terms::Timestamp;

/// Held packets that are taken at once: as many as there is room for.
const MOST_AT_ONCE: usize = 1024;

/// Flows whose packets are held, the packets, and where they go then.
pub struct Fences {
    fenced: HashMap<MapData, [u8; FLOW_LEN], u64>,
    learned: HashMap<MapData, [u8; FLOW_LEN], [u8; PASSAGE_LEN]>,
    held: RingBuf<MapData>,
    /// `fences` of `ebpf/tables.h`, the only variable that the programs have.
    number: Array<MapData, u32>,
    /// Those that are up, or have come to their own end.
    up: BTreeSet<Flow>,
}

/// The table of the variables that begin as zero, as compilers call it.
const VARIABLES: &str = ".bss";

impl fmt::Debug for Fences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fences").finish_non_exhaustive()
    }
}

impl Continuity {
    /// The tables of fences. One at a time: what one has taken out, another one does not see.
    pub fn fences(&self) -> Result<Fences, Error> {
        Ok(Fences {
            fenced: HashMap::try_from(self.second_handle("fenced")?).map_err(Error::unfit("fenced"))?,
            learned: HashMap::try_from(self.second_handle("learned")?).map_err(Error::unfit("learned"))?,
            held: RingBuf::try_from(self.second_handle("held")?).map_err(Error::unfit("held"))?,
            number: Array::try_from(self.second_handle(VARIABLES)?).map_err(Error::unfit(VARIABLES))?,
            up: BTreeSet::new(),
        })
    }

    /// The same table of the kernel, once more.
    pub(crate) fn second_handle(&self, name: &'static str) -> Result<Map, Error> {
        let (table, kind): (&MapData, fn(MapData) -> Map) = match self.ebpf.map(name) {
            Some(Map::HashMap(table)) => (table, Map::HashMap),
            Some(Map::LruHashMap(table)) => (table, Map::LruHashMap),
            Some(Map::RingBuf(table)) => (table, Map::RingBuf),
            Some(Map::Array(table)) => (table, Map::Array),
            _ => return Err(missing(name)),
        };
        let duplicate = table.fd().as_fd().try_clone_to_owned();
        let unfit =
            |error: &dyn fmt::Display| Error::Unfit { what: name.to_owned(), reason: error.to_string() };
        let descriptor = duplicate.map_err(|error| unfit(&error))?;
        Ok(kind(MapData::from_fd(descriptor).map_err(|error| unfit(&error))?))
    }
}

impl Fences {
    /// Sends the packets of a flow to a site that is known to own it; the time is the kernel's monotonic clock's.
    pub fn learn(&mut self, flow: &Flow, learned: Learned) -> Result<(), Error> {
        self.learned
            .insert(flow.octets(), layout::passage(learned), 0)
            .map_err(Error::table("write a learned flow"))
    }

    /// Holds the packets of a flow until then (the kernel's monotonic clock), or until the fence is taken down.
    pub fn fence(&mut self, flow: &Flow, until: Timestamp) -> Result<(), Error> {
        self.up.insert(*flow);
        self.tell_number()?;
        self.fenced.insert(flow.octets(), until.as_nanos(), 0).map_err(Error::table("put up a fence"))
    }

    /// Takes a fence down. One that is not there is down.
    pub fn unfence(&mut self, flow: &Flow) -> Result<(), Error> {
        match self.fenced.remove(&flow.octets()) {
            Err(MapError::KeyNotFound) | Ok(()) => {}
            Err(error) => return Err(Error::table("take a fence down")(error)),
        }
        self.up.remove(flow);
        self.tell_number()
    }

    fn tell_number(&mut self) -> Result<(), Error> {
        let number = u32::try_from(self.up.len()).unwrap_or(u32::MAX);
        self.number.set(0, number, 0).map_err(Error::table("write the number of fences"))
    }

    /// Takes the packets that were held, in the order in which they came.
    pub fn held(&mut self) -> Vec<(Flow, Vec<u8>)> {
        let mut packets = Vec::new();
        // While many arrive, the list ends all the same.
        while packets.len() < MOST_AT_ONCE
            && let Some(item) = self.held.next()
        {
            packets.extend(layout::read_held(&item));
        }
        packets
    }
}
