//! The sockets: sends a query and waits for what fits it.

use query::{Answer, Cookie, Malformed, Misfit, Query, Rejection};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

mod datagrams;
mod stream;

/// Whom to ask, and how long to try.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) server: SocketAddr,
    /// How to ask first.
    pub(super) transport: Transport,
    /// For each try.
    pub(super) patience: Duration,
    /// How many datagrams are sent.
    pub(super) tries: u32,
}

/// How a query travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        })
    }
}

/// An answer, and how it came.
pub(super) struct Received {
    pub(super) answer: Answer,
    pub(super) transport: Transport,
    /// From the last octet of the query to the last of the answer.
    pub(super) round_trip: Duration,
    pub(super) ignored: Ignored,
}

/// What arrived and was no answer to the query.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored(pub(super) BTreeMap<Misfit, u32>);

impl Ignored {
    fn count(&mut self, misfit: Misfit) {
        *self.0.entry(misfit).or_default() += 1;
    }
}

impl fmt::Display for Ignored {
    /// `3 ignored: another id 2, a wrong cookie 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ignored: ", self.0.values().sum::<u32>())?;
        f.write_str(&crate::words::list(self.0.iter().map(|(misfit, times)| format!("{misfit} {times}"))))
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{server} over {transport}: {error}")]
    Socket { server: SocketAddr, transport: Transport, error: io::Error },
    #[error("no answer from {server} over {transport} ({tries} x {patience:?}){}", remark(.ignored))]
    Silence { server: SocketAddr, transport: Transport, patience: Duration, tries: u32, ignored: Ignored },
    #[error("{server} over {transport}: {malformed}")]
    Malformed { server: SocketAddr, transport: Transport, malformed: Malformed },
    #[error("{0}")]
    Query(#[from] query::PushError),
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

fn remark(ignored: &Ignored) -> String {
    if ignored.0.is_empty() { String::new() } else { format!("; {ignored}") }
}

impl Exchange {
    /// Asks. A truncated answer is asked for again over TCP (RFC 7766 section 5); so is one that a server does not give
    /// without its cookie, after it was shown that cookie over UDP (RFC 7873 section 5.3).
    pub(super) fn ask(&self, query: &Query) -> Result<Received, Failure> {
        let mut ignored = Ignored::default();
        let mut received = self.over(self.transport, query, &mut ignored)?;
        let learned =
            if received.answer.wants_cookie() { with_cookie_of(query, &received.answer) } else { None };
        let query = learned.as_ref().unwrap_or(query);
        if learned.is_some() {
            received = self.over(self.transport, query, &mut ignored)?;
        }
        let unfinished = received.answer.flags.truncated || received.answer.wants_cookie();
        if unfinished && received.transport == Transport::Udp {
            received = self.over(Transport::Tcp, query, &mut ignored)?;
        }
        Ok(Received { ignored, ..received })
    }

    fn over(&self, transport: Transport, query: &Query, ignored: &mut Ignored) -> Result<Received, Failure> {
        match transport {
            Transport::Udp => self.over_udp(query, ignored),
            Transport::Tcp => self.over_tcp(query, ignored),
        }
    }

    /// The answer, if these octets are one; counts them if they are none.
    fn judge(
        &self,
        transport: Transport,
        judged: Result<Answer, Rejection>,
        ignored: &mut Ignored,
    ) -> Result<Option<Answer>, Failure> {
        match judged {
            Ok(answer) => Ok(Some(answer)),
            Err(Rejection::Misfit(misfit)) => {
                ignored.count(misfit);
                Ok(None)
            }
            Err(Rejection::Malformed(malformed)) => {
                Err(Failure::Malformed { server: self.server, transport, malformed })
            }
        }
    }

    fn silence(&self, transport: Transport, tries: u32, ignored: &Ignored) -> Failure {
        let Exchange { server, patience, .. } = *self;
        Failure::Silence { server, transport, patience, tries, ignored: ignored.clone() }
    }

    fn socket(&self, transport: Transport) -> impl Fn(io::Error) -> Failure {
        let server = self.server;
        move |error| Failure::Socket { server, transport, error }
    }
}

/// Drawn anew for each message.
fn random_id() -> Result<u16, getrandom::Error> {
    let mut id = [0; 2];
    getrandom::fill(&mut id)?;
    Ok(u16::from_be_bytes(id))
}

/// The same query with the cookie that the server has given, if it has given one.
fn with_cookie_of(query: &Query, answer: &Answer) -> Option<Query> {
    let cookie = Cookie::from_octets(answer.edns.as_ref()?.cookie.as_ref()?).ok()?;
    let mut query = query.clone();
    query.edns.as_mut()?.cookie.replace(cookie)?;
    Some(query)
}

/// Whether a read ended because nothing came in time.
fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
