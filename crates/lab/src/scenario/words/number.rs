//! Numbers: factors, shares, counts.

use super::WordError;
use crate::sentence::Slot;
use std::fmt::{self, Display};
use std::str::FromStr;

/// How many times as much: a number with at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    hundredths: u32,
}

impl Factor {
    /// The factor of so many hundredths.
    pub fn from_hundredths(hundredths: u32) -> Option<Self> {
        (hundredths > 0).then_some(Factor { hundredths })
    }

    /// The factor as a number.
    pub fn value(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }
}

impl FromStr for Factor {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 2 {
            return Err(WordError::Factor);
        }
        let whole: u32 = whole.parse().map_err(|_| WordError::Factor)?;
        let hundredths: u32 = format!("{decimals:0<2}").parse().map_err(|_| WordError::Factor)?;
        let sum = whole.checked_mul(100).and_then(|whole| whole.checked_add(hundredths));
        sum.and_then(Factor::from_hundredths).ok_or(WordError::Factor)
    }
}

impl Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl Slot for Factor {}

/// A share of packets, 1 to 99 in a hundred: `30%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// So many in a hundred; none for none and for all of them.
    pub fn new(percent: u8) -> Option<Self> {
        (1..=99).contains(&percent).then_some(Percent(percent))
    }

    /// So many in a hundred.
    pub fn get(self) -> u8 {
        self.0
    }

    /// From 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl FromStr for Percent {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).and_then(Percent::new).ok_or(WordError::Percent)
    }
}

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Slot for Percent {}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(u32);

impl Count {
    /// The number.
    pub fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for Count {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let digits = text.bytes().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Count).ok_or(WordError::Count)
    }
}

impl Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Slot for Count {}
