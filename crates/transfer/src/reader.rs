//! The messages of a transfer, on their way in (RFC 5936 section 2.2, RFC 1995 section 4).
//!
//! ```text
//!   begin ──SOA──> first ──SOA of ours, IXFR──> removing ──SOA──> adding ──SOA──┐
//!                   │  │                           ^                 │          │ the newest
//!                   │  └──any other──> whole       └───not newest────┘          v
//!                   │                    └───────────────SOA──────────────────> end
//!                   └──nothing else, and it is ours──> the zone is current
//! ```
//! A record is judged when it is read and then handed out; nothing is kept but SOA records. So the memory that a
//! transfer takes is decided by whoever takes the records, who is told how much has come.

use crate::ask::judge_reply;
use crate::cursor::{CLASS_IN, Cursor, Row, TRUNCATED};
use terms::{Authority, DomainName, Record, RecordType};

/// What a record takes in memory beside its name and its data, about.
const RECORD: usize = 64;

/// Why a transfer is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The message cannot be read.
    #[error("a message cannot be read")]
    Malformed,
    /// It is the reply to something else.
    #[error("a message is no reply to ours")]
    NotTheReply,
    /// The server says that it cannot, or does not want to.
    #[error("the server answers {}", code_name(*.0))]
    Refused(u8),
    /// The server does not have the zone.
    #[error("the server answers, but does not have the zone")]
    NotAuthoritative,
    /// What comes is not the beginning of a zone.
    #[error("the transfer does not begin with the zone's SOA record")]
    NoBeginning,
    /// A record belongs to another zone.
    #[error("{0} is not in the zone")]
    Outside(DomainName),
    /// A record that no zone has.
    #[error("a record of type {0} or of another class, which no zone has")]
    NoZoneData(RecordType),
    /// The server has a version that is not newer than ours, nor the same (RFC 1982).
    #[error("the server has serial {theirs}, which is not newer than {ours}, the one here")]
    Older {
        /// Its serial number.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// The steps do not lead from the version that we have to the newest.
    #[error("the changes lead from serial {found} where {wanted} was due")]
    Gap {
        /// Where they should go on.
        wanted: u32,
        /// Where they do.
        found: u32,
    },
    /// Something follows the end.
    #[error("records follow the end of the transfer")]
    BeyondTheEnd,
    /// There is more than a zone may have here.
    #[error("the transfer takes more than {0} octets of memory")]
    TooLarge(usize),
    /// There is no record in so many messages.
    #[error("a message has no record")]
    Empty,
}

impl Fault {
    /// Refuses a version that is neither newer than ours nor the same: whoever is asked may lag behind.
    ///
    /// # Errors
    /// [`Fault::Older`].
    pub fn refuse_older(theirs: Authority, ours: Option<u32>) -> Result<(), Fault> {
        let theirs = theirs.serial;
        match ours {
            Some(ours) if ours != theirs && !Authority::is_newer(theirs, ours) => {
                Err(Fault::Older { theirs, ours })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A code of a reply, as people know it.
fn code_name(code: u8) -> String {
    match code {
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        9 => "NOTAUTH: it does not have the zone, or does not take the key".to_owned(),
        other => format!("code {other}"),
    }
}

/// What a transfer is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A record of the whole zone. The first is its SOA record.
    Whole(Record),
    /// A record that the zone has no more.
    Remove(Record),
    /// A record that the zone has from now on.
    Add(Record),
}

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to come.
    More,
    /// The server has the version that we have.
    Current,
    /// All of the zone has come.
    Whole(Authority),
    /// All changes have come.
    Changed(Authority),
}

/// A transfer under way.
#[derive(Clone, Debug)]
pub struct Reader {
    zone: DomainName,
    id: u16,
    /// The version that we have, if its changes were asked for.
    since: Option<u32>,
    most: usize,
    /// What its records take so far.
    taken: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Begin,
    /// The newest version.
    First(Record, Authority),
    Whole(Authority),
    Removing {
        newest: Authority,
        from: u32,
    },
    Adding {
        newest: Authority,
        to: u32,
    },
    End(Progress),
}

impl Reader {
    /// Waits for the reply to the message with this number: all of a zone, or its changes since a serial number. Its
    /// records may take `most` octets of memory: names are short in messages and long when they are kept.
    pub fn new(zone: DomainName, id: u16, since: Option<u32>, most: usize) -> Reader {
        Reader { zone, id, since, most, taken: 0, state: State::Begin }
    }

    /// Reads the next message; its pieces are given to `take`, in their order.
    ///
    /// # Errors
    /// The transfer is of no use, with all that was taken of it.
    pub fn read(&mut self, message: &[u8], mut take: impl FnMut(Piece)) -> Result<Progress, Fault> {
        judge_reply(message, self.id, 0)?;
        let (counts, mut cursor) = Cursor::of(message).ok_or(Fault::Malformed)?;
        if message[2] & TRUNCATED != 0 {
            return Err(Fault::Malformed);
        }
        for _ in 0..counts.questions {
            let asked = cursor.question().ok_or(Fault::Malformed)?;
            if asked.name != self.zone {
                return Err(Fault::NotTheReply);
            }
        }
        if counts.answers == 0 {
            return Err(Fault::Empty);
        }
        for _ in 0..counts.answers {
            let row = cursor.record().ok_or(Fault::Malformed)?;
            let record = self.judge(row)?;
            self.taken += RECORD + record.owner.as_wire().len() + record.data.len();
            if self.taken > self.most {
                return Err(Fault::TooLarge(self.most));
            }
            self.state =
                std::mem::replace(&mut self.state, State::Begin).next(record, self.since, &mut take)?;
        }
        Ok(self.progress())
    }

    fn judge(&self, Row { record, class }: Row) -> Result<Record, Fault> {
        if !record.kind.is_data() || class != CLASS_IN {
            return Err(Fault::NoZoneData(record.kind));
        }
        if !record.owner.is_within(&self.zone) {
            return Err(Fault::Outside(record.owner));
        }
        if record.kind == RecordType::SOA && record.owner != self.zone {
            return Err(Fault::Outside(record.owner));
        }
        Ok(record)
    }

    fn progress(&self) -> Progress {
        match (&self.state, self.since) {
            (State::End(progress), _) => *progress,
            // One SOA record alone says that there is nothing newer (RFC 1995 section 4).
            (State::First(_, newest), Some(ours)) if newest.serial == ours => Progress::Current,
            _ => Progress::More,
        }
    }
}

impl State {
    fn next(self, record: Record, since: Option<u32>, take: &mut impl FnMut(Piece)) -> Result<State, Fault> {
        let soa = match record.kind {
            RecordType::SOA => Some(Authority::of(&record.data).ok_or(Fault::Malformed)?),
            _ => None,
        };
        Ok(match (self, soa) {
            (State::Begin, None) => return Err(Fault::NoBeginning),
            (State::Begin, Some(newest)) => {
                Fault::refuse_older(newest, since)?;
                State::First(record, newest)
            }
            // A whole zone is the reply to either question (RFC 1995 section 4).
            (State::First(first, newest), None) => {
                take(Piece::Whole(first));
                take(Piece::Whole(record));
                State::Whole(newest)
            }
            (State::First(first, newest), Some(soa)) => match since {
                Some(ours) if soa.serial != newest.serial => {
                    if soa.serial != ours {
                        return Err(Fault::Gap { wanted: ours, found: soa.serial });
                    }
                    take(Piece::Remove(record));
                    State::Removing { newest, from: soa.serial }
                }
                // A zone that is nothing but its SOA record.
                _ => {
                    take(Piece::Whole(first));
                    State::Whole(newest).next(record, since, take)?
                }
            },
            (State::Whole(newest), None) => {
                take(Piece::Whole(record));
                State::Whole(newest)
            }
            (State::Whole(newest), Some(soa)) if soa.serial == newest.serial => {
                State::End(Progress::Whole(newest))
            }
            (State::Whole(newest), Some(soa)) => {
                return Err(Fault::Gap { wanted: newest.serial, found: soa.serial });
            }
            (State::Removing { newest, from }, None) => {
                take(Piece::Remove(record));
                State::Removing { newest, from }
            }
            (State::Removing { newest, from }, Some(soa)) => {
                if !Authority::is_newer(soa.serial, from) {
                    return Err(Fault::Gap { wanted: newest.serial, found: soa.serial });
                }
                take(Piece::Add(record));
                State::Adding { newest, to: soa.serial }
            }
            (State::Adding { newest, to }, None) => {
                take(Piece::Add(record));
                State::Adding { newest, to }
            }
            (State::Adding { to, .. }, Some(soa)) if soa.serial != to => {
                return Err(Fault::Gap { wanted: to, found: soa.serial });
            }
            (State::Adding { newest, to }, Some(_)) if to == newest.serial => {
                State::End(Progress::Changed(newest))
            }
            (State::Adding { newest, to }, Some(_)) => {
                take(Piece::Remove(record));
                State::Removing { newest, from: to }
            }
            (State::End(_), _) => return Err(Fault::BeyondTheEnd),
        })
    }
}
