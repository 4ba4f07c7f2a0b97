//! What a zone must be, beyond records that can be read: one SOA at its apex, name servers that can be found, and
//! nothing whose meaning is undefined.

use super::encode::most_octets;
use super::fault::{Flaw, Place};
use super::rdata;
use super::records::{NameGroup, Record, SetGroup, Sorted};
use super::text::Read;
use terms::{DomainName, RecordType};

/// Octets that one record set may have in a message, at most: the rest is for the question and EDNS.
const SET_MAX: usize = 65535 - 512;

/// The SOA record, of which there must be one: its owner is the zone's name.
pub(super) fn find_authority<'r>(read: &'r Read, flaws: &mut Vec<Flaw>) -> Option<&'r Record> {
    let mut authorities = read.records.iter().filter(|record| record.kind == RecordType::SOA);
    let Some(first) = authorities.next() else {
        if !read.soa_is_written {
            flaws.push(Place::default().flaw(
                "the zone has no SOA record",
                "write one first: `@ SOA ns1 hostmaster 1 3600 900 604800 300`, where `@` is the zone's name",
            ));
        }
        return None;
    };
    for other in authorities {
        flaws.push(
            other
                .place
                .flaw(
                    "a second SOA record",
                    "a zone has one SOA record: put the other zone into a file of its own",
                )
                .beside(first.place),
        );
    }
    Some(first)
}

/// Every record must be in the zone; `apex` is the zone's key.
pub(super) fn judge_owners(read: &Read, apex: &[u8], zone: &DomainName, flaws: &mut Vec<Flaw>) {
    for record in read.records.iter().filter(|record| !read.records.key(record.owner()).starts_with(apex)) {
        flaws.push(record.place.flaw(
            format!("{} is not in the zone {zone}", read.records.name(record)),
            "remove it, or check `$ORIGIN` and closing dots",
        ));
    }
}

/// Judges every name and every set of a zone.
pub(super) fn judge(sorted: &Sorted<'_>, apex: &[u8], flaws: &mut Vec<Flaw>) {
    // The last DNAME: what is below it follows it.
    let mut renamed: Option<NameGroup<'_>> = None;
    for name in sorted.names() {
        let above = renamed.as_ref().filter(|above| name.key().starts_with(above.key()));
        if let Some(flaw) = above.and_then(|above| below_dname(&name, above)) {
            flaws.push(flaw);
        } else if name.has(RecordType::DNAME) {
            renamed = Some(name.clone());
        }
        for set in name.sets() {
            judge_set(&name, &set, flaws);
        }
        judge_together(&name, flaws);
        judge_name_servers(sorted, &name, apex, flaws);
    }
}

/// Judges of every set what would make answers wrong.
pub(super) fn judge_received(sorted: &Sorted<'_>, flaws: &mut Vec<Flaw>) {
    for name in sorted.names() {
        for set in name.sets() {
            judge_servable(&name, &set, flaws);
        }
    }
}

/// Everything below a DNAME is somewhere else. Only hashes of NSEC3 are below each apex.
fn below_dname(name: &NameGroup<'_>, above: &NameGroup<'_>) -> Option<Flaw> {
    let set = name.sets().find(|set| set.kind != RecordType::NSEC3)?;
    let message = format!("{} of {} is below the DNAME of {}", set.kind, name.name(), above.name());
    let hint = "remove the record, or the DNAME: nobody could be told of both (RFC 6672 section 2.4)";
    let first = above.set(RecordType::DNAME)?.first()?.place;
    Some(set.first()?.place.flaw(message, hint).beside(first))
}

/// What a set must be so that it can be put into a reply.
fn judge_servable(name: &NameGroup<'_>, set: &SetGroup<'_>, flaws: &mut Vec<Flaw>) {
    let Some(first) = set.first() else { return };
    let (kind, place) = (set.kind, first.place);
    if set.records().len() == 0 {
        flaws.push(place.flaw(
            format!("a signature of {kind} records at {}, which has none", name.name()),
            "sign the zone again, or remove the signature",
        ));
    }
    let octets = most_octets(set);
    if octets > SET_MAX {
        flaws.push(place.flaw(
            format!("{kind} of {} has {octets} octets, more than one message can carry", name.name()),
            "spread the records over several names",
        ));
    }
}

/// What one set must be by itself.
fn judge_set(name: &NameGroup<'_>, set: &SetGroup<'_>, flaws: &mut Vec<Flaw>) {
    judge_servable(name, set, flaws);
    let Some(first) = set.first() else { return };
    let (kind, place) = (set.kind, first.place);
    for (record, _) in set.records().filter(|(record, _)| record.ttl != first.ttl && record.place > place) {
        flaws.push(
            record
                .place
                .flaw(
                    format!("{kind} of {} has TTL {} instead of {}", name.name(), record.ttl, first.ttl),
                    "give all records of one name and type the same TTL (RFC 2181 section 5.2)",
                )
                .beside(place),
        );
    }
    let one = |what: &str| {
        place.flaw(
            format!("{} has {} {kind} records", name.name(), set.records().len()),
            format!("{what} stands for one name (RFC 2181 section 10.1, RFC 6672 section 2.4)"),
        )
    };
    match kind {
        RecordType::CNAME if set.records().len() > 1 => flaws.push(one("an alias")),
        RecordType::DNAME if set.records().len() > 1 => flaws.push(one("a DNAME")),
        RecordType::NS | RecordType::DNAME if name.key().ends_with(b"\0*\0") || name.key() == b"*\0" => {
            flaws.push(place.flaw(
                format!("{kind} of the wildcard {}", name.name()),
                "write the names that are needed one by one: what this means is undefined (RFC 4592 section 4)",
            ));
        }
        _ => {}
    }
}

/// What the sets of one name may be together.
fn judge_together(name: &NameGroup<'_>, flaws: &mut Vec<Flaw>) {
    let kinds = || name.sets().filter(|set| set.records().len() > 0).map(|set| set.kind);
    let place =
        |kind| name.set(kind).and_then(|set| set.first().map(|record| record.place)).unwrap_or_default();
    if name.has(RecordType::CNAME) {
        // RFC 4035 section 2.5 names the exceptions.
        let others = [RecordType::CNAME, RecordType::NSEC, RecordType::NSEC3];
        if let Some(kind) = kinds().find(|kind| !others.contains(kind)) {
            flaws.push(place(RecordType::CNAME).flaw(
                format!("{} has a CNAME and a {kind}", name.name()),
                "an alias has no other records (RFC 1034 section 3.6.2)",
            ));
        }
    }
    if name.has(RecordType::DNAME) && name.has(RecordType::NS) && !name.key().is_empty() {
        flaws.push(place(RecordType::DNAME).flaw(
            format!("{} has a DNAME and an NS", name.name()),
            "a name below belongs to the child or is somewhere else, not both (RFC 6672 section 2.3)",
        ));
    }
}

/// The zone needs name servers; and those that are found only through this zone need addresses in it.
fn judge_name_servers(sorted: &Sorted<'_>, name: &NameGroup<'_>, apex: &[u8], flaws: &mut Vec<Flaw>) {
    let Some(servers) = name.set(RecordType::NS) else {
        if name.key().is_empty() {
            let first = name.sets().filter_map(|set| set.first().map(|record| record.place)).min();
            flaws.push(first.unwrap_or_default().flaw(
                format!("{} has no NS record", name.name()),
                "name the servers of the zone: `@ NS ns1`",
            ));
        }
        return;
    };
    for (record, data) in servers.records() {
        let key = crate::order::SortKey::of(data);
        let below = key.as_slice().strip_prefix(apex).filter(|key| key.starts_with(name.key()));
        let has_address = |key| {
            let found = sorted.find(key);
            found.is_some_and(|found| found.has(RecordType::A) || found.has(RecordType::AAAA))
        };
        if below.is_some_and(|key| !has_address(key)) {
            let (server, zone) = (rdata::shown_name(data), name.name());
            flaws.push(record.place.flaw(
                format!("the name server {server} is in {zone}, but has no address"),
                "give it an A or AAAA record (an alias does not do, RFC 2181 section 10.3)",
            ));
        }
    }
}
