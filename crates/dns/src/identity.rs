//! Who answers: the site behind an address that many sites share.

use terms::{HostName, SiteName};

/// What a server says about itself, encoded once: NSID (RFC 5001) and the names of RFC 4892 in class CHAOS.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The NSID option: the site's name.
    nsid: Vec<u8>,
    /// Answers to `id.server`, `hostname.bind` and `version.server`.
    site: Vec<u8>,
    host: Vec<u8>,
    version: Vec<u8>,
}

/// Option code of NSID (RFC 5001 section 4).
pub(crate) const OPTION_NSID: u16 = 3;

impl Identity {
    /// The identity of one machine of a site. A site of one machine has no host's name: then the site's stands for it.
    pub fn new(site: &SiteName, host: Option<&HostName>) -> Self {
        let site = site.as_str();
        let mut nsid = OPTION_NSID.to_be_bytes().to_vec();
        nsid.extend_from_slice(&(site.len() as u16).to_be_bytes()); // a name has at most 63 octets
        nsid.extend_from_slice(site.as_bytes());
        Identity {
            nsid,
            site: chaos_text(site),
            host: chaos_text(host.map_or(site, HostName::as_str)),
            version: chaos_text(concat!("catchment ", env!("CARGO_PKG_VERSION"))),
        }
    }

    pub(crate) fn nsid(&self) -> &[u8] {
        &self.nsid
    }

    /// The TXT record of a name in class CHAOS, which is given in lower case (RFC 4892, and BIND's older names).
    pub(crate) fn chaos(&self, lower: &[u8]) -> Option<&[u8]> {
        match lower {
            b"\x02id\x06server\0" => Some(&self.site),
            b"\x08hostname\x04bind\0" => Some(&self.host),
            b"\x07version\x06server\0" | b"\x07version\x04bind\0" => Some(&self.version),
            _ => None,
        }
    }
}

/// One TXT record whose owner is the name in the question, in class CHAOS, with TTL 0 (RFC 4892 section 2.2).
fn chaos_text(text: &str) -> Vec<u8> {
    let length = text.len().min(255) as u8;
    let mut record = vec![0xc0, 12, 0, 16, 0, 3, 0, 0, 0, 0];
    record.extend_from_slice(&(u16::from(length) + 1).to_be_bytes());
    record.push(length);
    record.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
    record
}
