//! Whatever comes, in whatever order, at whatever size.

use super::pictures::{healthy, power_cut};
use crate::draw::draw;
use crate::key::Key;
use crate::palette::Colours;
use crate::selection::{Chosen, cables};
use crate::view::{Input, Overlay, View, Wish};
use api::{Command, Done, EventRow, FaultKind, Forward, Live, Outcome, Picture, Refusal, Sample, Schema};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use terms::{Family, Severity, WallTime};

/// A world of which parts are missing, with names that nobody expects.
fn picture() -> impl Strategy<Value = Picture> {
    let parts = (
        any::<bool>(),
        0usize..6,
        0usize..13,
        0usize..5,
        forwards(),
        0usize..3,
        any::<u64>(),
        "\\PC{0,12}|\x1b\\[2J|東京",
    );
    parts.prop_map(|(well, sites, clients, cables, forwards, offers, at_ms, name)| {
        let mut picture = if well { healthy() } else { power_cut() };
        picture.sites.truncate(sites);
        picture.clients.truncate(clients);
        picture.cables.truncate(cables);
        picture.sites.iter_mut().skip(1).for_each(|site| site.offers.truncate(offers));
        picture.sites.iter_mut().take(1).for_each(|site| site.city.clone_from(&name));
        picture.clients.iter_mut().skip(1).for_each(|client| client.city.clone_from(&name));
        picture.cables.iter_mut().take(1).for_each(|cable| cable.name.clone_from(&name));
        Picture { at_ms, title: name, forwards, ..picture }
    })
}

/// Between sites that there may be, or may not.
fn forwards() -> impl Strategy<Value = Vec<Forward>> {
    let names = prop::sample::select(vec!["london", "tokyo", "saopaulo", "atlantis"]);
    let forward = (names.clone(), names, any::<u64>(), any::<bool>());
    let forward = forward.prop_map(|(from, to, connections, has_client)| Forward {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        connections,
        clients: if has_client { vec!["frankfurt".to_owned()] } else { Vec::new() },
        since_ms: 0,
    });
    prop::collection::vec(forward, 0..4)
}

fn key() -> impl Strategy<Value = Key> {
    let letters =
        prop_oneof![Just('q'), Just('?'), Just('R'), Just('p'), any::<char>()].prop_map(Key::Letter);
    let others = prop::sample::select(vec![
        Key::Up,
        Key::Down,
        Key::PageUp,
        Key::PageDown,
        Key::First,
        Key::Last,
        Key::Previous,
        Key::Next,
        Key::Enter,
        Key::Escape,
        Key::Interrupt,
    ]);
    prop_oneof![1 => letters, 3 => others]
}

fn sample() -> impl Strategy<Value = Sample> {
    let outcome = prop_oneof![
        Just(Outcome::Silent),
        (any::<u16>(), any::<f32>()).prop_map(|(site, rtt_ms)| Outcome::Answered { site, rtt_ms }),
    ];
    let family = prop::sample::select(vec![None, Some(Family::Ipv4), Some(Family::Ipv6)]);
    (0u16..20, prop_oneof![0u64..200_000, any::<u64>()], outcome, family)
        .prop_map(|(ribbon, at_ms, outcome, family)| Sample { ribbon, at_ms, outcome, family })
}

fn input() -> impl Strategy<Value = Input> {
    let event = (any::<u64>(), any::<u64>(), "fault|moved", "[ab]?", any::<String>()).prop_map(
        |(seq, at_ms, kind, subject, text)| {
            let (wall, severity) = (WallTime(at_ms), Severity::Notice);
            Live::Event(EventRow { seq, at_ms, wall, severity, kind, subject, text })
        },
    );
    let live = prop_oneof![
        2 => picture().prop_map(|picture| Live::Picture(Arc::new(picture))),
        1 => proptest::collection::vec(sample(), 0..20).prop_map(Live::Samples),
        1 => event,
    ];
    let answer = (any::<bool>(), any::<String>()).prop_map(|(well, said)| {
        let command = Command { kind: FaultKind::Cut, target: said.clone() };
        Input::Answered(
            command,
            if well { Ok(Done { schema: Schema, said }) } else { Err(Refusal::because(said)) },
        )
    });
    prop_oneof![
        6 => key().prop_map(Input::Key),
        3 => live.prop_map(Input::Live),
        1 => answer,
        1 => any::<String>().prop_map(Input::Said),
        1 => Just(Input::Resized),
    ]
}

/// What the keys act on is in the picture, and there is something wherever there is anything.
fn check_choice(view: &View) -> Result<(), TestCaseError> {
    let picture = &view.picture;
    match view.chosen() {
        Some(Chosen::Site(site)) => prop_assert!(picture.sites.contains(site)),
        Some(Chosen::Client(client)) => prop_assert!(picture.clients.contains(client)),
        Some(Chosen::Cable(cable)) => prop_assert!(picture.cables.contains(cable)),
        None => {
            prop_assert!(
                picture.sites.is_empty() && picture.clients.is_empty() && cables(picture).next().is_none()
            );
        }
    }
    if let Overlay::Faults(place) = view.overlay {
        prop_assert!(place < view.offers().len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_makes_it_panic_and_the_choice_is_always_there(
        inputs in proptest::collection::vec((input(), 0u16..230, 0u16..70), 0..25),
        colours in prop::sample::select(vec![Colours::None, Colours::Sixteen, Colours::Many]),
    ) {
        let mut view = View::new("any", "http://127.0.0.1:8053/");
        for (input, width, height) in inputs {
            let before = view.clone();
            let wish = view.handle(input);
            check_choice(&view)?;
            if let Some(Wish::Strike(command)) = wish {
                let offered = before.offers().iter().any(|offer| offer.command == command);
                prop_assert!(offered || command.target == "everything", "{:?} was not offered", command);
            }
            let area = Rect { x: 0, y: 0, width, height };
            let mut buffer = Buffer::empty(area);
            draw(&view, colours, area, &mut buffer);
            let controls = buffer.content.iter().any(|cell| cell.symbol().contains(char::is_control));
            prop_assert!(!controls, "something would move the cursor");
        }
    }
}
