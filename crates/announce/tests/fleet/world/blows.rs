//! What befalls the fleet from outside: blows of the plan, orders of operators, and their end.

use super::*;

impl World {
    pub fn set_health(&mut self, ids: impl IntoIterator<Item = HostId>, healthy: bool) {
        for id in ids {
            self.hosts[id].healthy = healthy;
            self.check(id);
        }
    }

    fn order(&mut self, ids: Vec<HostId>, intent: &Intent) {
        for id in ids {
            self.hosts[id].intent = intent.clone();
            self.decide(id, announce::Input::Intent(intent.clone()));
        }
    }

    pub(super) fn strike(&mut self, blow: Blow) {
        let now = self.now;
        match blow {
            Blow::Fail { host, lasts } => {
                self.set_health([host], false);
                self.at(now + lasts, Event::End(blow));
            }
            Blow::FailEverywhere { lasts } => {
                self.set_health(0..self.hosts.len(), false);
                self.at(now + lasts, Event::End(blow));
            }
            Blow::Crash { host, lasts } => {
                self.stop(host);
                self.at(now + lasts, Event::Start(host));
            }
            Blow::Die { site, lasts } => {
                for host in self.hosts_of(site) {
                    self.stop(host);
                    self.at(now + lasts, Event::Start(host));
                }
            }
            Blow::CutOff { site, lasts } => {
                self.cut_until.insert(self.site(site), now + lasts);
            }
            Blow::StoreDown { polite, lasts } => {
                self.store.down = Some(if polite { Down::Refuses } else { Down::Silent });
                self.at(now + lasts, Event::End(blow));
            }
            Blow::BackUp => self.store.back_up(),
            Blow::Restore { far_above } => {
                self.store.restore(far_above, now);
            }
            Blow::Order { site, drain, lasts } => {
                let order = Order { who: Reason::from("alice"), reason: Reason::from("new line card") };
                let intent = match drain {
                    true => Intent::Drain(order),
                    false => Intent::Withdraw { order, override_guard: false },
                };
                self.order(self.hosts_of(site), &intent);
                self.at(now + lasts, Event::End(blow));
            }
            Blow::Release { site } => self.operator(site, |record, site| {
                record.release(site, &Reason::from("it is back, I see it")).ok()
            }),
            Blow::Retire { site } => self.operator(site, |record, site| record.retire(site).ok()),
            Blow::Configure { host, min_sites } => {
                self.hosts[host].min_sites = min_sites;
                self.permit(host, Input::Configured { min_sites });
            }
            Blow::Heal => self.heal(),
        }
    }

    fn operator(&mut self, number: usize, change: fn(&Record, &SiteName) -> Option<Record>) {
        let site = self.site(number);
        if self.store.down.is_some() {
            return;
        }
        let next = self.store.record().and_then(|record| change(record, &site));
        if let Some(next) = next {
            if next.member(&site).is_none() {
                self.judge.retired(&site);
            }
            self.store.put(next);
            self.notify();
        }
    }

    pub(super) fn mend(&mut self, blow: Blow) {
        match blow {
            Blow::Fail { host, .. } => self.set_health([host], true),
            Blow::FailEverywhere { .. } => self.set_health(0..self.hosts.len(), true),
            Blow::StoreDown { .. } => self.store.start(self.now),
            Blow::Order { site, .. } => self.order(self.hosts_of(site), &Intent::Normal),
            Blow::Crash { .. }
            | Blow::Die { .. }
            | Blow::CutOff { .. }
            | Blow::BackUp
            | Blow::Restore { .. }
            | Blow::Release { .. }
            | Blow::Retire { .. }
            | Blow::Configure { .. }
            | Blow::Heal => {}
        }
    }

    fn heal(&mut self) {
        self.cut_until.clear();
        self.store.start(self.now);
        (self.loss, self.is_stormy) = (0, false);
        for host in 0..self.hosts.len() {
            self.start(host);
        }
        self.set_health(0..self.hosts.len(), true);
        self.order((0..self.hosts.len()).collect(), &Intent::Normal);
    }
}
