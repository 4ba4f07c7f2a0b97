//! `catchment check`: what a site file would announce to whom, or everything that is wrong with it; with `--negative`,
//! whether its checks can fail.

mod negative;

use crate::arguments::CheckSite;
use crate::outcome::Outcome;
use crate::table::Table;
use crate::terminal::{Paint, Terminal, style_of_stderr};
use crate::words::{count, list};
use api::Schema;
use config::{Group, Peer, SiteFile};
use document::{Faults, Warnings};
use serde::Serialize;
use std::io::Write;
use terms::{Asn, GroupName, PeerName, Prefix, ServiceName, SiteName};

/// What a good file would do, for people and programs.
#[derive(Serialize)]
struct Promise {
    schema: Schema,
    site: SiteName,
    asn: Asn,
    groups: Vec<GroupPromise>,
    cover: Vec<PrefixPromise>,
    warnings: Warnings,
}

#[derive(Serialize)]
struct GroupPromise {
    name: GroupName,
    services: Vec<ServiceName>,
    prefixes: Vec<PrefixPromise>,
    /// Those whose failure withdraws.
    checks: Vec<String>,
    /// Those whose failure makes the group less preferred, and no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<String>,
    /// How many of its services must be well.
    needs: usize,
}

#[derive(Serialize)]
struct PrefixPromise {
    prefix: Prefix,
    peers: Vec<PeerName>,
}

pub(crate) fn run(arguments: &CheckSite, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let file = match config::load(&arguments.site) {
        Ok(file) => file,
        Err(faults) if arguments.json => return in_json(&faults, terminal),
        Err(faults) => return Err(faults.into()),
    };
    if let Some(format) = arguments.succession {
        return Ok(succession(format));
    }
    if arguments.negative {
        return negative::run(&file, arguments.json, terminal);
    }
    let promise = Promise::of(&file);
    if arguments.json {
        terminal.json(&promise)?;
    } else {
        eprint!("{}", promise.warnings.render(style_of_stderr()));
        writeln!(
            terminal,
            "{} is good: site {}, AS {}\n",
            arguments.site.display(),
            promise.site,
            promise.asn
        )?;
        write!(terminal, "{}", promise.page(terminal.paint()))?;
    }
    Ok(Outcome::Yes)
}

/// Whether this program would take over from one that hands over this format. It asks, so the answer goes where
/// errors go.
fn succession(format: u32) -> Outcome {
    if format == daemon::SUCCESSION {
        return Outcome::Yes;
    }
    eprintln!(
        "version {} takes over format {} and the running program hands over format {format}: this change of version \
         needs a real restart, `systemctl restart catchment`, one site at a time",
        env!("CARGO_PKG_VERSION"),
        daemon::SUCCESSION
    );
    Outcome::No
}

/// Faults are data where a program asked for them.
pub(crate) fn in_json(faults: &Faults, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    terminal.json(faults)?;
    Ok(Outcome::BadInput)
}

impl Promise {
    fn of(file: &SiteFile) -> Self {
        Promise {
            schema: Schema,
            site: file.site.name.clone(),
            asn: file.site.asn,
            groups: file.groups.iter().map(|group| GroupPromise::of(group, &file.peers)).collect(),
            cover: file.covers().into_iter().map(|prefix| PrefixPromise::of(prefix, &file.peers)).collect(),
            warnings: file.warnings.clone(),
        }
    }

    fn page(&self, paint: Paint) -> String {
        let mut table = Table::new(["GROUP", "PREFIX", "TOLD TO", "WHILE"]);
        for group in &self.groups {
            let condition = group.condition();
            for PrefixPromise { prefix, peers } in &group.prefixes {
                let (name, prefix) = (group.name.to_string(), prefix.to_string());
                table.row([name.into(), prefix.into(), list(peers).into(), condition.clone().into()]);
            }
        }
        for PrefixPromise { prefix, peers } in &self.cover {
            let always = "as long as the daemon lives";
            table.row(["".into(), prefix.to_string().into(), list(peers).into(), always.into()]);
        }
        table.render(paint)
    }
}

impl GroupPromise {
    fn of(group: &Group, peers: &[Peer]) -> Self {
        let prefix = |&prefix: &Prefix| PrefixPromise::of(prefix, peers);
        GroupPromise {
            name: group.settings.group.clone(),
            services: group.services.clone(),
            prefixes: group.prefixes.iter().map(prefix).collect(),
            checks: group.local_checks().map(ToString::to_string).collect(),
            dependencies: group.dependencies().map(ToString::to_string).collect(),
            needs: group.services_needed(),
        }
    }

    /// When it is announced.
    fn condition(&self) -> String {
        let services = list(&self.services);
        match (self.needs, self.checks.len()) {
            (needs, _) if needs < self.services.len() => format!("{needs} of {services} pass their checks"),
            (_, 1) => format!("1 check of {services} passes"),
            (_, checks) => format!("{} of {services} pass", count(checks, "check")),
        }
    }
}

impl PrefixPromise {
    fn of(prefix: Prefix, peers: &[Peer]) -> Self {
        let carries = |peer: &&Peer| peer.session.families.contains(&prefix.family());
        let peers = peers.iter().filter(carries).map(|peer| peer.name.clone()).collect();
        PrefixPromise { prefix, peers }
    }
}
