//! Which services are one group: those that the file says, and those that share a prefix.
//!
//! Two prefixes are shared when one covers the other: a user of the longer one would otherwise follow the shorter one
//! to a site that does not answer for it.

use crate::group_section::GroupSection;
use crate::service::Written;
use document::Document;
use terms::{Prefix, ServiceName, nearest_spelling};

/// Services that go up and down together, by their places in the file, and the section that says so, if one does.
pub(crate) struct Together<'a> {
    pub(crate) services: Vec<usize>,
    pub(crate) section: Option<&'a GroupSection>,
}

/// Every service in one group, in the order of the first service of each.
pub(crate) fn together<'a>(
    document: &Document,
    services: &[Written],
    sections: &'a [GroupSection],
) -> Vec<Together<'a>> {
    let mut rest = sharing(services);
    let mut groups = Vec::new();
    for section in sections {
        let named = named(document, services, section);
        let is_named = |part: &Vec<usize>| part.iter().any(|service| named.contains(service));
        let (mine, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_named);
        rest = others;
        let mut joined: Vec<usize> = mine.into_iter().flatten().collect();
        joined.sort_unstable();
        // One that is named wrongly may be the one that is missing.
        let all_found = named.len() == section.services.len();
        for &service in joined.iter().filter(|service| all_found && !named.contains(service)) {
            refuse_unnamed(document, section, &services[service], named.iter().map(|&at| &services[at]));
        }
        if !joined.is_empty() {
            groups.push(Together { services: joined, section: Some(section) });
        }
    }
    groups.extend(rest.into_iter().map(|services| Together { services, section: None }));
    groups.sort_by(|one, other| one.services.cmp(&other.services));
    groups
}

/// The parts of the file's services that share prefixes, directly or through others.
fn sharing(services: &[Written]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (index, written) in services.iter().enumerate() {
        let is_shared =
            |part: &Vec<usize>| part.iter().any(|&other| share(&services[other], written).is_some());
        let (sharing, apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_shared);
        parts = apart;
        parts.push(sharing.into_iter().flatten().chain([index]).collect());
    }
    parts
}

/// A prefix of the one that a prefix of the other covers, or that covers one.
fn share(one: &Written, other: &Written) -> Option<Prefix> {
    let overlaps = |a: &Prefix| other.service.announce.iter().any(|b| a.covers(*b) || b.covers(*a));
    one.service.announce.iter().copied().find(overlaps)
}

/// The places of the services that a section names.
fn named(document: &Document, services: &[Written], section: &GroupSection) -> Vec<usize> {
    let place = |name: &ServiceName| services.iter().position(|written| written.service.name == *name);
    let found = section.services.iter().filter_map(|name| {
        let found = place(name);
        if found.is_none() {
            let known = services.iter().map(|written| written.service.name.as_str());
            let message = format!("no service is called `{}`", name.value);
            let guess = nearest_spelling(name.as_str(), known.clone());
            let hint = match guess {
                Some(guess) => format!("did you mean `{guess}`?"),
                None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            document.fault_with_hint(name.span.clone(), message, hint);
        }
        found
    });
    found.collect()
}

fn refuse_unnamed<'a>(
    document: &Document,
    section: &GroupSection,
    unnamed: &Written,
    mut named: impl Iterator<Item = &'a Written>,
) {
    let name = &unnamed.service.name;
    let shared = named.find_map(|written| Some((share(unnamed, written)?, &written.service.name)));
    let message = match shared {
        Some((prefix, with)) => format!("`{name}` shares {prefix} with `{with}` and is not named here"),
        None => format!("`{name}` shares a prefix with a service of this group and is not named here"),
    };
    let hint = format!("a shared prefix goes up and down with all of its services: add \"{name}\"");
    document.fault_with_hint(section.span.clone(), message, hint);
}
