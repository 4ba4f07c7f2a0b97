//! Zones full of what is hard: wildcards, empty non-terminals, delegations inside each other, DNAMEs, aliases that lead anywhere. Drawn by lot, the same on every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A source of numbers (splitmix64).
pub(crate) struct Lot(u64);

impl Lot {
    pub(crate) fn new(seed: u64) -> Lot {
        Lot(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one_of<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

const LABELS: [&str; 9] = ["a", "b", "c", "d", "w", "*", "x1", "long-label-of-many-letters", "A"];

/// One to four labels, without a dot at the end.
pub(crate) fn some_labels(lot: &mut Lot) -> String {
    let depth = 1 + lot.below(4).min(lot.below(5));
    (0..depth).map(|_| lot.one_of(&LABELS)).collect::<Vec<_>>().join(".")
}

/// The text of a zone.
pub(crate) fn zone(apex: &str, seed: u64) -> String {
    let mut lot = Lot::new(seed);
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..40 {
        let owner = some_labels(&mut lot).to_lowercase();
        let is_wildcard = owner.starts_with('*');
        let taken = names.get(&owner).is_some_and(|records| {
            records.iter().any(|record| ["CNAME", "DNAME", "NS"].iter().any(|kind| record.starts_with(kind)))
        });
        if taken {
            continue;
        }
        let empty = !names.contains_key(&owner);
        let target = some_target(&mut lot);
        let mut put = |owner: &str, record: String| {
            names.entry(owner.to_owned()).or_default().insert(record);
        };
        match lot.below(12) {
            0 | 1 if empty => put(&owner, format!("CNAME {target}")),
            2 if empty && !is_wildcard => put(&owner, format!("DNAME {target}")),
            3..=5 if empty && !is_wildcard => {
                for _ in 0..1 + lot.below(3) {
                    match lot.below(3) {
                        0 => {
                            let server = format!("ns{}.{owner}", lot.below(3));
                            put(&owner, format!("NS {server}"));
                            put(&server, format!("A 192.0.2.{}", lot.below(250)));
                            put(&server, format!("AAAA 2001:db8::{:x}", lot.below(65000)));
                        }
                        _ => put(&owner, format!("NS {}", some_target(&mut lot))),
                    }
                }
                if lot.below(2) == 0 {
                    put(&owner, format!("DS {} 13 2 {}", lot.below(65535), "ab".repeat(32)));
                }
            }
            6 => put(&owner, format!("MX {} {target}", lot.below(9))),
            7 => put(&owner, format!("TXT \"{}\"", "text ".repeat(1 + lot.below(40)))),
            8 => match lot.below(9999) {
                port if port % 4 == 0 => put(&owner, format!("HTTPS 1 . port={port}")),
                port if port % 4 == 1 => put(&owner, format!("HTTPS {} {target}", port % 3)),
                port => put(&owner, format!("SRV 1 2 {port} {target}")),
            },
            9 => put(&owner, format!("AAAA 2001:db8::{:x}", lot.below(65000))),
            _ => put(&owner, format!("A 192.0.2.{}", lot.below(250))),
        }
    }
    let mut text = format!(
        "$ORIGIN {apex}\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 604800 120\n NS ns1\n NS ns.elsewhere.test.\n\
         ns1 A 192.0.2.53\n"
    );
    // Nobody loads a zone with names below a DNAME (RFC 6672 section 2.4).
    let renamed: Vec<String> = names
        .iter()
        .filter(|(_, records)| records.iter().any(|record| record.starts_with("DNAME")))
        .map(|(owner, _)| format!(".{owner}"))
        .collect();
    names.retain(|owner, _| !renamed.iter().any(|above| owner.ends_with(above)));
    for (owner, records) in names {
        let _ = records.iter().try_for_each(|record| writeln!(text, "{owner} {record}"));
    }
    text
}

/// Somewhere in the zone, below one of its names, or elsewhere.
fn some_target(lot: &mut Lot) -> String {
    match lot.below(8) {
        0 => "host.elsewhere.test.".to_owned(),
        1 => "ns1".to_owned(),
        2 => "@".to_owned(),
        _ => some_labels(lot),
    }
}
