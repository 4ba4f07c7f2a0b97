//! `catchment dns resolver`: the configuration of the resolver that a service brings along.

use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::bail;
use config::{Service, SiteFile};
use std::io::Write;
use std::path::Path;
use terms::ServiceName;

pub(crate) fn run(
    path: &Path,
    service: Option<&ServiceName>,
    terminal: &mut Terminal,
) -> anyhow::Result<Outcome> {
    let file = config::load(path)?;
    let service = chosen(&file, service)?;
    let Some(resolver) = &service.resolver else {
        bail!("service `{}` brings no resolver along: add [service.resolver] to it", service.name);
    };
    write!(terminal, "{}", resolver.configuration(&file.site.name, &service.addresses))?;
    Ok(Outcome::Yes)
}

/// The service that is named, or the only one with a resolver.
fn chosen<'f>(file: &'f SiteFile, name: Option<&ServiceName>) -> anyhow::Result<&'f Service> {
    if let Some(name) = name {
        return match file.services.iter().find(|service| service.name == *name) {
            Some(service) => Ok(service),
            None => bail!("the site file has no service `{name}`"),
        };
    }
    let with: Vec<&Service> = file.services.iter().filter(|service| service.resolver.is_some()).collect();
    match with[..] {
        [service] => Ok(service),
        [] => bail!("no service of the site file brings a resolver along: add [service.resolver] to one"),
        _ => {
            let names: Vec<&str> = with.iter().map(|service| service.name.as_str()).collect();
            bail!("several services bring a resolver along: add --service with one of {}", names.join(", "))
        }
    }
}
