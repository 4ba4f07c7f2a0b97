//! The metrics of a running daemon are those of the reference, and whatever the examples ask for is there.

use crate::world::{World, until};
use std::collections::{BTreeMap, BTreeSet};

const REFERENCE: &str = include_str!("../../../../docs/reference/metrics.md");
const DASHBOARD: &str = include_str!("../../../../examples/grafana/catchment.json");
const ALERTS: &str = include_str!("../../../../examples/alerts.yml");

/// What is said about one metric: type, labels, meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
    meaning: String,
}

/// The metrics of an OpenMetrics text.
fn told(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics = BTreeMap::<String, Metric>::new();
    for line in text.lines() {
        if let Some((name, meaning)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.entry(name.to_owned()).or_default().meaning = meaning.trim_end_matches('.').to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            metrics.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((sample, labels)) = line.split_once('{') {
            let name = metrics.keys().filter(|name| sample.starts_with(*name)).max_by_key(|name| name.len());
            let name = name.unwrap_or_else(|| panic!("{line} has no type")).clone();
            let labels = labels.split_once('}').unwrap().0.split("\",");
            let labels = labels.map(|label| label.split_once('=').unwrap().0.to_owned());
            metrics.entry(name).or_default().labels.extend(labels.filter(|label| label != "le"));
        }
    }
    metrics
}

/// The metrics of the reference, and those of them that are not always there.
fn promised() -> (BTreeMap<String, Metric>, BTreeSet<String>) {
    let (mut metrics, mut sometimes) = (BTreeMap::new(), BTreeSet::new());
    for row in REFERENCE.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cells: Vec<&str> = row.strip_suffix(" |").unwrap().split(" | ").collect();
        let [name, kind, labels, meaning, only_where] = cells[..] else { panic!("{row}") };
        let name = name.trim_end_matches('`').to_owned();
        if !only_where.trim().is_empty() {
            sometimes.insert(name.clone());
        }
        let labels = labels.split(", ").map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        metrics.insert(name, Metric { kind: kind.to_owned(), labels, meaning: meaning.to_owned() });
    }
    (metrics, sometimes)
}

/// The row of the reference that would be right.
fn row(name: &str, Metric { kind, labels, meaning }: &Metric) -> String {
    let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{name}` | {kind} | {} | {meaning} |  |", labels.join(", "))
}

/// Every metric that a text mentions, by the name of its family.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| word.starts_with("catchment_"));
    let family = |word: &str| {
        let endings = ["_total", "_bucket", "_count", "_sum"];
        endings.iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word).to_owned()
    };
    metrics.map(family).collect()
}

#[test]
fn the_metrics_are_those_of_the_reference_and_of_the_examples() {
    let world = World::new();
    let _bird = world.bird();
    std::fs::write(world.path("example.zone"), crate::built_in_dns::zone(1)).unwrap();
    let _daemon = world.daemon_with("[api]", "[service.dns]\nzones = [\"example.zone\"]\n[api]");
    until("both prefixes are announced", || world.is_announced());
    let told = told(&world.get("/metrics").1);
    let (promised, sometimes) = promised();
    for (name, metric) in &told {
        let right = row(name, metric);
        let written =
            promised.get(name).unwrap_or_else(|| panic!("docs/reference/metrics.md lacks\n{right}"));
        assert_eq!(written, metric, "docs/reference/metrics.md should say\n{right}");
    }
    let missing = promised.keys().filter(|name| !told.contains_key(*name) && !sometimes.contains(*name));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new(), "promised and not told");

    for (file, text) in [("the dashboard", DASHBOARD), ("the alerts", ALERTS)] {
        let mentioned = mentioned(text);
        assert!(mentioned.len() >= 10, "{file}: {mentioned:?}");
        let unknown: Vec<_> = mentioned.iter().filter(|name| !promised.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    serde_json::from_str::<serde_json::Value>(DASHBOARD).unwrap();
}
