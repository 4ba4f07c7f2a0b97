//! Two sites and one connection: whatever is lost or late between them, never do both speak for it. What they say is
//! written and read the same, and nothing else is read.

use crate::{arbitrary, bodies, model};
use continuity::handover::{
    Dump, Giver, GiverAct, GiverEvent, Malformed, Message, Refusal, Taker, TakerAct, TakerEvent,
};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

#[test]
fn the_whole_table() {
    let mut text = String::from("giver\n");
    for state in Giver::ALL {
        for event in GiverEvent::ALL {
            let (next, acts) = state.next(event);
            let _ = writeln!(
                text,
                "{:8} {:9} {:8} {acts:?}",
                format!("{state:?}"),
                format!("{event:?}"),
                format!("{next:?}")
            );
        }
    }
    text.push_str("taker\n");
    for state in Taker::ALL {
        for event in TakerEvent::ALL {
            let (next, acts) = state.next(event);
            let _ = writeln!(
                text,
                "{:8} {:9} {:8} {acts:?}",
                format!("{state:?}"),
                format!("{event:?}"),
                format!("{next:?}")
            );
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false,
        omit_expression => true,
        snapshot_path => "../snapshots",
    }, {
        insta::assert_snapshot!("handover", text);
    });
}

/// What a kernel has of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Socket {
    None,
    Frozen,
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Offer,
    Accepted,
    Refused,
    Released,
    Withdrawn,
}

/// Both sites, and what is on its way between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    giver: Giver,
    here: Socket,
    is_fenced: bool,
    is_learned: bool,
    /// None: it was not offered yet.
    taker: Option<Taker>,
    there: Socket,
    is_fenced_there: bool,
    to_taker: Vec<Said>,
    to_giver: Vec<Said>,
    /// Whether nothing went wrong on the way.
    is_whole: bool,
}

impl World {
    fn begin() -> Self {
        World {
            giver: Giver::Ready,
            here: Socket::Live,
            is_fenced: false,
            is_learned: false,
            taker: None,
            there: Socket::None,
            is_fenced_there: false,
            to_taker: Vec::new(),
            to_giver: Vec::new(),
            is_whole: true,
        }
    }

    fn give(&mut self, event: GiverEvent) {
        let (next, acts) = self.giver.next(event);
        if event == GiverEvent::Froze {
            (self.is_fenced, self.here) = (true, Socket::Frozen);
        }
        self.giver = next;
        for act in acts {
            match act {
                GiverAct::Offer => self.to_taker.push(Said::Offer),
                GiverAct::Release => self.to_taker.push(Said::Released),
                GiverAct::Withdraw => self.to_taker.push(Said::Withdrawn),
                GiverAct::Discard => self.here = Socket::None,
                GiverAct::Thaw => self.here = Socket::Live,
                GiverAct::Unfence => self.is_fenced = false,
                GiverAct::Learn => self.is_learned = true,
                GiverAct::Dump | GiverAct::Compare | GiverAct::Replay => {}
            }
        }
    }

    fn take(&mut self, event: TakerEvent) {
        let Some(taker) = self.taker else { return };
        let (next, acts) = taker.next(event);
        if event == TakerEvent::Restored && taker == Taker::Offered {
            (self.is_fenced_there, self.there) = (true, Socket::Frozen);
        }
        // The kernel may refuse between the two.
        if event == TakerEvent::Failed && taker == Taker::Offered {
            self.is_fenced_there = true;
        }
        self.taker = Some(next);
        for act in acts {
            match act {
                TakerAct::Accept => self.to_giver.push(Said::Accepted),
                TakerAct::Refuse => self.to_giver.push(Said::Refused),
                TakerAct::Thaw => self.there = Socket::Live,
                TakerAct::Discard => self.there = Socket::None,
                TakerAct::Unfence => {
                    assert!(
                        self.there != Socket::Frozen,
                        "it takes in what is lost if nothing comes of it: {self:#?}"
                    );
                    self.is_fenced_there = false;
                }
                TakerAct::Give => assert!(!self.is_fenced_there, "its service hears nothing: {self:#?}"),
            }
        }
    }

    /// Every world that may follow.
    fn next(&self) -> Vec<World> {
        let mut next = Vec::new();
        let mut then = |change: &dyn Fn(&mut World)| {
            let mut world = self.clone();
            change(&mut world);
            next.push(world);
        };
        match self.giver {
            Giver::Ready => then(&|world| world.give(GiverEvent::Froze)),
            Giver::Frozen => then(&|world| world.give(GiverEvent::Dumped)),
            Giver::Accepted => then(&|world| world.give(GiverEvent::Same)),
            Giver::Offered | Giver::Given | Giver::Kept => {}
        }
        if self.taker == Some(Taker::Offered) {
            then(&|world| world.take(TakerEvent::Restored));
            then(&|world| world.take(TakerEvent::Failed));
        }
        if !self.to_taker.is_empty() {
            then(&|world| match world.to_taker.remove(0) {
                Said::Offer => world.taker = Some(Taker::Offered),
                Said::Released => world.take(TakerEvent::Released),
                Said::Withdrawn => world.take(TakerEvent::Withdrawn),
                Said::Accepted | Said::Refused => unreachable!("the giver does not say so"),
            });
        }
        if !self.to_giver.is_empty() {
            then(&|world| match world.to_giver.remove(0) {
                Said::Accepted => world.give(GiverEvent::Accepted),
                Said::Refused => world.give(GiverEvent::Refused),
                Said::Offer | Said::Released | Said::Withdrawn => unreachable!("the taker does not say so"),
            });
        }
        // What goes wrong: at either end or between them, at any time.
        for event in [GiverEvent::Late, GiverEvent::Failed] {
            then(&|world| (world.is_whole, ()) = (false, world.give(event)));
        }
        then(&|world| (world.is_whole, ()) = (false, world.take(TakerEvent::Late)));
        then(&|world| {
            world.is_whole = false;
            world.to_taker.clear();
            world.to_giver.clear();
            world.give(GiverEvent::Lost);
            world.take(TakerEvent::Lost);
        });
        next
    }
}

#[test]
fn two_sites_never_speak_for_one_client_and_nobody_is_left_frozen() {
    let mut seen = BTreeSet::from([World::begin()]);
    let mut waiting = VecDeque::from([World::begin()]);
    let (mut here, mut there) = (0, 0);
    while let Some(world) = waiting.pop_front() {
        assert!(world.here != Socket::Live || world.there != Socket::Live, "both speak: {world:#?}");
        assert!(world.here != Socket::Live || !world.is_fenced, "who goes on is fenced: {world:#?}");
        assert!(world.there != Socket::Live || !world.is_fenced_there, "who goes on is fenced: {world:#?}");
        assert!(
            world.there != Socket::Frozen || world.is_fenced_there,
            "what it takes in is lost: {world:#?}"
        );
        assert!(world.here == Socket::None || !world.is_learned, "its packets go elsewhere: {world:#?}");
        let next = world.next();
        let is_over = matches!(world.giver, Giver::Given | Giver::Kept)
            && matches!(world.taker, None | Some(Taker::Taken | Taker::Dropped))
            && world.to_taker.is_empty()
            && world.to_giver.is_empty();
        if is_over {
            here += u32::from(world.here == Socket::Live);
            there += u32::from(world.there == Socket::Live);
            assert!(!world.is_fenced && !world.is_fenced_there, "{world:#?}");
            assert!(world.here != Socket::Frozen && world.there != Socket::Frozen, "{world:#?}");
            let lives = world.here == Socket::Live || world.there == Socket::Live;
            assert!(lives || !world.is_whole, "lost although all went well: {world:#?}");
        }
        waiting.extend(next.into_iter().filter(|next| seen.insert(next.clone())));
    }
    assert!(here > 0 && there > 0, "it goes on here in {here} ends, there in {there}");
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in arbitrary::message()) {
        let octets = message.encode();
        prop_assert!(octets.len() <= Message::LONGEST);
        prop_assert_eq!(Message::decode(&octets), Ok(message));
        prop_assert_eq!(Message::decode(&[&octets[..], &[0]].concat()), Err(Malformed::Trailing));
        for length in 0..octets.len().min(200) {
            prop_assert_eq!(Message::decode(&octets[..length]), Err(Malformed::Truncated), "{}", length);
        }
    }

    #[test]
    fn nothing_else_is_read(message in arbitrary::message(), place: prop::sample::Index, octet: u8) {
        let mut octets = message.encode();
        let place = place.index(octets.len());
        octets[place] = octet;
        bodies::handover(&octets);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let with = |change: &dyn Fn(&mut Dump)| {
        let mut dump = arbitrary::a_dump();
        change(&mut dump);
        Message::decode(&Message::Offer { state: Vec::new(), dump }.encode()).map(drop)
    };
    assert_eq!(with(&|_| {}), Ok(()));
    assert_eq!(with(&|dump| dump.unsent = 5), Err(Malformed::Contradiction));
    assert_eq!(with(&|dump| dump.scales = Some((15, 7))), Err(Malformed::Contradiction));
    assert_eq!(with(&|dump| dump.client.set_port(0)), Err(Malformed::Contradiction));
    let long = vec![0; Message::MOST_STATE + 1];
    let long = Message::Offer { state: long, dump: arbitrary::a_dump() };
    assert_eq!(Message::decode(&long.encode()), Err(Malformed::TooLong));
    for octets in [&[0][..], &[4, 0], &[4, 4], &[7]] {
        assert_eq!(Message::decode(octets), Err(Malformed::Unknown), "{octets:?}");
    }
    assert_eq!(Message::decode(&[4, 2]), Ok(Message::Refused(Refusal::Kernel)));
}

#[test]
fn the_corpus_of_messages() {
    model::corpus("continuity_handover", bodies::handover);
}
