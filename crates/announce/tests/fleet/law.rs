//! The judge: it knows the truth of every host and sees every change of the record, and asks no machine what it thinks
//! of the law.
//!
//! - **P4** At every grant, the sites that are away by choice, hold leave, or were charged are at most
//!   `members - min_sites`, the new one counted; and after every event, unless a fact that nobody chose (a death, a
//!   charge, a restored store, another `min_sites`) made it more.
//! - **Leave** A host that is away by choice, or may be, is one that nobody counts on.
//! - **Own** Only a site's hosts say that it stands; only they free its permit; a host that says that it stands
//!   announces.

use announce::permit::{Cause, Host as Line, Record, Speaker};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use terms::{SiteName, Timestamp};

use crate::host::Host;
use crate::store::Store;

/// A message between the two machines of a host takes less.
const LAG: Duration = Duration::from_secs(2);

/// What was done against the law.
pub type Violation = String;

#[derive(Default)]
pub struct Judge {
    /// Sites that were charged and have not said since that they stand. Known to the judge even when a restored store
    /// has forgotten it.
    charged: BTreeSet<SiteName>,
    /// Which store each host has changed last.
    spoke_to: BTreeMap<Speaker, u32>,
    /// So many more sites are away than may be, through facts that nobody chose.
    debt: usize,
}

fn law(holds: bool, violation: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

impl Judge {
    /// Somebody changed the record.
    pub fn changed(
        &mut self,
        hosts: &[Host],
        writer: &Speaker,
        before: &Record,
        store: &Store,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let Some(after) = store.record() else { return Ok(()) };
        let is_restored_news = after.doubt() > before.doubt();
        own_lines_only(before, after, writer)?;
        let speaks = hosts.iter().find(|host| host.speaker == *writer);
        if after.stands(&writer.site, &writer.host) {
            let is_true = speaks.is_some_and(|host| host.announced_within(LAG, now));
            law(is_true, || format!("{writer} says that it stands, and announces nothing"))?;
            self.charged.remove(&writer.site);
        }
        self.spoke_to.insert(writer.clone(), store.life);
        let is_kept = is_kept(after, &writer.site);
        if is_granted(before, after, &writer.site) && !is_kept {
            self.granted(hosts, writer, after)?;
        }
        // A restarted host was relied on until it says so, and its site is not charged while others stand.
        let is_fallen = before.stands(&writer.site, &writer.host)
            && !after.stands(&writer.site, &writer.host)
            && speaks.is_some_and(|host| !host.announces());
        let charges = after.charges().filter(|(site, _)| before.charges().all(|(other, _)| other != *site));
        let charges: Vec<_> = charges.map(|(site, _)| site.clone()).collect();
        let counts = |record: &Record| (record.members().len(), record.min_sites());
        if !charges.is_empty() || counts(before) != counts(after) || is_restored_news || is_kept || is_fallen
        {
            self.charged.extend(charges);
            self.allow(hosts, store);
        }
        Ok(())
    }

    /// Something happened that nobody of the fleet chose.
    pub fn allow(&mut self, hosts: &[Host], store: &Store) {
        self.debt = self.debt.max(self.excess(hosts, store));
    }

    /// The operator took a site off the list, and answers for it.
    pub fn retired(&mut self, site: &SiteName) {
        self.charged.remove(site);
    }

    /// After every event.
    pub fn after_event(&mut self, hosts: &[Host], store: &Store) -> Result<(), Violation> {
        let excess = self.excess(hosts, store);
        law(excess <= self.debt, || {
            let gone = store.record().map(|record| self.gone(hosts, record));
            format!(
                "{excess} more sites are away than may be ({gone:?}), and no more than {} by facts",
                self.debt
            )
        })?;
        self.debt = excess;
        let Some(record) = store.record() else { return Ok(()) };
        for host in hosts.iter().filter(|host| host.by_choice || host.holds()) {
            let Speaker { site, host: name } = &host.speaker;
            let is_excused = self.spoke_to.get(&host.speaker).is_none_or(|life| *life < store.life);
            law(is_excused || !record.stands(site, name), || {
                format!("{} may be away, and the record counts on it", host.speaker)
            })?;
        }
        Ok(())
    }

    fn granted(&self, hosts: &[Host], writer: &Speaker, record: &Record) -> Result<(), Violation> {
        let mut gone = self.gone(hosts, record);
        gone.insert(&writer.site);
        // The writer may have charged somebody in the same change, after it took leave.
        let chosen: Vec<_> = gone
            .into_iter()
            .filter(|site| !is_charged_in(record, site) || self.charged.contains(site))
            .collect();
        let slots = slots(record);
        law(chosen.len() <= slots, || {
            format!("{writer} was given leave, and {chosen:?} are away; {slots} may be")
        })
    }

    fn excess(&self, hosts: &[Host], store: &Store) -> usize {
        let Some(record) = store.record() else { return 0 };
        self.gone(hosts, record).len().saturating_sub(slots(record))
    }

    /// The members that are away by choice, may be, or are known to be dead.
    fn gone<'a>(&'a self, hosts: &'a [Host], record: &'a Record) -> BTreeSet<&'a SiteName> {
        let is_waived = |site: &SiteName| {
            record
                .member(site)
                .and_then(|member| member.away())
                .is_some_and(|away| away.cause == Cause::Waived)
        };
        let by_choice = hosts.iter().filter(|host| host.by_choice || host.holds());
        let by_choice = by_choice.map(|host| &host.speaker.site).filter(|site| {
            let of_site = hosts.iter().filter(|host| host.speaker.site == **site);
            let is_promised = |host: &Host| {
                !host.by_choice && !host.holds() && record.stands(&host.speaker.site, &host.speaker.host)
            };
            !of_site.into_iter().any(is_promised)
        });
        let known = record.holders().chain(record.charges()).map(|(site, _)| site);
        let gone = by_choice.chain(known).chain(&self.charged);
        gone.filter(|site| record.member(site).is_some() && !is_waived(site)).collect()
    }
}

fn is_charged_in(record: &Record, site: &SiteName) -> bool {
    record.charges().any(|(charged, _)| charged == site)
}

fn slots(record: &Record) -> usize {
    record.members().len() - usize::try_from(record.min_sites()).unwrap().min(record.members().len())
}

fn cause(record: &Record, site: &SiteName) -> Option<Cause> {
    Some(record.member(site)?.away()?.cause)
}

/// Leave that was taken before the store was restored is written again: a fact, and no new leave, though whoever
/// wrote it may have given it back since.
fn is_kept(record: &Record, site: &SiteName) -> bool {
    let away = record.member(site).and_then(|member| member.away());
    away.is_some_and(|away| away.why.as_str().contains("a record that was lost"))
}

fn is_granted(before: &Record, after: &Record, site: &SiteName) -> bool {
    cause(after, site) == Some(Cause::Permit) && cause(before, site) != Some(Cause::Permit)
}

/// Nobody speaks for others, but to say that they are gone.
fn own_lines_only(before: &Record, after: &Record, writer: &Speaker) -> Result<(), Violation> {
    let is_restored_news = after.doubt() > before.doubt();
    for (site, member) in after.members() {
        for (name, line) in member.hosts() {
            let speaker = Speaker { site: site.clone(), host: name.clone() };
            let stood = before.host(site, name).is_some_and(|line: &Line| line.stands);
            let is_merged = is_restored_news && before.member(site).is_none();
            law(!line.stands || stood || speaker == *writer || is_merged, || {
                format!("{writer} says that {speaker} stands")
            })?;
            let old = before.host(site, name).filter(|_| speaker != *writer);
            law(old.is_none_or(|old| Line { stands: line.stands, ..*old } == *line), || {
                format!("{writer} changed the word of {speaker}")
            })?;
        }
        if *site == writer.site {
            continue;
        }
        let is_kept = match (cause(before, site), cause(after, site)) {
            (before, after) if before == after => true,
            (None, Some(Cause::Charge)) => true,
            _ => is_restored_news && before.member(site).is_none(),
        };
        law(is_kept, || format!("{writer} changed why {site} is away"))?;
    }
    let is_retired = before.members().keys().any(|site| after.member(site).is_none());
    law(!is_retired, || format!("{writer} took a site off the list"))
}
