//! What the page hears while it is open.

use crate::event::row;
use crate::picture::lab_picture;
use api::*;
use proptest::prelude::*;
use terms::Family;

#[test]
fn samples_are_rows() {
    let answered = Outcome::Answered { site: 2, rtt_ms: 71.5 };
    insta::assert_snapshot!(
        serde_json::to_string(&vec![
            Sample { ribbon: 0, at_ms: 5000, outcome: answered, family: Some(Family::Ipv4) },
            Sample { ribbon: 1, at_ms: 5001, outcome: answered, family: None },
            Sample { ribbon: 2, at_ms: 5002, outcome: Outcome::Silent, family: Some(Family::Ipv6) },
        ])
        .unwrap()
    );
}

#[test]
fn live_messages_are_their_content() {
    let live = [Live::Event(row()), Live::Samples(vec![]), Live::Picture(lab_picture().into())];
    let shown = live.iter().map(|message| {
        let text = serde_json::to_string(message).unwrap();
        format!("{}: {}", message.name(), text.chars().take(60).collect::<String>())
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_sample_that_contradicts_itself_is_refused() {
    for wrong in ["[0,1,2,null,4]", "[0,1,null,3.5,4]", "[0,1,2,3.5,5]", "[0,1,2,3.5]"] {
        assert!(serde_json::from_str::<Sample>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_sample_survives_the_way_to_the_page(
        ribbon: u16, at_ms: u64, answer in proptest::option::of((any::<u16>(), 0f32..1e6)), v6: Option<bool>,
    ) {
        let outcome = match answer {
            Some((site, rtt_ms)) => Outcome::Answered { site, rtt_ms },
            None => Outcome::Silent,
        };
        let family = v6.map(|v6| if v6 { Family::Ipv6 } else { Family::Ipv4 });
        let sample = Sample { ribbon, at_ms, outcome, family };
        let text = serde_json::to_string(&sample).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), sample);
    }

    #[test]
    fn hostile_rows_are_errors_not_panics(text in "\\PC{0,80}") {
        let _ = serde_json::from_str::<Sample>(&text);
        let _ = serde_json::from_str::<Picture>(&text);
    }
}
