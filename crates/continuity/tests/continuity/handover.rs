//! Two sites and one connection: whatever is lost or late between them, never do both speak for it. What they say is
//! written and read the same, and nothing else is read.

use crate::{arbitrary, bodies, model};
use continuity::handover::{
    Dump, Giver, GiverAct, GiverEvent, Malformed, Message, Refusal, Taker, TakerAct, TakerEvent, put_in_order,
};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;

#[test]
fn the_whole_table() {
    let text = table("giver", Giver::ALL, GiverEvent::ALL, Giver::next)
        + &table("taker", Taker::ALL, TakerEvent::ALL, Taker::next);
    insta::with_settings!({ prepend_module_to_snapshot => false,
        omit_expression => true,
        snapshot_path => "../snapshots",
    }, {
        insta::assert_snapshot!("handover", text);
    });
}

/// A line for each state and each event: what follows, and what is to be done.
fn table<S: Copy + Debug, E: Copy + Debug, A: Debug + 'static>(
    who: &str,
    states: impl IntoIterator<Item = S>,
    events: impl IntoIterator<Item = E> + Clone,
    next: impl Fn(S, E) -> (S, &'static [A]),
) -> String {
    let mut text = format!("{who}\n");
    for state in states {
        for event in events.clone() {
            let (next, acts) = next(state, event);
            let [state, event, next] = [format!("{state:?}"), format!("{event:?}"), format!("{next:?}")];
            text += &format!("{state:8} {event:9} {next:8} {acts:?}\n");
        }
    }
    text
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
    /// Whether what was held here has been sent to the other site.
    is_replayed: bool,
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
            is_replayed: false,
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
                GiverAct::Release => {
                    assert!(self.is_replayed, "it goes on with a gap: {self:#?}");
                    self.to_taker.push(Said::Released);
                }
                GiverAct::Withdraw => self.to_taker.push(Said::Withdrawn),
                GiverAct::Discard => self.here = Socket::None,
                GiverAct::Thaw => self.here = Socket::Live,
                GiverAct::Unfence => self.is_fenced = false,
                GiverAct::Learn => self.is_learned = true,
                GiverAct::Replay => self.is_replayed = true,
                GiverAct::Dump | GiverAct::Compare => {}
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
        let is_offer = matches!(message, Message::Offer { .. });
        let longest = if is_offer { Message::LONGEST } else { Message::SHORT };
        prop_assert!(octets.len() <= longest);
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
    let queued = |sent: usize, received: usize| {
        with(&|dump| {
            (dump.sent.octets, dump.received.octets) = (vec![0; sent], vec![0; received]);
            dump.unsent = 0;
        })
    };
    assert_eq!(queued(0, Dump::MOST_QUEUED), Ok(()));
    assert_eq!(queued(Dump::MOST_QUEUED / 2, Dump::MOST_QUEUED / 2), Ok(()));
    assert_eq!(queued(Dump::MOST_QUEUED / 2, Dump::MOST_QUEUED / 2 + 1), Err(Malformed::TooLong));
    assert_eq!(queued(Dump::MOST_QUEUED + 1, 0), Err(Malformed::TooLong));
    let long = vec![0; Message::MOST_STATE + 1];
    let long = Message::Offer { state: long, dump: arbitrary::a_dump() };
    assert_eq!(Message::decode(&long.encode()), Err(Malformed::TooLong));
    for octets in [&[0][..], &[4, 0], &[4, 5], &[7]] {
        assert_eq!(Message::decode(octets), Err(Malformed::Unknown), "{octets:?}");
    }
    assert_eq!(Message::decode(&[4, 2]), Ok(Message::Refused(Refusal::Kernel)));
}

/// A segment without ports, from its IP header on.
fn segment(family: &str, number: u32) -> Vec<u8> {
    let (mut octets, protocol) = match family {
        "IPv4" => (vec![0; 20], 9),
        "IPv6" => (vec![0; 40], 6),
        // One extension header, for the destination (RFC 8200 section 4.6).
        _ => (vec![0; 48], 40),
    };
    octets[0] = if family == "IPv4" { 0x45 } else { 0x60 };
    if family == "IPv6 with an extension" {
        octets[6] = 60;
    }
    octets[protocol] = 6;
    octets.extend([0; 20]);
    let at = octets.len() - 16;
    octets[at..at + 4].copy_from_slice(&number.to_be_bytes());
    octets
}

proptest! {
    #[test]
    fn what_was_held_is_delivered_as_it_was_sent(
        first: u32,
        steps in prop::collection::vec(0..1500_u32, 1..40),
        others in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..3),
        seed: u64,
    ) {
        let numbers = steps.iter().scan(first, |number, step| {
            *number = number.wrapping_add(*step);
            Some(*number)
        });
        let families = ["IPv4", "IPv6", "IPv6 with an extension"];
        let segments = numbers.zip(families.into_iter().cycle()).map(|(number, family)| segment(family, number));
        // What is no segment comes first.
        let mut sent: Vec<_> = others.into_iter().chain(segments).collect();
        let mut held = sent.clone();
        let places = held.len() as u64;
        held.sort_by_cached_key(|packet| {
            packet.iter().fold(seed, |sum, octet| sum.wrapping_mul(31).wrapping_add(u64::from(*octet))) % places
        });
        put_in_order(&mut held);
        // Whoever stands beside another one of the same number may stand on either side.
        let key = |packet: &Vec<u8>| packet.clone();
        let number = |packet: &Vec<u8>| packet.len().checked_sub(16).map(|at| packet[at..at + 4].to_vec());
        let in_order = |packets: &[Vec<u8>]| packets.iter().filter(|packet| packet.len() > 9).map(number).collect::<Vec<_>>();
        prop_assert_eq!(in_order(&held), in_order(&sent));
        held.sort_by_key(key);
        sent.sort_by_key(key);
        prop_assert_eq!(held, sent, "none is lost");
    }
}

#[test]
fn the_corpus_of_messages() {
    model::corpus("continuity_handover", bodies::handover);
}
