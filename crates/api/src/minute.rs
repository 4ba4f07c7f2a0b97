//! The last minute of a live stream, thinned, so that whoever looks late sees what the others see.

use crate::{EventRow, Outcome, Sample};
use std::collections::{BTreeMap, VecDeque};
use terms::Family;

/// How far back samples are kept, ms.
pub const WINDOW_MS: u64 = 60_000;
/// One sample is kept per ribbon and slot of so many ms: finer than what anybody draws.
pub const SLOT_MS: u64 = 100;
/// Ribbons beyond this number are not remembered.
const MAX_RIBBONS: u16 = 1024;
/// How many events are kept.
const MAX_EVENTS: usize = 300;

/// The last minute of samples, thinned, and the latest events.
#[derive(Clone, Debug, Default)]
pub struct LastMinute {
    ribbons: BTreeMap<(u16, Option<Family>), BTreeMap<u64, Sample>>,
    events: VecDeque<EventRow>,
    latest_ms: u64,
}

impl LastMinute {
    /// Remembers a sample, which may come late. In a slot silence wins, since a gap is what people look for.
    pub fn sample(&mut self, sample: Sample) {
        self.latest_ms = self.latest_ms.max(sample.at_ms);
        let oldest = self.latest_ms.saturating_sub(WINDOW_MS) / SLOT_MS;
        let slot = sample.at_ms / SLOT_MS;
        if sample.ribbon >= MAX_RIBBONS || slot < oldest {
            return;
        }
        let slots = self.ribbons.entry((sample.ribbon, sample.family)).or_default();
        let kept = slots.entry(slot).or_insert(sample);
        if kept.outcome != Outcome::Silent {
            *kept = sample;
        }
        while slots.first_key_value().is_some_and(|(&slot, _)| slot < oldest) {
            slots.pop_first();
        }
    }

    /// Remembers an event.
    pub fn event(&mut self, event: EventRow) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// When the latest sample was taken, ms since the process started; 0 without one.
    pub fn latest_ms(&self) -> u64 {
        self.latest_ms
    }

    /// Every sample that is kept, ribbon by ribbon.
    pub fn samples(&self) -> Vec<Sample> {
        self.ribbons.values().flat_map(|slots| slots.values().copied()).collect()
    }

    /// What is kept of one ribbon over one family, in order of time.
    pub fn ribbon(&self, ribbon: u16, family: Option<Family>) -> impl Iterator<Item = &Sample> {
        self.ribbons.get(&(ribbon, family)).into_iter().flat_map(BTreeMap::values)
    }

    /// The events that are kept, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &EventRow> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: Outcome = Outcome::Answered { site: 0, rtt_ms: 1.0 };

    fn sample(at_ms: u64, outcome: Outcome) -> Sample {
        Sample { ribbon: 0, at_ms, outcome, family: None }
    }

    #[test]
    fn silence_wins_in_its_slot_whatever_the_order() {
        for order in [[ANSWER, Outcome::Silent, ANSWER], [Outcome::Silent, ANSWER, ANSWER]] {
            let mut history = LastMinute::default();
            order.into_iter().for_each(|outcome| history.sample(sample(5050, outcome)));
            assert_eq!(history.samples(), [sample(5050, Outcome::Silent)]);
        }
    }

    #[test]
    fn what_is_older_than_a_minute_is_forgotten() {
        let mut history = LastMinute::default();
        [1000, 2000, 61_500].into_iter().for_each(|at_ms| history.sample(sample(at_ms, ANSWER)));
        let kept: Vec<u64> = history.samples().iter().map(|sample| sample.at_ms).collect();
        assert_eq!(kept, [2000, 61_500]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn memory_is_bounded_whatever_comes(
            rows in proptest::collection::vec((0u16..2, 0u64..200_000, any::<bool>()), 0..2000),
        ) {
            let mut history = LastMinute::default();
            for (ribbon, at_ms, silent) in rows {
                let outcome = if silent { Outcome::Silent } else { ANSWER };
                history.sample(Sample { ribbon, at_ms, outcome, family: None });
            }
            prop_assert!(history.samples().len() as u64 <= 2 * (WINDOW_MS / SLOT_MS + 1));
        }
    }
}
