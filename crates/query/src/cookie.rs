//! Cookies (RFC 7873): who has seen the query, and who has seen an answer before.

/// A client's cookie, and the server's that came back to it, if one did (RFC 7873 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    client: [u8; Cookie::CLIENT],
    server: Vec<u8>,
}

/// Why octets are no cookie (RFC 7873 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie has 8 or 16 to 40 octets, not {0}")]
pub struct CookieError(usize);

impl Cookie {
    /// Octets of a client's cookie.
    pub const CLIENT: usize = 8;
    /// Option code (RFC 7873 section 4).
    pub(crate) const CODE: u16 = 10;

    /// The cookie of a client that knows none of the server's. It should be drawn anew for each server (RFC 7873
    /// section 5.1).
    pub fn new(client: [u8; Cookie::CLIENT]) -> Self {
        Cookie { client, server: Vec::new() }
    }

    /// Reads the data of the option.
    pub fn from_octets(octets: &[u8]) -> Result<Self, CookieError> {
        match octets.split_first_chunk() {
            Some((client, server)) if matches!(server.len(), 0 | 8..=32) => {
                Ok(Cookie { client: *client, server: server.to_vec() })
            }
            _ => Err(CookieError(octets.len())),
        }
    }

    /// The data of the option.
    pub fn octets(&self) -> Vec<u8> {
        [&self.client[..], &self.server].concat()
    }

    /// The client's part.
    pub fn client(&self) -> &[u8] {
        &self.client
    }

    /// The server's part; empty where there is none.
    pub fn server(&self) -> &[u8] {
        &self.server
    }
}
