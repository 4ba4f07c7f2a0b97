//! What `dnstap` says about the built-in DNS service; each mistake with its line and hint.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use config::{DnstapOutput, SiteFile, parse};
use document::Faults;
use std::path::Path;

const HEAD: &str = "[site]\nname = 'london'\nasn = 64501\nrouter_id = '10.1.0.10'\n\
    [[peer]]\nname = 'transit'\naddress = '10.1.0.1'\nasn = 64500\n\
    [[service]]\nname = 'dns'\naddresses = ['198.18.0.53']\nannounce = ['198.18.0.0/24']\n\
    [[service.check]]\ndns = { name = 'example.' }\n[service.dns]\nzones = ['zones/example.zone']\n";

fn with(dnstap: &str) -> Result<SiteFile, Faults> {
    parse("site.toml", &format!("{HEAD}{dnstap}\n"), Path::new("tests"))
}

fn output(dnstap: &str) -> Option<DnstapOutput> {
    with(dnstap).unwrap().services[0].dns.as_ref().unwrap().dnstap.clone()
}

#[test]
fn nobody_is_told_unless_the_file_says_so() {
    assert_eq!(output(""), None);
    let socket = DnstapOutput::Socket("/run/dnstap.sock".into());
    assert_eq!(output("dnstap = { socket = '/run/dnstap.sock' }"), Some(socket));
    let file = DnstapOutput::File("tests/told.fstrm".into());
    assert_eq!(output("dnstap = { file = 'told.fstrm' }"), Some(file), "beside the site file");
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let long = format!("dnstap = {{ socket = '/run/{}' }}", "x".repeat(103));
    let wrong = [
        "dnstap = {}",
        "dnstap = { socket = 'a', file = 'b' }",
        "dnstap = { scoket = 'a' }",
        "dnstap = true",
        &long,
    ];
    let told: Vec<String> = wrong.map(|wrong| with(wrong).unwrap_err().to_string()).into();
    insta::assert_snapshot!(told.join("\n"));
}
