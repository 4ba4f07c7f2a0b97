//! One small JSON document under the state directory, replaced in one step: a reader finds the old or the new one,
//! after a crash as well.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::path::Path;

/// Most octets that are read of one; thousands of groups fit.
const LIMIT: u64 = 1 << 20;

/// The document in a file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Puts the document into the file of that name, and returns once it would survive a power cut.
pub(crate) fn replace(state_dir: &Path, name: &str, document: &impl Serialize) -> io::Result<()> {
    std::fs::create_dir_all(state_dir)?;
    let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
    serde_json::to_writer(&mut file, document)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(state_dir.join(name))?;
    // The name is on disk only once the directory is.
    std::fs::File::open(state_dir)?.sync_all()
}
