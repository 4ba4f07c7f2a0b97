//! The laws of the decision, each checked on random scripts, and each shown to catch the fault it guards against.
//!
//! A law is a function of a [`Subject`](subject::Subject) and a [`Script`](script::Script): it runs the subject
//! through the script, as often as it needs to, and judges what came out by its own reading of the inputs. It never
//! asks the machine what it thinks.
//!
//! A fault is planted in a [`Specimen`](subject::Specimen), a wrapper that bends what goes into the machine, what
//! comes out of it, or what is saved of it. So the production code holds no switches, and still each fault is one of
//! behaviour that an honest mistake could have made, not an edited recording that no machine would write.

#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]
#![allow(
    unreachable_pub,
    reason = "a test exports nothing, and `pub` says what a module offers to the others"
)]

mod fault;
mod law;
mod reading;
mod script;
mod subject;

use announce::{Action, Event, State};
use fault::{FAULTS, SOUND};
use law::Law;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;
use subject::{Extra, Subject};

proptest! {
    #![proptest_config(Config { cases: 40, ..Config::default() })]

    #[test]
    fn the_machine_keeps_every_law(case in script::any_case()) {
        let subject = Subject::of(&case, SOUND);
        for law in Law::ALL {
            if let Err(violation) = law.judge(&subject, &case.script) {
                return Err(TestCaseError::fail(format!("{law:?}: {violation}")));
            }
        }
    }

    /// An alarm is an event that stays until it is cleared: whoever counts the events knows which ones stand.
    #[test]
    fn alarms_stand_from_their_event_to_their_end(case in script::any_case()) {
        let mut standing = BTreeSet::new();
        for step in Subject::of(&case, SOUND).run(&case.script).steps {
            for action in step.actions {
                match action {
                    Action::Event(Event::Raised { alarm, .. }) => prop_assert!(standing.insert(alarm)),
                    Action::Event(Event::Cleared { alarm, .. }) => prop_assert!(standing.remove(&alarm)),
                    _ => {}
                }
            }
            prop_assert_eq!(&standing, &step.alarms);
        }
    }

    /// The deadline is no law of its own, but a driver that trusts it must miss nothing and never spin.
    #[test]
    fn the_deadline_is_neither_late_nor_in_vain(case in script::any_case()) {
        let mut specimen = Subject::of(&case, SOUND).start();
        for moment in case.script {
            specimen.answered(moment.input, moment.at, Extra::Nothing);
            prop_assert_eq!(specimen.done_too_early(), vec![]);
            prop_assert!(specimen.serves_its_deadline());
        }
    }
}

#[test]
fn every_planted_fault_is_caught_by_its_law() {
    for fault in FAULTS {
        let mut runner = TestRunner::deterministic();
        let caught = (0..1_000).any(|_| {
            let case = script::any_case().new_tree(&mut runner).unwrap().current();
            fault.law.judge(&Subject::of(&case, fault.seams), &case.script).is_err()
        });
        assert!(caught, "{:?} does not notice that {}", fault.law, fault.what);
    }
}

#[test]
fn every_law_has_a_fault_that_it_catches() {
    for law in Law::ALL {
        assert!(FAULTS.iter().any(|fault| fault.law == law), "nothing shows that {law:?} can fail");
    }
}

#[test]
fn the_scripts_go_everywhere() {
    use State::{Boot, Down, Drain, Held, Off, Suspect, Up, Warm};
    let moves = [
        (Boot, Warm),
        (Boot, Off),
        (Warm, Up),
        (Warm, Off),
        (Up, Suspect),
        (Up, Held),
        (Up, Drain),
        (Up, Down),
        (Up, Off),
        (Suspect, Up),
        (Suspect, Held),
        (Suspect, Drain),
        (Suspect, Down),
        (Suspect, Off),
        (Held, Up),
        (Held, Down),
        (Held, Off),
        (Drain, Up),
        (Drain, Down),
        (Drain, Off),
        (Down, Up),
        (Down, Off),
        (Off, Warm),
    ];
    let mut runner = TestRunner::deterministic();
    let mut missing = BTreeSet::from(moves);
    for _ in 0..3_000 {
        let case = script::any_case().new_tree(&mut runner).unwrap().current();
        for step in Subject::of(&case, SOUND).run(&case.script).steps {
            for action in step.actions {
                if let Action::Event(Event::Moved { from, to, .. }) = action {
                    missing.remove(&(from, to));
                }
            }
        }
        if missing.is_empty() {
            return;
        }
    }
    panic!("no script ever went {missing:?}");
}
