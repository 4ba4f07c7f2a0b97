//! Two BGP speakers that talk to each other over a wire that cuts their words anywhere, and breaks.

use bgp::session::{
    ConnectionId, Direction, HoldTime, Input, Output, Session, Settings, StateName, StopKind,
};
use proptest::collection::vec;
use proptest::prelude::*;
use recording::{Happened, Recorder, replay};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use terms::{Asn, Attributes, Family, Prefix, RouteSet, Timestamp};

use crate::process::{Instance, Process, Remains, redone};

/// One thing that happens to one of the two.
#[derive(Clone, Debug)]
pub enum Happening {
    /// So many octets arrive.
    Arrive(usize),
    /// So many routes are wanted.
    Want(u8),
    /// Time passes, in milliseconds; every timer is given.
    Pass(u64),
    /// Octets arrive that nobody sent.
    Garble(Vec<u8>),
    /// The connection breaks.
    Break,
    /// The operator stops the session and starts it again.
    Restart,
}

struct Conversation {
    process: Process,
    sides: [Instance<Session>; 2],
    /// What is on the way to each side.
    wire: [VecDeque<u8>; 2],
    connection: Option<ConnectionId>,
    connections: u64,
    at: Timestamp,
}

impl Conversation {
    fn begin(limit: u64) -> Self {
        let process = Process::start(limit);
        let asn = |number: u32| Asn::try_from(number).unwrap();
        let settings = |ours: u32, theirs: u32, passive| Settings {
            passive,
            hold_time: HoldTime::DEFAULT,
            max_prefixes: [(Family::Ipv4, 4)].into(),
            ..Settings::new(asn(ours), asn(theirs), format!("10.0.0.{}", ours % 100).parse().unwrap())
        };
        let london = Session::new(settings(64_501, 64_502, false), 1);
        let paris = Session::new(settings(64_502, 64_501, true), 2);
        let sides = [process.instance("london", london), process.instance("paris", paris)];
        let mut conversation = Conversation {
            process,
            sides,
            wire: Default::default(),
            connection: None,
            connections: 0,
            at: Timestamp::ZERO,
        };
        conversation.tell(1, Input::Start);
        conversation.tell(0, Input::Start);
        conversation
    }

    fn tell(&mut self, side: usize, input: Input) {
        let mut inputs = VecDeque::from([(side, input)]);
        while let Some((side, input)) = inputs.pop_front() {
            for output in self.process.tell(&mut self.sides[side], input, self.at) {
                match output {
                    Output::Connect => {
                        let connection = ConnectionId(self.connections);
                        self.connections += 1;
                        self.hang_up(&mut inputs);
                        self.connection = Some(connection);
                        inputs.push_back((
                            side,
                            Input::Connected { connection, direction: Direction::Outbound },
                        ));
                        inputs.push_back((
                            1 - side,
                            Input::Connected { connection, direction: Direction::Inbound },
                        ));
                    }
                    Output::Send { connection, bytes } => {
                        if self.connection == Some(connection) {
                            inputs.push_back((side, Input::Written { connection, octets: bytes.len() }));
                            self.wire[1 - side].extend(bytes);
                        }
                    }
                    Output::Close { connection } => {
                        if self.connection == Some(connection) {
                            self.connection = None;
                            self.wire = Default::default();
                            inputs.push_back((1 - side, Input::Closed { connection }));
                        }
                    }
                    Output::Event(_) => {}
                }
            }
            if let Some(input) = self.sides[side].poll_input() {
                inputs.push_front((side, input));
            }
        }
    }

    fn hang_up(&mut self, inputs: &mut VecDeque<(usize, Input)>) {
        if let Some(connection) = self.connection.take() {
            self.wire = Default::default();
            inputs.extend([(0, Input::Closed { connection }), (1, Input::Closed { connection })]);
        }
    }

    fn happen(&mut self, side: usize, happening: Happening) {
        match (happening, self.connection) {
            (Happening::Arrive(octets), Some(connection)) => {
                let octets = octets.min(self.wire[side].len());
                let bytes: Vec<u8> = self.wire[side].drain(..octets).collect();
                if !bytes.is_empty() {
                    self.tell(side, Input::Bytes { connection, bytes });
                }
            }
            (Happening::Garble(bytes), Some(connection)) => {
                self.tell(side, Input::Bytes { connection, bytes })
            }
            (Happening::Break, Some(_)) => {
                let mut inputs = VecDeque::new();
                self.hang_up(&mut inputs);
                inputs.into_iter().for_each(|(side, input)| self.tell(side, input));
            }
            (Happening::Arrive(_) | Happening::Garble(_) | Happening::Break, None) => {}
            (Happening::Want(routes), _) => self.tell(side, Input::Wanted(Arc::new(wanted(routes)))),
            (Happening::Pass(millis), _) => self.pass(Duration::from_millis(millis)),
            (Happening::Restart, _) => {
                self.tell(side, Input::Stop { kind: StopKind::Shutdown, text: None });
                self.tell(side, Input::Start);
            }
        }
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.at + duration;
        let due = |side: &Instance<Session>| side.deadline();
        while let Some((side, at)) =
            (0..2).filter_map(|side| Some((side, due(&self.sides[side])?))).min_by_key(|&(_, at)| at)
        {
            if at > end {
                break;
            }
            self.at = self.at.max(at);
            self.tell(side, Input::Timer);
        }
        self.at = end;
    }
}

fn wanted(routes: u8) -> RouteSet {
    let route = |number: u8| {
        let prefix: Prefix = format!("198.51.{number}.0/24").parse().unwrap();
        let mut attributes = Attributes::originated("192.0.2.1".parse().unwrap());
        attributes.med = Some(u32::from(number % 3));
        (prefix, attributes)
    };
    (0..routes).map(route).collect()
}

fn any_happening() -> impl Strategy<Value = (usize, Happening)> {
    let happening = prop_oneof![
        30 => (1_usize..200).prop_map(Happening::Arrive),
        4 => (0_u8..6).prop_map(Happening::Want),
        4 => (0_u64..4_000).prop_map(Happening::Pass),
        1 => vec(any::<u8>(), 1..40).prop_map(Happening::Garble),
        1 => Just(Happening::Break),
        1 => Just(Happening::Restart),
    ];
    (0_usize..2, happening)
}

/// How a conversation went, and whether the session was ever up.
pub fn converse(happenings: Vec<(usize, Happening)>, limit: u64) -> (Remains, bool) {
    let mut conversation = Conversation::begin(limit);
    let mut was_up = false;
    for (side, happening) in happenings {
        conversation.happen(side, happening);
        was_up |= conversation.sides.iter().all(|side| side.state() == StateName::Established);
    }
    (conversation.process.end(), was_up)
}

/// A conversation without trouble: the session comes up and routes are told.
pub fn a_good_talk() -> Remains {
    let mut happenings = vec![(0, Happening::Want(4)), (0, Happening::Pass(5_000))];
    for _ in 0..8 {
        happenings.extend([(0, Happening::Arrive(1_000)), (1, Happening::Arrive(1_000))]);
    }
    happenings.extend([(0, Happening::Want(2)), (1, Happening::Arrive(30))]);
    let (remains, was_up) = converse(happenings, Recorder::LIMIT);
    assert!(was_up);
    remains
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_says_what_was_said(happenings in vec(any_happening(), 0..200)) {
        let (remains, _) = converse(happenings, Recorder::LIMIT);
        prop_assert_eq!(redone(&remains.text()), remains.done);
    }

    /// Sessions that were saved in any state go on as if nothing had happened.
    #[test]
    fn a_file_that_starts_within_a_session_replays_too(
        happenings in vec(any_happening(), 50..200),
        limit in 1_000_u64..20_000,
    ) {
        let (remains, _) = converse(happenings, limit);
        let latest = redone(&remains.text());
        prop_assert!(remains.done.ends_with(&latest), "{} of {}", latest.len(), remains.done.len());
        if let Some(before) = remains.text_before() {
            redone(&before);
        }
    }
}

/// Whether sessions that are saved and read back before every input say what was said; and the states they were in.
fn resaid(text: &str) -> (bool, BTreeSet<StateName>) {
    let mut saved = BTreeMap::new();
    let (mut same, mut states) = (true, BTreeSet::new());
    let steps = replay(text.as_bytes()).unwrap().map(Result::unwrap);
    for (line, step) in text.lines().skip(1).zip(steps) {
        match step.happened {
            Happened::Told { input, outputs } => {
                let slot: &mut Value = saved.get_mut(&step.instance).unwrap();
                let mut session: Session = serde_json::from_value(slot.take()).unwrap();
                states.insert(session.state());
                session.handle(serde_json::from_value(input).unwrap(), step.at);
                let said = std::iter::from_fn(|| session.poll_output());
                let said: Vec<Value> = said.map(|output| serde_json::to_value(output).unwrap()).collect();
                same &= said == outputs;
                *slot = serde_json::to_value(&session).unwrap();
            }
            Happened::Began => {
                let line: Value = serde_json::from_str(line).unwrap();
                saved.insert(step.instance, line["begin"].clone());
            }
            Happened::Lost(_) => {}
        }
    }
    (same, states)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_session_can_be_saved_at_any_time(happenings in vec(any_happening(), 0..200)) {
        let (remains, _) = converse(happenings, Recorder::LIMIT);
        prop_assert!(resaid(&remains.text()).0);
    }
}

#[test]
fn a_session_can_be_saved_in_every_state() {
    let (same, states) = resaid(&a_good_talk().text());
    assert!(same);
    assert_eq!(states, BTreeSet::from(StateName::ALL));
}

#[test]
fn a_session_that_is_up_is_replayed() {
    let remains = a_good_talk();
    let redone = redone(&remains.text());
    assert_eq!(redone, remains.done);
    let said = redone
        .iter()
        .flat_map(|(_, _, outputs)| outputs)
        .filter(|output| output["event"]["told"].is_object());
    assert_eq!(said.count(), 2);
}
