//! Does a server take a connection, and does it greet as it should?

use crate::Progress;
use serde::{Deserialize, Serialize};
use terms::Verdict;

/// What a healthy server does with a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// What it says first, from its first octet on, such as `220 ` of a mail server; none where taking the connection
    /// is enough.
    pub banner: Option<String>,
}

impl Expectation {
    /// Most octets of a banner.
    pub const LONGEST: usize = 512;

    /// Judges what the server has said since it took the connection; `ended` when no more will come.
    pub fn judge(&self, received: &[u8], ended: bool) -> Progress {
        let wanted = self.banner.as_deref().unwrap_or_default().as_bytes();
        let said = &received[..received.len().min(wanted.len())];
        if said == wanted {
            Progress::Done(Verdict::Pass)
        } else if !wanted.starts_with(said) {
            Progress::Done(Verdict::definite(format!("greeted with \"{}\"", shown(received))))
        } else if ended {
            Progress::Done(Verdict::definite("closed before it had greeted"))
        } else {
            Progress::More
        }
    }
}

/// The first line of what a server said.
fn shown(received: &[u8]) -> String {
    let line = received.split(|&octet| octet == b'\n').next().unwrap_or_default().trim_ascii_end();
    String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned()
}
