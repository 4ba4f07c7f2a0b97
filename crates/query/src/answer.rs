//! What an answer says.

use crate::edns::Edns;
use crate::records::{self, Malformed, Record, Section};
use domain::base::Message;
use domain::base::header::Header;
use domain::base::iana::{OptRcode, Rtype};
use domain::base::opt::{Opt, OptRecord};

/// An answer that fits the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its id, which is the query's.
    pub id: u16,
    /// The response code, with the part of it that EDNS carries (RFC 6891 section 6.1.3).
    code: OptRcode,
    /// The flags.
    pub flags: Flags,
    /// What answers the question.
    pub answer: Vec<Record>,
    /// Who is responsible, or proof that nothing is there.
    pub authority: Vec<Record>,
    /// What else may help, without EDNS.
    pub additional: Vec<Record>,
    /// EDNS, where the server knows it.
    pub edns: Option<Edns>,
}

/// The flags of a header (RFC 1035 section 4.1.1, RFC 4035 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// The server is responsible for the name (AA).
    pub authoritative: bool,
    /// There was not room for everything (TC).
    pub truncated: bool,
    /// The query asked for recursion (RD).
    pub recursion_desired: bool,
    /// The server would recurse (RA).
    pub recursion_available: bool,
    /// The server has validated the data (AD).
    pub authentic: bool,
    /// The query asked for data that is not validated (CD).
    pub checking_disabled: bool,
}

impl Flags {
    fn of(header: Header) -> Flags {
        Flags {
            authoritative: header.aa(),
            truncated: header.tc(),
            recursion_desired: header.rd(),
            recursion_available: header.ra(),
            authentic: header.ad(),
            checking_disabled: header.cd(),
        }
    }

    /// Those that are set, by the letters that operators know them by.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (self.authoritative, "aa"),
            (self.truncated, "tc"),
            (self.recursion_desired, "rd"),
            (self.recursion_available, "ra"),
            (self.authentic, "ad"),
            (self.checking_disabled, "cd"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
    }
}

impl Answer {
    /// Reads a message whose header and question fit.
    pub(crate) fn read(message: &Message<[u8]>) -> Result<Answer, Malformed> {
        let header = message.header();
        let unread = |section| move |error| Malformed::new(section, 1, error);
        let answers = message.answer().map_err(unread(Section::Answer))?;
        let mut answer = Answer {
            id: header.id(),
            code: OptRcode::from_parts(header.rcode(), 0),
            flags: Flags::of(header),
            answer: plain(Section::Answer, answers)?,
            authority: Vec::new(),
            additional: Vec::new(),
            edns: None,
        };
        let authorities = message.authority().map_err(unread(Section::Authority))?;
        answer.authority = plain(Section::Authority, authorities)?;
        let additional = message.additional().map_err(unread(Section::Additional))?;
        records::each(Section::Additional, additional, |record| {
            if record.rtype() != Rtype::OPT {
                answer.additional.push(records::read(&record)?);
                return Ok(());
            }
            let opt = record.to_record::<Opt<&[u8]>>().map_err(|error| format!("OPT: {error}"))?;
            let opt = OptRecord::from_record(opt.ok_or("OPT: it is none")?);
            answer.code = opt.rcode(header);
            match answer.edns.replace(Edns::read(&opt)?) {
                None => Ok(()),
                Some(_) => Err("a second OPT record (RFC 6891 section 6.1.1)".to_owned()),
            }
        })?;
        Ok(answer)
    }

    /// The response code by its registered name, or its number such as `RCODE11`.
    pub fn code(&self) -> String {
        let name = self.code.to_mnemonic_str();
        name.map_or_else(|| format!("RCODE{}", self.code.to_int()), str::to_owned)
    }

    /// Whether the server spoke from what it knows: there is such a name, or there is none.
    pub fn is_definite(&self) -> bool {
        matches!(self.code, OptRcode::NOERROR | OptRcode::NXDOMAIN)
    }

    /// Whether the server wants to see its cookie before it answers (BADCOOKIE, RFC 7873 section 5.2.3).
    pub fn wants_cookie(&self) -> bool {
        self.code == OptRcode::BADCOOKIE
    }

    /// The text of the first TXT record of the answer, without its quotes but with its escapes: for a record of one
    /// text, as `id.server` has it (RFC 4892 section 2).
    pub fn text(&self) -> Option<&str> {
        let record = self.answer.iter().find(|record| record.rtype == terms::RecordType::TXT)?;
        record.data.strip_prefix('"')?.strip_suffix('"')
    }
}

fn plain(
    section: Section,
    wire: domain::base::message::RecordSection<'_, [u8]>,
) -> Result<Vec<Record>, Malformed> {
    let mut read = Vec::new();
    records::each(section, wire, |record| {
        read.push(records::read(&record)?);
        Ok(())
    })?;
    Ok(read)
}
