//! What a service says is read as it was meant and nothing else is; whatever it says in whatever order, what it may hold of
//! the daemon is bounded, and each of its answers is for the turn that it means.

use crate::{arbitrary, bodies, model};
use continuity::handover::Message;
use continuity::service::{Act, LONGEST, Misstep, Said, Session, Told, Unclear};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn read(packet: &str) -> Result<Said, Unclear> {
    Said::decode(packet.as_bytes())
}

proptest! {
    #[test]
    fn what_a_service_says_is_read((packet, said) in arbitrary::said()) {
        prop_assert_eq!(Said::decode(&packet), Ok(said.clone()));
        if !matches!(said, Said::Offer { .. }) {
            prop_assert_eq!(Said::decode(&[&packet[..], b"\n"].concat()), Err(Unclear::Trailing));
        }
    }

    #[test]
    fn anything_else_is_refused_or_bounded(
        (packet, _) in arbitrary::said(),
        place: prop::sample::Index,
        octet: u8,
    ) {
        let mut packet = packet;
        let place = place.index(packet.len());
        packet[place] = octet;
        bodies::service(&packet);
    }
}

#[test]
fn each_mistake_has_its_words() {
    let many = " 198.18.0.53:7".repeat(17);
    let cases = [
        ("join 2 chat 198.18.0.53:7\n", Unclear::Version("2".to_owned())),
        ("join 1 Ä 198.18.0.53:7\n", Unclear::Line),
        ("join 1 a/b 198.18.0.53:7\n", Unclear::Name),
        ("join 1  198.18.0.53:7\n", Unclear::Name),
        ("join 1 chat\n", Unclear::Addresses),
        ("join 1 chat 198.18.0.53\n", Unclear::Addresses),
        ("join 1 chat 198.18.0.53:0\n", Unclear::Addresses),
        ("join 1 chat [::]:7\n", Unclear::Addresses),
        ("join 1 chat [fe80::1%2]:7\n", Unclear::Addresses),
        ("join 1 chat 198.18.0.53:7 \n", Unclear::Addresses),
        (&format!("join 1 chat{many}\n"), Unclear::Addresses),
        ("full", Unclear::Line),
        ("full\nstate", Unclear::Trailing),
        ("", Unclear::Line),
        ("\n", Unclear::Words(String::new())),
        ("wish -1\n", Unclear::Words("wish -1".to_owned())),
        ("wish +1\n", Unclear::Words("wish +1".to_owned())),
        ("wish 4294967296\n", Unclear::Words("wish 4294967296".to_owned())),
        ("offer\nstate", Unclear::Words("offer".to_owned())),
        ("pass\n", Unclear::Words("pass".to_owned())),
        ("room\t\n", Unclear::Line),
    ];
    for (packet, wrong) in cases {
        assert_eq!(read(packet), Err(wrong), "{packet:?}");
    }
    let long = |state| [b"offer 1\n".to_vec(), vec![0; state]].concat();
    assert!(Said::decode(&long(Message::MOST_STATE)).is_ok());
    assert_eq!(Said::decode(&long(Message::MOST_STATE + 1)), Err(Unclear::TooLong));
    assert_eq!(Said::decode(&vec![b' '; LONGEST + 1]), Err(Unclear::TooLong));
    assert_eq!(Said::decode(&vec![b' '; LONGEST]), Err(Unclear::Line));
    let Ok(Said::Join(join)) = read("join 1 chat [::ffff:198.18.0.53]:7\n") else { panic!() };
    assert_eq!(
        join.addresses,
        BTreeSet::from(["198.18.0.53:7".parse().unwrap()]),
        "one address has one form"
    );
}

#[test]
fn what_the_daemon_says() {
    let (client, service) = ("203.0.113.9:50000".parse().unwrap(), "[2001:db8:53::53]:7".parse().unwrap());
    let all = [
        Told::Joined,
        Told::Refused("`a\nb` is not\u{e4}".to_owned()),
        Told::Drain,
        Told::Resume,
        Told::Turn(7),
        Told::Moved(u64::MAX),
        Told::Stays(0),
        Told::Given { client, service, state: b"\n17".to_vec() },
    ];
    let text: String = all.iter().map(|told| format!("{}\n", told.encode().escape_ascii())).collect();
    insta::assert_snapshot!(text, @r"
    joined\n
    refused `a?b` is not?\n
    drain\n
    resume\n
    turn 7\n
    moved 18446744073709551615\n
    stays 0\n
    given 203.0.113.9:50000 [2001:db8:53::53]:7\n\n17
    ");
    assert!(Told::Refused("a".repeat(5000)).encode().len() < 2000);
}

/// What happens to a session.
#[derive(Clone, Debug)]
enum Event {
    Says(Said, usize),
    Looked,
    Lapses(u64),
    Settles(u64),
    NextRound,
}

/// What has become of a turn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Open,
    Lapsed,
    Offered,
    Over,
}

fn event() -> impl Strategy<Value = Event> {
    let says = (arbitrary::said(), prop_oneof![9 => Just(None), 1 => (0..3_usize).prop_map(Some)]);
    let says = says.prop_map(|((_, said), descriptors)| {
        let right = usize::from(matches!(said, Said::Offer { .. }));
        Event::Says(said, descriptors.unwrap_or(right))
    });
    let turn = 0..60_u64;
    prop_oneof![
        6 => says,
        2 => (0..100_u32).prop_map(|count| Event::Says(Said::Wish(count), 0)),
        6 => turn.clone().prop_map(|turn| Event::Says(Said::Offer { turn, state: Vec::new() }, 1)),
        3 => turn.clone().prop_map(|turn| Event::Says(Said::Pass(turn), 0)),
        12 => Just(Event::Looked),
        2 => turn.clone().prop_map(Event::Lapses),
        2 => turn.prop_map(Event::Settles),
        1 => Just(Event::NextRound),
    ]
}

proptest! {
    #[test]
    fn a_service_may_say_anything_in_any_order(events in vec(event(), 0..400)) {
        let mut session = Session::default();
        let (mut has_joined, mut wishes) = (false, 0_u32);
        // The same once more, kept naively: all turns that there ever were, and what was never one.
        let mut turns = vec![None];
        let count = |turns: &[Option<Turn>]| {
            turns.iter().flatten().filter(|turn| **turn != Turn::Over).count()
        };
        for event in events {
            match event {
                Event::Says(said, descriptors) => {
                    let right = usize::from(matches!(said, Said::Offer { .. }));
                    let expected = match said.clone() {
                        _ if descriptors != right => Err(Misstep::Descriptors),
                        Said::Join(join) if !has_joined => {
                            has_joined = true;
                            Ok(Act::Join(join))
                        }
                        _ if !has_joined => Err(Misstep::Stranger),
                        Said::Join(_) => Err(Misstep::Again),
                        Said::Full => Ok(Act::Fill(true)),
                        Said::Room => Ok(Act::Fill(false)),
                        Said::Wish(count) => {
                            wishes = count.min(1 << 20);
                            Ok(Act::Look)
                        }
                        Said::Offer { turn, state } => match at(&mut turns, turn) {
                            None => Err(Misstep::NoTurn),
                            Some(Turn::Offered) => Err(Misstep::Answered),
                            Some(now @ Turn::Open) => {
                                *now = Turn::Offered;
                                Ok(Act::Give { turn, state })
                            }
                            Some(now) => {
                                *now = Turn::Over;
                                Ok(Act::Keep(turn))
                            }
                        },
                        Said::Pass(turn) => match at(&mut turns, turn) {
                            None => Err(Misstep::NoTurn),
                            Some(Turn::Offered) => Err(Misstep::Answered),
                            Some(now) => match std::mem::replace(now, Turn::Over) {
                                Turn::Open => Ok(Act::Return(turn)),
                                _ => Ok(Act::Nothing),
                            },
                        },
                    };
                    let heard = session.hear(said, descriptors);
                    prop_assert_eq!(&heard, &expected);
                }
                // What a driver does with a way that it has found.
                Event::Looked if session.use_wish() => {
                    prop_assert!(wishes > 0 && count(&turns) < Session::MOST_AT_ONCE);
                    wishes -= 1;
                    prop_assert_eq!(session.tell_turn(), turns.len() as u64, "none has the number of another one");
                    turns.push(Some(Turn::Open));
                }
                Event::Looked => wishes = wishes.saturating_sub(1),
                Event::Lapses(turn) => {
                    session.lapse(turn);
                    if let Some(now @ Turn::Open) = at(&mut turns, turn) {
                        *now = Turn::Lapsed;
                    }
                }
                Event::Settles(turn) => {
                    if let Some(now @ Turn::Offered) = at(&mut turns, turn) {
                        session.settle(turn);
                        *now = Turn::Over;
                    }
                }
                Event::NextRound => {
                    session.begin_round();
                    wishes = 0;
                    turns.iter_mut().flatten().filter(|turn| **turn == Turn::Lapsed).for_each(|turn| *turn = Turn::Over);
                }
            }
            let room = Session::MOST_AT_ONCE - count(&turns);
            prop_assert_eq!(session.wants(), room.min(wishes as usize));
        }
    }
}

fn at(turns: &mut [Option<Turn>], turn: u64) -> Option<&mut Turn> {
    turns.get_mut(usize::try_from(turn).ok()?)?.as_mut()
}

/// A service whose handler of one turn has failed goes on with the others.
#[test]
fn a_turn_that_is_forgotten_costs_no_other_one() {
    let mut session = Session::default();
    let Ok(join) = read("join 1 chat 198.18.0.53:7\n") else { panic!() };
    session.hear(join, 0).unwrap();
    let forgotten = session.tell_turn();
    session.lapse(forgotten);
    for _ in 0..3 {
        let turn = session.tell_turn();
        let offer = Said::Offer { turn, state: Vec::new() };
        assert_eq!(session.hear(offer, 1), Ok(Act::Give { turn, state: Vec::new() }));
        session.begin_round();
    }
    assert_eq!(session.hear(Said::Pass(forgotten), 0), Ok(Act::Nothing), "it may still be answered");
}

#[test]
fn the_corpus_of_what_services_say() {
    model::corpus("continuity_service", bodies::service);
}
