//! What the record should say, by what is true here. Level-triggered: it asks what holds now, so it does not matter
//! which answers were lost on the way.

use serde::{Deserialize, Serialize};
use terms::Reason;

use super::event::Event;
use super::machine::Machine;
use super::record::{Away, Cause, Record};
use super::refusal::Refusal;

/// A record to put in place of the one that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub(super) record: Record,
    /// Whether it takes leave for this host: once it is in the store, the permit is held.
    pub(super) asks: bool,
    /// What to tell once it is in the store.
    pub(super) events: Vec<Event>,
    /// Why leave was not taken.
    pub(super) refusal: Option<Refusal>,
}

impl Draft {
    fn of(record: &Record) -> Self {
        Draft { record: record.clone(), asks: false, events: Vec::new(), refusal: None }
    }

    fn tell(&mut self, record: Record, event: impl FnOnce(Reason) -> Event, words: String) {
        if record != self.record {
            self.events.push(event(Reason::from(words)));
            self.record = record;
        }
    }
}

impl Machine {
    /// What cannot wait: whose word the record is, whether this host stands in it, and whether it may go.
    pub(super) fn draft(&self) -> Draft {
        let mut draft = Draft::of(&self.sight.record);
        let speaker = &self.settings.speaker;
        if let Some(forgotten) = &self.sight.forgotten {
            draft.record = draft.record.suspect(forgotten);
        }
        let is_listed = draft.record.host(&speaker.site, &speaker.host).is_some();
        if !self.sight.greeted || (!is_listed && (self.announced || self.asks)) {
            draft.record = draft.record.greet(speaker);
        }
        if self.held {
            let words = "leave given by a record that was lost";
            let record = draft.record.hold(speaker, &Reason::from(words));
            draft.tell(record, |reason| Event::Fell { reason }, format!("{speaker} keeps its {words}"));
        } else if self.asks {
            self.ask(&mut draft);
        } else {
            self.be_honest(&mut draft);
        }
        draft
    }

    /// What can wait, and what others may have done by then.
    pub(super) fn add_chores(&self, draft: &mut Draft) {
        let speaker = &self.settings.speaker;
        if let Some(host) = draft.record.host(&speaker.site, &speaker.host) {
            let is_awaited = host.stands && host.confirmed < draft.record.youngest_doubt();
            if is_awaited || host.min_sites != self.settings.min_sites {
                draft.record = draft.record.confirm(speaker, self.settings.min_sites);
            }
        }
        for gone in &self.lapsed {
            let record = draft.record.charge(gone, &Reason::from(format!("the lease of {gone} lapsed")));
            let cost = if draft.record.member(&gone.site).map(super::Member::stands)
                == record.member(&gone.site).map(super::Member::stands)
            {
                "its site has others".to_owned()
            } else {
                cost(&record)
            };
            draft.tell(
                record,
                |reason| Event::Charged { reason },
                format!("the lease of {gone} lapsed; {cost}"),
            );
        }
    }

    fn ask(&self, draft: &mut Draft) {
        let speaker = &self.settings.speaker;
        let why = Reason::from(format!("{} asked to withdraw", speaker.host));
        match draft.record.ask(speaker, &why) {
            Ok(record) => {
                let words = cost(&record);
                draft.asks = true;
                draft.tell(record, |reason| Event::Granted { reason }, words);
            }
            Err(refusal) => {
                draft.refusal = Some(refusal);
                // Leave that was taken before a restart waits for the others to confirm; the slot stays ours.
                let member = draft.record.member(&speaker.site);
                let away = member.and_then(super::Member::away);
                if !matches!(away, Some(Away { cause: Cause::Permit, .. })) {
                    self.be_honest(draft);
                }
            }
        }
    }

    /// The record says of this host what is true.
    fn be_honest(&self, draft: &mut Draft) {
        let speaker = &self.settings.speaker;
        if self.announced {
            match draft.record.stand(speaker, self.settings.min_sites) {
                Ok(record) => {
                    let words = format!("{speaker} announces; {}", cost(&record));
                    draft.tell(record, |reason| Event::Stands { reason }, words);
                }
                Err(refusal) => draft.refusal = Some(refusal),
            }
        } else {
            let record =
                draft.record.fall(speaker, &Reason::from(format!("{} announces nothing", speaker.host)));
            let words = format!("{speaker} announces nothing; {}", cost(&record));
            draft.tell(record, |reason| Event::Fell { reason }, words);
        }
    }
}

/// How the fleet stands in numbers.
fn cost(record: &Record) -> String {
    let (taken, slots, members) = (record.taken(), record.slots(), record.members().len());
    match record.names_of_taken() {
        names if taken > 0 => format!("{taken} of {slots} slots are taken ({names}), {members} members"),
        _ => format!("none of {slots} slots is taken, {members} members"),
    }
}
