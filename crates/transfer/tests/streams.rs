//! What is written is read; what is read is whole, or a fault says why not.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use std::collections::BTreeSet;
use terms::{Authority, DomainName, Record, RecordType};
use transfer::{
    Difference, Fault, Journal, Piece, Progress, Question, Reader, Request, Torn, Writer, authority_in,
};

fn zone() -> DomainName {
    "Example.".parse().unwrap()
}

fn record(owner: &str, kind: RecordType, data: &[u8]) -> Record {
    let owner = DomainName::parse_below(owner, &zone()).unwrap();
    Record { owner, kind, ttl: 3600, data: data.into() }
}

fn soa(serial: u32) -> Record {
    let numbers = [serial, 3600, 900, 604_800, 300];
    let data = [&b"\x02ns\x07example\0\x04host\x07example\0"[..], &numbers.map(u32::to_be_bytes).concat()];
    Record { owner: zone(), ..record("x", RecordType::SOA, &data.concat()) }
}

fn write(question: Question<'_>, records: Vec<Record>) -> Vec<Vec<u8>> {
    let query = question.message(7, &zone());
    let request = Request::of(&query).unwrap();
    Writer::new(&query, request.id, request.zone, Vec::new(), records.into_iter()).collect()
}

/// The newer version, from the older one.
fn apply(difference: &Difference, old: impl IntoIterator<Item = Record>) -> BTreeSet<Record> {
    let mut records: BTreeSet<Record> = old.into_iter().collect();
    assert!(difference.removed().all(|record| records.remove(record)));
    assert!(difference.added().all(|record| records.insert(record.clone())));
    records
}

/// The pieces of a transfer, and how it ended.
fn read(since: Option<u32>, messages: &[Vec<u8>]) -> Result<(Vec<Piece>, Progress), Fault> {
    let mut reader = Reader::new(zone(), 7, since, 1 << 24);
    let (mut pieces, mut progress) = (Vec::new(), Progress::More);
    for message in messages {
        progress = reader.read(message, |piece| pieces.push(piece))?;
    }
    Ok((pieces, progress))
}

fn authority(serial: u32) -> Authority {
    Authority::of(&soa(serial).data).unwrap()
}

/// Records below the apex, each once.
fn records() -> impl Strategy<Value = BTreeSet<Record>> {
    let label = prop_oneof![Just("www"), Just("WWW"), Just("a.b"), Just("*"), Just("mail")];
    let record = (label, 0u8..4, prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(label, kind, text)| {
        let name = [&b"\x02nS\x07eXample\0"[..], b"\x05other\0", b"\0"][text.len() % 3];
        match kind {
            0 => record(label, RecordType::A, &[192, 0, 2, text.len() as u8]),
            1 => record(label, RecordType::MX, &[&[0, 10][..], name].concat()),
            2 => record(label, RecordType::new(65280), &text),
            _ => record(label, RecordType::TXT, &[&[text.len() as u8][..], &text].concat()),
        }
    });
    prop::collection::btree_set(record, 0..30)
}

#[test]
fn a_zone_of_many_messages_is_read_as_it_was_written() {
    let long = [&[255][..], &[b'x'; 255]].concat().repeat(4);
    let mut records: Vec<Record> =
        (0..2000).map(|n| record(&format!("n{n}"), RecordType::TXT, &long)).collect();
    // Larger than a message of ours usually is.
    records.push(record("large", RecordType::new(65280), &[7; 60_000]));
    let all = [vec![soa(7)], records, vec![soa(7)]].concat();
    let messages = write(Question::Whole, all.clone());
    assert!(messages.len() > 100, "{}", messages.len());
    let (pieces, progress) = read(None, &messages).unwrap();
    assert_eq!(progress, Progress::Whole(authority(7)));
    let whole: Vec<Piece> = all[..all.len() - 1].iter().cloned().map(Piece::Whole).collect();
    assert!(pieces == whole);
    // Cut anywhere, it has not ended.
    for end in [1, 50, messages.len() - 1] {
        assert_eq!(read(None, &messages[..end]).unwrap().1, Progress::More);
    }
}

#[test]
fn changes_are_read_step_by_step() {
    let (a, b) = (record("a", RecordType::A, &[192, 0, 2, 1]), record("b", RecordType::A, &[192, 0, 2, 2]));
    let steps =
        vec![soa(3), soa(1), a.clone(), soa(2), b.clone(), soa(2), b.clone(), soa(3), a.clone(), soa(3)];
    let messages = write(Question::Since(&soa(1)), steps);
    let (pieces, progress) = read(Some(1), &messages).unwrap();
    assert_eq!(progress, Progress::Changed(authority(3)));
    let mut difference = Difference::default();
    pieces.into_iter().for_each(|piece| difference.take(piece));
    let new = apply(&difference, [soa(1), a.clone()]);
    assert_eq!(new, BTreeSet::from([a, soa(3)]), "what came and went is not there");
}

#[test]
fn the_reply_to_a_question_for_changes_may_be_anything() {
    let a = record("a", RecordType::A, &[192, 0, 2, 1]);
    let since = soa(5);
    let ask = |records: Vec<Record>| read(Some(5), &write(Question::Since(&since), records));
    assert_eq!(ask(vec![soa(5)]).unwrap().1, Progress::Current);
    let older = Fault::Older { theirs: 4, ours: 5 };
    assert_eq!(ask(vec![soa(4)]).unwrap_err(), older, "it lags behind");
    assert_eq!(ask(vec![soa(4), a.clone(), soa(4)]).unwrap_err(), older, "nor does the zone go back");
    let far = 5 + (1 << 31);
    assert_eq!(ask(vec![soa(far)]).unwrap_err(), Fault::Older { theirs: far, ours: 5 }, "nobody can say");
    assert_eq!(ask(vec![soa(6)]).unwrap().1, Progress::More, "newer, and the rest is on its way");
    assert_eq!(ask(vec![soa(6), a.clone(), soa(6)]).unwrap().1, Progress::Whole(authority(6)));
    assert_eq!(ask(vec![soa(6), soa(6)]).unwrap().1, Progress::Whole(authority(6)), "nothing but SOA");
    assert_eq!(ask(vec![soa(6), soa(5), soa(6), soa(6)]).unwrap().1, Progress::Changed(authority(6)));
}

#[test]
fn what_is_no_transfer_is_refused() {
    let a = record("a", RecordType::A, &[192, 0, 2, 1]);
    let outside = Record { owner: "other.".parse().unwrap(), ..a.clone() };
    let whole = |records: Vec<Record>| read(None, &write(Question::Whole, records)).unwrap_err();
    let since = soa(5);
    let changes = |records: Vec<Record>| read(Some(5), &write(Question::Since(&since), records)).unwrap_err();
    assert_eq!(whole(vec![a.clone()]), Fault::NoBeginning);
    assert_eq!(whole(vec![soa(1), outside, soa(1)]), Fault::Outside("other.".parse().unwrap()));
    assert_eq!(whole(vec![soa(1), a.clone(), soa(2)]), Fault::Gap { wanted: 1, found: 2 });
    assert_eq!(whole(vec![soa(1), a.clone(), soa(1), a.clone()]), Fault::BeyondTheEnd);
    assert_eq!(changes(vec![soa(9), soa(4), soa(9), soa(9)]), Fault::Gap { wanted: 5, found: 4 });
    assert_eq!(changes(vec![soa(9), soa(5), soa(6), soa(7)]), Fault::Gap { wanted: 6, found: 7 });
    let inner = Record { owner: "sub.example.".parse().unwrap(), ..soa(1) };
    assert_eq!(whole(vec![soa(1), inner, soa(1)]), Fault::Outside("sub.example.".parse().unwrap()));
    let opt = Record { kind: RecordType::OPT, ..a.clone() };
    assert_eq!(whole(vec![soa(1), opt, soa(1)]), Fault::NoZoneData(RecordType::OPT));

    let mut messages = write(Question::Whole, vec![soa(1), a, soa(1)]);
    assert!(messages[0].len() < 256);
    let mut reader = Reader::new(zone(), 7, None, 256);
    assert_eq!(reader.read(&messages[0], |_| {}), Err(Fault::TooLarge(256)), "what is kept is larger");
    messages[0][3] = 5;
    assert_eq!(read(None, &messages), Err(Fault::Refused(5)));
    messages[0][..4].copy_from_slice(&[0, 8, 0x84, 0]);
    assert_eq!(read(None, &messages), Err(Fault::NotTheReply), "another number");
    messages[0][..4].copy_from_slice(&[0, 7, 0x04, 0]);
    assert_eq!(read(None, &messages), Err(Fault::NotTheReply), "no reply");
    messages[0][2] = 0x86;
    assert_eq!(read(None, &messages), Err(Fault::Malformed), "truncated");
}

#[test]
fn a_journal_knows_the_way_from_every_version_that_it_has_seen() {
    let version = |serial: u32| {
        let name = format!("n{serial}");
        vec![soa(serial), record(&name, RecordType::A, &[192, 0, 2, serial as u8])]
    };
    let step = |from, to| Difference::between(version(from).into_iter(), version(to).into_iter());
    let mut journal = Journal::default();
    for serial in 1..5 {
        journal = journal.with(step(serial, serial + 1));
    }
    for from in 1..5 {
        let records: Vec<Record> = journal.since(from, &soa(5)).unwrap().collect();
        let (pieces, progress) = read(Some(from), &write(Question::Since(&soa(from)), records)).unwrap();
        assert_eq!(progress, Progress::Changed(authority(5)));
        let mut difference = Difference::default();
        pieces.into_iter().for_each(|piece| difference.take(piece));
        assert_eq!(apply(&difference, version(from)), BTreeSet::from_iter(version(5)));
    }
    assert!(journal.since(5, &soa(5)).is_none() && journal.since(0, &soa(5)).is_none());
    assert!(journal.since(1, &soa(6)).is_none(), "it does not lead to the version that is served");
    let jumped = journal.with(step(7, 8));
    assert!(jumped.since(4, &soa(8)).is_none() && jumped.since(7, &soa(8)).is_some(), "no way over a gap");
}

#[test]
fn a_journal_comes_back_from_its_file_as_far_as_that_is_good() {
    let version = |serial: u32| {
        let mut text = record("Text", RecordType::TXT, &[1, serial as u8]);
        text.ttl = serial;
        vec![soa(serial), text, record(&format!("n{serial}"), RecordType::A, &[192, 0, 2, 1])]
    };
    let step = |from, to| Difference::between(version(from).into_iter(), version(to).into_iter());
    let journal = (1..4).fold(Journal::default(), |journal, from| journal.with(step(from, from + 1)));
    let file = journal.file();
    let added = (1..4).fold(Journal::default().file(), |file, from| {
        [file, Journal::addition(&step(from, from + 1))].concat()
    });
    assert_eq!(file, added, "written at once, or step by step");
    let (again, torn) = Journal::read(&file);
    assert_eq!(torn, None);
    for from in 1..4 {
        let records = |journal: &Journal| journal.since(from, &soa(4)).unwrap().collect::<Vec<_>>();
        assert_eq!(records(&again), records(&journal));
        assert_eq!(again.folded(from).unwrap(), step(from, 4), "three steps are one");
    }
    assert_eq!((again.end(), again.folded(4), again.leads_from(4)), (Some(4), None, false));
    let ends = [
        8,
        8 + Journal::addition(&step(1, 2)).len(),
        file.len() - Journal::addition(&step(3, 4)).len(),
        file.len(),
    ];
    // The version that is good, and where what is not begins.
    let good = |at: usize| match ends.iter().rposition(|&end| end <= at) {
        None => (None, 0),
        Some(0) => (None, ends[0]),
        Some(whole) => (Some(whole as u32 + 1), ends[whole]),
    };
    for at in 0..file.len() {
        let (end, begin) = good(at);
        let (cut, torn) = Journal::read(&file[..at]);
        assert_eq!((cut.end(), torn), (end, (!ends.contains(&at)).then_some(Torn(begin))), "cut at {at}");
        let (bent, torn) = Journal::read(&[&file[..at], &[!file[at]], &file[at + 1..]].concat());
        assert_eq!((bent.end(), torn), (end, Some(Torn(begin))), "bent at {at}");
    }
}

#[test]
fn a_journal_is_bounded() {
    let version = |serial: u32, octets: usize| {
        let text = record("large", RecordType::new(65280), &vec![serial as u8; octets]);
        vec![soa(serial), text]
    };
    let filled = |octets: usize| {
        let mut journal = Journal::default();
        for serial in 1..1200 {
            let (old, new) = (version(serial, octets), version(serial + 1, octets));
            journal = journal.with(Difference::between(old.into_iter(), new.into_iter()));
        }
        (1..1200).filter(|&serial| journal.since(serial, &soa(1200)).is_some()).count()
    };
    assert_eq!(filled(10), 1000, "so many steps");
    assert!((10..1000).contains(&filled(60_000)), "so many octets: {}", filled(60_000));
}

#[test]
fn a_file_never_has_more_than_twice_what_is_kept() {
    let step = |from| Difference::between(std::iter::once(soa(from)), std::iter::once(soa(from + 1)));
    let (mut journal, mut in_file) = (Journal::default(), 0);
    for serial in 1..4500 {
        journal = journal.with(step(serial));
        in_file = if journal.wants_another_file() { serial.min(1000) } else { in_file + 1 };
        assert!(in_file < 2000, "{serial}");
    }
    assert_eq!(in_file, 1499, "it is added to, mostly");
    let large = |kind| (0..300).map(move |n| record(&format!("n{n}"), RecordType::new(kind), &[0; 60_000]));
    let (old, new) =
        (std::iter::once(soa(4500)).chain(large(65280)), std::iter::once(soa(4501)).chain(large(65281)));
    let emptied = journal.with(Difference::between(old, new));
    assert!(emptied.end().is_none() && emptied.wants_another_file(), "more than is kept");
}

proptest! {
    #[test]
    fn what_is_written_is_read(records in records(), serial in any::<u32>()) {
        let all: Vec<Record> = [vec![soa(serial)], records.into_iter().collect(), vec![soa(serial)]].concat();
        let (pieces, progress) = read(None, &write(Question::Whole, all.clone())).unwrap();
        prop_assert_eq!(progress, Progress::Whole(authority(serial)));
        let whole: Vec<Piece> = all[..all.len() - 1].iter().cloned().map(Piece::Whole).collect();
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn a_difference_leads_from_the_old_version_to_the_new_one(old in records(), new in records()) {
        let with = |serial, records: &BTreeSet<Record>| {
            std::iter::once(soa(serial)).chain(records.iter().cloned()).collect::<Vec<_>>()
        };
        let (old, new) = (with(1, &old), with(2, &new));
        let difference = Difference::between(old.iter().cloned(), new.iter().cloned());
        prop_assert_eq!(apply(&difference, old), BTreeSet::from_iter(new));
    }
}

#[test]
fn a_server_says_which_version_it_has() {
    let reply = |asked: &str, answer: Vec<Record>| {
        let mut message = write(Question::Version, answer).remove(0);
        let asked: DomainName = asked.parse().unwrap();
        assert_eq!(asked.as_wire().len(), zone().as_wire().len());
        message[12..12 + asked.as_wire().len()].copy_from_slice(asked.as_wire());
        authority_in(&message, 7, &zone(), Some(5))
    };
    let right = zone().to_string();
    assert_eq!(reply(&right, vec![soa(5)]), Ok(authority(5)));
    assert_eq!(reply(&right, vec![soa(6)]), Ok(authority(6)));
    assert_eq!(reply(&right, vec![soa(4)]), Err(Fault::Older { theirs: 4, ours: 5 }));
    assert_eq!(reply(&right.replace('e', "f"), vec![soa(6)]), Err(Fault::NotTheReply), "of another zone");
    assert_eq!(reply(&right, vec![record("a", RecordType::A, &[192, 0, 2, 1])]), Err(Fault::Malformed));
}
