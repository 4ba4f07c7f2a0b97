//! The number of a site in its fleet.

use std::fmt;

/// A site's number, 0 to 63: six bits of a [`Shim`](crate::Shim).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteNumber(u8);

/// A number that no site has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sites have numbers from 0 to 63, not {0}")]
pub struct SiteNumberError(pub u8);

impl SiteNumber {
    /// So many sites have a number.
    pub const COUNT: usize = 64;

    /// The number itself.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The number in the low six bits; the others are not looked at.
    pub(crate) fn of_low_bits(bits: u32) -> Self {
        SiteNumber((bits & 63) as u8)
    }
}

impl TryFrom<u8> for SiteNumber {
    type Error = SiteNumberError;

    fn try_from(number: u8) -> Result<Self, SiteNumberError> {
        if usize::from(number) < Self::COUNT { Ok(SiteNumber(number)) } else { Err(SiteNumberError(number)) }
    }
}

impl fmt::Display for SiteNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
