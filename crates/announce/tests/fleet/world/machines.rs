//! What the two machines of a host are told, and what becomes of what they do.

use super::*;

impl World {
    /// The group's machine is told something.
    pub(super) fn decide(&mut self, id: HostId, input: announce::Input) {
        let now = self.now;
        let host = &mut self.hosts[id];
        let announced = host.announces();
        let Some(process) = host.process.as_mut() else { return };
        process.decision.handle(input, now);
        let deeds = deeds(&mut process.decision);
        let timer = process.decision.deadline().map(|at| at.max(now));
        let is_new_timer = timer.is_some() && timer != process.decision_timer;
        process.decision_timer = timer;
        match (announced, host.announces()) {
            (true, false) => {
                host.by_choice = true;
                self.summary.withdrawals += 1;
            }
            (_, true) => host.by_choice = false,
            (false, false) => {}
        }
        if announced || host.announces() {
            host.announced_at = Some(now);
        }
        if let Some(at) = timer.filter(|_| is_new_timer) {
            self.inside(id, at, Inner::DecisionTimer(at));
        }
        for deed in deeds {
            match deed {
                Deed::Announced(announced) => {
                    let inputs = (self.seams.announced)(announced, self.hosts[id].lives);
                    for input in inputs {
                        self.tell_permit(id, input);
                    }
                }
                Deed::Wish(wish) => self.wish(id, wish),
                Deed::Changed => {
                    let at = now + self.dice.millis(20, 800);
                    self.inside(id, at, Inner::Told);
                }
                Deed::CheckSoon(at) => self.inside(id, at.max(now), Inner::Check),
            }
        }
    }

    fn wish(&mut self, id: HostId, wish: Wish) {
        if !(self.seams.hears_wish)(wish) {
            return;
        }
        let Host { process: Some(process), speaker, .. } = &mut self.hosts[id] else { return };
        process.turn = Turn(process.turn.0 + 1);
        let turn = process.turn;
        let is_granted = (self.seams.grants)(wish, &process.permit, speaker);
        self.tell_permit(id, Input::Wish { wish, turn });
        if is_granted {
            self.tell_decision(id, Permit::Held, turn);
        }
    }

    /// Between the two machines messages take a moment, and keep their order.
    fn tell_permit(&mut self, id: HostId, input: Input) {
        let delay = self.dice.millis(0, 20);
        let now = self.now;
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        process.to_permit_at = process.to_permit_at.max(now + delay);
        let at = process.to_permit_at;
        self.inside(id, at, Inner::ToPermit(input));
    }

    fn tell_decision(&mut self, id: HostId, permit: Permit, turn: Turn) {
        let delay = self.dice.millis(0, 20);
        let now = self.now;
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        process.to_decision_at = process.to_decision_at.max(now + delay);
        let at = process.to_decision_at;
        self.inside(id, at, Inner::ToDecision(permit, turn));
    }

    /// The permit machine is told something.
    pub(super) fn permit(&mut self, id: HostId, input: Input) {
        let now = self.now;
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        process.permit.handle(input, now);
        if let Some(bend) = self.seams.state {
            bend_machine(&mut process.permit, bend);
        }
        loop {
            let Some(process) = self.hosts[id].process.as_mut() else { return };
            let Some(output) = process.permit.poll_output() else { break };
            match output {
                Output::Read { ticket } => self.ask_store(id, ticket, Request::Read),
                Output::Replace { ticket, expected, record } => {
                    let bend = self.seams.written;
                    let record = bend_record(record, bend, &self.hosts[id], self.hosts[id].lives);
                    self.ask_store(id, ticket, Request::Replace { expected, record: Box::new(record) });
                }
                Output::Permit { permit, turn } => {
                    self.summary.grants += u64::from(permit == Permit::Held);
                    self.tell_decision(id, permit, turn);
                }
                Output::Event(event) => {
                    self.summary.refusals += u64::from(matches!(event, permit::Event::Refused { .. }));
                    let is_restored =
                        matches!(event, permit::Event::Raised { alarm: permit::Alarm::StoreRestored, .. });
                    self.summary.restored += u64::from(is_restored);
                }
            }
        }
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        let timer = process.permit.deadline().max(now + Duration::from_nanos(1));
        if process.permit_timer != Some(timer) {
            process.permit_timer = Some(timer);
            self.inside(id, timer, Inner::PermitTimer(timer));
        }
    }
}

fn bend_record(
    record: Record,
    bend: Option<fn(&mut serde_json::Value, &Speaker, u32)>,
    host: &Host,
    life: u32,
) -> Record {
    let Some(bend) = bend else { return record };
    let mut value = serde_json::to_value(&record).unwrap();
    bend(&mut value, &host.speaker, life);
    serde_json::from_value(value).unwrap_or(record)
}

fn bend_machine(machine: &mut permit::Machine, bend: fn(&mut serde_json::Value)) {
    let mut value = serde_json::to_value(&*machine).unwrap();
    bend(&mut value);
    *machine = serde_json::from_value(value).unwrap();
}
