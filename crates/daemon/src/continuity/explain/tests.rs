//! The sentences, and what can be said at all.

use super::super::knowledge::tests::knowledge;
use super::*;
use announce::permit::Speaker;
use std::net::IpAddr;

fn number(number: u8) -> SiteNumber {
    number.try_into().unwrap()
}

fn flow() -> Flow {
    Flow::new("203.0.113.7:40000".parse().unwrap(), "198.18.0.53:53".parse().unwrap())
}

/// A host at Paris (2) or Tokyo (3).
fn seen((number_of_site, name, state): (u8, &str, State)) -> Seen {
    let address = IpAddr::from([10, number_of_site, 0, 10]);
    Seen {
        speaker: Speaker { site: name.parse().unwrap(), host: name.parse().unwrap() },
        number: number(number_of_site),
        connections: 1,
        at: None,
        is_well: true,
        serves_all: true,
        site: Ok(::continuity::Site { address, state, filter: None }),
    }
}

/// What London says of an account.
fn said(account: &Account) -> ExplainedFlow {
    let seen = [(2, "paris", State::Dead), (3, "tokyo", State::Alive)].map(seen);
    let (site, programs, known) = ("london".parse().unwrap(), Programs::new(), knowledge());
    let witness =
        Witness { site: &site, clock: Clock::start(), programs: &programs, known: &known, seen: &seen };
    witness.words(flow(), account, &Known::default())
}

fn account(verdict: Verdict, claimants: &[(u8, State)], found: Option<(u8, State)>) -> Account {
    let pair = |(site, state): (u8, State)| (number(site), state);
    let claimants = claimants.iter().copied().map(pair).collect();
    Account { verdict, claimants, found: found.map(pair), learned: None, last_owner: None }
}

#[test]
fn over_budget_whoever_the_search_meant_is_named() {
    let both = [(2, State::Dead), (3, State::Alive)];
    let lines = [
        account(Verdict::OverBudget, &both, Some(both[1])),
        account(Verdict::OverBudget, &both[..1], Some(both[0])),
        account(Verdict::OverBudget, &[], Some(both[0])),
        account(Verdict::OverBudget, &[], None),
        account(Verdict::Orphaned, &[], Some(both[0])),
    ]
    .map(|account| {
        let said = said(&account);
        format!("{}: {}", said.owner.map_or("nobody".to_owned(), |owner| owner.to_string()), said.reason)
    });
    insta::assert_snapshot!(lines.join("\n"), @"
    tokyo: tokyo says that it has it, but `budget` of [continuity] is spent now
    paris: paris had it and is dead, but `budget` of [continuity] is spent now
    paris: paris had it and is dead, but `budget` of [continuity] is spent now
    nobody: it could only be guessed, and `budget` of [continuity] is spent now
    paris: paris had it and is dead
    ");
}

#[test]
fn neither_end_of_a_handover_says_whose_it_is() {
    let said = said(&account(Verdict::Held, &[], None));
    assert_eq!((said.owner, said.next), (None, NextPacket::Held));
}

#[test]
fn what_is_not_known_yet_is_another_answer_than_what_is_not_there() {
    let (site, programs, mut known) = ("london".parse().unwrap(), Programs::new(), knowledge());
    let asked = Asked { client: "203.0.113.7:40000".parse().unwrap(), service: None };
    for standing in [Standing::Waiting, Standing::On, Standing::Off(Reason::from("CAP_BPF is missing"))] {
        known.standing = standing;
        let witness =
            Witness { site: &site, clock: Clock::start(), programs: &programs, known: &known, seen: &[] };
        assert!(matches!(witness.explain(asked), Err(Unexplained::NotNow(_))), "{:?}", known.standing);
    }
}
