//! The body of a response, freed of its framing.

use super::Framing;

/// What is there of a body.
pub(super) struct Body {
    pub(super) octets: Vec<u8>,
    /// Its end has been seen.
    pub(super) complete: bool,
    /// Its framing makes no sense.
    pub(super) malformed: bool,
}

impl Body {
    /// The first `limit` octets of a body, as far as they have arrived.
    pub(super) fn of(framing: Framing, received: &[u8], limit: usize) -> Body {
        match framing {
            Framing::UntilClosed => Body::plain(received, limit, false),
            Framing::Length(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                Body::plain(&received[..received.len().min(length)], limit, received.len() >= length)
            }
            Framing::Chunked => Body::chunked(received, limit),
        }
    }

    fn plain(octets: &[u8], limit: usize, complete: bool) -> Body {
        Body { octets: octets[..octets.len().min(limit)].to_vec(), complete, malformed: false }
    }

    /// RFC 9112 section 7.1. What follows the last chunk is of no interest.
    fn chunked(mut rest: &[u8], limit: usize) -> Body {
        let mut body = Body { octets: Vec::new(), complete: false, malformed: false };
        while body.octets.len() < limit {
            match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Partial) => break,
                Ok(httparse::Status::Complete((_, 0))) => {
                    body.complete = true;
                    break;
                }
                Ok(httparse::Status::Complete((head, size))) => {
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    let data = &rest[head..];
                    let there = data.len().min(size).min(limit - body.octets.len());
                    body.octets.extend_from_slice(&data[..there]);
                    match data.get(size..).and_then(|after| after.split_first_chunk::<2>()) {
                        Some((b"\r\n", after)) => rest = after,
                        Some(_) => {
                            body.malformed = true;
                            break;
                        }
                        None => break,
                    }
                }
                Err(_) => {
                    body.malformed = true;
                    break;
                }
            }
        }
        body
    }
}
