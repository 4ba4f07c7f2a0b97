//! The records of an answer, in the words of a zone file.

use crate::Class;
use crate::text::safe;
use domain::base::iana::{self, Rtype};
use domain::base::message::RecordSection;
use domain::base::name::{FlattenInto, Name, ParsedName};
use domain::base::rdata::UnknownRecordData;
use domain::base::wire::ParseError;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{ParsedRecord, Record as WireRecord};
use domain::rdata::AllRecordData;
use std::fmt::{self, Write};
use terms::{DomainName, RecordType};

/// Part of a message (RFC 1035 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What was asked.
    Question,
    /// What answers it.
    Answer,
    /// Who is responsible, or proof that nothing is there.
    Authority,
    /// What else may help.
    Additional,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Section::Question => "question",
            Section::Answer => "answer",
            Section::Authority => "authority",
            Section::Additional => "additional",
        })
    }
}

/// Where an answer to our query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is malformed: {section} section, record {record}: {fault}")]
pub struct Malformed {
    section: Section,
    /// Which record of the section, from 1.
    record: u16,
    fault: String,
}

impl Malformed {
    pub(crate) fn new(section: Section, record: u16, fault: impl fmt::Display) -> Self {
        Malformed { section, record, fault: fault.to_string() }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub owner: DomainName,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// Its class.
    pub class: Class,
    /// Its type.
    pub rtype: RecordType,
    /// Its data as a zone file has it, on one line of printable ASCII.
    pub data: String,
}

impl fmt::Display for Record {
    /// As a line of a zone file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { owner, ttl, class, rtype, data } = self;
        write!(f, "{owner}\t{ttl}\t{class}\t{rtype}\t{data}")
    }
}

type Wire<'m> = ParsedRecord<'m, [u8]>;

/// Hands every record of a section over, as far as it can be read at all.
pub(crate) fn each<'m>(
    section: Section,
    records: RecordSection<'m, [u8]>,
    mut take: impl FnMut(Wire<'m>) -> Result<(), String>,
) -> Result<(), Malformed> {
    for (index, record) in (1..).zip(records) {
        let record = record.map_err(|error| Malformed::new(section, index, error))?;
        take(record).map_err(|fault| Malformed::new(section, index, fault))?;
    }
    Ok(())
}

/// One record in words.
pub(crate) fn read(record: &Wire<'_>) -> Result<Record, String> {
    let owner: Name<Vec<u8>> = record.owner().flatten_into();
    let owner = DomainName::from_wire(owner.as_slice()).map_err(|error| error.to_string())?;
    let rtype = RecordType::new(record.rtype().to_int());
    let data = data(record).map_err(|error| format!("{owner} {rtype}: {error}"))?;
    let class = Class::new(record.class().to_int());
    Ok(Record { owner, ttl: record.ttl().as_secs(), class, rtype, data })
}

/// What stands in the data of a record of a class in which its type has another meaning, or none, is shown as octets.
fn data(record: &Wire<'_>) -> Result<String, ParseError> {
    let everywhere = [Rtype::NS, Rtype::CNAME, Rtype::SOA, Rtype::PTR, Rtype::TXT];
    match record.class() == iana::Class::IN || everywhere.contains(&record.rtype()) {
        true => {
            let known: WireRecord<_, AllRecordData<&[u8], ParsedName<&[u8]>>> = record.to_any_record()?;
            write_data(known.data())
        }
        false => {
            let octets = record.to_record::<UnknownRecordData<&[u8]>>()?;
            write_data(octets.ok_or(ParseError::ShortInput)?.data())
        }
    }
}

fn write_data(data: &impl ZonefileFmt) -> Result<String, ParseError> {
    let mut text = String::new();
    write!(text, "{}", data.display_zonefile(DisplayKind::Simple))
        .map_err(|_| ParseError::form_error("its data cannot be written as text"))?;
    Ok(safe(&text))
}
