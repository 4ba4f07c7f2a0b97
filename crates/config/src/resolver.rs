//! `[service.resolver]`: a resolver that is brought along, and whom it serves.

use crate::check::{Check, Kind};
use crate::unique::Unique;
use ::resolver::{KNOWN_NAME, Profile, Software};
use announce::Scope;
use document::{Document, Spanned, Table, Value};
use std::net::IpAddr;
use terms::{Family, Prefix, SiteName};

/// A resolver that answers at the addresses of a service.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// The program.
    pub software: Software,
    /// Who may ask.
    pub allow: Vec<Prefix>,
    /// Where its own questions come from, one address of each family at most.
    pub outgoing: Vec<IpAddr>,
}

impl Resolver {
    /// What the program is told, at this site and these addresses.
    pub fn configuration(&self, site: &SiteName, addresses: &[IpAddr]) -> String {
        let profile = Profile { site, addresses, allow: &self.allow, outgoing: &self.outgoing };
        profile.configuration(self.software)
    }
}

pub(crate) fn read(table: &Table, addresses: &[Spanned<IpAddr>]) -> Option<Resolver> {
    let document = table.document();
    let software = table.required("software").one_of(&Software::WORDS);
    let allow = allow(&table.required("allow"));
    let outgoing = outgoing(document, &table.optional("outgoing"), addresses);
    Some(Resolver { software: software?.value, allow: allow?, outgoing: outgoing? })
}

/// Every prefix; none where one is faulty.
fn allow(value: &Value) -> Option<Vec<Prefix>> {
    let allow = value.parse_list::<Prefix>();
    let mut once = Unique::new("prefix");
    allow.iter().for_each(|prefix| once.see(value.document(), prefix));
    if value.is_empty_list() {
        value.document().fault(value.span(), "a resolver that nobody may ask resolves nothing");
    }
    let is_whole = !allow.is_empty() && allow.len() == value.list().len();
    is_whole.then(|| allow.into_iter().map(|prefix| prefix.value).collect())
}

/// Every address; none where one is faulty.
fn outgoing(document: &Document, value: &Value, service: &[Spanned<IpAddr>]) -> Option<Vec<IpAddr>> {
    let outgoing = value.parse_list::<IpAddr>();
    let mut is_good = outgoing.len() == value.list().len();
    let mut families = Unique::new("outgoing family");
    for address in &outgoing {
        families.see(document, &Spanned { value: Family::of(address.value), span: address.span.clone() });
        if service.iter().any(|service| service.value == address.value) {
            let message = format!("{} is an address of the service", address.value);
            let hint =
                "answers to questions from it come to another site: name an address of this host alone";
            document.fault_with_hint(address.span.clone(), message, hint);
            is_good = false;
        }
    }
    is_good.then(|| outgoing.into_iter().map(|address| address.value).collect())
}

/// Whoever resolves for users is asked as they ask, and by a check that nobody else can fail.
pub(crate) fn refuse_without_check(document: &Document, value: &Value, checks: &[Check]) {
    let asks = |check: &Check| match &check.kind.value {
        Kind::Dns(dns) => check.scope == Scope::Local && dns.asks_service() && dns.expectation.recursive,
        _ => false,
    };
    if !checks.iter().any(asks) {
        let message = "no local check asks the resolver as its users do";
        let hint = format!(
            "add [[service.check]] with dns = {{ name = \"{KNOWN_NAME}\", type = \"TXT\", recursive = true }}"
        );
        document.fault_with_hint(value.key_span(), message, hint);
    }
}
