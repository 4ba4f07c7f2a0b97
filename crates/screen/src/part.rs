//! The part of a picture that is shown: of several services one, its sites and those who ask it.

use api::Picture;
use std::sync::Arc;

/// A part of a picture, and where it stands in the whole: samples name ribbons and sites by their place there.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) picture: Arc<Picture>,
    /// The place of each shown client in the whole.
    ribbons: Vec<u16>,
    /// The place of each shown site in the whole.
    sites: Vec<u16>,
}

impl Part {
    /// The service at a place, or everything where there are not several.
    pub(crate) fn of(whole: Arc<Picture>, service: usize) -> Part {
        let number = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
        let Some(chosen) = whole.services.get(service) else {
            let ribbons = (0..whole.clients.len()).map(number).collect();
            let sites = (0..whole.sites.len()).map(number).collect();
            return Part { picture: whole, ribbons, sites };
        };
        let clients = whole.clients.iter().enumerate();
        let clients = clients.filter(|(_, client)| client.service.as_ref() == Some(&chosen.name));
        let (ribbons, clients) = clients.map(|(place, client)| (number(place), client.clone())).unzip();
        let sites = whole.sites.iter().enumerate();
        let sites = sites.filter(|(_, site)| site.service.as_ref() == Some(&chosen.name));
        let (sites, shown) = sites.map(|(place, site)| (number(place), site.clone())).unzip();
        let addresses = chosen.addresses.clone();
        let picture = Picture { addresses, clients, sites: shown, ..Picture::clone(&whole) };
        Part { picture: Arc::new(picture), ribbons, sites }
    }

    /// The ribbon of a shown client.
    pub(crate) fn ribbon(&self, client: usize) -> u16 {
        self.ribbons.get(client).copied().unwrap_or(u16::MAX)
    }

    /// The place among the shown sites of the one that a sample names.
    pub(crate) fn site(&self, sampled: u16) -> Option<usize> {
        self.sites.iter().position(|site| *site == sampled)
    }
}

/// The services by the keys that show them, the shown one in brackets; nothing where there are not several.
pub(crate) fn tabs(whole: &Picture, shown: usize) -> String {
    let tab = |(place, service): (usize, &api::Service)| {
        let of = |other: &Option<terms::SiteName>| other.as_ref() == Some(&service.name);
        let gone = whole.sites.iter().any(|site| of(&site.service) && site.output == api::Output::None);
        let silent = whole.clients.iter().any(|client| of(&client.service) && client.site.is_none());
        let sign = if gone || silent { format!(" {}", crate::marks::NOBODY) } else { String::new() };
        let words = format!("{} {}{sign}", place + 1, service.name);
        if place == shown { format!("[{words}]") } else { format!(" {words} ") }
    };
    whole.services.iter().enumerate().map(tab).collect::<Vec<_>>().join(" ")
}
