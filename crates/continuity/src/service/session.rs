//! How far a service has come with the daemon: what it may say now, and what it waits for.

use super::{Join, Said};
use std::collections::BTreeMap;

/// A service that is connected. Everything in it is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    has_joined: bool,
    /// Connections that it would still give away.
    wishes: u32,
    /// The number of the latest turn that it was told; 0: none yet.
    latest: u64,
    /// The turns that take up a part of its share, by number.
    turns: BTreeMap<u64, Stage>,
}

/// How far a turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is not answered.
    Open,
    /// Its time was over before it was answered.
    Lapsed,
    /// A connection was offered in it, and its fate is not known.
    Offered,
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
    /// It has used a turn: the connection is to go.
    Give {
        /// The number of the turn.
        turn: u64,
        /// What the service knows of it.
        state: Vec<u8>,
    },
    /// It has used a turn that is over: the connection stays.
    Keep(u64),
    /// It has passed on this turn.
    Return(u64),
    /// It has passed on a turn that is over.
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
    /// It answers a turn that it was never told.
    #[error("`offer` and `pass` answer a `turn`, and there was none of this number")]
    NoTurn,
    /// It answers a turn in which it has offered a connection whose fate is not known.
    #[error("another connection was offered in this turn")]
    Answered,
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
            (false, Said::Full | Said::Room | Said::Wish(_) | Said::Offer { .. } | Said::Pass(_)) => {
                Err(Misstep::Stranger)
            }
            (true, Said::Join(_)) => Err(Misstep::Again),
            (true, Said::Full) => Ok(Act::Fill(true)),
            (true, Said::Room) => Ok(Act::Fill(false)),
            (true, Said::Wish(count)) => {
                self.wishes = count.min(Self::MOST_WISHES);
                Ok(Act::Look)
            }
            (true, Said::Offer { turn, state }) => Ok(if self.answer(turn)? {
                self.turns.insert(turn, Stage::Offered);
                Act::Give { turn, state }
            } else {
                Act::Keep(turn)
            }),
            (true, Said::Pass(turn)) => Ok(if self.answer(turn)? { Act::Return(turn) } else { Act::Nothing }),
        }
    }

    /// It answers a turn: whether that was open.
    fn answer(&mut self, turn: u64) -> Result<bool, Misstep> {
        match self.turns.get(&turn) {
            Some(Stage::Offered) => Err(Misstep::Answered),
            None if turn == 0 || turn > self.latest => Err(Misstep::NoTurn),
            Some(Stage::Open | Stage::Lapsed) | None => Ok(self.turns.remove(&turn) == Some(Stage::Open)),
        }
    }

    /// How many turns are to be looked for at the moment.
    pub fn wants(&self) -> usize {
        let room = Self::MOST_AT_ONCE.saturating_sub(self.turns.len());
        room.min(usize::try_from(self.wishes).unwrap_or(usize::MAX))
    }

    /// Another round of the drain begins, or it is over: what was wished is wished no more, and turns that have lapsed are
    /// waited for no more.
    pub fn begin_round(&mut self) {
        self.forget_wishes();
        self.turns.retain(|_, stage| *stage != Stage::Lapsed);
    }

    /// Nobody can be reached: what was wished is wished no more.
    pub fn forget_wishes(&mut self) {
        self.wishes = 0;
    }

    /// A turn was looked for: whether it is still wanted.
    pub fn use_wish(&mut self) -> bool {
        let is_wanted = self.wants() > 0;
        self.wishes = self.wishes.saturating_sub(1);
        is_wanted
    }

    /// It is told that it has a turn; the number of that, which no other one has.
    pub fn tell_turn(&mut self) -> u64 {
        self.latest += 1;
        self.turns.insert(self.latest, Stage::Open);
        self.latest
    }

    /// A turn that it has not answered is over. It takes up its part of the share until it is answered after all, or the next round
    /// begins: whoever answers nothing is not asked without end.
    pub fn lapse(&mut self, turn: u64) {
        if let Some(stage @ Stage::Open) = self.turns.get_mut(&turn) {
            *stage = Stage::Lapsed;
        }
    }

    /// It is told what has become of the connection that it has offered in this turn.
    pub fn settle(&mut self, turn: u64) {
        self.turns.remove(&turn);
    }
}
