//! What one program hands to the next, as octets: a line that says what it is, then JSON.
//!
//! ```text
//! catchment-succession 3 48213\n
//! { … 48213 octets … }
//! ```

use super::FORMAT;
use crate::announce;
use crate::bfd;
use crate::bgp;
use crate::clock::Reading;
use crate::events;
use crate::fleet;
use crate::memory::Memories;
use linux::succession::{Inherited, inherited};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::fd::{OwnedFd, RawFd};
use terms::{PeerName, Reason, SiteName, Timestamp};

/// The first word of the first line.
const MAGIC: &str = "catchment-succession";

/// The longest first line that is looked for.
const LONGEST_HEAD: usize = 80;

/// Everything that the next program should know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Estate {
    /// The site that it is about.
    pub(crate) site: SiteName,
    /// The version of the program that wrote it.
    pub(crate) version: String,
    /// Which attempt at a restart this is, since the process began.
    pub(crate) number: u64,
    /// How the clock stood.
    pub(crate) clock: Reading,
    /// Since when everything stands still.
    pub(crate) still_since: Timestamp,
    /// The sessions that are up.
    pub(crate) peers: BTreeMap<PeerName, bgp::KeptSession>,
    /// The paths that are watched.
    pub(crate) links: bfd::Kept,
    /// The groups and what is decided about them.
    pub(crate) decision: announce::Kept,
    /// The permits of the groups.
    pub(crate) permits: fleet::Kept,
    /// What the groups should remember.
    pub(crate) memories: Memories,
    /// What was told.
    pub(crate) news: events::Kept,
    /// What is open beside the connections of the sessions.
    pub(crate) sockets: Sockets,
}

/// Sockets by their descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sockets {
    /// The control socket.
    pub(crate) control: Option<RawFd>,
    /// The read-only listener.
    pub(crate) api: Option<RawFd>,
    /// Where DNS over UDP is asked.
    pub(crate) dns_udp: Vec<RawFd>,
    /// Where DNS over TCP is asked.
    pub(crate) dns_tcp: Vec<RawFd>,
    /// Connections of DNS clients.
    pub(crate) dns_streams: Vec<RawFd>,
}

impl Sockets {
    /// All of them.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = RawFd> {
        let listeners = self.control.iter().chain(&self.api);
        listeners.chain(&self.dns_udp).chain(&self.dns_tcp).chain(&self.dns_streams).copied()
    }
}

/// Why octets are no estate that this program can take over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// They are something else.
    #[error("it is nothing that this program knows")]
    Foreign,
    /// Another version wrote them.
    #[error("it has format {found}, this program takes over format {FORMAT} only")]
    Format {
        /// Which format it is.
        found: u32,
    },
    /// Some are missing or too many.
    #[error("it should have {expected} octets and has {found}")]
    Length {
        /// How many the first line promises.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// They are not what they should be.
    #[error("it is not understood: {0}")]
    Garbled(#[from] serde_json::Error),
    /// It is about another site.
    #[error("it is about the site {0}")]
    Site(SiteName),
}

impl Estate {
    /// As octets.
    pub(crate) fn encode(&self) -> serde_json::Result<Vec<u8>> {
        let body = serde_json::to_vec(self)?;
        let mut octets = format!("{MAGIC} {FORMAT} {}\n", body.len()).into_bytes();
        octets.extend(body);
        Ok(octets)
    }

    /// From octets, of whatever origin.
    pub(crate) fn decode(octets: &[u8], site: &SiteName) -> Result<Self, DecodeError> {
        let estate: Estate = serde_json::from_slice(body(octets)?)?;
        if estate.site != *site {
            return Err(DecodeError::Site(estate.site));
        }
        Ok(estate)
    }
}

/// What stands behind the first line, if that fits.
fn body(octets: &[u8]) -> Result<&[u8], DecodeError> {
    let end = octets.iter().take(LONGEST_HEAD).position(|&octet| octet == b'\n');
    let (head, body) = octets.split_at(end.ok_or(DecodeError::Foreign)?);
    let body = body.strip_prefix(b"\n").ok_or(DecodeError::Foreign)?;
    let mut words = std::str::from_utf8(head).map_err(|_| DecodeError::Foreign)?.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(DecodeError::Foreign);
    }
    let mut number = || words.next().and_then(|word| word.parse::<u32>().ok()).ok_or(DecodeError::Foreign);
    let (found, length) = (number()?, number()?);
    if found != FORMAT {
        return Err(DecodeError::Format { found });
    }
    let expected = usize::try_from(length).unwrap_or(usize::MAX);
    if body.len() != expected {
        return Err(DecodeError::Length { expected, found: body.len() });
    }
    Ok(body)
}

/// Open descriptors of the program before, until somebody takes them. The rest is closed.
#[derive(Debug, Default)]
pub(crate) struct Descriptors(BTreeMap<RawFd, OwnedFd>);

impl Descriptors {
    /// Takes one out; none if it was not handed over, or is taken already.
    pub(crate) fn take<T: From<OwnedFd>>(&mut self, number: RawFd) -> Option<T> {
        self.0.remove(&number).map(T::from)
    }
}

#[cfg(test)]
impl Descriptors {
    /// These, under these numbers.
    pub(crate) fn for_test(descriptors: impl IntoIterator<Item = (RawFd, OwnedFd)>) -> Self {
        Descriptors(descriptors.into_iter().collect())
    }
}

/// What a program finds at its start.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// What the program before knew; none where this is the first, or it cannot be used.
    pub(crate) estate: Option<Estate>,
    /// What it left open.
    pub(crate) descriptors: Descriptors,
    /// Why what it left cannot be used.
    pub(crate) trouble: Option<Reason>,
}

/// Takes over what the program before has left, if there was one. What cannot be used is closed.
pub(crate) fn arrive(site: &SiteName) -> Arrived {
    let in_trouble = |trouble: String| Arrived { trouble: Some(trouble.into()), ..Arrived::default() };
    match inherited() {
        Ok(None) => Arrived::default(),
        Ok(Some(Inherited { memory, descriptors })) => match Estate::decode(&memory, site) {
            Ok(estate) => {
                let descriptors = Descriptors(descriptors);
                Arrived { estate: Some(estate), descriptors, trouble: None }
            }
            Err(error) => in_trouble(error.to_string()),
        },
        Err(error) => in_trouble(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
