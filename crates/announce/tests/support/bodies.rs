//! What must hold for any octets in the store: the body of the fuzz target, run by the tests over its corpus too.

use announce::permit::{Record, Speaker};
use terms::{Reason, WallTime};

/// Reads octets as a record. What is one stays one under every change, and says the same after it was written.
pub fn record(octets: &[u8]) {
    let Ok(record) = Record::decode(octets) else { return };
    sound(&record);
    // A change in every microsecond gets there in 142 years; the last number has no next one.
    if record.serial() > 1 << 52 {
        return;
    }
    let why = Reason::from("because");
    let speakers: Vec<Speaker> = record
        .members()
        .iter()
        .take(8)
        .flat_map(|(site, member)| {
            member.hosts().keys().take(3).map(|host| Speaker { site: site.clone(), host: host.clone() })
        })
        .collect();
    for speaker in &speakers {
        let asked = [record.stand(speaker, None), record.ask(speaker, &why)];
        let ordered = [record.retire(&speaker.site), record.release(&speaker.site, &why)];
        let token = record.take_token(&speaker.site, &why, WallTime(0));
        asked.into_iter().chain(ordered).chain([token]).flatten().for_each(|next| sound(&next));
        sound(&record.fall(speaker, &why));
        sound(&record.hold(speaker, &why));
        sound(&record.greet(speaker));
        sound(&record.confirm(speaker, None));
        sound(&record.charge(speaker, &why));
    }
    sound(&record.suspect(&Record::empty()));
}

/// A record that exists can be written and read again, and its numbers agree.
pub fn sound(record: &Record) {
    assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(record));
    let away = u32::try_from(record.away().count()).unwrap_or(u32::MAX);
    assert!(record.taken() <= away && record.min_sites() >= 1);
    assert_eq!(record.free() > 0, record.taken() < record.slots());
    assert_eq!(record.debt() > 0, record.taken() > record.slots());
    for member in record.members().values() {
        assert_eq!(member.stands(), member.hosts().values().any(|host| host.stands));
    }
}
