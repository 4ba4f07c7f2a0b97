//! Does an HTTP server answer as it should?
//!
//! ```text
//!  request() --> the server --> judge(octets so far, ended) -+-> More   read on
//!                                                            +-> Pass   a status that is wanted, a body that contains
//!                                                            |          what is wanted
//!                                                            +-> Fail   anything else, in words, always definite
//! ```
//! HTTP/1.1 (RFC 9112), one request a connection. Nothing of the response is believed: its head may have 16 KiB and 64
//! fields, of its body 64 KiB are looked at, and as soon as the answer is known nothing more is read.

mod body;

use crate::Progress;
use body::Body;
use serde::{Deserialize, Serialize};
use terms::Verdict;

/// What a healthy server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The host that is asked for, with its port where that is not the scheme's own.
    pub host: String,
    /// What is asked for on it: a path and perhaps a query.
    pub target: String,
    /// The statuses that are good.
    pub statuses: Vec<u16>,
    /// What the body must contain, if anything.
    pub contains: Option<String>,
}

/// Most octets of a head.
const HEAD: usize = 16 << 10;
/// Most fields of a head.
const FIELDS: usize = 64;
/// Most octets of a body that are looked at.
const BODY: usize = 64 << 10;

impl Expectation {
    /// Most octets that [`judge`](Expectation::judge) needs to decide: one head that says "wait", one that counts, and
    /// a body with its framing.
    pub const ENOUGH: usize = 2 * HEAD + 2 * BODY;

    /// The request to send.
    pub fn request(&self) -> Vec<u8> {
        let Expectation { host, target, .. } = self;
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: catchment-check\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        .into_bytes()
    }

    /// Judges what has arrived since the request was sent; `ended` when no more will come.
    pub fn judge(&self, mut received: &[u8], ended: bool) -> Progress {
        loop {
            match Head::of(received) {
                Ok(Some(head)) if (100..200).contains(&head.status) && head.status != 101 => {
                    // An interim response: the one that counts follows (RFC 9110 section 15.2).
                    received = &received[head.length..];
                }
                Ok(Some(head)) => return self.judge_response(&head, &received[head.length..], ended),
                Ok(None) if ended && received.is_empty() => return definite("closed without a response"),
                Ok(None) if ended => return definite("closed in the middle of the response's head"),
                Ok(None) if received.len() >= HEAD => {
                    return definite("the response's head is longer than 16 KiB");
                }
                Ok(None) => return Progress::More,
                Err(words) => return definite(words),
            }
        }
    }

    fn judge_response(&self, head: &Head, rest: &[u8], ended: bool) -> Progress {
        if !self.statuses.contains(&head.status) {
            return definite(format!("answered {}", head.status));
        }
        let Some(wanted) = &self.contains else { return Progress::Done(Verdict::Pass) };
        let body = Body::of(head.framing, rest, BODY);
        let is_there = body.octets.windows(wanted.len().max(1)).any(|part| part == wanted.as_bytes());
        if is_there || wanted.is_empty() {
            Progress::Done(Verdict::Pass)
        } else if body.malformed {
            definite("the body is malformed")
        } else if body.complete || body.octets.len() >= BODY {
            definite(format!("answered {}, but its body does not contain \"{wanted}\"", head.status))
        } else if ended {
            match head.framing {
                Framing::UntilClosed => {
                    definite(format!("answered {}, but its body does not contain \"{wanted}\"", head.status))
                }
                Framing::Length(_) | Framing::Chunked => definite("closed in the middle of the body"),
            }
        } else {
            Progress::More
        }
    }
}

fn definite(words: impl AsRef<str>) -> Progress {
    Progress::Done(Verdict::definite(words))
}

/// What the head of a response says, as far as it matters here.
struct Head {
    status: u16,
    framing: Framing,
    length: usize,
}

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClosed,
}

impl Head {
    /// The head at the beginning of the octets; none while it is not complete.
    fn of(octets: &[u8]) -> Result<Option<Head>, String> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        match response.parse(&octets[..octets.len().min(HEAD)]) {
            Ok(httparse::Status::Partial) => Ok(None),
            Ok(httparse::Status::Complete(length)) => {
                let framing = Framing::of(response.headers)?;
                Ok(Some(Head { status: response.code.unwrap_or_default(), framing, length }))
            }
            Err(httparse::Error::TooManyHeaders) => {
                Err(format!("the response's head has more than {FIELDS} fields"))
            }
            Err(error) => Err(format!("the response is no HTTP/1.1: {error}")),
        }
    }
}

impl Framing {
    fn of(fields: &[httparse::Header<'_>]) -> Result<Framing, String> {
        let named =
            |name: &'static str| fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        if let Some(coding) = named("transfer-encoding").next_back() {
            // Anything but chunked is not asked for, and a length beside it does not count (RFC 9112 section 6.3).
            return match coding.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                true => Ok(Framing::Chunked),
                false => Err("the response has a transfer coding that was not asked for".to_owned()),
            };
        }
        let mut lengths =
            named("content-length").map(|field| crate::calendar::digits(field.value.trim_ascii()));
        match (lengths.next(), lengths.next()) {
            (None, _) => Ok(Framing::UntilClosed),
            (Some(Some(length)), None) => Ok(Framing::Length(length)),
            (Some(_), _) => Err("the response's length is malformed".to_owned()),
        }
    }
}
