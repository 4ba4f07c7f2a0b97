//! `catchment dns check`: is this a zone that the DNS service would serve?

use crate::commands::check::in_json;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use crate::words::count;
use api::Schema;
use config::BuiltInDns;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use terms::DomainName;

/// A zone without a fault, for programs.
#[derive(Serialize)]
struct GoodZone {
    schema: Schema,
    zone: DomainName,
    serial: u32,
    names: usize,
}

pub(crate) fn check(path: &Path, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let zone = match BuiltInDns::load_zone(path) {
        Ok(zone) => zone,
        Err(faults) if json => return in_json(&faults, terminal),
        Err(faults) => return Err(faults.into()),
    };
    let (apex, serial, names) = (zone.apex(), zone.serial(), zone.names());
    if json {
        terminal.json(&GoodZone { schema: Schema, zone: apex.clone(), serial, names })?;
    } else {
        let names = count(names, "name");
        writeln!(terminal, "{} is good: zone {apex}, serial {serial}, {names}", path.display())?;
    }
    Ok(Outcome::Yes)
}
