//! Asking the fleet for the permit, and giving it back.
//!
//! ```text
//!   nothing ──Ask──> asking <───────────────Ask, once told None──────┐
//!      │                │                                            │
//!      │                └──Release, once the peers know the level──> released
//!      └──────────Release, if a start finds the permit still held─────^
//! ```
//! A permit counts only while it is asked for. And after it was given back it is not asked for again until the fleet
//! has said that it is gone: an answer to the first request that is still on its way would be taken for one to the
//! second.

use serde::{Deserialize, Serialize};

use crate::{Permit, Wish};

/// What was wished, and what was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leave {
    wish: Option<Wish>,
    answer: Permit,
}

impl Leave {
    /// Whether this site may withdraw.
    pub(crate) fn is_held(&self) -> bool {
        (self.wish, self.answer) == (Some(Wish::Ask), Permit::Held)
    }

    /// The fleet says this.
    pub(crate) fn told(&mut self, answer: Permit) {
        self.answer = answer;
    }

    /// From now on this is wanted. Says what to tell the fleet, if that is new and may be told now; `confirmed` says
    /// that the peers know the present level.
    pub(crate) fn want(&mut self, wish: Wish, confirmed: bool) -> Option<Wish> {
        let is_gone = self.answer == Permit::None;
        let is_new = match (self.wish, wish) {
            (Some(Wish::Ask), Wish::Ask) | (Some(Wish::Release), Wish::Release) => false,
            (None, Wish::Ask) => true,
            (Some(Wish::Release), Wish::Ask) => is_gone,
            (None, Wish::Release) => !is_gone && confirmed,
            (Some(Wish::Ask), Wish::Release) => confirmed,
        };
        is_new.then(|| *self.wish.insert(wish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_only_while_it_is_asked_for() {
        let mut leave = Leave::default();
        leave.told(Permit::Held);
        assert!(!leave.is_held());
        assert_eq!(leave.want(Wish::Ask, false), Some(Wish::Ask));
        assert!(leave.is_held());
        assert_eq!(leave.want(Wish::Release, false), None, "the peers do not know yet");
        assert!(leave.is_held());
        assert_eq!(leave.want(Wish::Release, true), Some(Wish::Release));
        assert!(!leave.is_held());
    }

    #[test]
    fn an_answer_to_the_request_before_is_not_taken_for_one_to_this() {
        let mut leave = Leave::default();
        leave.want(Wish::Ask, false);
        leave.told(Permit::Held);
        leave.want(Wish::Release, true);
        assert_eq!(leave.want(Wish::Ask, true), None, "the old answer still stands");
        leave.told(Permit::None);
        assert_eq!(leave.want(Wish::Ask, true), Some(Wish::Ask));
        assert!(!leave.is_held());
    }

    #[test]
    fn a_permit_that_was_never_asked_for_is_given_back_and_nothing_else_is() {
        assert_eq!(Leave::default().want(Wish::Release, true), None);
        let mut leave = Leave::default();
        leave.told(Permit::Held);
        assert_eq!(leave.want(Wish::Release, true), Some(Wish::Release));
    }
}
