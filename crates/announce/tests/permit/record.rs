//! A record under changes, and as octets.

use announce::permit::{Cause, Garbled, Record, Refusal, Speaker};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::num::NonZeroU32;
use std::path::Path;
use terms::{Reason, WallTime};

use crate::{bodies, speaker};

fn why() -> Reason {
    Reason::from("because")
}

/// A fleet of these hosts, all of which stand and rely on each other.
fn fleet(hosts: &[&str]) -> Record {
    let stand = |record: Record, host: &&str| record.stand(&speaker(host), None).unwrap();
    let joined = hosts.iter().fold(Record::empty(), stand);
    hosts.iter().fold(joined, |record, host| record.confirm(&speaker(host), None))
}

const FIVE: [&str; 5] = ["berlin", "london", "paris", "rome", "tokyo"];

fn refused(result: Result<Record, Refusal>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn three_of_five_may_go_and_the_fourth_is_told_who_has_gone() {
    let mut record = fleet(&FIVE);
    assert_eq!((record.min_sites(), record.slots()), (2, 3));
    for host in ["paris", "tokyo", "rome"] {
        record = record.ask(&speaker(host), &why()).unwrap();
    }
    assert_eq!(
        refused(record.ask(&speaker("london"), &why())),
        "3 of 5 sites may be away; paris, rome and tokyo are"
    );
    let record = record.stand(&speaker("rome"), None).unwrap();
    assert_eq!(record.ask(&speaker("london"), &why()).unwrap().free(), 0);
}

#[test]
fn only_the_last_host_of_a_site_takes_a_slot() {
    let record = fleet(&["london", "london-2", "paris"]);
    assert_eq!(record.slots(), 1);
    let one = record.ask(&speaker("london"), &why()).unwrap();
    assert_eq!((one.taken(), one.members()[&speaker("london").site].stands()), (0, true));
    let both = one.ask(&speaker("london-2"), &why()).unwrap();
    assert_eq!(both.taken(), 1);
    assert_eq!(refused(both.ask(&speaker("paris"), &why())), "1 of 2 sites may be away; london is");
    let back = both.stand(&speaker("london"), None).unwrap();
    assert_eq!((back.taken(), back.stands(&speaker("london-2").site, &speaker("london-2").host)), (0, false));
}

#[test]
fn a_charge_takes_a_slot_even_if_none_is_free_and_the_debt_blocks_everybody() {
    let mut record = fleet(&["london", "paris", "tokyo"]);
    for host in ["paris", "tokyo", "london"] {
        record = record.charge(&speaker(host), &why());
    }
    assert_eq!((record.slots(), record.taken(), record.debt()), (2, 3, 1));
    let record = record.stand(&speaker("london"), None).unwrap().confirm(&speaker("london"), None);
    assert_eq!((record.debt(), record.charges().count()), (0, 2));
    assert_eq!(
        refused(record.ask(&speaker("london"), &why())),
        "2 of 3 sites may be away; paris and tokyo are"
    );
}

#[test]
fn the_largest_min_sites_counts() {
    let three = NonZeroU32::new(3);
    let record = fleet(&FIVE).confirm(&speaker("rome"), three);
    assert_eq!((record.min_sites(), record.slots(), record.disagreement()), (3, 2, Some((2, 3))));
}

#[test]
fn who_was_out_of_contact_waits_for_those_who_have_not_spoken_since() {
    let record = fleet(&["london", "paris", "tokyo"]).greet(&speaker("london"));
    assert_eq!(
        refused(record.ask(&speaker("london"), &why())),
        "paris/paris and tokyo/tokyo must confirm first: what the record says of them may be older than the truth"
    );
    assert!(record.ask(&speaker("paris"), &why()).is_ok(), "paris has seen everything");
    let record = record.confirm(&speaker("paris"), None).charge(&speaker("tokyo"), &why());
    assert!(record.ask(&speaker("london"), &why()).is_ok(), "who is charged is not relied on");
}

#[test]
fn after_a_restore_nobody_goes_before_all_have_confirmed_and_no_member_is_forgotten() {
    let backup = fleet(&["london", "paris", "tokyo"]);
    let lost = backup.stand(&speaker("rome"), None).unwrap().ask(&speaker("paris"), &why()).unwrap();
    let record = backup.suspect(&lost);
    assert!(record.serial() > lost.serial() && record.member(&speaker("rome").site).is_some());
    for host in ["london", "paris", "tokyo"] {
        assert!(refused(record.ask(&speaker(host), &why())).contains("must confirm first"));
    }
    let record = record.hold(&speaker("paris"), &why());
    let record = ["london", "rome"].iter().fold(record, |record, host| record.confirm(&speaker(host), None));
    assert_eq!(record.unconfirmed(0).count(), 1, "tokyo is still silent");
    assert!(record.confirm(&speaker("tokyo"), None).ask(&speaker("london"), &why()).is_ok());
}

#[test]
fn the_operator_frees_a_permit_and_retires_who_is_gone() {
    let record = fleet(&["london", "paris"]);
    let (london, paris) = (speaker("london"), speaker("paris"));
    assert_eq!(refused(record.release(&london.site, &why())), "london holds no permit");
    assert_eq!(
        refused(record.retire(&london.site)),
        "london still stands (london): withdraw it there first, or wait until its lease has lapsed"
    );
    assert_eq!(
        refused(record.retire(&speaker("rome").site)),
        "rome is no member: it was never up, or it is retired"
    );
    let away = record.ask(&london, &why()).unwrap();
    let waived = away.release(&london.site, &why()).unwrap();
    assert_eq!(
        (waived.taken(), waived.member(&london.site).unwrap().away().unwrap().cause),
        (0, Cause::Waived)
    );
    assert!(waived.ask(&paris, &why()).is_ok());
    let retired = away.retire(&london.site).unwrap();
    assert_eq!((retired.members().len(), retired.slots(), retired.taken()), (1, 0, 0));
}

#[test]
fn operators_touch_a_quarter_of_the_sites_in_ten_minutes() {
    let record = fleet(&FIVE);
    let take = |record: &Record, site: &str, minute: u64| {
        record.take_token(&speaker(site).site, &why(), WallTime(minute * 60_000))
    };
    let record = take(&take(&record, "london", 0).unwrap(), "paris", 5).unwrap();
    assert!(take(&record, "london", 6).is_ok(), "its own token still counts");
    let has = |minute: u64| record.has_token(&speaker("london").site, WallTime(minute * 60_000));
    assert_eq!([0, 9, 10].map(has), [true, true, false]);
    assert_eq!(
        refused(take(&record, "rome", 9)),
        "operators act on at most 2 of 5 sites in ten minutes, and have acted at london until 00:10:00 UTC (because) and \
         paris until 00:15:00 UTC (because)"
    );
    let later = take(&record, "rome", 10).unwrap();
    assert_eq!(later.tokens().keys().map(ToString::to_string).collect::<Vec<_>>(), ["paris", "rome"]);
    assert!(take(&record.return_token(&speaker("paris").site), "rome", 9).is_ok());
    // A clock that ran ahead by a year locks nobody out for longer than ten minutes from now.
    let ahead = take(&take(&fleet(&FIVE), "london", 600_000).unwrap(), "paris", 0).unwrap();
    assert!(take(&ahead, "rome", 10).is_ok());
    let stamped = take(&fleet(&FIVE), "london", 600_000).unwrap();
    assert!(!stamped.has_token(&speaker("london").site, WallTime(0)), "it is to be shortened first");
}

#[test]
fn what_is_no_record_is_answered_with_the_reason() {
    let sound = String::from_utf8(fleet(&["london"]).encode()).unwrap();
    let garble = |from: &str, to: &str| {
        let text = sound.replace(from, to);
        assert_ne!(text, sound, "{from}");
        Record::decode(text.as_bytes()).unwrap_err().to_string()
    };
    let answers = [
        garble(r#""schema":1"#, r#""schema":2"#),
        garble("london", "London"),
        garble(r#""stands":true"#, r#""stands":false"#),
        garble(r#""serial":2"#, r#""serial":1"#),
        garble(r#""serial":2"#, r#""serial":9007199254740993"#),
        garble(r#""doubt":0"#, r#""doubt":9"#),
        garble(r#""tokens""#, r#""coins""#),
        Record::decode(b"\xff\x00").unwrap_err().to_string(),
        Record::decode(&vec![b' '; Record::MAX_OCTETS + 1]).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(answers.join("\n"));
    assert!(matches!(Record::decode(b"[]"), Err(Garbled::Form(_))));
}

#[test]
fn the_form_of_a_record() {
    let record =
        fleet(&["london", "london-2", "paris"]).ask(&speaker("paris"), &Reason::from("a new line card"));
    let record = record.unwrap().confirm(&speaker("london"), NonZeroU32::new(1));
    let record =
        record.take_token(&speaker("paris").site, &Reason::from("alice drains"), WallTime(1_000)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&record).unwrap());
}

#[test]
fn the_largest_record_fits_and_takes_nobody_more() {
    let longest = "\u{10ffff}".repeat(Record::MAX_WHY);
    let serial = (1_u64 << 53) - 2;
    let line = json!({"stands": false, "confirmed": serial, "doubt": serial, "min_sites": u32::MAX});
    let away = json!({"cause": "permit", "since": serial, "why": longest});
    let host = |site: usize, host: usize| format!("{site:0>32}{host:0>31}");
    let member = |site| {
        (format!("{site:0>63}"), json!({"hosts": {host(site, 0): line, host(site, 1): line}, "away": away}))
    };
    let token = |site| (format!("{site:0>63}"), json!({"why": longest, "until": u64::MAX}));
    let members: serde_json::Map<_, _> = (0..Record::MAX_SITES).map(member).collect();
    let tokens: serde_json::Map<_, _> = (0..Record::MAX_SITES / 4).map(token).collect();
    let record =
        json!({"schema": 1, "serial": serial, "doubt": serial, "members": members, "tokens": tokens});
    let record: Record = serde_json::from_value(record).unwrap();
    let octets = record.encode();
    assert!(octets.len() < Record::MAX_OCTETS, "{}", octets.len());
    assert_eq!(Record::decode(&octets).unwrap(), record);
    for newcomer in ["london", "london-2"] {
        assert!(matches!(record.stand(&speaker(newcomer), None), Err(Refusal::Full { .. })));
    }
    let (site, _) = record.members().first_key_value().unwrap();
    let third = Speaker { site: site.clone(), host: "third".parse().unwrap() };
    assert!(matches!(record.stand(&third, None), Err(Refusal::Full { .. })));
}

/// One change of a small fleet.
#[derive(Clone, Debug)]
enum Change {
    Stand(usize),
    Ask(usize),
    Fall(usize),
    Hold(usize),
    Greet(usize),
    Confirm(usize, u32),
    Charge(usize),
    Release(usize),
    Retire(usize),
    Suspect(usize),
    Token(usize, u64),
}

const HOSTS: [&str; 7] = ["berlin", "london", "london-2", "london-3", "paris", "rome", "rome-2"];

fn any_change() -> impl Strategy<Value = Change> {
    let host = 0..HOSTS.len();
    prop_oneof![
        8 => host.clone().prop_map(Change::Stand),
        6 => host.clone().prop_map(Change::Ask),
        1 => host.clone().prop_map(Change::Fall),
        1 => host.clone().prop_map(Change::Hold),
        1 => host.clone().prop_map(Change::Greet),
        6 => (host.clone(), 0_u32..4).prop_map(|(host, min_sites)| Change::Confirm(host, min_sites)),
        2 => host.clone().prop_map(Change::Charge),
        1 => host.clone().prop_map(Change::Release),
        1 => host.clone().prop_map(Change::Retire),
        1 => (0_usize..8).prop_map(Change::Suspect),
        1 => (host, 0_u64..2_000_000).prop_map(|(host, now)| Change::Token(host, now)),
    ]
}

fn change(record: &Record, earlier: &[Record], change: &Change) -> Result<Record, Refusal> {
    let of = |host: &usize| speaker(HOSTS[*host]);
    match change {
        Change::Stand(host) => record.stand(&of(host), None),
        Change::Ask(host) => record.ask(&of(host), &why()),
        Change::Fall(host) => Ok(record.fall(&of(host), &why())),
        Change::Hold(host) => Ok(record.hold(&of(host), &why())),
        Change::Greet(host) => Ok(record.greet(&of(host))),
        Change::Confirm(host, min_sites) => Ok(record.confirm(&of(host), NonZeroU32::new(*min_sites))),
        Change::Charge(host) => Ok(record.charge(&of(host), &why())),
        Change::Release(host) => record.release(&of(host).site, &why()),
        Change::Retire(host) => record.retire(&of(host).site),
        Change::Suspect(back) => Ok(earlier.iter().rev().nth(*back).unwrap_or(record).suspect(record)),
        Change::Token(host, now) => record.take_token(&of(host).site, &why(), WallTime(*now)),
    }
}

proptest! {
    #[test]
    fn every_change_keeps_a_record_sound(changes in vec(any_change(), 1..60)) {
        let mut records = vec![Record::empty()];
        for step in &changes {
            let record = records.last().unwrap();
            let Ok(next) = change(record, &records, step) else { continue };
            bodies::sound(&next);
            prop_assert!(next == *record || next.serial() > record.serial(), "{:?} adds to the serial", step);
            match step {
                Change::Ask(_) => {
                    prop_assert!(next.taken() <= next.slots() || next.taken() <= record.taken());
                }
                Change::Stand(_) | Change::Release(_) => prop_assert!(next.taken() <= record.taken()),
                Change::Charge(_) | Change::Fall(_) | Change::Hold(_) => {
                    prop_assert!(next.taken() >= record.taken());
                }
                _ => {}
            }
            records.push(next);
        }
    }

    #[test]
    fn any_octets_are_a_sound_record_or_none(octets in vec(any::<u8>(), 0..200)) {
        bodies::record(&octets);
    }

    #[test]
    fn a_garbled_record_is_a_sound_record_or_none(place in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = fleet(&HOSTS).ask(&speaker("paris"), &why()).unwrap().encode();
        *place.get_mut(&mut octets) = octet;
        bodies::record(&octets);
    }
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/permit_record");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        bodies::record(&std::fs::read(file.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 5, "the corpus is there");
}
