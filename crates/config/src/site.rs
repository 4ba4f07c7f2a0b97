//! `[site]`: who this site is.

use crate::check::{HANG_AFTER, PROFILES};
use crate::drain;
use announce::{Drain, Settings};
use document::{Spanned, Table};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
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
    /// How a group drains, unless the group says otherwise.
    pub drain: Drain,
    /// A check that says nothing for so long raises an alarm, unless its group says otherwise.
    pub blind_after: Duration,
    /// Silence of a check that counts as failure, unless the check says otherwise.
    pub hang_after: Duration,
    /// How much of what is announced a reload may withdraw without being told twice, percent.
    pub max_withdraw: u8,
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
    /// What a reload may withdraw, percent, where the file does not say.
    pub const MAX_WITHDRAW: u8 = 25;
    /// What `blind_after` may be.
    pub(crate) const BLIND_AFTERS: RangeInclusive<Duration> =
        Duration::from_millis(100)..=Duration::from_secs(3600);
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
    let drain = drain::read(table, Drain::DEFAULT);
    let blind_after = table.optional("blind_after").duration_in(Site::BLIND_AFTERS);
    let profile = table.optional("profile").one_of(&PROFILES);
    let max_withdraw = table.optional("max_withdraw").parse::<Percent>();
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
        drain,
        blind_after: blind_after.map_or(Settings::BLIND_AFTER, |blind_after| blind_after.value),
        hang_after: profile.map_or(HANG_AFTER, |profile| profile.value),
        max_withdraw: max_withdraw.map_or(Site::MAX_WITHDRAW, |percent| percent.value.0),
        state_dir: directory.join(state_dir.map_or(PathBuf::from(Site::STATE_DIR), |path| path.value)),
    })
}

/// A share, written `25%`.
struct Percent(u8);

impl FromStr for Percent {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
        number.filter(|number| *number <= 100).map(Percent).ok_or("write a share from \"0%\" to \"100%\"")
    }
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
