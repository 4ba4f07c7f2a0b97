//! The answer for programs.

use super::exchange::Transport;
use super::{Seen, SiteSource};
use api::Schema;
use query::{Answer, Cookie, Edns, Record, hexadecimal, printable};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use terms::{DomainName, RecordType};

/// Everything that `catchment dns query --json` says. Texts are printable ASCII, with escapes as in a zone file.
#[derive(Serialize)]
pub(super) struct Document {
    schema: Schema,
    server: SocketAddr,
    /// `udp` or `tcp`.
    transport: &'static str,
    milliseconds: f64,
    /// Which site answered, if one named itself.
    site: Option<String>,
    /// `nsid` or `id.server`.
    site_from: Option<&'static str>,
    id: u16,
    rcode: String,
    flags: Vec<&'static str>,
    question: AskedRow,
    answer: Vec<RecordRow>,
    authority: Vec<RecordRow>,
    additional: Vec<RecordRow>,
    edns: Option<EdnsRow>,
    /// What arrived and was no answer to the query, by reason.
    ignored: BTreeMap<String, u32>,
}

#[derive(Serialize)]
struct AskedRow {
    name: DomainName,
    class: String,
    r#type: RecordType,
}

#[derive(Serialize)]
struct RecordRow {
    name: DomainName,
    ttl: u32,
    class: String,
    r#type: RecordType,
    data: String,
}

#[derive(Serialize)]
struct EdnsRow {
    version: u8,
    payload: u16,
    dnssec_ok: bool,
    nsid: Option<NsidRow>,
    cookie: Option<CookieRow>,
    errors: Vec<ErrorRow>,
    options: Vec<OptionRow>,
}

#[derive(Serialize)]
struct NsidRow {
    text: String,
    hex: String,
}

/// In hexadecimal.
#[derive(Serialize)]
struct CookieRow {
    client: String,
    /// Whether the client's part is the one that was sent.
    echoed: bool,
    server: String,
}

#[derive(Serialize)]
struct ErrorRow {
    code: u16,
    name: Option<&'static str>,
    text: String,
}

#[derive(Serialize)]
struct OptionRow {
    code: u16,
    hex: String,
}

/// The document of an answer.
pub(super) fn document(seen: &Seen<'_>) -> Document {
    let received = &seen.received;
    let Answer { id, flags, answer, authority, additional, edns, .. } = &received.answer;
    Document {
        schema: Schema,
        server: seen.server,
        transport: match received.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        },
        milliseconds: received.round_trip.as_secs_f64() * 1000.0,
        site: seen.site.as_ref().map(|site| site.name.clone()),
        site_from: seen.site.as_ref().map(|site| match site.source {
            SiteSource::Nsid => "nsid",
            SiteSource::IdServer => "id.server",
        }),
        id: *id,
        rcode: received.answer.code(),
        flags: flags.names().collect(),
        question: AskedRow {
            name: seen.question.name.clone(),
            class: seen.question.class.to_string(),
            r#type: seen.question.rtype,
        },
        answer: answer.iter().map(record).collect(),
        authority: authority.iter().map(record).collect(),
        additional: additional.iter().map(record).collect(),
        edns: edns.as_ref().map(|edns| edns_row(edns, seen.cookie)),
        ignored: received.ignored.0.iter().map(|(misfit, times)| (misfit.to_string(), *times)).collect(),
    }
}

fn record(record: &Record) -> RecordRow {
    let Record { owner, ttl, class, rtype, data } = record;
    RecordRow { name: owner.clone(), ttl: *ttl, class: class.to_string(), r#type: *rtype, data: data.clone() }
}

fn edns_row(edns: &Edns, ours: Option<&Cookie>) -> EdnsRow {
    let cookie = |theirs: &Vec<u8>| {
        let (client, server) = theirs.split_at(theirs.len().min(Cookie::CLIENT));
        let echoed = ours.is_some_and(|ours| ours.client() == client);
        CookieRow { client: hexadecimal(client), echoed, server: hexadecimal(server) }
    };
    let error = |error: &query::ExtendedError| ErrorRow {
        code: error.code,
        name: error.name(),
        text: error.text.clone(),
    };
    EdnsRow {
        version: edns.version,
        payload: edns.payload,
        dnssec_ok: edns.dnssec_ok,
        nsid: edns.nsid.as_ref().map(|nsid| NsidRow { text: printable(nsid), hex: hexadecimal(nsid) }),
        cookie: edns.cookie.as_ref().map(cookie),
        errors: edns.errors.iter().map(error).collect(),
        options: edns
            .others
            .iter()
            .map(|(code, data)| OptionRow { code: *code, hex: hexadecimal(data) })
            .collect(),
    }
}
