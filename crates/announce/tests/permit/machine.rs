//! The site's side, step by step: what it asks of the store, and what it makes of the answers.

use announce::permit::{
    Alarm, Input, Machine, Output, Pace, Phase, Record, Revision, Settings, Speaker, Stored, Ticket, Turn,
};
use announce::{Permit, Wish};
use std::time::Duration;
use terms::{Reason, Timestamp};

use crate::speaker;

/// A machine, a store that answers as a test wants, and a clock.
struct Site {
    machine: Machine,
    now: Timestamp,
    turn: u64,
}

enum Asked {
    Read(Ticket),
    Replace(Ticket, Option<Revision>, Record),
}

impl Site {
    fn new(name: &str) -> Self {
        let settings = Settings {
            group: "dns".parse().unwrap(),
            speaker: speaker(name),
            min_sites: None,
            pace: Pace::default(),
        };
        Site { machine: Machine::new(settings, 1, Timestamp::ZERO), now: Timestamp::ZERO, turn: 0 }
    }

    /// One that announces, and is in contact with a store that holds this record of its fleet.
    fn standing(name: &str, store: &mut Store) -> Self {
        let mut site = Site::new(name);
        site.tell(Input::Announced(true));
        site.settle(store);
        assert_eq!(site.machine.phase(), Phase::Standing);
        site
    }

    fn tell(&mut self, input: Input) {
        self.machine.handle(input, self.now);
    }

    fn wish(&mut self, wish: Wish) {
        self.turn += 1;
        let turn = Turn(self.turn);
        self.tell(Input::Wish { wish, turn });
    }

    /// The request that is under way, waiting for one if need be.
    fn asked(&mut self) -> Asked {
        for _ in 0..50 {
            while let Some(output) = self.machine.poll_output() {
                match output {
                    Output::Read { ticket } => return Asked::Read(ticket),
                    Output::Replace { ticket, expected, record } => {
                        return Asked::Replace(ticket, expected, record);
                    }
                    Output::Permit { .. } | Output::Event(_) => {}
                }
            }
            self.wait();
        }
        panic!("nothing is asked of the store");
    }

    fn wait(&mut self) {
        self.now = self.now.max(self.machine.deadline());
        self.tell(Input::Timer);
    }

    fn change(&mut self) -> (Ticket, Option<Revision>, Record) {
        match self.asked() {
            Asked::Replace(ticket, expected, record) => (ticket, expected, record),
            Asked::Read(_) => panic!("a read where a change was expected"),
        }
    }

    /// Answers requests from a store until only reads are left to do.
    fn settle(&mut self, store: &mut Store) {
        for _ in 0..3 {
            let mut reads = 0;
            while reads < 2 {
                match self.asked() {
                    Asked::Read(ticket) => {
                        reads += 1;
                        self.tell(Input::Stored { ticket, found: store.0.clone() });
                    }
                    Asked::Replace(ticket, expected, record) => {
                        self.tell(store.replace(ticket, expected, record))
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Store(Option<Stored>);

impl Store {
    /// One with the record of a fleet in which these stand.
    fn of(hosts: &[&str]) -> Self {
        let mut store = Store::default();
        for host in hosts {
            store.amend(|record| record.stand(&speaker(host), None).unwrap());
        }
        store
    }

    fn record(&self) -> Record {
        self.0.as_ref().map_or_else(Record::empty, |stored| stored.record.clone())
    }

    fn amend(&mut self, change: impl FnOnce(&Record) -> Record) {
        let revision = Revision(self.0.as_ref().map_or(1, |stored| stored.revision.0 + 1));
        self.0 = Some(Stored { revision, record: change(&self.record()) });
    }

    fn confirm(&mut self, hosts: &[&str]) {
        for host in hosts {
            self.amend(|record| record.confirm(&speaker(host), None));
        }
    }

    fn replace(&mut self, ticket: Ticket, expected: Option<Revision>, record: Record) -> Input {
        if self.0.as_ref().map(|stored| stored.revision) != expected {
            return Input::Conflict { ticket };
        }
        self.amend(|_| record);
        Input::Replaced { ticket, revision: self.0.as_ref().unwrap().revision }
    }
}

fn stands(record: &Record, Speaker { site, host }: &Speaker) -> bool {
    record.stands(site, host)
}

/// A fleet of three, in which london is in contact and everybody relies on everybody.
fn three() -> (Site, Store) {
    let mut store = Store::of(&["paris", "tokyo"]);
    let mut site = Site::standing("london", &mut store);
    store.confirm(&["paris", "tokyo"]);
    site.settle(&mut store);
    (site, store)
}

#[test]
fn a_wish_is_one_change_and_held_once_it_is_known_to_be_made() {
    let (mut site, mut store) = three();
    site.wish(Wish::Ask);
    let (ticket, expected, record) = site.change();
    assert_eq!(site.machine.permit(), Permit::Asked);
    assert!(!stands(&record, &speaker("london")) && record.taken() == 1);
    let answer = store.replace(ticket, expected, record);
    site.tell(answer);
    assert_eq!((site.machine.permit(), site.machine.phase()), (Permit::Held, Phase::Held));
}

#[test]
fn an_ambiguous_grant_is_not_used_and_not_lost() {
    let (mut site, mut store) = three();
    site.wish(Wish::Ask);
    let (ticket, expected, record) = site.change();
    store.replace(ticket, expected, record);
    site.tell(Input::Ambiguous { ticket });
    assert_eq!(site.machine.permit(), Permit::Asked);
    // It is in the store, and still not used on the strength of a read.
    let Asked::Read(ticket) = site.asked() else { panic!("it reads first") };
    site.tell(Input::Stored { ticket, found: store.0.clone() });
    assert_eq!((site.machine.permit(), store.record().holders().count()), (Permit::Asked, 1));
    // Released before it was ever held: the slot is freed.
    site.wish(Wish::Release);
    site.settle(&mut store);
    assert_eq!((store.record().holders().count(), site.machine.phase()), (0, Phase::Standing));
}

#[test]
fn a_late_answer_is_no_answer_to_a_later_request() {
    let (mut site, mut store) = three();
    site.wish(Wish::Ask);
    let (late, ..) = site.change();
    site.tell(Input::Conflict { ticket: late });
    site.settle(&mut Store::of(&[]));
    site.tell(Input::Replaced { ticket: late, revision: Revision(99) });
    assert_eq!(site.machine.permit(), Permit::Asked);
    store.confirm(&["paris"]);
}

#[test]
fn a_release_ends_the_use_before_the_record_is_touched() {
    let (mut site, mut store) = three();
    site.wish(Wish::Ask);
    site.settle(&mut store);
    assert_eq!(site.machine.permit(), Permit::Held);
    site.wish(Wish::Release);
    assert_eq!((site.machine.permit(), store.record().holders().count()), (Permit::None, 1));
    let mut told = Vec::new();
    while let Some(output) = site.machine.poll_output() {
        if let Output::Permit { permit, turn } = &output {
            told.push((*permit, *turn));
        }
        if let Output::Replace { ticket, expected, record } = output {
            site.tell(store.replace(ticket, expected, record));
        }
    }
    assert_eq!(told, [(Permit::None, Turn(2))]);
    assert_eq!(store.record().holders().count(), 0);
}

#[test]
fn a_restart_keeps_the_permit_until_the_site_announces() {
    let (mut site, mut store) = three();
    site.wish(Wish::Ask);
    site.settle(&mut store);
    let mut site = Site::new("london");
    site.settle(&mut store);
    assert_eq!((store.record().holders().count(), site.machine.phase()), (1, Phase::Absent));
    site.tell(Input::Announced(true));
    site.settle(&mut store);
    assert_eq!((store.record().taken(), site.machine.phase()), (0, Phase::Standing));
}

#[test]
fn a_restart_without_a_permit_says_that_it_is_gone() {
    let (_, mut store) = three();
    let mut site = Site::new("london");
    site.settle(&mut store);
    assert_eq!((store.record().charges().count(), store.record().holders().count()), (1, 0));
    assert_eq!(site.machine.phase(), Phase::Absent);
}

#[test]
fn without_a_store_nothing_is_given_and_nothing_that_was_given_is_taken() {
    let (mut site, mut store) = three();
    site.tell(Input::Disconnected { why: Reason::from("connection reset") });
    site.wish(Wish::Ask);
    for _ in 0..20 {
        if let Asked::Read(ticket) = site.asked() {
            site.tell(Input::Unavailable { ticket, why: Reason::from("connection refused") });
        }
    }
    assert_eq!(site.machine.permit(), Permit::Asked);
    assert!(site.machine.alarms().contains_key(&Alarm::StoreLost));
    // Back in contact: it doubts what was written while it did not look, and waits for the others.
    site.settle(&mut store);
    assert_eq!(site.machine.permit(), Permit::Asked);
    assert!(site.machine.refusal().unwrap().as_str().contains("must confirm first"));
    store.confirm(&["paris", "tokyo"]);
    site.settle(&mut store);
    assert_eq!(site.machine.permit(), Permit::Held);
    site.tell(Input::Disconnected { why: Reason::from("connection reset") });
    assert_eq!(site.machine.permit(), Permit::Held);
}

#[test]
fn a_store_that_forgot_is_told_so_and_a_held_permit_is_written_again() {
    let (mut site, mut store) = three();
    let backup = store.0.clone();
    site.wish(Wish::Ask);
    site.settle(&mut store);
    let mut store = Store(backup);
    assert!(stands(&store.record(), &speaker("london")));
    let (mut reads, mut alarmed) = (0, false);
    while reads < 4 {
        match site.asked() {
            Asked::Read(ticket) => {
                reads += 1;
                site.tell(Input::Stored { ticket, found: store.0.clone() });
            }
            Asked::Replace(ticket, expected, record) => site.tell(store.replace(ticket, expected, record)),
        }
        alarmed |= site.machine.alarms().contains_key(&Alarm::StoreRestored);
    }
    let record = store.record();
    assert!(alarmed && record.doubt() > 0 && record.unconfirmed(0).count() == 2);
    assert_eq!((site.machine.permit(), record.holders().count()), (Permit::Held, 1));
    store.confirm(&["paris", "tokyo"]);
    site.settle(&mut store);
    assert!(site.machine.alarms().is_empty());
}

#[test]
fn an_old_notice_or_garbage_changes_nothing() {
    let (mut site, mut store) = three();
    let before = site.machine.record().clone();
    site.tell(Input::Watched(Stored { revision: Revision(1), record: Record::empty() }));
    assert_eq!(*site.machine.record(), before);
    let Asked::Read(ticket) = site.asked() else { panic!("it polls") };
    site.tell(Input::Garbled { ticket, why: Reason::from("not a record") });
    assert_eq!(*site.machine.record(), before);
    assert!(site.machine.alarms().contains_key(&Alarm::StoreGarbled));
    site.settle(&mut store);
    assert!(site.machine.alarms().is_empty());
}

#[test]
fn a_lapsed_host_is_charged_at_leisure_and_not_when_it_is_back() {
    let (mut site, mut store) = three();
    site.tell(Input::Lapsed(speaker("london")));
    site.tell(Input::Lapsed(speaker("tokyo")));
    site.tell(Input::Present(speaker("tokyo")));
    site.settle(&mut store);
    assert_eq!(store.record().taken(), 0);
    site.tell(Input::Lapsed(speaker("tokyo")));
    site.settle(&mut store);
    assert_eq!(
        store.record().charges().map(|(site, _)| site.clone()).collect::<Vec<_>>(),
        [speaker("tokyo").site]
    );
}

#[test]
fn the_deadline_is_never_in_vain() {
    let (mut site, _) = three();
    for _ in 0..100 {
        let before = site.now;
        site.wait();
        while site.machine.poll_output().is_some() {}
        assert!(site.machine.deadline() > before, "it spins");
    }
    assert!(site.now > Timestamp::ZERO + Duration::from_secs(30));
}
