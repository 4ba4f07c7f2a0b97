//! One session and its other end: each rule of RFC 5880 section 6.8 that decides something.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;

use bench::{Bench, lost, millis, name, says, sent, settings};
use bfd::session::{Event, Input, Output, Session, Settings, StateName};
use bfd::{Diagnostic, Interval, Packet};
use std::time::Duration;

fn up() -> Bench {
    Bench::in_state(StateName::Up, settings(100, 3))
}

/// Time from each packet to the next.
fn gaps(bench: &mut Bench, count: usize) -> Vec<Duration> {
    let next = |bench: &mut Bench| {
        let before = bench.now;
        while sent(&bench.pass(millis(1))).is_empty() {
            bench.hears(StateName::Up);
        }
        bench.now.since(before)
    };
    next(bench);
    (0..count).map(|_| next(bench)).collect()
}

#[test]
fn three_messages_make_a_session() {
    let mut bench = Bench::new(settings(100, 3));
    let first = sent(&bench.feed(Input::Start))[0];
    assert_eq!((first.state, first.your_discriminator, first.poll), (StateName::Down, None, false));
    assert!(first.desired_min_tx >= Interval::SLOW, "nobody sends fast before the session is up");
    let answer = sent(&bench.hears(StateName::Down))[0];
    assert_eq!((answer.state, answer.your_discriminator), (StateName::Init, Some(name(9))));
    let outputs = bench.hears(StateName::Init);
    assert!(outputs.contains(&Output::PathUp));
    let up = sent(&outputs)[0];
    assert_eq!((up.state, up.poll, up.desired_min_tx), (StateName::Up, true, millis(100).into()));
}

#[test]
fn a_packet_for_another_session_is_none_for_this() {
    let mut bench = Bench::in_state(StateName::Down, settings(100, 3));
    let stray = Packet { your_discriminator: Some(name(2)), ..says(StateName::Init) };
    assert!(bench.feed(Input::Packet(stray)).is_empty());
    assert_eq!((bench.session.state(), bench.session.detection_time()), (StateName::Down, None));
}

#[test]
fn silence_ends_the_session_after_the_other_ends_multiplier() {
    let mut bench = up();
    let patient = Packet { multiplier: 5.try_into().unwrap(), ..says(StateName::Up) };
    bench.feed(Input::Packet(patient));
    assert_eq!(bench.session.detection_time(), Some(millis(500)));
    assert!(!lost(&bench.pass(millis(499))));
    let outputs = bench.pass(millis(1));
    assert!(lost(&outputs));
    let last = *sent(&outputs).last().unwrap();
    assert_eq!((last.state, last.diagnostic), (StateName::Down, Diagnostic::DETECTION_TIME_EXPIRED));
    assert_eq!(last.your_discriminator, None, "who has gone may come back with another name");
    assert!(last.desired_min_tx >= Interval::SLOW);
}

#[test]
fn the_slower_end_decides_in_each_direction() {
    let mut bench = up();
    let slow_to_send = Packet { desired_min_tx: millis(400).into(), ..says(StateName::Up) };
    bench.feed(Input::Packet(slow_to_send));
    assert_eq!(bench.session.detection_time(), Some(millis(1200)));
    assert_eq!(bench.session.transmit_interval(), Some(millis(100)));
    let slow_to_hear = Packet { required_min_rx: millis(400).into(), ..says(StateName::Up) };
    bench.feed(Input::Packet(slow_to_hear));
    assert_eq!(bench.session.detection_time(), Some(millis(300)));
    assert_eq!(bench.session.transmit_interval(), Some(millis(400)));
}

#[test]
fn admin_down_says_nothing_about_the_path() {
    let mut bench = up();
    let outputs = bench.hears(StateName::AdminDown);
    assert_eq!((bench.session.state(), lost(&outputs)), (StateName::Down, false));
    assert_eq!(bench.session.diagnostic(), Diagnostic::NEIGHBOUR_SIGNALLED_DOWN);
    assert!(!lost(&bench.pass(Duration::from_secs(60))), "nor does the silence after it");

    let outputs = up().hears(StateName::Down);
    assert!(lost(&outputs), "but down does");

    let mut ours = up();
    let outputs = ours.feed(Input::Stop);
    assert!(!lost(&outputs));
    let said = sent(&outputs)[0];
    assert_eq!((said.state, said.diagnostic), (StateName::AdminDown, Diagnostic::ADMINISTRATIVELY_DOWN));
}

#[test]
fn a_stopped_session_says_so_for_a_while_and_is_gone() {
    let mut bench = up();
    bench.feed(Input::Stop);
    let outputs = bench.pass(Duration::from_secs(10));
    let said = sent(&outputs);
    assert!((2..=4).contains(&said.len()), "{said:?}");
    assert!(said.iter().all(|packet| packet.state == StateName::AdminDown));
    assert_eq!(outputs.last(), Some(&Output::Gone));
    assert_eq!(bench.session.deadline(), None);
    assert!(bench.hears(StateName::Down).is_empty(), "nothing wakes it but Start");
    bench.feed(Input::Start);
    assert_eq!(bench.session.state(), StateName::Down);
}

#[test]
fn a_stopped_session_that_starts_again_stays() {
    let mut bench = up();
    bench.feed(Input::Stop);
    bench.feed(Input::Start);
    assert!(!bench.pass(Duration::from_secs(10)).contains(&Output::Gone));
}

#[test]
fn a_poll_is_answered_at_once_in_every_state_but_admin_down() {
    for state in StateName::ALL {
        let mut bench = Bench::in_state(state, settings(100, 3));
        let due = bench.session.deadline();
        let poll = Packet { poll: true, required_min_rx: Interval::ZERO, ..says(StateName::Up) };
        let answers = sent(&bench.feed(Input::Packet(poll)));
        match state {
            StateName::AdminDown => assert!(answers.is_empty()),
            StateName::Down | StateName::Init | StateName::Up => {
                assert_eq!(answers.len(), 1, "in {state}: {due:?}");
                assert!(answers[0].r#final && !answers[0].poll, "never both");
            }
        }
    }
}

#[test]
fn an_end_that_wants_no_packets_gets_none_and_is_watched_all_the_same() {
    let mut bench = up();
    let deaf = Packet { required_min_rx: Interval::ZERO, ..says(StateName::Up) };
    bench.feed(Input::Packet(deaf));
    assert_eq!(bench.session.transmit_interval(), None);
    assert!(sent(&bench.pass(millis(299))).is_empty());
    assert!(lost(&bench.pass(millis(1))));
}

#[test]
fn demand_mode_of_the_other_end_stops_our_packets_while_both_are_up() {
    let mut bench = up();
    let demand = Packet { demand: true, ..says(StateName::Up) };
    bench.feed(Input::Packet(demand));
    assert!(sent(&bench.pass(millis(250))).is_empty());
    let polled = sent(&bench.feed(Input::Packet(Packet { poll: true, ..demand })));
    assert!(polled[0].r#final);
    // Our own question goes out, demand or not.
    bench.feed(Input::Reconfigured(settings(200, 3)));
    bench.feed(Input::Packet(demand));
    assert!(sent(&bench.pass(millis(250))).iter().all(|packet| packet.poll));
    bench.feed(Input::Packet(Packet { demand: true, ..says(StateName::Init) }));
    assert!(bench.session.transmit_interval().is_some(), "demand counts only while both are up");
}

#[test]
fn jitter_takes_a_quarter_at_most_and_a_tenth_at_least_where_one_packet_is_all() {
    for (multiplier, most) in [(3, 101), (1, 91)] {
        let mut bench = Bench::in_state(StateName::Up, settings(100, multiplier));
        let gaps = gaps(&mut bench, 200);
        assert!(gaps.iter().all(|gap| (millis(75)..=millis(most)).contains(gap)), "{multiplier}: {gaps:?}");
        let spread = *gaps.iter().max().unwrap() - *gaps.iter().min().unwrap();
        assert!(spread > millis(10), "{multiplier}: {spread:?}");
    }
}

#[test]
fn a_slower_pace_waits_until_the_other_end_knows() {
    let mut bench = up();
    bench.feed(Input::Reconfigured(settings(300, 3)));
    assert_eq!(bench.session.transmit_interval(), Some(millis(100)), "it would be missed");
    assert_eq!(bench.session.detection_time(), Some(millis(900)), "the other end may be slow at once");
    let asked = sent(&bench.pass(millis(100)))[0];
    assert_eq!((asked.poll, asked.desired_min_tx), (true, millis(300).into()));
    bench.feed(Input::Packet(Packet { r#final: true, ..says(StateName::Up) }));
    assert_eq!(bench.session.transmit_interval(), Some(millis(300)));
}

#[test]
fn a_faster_pace_is_ours_at_once_and_expected_once_the_other_end_knows() {
    let quick = Packet {
        desired_min_tx: millis(10).into(),
        required_min_rx: millis(10).into(),
        ..says(StateName::Up)
    };
    let mut bench = up();
    bench.feed(Input::Packet(quick));
    bench.feed(Input::Reconfigured(settings(50, 3)));
    assert_eq!(bench.session.transmit_interval(), Some(millis(50)));
    assert_eq!(bench.session.detection_time(), Some(millis(300)));
    bench.feed(Input::Packet(Packet { r#final: true, ..quick }));
    assert_eq!(bench.session.detection_time(), Some(millis(150)));
}

#[test]
fn the_answer_to_an_older_question_confirms_nothing_newer() {
    let mut bench = up();
    bench.feed(Input::Reconfigured(settings(300, 3)));
    bench.feed(Input::Reconfigured(settings(400, 3)));
    let answer = Input::Packet(Packet { r#final: true, ..says(StateName::Up) });
    bench.feed(answer);
    assert_eq!(bench.session.transmit_interval(), Some(millis(100)));
    bench.feed(answer);
    assert_eq!(bench.session.transmit_interval(), Some(millis(400)));
}

#[test]
fn patience_lets_more_packets_be_missing_and_keeps_the_pace() {
    let mut bench = up();
    assert_eq!(
        bench.session.tolerated_silence(),
        Some(millis(200)),
        "the latest packet may be one interval old"
    );
    bench.feed(Input::Patience(Some(millis(5000))));
    assert_eq!(bench.session.tolerated_silence(), None, "the other end has not confirmed it");
    let asked = sent(&bench.pass(millis(100)))[0];
    assert_eq!((asked.poll, asked.multiplier.get(), asked.desired_min_tx), (true, 51, millis(100).into()));
    bench.feed(Input::Packet(Packet { r#final: true, ..says(StateName::Up) }));
    assert_eq!(bench.session.tolerated_silence(), Some(millis(5000)));
    assert_eq!(bench.session.transmit_interval(), Some(millis(100)));
    assert_eq!(bench.session.detection_time(), Some(millis(300)), "we wait no longer than before");

    bench.feed(Input::Reconfigured(settings(200, 3)));
    bench.feed(Input::Patience(None));
    let asked = sent(&bench.pass(millis(100)))[0];
    assert_eq!((asked.poll, asked.multiplier.get(), asked.desired_min_tx), (true, 3, millis(200).into()));
}

/// RFC 5880 section 6.8.3: the other end has to know before we send slower, and we may send faster at once.
#[test]
fn patience_that_takes_a_slower_pace_waits_for_the_other_end() {
    let quick = Packet { required_min_rx: millis(10).into(), ..says(StateName::Up) };
    let mut bench = Bench::in_state(StateName::Up, settings(10, 3));
    bench.feed(Input::Packet(quick));
    bench.feed(Input::Patience(Some(millis(5080))));
    let asked = sent(&bench.pass(millis(10)))[0];
    assert_eq!((asked.poll, asked.multiplier.get(), asked.desired_min_tx), (true, 255, millis(20).into()));
    assert_eq!(bench.session.transmit_interval(), Some(millis(10)));
    bench.feed(Input::Packet(Packet { r#final: true, ..quick }));
    assert_eq!(bench.session.transmit_interval(), Some(millis(20)));
    assert_eq!(bench.session.tolerated_silence(), Some(millis(5080)));
    bench.feed(Input::Patience(None));
    assert_eq!(bench.session.transmit_interval(), Some(millis(10)));
    assert_eq!(sent(&bench.pass(millis(10)))[0].multiplier.get(), 3);
}

#[test]
fn patience_asks_nothing_of_an_end_that_waits_long_enough_anyway() {
    let mut bench = up();
    bench.feed(Input::Patience(Some(millis(200))));
    assert_eq!(bench.session.tolerated_silence(), Some(millis(200)));
    assert!(sent(&bench.pass(millis(100))).iter().all(|packet| !packet.poll && packet.multiplier.get() == 3));
}

#[test]
fn patience_is_for_a_session_that_is_up_and_asked_for_when_one_comes_up() {
    let mut bench = Bench::in_state(StateName::Down, settings(100, 3));
    bench.feed(Input::Patience(Some(millis(5000))));
    let down = sent(&bench.pass(Duration::from_secs(1)))[0];
    assert_eq!((down.poll, down.multiplier.get()), (false, 3));
    let up = sent(&bench.hears(StateName::Init))[0];
    assert_eq!((up.poll, up.multiplier.get(), up.state), (true, 51, StateName::Up));
    let down = sent(&bench.hears(StateName::Down))[0];
    assert_eq!((down.multiplier.get(), down.state), (3, StateName::Down));
}

#[test]
fn a_passive_session_waits_to_be_spoken_to() {
    let mut bench = Bench::new(Settings { passive: true, ..settings(100, 3) });
    assert!(sent(&bench.feed(Input::Start)).is_empty());
    assert!(sent(&bench.pass(Duration::from_secs(10))).is_empty());
    assert_eq!(sent(&bench.hears(StateName::Down)).len(), 1);
}

#[test]
fn silence_that_our_own_delay_explains_is_excused_once() {
    let mut bench = up();
    let outputs = bench.sleep(millis(400));
    assert!(!lost(&outputs), "{outputs:?}");
    assert!(outputs.iter().any(|output| matches!(output, Output::Event(Event::Excused { .. }))));
    assert_eq!(bench.session.lateness().excused, 1);
    assert!(bench.session.lateness().longest >= millis(300));
    assert!(!lost(&bench.pass(millis(149))));
    assert!(lost(&bench.pass(millis(1))), "the other end would have sent by now");
}

#[test]
fn a_driver_that_is_late_again_gets_no_second_excuse_in_one_silence() {
    let mut bench = up();
    bench.sleep(millis(400));
    assert!(lost(&bench.sleep(millis(400))));
}

#[test]
fn a_packet_after_an_excuse_makes_everything_good() {
    let mut bench = up();
    bench.sleep(millis(400));
    bench.hears(StateName::Up);
    assert!(!lost(&bench.pass(millis(299))));
    assert!(lost(&bench.pass(millis(1))), "and a prompt driver gets no excuse for an earlier one");
}

#[test]
fn a_little_late_is_no_excuse() {
    let mut bench = up();
    let deadline = bench.now + millis(300);
    bench.pass(millis(299));
    bench.now = deadline + millis(20);
    assert!(lost(&bench.feed(Input::Timer)));
    assert_eq!(bench.session.lateness().excused, 0);
}

#[test]
fn a_pause_in_the_middle_of_a_silence_counts_too() {
    let mut bench = up();
    bench.pass(millis(100));
    bench.sleep(millis(190));
    assert!(!lost(&bench.pass(millis(11))), "most of the silence was our own");
    assert_eq!(bench.session.lateness().excused, 1);
}

#[test]
fn what_the_kernel_kept_is_heard_before_the_silence_is_judged() {
    let mut bench = up();
    bench.now = bench.now + millis(400);
    bench.hears(StateName::Up);
    assert!(!lost(&bench.feed(Input::Timer)));
    assert!(!lost(&bench.pass(millis(299))));
    assert!(lost(&bench.pass(millis(1))), "the delay of before that packet excuses nothing");
}

/// Written down and read back at any point, a session goes on as if nothing had happened.
#[test]
fn a_session_is_carried_along_by_a_restart() {
    for state in StateName::ALL {
        let mut bench = Bench::in_state(state, settings(100, 3));
        let written = serde_json::to_string(&bench.session).unwrap();
        let session: Session = serde_json::from_str(&written).unwrap();
        let mut restarted = Bench { session, now: bench.now };
        for _ in 0..10 {
            assert_eq!(restarted.pass(millis(70)), bench.pass(millis(70)));
            assert_eq!(restarted.hears(StateName::Up), bench.hears(StateName::Up));
        }
    }
}
