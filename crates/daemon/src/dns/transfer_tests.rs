//! Zones that come and go, with NSD and Knot at the other end, in a network namespace of their own.

mod aside;
mod between;
mod catalogs;
mod following;
mod keeping;
mod layers;
mod one_zone;
mod peers;
mod reading_again;
mod world;

use super::zone_keeping::{self, Views};
use super::*;
use crate::clock::Clock;
use crate::events::Bus;
use ::dns::{Zones, zone};
pub(super) use catalogs::member;
use config::{BuiltInDns, ZoneTransfers};
use peers::{Peer, SECRET};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;
use terms::{DomainName, SharedKey};
use transfer::{Algorithm, Held, Key, Keys, Policy};
use world::World;

pub(super) const SERVICE: &str = "198.18.0.53";
/// How long something that must happen may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// The zone of most tests. Names are many enough for several messages.
pub(super) fn zone_text(serial: u32, timers: &str) -> String {
    let mut text = format!(
        "$ORIGIN example.\n$TTL 60\n@ SOA ns1 Hostmaster {serial} {timers} 5\n NS NS1.Example.\nns1 A 198.18.0.53\n"
    );
    for n in 0..2000 {
        text += &format!("host{n} A 192.0.2.{}\n", n % 256);
    }
    text + &format!("v{serial} TXT \"only in version {serial}\"\n")
}

/// Nobody asks by itself during a test.
const PATIENT: &str = "3600 3600 86400";
/// Everybody asks every second.
const IMPATIENT: &str = "1 1 86400";

fn key(name: &str, secret: &str) -> Arc<Key> {
    use base64::Engine;
    let octets = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    Arc::new(Key::new(name.parse().unwrap(), Algorithm::HmacSha256, SharedKey::new(octets).unwrap()))
}

fn keys() -> Keys {
    Keys::from([(name("transfer."), key("transfer.", SECRET))])
}

fn server_at(address: SocketAddr) -> config::Server {
    config::Server { address, key: Some(key("transfer.", SECRET)) }
}

fn limits() -> Limits {
    let connections = 100.try_into().unwrap();
    Limits { connections, per_network: connections, idle: Duration::from_secs(3600) }
}

fn built_in(zones: Zones, transfers: Vec<ZoneTransfers>) -> BuiltInDns {
    let (zones, limits) = (Arc::new(zones), limits());
    BuiltInDns {
        files: Vec::new(),
        listen: Vec::new(),
        zones,
        limits,
        tls: None,
        rate_limit: None,
        dnstap: None,
        keys: keys(),
        transfers,
        catalogs: BTreeMap::new(),
    }
}

/// A catalog of so many zones, which come from this server.
pub(super) fn follower_of(server: SocketAddr, count: usize) -> BuiltInDns {
    let members: Vec<String> = (0..count).map(|n| format!("n{n} zone{n}.")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let catalog = zone::parse(&catalogs::listing(1, "2", &members)).unwrap();
    let mut settings = catalogs::settings(None);
    settings.members.primaries = vec![config::Server { address: server, key: None }];
    let catalogs = BTreeMap::from([(catalog.apex().clone(), settings)]);
    BuiltInDns { catalogs, ..built_in(Zones::new(vec![Arc::new(catalog)]).unwrap(), Vec::new()) }
}

/// Zones of ours from texts, that whoever has the key may have, and whom we tell of them.
pub(super) fn primary(texts: &[&str], notify: &[SocketAddr]) -> BuiltInDns {
    let zones: Vec<_> = texts.iter().map(|text| Arc::new(zone::parse(text).unwrap())).collect();
    let transfers = zones.iter().map(|zone| ZoneTransfers {
        zone: zone.apex().clone(),
        primaries: Vec::new(),
        allow: Policy { keys: vec![name("transfer.")], prefixes: Vec::new() },
        notify: notify.iter().copied().map(server_at).collect(),
    });
    let transfers = transfers.collect();
    built_in(Zones::new(zones).unwrap(), transfers)
}

/// `example.` from these servers.
pub(super) fn secondary(primaries: Vec<config::Server>) -> BuiltInDns {
    let zones = Zones::with_unavailable(Vec::new(), vec![name("example.")]).unwrap();
    let transfers = vec![ZoneTransfers {
        zone: name("example."),
        primaries,
        allow: Policy { keys: Vec::new(), prefixes: vec!["198.18.0.0/24".parse().unwrap()] },
        notify: Vec::new(),
    }];
    built_in(zones, transfers)
}
