//! Are the answers that real users get good ones?
//!
//! Passing is the answer when there is little to judge by: a site that is not announced has no users, and would wait
//! for them for ever if their absence kept it from being announced. So this check can only object. It objects while
//! users are there; withdrawn, it has nothing to say, the other checks decide, and the back-off keeps the site quiet.

use crate::Finding;
use serde::{Deserialize, Serialize};
use terms::Verdict;

/// How many bad answers are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// Of a hundred answers so many may be bad.
    pub most_percent: u8,
    /// Fewer answers than this say nothing.
    pub least_answers: u64,
}

/// What was answered since the last run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// All of them.
    pub all: u64,
    /// The bad ones among them.
    pub bad: u64,
}

impl Expectation {
    /// Judges the answers since the last run.
    pub fn judge(&self, Answers { all, bad }: Answers) -> Finding {
        let enough = all >= self.least_answers.max(1);
        let too_many = u128::from(bad) * 100 > u128::from(all) * u128::from(self.most_percent);
        let words = format!("{bad} of {all} answers were bad");
        Finding::new(if enough && too_many { Verdict::definite(&words) } else { Verdict::Pass }, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_many_bad_answers_among_enough_fail() {
        let half = Expectation { most_percent: 50, least_answers: 100 };
        let passes = |all, bad| half.judge(Answers { all, bad }).verdict == Verdict::Pass;
        assert!(passes(0, 0) && passes(99, 99) && passes(100, 50));
        assert!(!passes(100, 51) && !passes(u64::MAX, u64::MAX));
        let none = Expectation { most_percent: 0, least_answers: 0 };
        assert!(none.judge(Answers::default()).verdict == Verdict::Pass, "nothing is not bad");
    }

    proptest! {
        #[test]
        fn one_more_bad_answer_never_makes_it_pass(all in 0_u64..1000, bad in 0_u64..1000, most in 0_u8..=100) {
            let expectation = Expectation { most_percent: most, least_answers: 10 };
            let bad = bad.min(all);
            let passes = |bad| expectation.judge(Answers { all, bad }).verdict == Verdict::Pass;
            prop_assert!(passes(bad) || bad == all || !passes(bad + 1));
        }
    }
}
