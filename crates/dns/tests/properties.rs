//! What holds for every message and every zone file.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/bodies.rs"]
#[allow(dead_code)] // the bodies are shared by several tests
mod bodies;
#[path = "support/messages.rs"]
mod messages;

use messages::{Ask, AskEdns};
use proptest::prelude::*;
use terms::{DomainName, RecordType};

#[test]
fn corpus_of_queries() {
    bodies::corpus("dns_query", bodies::query);
}

#[test]
fn corpus_of_zones() {
    bodies::corpus("dns_zone", |octets| bodies::zone_file(&String::from_utf8_lossy(octets)));
}

fn name() -> impl Strategy<Value = DomainName> {
    let labels = prop::collection::vec("[a-zA-Z0-9_*-]{1,12}|www|ns1|empty|\\*|one|down|a|b|\\\\000", 0..6);
    let zone = prop::sample::select(vec![
        "example.",
        "EXAMPLE.",
        "big.example.",
        "server.",
        "bind.",
        "test.",
        ".",
        "parent.test.",
        "child.parent.test.",
        "moved.parent.test.",
        "wide.parent.test.",
    ]);
    (labels, zone).prop_map(|(labels, zone)| {
        let name = labels.iter().map(|label| format!("{label}.")).collect::<String>() + zone;
        name.trim_end_matches("..").parse().unwrap_or_else(|_| zone.parse().unwrap())
    })
}

fn edns() -> impl Strategy<Value = AskEdns> {
    let option = (prop_oneof![Just(3u16), Just(10), any::<u16>()], prop::collection::vec(any::<u8>(), 0..20));
    let version = prop_oneof![4 => Just(0u8), 1 => any::<u8>()];
    (any::<u16>(), version, prop_oneof![Just(0x8000u16), any::<u16>()], prop::collection::vec(option, 0..3))
        .prop_map(|(payload, version, flags, options)| AskEdns { payload, version, flags, options })
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let flags = prop_oneof![Just(0u16), Just(0x0100), any::<u16>()];
    let kind = prop_oneof![
        prop::sample::select(vec![
            1u16, 2, 5, 6, 12, 15, 16, 28, 33, 39, 43, 46, 47, 65, 255, 251, 252, 257, 65280
        ]),
        any::<u16>()
    ];
    let class = prop_oneof![8 => Just(1u16), 1 => Just(3), 1 => any::<u16>()];
    (any::<u16>(), flags, name(), kind, class, prop::option::of(edns())).prop_map(
        |(id, flags, name, kind, class, edns)| Ask {
            id,
            flags,
            name,
            kind: RecordType::new(kind),
            class,
            edns,
        },
    )
}

/// A file of real lines, some of them bent.
fn bent_zone() -> impl Strategy<Value = String> {
    let files = [include_str!("zones/example.zone"), include_str!("zones/faulty.zone")].concat();
    let lines: Vec<String> = files.lines().map(str::to_owned).collect();
    let bend = (any::<prop::sample::Index>(), "[ \t();\"\\\\a0.@$#*\n-]{0,3}", 0..4usize);
    let line =
        (prop::sample::select(lines), prop::collection::vec(bend, 0..2)).prop_map(|(mut line, bends)| {
            for (at, put, removed) in bends {
                let characters: Vec<char> = line.chars().collect();
                let at = at.index(characters.len() + 1);
                let after = &characters[(at + removed).min(characters.len())..];
                line = characters[..at]
                    .iter()
                    .chain(put.chars().collect::<Vec<_>>().iter())
                    .chain(after)
                    .collect();
            }
            line
        });
    let head = "$ORIGIN example.\n@ SOA ns.test. h 1 2 3 4 5\n NS ns.test.\n";
    (any::<bool>(), prop::collection::vec(line, 0..8)).prop_map(
        move |(whole, lines)| if whole { head.to_owned() } else { String::new() } + &lines.join("\n"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_query_gets_a_sound_reply(ask in any_ask()) {
        bodies::query(&ask.octets());
    }

    #[test]
    fn a_bent_query_gets_a_sound_reply(
        ask in any_ask(), bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut: prop::sample::Index
    ) {
        let mut octets = ask.octets();
        for (at, octet) in bends {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        bodies::query(&octets);
        octets.truncate(cut.index(octets.len() + 1));
        bodies::query(&octets);
    }

    #[test]
    fn any_octets_get_a_sound_reply_or_silence(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        bodies::query(&octets);
    }

    #[test]
    fn a_bent_zone_is_served_or_has_faults_with_places(text in bent_zone()) {
        bodies::zone_file(&text);
    }

    #[test]
    fn any_text_is_a_zone_or_has_faults(text in "(\\PC|[ \t\n();\"\\\\$@]){0,80}") {
        bodies::zone_file(&text);
    }
}
