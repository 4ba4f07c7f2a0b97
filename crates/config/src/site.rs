//! `[site]`: who this site is.

use document::{Spanned, Table};
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::{Asn, GeoPoint, HostName, RouterId, SiteName, cities, find_city, nearest_spelling};

/// Who this site is.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name: also its NSID and its answer to `CH TXT id.server`.
    pub name: SiteName,
    /// This machine of the site; the site's name where the file does not say.
    pub host: HostName,
    /// Where it lies; none where the file does not say.
    pub place: Option<Place>,
    /// Its network.
    pub asn: Asn,
    /// Its BGP identifier.
    pub router_id: RouterId,
    /// Whether announced prefixes get an unreachable route, so that packets to unused addresses do not loop between
    /// the site and its router.
    pub reject_routes: bool,
    /// The port on which neighbours may call.
    pub bgp_port: u16,
    /// How long the service answers on after an orderly stop has withdrawn its routes, for users who have not heard.
    pub linger: Duration,
    /// Where the daemon keeps what survives a restart.
    pub state_dir: PathBuf,
}

impl Site {
    /// The port of BGP (RFC 4271 section 8.2.1).
    pub const BGP_PORT: u16 = 179;
    /// 80 % of the Internet converge in about 10 s; the rest gets ample time.
    pub const LINGER: Duration = Duration::from_secs(90);
    /// Where the file names no state directory.
    pub const STATE_DIR: &str = "/var/lib/catchment";
    const LONGEST_LINGER: Duration = Duration::from_secs(3600);
}

/// A place on earth.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What people call it.
    pub city: String,
    /// Where it is.
    pub at: GeoPoint,
}

pub(crate) fn read(table: &Table, directory: &Path) -> Option<Site> {
    let name = table.required("name").parse::<SiteName>();
    let host = table.optional("host").parse::<HostName>();
    let place = place(table, name.as_deref());
    let asn = table.required("asn").number();
    let router_id = table.required("router_id").parse();
    let reject_routes = table.optional("reject_routes").flag();
    let bgp_port = table.optional("bgp_port").number_in(1..=u16::MAX);
    let linger = table.optional("linger").duration_in(Duration::ZERO..=Site::LONGEST_LINGER);
    let state_dir = table.optional("state_dir").path();
    let name = name?.value;
    let host = host.map(|host| host.value).or_else(|| name.as_str().parse().ok())?;
    Some(Site {
        host,
        name,
        place,
        asn: asn?.value,
        router_id: router_id?.value,
        reject_routes: reject_routes.is_none_or(|flag| flag.value),
        bgp_port: bgp_port.map_or(Site::BGP_PORT, |port| port.value),
        linger: linger.map_or(Site::LINGER, |linger| linger.value),
        state_dir: directory.join(state_dir.map_or(PathBuf::from(Site::STATE_DIR), |path| path.value)),
    })
}

/// Coordinates say it best, a city's name will do.
fn place(table: &Table, name: Option<&SiteName>) -> Option<Place> {
    let (lat, lon) = (table.optional("lat"), table.optional("lon"));
    let city = table.optional("city").text();
    if lat.is_given() != lon.is_given() {
        let given = if lat.is_given() { &lat } else { &lon };
        table.document().fault(given.span(), "`lat` and `lon` come together");
    }
    if lat.is_given() && lon.is_given() {
        let (lat, lon) = (lat.number_in(-90.0..=90.0)?, lon.number_in(-180.0..=180.0)?);
        let city = city.map_or_else(|| name.map(SiteName::to_string), |city| Some(city.value.to_owned()));
        return Some(Place { city: city?, at: GeoPoint::new(lat.value, lon.value).ok()? });
    }
    known_city(table, city?)
}

fn known_city(table: &Table, written: Spanned<&str>) -> Option<Place> {
    if let Some(city) = find_city(written.value) {
        return Some(Place { city: city.name.to_owned(), at: city.at });
    }
    let guess = nearest_spelling(written.value, cities().iter().map(|city| city.name));
    let guess = guess.map_or(String::new(), |guess| format!("did you mean `{guess}`? If not, "));
    let hint = format!("{guess}add `lat` and `lon` in degrees");
    table.document().fault_with_hint(
        written.span,
        format!("no coordinates are known for `{}`", written.value),
        hint,
    );
    None
}
