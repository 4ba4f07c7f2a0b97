//! What a host says of its connections, as the store carries it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use continuity::{Filter, SiteNumber};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::sync::Arc;
use terms::GeoPoint;

/// Most addresses of services that one host may name: as many as the programs have room for.
const MOST_SERVICES: usize = 1024;

/// What one host says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) number: SiteNumber,
    pub(super) port: NonZeroU16,
    pub(super) source4: Option<Ipv4Addr>,
    pub(super) source6: Option<Ipv6Addr>,
    /// Where it is.
    pub(super) at: Option<GeoPoint>,
    /// Whether everything that it serves is well and announced.
    pub(super) is_well: bool,
    /// The addresses that it serves.
    pub(super) services: BTreeSet<IpAddr>,
    pub(super) connections: u64,
    pub(super) filter: Arc<Filter>,
}

/// The same as JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    schema: api::Schema,
    number: u8,
    port: NonZeroU16,
    source4: Option<Ipv4Addr>,
    source6: Option<Ipv6Addr>,
    at: Option<GeoPoint>,
    is_well: bool,
    /// A host that does not say it answers in nobody's place.
    #[serde(default)]
    services: BTreeSet<IpAddr>,
    connections: u64,
    /// Base64 (RFC 4648 section 4).
    filter: String,
}

impl Said {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Said { number, port, source4, source6, at, is_well, connections, ref services, ref filter } =
            *self;
        let written = Written {
            schema: api::Schema,
            number: number.get(),
            port,
            source4,
            source6,
            at,
            is_well,
            services: services.clone(),
            connections,
            filter: BASE64_STANDARD.encode(filter.octets()),
        };
        // Names, numbers and text, all of which have a JSON form.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Becomes what there is to say now; answers whether that is something else. A host that has nothing to say does not
    /// take what others forward, and is nobody's relay.
    pub(super) fn follow(&mut self, now: Option<Said>) -> bool {
        match now {
            Some(said) => std::mem::replace(self, said.clone()) != said,
            None => std::mem::replace(&mut self.is_well, false),
        }
    }

    /// What another host wrote; none if it is nothing that this program understands.
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(octets).ok()?;
        if written.services.len() > MOST_SERVICES {
            return None;
        }
        let filter = BASE64_STANDARD.decode(&written.filter).ok()?;
        Some(Said {
            number: SiteNumber::try_from(written.number).ok()?,
            port: written.port,
            source4: written.source4,
            source6: written.source6,
            at: written.at,
            is_well: written.is_well,
            services: written.services,
            connections: written.connections,
            filter: Arc::new(Filter::of_octets(&filter)?),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use continuity::{Flow, Key};

    /// What every host serves.
    pub(in crate::continuity) const SERVICE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 53));

    /// A host with a number, reached at an address of that number.
    pub(in crate::continuity) fn said(number: u8) -> Said {
        let mut filter = Filter::with_room_for(100);
        let flow = Flow::new("192.0.2.9:4711".parse().unwrap(), "198.18.0.53:53".parse().unwrap());
        filter.insert(&flow, &Key::new([1; 16]));
        Said {
            number: SiteNumber::try_from(number).unwrap(),
            port: NonZeroU16::new(9057).unwrap(),
            source4: Some(Ipv4Addr::new(10, 0, 0, number)),
            source6: None,
            at: None,
            is_well: true,
            services: [SERVICE].into(),
            connections: 1,
            filter: filter.into(),
        }
    }

    #[test]
    fn whoever_takes_no_packets_says_so_once_and_keeps_its_connections() {
        let mut last = said(3);
        assert!(!last.follow(Some(said(3))), "nothing new");
        assert!(last.follow(None));
        assert_eq!(last, Said { is_well: false, ..said(3) });
        assert!(!last.follow(None), "nothing new");
        assert!(last.follow(Some(said(3))));
        assert_eq!(last, said(3));
    }

    #[test]
    fn what_is_said_is_understood_and_nothing_else_is() {
        assert_eq!(Said::decode(&said(3).encode()), Some(said(3)));
        let with = |key: &str, value: serde_json::Value| {
            let mut json: serde_json::Value = serde_json::from_slice(&said(3).encode()).unwrap();
            json[key] = value;
            serde_json::to_vec(&json).unwrap()
        };
        let too_many: Vec<String> = (0..1025).map(|host| format!("2001:db8::{host:x}")).collect();
        for (key, value) in [
            ("schema", 2.into()),
            ("number", 64.into()),
            ("port", 0.into()),
            ("filter", "".into()),
            ("filter", "AAAA".into()),
            ("filter", "not base64".into()),
            ("services", ["198.18.0.53/24"].into()),
            ("services", too_many.into()),
        ] {
            assert_eq!(Said::decode(&with(key, value)), None, "{key}");
        }
        assert_eq!(Said::decode(b"\xff"), None);
        let mut json: serde_json::Value = serde_json::from_slice(&said(3).encode()).unwrap();
        json.as_object_mut().unwrap().remove("services");
        let older = Said::decode(&serde_json::to_vec(&json).unwrap());
        assert_eq!(older, Some(Said { services: BTreeSet::new(), ..said(3) }), "an older version");
    }
}
