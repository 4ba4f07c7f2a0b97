//! What BIRD shows, for the comparison of two moments.

use crate::world::World;

const DAY: u32 = 24 * 60 * 60 * 1000;
/// BIRD works out when something was from how long ago it was, and is off by a millisecond now and then.
const OFF: u32 = 10;

/// A text of BIRD's, in which no moment is another one than before.
#[derive(Debug)]
pub(crate) struct Shown {
    text: String,
    /// Milliseconds of the day, in the order of the text.
    moments: Vec<u32>,
}

impl Shown {
    fn of(told: &str) -> Shown {
        let (mut text, mut moments) = (String::new(), Vec::new());
        for word in told.split_inclusive(|letter: char| !letter.is_ascii_digit() && !":.".contains(letter)) {
            let end = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            match moment(end) {
                Some(moment) => {
                    moments.push(moment);
                    text.extend(["(a moment)", &word[end.len()..]]);
                }
                None => text.push_str(word),
            }
        }
        Shown { text, moments }
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        let near = |(here, there): (&u32, &u32)| {
            let apart = here.abs_diff(*there);
            apart.min(DAY - apart) <= OFF
        };
        self.text == other.text && self.moments.iter().zip(&other.moments).all(near)
    }
}

/// `17:25:22.140`.
fn moment(word: &str) -> Option<u32> {
    let (seconds, thousandths) = word.split_once('.')?;
    let parts: Vec<u32> = seconds.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths.parse::<u32>().ok()?)
}

impl World {
    /// What BIRD answers to a question.
    pub(crate) fn shown(&self, question: &str) -> Shown {
        Shown::of(&self.birdc(question))
    }
}

#[test]
fn a_moment_that_is_off_by_a_millisecond_is_the_same() {
    let row = |moment: &str| Shown::of(&format!("10.0.0.0/8 unicast [site {moment}] * (100)\n"));
    assert_eq!(row("17:25:22.140"), row("17:25:22.141"));
    assert_eq!(row("23:59:59.999"), row("00:00:00.000"));
    assert_ne!(row("17:25:22.140"), row("17:25:22.240"));
    assert_ne!(row("17:25:22.140"), row("never"));
    assert_eq!(row("17:25:22.140").moments.len(), 1);
}
