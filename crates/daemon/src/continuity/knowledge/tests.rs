//! The keys that the store has, has lost, or has in a form that nobody understands.

use super::*;
use ::fleet::{Connection, Listing};
use std::num::NonZeroU16;

const HOUR: Duration = Duration::from_secs(3600);

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

fn knowledge() -> Knowledge {
    let section = config::Continuity {
        number: SiteNumber::try_from(1).unwrap(),
        interfaces: Vec::new(),
        source4: Some("10.0.0.1".parse().unwrap()),
        source6: None,
        port: NonZeroU16::new(9057).unwrap(),
        mtu: 1500,
        budget: NonZeroU32::new(1000).unwrap(),
        connections: 1000,
        pins: "/sys/fs/bpf/catchment".into(),
    };
    let wanted = Wanted { section, services: BTreeSet::new(), at: None };
    let speaker = Speaker { site: "london".parse().unwrap(), host: "london".parse().unwrap() };
    Knowledge::new(wanted, &speaker, Duration::from_secs(10), WallTime(0))
}

fn entry(value: Vec<u8>) -> Entry {
    Entry { key: Key::continuity_keys(), revision: Revision(7), value }
}

fn everything(entries: Vec<Entry>) -> Heard {
    Heard::Everything(Listing { over: Connection(1), at: Revision(7), entries })
}

fn revision(known: &Knowledge) -> Option<Revision> {
    known.keys.as_ref().unwrap().revision
}

#[test]
fn keys_that_the_store_has_lost_are_put_back_at_once() {
    for lost in [Heard::Gone(Key::continuity_keys()), everything(Vec::new())] {
        let (mut known, keys) = (knowledge(), Keys::fresh());
        known.hear(everything(vec![entry(keys.encode())]), at(100));
        assert_eq!((revision(&known), known.step_at), (Some(Revision(7)), at(100) + HOUR));
        known.hear(lost, at(200));
        assert_eq!(
            (revision(&known), known.step_at),
            (None, at(200)),
            "the next step puts the same ones back"
        );
        assert_eq!(known.keys.as_ref().unwrap().keys, keys);
        known.hear(Heard::Put(entry(keys.encode())), at(201));
        assert_eq!((revision(&known), known.step_at), (Some(Revision(7)), at(201) + HOUR));
    }
}

#[test]
fn keys_that_are_not_understood_are_noticed_until_they_have_gone_or_others_come() {
    for better in [
        Heard::Gone(Key::continuity_keys()),
        everything(Vec::new()),
        Heard::Put(entry(Keys::fresh().encode())),
    ] {
        let mut known = knowledge();
        known.hear(everything(vec![entry(b"{}".to_vec())]), at(100));
        assert!(known.are_keys_strange && known.keys.is_none());
        known.hear(better, at(200));
        assert!(!known.are_keys_strange);
    }
}
