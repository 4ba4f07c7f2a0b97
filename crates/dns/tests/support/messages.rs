//! Queries as tests write them, and replies as people read them. Replies are read by the `domain` crate, which shares
//! no code with ours on that path.

#[path = "asking.rs"]
mod asking;

#[allow(unused_imports, reason = "not every test names all of them")]
pub(crate) use asking::{Ask, AskEdns, ask};
use dns::{Arrival, Identity, Outcome, Secret, Secrets, Server, Transport, Zones};
use domain::base::iana::{OptRcode, OptionCode};
use domain::base::opt::AllOptData;
use domain::base::{Message, ParsedName, Record};
use domain::rdata::AllRecordData;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use terms::{Timestamp, WallTime};

/// Who asks in tests, when, and what cookies are made with.
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
pub(crate) const NOW: WallTime = WallTime(1_800_000_000_000);
pub(crate) const SECRETS: Secrets = Secrets { active: Secret([1; 16]), staging: None, previous: None };

/// The answer to a message of [`CLIENT`].
pub(crate) fn answer(
    zones: &Zones,
    identity: &Identity,
    message: &[u8],
    transport: Transport,
    out: &mut [u8],
) -> Outcome {
    let server = Server { zones, identity, secrets: &SECRETS };
    dns::answer(
        &server,
        None,
        &Arrival {
            message,
            client: CLIENT,
            transport,
            patience: None,
            reserved: 0,
            now: Timestamp::ZERO,
            wall: NOW,
        },
        out,
    )
}

type AnyRecord<'m> = Record<ParsedName<&'m [u8]>, AllRecordData<&'m [u8], ParsedName<&'m [u8]>>>;

/// What a reply says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Code with its extended half.
    pub(crate) code: String,
    /// Flags of the header, such as `qr aa`.
    pub(crate) flags: String,
    pub(crate) question: String,
    pub(crate) answer: Vec<String>,
    pub(crate) authority: Vec<String>,
    pub(crate) additional: Vec<String>,
    pub(crate) edns: Option<String>,
}

/// Reads a whole reply; an error when any part of it is malformed.
pub(crate) fn show(reply: &[u8]) -> Result<Shown, String> {
    let wrong = |what: &str| format!("{what} of {reply:02x?}");
    let message = Message::from_octets(reply).map_err(|_| wrong("header"))?;
    let (question, answer, authority, additional) = message.sections().map_err(|_| wrong("sections"))?;
    let mut asked = String::new();
    for question in question {
        let question = question.map_err(|_| wrong("question"))?;
        let _ = write!(asked, "{}. {} {}", question.qname(), question.qclass(), question.qtype());
    }
    let records = |section: domain::base::message::RecordSection<'_, &[u8]>| {
        let mut shown = Vec::new();
        for record in section.into_records::<AllRecordData<_, _>>() {
            let record: AnyRecord<'_> = record.map_err(|error| wrong(&format!("record ({error})")))?;
            if !matches!(record.data(), AllRecordData::Opt(_)) {
                shown.push(format!(
                    "{}. {} {} {} {}",
                    record.owner(),
                    record.ttl().as_secs(),
                    record.class(),
                    record.rtype(),
                    record.data()
                ));
            }
        }
        Ok::<_, String>(shown)
    };
    let header = message.header();
    let bits = [
        (header.qr(), "qr"),
        (header.aa(), "aa"),
        (header.tc(), "tc"),
        (header.rd(), "rd"),
        (header.ra(), "ra"),
        (header.z(), "z"),
        (header.ad(), "ad"),
        (header.cd(), "cd"),
    ];
    let flags: Vec<&str> = bits.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    let opt = message.opt();
    let code = opt.as_ref().map_or(OptRcode::from(header.rcode()), |opt| opt.rcode(header));
    let edns = opt.map(|opt| {
        let mut shown = format!("version {} payload {}", opt.version(), opt.udp_payload_size());
        if opt.dnssec_ok() {
            shown.push_str(" do");
        }
        for option in opt.opt().iter::<AllOptData<_, _>>() {
            match option.unwrap() {
                AllOptData::Nsid(nsid) => {
                    let _ = write!(shown, " nsid={}", String::from_utf8_lossy(nsid.as_slice()));
                }
                AllOptData::Cookie(cookie) => {
                    let _ = write!(shown, " cookie={cookie}");
                }
                AllOptData::ExtendedError(error) => {
                    let _ = write!(shown, " ede={}", error.code().to_int());
                }
                other => {
                    let _ = write!(
                        shown,
                        " option {}",
                        OptionCode::to_int(domain::base::opt::OptData::code(&other))
                    );
                }
            }
        }
        shown
    });
    Ok(Shown {
        code: code.to_string(),
        flags: flags.join(" "),
        question: asked,
        answer: records(answer)?,
        authority: records(authority)?,
        additional: records(additional)?,
        edns,
    })
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {} [{}] {}", self.code, self.flags, self.question)?;
        let sections =
            [("answer", &self.answer), ("authority", &self.authority), ("additional", &self.additional)];
        for (name, records) in sections {
            for record in records {
                writeln!(f, "  {name}: {record}")?;
            }
        }
        match &self.edns {
            Some(edns) => writeln!(f, "  edns: {edns}"),
            None => Ok(()),
        }
    }
}
