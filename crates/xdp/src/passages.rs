//! The flows that are forwarded and those that are received, with handles of their own: a walk through full tables takes long,
//! and nobody has to wait for it.

use crate::layout::{self, FLOW_LEN, PASSAGE_LEN};
use crate::tables::entries;
use crate::{Continuity, Error};
use aya::maps::{HashMap, MapData};
use continuity::{Flow, SiteNumber};
use std::fmt;
use terms::Timestamp;

/// The packets of one flow, to another site or from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The flow.
    pub flow: Flow,
    /// The other site.
    pub site: SiteNumber,
    /// When the first came, on the kernel's monotonic clock.
    pub since: Timestamp,
    /// When the last came.
    pub seen: Timestamp,
    /// So many came.
    pub packets: u64,
    /// Whether the other site's filter has had the flow; never of those that come from there.
    pub is_confirmed: bool,
}

impl Passage {
    /// None for a site that there cannot be.
    pub(crate) fn read(flow: Flow, octets: &[u8; PASSAGE_LEN]) -> Option<Self> {
        let ([since, seen, packets], site, is_confirmed) = layout::read_passage(octets);
        let [since, seen] = [since, seen].map(Timestamp::from_nanos);
        Some(Passage { flow, site: SiteNumber::try_from(site).ok()?, since, seen, packets, is_confirmed })
    }
}

/// The tables of all of them.
pub struct Passages {
    learned: Table,
    received: Table,
}

type Table = HashMap<MapData, [u8; FLOW_LEN], [u8; PASSAGE_LEN]>;

impl fmt::Debug for Passages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passages").finish_non_exhaustive()
    }
}

impl Continuity {
    /// The tables of the flows that are forwarded and of those that are received.
    pub fn passages(&self) -> Result<Passages, Error> {
        let table = |name| Table::try_from(self.second_handle(name)?).map_err(Error::unfit(name));
        Ok(Passages { learned: table("learned")?, received: table("received")? })
    }

    /// Flows whose packets go to another site.
    pub fn forwarded(&self) -> Result<Vec<Passage>, Error> {
        self.passages()?.forwarded()
    }

    /// Flows of this host whose packets come from another site.
    pub fn received(&self) -> Result<Vec<Passage>, Error> {
        self.passages()?.received()
    }
}

impl Passages {
    /// Flows whose packets go to another site.
    pub fn forwarded(&self) -> Result<Vec<Passage>, Error> {
        walk(&self.learned)
    }

    /// Flows of this host whose packets come from another site.
    pub fn received(&self) -> Result<Vec<Passage>, Error> {
        walk(&self.received)
    }
}

fn walk(table: &Table) -> Result<Vec<Passage>, Error> {
    let mut passages = Vec::new();
    // A walk begins anew where a flow goes in the middle of it, and need not end while many come and go.
    for row in table.iter().take(entries(table)? as usize) {
        let (flow, passage) = row.map_err(Error::table("read a flow"))?;
        passages.extend(Passage::read(Flow::of_octets(&flow), &passage));
    }
    passages.sort_by_key(|passage| passage.flow);
    passages.dedup_by_key(|passage| passage.flow);
    Ok(passages)
}
