//! What a zone must be, beyond records that can be read: one SOA at its apex, name servers that can be found, and
//! nothing that this server would answer wrongly.

use super::fault::{Fault, Place};
use super::records::{Record, Records};
use std::collections::BTreeMap;
use terms::{DomainName, RecordType};

/// A zone that keeps the rules.
pub(super) struct Content {
    pub(super) apex: DomainName,
    pub(super) names: Names,
}

pub(super) type Names = BTreeMap<DomainName, BTreeMap<RecordType, RecordSet>>;

/// Records of one name and type, which are one thing (RFC 2181 section 5).
pub(super) struct RecordSet {
    pub(super) place: Place,
    /// Seconds.
    pub(super) ttl: u32,
    /// At least one; a record that is written twice is here once (RFC 2181 section 5).
    pub(super) data: Vec<Vec<u8>>,
}

/// Octets that one record set may have in a message, at most: the rest is for the question and EDNS.
const SET_MAX: usize = 65535 - 512;
/// Owner as a pointer, type, class, TTL and length of the data.
const RECORD_FIXED: usize = 12;

/// Judges the records of a whole file. None when it has no apex; what is wrong is in `faults`.
pub(super) fn judge(read: Records, faults: &mut Vec<Fault>) -> Option<Content> {
    let apex = find_apex(&read, faults)?;
    let mut names = Names::new();
    for record in read.records {
        match fits(&record, &apex) {
            Ok(()) => collect(record, &mut names, faults),
            Err(fault) => faults.push(fault),
        }
    }
    for (owner, sets) in &names {
        judge_name(owner, sets, faults);
    }
    judge_name_servers(&apex, &names, faults);
    Some(Content { apex, names })
}

/// The owner of the SOA record, of which there must be one.
fn find_apex(read: &Records, faults: &mut Vec<Fault>) -> Option<DomainName> {
    let mut authorities = read.records.iter().filter(|record| record.kind == RecordType::SOA);
    let Some(first) = authorities.next() else {
        if !read.soa_is_written {
            let place = Place { line: 1, column: 1 };
            faults.push(place.fault(
                "the zone has no SOA record",
                "write one first: `@ SOA ns1 hostmaster 1 3600 900 604800 300`, where `@` is the zone's name",
            ));
        }
        return None;
    };
    for other in authorities {
        faults.push(other.place.fault(
            format!("a second SOA record; the first is on line {}", first.place.line),
            "a zone has one SOA record: put the other zone into a file of its own",
        ));
    }
    Some(first.owner.clone())
}

/// Whether one record, taken by itself, may be in the zone.
fn fits(record: &Record, apex: &DomainName) -> Result<(), Fault> {
    let Record { place, owner, kind, .. } = record;
    let wrong = |message: String, hint: &str| Err(place.fault(message, hint));
    if !owner.is_within(apex) {
        return wrong(
            format!("{owner} is not in the zone {apex}"),
            "remove it, or check `$ORIGIN` and closing dots",
        );
    }
    if owner.labels().next() == Some(b"*") {
        return wrong(
            format!("{owner}: wildcards are not served yet"),
            "write the names that are needed one by one",
        );
    }
    match *kind {
        RecordType::NS if owner != apex => wrong(
            format!("{owner}: delegations are not served yet"),
            "write the records of the child into this zone and remove its NS records",
        ),
        RecordType::DNAME => {
            wrong(format!("{owner}: DNAME is not served yet"), "write a CNAME for each name")
        }
        RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3 | RecordType::NSEC3PARAM => wrong(
            format!("{kind} of {owner}: signed zones are not served yet"),
            "serve the zone before it is signed",
        ),
        _ => Ok(()),
    }
}

fn collect(record: Record, names: &mut Names, faults: &mut Vec<Fault>) {
    let Record { place, owner, kind, ttl, data } = record;
    let set = names.entry(owner.clone()).or_default().entry(kind).or_insert_with(|| RecordSet {
        place,
        ttl,
        data: Vec::new(),
    });
    if set.ttl != ttl {
        faults.push(place.fault(
            format!("{kind} of {owner} has TTL {ttl}, but {} on line {}", set.ttl, set.place.line),
            "give all records of one name and type the same TTL (RFC 2181 section 5.2)",
        ));
    }
    if !set.data.contains(&data) {
        set.data.push(data);
    }
}

/// What the sets of one name may be together.
fn judge_name(owner: &DomainName, sets: &BTreeMap<RecordType, RecordSet>, faults: &mut Vec<Fault>) {
    if let Some(alias) = sets.get(&RecordType::CNAME) {
        if let Some((kind, _)) = sets.iter().find(|&(&kind, _)| kind != RecordType::CNAME) {
            faults.push(alias.place.fault(
                format!("{owner} has a CNAME and a {kind}"),
                "an alias has no other records (RFC 1034 section 3.6.2)",
            ));
        }
        if alias.data.len() > 1 {
            faults.push(alias.place.fault(
                format!("{owner} has {} CNAME records", alias.data.len()),
                "an alias stands for one name (RFC 2181 section 10.1)",
            ));
        }
    }
    for (kind, set) in sets {
        let octets: usize = set.data.iter().map(|data| RECORD_FIXED + data.len()).sum();
        if octets > SET_MAX {
            faults.push(set.place.fault(
                format!("{kind} of {owner} has {octets} octets, more than one message can carry"),
                "spread the records over several names",
            ));
        }
    }
}

/// The zone needs name servers, and those within it need addresses.
fn judge_name_servers(apex: &DomainName, names: &Names, faults: &mut Vec<Fault>) {
    let Some(sets) = names.get(apex) else { return };
    let Some(servers) = sets.get(&RecordType::NS) else {
        let place = sets.values().map(|set| set.place).min().unwrap_or(Place { line: 1, column: 1 });
        faults.push(
            place.fault(format!("{apex} has no NS record"), "name the servers of the zone: `@ NS ns1`"),
        );
        return;
    };
    let inside = servers.data.iter().filter_map(|data| DomainName::from_wire(data).ok());
    for server in inside.filter(|server| server.is_within(apex)) {
        let addresses = names
            .get(&server)
            .is_some_and(|sets| sets.contains_key(&RecordType::A) || sets.contains_key(&RecordType::AAAA));
        if !addresses {
            faults.push(servers.place.fault(
                format!("the name server {server} is in the zone, but has no address"),
                "give it an A or AAAA record (an alias does not do, RFC 2181 section 10.3)",
            ));
        }
    }
}
