//! `http = { url = "https://www.example.com/health" }`

use super::target::Target;
use super::url::Url;
use super::{Question, ServerCertificate, tls};
use check::http::Expectation;
use document::{Spanned, Table};
use std::net::IpAddr;
use std::path::Path;

/// A request to a web server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    expectation: Expectation,
    target: Target,
    tls: Option<ServerCertificate>,
}

impl Http {
    pub(super) fn name(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme} {}{}", self.expectation.host, self.expectation.target)
    }

    pub(super) fn questions(&self, addresses: &[IpAddr]) -> Vec<(String, Question)> {
        let question =
            |way| Question::Http { way, tls: self.tls.clone(), expectation: self.expectation.clone() };
        self.target.ways(addresses).into_iter().map(|(called, way)| (called, question(way))).collect()
    }
}

pub(super) fn read(table: &Table, directory: &Path) -> Option<Http> {
    let url = table.required("url").parse::<Url>();
    let statuses = statuses(table);
    let contains = table.optional("contains").text();
    let server = url.as_ref().filter(|url| url.is_secure).map(|url| url.server.clone());
    let tls = match &url {
        Some(url) if !url.is_secure => {
            tls::refuse(table, "the url begins with http://");
            Some(None)
        }
        _ => tls::options(table, server, directory).map(Some),
    };
    let url = url.map(|Spanned { value, .. }| value);
    let usual = url.as_ref().map_or(0, Url::usual_port);
    let target = Target::with_port(table, url.as_ref().map_or(0, |url| url.port), usual);
    let Url { host, target: asked, .. } = url?;
    let contains = contains.map(|text| text.value.to_owned());
    let expectation = Expectation { host, target: asked, statuses: statuses?, contains };
    Some(Http { expectation, target: target?, tls: tls? })
}

/// The good statuses; none where one is faulty.
fn statuses(table: &Table) -> Option<Vec<u16>> {
    let value = table.optional("status");
    if value.is_empty_list() {
        value.document().fault(value.span(), "no status would be good, so this check could never pass");
    }
    if !value.is_given() {
        return Some(vec![200]);
    }
    let read: Vec<Option<u16>> =
        value.one_or_many().iter().map(|item| Some(item.number_in(100..=599)?.value)).collect();
    read.into_iter().collect::<Option<Vec<u16>>>().filter(|statuses| !statuses.is_empty())
}
