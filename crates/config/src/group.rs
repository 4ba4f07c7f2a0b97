//! What goes up and down together.

use crate::check::Probe;
use crate::group_section::{GroupSection, Rules};
use crate::grouping::{Together, together};
use crate::service::Written;
use announce::{CheckSettings, Fold, Scope, Settings};
use document::Document;
use std::collections::{BTreeMap, BTreeSet};
use terms::{GroupName, Prefix, ServiceName};

/// An announcement group: prefixes that go up and down together, and the services behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What its machine has to know. A check of the file becomes one check for each address of its service,
    /// or one alone where it does not ask the service's addresses.
    pub settings: Settings,
    /// How each check of `settings.checks` is run, in the same order.
    pub probes: Vec<Probe>,
    /// What it announces.
    pub prefixes: BTreeSet<Prefix>,
    /// The services behind it, in the order of the file.
    pub services: Vec<ServiceName>,
}

/// The groups of the file, in the order of the first service of each.
pub(crate) fn derive(
    document: &Document,
    services: &[Written],
    sections: &[GroupSection],
    otherwise: &Rules,
) -> Vec<Group> {
    let mut names = BTreeMap::new();
    let mut groups = Vec::new();
    for Together { services: places, section } in together(document, services, sections) {
        let members: Vec<&Written> = places.iter().map(|&place| &services[place]).collect();
        let written = section.and_then(|section| section.name.as_ref());
        let own = written.map(|name| name.value.clone());
        let first = || members.first()?.service.name.as_str().parse().ok();
        let Some(name): Option<GroupName> = own.or_else(first) else { continue };
        let twice = names.insert(name.clone(), written);
        // Where neither is written, two services have one name, and that was told.
        if let Some(written) = twice.and_then(|first| first.or(written)) {
            let hint = "a group without a name is named after its first service";
            document.fault_with_hint(written.span.clone(), format!("two groups are called `{name}`"), hint);
        }
        groups.push(Group::of(name, &members, section.map_or(otherwise, |section| &section.rules)));
    }
    groups
}

impl Group {
    /// How many of its services must be well for it to be announced.
    pub fn services_needed(&self) -> usize {
        let all = self.services.len();
        match self.settings.fold {
            Fold::All => all,
            Fold::Any => all.min(1),
            Fold::AtLeast(least) => usize::try_from(least.get()).map_or(all, |least| least.min(all)),
        }
    }

    /// The checks whose failure withdraws it.
    pub fn local_checks(&self) -> impl Iterator<Item = &CheckSettings> {
        self.settings.checks.iter().filter(|check| check.scope == Scope::Local)
    }

    /// The checks whose failure makes it less preferred, and no more.
    pub fn dependencies(&self) -> impl Iterator<Item = &CheckSettings> {
        self.settings.checks.iter().filter(|check| check.scope == Scope::Dependency)
    }

    fn of(name: GroupName, services: &[&Written], rules: &Rules) -> Group {
        let prefixes = services.iter().flat_map(|written| written.service.announce.iter().copied()).collect();
        let (checks, probes) = services.iter().flat_map(|written| checks_of(written)).unzip();
        let Rules { fold, never_withdraw, blind, blind_after, drain, backoff } = rules.clone();
        let rules = Settings::new(name, checks);
        let settings = Settings { fold, never_withdraw, blind, blind_after, drain, backoff, ..rules };
        let services = services.iter().map(|written| written.service.name.clone()).collect();
        Group { settings, probes, prefixes, services }
    }
}

/// Each check of a service through each of its addresses.
fn checks_of(written: &Written) -> impl Iterator<Item = (CheckSettings, Probe)> {
    let service = &written.service;
    written.checks.iter().flat_map(move |check| {
        let probes = check.probes(&service.addresses).into_iter();
        probes.map(move |(name, probe)| {
            let settings = CheckSettings {
                service: service.name.clone(),
                name,
                interval: check.interval,
                fall: check.fall,
                rise: check.rise,
                hang_after: check.hang_after,
                scope: check.scope,
            };
            (settings, probe)
        })
    })
}
