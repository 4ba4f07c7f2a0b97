//! `catchment dns query`: asks one server one question, and says which site answered.

mod exchange;
mod json;
mod page;
mod server;
mod words;

use crate::arguments::DnsQuery;
use crate::outcome::{Outcome, bad_input};
use crate::terminal::Terminal;
use ::query::{Answer, Class, Cookie, EdnsQuery, Query, Question, printable};
use exchange::{Exchange, Failure, Received, Transport};
use std::io::Write;
use std::net::SocketAddr;
use terms::{DomainName, RecordType};

/// What there is to show.
struct Seen<'s> {
    server: SocketAddr,
    question: &'s Question,
    /// The cookie that went out, if one did.
    cookie: Option<&'s Cookie>,
    received: Received,
    site: Option<Site>,
}

/// The name of a site, and how it was told.
struct Site {
    /// Printable ASCII.
    name: String,
    source: SiteSource,
}

/// Where a site tells its name.
#[derive(Clone, Copy)]
enum SiteSource {
    /// In the answer (RFC 5001).
    Nsid,
    /// In an answer to another query (RFC 4892), which may have met another site.
    IdServer,
}

pub(crate) fn run(arguments: &DnsQuery, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let (server, query) = match prepare(arguments) {
        Ok(prepared) => prepared,
        Err(fault) => return Ok(bad_input(fault)),
    };
    let transport = if arguments.tcp { Transport::Tcp } else { Transport::Udp };
    let exchange = Exchange { server, transport, patience: arguments.timeout, tries: arguments.tries };
    let received = exchange.ask(&query)?;
    let mut site = nsid(&received.answer);
    if site.is_none() && arguments.site {
        site = id_server(&exchange, &query)?;
    }
    let outcome = if received.answer.is_definite() { Outcome::Yes } else { Outcome::No };
    let seen = Seen { server, question: &query.question, cookie: query.cookie(), received, site };
    match arguments.json {
        true => terminal.json(&json::document(&seen))?,
        false => {
            let page = page::render(&seen, terminal.paint());
            terminal.write_all(page.as_bytes())?;
        }
    }
    Ok(outcome)
}

/// Whom to ask, and the query; or what is wrong with what was written.
fn prepare(arguments: &DnsQuery) -> Result<(SocketAddr, Query), String> {
    let words::Asked { server, question } = words::read(arguments)?;
    let (port, family) = (arguments.port, arguments.family());
    let address = match &server {
        Some(server) => server::named(server, port, family)?,
        None => server::of_this_machine(port, family)?,
    };
    // Who is asked for by name has the data; this machine's resolver has to look for it.
    let recursion_desired = arguments.recursion().unwrap_or(server.is_none());
    let edns = match arguments.no_edns {
        true => None,
        false => Some(EdnsQuery {
            dnssec_ok: arguments.dnssec,
            nsid: !arguments.no_nsid,
            cookie: if arguments.no_cookie { None } else { Some(random_cookie()?) },
        }),
    };
    Ok((address, Query { question, recursion_desired, edns }))
}

fn random_cookie() -> Result<Cookie, String> {
    let mut client = [0; Cookie::CLIENT];
    getrandom::fill(&mut client).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(Cookie::new(client))
}

fn nsid(answer: &Answer) -> Option<Site> {
    let nsid = answer.edns.as_ref()?.nsid.as_ref().filter(|nsid| !nsid.is_empty())?;
    Some(Site { name: printable(nsid), source: SiteSource::Nsid })
}

/// Asks the same server for `id.server`; none where it does not say.
fn id_server(exchange: &Exchange, query: &Query) -> Result<Option<Site>, Failure> {
    let Ok(name) = DomainName::from_wire(b"\x02id\x06server\0") else { return Ok(None) };
    let question = Question { name, rtype: RecordType::TXT, class: Class::CHAOS };
    let received = exchange.ask(&Query { question, recursion_desired: false, ..query.clone() })?;
    let site = |name: &str| Site { name: name.to_owned(), source: SiteSource::IdServer };
    Ok(received.answer.text().map(site))
}
