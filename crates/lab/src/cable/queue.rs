//! Frames under way: a queue for each direction of each cable, and a heap of their heads.

use crate::cable::Carriage;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;
use terms::Timestamp;

/// Bytes that can be under way in one direction; what comes beyond is lost, as in a router whose buffer is full.
const MOST_BYTES: usize = 8 << 20;

/// How long a frame may wait to be sent where a cable carries less than it is given: the buffer of a router.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// One direction of one cable.
#[derive(Debug)]
pub(super) struct Direction {
    carriage: Carriage,
    /// When the last frame will have been sent, where the cable has a rate.
    free: Timestamp,
    frames: VecDeque<(Timestamp, Box<[u8]>)>,
    bytes: usize,
    dice: Dice,
}

impl Direction {
    pub(super) fn new(carriage: Carriage) -> Self {
        Direction {
            carriage,
            free: Timestamp::ZERO,
            frames: VecDeque::new(),
            bytes: 0,
            dice: Dice(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// When a frame that is given to it now has been sent; none if it would have to wait for too long.
    fn sent(&mut self, octets: usize, now: Timestamp) -> Option<Timestamp> {
        let Some(rate) = self.carriage.rate else { return Some(now) };
        let begins = self.free.max(now);
        if begins.since(now) > LONGEST_WAIT {
            return None;
        }
        self.free = begins + rate.time_for(octets);
        Some(self.free)
    }
}

/// All directions.
#[derive(Debug)]
pub(super) struct Queues {
    directions: Vec<Direction>,
    /// When the head of each queue that is not empty is due.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

impl Queues {
    pub(super) fn new(directions: Vec<Direction>) -> Self {
        Queues { directions, heads: BinaryHeap::new() }
    }

    /// Sends a frame on its way, unless it gets lost; `lost` is the share that does, beside the cable's own.
    pub(super) fn push(&mut self, direction: usize, frame: &[u8], lost: f64, now: Timestamp) {
        let queue = &mut self.directions[direction];
        let arrives = (1.0 - queue.carriage.loss) * (1.0 - lost);
        if queue.bytes + frame.len() > MOST_BYTES || queue.dice.share() >= arrives {
            return;
        }
        let Some(sent) = queue.sent(frame.len(), now) else { return };
        let due = sent + queue.carriage.delay;
        if queue.frames.is_empty() {
            self.heads.push(Reverse((due, direction)));
        }
        queue.bytes += frame.len();
        queue.frames.push_back((due, frame.into()));
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.heads.peek().map(|Reverse((due, _))| *due)
    }

    /// The frame that has been due longest: its direction, when it was due, and its bytes.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(usize, Timestamp, Box<[u8]>)> {
        let Reverse((due, direction)) = *self.heads.peek()?;
        if due > now {
            return None;
        }
        self.heads.pop();
        let queue = &mut self.directions[direction];
        let (_, frame) = queue.frames.pop_front()?;
        queue.bytes -= frame.len();
        if let Some((next, _)) = queue.frames.front() {
            self.heads.push(Reverse((*next, direction)));
        }
        Some((direction, due, frame))
    }
}

/// Numbers that look random and are the same in every run (xorshift64*, Vigna 2016).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// From 0 to 1, 1 excluded.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (number >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn carriage(delay: Duration, loss: f64) -> Carriage {
        Carriage { delay, loss, rate: None }
    }

    fn millis(ms: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(1000 + ms)
    }

    proptest! {
        /// Whatever is sent when: every frame arrives once, after exactly its delay, in order within its direction.
        #[test]
        fn frames_arrive_after_their_delay_and_in_order(
            delays in prop::collection::vec(0u64..50, 1..5),
            sent in prop::collection::vec((0usize..5, 0u64..20), 0..100),
        ) {
            let directions = delays.iter().map(|&ms| Direction::new(carriage(Duration::from_millis(ms), 0.0)));
            let directions = directions.collect();
            let mut queues = Queues::new(directions);
            let mut now = 0;
            let mut expected = Vec::new();
            for (number, (direction, pause)) in sent.into_iter().enumerate() {
                let direction = direction % delays.len();
                now += pause;
                queues.push(direction, &(number as u32).to_be_bytes(), 0.0, millis(now));
                expected.push((millis(now + delays[direction]), direction, number as u32));
            }
            let mut arrived = Vec::new();
            while let Some(due) = queues.next_due() {
                prop_assert!(queues.pop_due(due - Duration::from_nanos(1)).is_none());
                let (direction, at, frame) = queues.pop_due(due).unwrap();
                let number = u32::from_be_bytes(frame[..].try_into().unwrap());
                arrived.push((at, direction, number));
            }
            prop_assert!(arrived.is_sorted_by_key(|(at, _, _)| *at));
            for direction in 0..delays.len() {
                let of = |all: &[(Timestamp, usize, u32)]| -> Vec<(Timestamp, usize, u32)> {
                    all.iter().filter(|frame| frame.1 == direction).copied().collect()
                };
                prop_assert_eq!(of(&arrived), of(&expected));
            }
        }
    }

    #[test]
    fn a_share_of_packets_gets_lost_and_a_full_buffer_drops() {
        let mut queues = Queues::new(
            vec![0.3, 0.0].into_iter().map(|loss| Direction::new(carriage(Duration::ZERO, loss))).collect(),
        );
        let arrived = |queues: &mut Queues| std::iter::from_fn(|| queues.pop_due(millis(1))).count();
        for _ in 0..10_000 {
            queues.push(0, b"frame", 0.0, millis(0));
        }
        let share = arrived(&mut queues) as f64 / 10_000.0;
        assert!((0.68..0.72).contains(&share), "{share}");
        let big = vec![0; 1 << 20];
        for _ in 0..20 {
            queues.push(1, &big, 0.0, millis(0));
        }
        assert_eq!(arrived(&mut queues), 8);
        queues.push(1, &big, 0.0, millis(0));
        assert_eq!(arrived(&mut queues), 1);
        for _ in 0..10_000 {
            queues.push(0, b"frame", 0.5, millis(0));
        }
        let share = arrived(&mut queues) as f64 / 10_000.0;
        assert!((0.33..0.37).contains(&share), "{share}");
    }

    /// A megabit a second is 125 octets a millisecond; the buffer holds a tenth of a second.
    #[test]
    fn a_slow_cable_sends_one_frame_after_the_other_and_drops_what_waits_too_long() {
        let rate = crate::world::Rate::from_megabits(1);
        let mut queues =
            Queues::new(vec![Direction::new(Carriage { rate, ..carriage(Duration::from_millis(5), 0.0) })]);
        for _ in 0..200 {
            queues.push(0, &[0; 125], 0.0, millis(0));
        }
        let due: Vec<Timestamp> =
            std::iter::from_fn(|| queues.pop_due(millis(10_000)).map(|(_, due, _)| due)).collect();
        let expected: Vec<Timestamp> = (1..=101).map(|ms| millis(ms + 5)).collect();
        assert_eq!(due, expected);
        queues.push(0, &[0; 125], 0.0, millis(2_000));
        assert_eq!(queues.next_due(), Some(millis(2_006)), "an idle cable sends at once");
    }
}
