//! What is shown of the fleet.

use super::Identity;
use super::dns::compare;
use super::load::GroupLoad;
use super::registry::{Hearing, Registry, Said};
use crate::load::Loads;
use announce::Permit;
use announce::permit::{Cause, Machine, Member, Speaker};
use api::{AwayCause, FleetGroup, FleetHost, FleetMember, FleetStatus, PermitHeld, Schema, StoreState};
use std::collections::{BTreeMap, BTreeSet};
use terms::{GroupName, Reason, SiteName};

/// Nothing is known yet.
pub(super) fn empty(speaker: &Speaker, store: StoreState) -> FleetStatus {
    FleetStatus {
        schema: Schema,
        site: speaker.site.clone(),
        host: speaker.host.clone(),
        store,
        trouble: None,
        alarms: Vec::new(),
        hosts: Vec::new(),
        groups: Vec::new(),
    }
}

/// A site on its own: it sees itself.
pub(super) fn alone(identity: &Identity, groups: &[api::Group], loads: &Loads) -> FleetStatus {
    let said = identity.said.with_groups(groups, |group| GroupLoad::of(&group.services, loads));
    let hosts = vec![host(&identity.speaker, &said)];
    FleetStatus { hosts, ..empty(&identity.speaker, StoreState::None) }
}

/// The fleet, as this host sees it.
pub(super) fn status(
    speaker: &Speaker,
    registry: &Registry,
    machines: &BTreeMap<GroupName, Machine>,
) -> FleetStatus {
    let (store, trouble) = match registry.hearing() {
        Hearing::Starting => (StoreState::Starting, None),
        Hearing::Good => (StoreState::Reached, None),
        Hearing::Lost(why) => (StoreState::Lost, Some(why.clone())),
    };
    // Every group of a fleet has the same trouble with its store: it is said once.
    let alarms = machines.values().flat_map(|machine| machine.alarms());
    let alarms: BTreeSet<String> = alarms.map(|(alarm, why)| format!("{alarm}: {why}")).collect();
    let mut hosts: Vec<FleetHost> = registry.hosts().map(|(speaker, said)| host(speaker, said)).collect();
    compare(&mut hosts);
    FleetStatus {
        trouble,
        alarms: alarms.into_iter().map(Reason::from).collect(),
        hosts,
        groups: machines.iter().map(|(name, machine)| group(name, machine)).collect(),
        ..empty(speaker, store)
    }
}

fn host(speaker: &Speaker, said: &Said) -> FleetHost {
    let Said { schema: Schema, version, started, city, at, groups, cookies: _, zones } = said.clone();
    let Speaker { site, host } = speaker.clone();
    FleetHost { site, host, version, started, city, at, groups, zones }
}

fn group(name: &GroupName, machine: &Machine) -> FleetGroup {
    let record = machine.record();
    FleetGroup {
        name: name.clone(),
        min_sites: record.min_sites(),
        slots: record.slots(),
        taken: record.taken(),
        permit: match machine.permit() {
            Permit::None => PermitHeld::None,
            Permit::Asked => PermitHeld::Asked,
            Permit::Held => PermitHeld::Held,
        },
        refusal: machine.refusal().cloned(),
        members: record.members().iter().map(|(site, of)| member(site, of)).collect(),
    }
}

fn member(site: &SiteName, member: &Member) -> FleetMember {
    let standing = member.hosts().iter().filter(|(_, host)| host.stands);
    FleetMember {
        site: site.clone(),
        standing: standing.map(|(name, _)| name.clone()).collect(),
        away: member.away().map(|away| match away.cause {
            Cause::Permit => AwayCause::Permit,
            Cause::Charge => AwayCause::Charge,
            Cause::Waived => AwayCause::Waived,
        }),
        why: member.away().map(|away| away.why.clone()),
    }
}
