//! The one place that opens a file.

use crate::fault::{Fault, Faults};
use crate::source::Source;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The text of a file of at most `most` bytes. A file that cannot be read, is longer or is not UTF-8 is one fault.
pub fn read(path: &Path, most: usize) -> Result<String, Faults> {
    let refused = |message: String| {
        let nothing = Source::new(path.to_string_lossy(), "");
        let fault = Fault::new(&nothing, 0..0, message, None);
        Faults::of(nothing, [fault])
    };
    let bytes =
        read_at_most(path, most).map_err(|error| refused(format!("cannot read the file: {error}")))?;
    if bytes.len() > most {
        return Err(refused(format!("the file is longer than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
        refused(format!("the file is not UTF-8: line {line} has other bytes"))
    })
}

/// One byte more than `most` tells a longer file apart; a device without end cannot fill the memory.
fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take((most as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
