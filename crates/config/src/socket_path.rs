//! Where a Unix socket is.

use document::Value;
use std::path::{Path, PathBuf};

/// Longest path, octets (unix(7): `sun_path` with its closing zero).
const LONGEST: usize = 107;

/// The path that is written, below `directory` if it is relative; none if it is faulty or nothing is written.
pub(crate) fn read(value: &Value, directory: &Path) -> Option<PathBuf> {
    let written = value.path()?;
    let path = directory.join(written.value);
    if path.as_os_str().len() > LONGEST {
        let message = format!("a socket's path has at most {LONGEST} octets");
        value.document().fault_with_hint(written.span, message, "give it a shorter one");
        return None;
    }
    Some(path)
}
