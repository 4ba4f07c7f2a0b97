//! Is this an answer to that query?

use crate::answer::Answer;
use crate::cookie::Cookie;
use crate::message::Query;
use crate::records::{Malformed, Section};
use domain::base::Message;
use domain::base::iana::Rcode;
use domain::base::name::Name;

/// Why octets are no answer to the query. They may be late, astray or forged; whoever waits for the answer waits on
/// (RFC 5452 section 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Misfit {
    /// From another address or port than the query went to; only the holder of the socket sees that.
    #[error("from another sender")]
    Sender,
    /// Shorter than a header, no answer, or of another operation.
    #[error("no answer to a query")]
    NoAnswer,
    /// The id is not that of the query.
    #[error("another id")]
    Id,
    /// It answers another question.
    #[error("another question")]
    Question,
    /// The client's cookie is not ours, or the cookie has a length that none has, or there is none from a server that
    /// has given us one (RFC 7873 section 5.3).
    #[error("a wrong cookie")]
    Cookie,
}

/// Why octets that arrived are no answer that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Wait on.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// It answers our query, but cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Query {
    /// Judges octets that arrived after `message(id)` was sent.
    pub fn judge(&self, id: u16, octets: &[u8]) -> Result<Answer, Rejection> {
        let message = Message::from_slice(octets).map_err(|_| Misfit::NoAnswer)?;
        let header = message.header();
        if !header.qr() || header.opcode().to_int() != 0 {
            return Err(Misfit::NoAnswer.into());
        }
        if header.id() != id {
            return Err(Misfit::Id.into());
        }
        self.question_fits(message)?;
        let answer = Answer::read(message)?;
        let cookie = answer.edns.as_ref().and_then(|edns| edns.cookie.as_deref());
        self.cookie_fits(cookie)?;
        Ok(answer)
    }

    /// The question has to come back as it was, but for the case of letters (RFC 4343). A server that could not read
    /// the query may leave it out.
    fn question_fits(&self, message: &Message<[u8]>) -> Result<(), Rejection> {
        let count = message.header_counts().qdcount();
        if count == 0 && message.header().rcode() != Rcode::NOERROR {
            return Ok(());
        }
        let Some(question) = message.question().next().filter(|_| count == 1) else {
            return Err(Misfit::Question.into());
        };
        let question = question.map_err(|error| Malformed::new(Section::Question, 1, error))?;
        let ours = &self.question;
        let name = Name::from_octets(ours.name.as_wire());
        let fits = name.is_ok_and(|name| name == *question.qname())
            && question.qtype().to_int() == ours.rtype.get()
            && question.qclass().to_int() == ours.class.get();
        if fits { Ok(()) } else { Err(Misfit::Question.into()) }
    }

    fn cookie_fits(&self, theirs: Option<&[u8]>) -> Result<(), Misfit> {
        let Some(ours) = self.cookie() else { return Ok(()) };
        let fits = match theirs {
            None => ours.server().is_empty(),
            Some(theirs) => Cookie::from_octets(theirs).is_ok_and(|it| it.client() == ours.client()),
        };
        if fits { Ok(()) } else { Err(Misfit::Cookie) }
    }
}
