//! Places on the earth and how long light takes between them.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Distance that light covers in glass in one millisecond, km.
pub const FIBRE_KM_PER_MS: f64 = 200.0;
/// How much longer a real cable is than the great circle.
pub const CABLE_STRETCH: f64 = 1.3;
const EARTH_RADIUS_KM: f64 = 6371.0088;
const SHORTEST_CABLE: Duration = Duration::from_micros(50);

/// A point on the earth's surface in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoPoint {
    lat: f64,
    lon: f64,
}

/// Coordinates that lie nowhere on earth.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("lat {lat}, lon {lon} lies nowhere: lat is -90 to 90, lon is -180 to 180")]
pub struct GeoPointError {
    lat: f64,
    lon: f64,
}

impl GeoPoint {
    /// A point from degrees north and degrees east.
    pub fn new(lat: f64, lon: f64) -> Result<Self, GeoPointError> {
        if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) {
            Ok(GeoPoint { lat, lon })
        } else {
            Err(GeoPointError { lat, lon })
        }
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Great-circle distance in km (haversine formula).
    pub fn distance_km(self, other: GeoPoint) -> f64 {
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = (lat2 - lat1) / 2.0;
        let half_lon = (other.lon - self.lon).to_radians() / 2.0;
        let chord = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin()
    }

    /// One-way delay of a cable between two places: great circle x 1.3 at 200 km/ms, at least 0.05 ms.
    pub fn cable_delay(self, other: GeoPoint) -> Duration {
        let ms = self.distance_km(other) * CABLE_STRETCH / FIBRE_KM_PER_MS;
        Duration::from_secs_f64(ms / 1000.0).max(SHORTEST_CABLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn london_to_new_york_takes_36_ms() {
        let london = GeoPoint::new(51.5, -0.12).unwrap();
        let new_york = GeoPoint::new(40.71, -74.0).unwrap();
        assert!((london.distance_km(new_york) - 5570.0).abs() < 20.0);
        let delay = london.cable_delay(new_york).as_secs_f64() * 1000.0;
        assert!((36.0..36.5).contains(&delay), "{delay}");
    }

    #[test]
    fn the_same_place_is_not_free() {
        let london = GeoPoint::new(51.5, -0.12).unwrap();
        assert_eq!(london.cable_delay(london), Duration::from_micros(50));
    }

    #[test]
    fn nowhere_is_refused() {
        assert!(GeoPoint::new(91.0, 0.0).is_err());
        assert!(GeoPoint::new(f64::NAN, 0.0).is_err());
    }
}
