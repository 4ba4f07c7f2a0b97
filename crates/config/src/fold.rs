//! How many services of a group must be well, as the file writes it.

use std::num::NonZeroU32;
use std::str::FromStr;

/// The value of `fold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenFold {
    /// `"all"`.
    All,
    /// `"any"`.
    Any,
    /// `"2 of 3"`.
    Of {
        /// So many must be well.
        least: NonZeroU32,
        /// So many there are.
        all: u32,
    },
}

/// A text that says no such thing.
#[derive(Debug, thiserror::Error)]
#[error("write \"all\", \"any\" or \"2 of 3\", not `{0}`")]
pub(crate) struct FoldError(String);

impl FromStr for WrittenFold {
    type Err = FoldError;
    fn from_str(text: &str) -> Result<Self, FoldError> {
        match text {
            "all" => return Ok(WrittenFold::All),
            "any" => return Ok(WrittenFold::Any),
            _ => {}
        }
        let of = text.split_once(" of ").and_then(|(least, all)| {
            Some(WrittenFold::Of { least: least.trim().parse().ok()?, all: all.trim().parse().ok()? })
        });
        of.ok_or_else(|| FoldError(text.to_owned()))
    }
}
