//! `dnstap` of `[service.dns]`: who is told what is asked and answered.

use crate::socket_path;
use document::Value;
use std::path::{Path, PathBuf};

/// Where messages of dnstap go, as Frame Streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnstapOutput {
    /// To the program that listens on this Unix socket. It may come later, go, and come back.
    Socket(PathBuf),
    /// Into this file, which is begun anew with each start.
    File(PathBuf),
}

/// What the key says: nobody where it is not given. Nothing at all if it is faulty.
pub(crate) fn read(value: &Value, directory: &Path) -> Option<Option<DnstapOutput>> {
    if !value.is_given() {
        return Some(None);
    }
    let table = value.table()?;
    let (socket, file) = (table.optional("socket"), table.optional("file"));
    match (socket.is_given(), file.is_given()) {
        (true, false) => {
            let path = socket_path::read(&socket, directory)?;
            Some(Some(DnstapOutput::Socket(path)))
        }
        (false, true) => Some(Some(DnstapOutput::File(directory.join(file.path()?.value)))),
        (true, true) | (false, false) => {
            let message = "dnstap goes either to a socket or into a file";
            let hint = "write dnstap = { socket = \"/run/dnstap.sock\" }, or { file = \"/var/lib/catchment/dnstap.fstrm\" }";
            table.document().fault_with_hint(value.span(), message, hint);
            None
        }
    }
}
