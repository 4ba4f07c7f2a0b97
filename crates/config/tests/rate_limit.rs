//! What `rate_limit` and the check `zones` say about the built-in DNS service; each mistake with its line and hint.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use announce::Scope;
use config::{Question, SiteFile, parse};
use document::Faults;
use std::path::Path;
use std::time::Duration;

const HEAD: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'transit'\naddress = '10.1.0.1'\nasn = 64500\n\
    [[service]]\nname = 'dns'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n\
    [[service.check]]\ndns = { name = 'example.' }\n";

/// A site file whose DNS service says this.
fn with(dns: &str) -> Result<SiteFile, Faults> {
    let text = format!("{HEAD}{dns}\n");
    parse("site.toml", &text, Path::new("tests"))
}

fn limit(rate_limit: &str) -> Option<(u32, u32)> {
    let file = with(&format!("[service.dns]\nzones = ['zones/example.zone']\n{rate_limit}")).unwrap();
    let limit = file.services[0].dns.as_ref().unwrap().rate_limit?;
    Some((limit.per_second.get(), limit.slip))
}

#[test]
fn nobody_is_limited_unless_the_file_says_so() {
    assert_eq!(limit(""), None);
    assert_eq!(limit("rate_limit = {}"), Some((200, 1)));
    assert_eq!(limit("rate_limit = { per_second = 5 }"), Some((5, 1)));
    assert_eq!(limit("rate_limit = { per_second = 1000000, slip = 0 }"), Some((1_000_000, 0)));
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let wrong = "[[service.check]]\nzones = { signatures = 'soon' }\n\
                 [[service.check]]\nzones = {}\nscope = 'local'\n\
                 [service.dns]\nzones = ['zones/example.zone']\n\
                 rate_limit = { per_second = 0, slip = 101, burst = 7 }";
    insta::assert_snapshot!(with(wrong).unwrap_err().to_string());
}

/// The scope of the check of the zones, and how long signatures must be good for.
fn zones(check: &str) -> Vec<(Scope, Duration)> {
    let file = with(&format!("{check}[service.dns]\nzones = ['zones/example.zone']")).unwrap();
    let [group] = &file.groups[..] else { panic!("one group") };
    let checks = group.settings.checks.iter().zip(&group.probes);
    let of_zones = checks.filter_map(|(settings, probe)| match &probe.question {
        Question::Zones(expectation) => Some((settings.scope, expectation.signatures)),
        _ => None,
    });
    of_zones.collect()
}

#[test]
fn every_built_in_service_has_the_check_of_its_zones_once() {
    let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
    assert_eq!(zones(""), [(Scope::Dependency, day)]);
    let written = "[[service.check]]\nzones = { signatures = '1h' }\n";
    assert_eq!(zones(written), [(Scope::Dependency, hour)]);
    let foreign = with("[[service.check]]\nzones = {}\n").unwrap_err().to_string();
    assert!(foreign.contains("which this service does not have"), "{foreign}");
}
