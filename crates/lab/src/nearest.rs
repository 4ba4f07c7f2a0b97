//! Which site lies next to a client or another node on the map, whatever cables and routing say.

use crate::history::{ClientId, SiteId};
use crate::world::{Site, World};
use std::time::Duration;
use terms::GeoPoint;

/// The nearest site of the service that somebody asks, and the round trip that a cable of its own would give.
pub(crate) fn nearest_site(world: &World, asker: ClientId) -> Option<(SiteId, Duration)> {
    let asker = world.askers.get(usize::from(asker.0))?;
    nearest_of(world, asker.place.at, |site| site.service == asker.service)
}

/// The site nearest to a place of those that count, and the round trip that a cable of its own would give.
pub(crate) fn nearest_of(
    world: &World,
    from: GeoPoint,
    counts: impl Fn(&Site) -> bool,
) -> Option<(SiteId, Duration)> {
    let sites = (0..).map(SiteId).zip(&world.sites).filter(|(_, site)| counts(site));
    let distances = sites.map(|(id, site)| (id, from.cable_delay(world.router(site.router).1.at) * 2));
    distances.min_by_key(|(_, round_trip)| *round_trip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::built_in;

    #[test]
    fn amsterdam_lies_next_to_london() {
        let world = World::parse("earth", &built_in("earth").unwrap()).unwrap();
        let nearest = |city: &str| {
            let client = world.clients.iter().position(|client| client.name == city).unwrap();
            let (site, round_trip) = nearest_site(&world, ClientId(client as u16)).unwrap();
            (world.sites[usize::from(site.0)].name.to_string(), round_trip.as_secs_f64() * 1000.0)
        };
        let (site, round_trip) = nearest("amsterdam");
        assert_eq!(site, "london");
        assert!((4.0..6.0).contains(&round_trip), "{round_trip} ms");
        assert_eq!(nearest("sydney").0, "tokyo");
    }
}
