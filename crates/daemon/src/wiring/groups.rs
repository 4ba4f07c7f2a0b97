//! The groups of the site: the machine of each, and a task for each of its checks.

use super::Shared;
use crate::address::Presence;
use crate::announce::{Group, Slot};
use crate::check::{Found, Probe, Surroundings};
use crate::memory::Memories;
use announce::{CheckId, Condition, Machine};
use config::SiteFile;
use tokio::sync::{mpsc, watch};

/// Makes groups. Their checks run at once, and until the group is dropped.
pub(super) struct Groups {
    shared: Shared,
    surroundings: Surroundings,
    presence: watch::Receiver<Presence>,
    found: mpsc::Sender<(Slot, Found)>,
    memories: watch::Receiver<Memories>,
    slots: usize,
}

impl Groups {
    pub(super) fn new(
        shared: Shared,
        surroundings: Surroundings,
        presence: watch::Receiver<Presence>,
        found: mpsc::Sender<(Slot, Found)>,
        memories: watch::Receiver<Memories>,
    ) -> Self {
        Groups { shared, surroundings, presence, found, memories, slots: 0 }
    }

    /// A group of the site file at its start, with the failures that are remembered of it.
    pub(super) fn make(&mut self, group: &config::Group, site_file: &SiteFile) -> Group {
        let slot = Slot(self.slots);
        self.slots += 1;
        let name = &group.settings.group;
        let now = self.shared.clock.now();
        let kept = self.memories.borrow().get(name).copied();
        let memory = kept.map(|kept| kept.memory(self.shared.clock.wall_at(now))).unwrap_or_default();
        let members = site_file.services.iter().filter(|service| group.services.contains(&service.name));
        Group {
            slot,
            machine: Machine::new(group.settings.clone(), memory, now),
            track: self.shared.recording.track(name.as_str()),
            services: group.services.clone(),
            prefixes: group.prefixes.iter().copied().collect(),
            withheld: Default::default(),
            addresses: members.flat_map(|service| service.addresses.iter().copied()).collect(),
            ready: Condition::met("the self-query decides"),
            sooner: self.start_checks(slot, group),
            first_check: 0,
        }
    }

    /// Starts the checks of a group; each ends when its sender is dropped.
    fn start_checks(&self, slot: Slot, group: &config::Group) -> Vec<mpsc::Sender<terms::Timestamp>> {
        let checks = group.settings.checks.iter().zip(&group.probes).enumerate();
        let start = |(check, (settings, probe)): (usize, (&announce::CheckSettings, &config::Probe))| {
            let (sooner, told) = mpsc::channel(1);
            let probe = Probe::new((slot, CheckId(check)), settings, probe, &self.surroundings);
            let run = probe.run(self.shared.clock, self.presence.clone(), told, self.found.clone());
            tokio::spawn(run);
            sooner
        };
        checks.map(start).collect()
    }
}
