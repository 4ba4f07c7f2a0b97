//! How far a service has come with the daemon: what it may say now, and what it waits for.

use super::{Join, Said};
use std::collections::BTreeSet;

/// A service that is connected. Everything in it is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    has_joined: bool,
    /// Connections that it would still give away.
    wishes: u32,
    /// Turns that it was told and has not answered: it answers them in their order.
    turns: usize,
    /// So many of them, the oldest, have lapsed.
    lapsed: usize,
    /// The connections whose fate it waits for.
    offered: BTreeSet<u64>,
}

/// What a message leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It wants to join.
    Join(Join),
    /// Whether it has no place for another connection.
    Fill(bool),
    /// It has said for how many connections it would like to have a turn.
    Look,
    /// It has used the oldest turn that has not lapsed: the connection is to go.
    Give {
        /// How the service calls it.
        number: u64,
        /// What the service knows of it.
        state: Vec<u8>,
    },
    /// It has used a turn that has lapsed: the connection stays.
    Keep(u64),
    /// It has passed on the oldest turn that has not lapsed.
    Return,
    /// It has passed on a turn that has lapsed.
    Nothing,
}

/// What a service must not say now. The words are for whoever writes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misstep {
    /// Something comes before `join`.
    #[error("the first that a service says is `join`")]
    Stranger,
    /// It has joined.
    #[error("a service joins once")]
    Again,
    /// It answers a turn that it does not have.
    #[error("`offer` and `pass` answer a `turn`, and there was none")]
    NoTurn,
    /// It waits for the fate of another connection with this number.
    #[error("the fate of another connection with this number is not known yet")]
    SameNumber,
    /// A message other than `offer` brings a descriptor, or an `offer` does not bring exactly one.
    #[error("an `offer` brings one socket, and nothing else brings any")]
    Descriptors,
}

impl Session {
    /// Turns and offers that a service may have at the same time.
    pub const MOST_AT_ONCE: usize = 32;

    /// Connections that a service may wish to give away in one round; who wishes more is understood so.
    pub const MOST_WISHES: u32 = 1 << 20;

    /// A message has come, with so many descriptors.
    pub fn hear(&mut self, said: Said, descriptors: usize) -> Result<Act, Misstep> {
        let brings = matches!(said, Said::Offer { .. });
        if descriptors != usize::from(brings) {
            return Err(Misstep::Descriptors);
        }
        match (self.has_joined, said) {
            (false, Said::Join(join)) => {
                self.has_joined = true;
                Ok(Act::Join(join))
            }
            (false, Said::Full | Said::Room | Said::Wish(_) | Said::Offer { .. } | Said::Pass) => {
                Err(Misstep::Stranger)
            }
            (true, Said::Join(_)) => Err(Misstep::Again),
            (true, Said::Full) => Ok(Act::Fill(true)),
            (true, Said::Room) => Ok(Act::Fill(false)),
            (true, Said::Wish(count)) => {
                self.wishes = count.min(Self::MOST_WISHES);
                Ok(Act::Look)
            }
            (true, Said::Offer { number, .. }) if self.offered.contains(&number) => Err(Misstep::SameNumber),
            (true, Said::Offer { number, state }) => Ok(if self.answer()? {
                self.offered.insert(number);
                Act::Give { number, state }
            } else {
                Act::Keep(number)
            }),
            (true, Said::Pass) => Ok(if self.answer()? { Act::Return } else { Act::Nothing }),
        }
    }

    /// It answers its oldest turn: whether that has not lapsed.
    fn answer(&mut self) -> Result<bool, Misstep> {
        self.turns = self.turns.checked_sub(1).ok_or(Misstep::NoTurn)?;
        let is_open = self.lapsed == 0;
        self.lapsed = self.lapsed.saturating_sub(1);
        Ok(is_open)
    }

    /// How many turns are to be looked for at the moment.
    pub fn wants(&self) -> usize {
        let room = Self::MOST_AT_ONCE.saturating_sub(self.turns + self.offered.len());
        room.min(usize::try_from(self.wishes).unwrap_or(usize::MAX))
    }

    /// Another round of the drain begins, or it is over: what was wished is wished no more.
    pub fn forget_wishes(&mut self) {
        self.wishes = 0;
    }

    /// A turn was looked for: whether it is still wanted.
    pub fn use_wish(&mut self) -> bool {
        let is_wanted = self.wants() > 0;
        self.wishes = self.wishes.saturating_sub(1);
        is_wanted
    }

    /// It is told that it has a turn.
    pub fn tell_turn(&mut self) {
        self.turns += 1;
    }

    /// Its oldest turn that has not lapsed lapses.
    pub fn lapse(&mut self) {
        self.lapsed = self.turns.min(self.lapsed + 1);
    }

    /// It is told what has become of a connection.
    pub fn settle(&mut self, number: u64) {
        self.offered.remove(&number);
    }
}
