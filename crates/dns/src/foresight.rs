//! Looks ahead at queries that have arrived together.
//!
//! ```text
//!  one by one:  slot ....... node ....... answer   slot ....... node ....... answer   slot ....... node ....
//!  together:    slot ....... node ....... answer
//!               slot ....... node .......        answer
//!               slot ....... node .......               answer
//! ```
//! An answer from a zone that no cache holds waits for memory twice: for the slot of the table, then for the node that
//! it names. A look at all slots, and then one at all nodes, has the processor fetch them side by side.

use crate::image::Image;
use crate::name::Name;
use crate::query::HEADER;
use crate::table::NameHash;
use crate::zones::{Found, Zones};
use std::hint::black_box;
use std::ops::BitXor;
use terms::RecordType;

/// Queries that are looked at together, at most: more would push each other out of the nearest cache.
const TOGETHER: usize = 32;
/// Octets of images that the processor's own caches hold anyway.
const HELD: usize = 4 << 20;

impl Zones {
    /// Lets the processor fetch what the answers to these queries will look at. It costs time where that is at hand, so
    /// it does so only for zones that are larger than a cache. Nothing else comes of it, whatever the octets are.
    pub fn foresee<'m>(&self, queries: impl Iterator<Item = &'m [u8]>) {
        if self.octets() > HELD {
            self.look(queries);
        }
    }

    fn look<'m>(&self, queries: impl Iterator<Item = &'m [u8]>) {
        let mut sought = [None; TOGETHER];
        for (sought, query) in sought.iter_mut().zip(queries) {
            *sought = self.sought(query);
        }
        let sought = || sought.iter().flatten().copied();
        black_box(sought().map(|(image, hash)| image.glance_at_slot(hash)).fold(0, u8::bitxor));
        black_box(sought().map(|(image, hash)| image.glance_at_node(hash)).fold(0, u8::bitxor));
    }

    /// Where the name of a question will be looked up first, if this is a question.
    fn sought(&self, query: &[u8]) -> Option<(&Image, NameHash)> {
        let name = Name::of(query.get(HEADER..)?)?;
        match self.find(&name, RecordType::A)? {
            Found::Home(home) => Some((home.zone.base(), home.hash)),
            Found::Unavailable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::node::NODE_HEAD;
    use crate::zone;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn zones() -> Zones {
        let text = "$ORIGIN a.\n@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.w TXT x\n";
        let below = "$ORIGIN b.a.\n@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";
        let zone = |text| Arc::new(zone::parse(text).unwrap());
        Zones::with_unavailable(vec![zone(text), zone(below)], vec!["c.a.".parse().unwrap()]).unwrap()
    }

    fn query(name: &str) -> Vec<u8> {
        let name: terms::DomainName = name.parse().unwrap();
        [&[0; HEADER], name.as_wire(), &[0, 1, 0, 1]].concat()
    }

    #[test]
    fn what_is_looked_at_is_what_is_answered_from() {
        let zones = zones();
        for (name, relative) in [("ns.a.", "\x02ns"), ("NS.b.a.", "\x02ns"), ("w.a.", "\x01w"), ("a.", "")] {
            let (image, hash) = zones.sought(&query(name)).unwrap();
            let node = image.find(hash, relative.as_bytes()).unwrap();
            assert!(node.place > 0, "{name}");
            let looked_at = image.likely_node(hash).unwrap();
            assert_eq!(looked_at[NODE_HEAD..].as_ptr(), node.name.as_ptr(), "{name}");
        }
        for name in ["x.c.a.", "example.", "."] {
            assert!(zones.sought(&query(name)).is_none(), "{name}");
        }
    }

    #[test]
    fn an_image_whose_table_leads_nowhere_harms_nobody() {
        let zone = zone::parse("$ORIGIN a.\n@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n").unwrap();
        let mut octets = zone.image().unwrap().to_vec();
        let number = |at: usize| u32::from_le_bytes(*octets[at..].first_chunk().unwrap()) as usize;
        let table = number(36) * 4..number(36) * 4 + number(40) * 8;
        for slot in octets[table].chunks_exact_mut(8).filter(|slot| slot[4..] != [0; 4]) {
            slot[4..].fill(0xff);
        }
        let checksum = crc32fast::hash(&octets[16..]);
        octets[12..16].copy_from_slice(&checksum.to_le_bytes());
        let zones = Zones::new(vec![Arc::new(zone::Zone::from_image(octets).unwrap())]).unwrap();
        zones.look([query("ns.a."), query("a.")].iter().map(Vec::as_slice));
    }

    proptest! {
        #[test]
        fn any_octets_may_be_looked_at(queries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..70)) {
            let zones = zones();
            let look = || zones.look(queries.iter().map(Vec::as_slice));
            prop_assert_eq!(allocation_counter::measure(look).count_total, 0);
        }
    }
}
