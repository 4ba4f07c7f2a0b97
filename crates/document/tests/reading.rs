//! Files with every kind of fault, and files made of anything.

use document::{Document, Faults, Source, Style, Table};
use proptest::prelude::*;
use std::time::Duration;
use terms::{Asn, PeerName, Prefix};

type Peer = (PeerName, Asn, Duration, Vec<Prefix>);

fn peer(table: &Table) -> Option<Peer> {
    let name = table.required("name").parse();
    let asn = table.required("asn").number();
    let bounds = Duration::from_secs(3)..=Duration::from_secs(90);
    let hold = table.optional("hold_time").duration_in(bounds);
    let prefixes = table.optional("announce").parse_list();
    table.refuse("bfd", "`bfd` is not built yet (planned)", "remove it");
    let hold = hold.map_or(Duration::from_secs(9), |hold| hold.value);
    Some((name?.value, asn?.value, hold, prefixes.into_iter().map(|prefix| prefix.value).collect()))
}

fn read(text: &str) -> Result<Vec<Peer>, Faults> {
    let document = Document::parse("site.toml", text);
    let root = document.root();
    let peers = root.required("peer").each(peer);
    root.optional("weight").number_in(1..=10u8);
    root.optional("quiet").flag();
    if let Some(clients) = root.optional("clients").table() {
        clients.entries().iter().for_each(|(_, network)| {
            network.parse::<PeerName>();
        });
    }
    document.finish(peers)
}

#[test]
fn a_good_file_gives_its_values() {
    let text = r#"
        weight = 0x0a
        quiet = false
        clients = { london = "thames" }
        [[peer]]
        name = "transit-a"
        asn = 64_500
        hold_time = "90s"
        announce = ["198.18.0.0/24", "2001:db8:53::/48"]
        [[peer]]
        name = "transit-b"
        asn = 64501
    "#;
    let peers = read(text).unwrap();
    assert_eq!(peers.len(), 2);
    assert_eq!(peers[0].1.get(), 64500);
    assert_eq!(peers[0].2, Duration::from_secs(90));
    assert_eq!(peers[0].3[1].to_string(), "2001:db8:53::/48");
    assert_eq!((peers[1].0.as_str(), peers[1].2), ("transit-b", Duration::from_secs(9)));
}

#[test]
fn every_fault_is_told_at_once() {
    let text = r#"quiet = "yes"
weight = 11
colour = "blue"

[clients]
london = "Thames Net"

[[peer]]
nmae = "transit-a"
asn = "64500"
hold_time = "1s"
announce = ["198.18.0.53/24", 7, "nonsense"]
bfd = { interval = "300ms" }

[[peer]]
name = "transit-b"
asn = 4294967296
hold_time = 9
"#;
    let faults = read(text).unwrap_err();
    insta::assert_snapshot!(faults.render(Style::Plain));
    insta::assert_snapshot!("faults_as_json", serde_json::to_string_pretty(&faults).unwrap());
}

#[test]
fn faults_of_the_syntax_join_the_others_and_invent_none() {
    let text = "weight = \nquiet = 3\n[[peer]\nname = \"transit-a\nasn = 5\nasn = 6\ntypo = 1\n[peer.bfd\n";
    insta::assert_snapshot!(read(text).unwrap_err().render(Style::Plain));
}

#[test]
fn a_list_of_tables_is_not_a_table() {
    insta::assert_snapshot!(read("[peer]\nname = \"a\"\n").unwrap_err().render(Style::Plain));
}

#[test]
fn the_faults_of_a_file_named_by_this_one_keep_their_place() {
    let document = Document::parse("site.toml", "zone = 'a.zone'");
    document.root().required("zone").path();
    let zone = Source::new("a.zone", "@ SOA\n@ NX ns1\n");
    let span = zone.offset(2, 3)..zone.offset(2, 5);
    let fault = document::Fault::new(&zone, span, "no such type", None);
    document.faults_elsewhere(Faults::of(zone, [fault]));
    let faults = document.finish(Some(())).unwrap_err();
    let (file, fault) = faults.iter().next().unwrap();
    assert_eq!((file, fault.line, fault.column), ("a.zone", 2, 3));
}

#[test]
fn a_page_is_bounded_and_counts_the_rest() {
    let text: String = (0..1000).map(|number| format!("key-{number} = 1\n")).collect();
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.len(), 1001); // and the missing `peer`
    assert_eq!(faults.iter().count(), Faults::MOST);
    assert!(faults.to_string().ends_with("and 901 more in site.toml"));
}

/// Work that grew with the square of the file would not end.
#[test]
fn a_file_full_of_faults_is_judged_to_its_end() {
    let lines: String = (0..40_000).map(|number| format!("k{number} = 1\n= =\n")).collect();
    let faults = read(&lines[..Document::LONGEST.min(lines.len())]).unwrap_err();
    assert!(faults.len() > 40_000, "{}", faults.len());
    assert!(faults.to_string().len() < 100_000);
}

#[test]
fn a_giant_is_refused_unread() {
    let faults = read(&"#".repeat(Document::LONGEST + 1)).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults.to_string().contains("longer than"), "{faults}");
}

#[test]
fn a_terminal_cannot_be_attacked_through_a_file() {
    let faults =
        read("\"\u{1b}[2J\" = \"\u{1b}]0;x\u{7}\"\n[[peer]]\nname = \"\u{9b}31m\"\nasn = 1").unwrap_err();
    let page = faults.render(Style::Plain);
    assert!(!page.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{page:?}");
}

/// Text that is nearly TOML: the parser is left in every state by it.
fn almost_toml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[[peer]]\n".to_owned()),
        Just("[clients]\n".to_owned()),
        Just("name = \"transit-a\"\n".to_owned()),
        Just("asn = 64500\n".to_owned()),
        Just("announce = [\"198.18.0.0/24\", ".to_owned()),
        Just("bfd = { interval = ".to_owned()),
        Just("hold_time = ".to_owned()),
        "[a-zé\"'=\\[\\]{}., \n\r\t#0-9x_.:+-]{0,12}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_warning_refuses_nothing_and_a_fault_needs_no_warning() {
    let read = |text: &str| {
        let document = Document::parse("site.toml", text);
        let weight = document.root().required("weight").number_in(1..=10u8);
        if let Some(heavy) = weight.as_ref().filter(|weight| weight.value > 8) {
            document.warn(heavy.span.clone(), "that is heavy", "carry it with somebody");
        }
        document.finish_with_warnings(weight.map(|weight| weight.value))
    };
    let (weight, warnings) = read("weight = 9").unwrap();
    assert_eq!(weight, 9);
    insta::assert_snapshot!(warnings);
    assert_eq!(warnings.iter().count(), 1);
    assert!(read("weight = 1").unwrap().1.is_empty());
    assert_eq!(read("weight = 9\nheight = 1").unwrap_err().len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in almost_toml()) {
        if let Err(faults) = read(&text) {
            prop_assert!(!faults.is_empty());
            for (_, fault) in faults.iter() {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
                prop_assert!(fault.line >= 1 && fault.column >= 1);
            }
            prop_assert!(!faults.render(Style::Coloured).is_empty());
        }
    }

    #[test]
    fn every_unknown_key_is_told_once(
        keys in prop::collection::btree_set("[a-z]{9,14}", 1..40),
        depth in 0usize..3,
    ) {
        let header = ["", "[[peer]]\nname = \"a\"\nasn = 1\n", "[[peer]]\nname = \"a\"\nasn = 1\n[other]\n"];
        let lines: String = keys.iter().map(|key| format!("{key} = 1\n")).collect();
        prop_assume!(!keys.contains("hold_time"));
        let faults = read(&format!("{}{lines}", header[depth])).unwrap_err();
        let told: Vec<&str> = faults
            .iter()
            .filter_map(|(_, fault)| fault.message.strip_prefix("unknown key `")?.strip_suffix('`'))
            .collect();
        // A table that is itself unknown is one fault, not one for each key in it.
        let expected: Vec<&str> =
            if depth == 2 { vec!["other"] } else { keys.iter().map(String::as_str).collect() };
        prop_assert_eq!(told, expected);
    }
}
