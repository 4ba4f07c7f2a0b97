//! What must hold for any octets: the bodies of the fuzz targets, run by the property tests and over the corpora too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use terms::{DomainName, Record, RecordType, SharedKey, WallTime};
use transfer::{
    Algorithm, Catalog, Client, Conversation, Journal, Key, Keys, Membership, Operation, Piece, Policy,
    Progress, Reader, Reading, Request, Torn,
};

/// Runs a body over the files that are kept for a fuzz target.
pub(crate) fn corpus(target: &str, body: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        body(&std::fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

/// Octets as the messages of a transfer, each behind its length, whose numbers are made right. The first octet chooses
/// what was asked for.
pub(crate) fn stream(octets: &[u8]) {
    let Some((&choice, mut rest)) = octets.split_first() else { return };
    let since = [None, Some(1), Some(7)][usize::from(choice) % 3];
    let most = 4096;
    let zone: terms::DomainName = "example.".parse().unwrap();
    let mut reader = Reader::new(zone.clone(), 7, since, most);
    let (mut taken, mut ended) = (0, false);
    let (mut whole, mut serials) = (0, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (message, after) = after.split_at(length);
        rest = after;
        let mut message = message.to_vec();
        if let Some(header) = message.first_chunk_mut::<4>() {
            *header = [0, 7, 0x84, 0];
        }
        let result = reader.read(&message, |piece| {
            let record = match piece {
                Piece::Whole(record) => {
                    whole += 1;
                    record
                }
                Piece::Remove(record) | Piece::Add(record) => {
                    assert!(since.is_some(), "changes were not asked for");
                    record
                }
            };
            assert!(record.owner.is_within(&zone) && record.kind.is_data());
            taken += record.owner.as_wire().len() + record.data.len();
            serials.push(record.kind == terms::RecordType::SOA);
        });
        let Ok(progress) = result else { return };
        assert!(!ended, "nothing follows the end");
        assert!(taken <= most, "no more than may be");
        match progress {
            Progress::More => {}
            Progress::Current => assert!(since.is_some()),
            Progress::Whole(_) => {
                assert!(whole > 0 && serials[0], "a zone begins with its SOA record");
                ended = true;
            }
            Progress::Changed(_) => {
                assert_eq!(serials.iter().filter(|&&is_soa| is_soa).count() % 2, 0, "one out, one in");
                ended = true;
            }
        }
    }
}

/// Any octets as a request: it is judged, and what is answered is a reply.
pub(crate) fn request(octets: &[u8]) {
    let secret = SharedKey::new("swordfish").unwrap();
    let key = Arc::new(Key::new("key.".parse().unwrap(), Algorithm::HmacSha256, secret));
    let keys: Keys = BTreeMap::from([(key.name().clone(), key)]);
    let mut message = octets.to_vec();
    match Conversation::accept(&mut message, &keys, WallTime(1_800_000_000_000)) {
        Ok(None) => assert_eq!(message, octets),
        Ok(Some(_)) => assert!(message.len() < octets.len()),
        Err(rejection) => {
            let reply = rejection.reply(&message);
            assert!(reply.len() >= 12 && reply[2] & 0x80 != 0 && reply[3] != 0);
            let is_signed = rejection.why == transfer::SignatureError::Time;
            assert!(is_signed || reply.len() <= octets.len().max(12), "nothing is amplified");
            return;
        }
    }
    if let Ok(Request { operation, zone, .. }) = Request::of(&message) {
        assert!(!Policy::default().allows(Client::new("192.0.2.1".parse().unwrap(), None)));
        if let Operation::Since(_) = operation {
            assert!(message.len() > 12 + zone.as_wire().len() + 4);
        }
        let reply = transfer::acknowledge(&message, 5, &[]);
        assert!(message[12..].starts_with(&reply[12..]), "the question is repeated as it came");
    }
}

/// Octets as the records of a catalog: each an owner below the catalog, a choice of type, and data behind its length.
pub(crate) fn catalog(mut octets: &[u8]) {
    let zone: DomainName = "c.".parse().unwrap();
    let mut records = Vec::new();
    while let Some((owner, after)) = behind_length(octets) {
        let Some((&kind, after)) = after.split_first() else { break };
        let Some((data, after)) = behind_length(after) else { break };
        octets = after;
        let kind = [RecordType::PTR, RecordType::TXT, RecordType::SOA][usize::from(kind) % 3];
        let Ok(owner) = DomainName::from_wire(&[owner, zone.as_wire()].concat()) else { continue };
        records.push(Record { owner, kind, ttl: 0, data: data.into() });
    }
    let groups = BTreeSet::from(["g".to_owned()]);
    let most = 3;
    let Ok(catalog) = Catalog::of(&zone, records.clone(), Reading { groups: &groups, most }) else { return };
    assert!(catalog.members().len() <= most);
    for (member, listed) in catalog.members() {
        let points = |record: &&Record| record.kind == RecordType::PTR && *record.data == *member.as_wire();
        assert!(records.iter().any(|record| points(&record)), "{member} is not in it");
        assert!(listed.group.as_deref().is_none_or(|group| group == "g"));
    }
    let said = BTreeMap::from([(zone, Some(catalog.clone()))]);
    let step = Membership::default().next(&said, &BTreeSet::new());
    assert_eq!(step.membership.iter().len(), catalog.members().len());
    assert_eq!(Membership::parse(&step.membership.text()), (step.membership, None));
}

/// Octets as a journal's file, and as the steps of one, each behind its length, whose checksums are made right: what is
/// good of it is written and read again.
pub(crate) fn journal(octets: &[u8]) {
    let (mut file, mut rest) = (Journal::default().file(), octets);
    while let Some((step, after)) = behind_length(rest) {
        rest = after;
        file.extend((step.len() as u32).to_le_bytes());
        file.extend(crc32fast::hash(step).to_le_bytes());
        file.extend(step);
    }
    for file in [octets, &file] {
        let (journal, torn) = Journal::read(file);
        assert!(torn.is_none_or(|Torn(at)| at <= file.len()));
        let (again, torn) = Journal::read(&journal.file());
        assert_eq!((again.end(), torn), (journal.end(), None));
        assert_eq!(again.file(), journal.file());
    }
}

/// Octets behind one that says how many, and what follows them.
fn behind_length(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// Any text as the file of what catalogs list: what is read of it is written and read again.
pub(crate) fn members(octets: &[u8]) {
    let (membership, _) = Membership::parse(&String::from_utf8_lossy(octets));
    let (again, fault) = Membership::parse(&membership.text());
    assert_eq!(fault, None);
    assert!(again.iter().len() <= membership.iter().len());
}
