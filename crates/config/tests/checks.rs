//! Every kind of check: what a good file makes of it, and how a bad one is told.

use config::{Issuers, Question, SiteFile, parse};
use document::Faults;
use std::path::Path;
use std::time::Duration;

fn read(text: &str) -> Result<SiteFile, Faults> {
    parse("site.toml", text, Path::new("tests"))
}

#[test]
fn a_check_is_run_through_each_address_that_it_asks() {
    let file = read(include_str!("checks.toml")).unwrap();
    let [group] = &file.groups[..] else { panic!("{:?}", file.groups) };
    let row = |(settings, probe): (&announce::CheckSettings, &config::Probe)| {
        let way = match &probe.question {
            Question::Dns { way, .. }
            | Question::Http { way, .. }
            | Question::Tcp { way, .. }
            | Question::Tls { way, .. }
            | Question::Icmp { way } => format!("from {:?} to {}", way.from, way.to),
            Question::Exec { address, .. } => format!("about {address}"),
            Question::File { path, .. } => format!("at {}", path.display()),
            Question::Clock { server, .. } => format!("to {server}"),
            Question::Passive { bad, .. } => format!("{bad:?}"),
            Question::Zones(expectation) => format!("{expectation:?}"),
        };
        let (interval, timeout, scope) = (settings.interval, probe.timeout, settings.scope);
        format!("{}: {way}; {interval:?}, {timeout:?}, {scope:?}\n", settings.name)
    };
    let rows: String = group.settings.checks.iter().zip(&group.probes).map(row).collect();
    insta::assert_snapshot!(rows);
    assert_eq!(file.services[0].capacity, Some(100_000));
}

#[test]
fn trust_is_what_the_file_says() {
    let file = read(include_str!("checks.toml")).unwrap();
    let certificates = file.groups[0].probes.iter().filter_map(|probe| match &probe.question {
        Question::Http { tls: Some(certificate), .. } | Question::Tls { tls: certificate, .. } => {
            Some(certificate)
        }
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    assert_eq!(certificates[0].issuers, Issuers::Anybody);
    assert_eq!(certificates[0].expectation.name.to_string(), "www.example.com");
    assert_eq!(certificates[0].expectation.valid_for, Duration::from_secs(86_400));
    let Issuers::These(authorities) = &certificates[2].issuers else { panic!("{:?}", certificates[2]) };
    assert_eq!(authorities.len(), 1);
    assert!(authorities[0].starts_with(&[0x30]), "DER");
}

#[test]
fn every_fault_of_every_kind_is_told_at_once() {
    insta::assert_snapshot!(read(include_str!("bad_checks.toml")).unwrap_err().to_string());
}

#[test]
fn a_service_whose_checks_are_all_shared_is_watched_by_nobody() {
    let text =
        include_str!("checks.toml").replace("[[service.check]]", "[[service.check]]\nscope = \"dependency\"");
    let text = text.replace("scope = \"dependency\"\n[[", "[[");
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults}");
    assert!(faults.to_string().contains("no check is local"), "{faults}");
}
