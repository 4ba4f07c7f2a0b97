//! The places of the invented world, and how they are called.

use terms::{Asn, GeoPoint, find_city};

pub(crate) const SITES: [&str; 5] = ["London", "New York", "Sao Paulo", "Johannesburg", "Tokyo"];
pub(crate) const CLIENTS: [&str; 12] = [
    "Amsterdam",
    "Dubai",
    "Frankfurt",
    "Johannesburg",
    "London",
    "Mumbai",
    "New York",
    "San Jose",
    "Sao Paulo",
    "Singapore",
    "Sydney",
    "Tokyo",
];
pub(crate) const CABLES: [(&str, &str); 19] = [
    ("London", "New York"),
    ("London", "Amsterdam"),
    ("Amsterdam", "Frankfurt"),
    ("London", "Frankfurt"),
    ("Frankfurt", "Dubai"),
    ("Dubai", "Mumbai"),
    ("Mumbai", "Singapore"),
    ("Singapore", "Tokyo"),
    ("Singapore", "Sydney"),
    ("Tokyo", "San Jose"),
    ("Sydney", "San Jose"),
    ("San Jose", "New York"),
    ("New York", "Miami"),
    ("Miami", "Sao Paulo"),
    ("Sao Paulo", "Johannesburg"),
    ("Johannesburg", "Mumbai"),
    ("Johannesburg", "Lisbon"),
    ("Lisbon", "London"),
    ("Tokyo", "Seattle"),
];
/// Clients whose network prefers a customer's route, whatever the distance: who, the site, and the reason.
pub(crate) const POLICY: [(&str, &str, &str); 2] = [
    (
        "Amsterdam",
        "johannesburg",
        "PolderNet prefers its customer's route: local preference 200 over 100, AS path 64513 64503",
    ),
    (
        "Singapore",
        "newyork",
        "StraitsCom prefers a peer to its provider: local preference 150 over 100, AS path 64520 64502",
    ),
];
/// The city's name as a node has it.
pub(crate) fn name(city: &str) -> String {
    city.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

pub(crate) fn router(city: &str) -> String {
    format!("atlas-{}", name(city))
}

pub(crate) fn cable_name(cable: &(&str, &str)) -> String {
    format!("{}-{}", name(cable.0), name(cable.1))
}

pub(crate) fn place(city: &str) -> Result<GeoPoint, String> {
    find_city(city).map(|city| city.at).ok_or_else(|| format!("no city `{city}`"))
}

pub(crate) fn asn(number: u32) -> Option<Asn> {
    Asn::try_from(number).ok()
}
