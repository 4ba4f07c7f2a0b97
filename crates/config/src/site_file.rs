//! The whole file.

use crate::api::{self, Api};
use crate::bmp::{self, Collector};
use crate::check::HANG_AFTER;
use crate::consistency;
use crate::continuity::{self, Continuity};
use crate::fleet::{self, Fleet};
use crate::group::{self, Group};
use crate::group_section::{self, Rules};
use crate::peer::{self, Peer};
use crate::service::{self, Service};
use crate::site::{self, Site};
use document::{Document, Faults, Table, Warnings};
use std::collections::BTreeSet;
use std::path::Path;
use terms::{GroupName, Prefix, ServiceName};

/// A site file without a fault.
#[derive(Clone, Debug)]
pub struct SiteFile {
    /// Who this site is.
    pub site: Site,
    /// Its BGP neighbours, in the order of the file.
    pub peers: Vec<Peer>,
    /// Its services, in the order of the file.
    pub services: Vec<Service>,
    /// What goes up and down together, in the order of the first service of each. Every service is in one group.
    pub groups: Vec<Group>,
    /// The store that the site shares with others; none on a single machine.
    pub fleet: Option<Fleet>,
    /// Who is told what happens in the sessions, in the order of the file.
    pub collectors: Vec<Collector>,
    /// How connections are looked after that routing moves to another site; none if they are not.
    pub continuity: Option<Continuity>,
    /// Where the daemon can be asked.
    pub api: Api,
    /// What its writer should know.
    pub warnings: Warnings,
}

/// Reads a site file and the files it names.
pub fn load(path: &Path) -> Result<SiteFile, Faults> {
    let text = document::read(path, Document::LONGEST).map_err(|error| error.into_faults(path))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    parse(&path.to_string_lossy(), &text, directory)
}

/// Reads the text of a site file and the files it names. `name` is printed in front of faults; `directory` is what
/// relative paths in the file begin at.
pub fn parse(name: &str, text: &str, directory: &Path) -> Result<SiteFile, Faults> {
    let document = Document::parse(name, text);
    let site_file = read(&document.root(), directory);
    let (site_file, warnings) = document.finish_with_warnings(site_file)?;
    Ok(SiteFile { warnings, ..site_file })
}

fn read(root: &Table, directory: &Path) -> Option<SiteFile> {
    let site = root.required("site").table().and_then(|table| site::read(&table, directory));
    let peers = peer::read_all(&root.required("peer"), site.as_ref(), directory);
    let hang_after = site.as_ref().map_or(HANG_AFTER, |site| site.hang_after);
    let services = service::read_all(&root.required("service"), directory, hang_after);
    let fleet = fleet::read(&root.optional("fleet"), directory);
    let collectors = bmp::read_all(&root.optional("bmp"));
    let continuity = continuity::read(
        &root.optional("continuity"),
        &root.optional("fleet"),
        services.as_deref().unwrap_or_default(),
        directory,
    );
    let api = api::read(root.optional("api").table().as_ref(), directory);
    let otherwise = Rules::of(site.as_ref(), peers.as_deref().unwrap_or_default());
    let sections = group_section::read_all(&root.optional("group"), &otherwise);
    let (site, peers, services, fleet, sections) = (site?, peers?, services?, fleet?, sections?);
    let (collectors, continuity, api) = (collectors?, continuity?, api?);
    let document = root.document();
    let groups = group::derive(document, &services, &sections, &otherwise);
    consistency::check(document, &peers, &services, &groups);
    let peers = peers.into_iter().map(|peer| peer.value).collect();
    let services = services.into_iter().map(|written| written.service).collect();
    let warnings = Warnings::default();
    Some(SiteFile { site, peers, services, groups, fleet, collectors, continuity, api, warnings })
}

impl SiteFile {
    /// Every covering prefix: told to peers for as long as the daemon lives.
    pub fn covers(&self) -> BTreeSet<Prefix> {
        self.services.iter().flat_map(|service| service.cover.iter().copied()).collect()
    }

    /// The first group with a service that names this covering prefix.
    pub fn group_of_cover(&self, cover: Prefix) -> Option<&GroupName> {
        let naming: BTreeSet<&ServiceName> = self
            .services
            .iter()
            .filter(|service| service.cover.contains(&cover))
            .map(|service| &service.name)
            .collect();
        let group =
            self.groups.iter().find(|group| group.services.iter().any(|name| naming.contains(name)))?;
        Some(&group.settings.group)
    }
}
