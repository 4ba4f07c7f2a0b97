//! Every way in which a record may change. Each is a function from a record to the next one or a [`Refusal`]; the
//! store's compare-and-swap makes it happen to the newest record or not at all.
//!
//! | a host says of itself | may be refused |
//! |---|---|
//! | [`stand`](Record::stand): I announce. Joins, comes back, frees the permit, clears the charge | no room |
//! | [`ask`](Record::ask): may I go? | no slot; others must confirm |
//! | [`fall`](Record::fall): I am gone, without leave | no, it is a fact |
//! | [`hold`](Record::hold): I was given leave, and the record forgot it | no, it is a fact |
//! | [`greet`](Record::greet), [`confirm`](Record::confirm): I was out of contact; what is written of me is true | no |
//!
//! | others say of it | may be refused |
//! |---|---|
//! | [`charge`](Record::charge): its lease lapsed | no, it is a fact |
//! | [`suspect`](Record::suspect): this record is older than one that I know | no |
//! | [`release`](Record::release), [`retire`](Record::retire): the operator's word | no permit, still stands |
//!
//! A fact takes a slot even when none is free. What is asked for does not. Only the site itself comes back.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use terms::{Reason, SiteName};

use super::record::{Away, Cause, Host, Member, Record};
use super::refusal::Refusal;
use super::speaker::Speaker;

impl Record {
    /// This host announces. Whatever was said of its site being away is over: it joins, is no longer charged, and
    /// frees its permit, which it must have stopped using before.
    ///
    /// # Errors
    /// [`Refusal::Full`] when it is new and there is no room.
    pub fn stand(&self, speaker: &Speaker, min_sites: Option<NonZeroU32>) -> Result<Record, Refusal> {
        if self.stands(&speaker.site, &speaker.host) {
            return Ok(self.clone());
        }
        let is_new = self.host(&speaker.site, &speaker.host).is_none();
        if is_new && !self.has_room_for(&speaker.site) {
            return Err(Refusal::Full { site: speaker.site.clone(), host: speaker.host.clone() });
        }
        let mut next = self.next();
        let now = next.serial;
        let newcomer = Host { stands: true, confirmed: now, doubt: now, min_sites };
        let member = next.members_mut().entry(speaker.site.clone());
        let member = member.or_insert_with(|| Member { hosts: [].into(), away: None });
        let host = member.hosts.entry(speaker.host.clone()).or_insert(newcomer);
        (host.stands, host.confirmed, host.min_sites) = (true, now, min_sites);
        member.away = None;
        Ok(next)
    }

    /// May this host withdraw? It may when another host of its site stands; otherwise the site takes a slot. A site
    /// that is charged asks for the slot that it takes already. Who is no member is counted on by nobody, and may.
    ///
    /// # Errors
    /// [`Refusal::NoSlot`] when too few sites would stay; [`Refusal::Unconfirmed`] while this host or everybody
    /// doubts the record, and hosts that stand in it have not confirmed since.
    pub fn ask(&self, speaker: &Speaker, why: &Reason) -> Result<Record, Refusal> {
        let mut next = self.next();
        let now = next.serial;
        let Some(member) = next.members_mut().get_mut(&speaker.site) else { return Ok(next) };
        let host = member.hosts.entry(speaker.host.clone());
        let host = host.or_insert(Host { stands: false, confirmed: now, doubt: now, min_sites: None });
        (host.stands, host.confirmed) = (false, now);
        let doubt = host.doubt;
        let has_permit = matches!(member.away, Some(Away { cause: Cause::Permit, .. }));
        let needs_slot = member.hosts.values().all(|host| !host.stands);
        if needs_slot && !has_permit {
            member.away = Some(Away { cause: Cause::Permit, since: now, why: short(why) });
        }
        // The asking host no longer stands in `next`, so it is not waited for.
        let missing: Vec<_> = next.unconfirmed(doubt).map(|(site, host)| format!("{site}/{host}")).collect();
        if !missing.is_empty() {
            return Err(Refusal::Unconfirmed { missing: missing.into_iter().collect() });
        }
        if needs_slot && !has_permit && next.debt() > 0 {
            let others = next.away().filter(|(site, away)| **site != speaker.site && away.counts());
            return Err(Refusal::NoSlot {
                slots: next.slots(),
                members: super::record::count(next.members.len()),
                taken: others.map(|(site, _)| site.to_string()).collect(),
            });
        }
        Ok(next)
    }

    /// This host announces nothing, and has no leave: it started, or an operator overrode the guard. Nothing changes
    /// when it did not stand.
    pub fn fall(&self, speaker: &Speaker, why: &Reason) -> Record {
        self.gone(speaker, Cause::Charge, why)
    }

    /// This host was given leave by a record that is lost. Nothing changes when it does not stand here.
    pub fn hold(&self, speaker: &Speaker, why: &Reason) -> Record {
        self.gone(speaker, Cause::Permit, why)
    }

    fn gone(&self, speaker: &Speaker, cause: Cause, why: &Reason) -> Record {
        if !self.stands(&speaker.site, &speaker.host) {
            return self.clone();
        }
        let mut next = self.next();
        let now = next.serial;
        if let Some(member) = next.members_mut().get_mut(&speaker.site) {
            if let Some(host) = member.hosts.get_mut(&speaker.host) {
                (host.stands, host.confirmed) = (false, now);
            }
            member.account(cause, now, why);
        }
        next
    }

    /// This host was out of contact with the store, or has just started: it doubts what others wrote before. A host
    /// that its site does not list is added, not standing; a site that is no member stays none.
    pub fn greet(&self, speaker: &Speaker) -> Record {
        let mut next = self.next();
        let now = next.serial;
        let is_room = self.host(&speaker.site, &speaker.host).is_some() || self.has_room_for(&speaker.site);
        let Some(member) = next.members_mut().get_mut(&speaker.site).filter(|_| is_room) else {
            return self.clone();
        };
        let newcomer = Host { stands: false, confirmed: now, doubt: now, min_sites: None };
        let host = member.hosts.entry(speaker.host.clone()).or_insert(newcomer);
        (host.confirmed, host.doubt) = (now, now);
        next
    }

    /// What stands here of this host is still true, and this is what its site file says.
    pub fn confirm(&self, speaker: &Speaker, min_sites: Option<NonZeroU32>) -> Record {
        let mut next = self.next();
        let now = next.serial;
        let member = next.members_mut().get_mut(&speaker.site);
        let Some(host) = member.and_then(|member| member.hosts.get_mut(&speaker.host)) else {
            return self.clone();
        };
        (host.confirmed, host.min_sites) = (now, min_sites);
        next
    }

    /// The lease of this host lapsed: it is not counted on until it says that it announces. Anybody may say so of
    /// anybody, because it can only make the fleet more careful. A host is forgotten when its site has others.
    pub fn charge(&self, speaker: &Speaker, why: &Reason) -> Record {
        let Some(member) = self.members.get(&speaker.site) else { return self.clone() };
        let Some(host) = member.hosts.get(&speaker.host) else { return self.clone() };
        if !host.stands && member.hosts.len() == 1 {
            return self.clone();
        }
        let mut next = self.next();
        let now = next.serial;
        if let Some(member) = next.members_mut().get_mut(&speaker.site) {
            if member.hosts.len() > 1 {
                member.hosts.remove(&speaker.host);
            } else if let Some(host) = member.hosts.get_mut(&speaker.host) {
                host.stands = false;
            }
            member.account(Cause::Charge, now, why);
        }
        next
    }

    /// This record is older than `lost`, which somebody has seen: the store was restored from an old backup. Nobody
    /// gets leave until every host that stands has confirmed. Members that the backup does not know are members
    /// again, by what was last known of them.
    pub fn suspect(&self, lost: &Record) -> Record {
        let mut next = self.clone();
        next.serial = self.serial.max(lost.serial) + 1;
        next.doubt = next.serial;
        for (site, member) in lost.members.iter() {
            let hosts = next.each_host().count() + member.hosts.len();
            let has_room = next.members.len() < Record::MAX_SITES && hosts <= Record::MAX_HOSTS;
            if !next.members.contains_key(site) && has_room {
                next.members_mut().insert(site.clone(), member.clone());
            }
        }
        next
    }

    /// The operator frees a site's permit: it takes no slot any more, though it may still be away. Whoever orders it
    /// answers for it: the fleet then counts one site more than it can see.
    ///
    /// # Errors
    /// [`Refusal::NoMember`], [`Refusal::NoPermit`].
    pub fn release(&self, site: &SiteName, why: &Reason) -> Result<Record, Refusal> {
        let mut next = self.next();
        let since = next.serial;
        let member =
            next.members_mut().get_mut(site).ok_or_else(|| Refusal::NoMember { site: site.clone() })?;
        match &mut member.away {
            Some(away @ Away { cause: Cause::Permit, .. }) => {
                *away = Away { cause: Cause::Waived, since, why: short(why) };
                Ok(next)
            }
            Some(Away { cause: Cause::Charge | Cause::Waived, .. }) | None => {
                Err(Refusal::NoPermit { site: site.clone() })
            }
        }
    }

    /// The operator takes a site off the list for good. When it announces again, it joins again.
    ///
    /// # Errors
    /// [`Refusal::NoMember`]; [`Refusal::StillStands`] while the others count on it.
    pub fn retire(&self, site: &SiteName) -> Result<Record, Refusal> {
        let member = self.members.get(site).ok_or_else(|| Refusal::NoMember { site: site.clone() })?;
        if member.stands() {
            let hosts = member.hosts.iter().filter(|(_, host)| host.stands);
            let hosts = hosts.map(|(name, _)| name.to_string()).collect();
            return Err(Refusal::StillStands { site: site.clone(), hosts });
        }
        let mut next = self.next();
        next.members_mut().remove(site);
        Ok(next)
    }

    /// The record after one more change.
    pub(super) fn next(&self) -> Record {
        let mut next = self.clone();
        next.serial += 1;
        next
    }

    fn members_mut(&mut self) -> &mut BTreeMap<SiteName, Member> {
        Arc::make_mut(&mut self.members)
    }

    fn has_room_for(&self, site: &SiteName) -> bool {
        let has_site = self.members.contains_key(site) || self.members.len() < Record::MAX_SITES;
        has_site && self.each_host().count() < Record::MAX_HOSTS
    }
}

impl Member {
    /// Says why the site is away, when no host of it stands any more and nothing said so before.
    fn account(&mut self, cause: Cause, since: u64, why: &Reason) {
        if self.away.is_none() && self.hosts.values().all(|host| !host.stands) {
            self.away = Some(Away { cause, since, why: short(why) });
        }
    }
}

/// A reason that fits into a record.
pub(super) fn short(why: &Reason) -> Reason {
    Reason::from(why.as_str().chars().take(Record::MAX_WHY).collect::<String>())
}
