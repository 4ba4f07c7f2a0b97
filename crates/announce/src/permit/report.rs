//! What stands as an alarm, and what is told of it.

use std::collections::BTreeMap;
use terms::Reason;

use super::event::{Alarm, Event};
use super::input::Output;
use super::machine::Machine;
use super::record::{Cause, Member};
use super::refusal::{Names, Refusal};
use super::sight::Contact;

impl Machine {
    /// Tells which alarms began and which are over.
    pub(super) fn report(&mut self) {
        let alarms = self.standing_alarms();
        let over: Vec<Alarm> =
            self.alarms.keys().filter(|alarm| !alarms.contains_key(alarm)).copied().collect();
        let cleared = over.into_iter().map(|alarm| Event::Cleared { alarm });
        let raised = alarms.iter().filter(|(alarm, _)| !self.alarms.contains_key(alarm));
        let raised = raised.map(|(alarm, reason)| Event::Raised { alarm: *alarm, reason: reason.clone() });
        self.outputs.extend(cleared.chain(raised).map(Output::Event));
        self.alarms = alarms;
    }

    /// Keeps why leave is not given, and tells it once.
    pub(super) fn note_refusal(&mut self, refusal: Option<&Refusal>) {
        let words = refusal.map(|refusal| Reason::from(refusal.to_string()));
        if words != self.refusal {
            let told = words.clone().map(|reason| Output::Event(Event::Refused { reason }));
            self.outputs.extend(told);
            self.refusal = words;
        }
    }

    fn standing_alarms(&self) -> BTreeMap<Alarm, Reason> {
        let alarms = [
            (Alarm::StoreLost, self.lost()),
            (Alarm::StoreRestored, self.restored()),
            (Alarm::StoreGarbled, self.sight.garbled.as_ref().map(ToString::to_string)),
            (Alarm::MinSitesDiffer, self.differing()),
            (Alarm::Debt, self.debt()),
            (Alarm::Waived, self.waived()),
        ];
        let standing = alarms.into_iter().filter_map(|(alarm, words)| Some((alarm, Reason::from(words?))));
        standing.collect()
    }

    fn lost(&self) -> Option<String> {
        match &self.sight.contact {
            Contact::Lost { why } => Some(format!("{why}; announcements stay as they are")),
            Contact::Stale | Contact::Fresh => None,
        }
    }

    fn restored(&self) -> Option<String> {
        let missing: Names =
            self.record().unconfirmed(0).map(|(site, host)| format!("{site}/{host}")).collect();
        if let Some(forgotten) = &self.sight.forgotten {
            let (seen, found) = (forgotten.serial(), self.record().serial());
            return Some(format!("change {seen} was seen, and the store holds change {found}"));
        }
        (!missing.as_slice().is_empty()).then(|| format!("no leave is given before {missing} confirm"))
    }

    fn differing(&self) -> Option<String> {
        let (least, most) = self.record().disagreement()?;
        Some(format!("the site files say from {least} to {most}; {most} counts"))
    }

    fn debt(&self) -> Option<String> {
        let (record, debt) = (self.record(), self.record().debt());
        let words = || {
            let (slots, taken) = (record.slots(), record.taken());
            format!("{taken} sites are away ({}), and {slots} may be", record.names_of_taken())
        };
        (debt > 0).then(words)
    }

    fn waived(&self) -> Option<String> {
        let away = self.record().member(&self.settings.speaker.site).and_then(Member::away)?;
        (away.cause == Cause::Waived).then(|| format!("the operator freed the permit: {}", away.why))
    }
}
