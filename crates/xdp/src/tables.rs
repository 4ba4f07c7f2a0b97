//! The tables: what the programs are told, and what they tell.

use crate::layout::{self, FLOW_LEN, PAGE_BLOCKS, PAGE_LEN, PASSAGE_LEN, SETTINGS_LEN, SITE_LEN};
use crate::load::missing;
use crate::{Continuity, Error};
use aya::Pod;
use aya::maps::{Array, HashMap, IterableMap, MapData, PerCpuArray};
use continuity::{Block, Count, Counts, Filter, Settings, Site, SiteNumber};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

/// How often something that does not rest is read.
const READINGS: usize = 16;

impl Continuity {
    /// Tells the programs everything that they are told; only what is not said already is written. A reader of the tables
    /// sees each site and each filter whole or not at all, and every flow that is in a filter before and after at any time.
    pub fn tell(&mut self, settings: &Settings) -> Result<(), Error> {
        let room = self.room()?;
        for (number, site) in &settings.sites {
            let blocks = site.filter.as_ref().map_or(0, |filter| filter.blocks().len());
            if blocks > room {
                return Err(Error::FilterTooLarge { site: number.get(), blocks, room });
            }
        }
        let pages = self.pages()?;
        self.tell_peers(settings)?;
        for number in (0..SiteNumber::COUNT as u8).filter_map(|number| SiteNumber::try_from(number).ok()) {
            self.tell_site(number, settings.sites.get(&number), pages)?;
        }
        let services = settings.services.iter().map(|address| (layout::address(*address), 1)).collect();
        replace(&mut self.hash("services")?, &services)?;
        let octets = layout::settings(settings, pages);
        self.array::<[u8; SETTINGS_LEN]>("settings")?
            .set(0, octets, 0)
            .map_err(Error::table("write the settings"))?;
        self.told = Some(settings.clone());
        Ok(())
    }

    /// New connections and datagrams stay here from now on, whatever an earlier daemon has told the programs. Everything
    /// else stays as it was told.
    pub fn end_relay(&mut self) -> Result<(), Error> {
        let mut table = self.array::<[u8; SETTINGS_LEN]>("settings")?;
        let mut octets = table.get(&0, 0).map_err(Error::table("read the settings"))?;
        if layout::end_relay(&mut octets) {
            table.set(0, octets, 0).map_err(Error::table("write the settings"))?;
        }
        Ok(())
    }

    /// Lets everything pass, until the programs are told something again.
    pub fn let_pass(&mut self) -> Result<(), Error> {
        self.told = None;
        self.array::<[u8; SETTINGS_LEN]>("settings")?
            .set(0, [0; SETTINGS_LEN], 0)
            .map_err(Error::table("write the settings"))
    }

    /// So many blocks may the filter of a site have.
    pub fn room(&self) -> Result<usize, Error> {
        Ok(self.pages()? as usize * PAGE_BLOCKS)
    }

    /// What became of all packets, from the first load on. Where packets come so fast that no counter rests while all are
    /// read, those that came meanwhile may be in one counter and not yet in another.
    pub fn counts(&self) -> Result<Counts, Error> {
        of_one_moment(|| self.read_counts())
    }

    fn read_counts(&self) -> Result<Counts, Error> {
        let table = self.ebpf.map("counts").ok_or_else(|| missing("counts"))?;
        let table = PerCpuArray::<_, u64>::try_from(table).map_err(Error::unfit("counts"))?;
        let mut counters = [0; Count::ALL.len()];
        for (index, counter) in (0..).zip(&mut counters) {
            let values = table.get(&index, 0).map_err(Error::table("read a counter"))?;
            *counter = values.iter().sum();
        }
        Ok(Counts::new(counters))
    }

    /// Takes every fence down.
    pub(crate) fn unfence_all(&mut self) -> Result<(), Error> {
        replace(&mut self.hash::<[u8; FLOW_LEN], u64>("fenced")?, &BTreeMap::new())
    }

    /// Notes who owned the flows of a prefix last ([`continuity::client_prefix`]).
    pub fn note_owner(&mut self, prefix: Ipv6Addr, site: SiteNumber) -> Result<(), Error> {
        let mut owners = self.hash::<[u8; 16], u32>("owners")?;
        owners.insert(prefix.octets(), u32::from(site.get()), 0).map_err(Error::table("write an owner"))
    }

    /// Forgets every flow, every fence, every owner, and what was spent. The counters stay.
    pub fn forget(&mut self) -> Result<(), Error> {
        for flows in ["learned", "received"] {
            replace(&mut self.hash::<[u8; FLOW_LEN], [u8; PASSAGE_LEN]>(flows)?, &BTreeMap::new())?;
        }
        self.unfence_all()?;
        replace(&mut self.hash::<[u8; 16], u32>("owners")?, &BTreeMap::new())?;
        let mut spent = self.array::<u64>("spent")?;
        (0..spent.len())
            .try_for_each(|budget| spent.set(budget, 0, 0).map_err(Error::table("write a budget")))
    }

    fn tell_peers(&mut self, settings: &Settings) -> Result<(), Error> {
        let peer =
            |(number, site): (&SiteNumber, &Site)| (layout::address(site.address), u32::from(number.get()));
        replace(&mut self.hash("peers")?, &settings.sites.iter().map(peer).collect())
    }

    fn tell_site(&mut self, number: SiteNumber, site: Option<&Site>, pages: u32) -> Result<(), Error> {
        let told = self.told.as_ref().and_then(|told| told.sites.get(&number)).cloned();
        if self.told.is_some() && told.as_ref() == site {
            return Ok(());
        }
        let Some(site) = site else { return self.write_site(number, [0; SITE_LEN]) };
        let before = told.as_ref().and_then(|told| told.filter.as_deref()).map_or(&[][..], Filter::blocks);
        let blocks = site.filter.as_deref().map_or(&[][..], Filter::blocks);
        let row = layout::site(site, blocks.len() as u32);
        // Where a filter of another size begins, the old one ends first. One of the same size is changed in its place,
        // that of an earlier daemon, too: no flow is missed that is in both.
        if layout::blocks_of_site(&self.read_site(number)?) != blocks.len() as u32 {
            self.write_site(number, layout::site(site, 0))?;
        }
        self.write_pages(u32::from(number.get()) * pages, before, blocks)?;
        self.write_site(number, row)
    }

    fn read_site(&mut self, number: SiteNumber) -> Result<[u8; SITE_LEN], Error> {
        let sites = self.array::<[u8; SITE_LEN]>("sites")?;
        sites.get(&u32::from(number.get()), 0).map_err(Error::table("read a site"))
    }

    fn write_site(&mut self, number: SiteNumber, site: [u8; SITE_LEN]) -> Result<(), Error> {
        let mut sites = self.array::<[u8; SITE_LEN]>("sites")?;
        sites.set(u32::from(number.get()), site, 0).map_err(Error::table("write a site"))
    }

    fn write_pages(&mut self, first: u32, before: &[Block], blocks: &[Block]) -> Result<(), Error> {
        let mut filters = self.array::<[u8; PAGE_LEN]>("filters")?;
        let told = if before.len() == blocks.len() { before } else { &[] };
        let mut told = told.chunks(PAGE_BLOCKS);
        for (index, page) in (first..).zip(blocks.chunks(PAGE_BLOCKS)) {
            if told.next() != Some(page) {
                filters.set(index, layout::page(page), 0).map_err(Error::table("write a filter"))?;
            }
        }
        Ok(())
    }

    fn pages(&self) -> Result<u32, Error> {
        let table = self.ebpf.map("filters").ok_or_else(|| missing("filters"))?;
        let filters = Array::<_, [u8; PAGE_LEN]>::try_from(table).map_err(Error::unfit("filters"))?;
        // The library goes by the size that was asked for, the kernel by that of the table that was pinned already.
        let pages = filters.len().min(entries(&filters)?);
        Ok(pages / SiteNumber::COUNT as u32)
    }

    fn array<V: Pod>(&mut self, name: &'static str) -> Result<Array<&mut MapData, V>, Error> {
        let table = self.ebpf.map_mut(name).ok_or_else(|| missing(name))?;
        Array::try_from(table).map_err(Error::unfit(name))
    }

    fn hash<K: Pod, V: Pod>(&mut self, name: &'static str) -> Result<HashMap<&mut MapData, K, V>, Error> {
        let table = self.ebpf.map_mut(name).ok_or_else(|| missing(name))?;
        HashMap::try_from(table).map_err(Error::unfit(name))
    }
}

/// So many rows may a table have.
pub(crate) fn entries<K: Pod, V>(table: &impl IterableMap<K, V>) -> Result<u32, Error> {
    let info = table.map().info().map_err(Error::table("ask for the size of a table"))?;
    Ok(info.max_entries())
}

/// Makes the table hold these rows and no others; rows that stay are there all the time.
fn replace<K: Pod + Ord, V: Pod>(
    table: &mut HashMap<&mut MapData, K, V>,
    rows: &BTreeMap<K, V>,
) -> Result<(), Error> {
    let keys: Result<BTreeSet<K>, _> = table.keys().collect();
    let keys = keys.map_err(Error::table("list a table"))?;
    for key in keys.iter().filter(|key| !rows.contains_key(key)) {
        table.remove(key).map_err(Error::table("take a row out"))?;
    }
    rows.iter().try_for_each(|(key, value)| table.insert(key, value, 0).map_err(Error::table("put a row in")))
}

/// What two readings in a row agree on: it was so in the moment between them, however long each of them took.
fn of_one_moment<T: PartialEq, E>(mut read: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut last = read()?;
    for _ in 1..READINGS {
        let again = read()?;
        if again == last {
            break;
        }
        last = again;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rests_is_read_twice_and_what_does_not_is_given_up() {
        let reading = |changes: usize| {
            let mut readings = 0;
            let read = of_one_moment(|| {
                readings += 1;
                Ok::<_, ()>(readings.min(changes))
            });
            (read, readings)
        };
        assert_eq!(reading(1), (Ok(1), 2));
        assert_eq!(reading(5), (Ok(5), 6));
        assert_eq!(reading(READINGS * 2), (Ok(READINGS), READINGS));
        assert_eq!(of_one_moment(|| Err::<(), _>("unread")), Err("unread"));
    }
}
