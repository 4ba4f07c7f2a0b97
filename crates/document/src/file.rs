//! The one place that opens a file.

use crate::fault::{Fault, Faults};
use crate::source::Source;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Why a file has no text.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system does not give it.
    #[error("cannot read the file: {0}")]
    Unreadable(#[from] io::Error),
    /// Whoever opens it may wait for ever, or not find the same again.
    #[error("it is no regular file")]
    NotRegular,
    /// It has more bytes than its reader takes.
    #[error("the file is longer than {0} bytes")]
    TooLong(usize),
    /// It has bytes that are no text.
    #[error("the file is not UTF-8: line {0} has other bytes")]
    NotText(usize),
}

/// The path again, if it is that of a regular file. A file that another one names has to be: it is read again at each reload
/// and must be there then, and whoever opens a pipe may wait for ever. What an operator names in a command may be a pipe.
pub fn regular(path: &Path) -> Result<&Path, ReadError> {
    if fs::metadata(path)?.is_file() { Ok(path) } else { Err(ReadError::NotRegular) }
}

/// The text of a [`regular`] file of at most `most` bytes.
pub fn read_regular(path: &Path, most: usize) -> Result<String, ReadError> {
    read(regular(path)?, most)
}

/// The bytes of a file, at most `most`. A device without end cannot fill the memory.
pub fn read_bytes(path: &Path, most: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    // One byte more than is taken tells a longer file apart.
    File::open(path)?.take((most as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(ReadError::TooLong(most));
    }
    Ok(bytes)
}

/// The text of a file of at most `most` bytes.
pub fn read(path: &Path, most: usize) -> Result<String, ReadError> {
    String::from_utf8(read_bytes(path, most)?).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ReadError::NotText(good.iter().filter(|&&byte| byte == b'\n').count() + 1)
    })
}

impl ReadError {
    /// The error as the only fault of that file.
    pub fn into_faults(self, path: &Path) -> Faults {
        let nothing = Source::new(path.to_string_lossy(), "");
        let fault = Fault::new(&nothing, 0..0, self.to_string(), None);
        Faults::of(nothing, [fault])
    }
}
