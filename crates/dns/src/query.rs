//! Reads one message as a query. Everything in it is hostile: every read is bounded, nothing is allocated.

use crate::cookie::{OPTION_COOKIE, Presented};
use crate::identity::OPTION_NSID;
use crate::name::Name;
use terms::RecordType;

/// Code of edns-tcp-keepalive (RFC 7828 section 3.1).
pub(crate) const OPTION_PATIENCE: u16 = 11;
/// Code of padding (RFC 7830 section 3).
pub(crate) const OPTION_PADDING: u16 = 12;

/// Octets of a message's header (RFC 1035 section 4.1.1).
pub(crate) const HEADER: usize = 12;

/// The first four octets of a message, which a reply repeats in part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) id: [u8; 2],
    flags: u8,
}

impl Header {
    /// None when there are fewer octets than a header has.
    pub(crate) fn of(message: &[u8]) -> Option<Header> {
        let [id_high, id_low, flags, ..] = *message.first_chunk::<HEADER>()?;
        Some(Header { id: [id_high, id_low], flags })
    }

    pub(crate) fn is_reply(self) -> bool {
        self.flags & 0x80 != 0
    }

    /// The operation; 0 is QUERY.
    pub(crate) fn opcode(self) -> u8 {
        self.flags >> 3 & 0x0f
    }

    /// Operation and "recursion desired", in their places: all that a reply copies (RFC 1035 section 4.1.1,
    /// RFC 8906 section 3.1.3).
    pub(crate) fn copied_flags(self) -> u8 {
        self.flags & 0x79
    }
}

/// A query with one question.
pub(crate) struct Query<'m> {
    /// Name, type and class as they came.
    pub(crate) question: &'m [u8],
    pub(crate) name: Name,
    pub(crate) kind: RecordType,
    pub(crate) class: u16,
    pub(crate) edns: Option<Edns>,
    /// Whether it has a TSIG record (RFC 8945), right or not.
    pub(crate) is_signed: bool,
}

/// What a query says with EDNS (RFC 6891 section 6.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
    pub(crate) wants_nsid: bool,
    pub(crate) cookie: Option<Presented>,
    /// Asks how long a connection may be idle (RFC 7828).
    pub(crate) wants_patience: bool,
    /// Asks for padding (RFC 7830).
    pub(crate) wants_padding: bool,
    /// Whether its options can be read. Where they cannot, none is known.
    pub(crate) is_sound: bool,
}

/// The message is no query that can be answered (RFC 1035 section 4.1.1: FORMERR).
pub(crate) struct Malformed<'m> {
    /// The question, when that much could be read.
    pub(crate) question: &'m [u8],
    /// EDNS, when nothing is wrong but its options: the reply has it, too (RFC 6891 section 7).
    pub(crate) edns: Option<Edns>,
}

impl Edns {
    /// What a message says with EDNS, whatever else it is; none where that cannot be read.
    pub(crate) fn of(message: &[u8]) -> Option<Edns> {
        let (header, body) = message.split_first_chunk::<HEADER>()?;
        let [_, _, _, _, q0, q1, n0, n1, u0, u1, a0, a1] = *header;
        let rest = match u16::from_be_bytes([q0, q1]) {
            0 => body,
            1 => body.get(Name::of(body)?.length() + 4..)?,
            _ => return None,
        };
        let before = u32::from(u16::from_be_bytes([n0, n1])) + u32::from(u16::from_be_bytes([u0, u1]));
        beside(rest, before, u16::from_be_bytes([a0, a1]))?.0
    }

    /// Reads a message whose operation is QUERY and that has no question, but asks for a cookie (RFC 7873 section 5.4).
    pub(crate) fn of_cookie_alone(message: &[u8]) -> Option<Edns> {
        let (header, body) = message.split_first_chunk::<HEADER>()?;
        let [.., 0, 0, 0, 0, 0, 0, a0, a1] = *header else { return None };
        beside(body, 0, u16::from_be_bytes([a0, a1]))?.0.filter(|edns| edns.cookie.is_some())
    }
}

impl<'m> Query<'m> {
    /// Reads a message whose operation is QUERY.
    pub(crate) fn of(message: &'m [u8]) -> Result<Query<'m>, Malformed<'m>> {
        let unread = Malformed { question: &[], edns: None };
        let Some((header, body)) = message.split_first_chunk::<HEADER>() else { return Err(unread) };
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        // One question (RFC 9619).
        if count(4) != 1 {
            return Err(unread);
        }
        let Some(name) = Name::of(body) else { return Err(unread) };
        let Some((question, rest)) = body.split_at_checked(name.length() + 4) else { return Err(unread) };
        let &[k0, k1, c0, c1] = question.last_chunk::<4>().unwrap_or(&[0; 4]);
        let kind = RecordType::new(u16::from_be_bytes([k0, k1]));
        let class = u16::from_be_bytes([c0, c1]);

        // Only a question for changes has records beside it (RFC 1995 section 3).
        let (answers, authorities, additional) = (count(6), count(8), count(10));
        if answers != 0 || authorities != 0 && kind != RecordType::IXFR {
            return Err(Malformed { question, edns: None });
        }
        match beside(rest, u32::from(authorities), additional) {
            Some((edns @ Some(Edns { is_sound: false, .. }), _)) => Err(Malformed { question, edns }),
            Some((edns, is_signed)) => Ok(Query { question, name, kind, class, edns, is_signed }),
            None => Err(Malformed { question, edns: None }),
        }
    }
}

/// Reads the records after the question for EDNS, of which there may be one, and for a signature; others are passed
/// over. None when they are malformed. Octets after the last record are ignored.
/// `before` records stand before the additional section, where EDNS is.
fn beside(mut rest: &[u8], before: u32, additional: u16) -> Option<(Option<Edns>, bool)> {
    let (mut found, mut is_signed) = (None, false);
    for index in 0..before + u32::from(additional) {
        let (owner, after) = split_owner(rest)?;
        let (fixed, after) = after.split_first_chunk::<10>()?;
        let [k0, k1, p0, p1, _extended, version, flags, _, l0, l1] = *fixed;
        let (data, after) = after.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        rest = after;
        let kind = RecordType::new(u16::from_be_bytes([k0, k1]));
        is_signed |= kind == RecordType::TSIG;
        if kind != RecordType::OPT {
            continue;
        }
        if found.is_some() || index < before || owner != [0] {
            return None;
        }
        // Options are read in version 0 only: another version may write them otherwise.
        let options = if version == 0 { Options::of(data) } else { Some(Options::default()) };
        let is_sound = options.is_some();
        let Options { wants_nsid, cookie, wants_patience, wants_padding } = options.unwrap_or_default();
        let (payload, dnssec_ok) = (u16::from_be_bytes([p0, p1]), flags & 0x80 != 0);
        found = Some(Edns {
            payload,
            version,
            dnssec_ok,
            wants_nsid,
            cookie,
            wants_patience,
            wants_padding,
            is_sound,
        });
    }
    Some((found, is_signed))
}

/// The options that we know.
#[derive(Default)]
struct Options {
    wants_nsid: bool,
    cookie: Option<Presented>,
    wants_patience: bool,
    wants_padding: bool,
}

impl Options {
    /// Reads all options (RFC 6891 section 6.1.2); none when they are malformed.
    fn of(mut octets: &[u8]) -> Option<Options> {
        let mut options = Options::default();
        while !octets.is_empty() {
            let (&[c0, c1, l0, l1], after) = octets.split_first_chunk::<4>()?;
            let (data, after) = after.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
            octets = after;
            match u16::from_be_bytes([c0, c1]) {
                OPTION_NSID => options.wants_nsid = true,
                OPTION_PATIENCE => options.wants_patience = true,
                OPTION_PADDING => options.wants_padding = true,
                // Only the first counts (RFC 7873 section 5.2).
                OPTION_COOKIE if options.cookie.is_none() => options.cookie = Some(Presented::of(data)?),
                _ => {}
            }
        }
        Some(options)
    }
}

/// The owner of a record, whose pointers are not followed, and what comes after it.
fn split_owner(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        match *record.get(at)? {
            0 => return record.split_at_checked(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return record.split_at_checked(at + 2),
            _ => return None,
        }
    }
}
