//! Signatures of messages with a key that both ends have (TSIG, RFC 8945).
//!
//! ```text
//!  client:  Conversation::open(request) ──────────> server:  Conversation::accept(request)
//!           Conversation::verify(reply) <──────────          Conversation::sign(reply)    and so on, in a stream
//! ```
//! Each signature covers the one before, so nobody can reorder, repeat or leave out a message of a stream.

mod key;
mod row;

pub use key::{Algorithm, Key, Keys};
use ring::hmac;
use row::{Row, Split};
use std::sync::Arc;
use terms::WallTime;

/// How far clocks may be apart, seconds (RFC 8945 section 10).
const FUDGE: u16 = 300;
/// Messages of a stream in a row that need no signature (RFC 8945 section 5.3.1).
const MOST_UNSIGNED: usize = 99;
/// Codes of a message (RFC 1035 section 4.1.1, RFC 8945 section 3).
const FORMERR: u8 = 1;
const NOTAUTH: u8 = 9;
/// Codes of a signature (RFC 8945 section 3).
const BADSIG: u16 = 16;
const BADKEY: u16 = 17;
const BADTIME: u16 = 18;
const BADTRUNC: u16 = 22;

/// The end of one side of an exchange of signed messages.
#[derive(Clone, Debug)]
pub struct Conversation {
    key: Arc<Key>,
    /// What the next signature covers before its own message.
    covered: hmac::Context,
    /// Whether the next signature is that of the first reply, which covers all of its own record.
    is_first: bool,
    /// Messages since the last signature.
    unsigned: usize,
}

/// Why a reply is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature's record, or what it stands in, cannot be read.
    #[error("its signature cannot be read")]
    Malformed,
    /// There is none where one must be.
    #[error("it is not signed")]
    Unsigned,
    /// It is another key's.
    #[error("it is signed with another key")]
    OtherKey,
    /// It is not what the key makes of the message.
    #[error("its signature is wrong: the secrets differ, or somebody changed it")]
    Wrong,
    /// The other end signed it too long ago, or in the future.
    #[error("it was signed at another time: set the clocks of both servers")]
    Time,
    /// The other end does not know our key.
    #[error("the server does not know the key: name and algorithm must be the same there")]
    KeyRefused,
    /// The other end says that our signature is wrong.
    #[error("the server finds the signature wrong: the secrets differ")]
    SignatureRefused,
    /// The other end says that our clock is wrong.
    #[error("the server has another time: set the clocks of both servers")]
    TimeRefused,
}

impl Conversation {
    /// Signs a request, and waits for replies.
    pub fn open(key: Arc<Key>, request: &mut Vec<u8>, now: WallTime) -> Conversation {
        let row = Row::new(now, FUDGE);
        let mut context = key.context();
        context.update(request);
        context.update(&row.variables(&key));
        let mac = context.sign();
        row.append(&key, mac.as_ref(), request);
        Conversation::after(key, mac.as_ref())
    }

    /// Verifies a request and takes its signature off (RFC 8945 section 5.2); replies are signed, too. None where it has
    /// no signature.
    ///
    /// # Errors
    /// It has a signature that is not right.
    pub fn accept(
        request: &mut Vec<u8>,
        keys: &Keys,
        now: WallTime,
    ) -> Result<Option<Conversation>, Rejection> {
        let malformed = |_| Rejection { code: FORMERR, tail: Vec::new(), why: SignatureError::Malformed };
        let Some(split) = Split::of(request).map_err(malformed)? else { return Ok(None) };
        let refuse = |error, why| Rejection { code: NOTAUTH, tail: split.unsigned(error), why };
        let Some(key) = keys.get(&split.name).filter(|key| split.is_by(key)) else {
            return Err(refuse(BADKEY, SignatureError::OtherKey));
        };
        let (row, mac) = (split.row.clone(), split.mac.clone());
        if mac.len() < key.algorithm().octets() {
            return Err(refuse(BADTRUNC, SignatureError::Wrong));
        }
        let wrong = refuse(BADSIG, SignatureError::Wrong);
        let came_with = split.take_off(request);
        let mut context = key.context();
        context.update(request);
        context.update(&row.variables(key));
        request[..2].copy_from_slice(&came_with);
        if !key.is_equal(context.sign(), &mac) {
            return Err(wrong);
        }
        let conversation = Conversation::after(Arc::clone(key), &mac);
        if row.is_at(now) {
            return Ok(Some(conversation));
        }
        // RFC 8945 section 5.2.3: with the time of the request, and ours beside it.
        let said = Row { error: BADTIME, other: Some(row::seconds(now)), ..row };
        let mut reply = crate::request::acknowledge(request, NOTAUTH, &[]);
        let mut conversation = conversation;
        let head = reply.len();
        let mac = conversation.seal(&reply, &said);
        said.append(key, mac.as_ref(), &mut reply);
        Err(Rejection { code: NOTAUTH, tail: reply.split_off(head), why: SignatureError::Time })
    }

    /// The next signature covers this one.
    fn after(key: Arc<Key>, mac: &[u8]) -> Conversation {
        let mut covered = key.context();
        cover(&mut covered, mac);
        Conversation { key, covered, is_first: true, unsigned: 0 }
    }

    /// Who signs.
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// Octets that a signature adds to a message.
    pub fn octets(&self) -> usize {
        Row::new(WallTime(0), FUDGE).octets(&self.key)
    }

    /// Signs the next message.
    pub fn sign(&mut self, message: &mut Vec<u8>, now: WallTime) {
        let row = Row::new(now, FUDGE);
        let mac = self.seal(message, &row);
        row.append(&self.key, mac.as_ref(), message);
    }

    /// The signature of the next message, which the one after will cover.
    fn seal(&mut self, message: &[u8], row: &Row) -> hmac::Tag {
        let mac = self.expected(message, row);
        self.go_on(mac.as_ref());
        mac
    }

    fn expected(&self, message: &[u8], row: &Row) -> hmac::Tag {
        let mut context = self.covered.clone();
        context.update(message);
        match self.is_first {
            true => context.update(&row.variables(&self.key)),
            false => context.update(&row.timers()),
        }
        context.sign()
    }

    fn go_on(&mut self, mac: &[u8]) {
        self.covered = self.key.context();
        cover(&mut self.covered, mac);
        (self.is_first, self.unsigned) = (false, 0);
    }

    /// Verifies the next message and takes its signature off.
    ///
    /// # Errors
    /// It is not to be believed; nothing after it is, either.
    pub fn verify(&mut self, message: &mut Vec<u8>, now: WallTime) -> Result<(), SignatureError> {
        let Some(split) = Split::of(message).map_err(|_| SignatureError::Malformed)? else {
            // An error that is not signed is no reply, but says what is wrong all the same.
            if self.is_first || self.unsigned == MOST_UNSIGNED {
                return Err(SignatureError::Unsigned);
            }
            self.covered.update(message);
            self.unsigned += 1;
            return Ok(());
        };
        match (message[3] & 0x0f, split.row.error) {
            (NOTAUTH, BADKEY) => return Err(SignatureError::KeyRefused),
            (NOTAUTH, BADSIG | BADTRUNC) => return Err(SignatureError::SignatureRefused),
            _ => {}
        }
        if !split.is_by(&self.key) {
            return Err(SignatureError::OtherKey);
        }
        let mac = split.mac.clone();
        let row = split.row.clone();
        let came_with = split.take_off(message);
        let is_right = self.key.is_equal(self.expected(message, &row), &mac);
        message[..2].copy_from_slice(&came_with);
        if !is_right {
            return Err(SignatureError::Wrong);
        }
        self.go_on(&mac);
        match row.error {
            BADTIME => Err(SignatureError::TimeRefused),
            _ if !row.is_at(now) => Err(SignatureError::Time),
            _ => Ok(()),
        }
    }

    /// Ends a stream.
    ///
    /// # Errors
    /// Its last message was not signed.
    pub fn close(self) -> Result<(), SignatureError> {
        if self.is_first || self.unsigned > 0 { Err(SignatureError::Unsigned) } else { Ok(()) }
    }
}

fn cover(context: &mut hmac::Context, mac: &[u8]) {
    context.update(&(mac.len() as u16).to_be_bytes()); // 64 octets at most
    context.update(mac);
}

/// Why a request is not believed, and what is to be said about that.
#[derive(Clone, Debug)]
pub struct Rejection {
    code: u8,
    /// The signature's record of the reply, with the name and algorithm that the client gave, and its signature.
    tail: Vec<u8>,
    /// What of all that it was.
    pub why: SignatureError,
}

impl Rejection {
    /// The reply to the request, whose signature may have been taken off.
    pub fn reply(&self, request: &[u8]) -> Vec<u8> {
        // EDNS is not believed either: the reply has none.
        let mut reply = crate::request::acknowledge(request, self.code, &[]);
        if !self.tail.is_empty() {
            reply[11] = 1;
            reply.extend_from_slice(&self.tail);
        }
        reply
    }
}

#[cfg(test)]
mod tests;
