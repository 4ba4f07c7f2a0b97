//! Whose a connection is, asked beforehand.

use crate::arbitrary;
use crate::fleet::{FAMILIES, flow, london, number, pace, site};
use continuity::explain::{Account, explain, prefix_of};
use continuity::search::{Knowledge, Learned};
use continuity::{Paces, Settings, State, Verdict};
use proptest::prelude::*;
use terms::Timestamp;

fn asked(settings: &Settings, known: &Knowledge, of: u8) -> Account {
    explain(settings, known, flow(FAMILIES[0], of), Timestamp::ZERO)
}

/// London with nothing to spend.
fn poor() -> Settings {
    Settings { paces: Paces { claims: pace(0), guesses: pace(0), resets: pace(0) }, ..london() }
}

#[test]
fn over_budget_a_living_site_comes_before_a_dead_one() {
    let mut settings = poor();
    settings.sites.insert(number(2), site(2, &[3], State::Dead));
    let account = asked(&settings, &Knowledge::default(), 3);
    assert_eq!((account.verdict, account.found), (Verdict::OverBudget, Some((number(3), State::Alive))));
}

#[test]
fn over_budget_a_dead_site_that_was_found_before_is_no_guess() {
    let mut known = Knowledge::default();
    let flow = flow(FAMILIES[0], 6);
    known.learned.insert(flow, Learned::claimed(number(4), Timestamp::ZERO));
    let account = asked(&poor(), &known, 6);
    assert_eq!(account.claimants, []);
    assert_eq!((account.verdict, account.found), (Verdict::OverBudget, Some((number(4), State::Dead))));

    let owners = [(prefix_of(&flow), number(2))].into();
    let account = asked(&poor(), &Knowledge { owners, ..Knowledge::default() }, 6);
    assert_eq!((account.verdict, account.found), (Verdict::OverBudget, None), "that is a guess");
}

proptest! {
    /// Whoever is found is whom the search comes to where budgets allow it, whatever is spent.
    #[test]
    fn what_is_found_is_what_the_search_comes_to(
        settings in arbitrary::settings(),
        learned in proptest::option::of(2..6_u8),
        of in 1..7_u8,
    ) {
        let learned = learned.map(|site| (flow(FAMILIES[0], of), Learned::claimed(number(site), Timestamp::ZERO)));
        let known = Knowledge { learned: learned.into_iter().collect(), ..Knowledge::default() };
        let paces = Paces { claims: pace(9), guesses: pace(9), resets: pace(9) };
        let account = asked(&settings, &known, of);
        let rich = asked(&Settings { paces, ..settings }, &known, of);
        prop_assert_eq!(account.found, rich.found);
        match rich.verdict {
            Verdict::Claimed(owner) => prop_assert_eq!(account.found, Some((owner, State::Alive))),
            Verdict::Orphaned => prop_assert_eq!(account.found.map(|(_, state)| state), Some(State::Dead)),
            Verdict::Guessed(_) | Verdict::Unclaimed => prop_assert_eq!(account.found, None),
            Verdict::Learned(_) => {}
            other => prop_assert!(false, "{other:?} of a segment that no socket has"),
        }
    }
}
