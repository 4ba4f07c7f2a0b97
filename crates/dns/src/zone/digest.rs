//! The digest that a zone carries of itself (ZONEMD, RFC 8976), checked when the zone is loaded.

use super::fault::Flaw;
use super::records::{NameGroup, Record, Sorted};
use ring::digest::{Algorithm, Context, SHA384, SHA512};
use std::fmt::Write;
use terms::{DomainName, NamesInData, RecordType};

/// The scheme that digests a zone as a whole, the only one there is (RFC 8976 section 5.2).
const SIMPLE: u8 = 1;
const CLASS_IN: u16 = 1;

/// What is wrong with the zone's digests. One that holds is enough; one of an unknown kind says nothing.
pub(super) fn judge(sorted: &Sorted<'_>, zone: &DomainName) -> Option<Flaw> {
    let apex = sorted.find(&[])?;
    let soa = apex.set(RecordType::SOA)?.records().next()?.1;
    let serial = soa.last_chunk::<20>()?.first_chunk::<4>()?;
    let mut failed = None;
    for (record, data) in apex.set(RecordType::ZONEMD)?.records() {
        let Some((algorithm, said)) = known(data) else { continue };
        if data[..4] != *serial {
            let of = u32::from_be_bytes([data[0], data[1], data[2], data[3]]);
            failed = Some(wrong(
                record,
                &format!(
                    "the digest is of serial {of}, but the SOA record says {}",
                    u32::from_be_bytes(*serial)
                ),
            ));
            continue;
        }
        let found = digest(sorted, zone, algorithm);
        if found == said {
            return None;
        }
        failed = Some(wrong(
            record,
            &format!("the zone's digest is {}, not what ZONEMD says", hexadecimal(&found)),
        ));
    }
    failed
}

fn wrong(record: &Record, message: &str) -> Flaw {
    record.place.flaw(
        message,
        "the file was changed or cut after it was digested: fetch or sign it again, or remove ZONEMD (RFC 8976)",
    )
}

/// The algorithm and the digest of a ZONEMD record, if it is of a kind that we know.
fn known(data: &[u8]) -> Option<(&'static Algorithm, &[u8])> {
    let (&[_, _, _, _, scheme, algorithm], digest) = data.split_first_chunk::<6>()?;
    match (scheme, algorithm) {
        (SIMPLE, 1) => Some((&SHA384, digest)),
        (SIMPLE, 2) => Some((&SHA512, digest)),
        _ => None,
    }
}

/// The digest of every record but ZONEMD and its signature, in canonical form and order (RFC 8976 section 3.3).
fn digest(sorted: &Sorted<'_>, zone: &DomainName, algorithm: &'static Algorithm) -> Vec<u8> {
    let mut context = Context::new(algorithm);
    let apex = zone.as_wire().to_ascii_lowercase();
    for name in sorted.names() {
        let owner = [crate::order::wire_of(name.key()), apex.clone()].concat();
        for (kind, ttl, data) in records_of(&name) {
            context.update(&owner);
            context.update(&kind.get().to_be_bytes());
            context.update(&CLASS_IN.to_be_bytes());
            context.update(&ttl.to_be_bytes());
            context.update(&(data.len() as u16).to_be_bytes());
            context.update(&data);
        }
    }
    context.finish().as_ref().to_vec()
}

/// The records of one name that count, in canonical form and order.
fn records_of(name: &NameGroup<'_>) -> Vec<(RecordType, u32, Vec<u8>)> {
    let counts = |kind| !(name.key().is_empty() && kind == RecordType::ZONEMD);
    let mut records: Vec<_> = name
        .sets()
        .filter(|set| counts(set.kind))
        .flat_map(|set| set.records().chain(set.signatures()))
        .map(|(record, data)| (record.kind, record.ttl, NamesInData::of(record.kind).canonical(data)))
        .collect();
    records.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
    records
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
