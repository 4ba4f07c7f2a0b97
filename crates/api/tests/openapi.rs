//! The OpenAPI document that is checked in is the one that the types make, and holds together.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use serde_json::Value;
use std::collections::BTreeSet;

const CHECKED_IN: &str = include_str!("../../../docs/reference/openapi.json");
const ROUTES: &str = include_str!("../src/route.rs");

fn document() -> Value {
    serde_json::to_value(api::openapi::document()).unwrap()
}

#[test]
fn the_document_that_is_checked_in_is_the_one_that_the_types_make() {
    let checked_in: Value = serde_json::from_str(CHECKED_IN).unwrap();
    let now = document();
    assert!(checked_in == now, "run `cargo run -p api --example openapi > docs/reference/openapi.json`");
}

/// The routes of the lab are not those of a site.
const OF_A_LAB: [&str; 2] = ["/nodes", "/command"];

#[test]
fn every_route_of_a_site_is_described() {
    let routes = ROUTES.lines().filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1));
    let routes: BTreeSet<&str> = routes.filter(|route| !OF_A_LAB.contains(route)).collect();
    let document = document();
    let described = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(routes, described);
}

/// Every `$ref` in a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(keys) => {
            found.extend(keys.get("$ref").and_then(Value::as_str));
            keys.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_type_that_is_named_is_described_and_the_other_way_round() {
    let document = document();
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    let described = document["components"]["schemas"].as_object().unwrap().keys();
    let described: Vec<String> = described.map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(named, described.iter().map(String::as_str).collect());
}

/// Every word of every enumeration in a value.
fn enumerated<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(keys) => {
            let words = keys.get("enum").and_then(Value::as_array);
            found.extend(words.into_iter().flatten().filter_map(Value::as_str));
            keys.values().for_each(|inner| enumerated(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| enumerated(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn words_are_described_as_they_are_sent() {
    let document = document();
    let mut words = BTreeSet::new();
    enumerated(&document, &mut words);
    let sent = api::GroupState::Suspect.word();
    assert!(words.contains(sent), "{sent} is not among {words:?}");
    let rusty: Vec<_> = words.iter().filter(|word| word.contains(|c: char| c.is_uppercase())).collect();
    assert!(rusty.is_empty(), "JSON has lower case, the document has {rusty:?}");
}
