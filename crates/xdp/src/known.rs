//! What the programs know of one flow: read from their tables, so that the search can be asked what they would do.

use crate::layout::{FLOW_LEN, PASSAGE_LEN};
use crate::load::missing;
use crate::{Continuity, Error, Passage};
use aya::Pod;
use aya::maps::{Array, HashMap, MapError};
use continuity::explain::prefix_of;
use continuity::search::{Budgets, Knowledge, Learned};
use continuity::{Budget, Flow, Settings, SiteNumber};
use terms::Timestamp;

/// What is known of a flow.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What the search goes by, but for the sockets of this host, which the kernel looks up.
    pub knowledge: Knowledge,
    /// Its packets that went to another site; none: it was not found before.
    pub forwarded: Option<Passage>,
    /// Its packets that came from another site.
    pub received: Option<Passage>,
}

impl Continuity {
    /// What the programs were told last by this process; none while everything passes.
    pub fn told(&self) -> Option<&Settings> {
        self.told.as_ref()
    }

    /// What the programs know of a flow. Asking changes nothing, not even what the kernel thinks to be used.
    pub fn known_of(&self, flow: &Flow) -> Result<Known, Error> {
        let octets = flow.octets();
        let passage = |name| {
            let row = self.row::<[u8; FLOW_LEN], [u8; PASSAGE_LEN]>(name, &octets)?;
            Ok(row.and_then(|row| Passage::read(*flow, &row)))
        };
        let (forwarded, received) = (passage("learned")?, passage("received")?);
        let prefix = prefix_of(flow);
        let owner = self.row::<[u8; 16], u32>("owners", &prefix.octets())?;
        let owner = owner.and_then(|number| SiteNumber::try_from(u8::try_from(number).ok()?).ok());
        let until = self.row::<[u8; FLOW_LEN], u64>("fenced", &octets)?;
        let learned = forwarded
            .map(|Passage { site, seen, is_confirmed, .. }| (*flow, Learned { site, seen, is_confirmed }));
        let knowledge = Knowledge {
            fenced: until.map(|until| (*flow, Timestamp::from_nanos(until))).into_iter().collect(),
            learned: learned.into_iter().collect(),
            owners: owner.map(|owner| (prefix, owner)).into_iter().collect(),
            budgets: self.budgets()?,
            ..Knowledge::default()
        };
        Ok(Known { knowledge, forwarded, received })
    }

    /// What is spent.
    fn budgets(&self) -> Result<Budgets, Error> {
        let table = self.ebpf.map("spent").ok_or_else(|| missing("spent"))?;
        let table = Array::<_, u64>::try_from(table).map_err(Error::unfit("spent"))?;
        // enum budget of ebpf/tables.h.
        let budget = |place| {
            let until = table.get(&place, 0).map_err(Error::table("read a budget"))?;
            Ok(Budget::spent_until(Timestamp::from_nanos(until)))
        };
        Ok(Budgets { claims: budget(0)?, guesses: budget(1)?, resets: budget(2)? })
    }

    /// The row with a key.
    fn row<K: Pod, V: Pod>(&self, name: &'static str, key: &K) -> Result<Option<V>, Error> {
        let table = self.ebpf.map(name).ok_or_else(|| missing(name))?;
        let table = HashMap::<_, K, V>::try_from(table).map_err(Error::unfit(name))?;
        match table.get(key, 0) {
            Ok(row) => Ok(Some(row)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(Error::table("read a row")(error)),
        }
    }
}
