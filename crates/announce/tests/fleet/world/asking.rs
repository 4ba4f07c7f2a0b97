//! What hosts ask of the store: requests and answers are late, lost, doubled or unsure.

use super::*;

impl World {
    /// A request goes out, over the connection that there is.
    pub(super) fn ask_store(&mut self, id: HostId, ticket: Ticket, request: Request) {
        let is_cut = self.is_cut(id);
        let (now, store) = (self.now, self.store.life);
        let life = self.hosts[id].lives;
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        if !is_cut && process.store_life.is_some_and(|known| known != store) {
            process.store_life = Some(store);
            process.asked = None;
            let why = Reason::from("another store answers");
            process.permit.handle(Input::Disconnected { why }, now);
            return;
        }
        if !is_cut {
            process.store_life = Some(store);
        }
        let expected = match &request {
            Request::Replace { expected, .. } => *expected,
            Request::Read => None,
        };
        process.asked = Some((ticket, expected, matches!(request, Request::Replace { .. })));
        self.inside(id, now + PATIENCE, Inner::GiveUp(ticket));
        let copies = if self.dice.percent(self.plan.twice) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.delay();
            if !is_cut && !self.dice.percent(self.loss) {
                let request = request.clone();
                self.at(now + delay, Event::Arrives { from: id, life, store, ticket, request });
            }
        }
    }

    fn delay(&mut self) -> Duration {
        let is_slow = self.is_stormy && self.dice.percent(4);
        if is_slow { self.dice.millis(40, 2_500) } else { self.dice.millis(1, 40) }
    }

    /// A request reaches the store, maybe after its sender gave it up or died.
    pub(super) fn arrives(&mut self, from: HostId, life: u32, store: u32, ticket: Ticket, request: Request) {
        if self.store.life != store || self.is_cut(from) || self.store.down == Some(Down::Silent) {
            return;
        }
        let answer = match self.store.down {
            Some(_) => Answer::Unavailable,
            None => self.serve(from, request),
        };
        let is_unsure = matches!(answer, Answer::Replaced(_)) && self.is_stormy && self.dice.percent(3);
        let answer = if is_unsure { Answer::Ambiguous } else { answer };
        if !self.dice.percent(self.loss) {
            let at = self.now + self.delay();
            self.at(at, Event::In(from, life, Inner::Answer { store, ticket, answer }));
        }
    }

    fn serve(&mut self, from: HostId, request: Request) -> Answer {
        let before = self.store.record().cloned().unwrap_or_else(Record::empty);
        let answer = self.store.serve(request);
        if let Answer::Replaced(_) = answer {
            self.summary.changes += 1;
            let writer = self.hosts[from].speaker.clone();
            let judged = self.judge.changed(&self.hosts, &writer, &before, &self.store, self.now);
            self.violation = self.violation.take().or(judged.err());
            self.notify();
        }
        answer
    }

    /// The store tells those who listen, but not all of them.
    pub(super) fn notify(&mut self) {
        let Some(stored) = self.store.held.clone() else { return };
        let store = self.store.life;
        for host in 0..self.hosts.len() {
            if self.dice.percent(85) {
                let at = self.now + self.delay();
                self.inside(host, at, Inner::Notice { store, stored: stored.clone() });
            }
        }
    }

    pub(super) fn answer(&mut self, id: HostId, ticket: Ticket, answer: Answer) {
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        let asked = process.asked.take_if(|(asked, _, _)| *asked == ticket);
        let expected = asked.and_then(|(_, expected, _)| expected);
        self.summary.ambiguous += u64::from(matches!(answer, Answer::Ambiguous));
        let input = match (self.seams.answer)(answer, expected) {
            Answer::Found(found) => Input::Stored { ticket, found },
            Answer::Replaced(revision) => Input::Replaced { ticket, revision },
            Answer::Conflict => Input::Conflict { ticket },
            Answer::Ambiguous => Input::Ambiguous { ticket },
            Answer::Unavailable => Input::Unavailable { ticket, why: Reason::from("connection refused") },
        };
        self.permit(id, input);
    }
}
