//! `[[service.check]]`: what is asked, how often, and what counts as a failure.

use crate::planned;
use check::dns::Expectation;
use document::{Spanned, Table};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::RecordType;

/// The port of DNS (RFC 1035 section 4.2).
pub(crate) const DNS_PORT: u16 = 53;

/// A check as it is written, for every address of its service.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) expectation: Spanned<Expectation>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) fall: NonZeroU32,
    pub(crate) rise: NonZeroU32,
    pub(crate) hang_after: Duration,
}

impl Check {
    /// What tells it apart from other checks of its service.
    pub(crate) fn name(&self) -> String {
        format!("dns {} {}", self.expectation.name, self.expectation.qtype)
    }
}

/// Other protocols, by the key that will ask in them.
const PLANNED_KINDS: [&str; 6] = ["http", "tcp", "icmp", "tls", "exec", "file"];

const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
const MOST_RUNS: u32 = 1000;

const HANG_AFTER: Duration = Duration::from_secs(1);
/// How long silence may last, by the name of the profile: a pause of less than a second is usually no outage.
const PROFILES: [(&str, Duration); 2] = [("normal", HANG_AFTER), ("fast", Duration::from_millis(300))];

pub(crate) fn read(table: &Table) -> Option<Check> {
    let is_planned = planned::refuse(table, &PLANNED_KINDS);
    local_scope_only(table);
    let dns = table.optional("dns");
    if !dns.is_given() && !is_planned && table.document().syntax_is_good() {
        let hint = "add dns = { name = \"example.\", type = \"SOA\" }";
        table.document().fault_with_hint(table.span(), "the check does not say what to ask", hint);
    }
    let expectation = dns.table().and_then(|dns| expectation(&dns));
    let times = SHORTEST_INTERVAL..=LONGEST_INTERVAL;
    let interval = table.optional("interval").duration_in(times.clone());
    let timeout = table.optional("timeout").duration_in(Duration::from_millis(1)..=LONGEST_INTERVAL);
    let fall = table.optional("fall").number_in(1..=MOST_RUNS);
    let rise = table.optional("rise").number_in(1..=MOST_RUNS);
    let profile = table.optional("profile").one_of(&PROFILES);
    let hang_after = table.optional("hang_after").duration_in(times);
    let interval = interval.map_or(Duration::from_millis(100), |interval| interval.value);
    if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value > interval) {
        let message = format!("the timeout {:?} is longer than the interval {interval:?}", timeout.value);
        let hint = "a run must end before the next begins";
        table.document().fault_with_hint(timeout.span.clone(), message, hint);
    }
    Some(Check {
        expectation: expectation?,
        interval,
        // The default of 80 ms belongs to the default interval; a shorter interval keeps the ratio.
        timeout: timeout.map_or(interval.min(Duration::from_millis(100)) * 4 / 5, |timeout| timeout.value),
        fall: NonZeroU32::new(fall.map_or(2, |fall| fall.value))?,
        rise: NonZeroU32::new(rise.map_or(3, |rise| rise.value))?,
        hang_after: hang_after.or(profile).map_or(HANG_AFTER, |hang_after| hang_after.value),
    })
}

fn expectation(dns: &Table) -> Option<Spanned<Expectation>> {
    let name = dns.required("name").parse();
    let qtype = dns.optional("type").parse::<RecordType>();
    let qtype = qtype.map_or(RecordType::SOA, |qtype| qtype.value);
    let (name, span) = name.map(|name| (name.value, name.span))?;
    Some(Spanned { value: Expectation { name, qtype }, span })
}

/// A check of something that sites share must never withdraw, which takes an output that is planned.
fn local_scope_only(table: &Table) {
    let scope = table.optional("scope").one_of(&[("local", Scope::Local), ("dependency", Scope::Dependency)]);
    if let Some(written) = scope.filter(|scope| scope.value == Scope::Dependency) {
        let message = planned::message("scope = \"dependency\"");
        let hint = "any other check may withdraw, so check only what belongs to this site alone";
        table.document().fault_with_hint(written.span, message, hint);
    }
}

/// Whom the checked thing belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Local,
    Dependency,
}
