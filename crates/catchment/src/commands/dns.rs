//! `catchment dns`: is this a zone that the DNS service would serve, and its image; what a server answers; what a resolver
//! is told.

pub(super) mod query;
pub(super) mod resolver;

use crate::commands::check::in_json;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use crate::words::count;
use api::Schema;
use config::{BuiltInDns, Zone};
use document::Faults;
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::path::Path;
use terms::{DomainName, Thousands};

/// A zone without a fault, for programs.
#[derive(Serialize)]
struct GoodZone {
    schema: Schema,
    zone: DomainName,
    serial: u32,
    names: usize,
    /// Whether it proves what does not exist.
    signed: bool,
    /// Octets of its image.
    image: usize,
}

impl GoodZone {
    fn of(zone: &Zone) -> GoodZone {
        GoodZone {
            schema: Schema,
            zone: zone.apex().clone(),
            serial: zone.serial(),
            names: zone.names(),
            signed: zone.is_signed(),
            image: zone.image().map_or(0, <[u8]>::len),
        }
    }
}

impl fmt::Display for GoodZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GoodZone { zone, serial, names, signed, .. } = self;
        let signed = if *signed { ", signed" } else { "" };
        write!(f, "zone {zone}, serial {serial}, {}{signed}", count(*names, "name"))
    }
}

pub(crate) fn check(path: &Path, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let zone = match BuiltInDns::load_zone(path) {
        Ok(zone) => zone,
        Err(faults) => return bad(faults, json, terminal),
    };
    let good = GoodZone::of(&zone);
    match json {
        true => terminal.json(&good)?,
        false => writeln!(terminal, "{} is good: {good}", path.display())?,
    }
    Ok(Outcome::Yes)
}

pub(crate) fn compile(
    path: &Path,
    image: &Path,
    json: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<Outcome> {
    let zone = match BuiltInDns::load_zone(path) {
        Ok(zone) => zone,
        Err(faults) => return bad(faults, json, terminal),
    };
    BuiltInDns::write_image(&zone, image)?;
    let good = GoodZone::of(&zone);
    match json {
        true => terminal.json(&good)?,
        false => {
            let size = Thousands(good.image as u64);
            writeln!(terminal, "{} is made, {size} octets: {good}", image.display())?;
        }
    }
    Ok(Outcome::Yes)
}

fn bad(faults: Faults, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    if json { in_json(&faults, terminal) } else { Err(faults.into()) }
}
