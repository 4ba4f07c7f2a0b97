//! The reference page names every key that is read.

use document::Faults;
use std::path::Path;

/// A file with an unknown key in each table: the hints list the known ones.
const UNKNOWN_EVERYWHERE: &str = "zzzzzzzz = 1\n[site]\nzzzzzzzz = 1\n[[peer]]\nzzzzzzzz = 1\ndeprefer = { zzzzzzzz = 1 }\nbfd = { zzzzzzzz = 1 }\nkeep_received = { zzzzzzzz = 1 }\ngraceful_restart = { zzzzzzzz = 1 }\nblackhole = { zzzzzzzz = 1 }\nmax_prefixes = { zzzzzzzz = 1 }\ntcp_ao = { zzzzzzzz = 1 }\n[[service]]\nzzzzzzzz = 1\n\
    [[service.check]]\nzzzzzzzz = 1\ndns = { zzzzzzzz = 1 }\n[[service.check]]\nhttp = { zzzzzzzz = 1 }\n[[service.check]]\ntcp = { zzzzzzzz = 1 }\n\
    [[service.check]]\ntls = { zzzzzzzz = 1 }\n[[service.check]]\nicmp = { zzzzzzzz = 1 }\n\
    [[service.check]]\nexec = { zzzzzzzz = 1 }\n[[service.check]]\nfile = { zzzzzzzz = 1 }\n\
    [[service.check]]\nclock = { zzzzzzzz = 1 }\n[[service.check]]\npassive = { zzzzzzzz = 1 }\n[service.dns]\nzzzzzzzz = 1\ntls = { zzzzzzzz = 1 }\n[[service.dns.key]]\nzzzzzzzz = 1\n[[service.dns.zone]]\nzzzzzzzz = 1\ncatalog = true\n[[service.dns.zone.members]]\nzzzzzzzz = 1\n[service.resolver]\nzzzzzzzz = 1\n[api]\nzzzzzzzz = 1\n[[bmp]]\nzzzzzzzz = 1\n\
    [fleet]\nzzzzzzzz = 1\n[continuity]\nzzzzzzzz = 1\nservices = { zzzzzzzz = 1 }\n[[group]]\nzzzzzzzz = 1\nbackoff = { zzzzzzzz = 1 }\n";

const PAGE: &str = include_str!("../../../docs/reference/site-file.md");
/// What the values of a check's kinds say has a page of its own.
const CHECKS: &str = include_str!("../../../docs/reference/checks.md");

fn known_keys(faults: &Faults) -> Vec<Vec<&str>> {
    let hints = faults.iter().filter_map(|(_, fault)| fault.hint.as_deref()?.strip_prefix("known here: "));
    hints.map(|keys| keys.split(", ").collect()).collect()
}

#[test]
fn every_key_stands_in_the_reference() {
    let faults = config::parse("site.toml", UNKNOWN_EVERYWHERE, Path::new("")).unwrap_err();
    let tables = known_keys(&faults);
    assert_eq!(tables.len(), 34, "{faults}");
    for key in tables.iter().flatten() {
        let words = [
            format!("`{key}`"),
            format!("[{key}]"),
            format!(".{key}]"),
            format!("{{ {key}"),
            format!(", {key} }}"),
        ];
        assert!(
            words.iter().any(|word| PAGE.contains(word) || CHECKS.contains(word)),
            "`{key}` is missing in docs/reference/site-file.md and checks.md"
        );
    }
}
