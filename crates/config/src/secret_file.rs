//! Files with a secret: not everybody on the host may read them.

use document::{Document, Spanned};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The only line of a file, of at most so many octets. It is read together with the site file, so that a reload finds
/// a changed one.
pub(crate) fn read(
    document: &Document,
    file: &Spanned<PathBuf>,
    directory: &Path,
    longest: usize,
) -> Option<String> {
    let path = directory.join(&file.value);
    let fault = |message: String, hint: String| {
        document.fault_with_hint(file.span.clone(), message, hint);
        None
    };
    let looked = looked_for(file, directory);
    // The line, and how it ends.
    let text = match document::read_regular(&path, longest + 2) {
        Ok(text) => text,
        Err(error) => return fault(error.to_string(), looked),
    };
    if !is_kept(document, file, directory) {
        return None;
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r']) {
        return fault("a file of a key has one line".to_owned(), looked);
    }
    Some(line.to_owned())
}

/// Whether a file is closed to those who are neither its owner nor of its group; otherwise it is a fault.
pub(crate) fn is_kept(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> bool {
    let path = directory.join(&file.value);
    let mode = document::regular(&path).and_then(|path| Ok(fs::metadata(path)?.permissions().mode() & 0o777));
    let (message, hint) = match mode {
        Ok(mode) if mode & 0o007 == 0 => return true,
        Ok(mode) => (
            format!("everybody on this host can use the key: the mode of its file is {mode:04o}"),
            format!("chown root:catchment {0} && chmod 0640 {0}", path.display()),
        ),
        Err(error) => (error.to_string(), looked_for(file, directory)),
    };
    document.fault_with_hint(file.span.clone(), message, hint);
    false
}

/// Where a file was looked for, for a hint.
pub(crate) fn looked_for(file: &Spanned<PathBuf>, directory: &Path) -> String {
    format!("it was looked for at {}", directory.join(&file.value).display())
}
