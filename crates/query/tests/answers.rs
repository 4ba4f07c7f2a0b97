//! What is an answer, what is not, and what holds for any octets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use proptest::prelude::*;
use query::{Answer, Class, Cookie, EdnsQuery, Misfit, Query, Question, Rejection};
use terms::RecordType;

const CLIENT: [u8; 8] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";
const ID: u16 = 0x4242;

fn query() -> Query {
    let question =
        Question { name: "www.Example.".parse().unwrap(), rtype: RecordType::TXT, class: Class::IN };
    let edns = EdnsQuery { dnssec_ok: true, nsid: true, cookie: Some(Cookie::new(CLIENT)) };
    Query { question, recursion_desired: false, edns: Some(edns) }
}

/// Header with these flags and counts, and the question.
fn head(flags: u16, counts: [u16; 3]) -> Vec<u8> {
    let [answers, authorities, additional] = counts;
    let mut message: Vec<u8> =
        [ID, flags, 1, answers, authorities, additional].iter().flat_map(|word| word.to_be_bytes()).collect();
    message.extend_from_slice(b"\x03WWW\x07example\0\0\x10\0\x01");
    message
}

/// A record whose owner is the name in the question.
fn record(rtype: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = vec![0xc0, 12];
    record.extend([rtype, class].iter().flat_map(|word| word.to_be_bytes()));
    record.extend(ttl.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend_from_slice(data);
    record
}

fn opt(options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut record = b"\0\0\x29\x04\xd0\0\0\x80\0".to_vec();
    let data: Vec<u8> = options
        .iter()
        .flat_map(|(code, data)| [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat())
        .collect();
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

const AA: u16 = 0x8400;

/// An answer of a server called london, with text that would clear a terminal.
fn good() -> Vec<u8> {
    let cookie = [&CLIENT[..], b"12345678"].concat();
    let options: [(u16, &[u8]); 5] = [
        (3, b"lon\x1b[2Jdon"),
        (10, &cookie),
        (15, b"\0\x12not for \"you\"\x07\0"),
        (15, b"\xff\xfe"),
        (65001, b"\x01\x02"),
    ];
    [
        head(AA, [1, 1, 2]),
        record(16, 1, 300, b"\x0aa\x1b[2J\"\\\xc3\xa9;\x01b"),
        record(731, 1, 5, b"\x0a\x0b"),
        record(1, 3, 5, b"\x01\x61"),
        opt(&options),
    ]
    .concat()
}

fn judge(octets: &[u8]) -> Result<Answer, Rejection> {
    query().judge(ID, octets)
}

fn misfit(octets: &[u8]) -> Misfit {
    match judge(octets) {
        Err(Rejection::Misfit(misfit)) => misfit,
        other => panic!("{other:?}"),
    }
}

/// The records in words, which is what people see.
fn words(answer: &Answer) -> String {
    let sections = [&answer.answer, &answer.authority, &answer.additional];
    let records = sections.into_iter().flatten().map(|record| format!("{record}\n"));
    let errors = answer.edns.iter().flat_map(|edns| &edns.errors).map(|error| format!("{error}\n"));
    records.chain(errors).collect()
}

#[test]
fn a_query_is_these_octets() {
    let message = query().message(ID).unwrap();
    let mut expected = head(0, [0, 0, 1]);
    expected[13..16].copy_from_slice(b"www"); // the letter case of the name is kept
    expected[17] = b'E';
    expected.extend(opt(&[(3, b""), (10, &CLIENT)]));
    assert_eq!(message, expected);

    let plain = Query { edns: None, recursion_desired: true, ..query() }.message(ID).unwrap();
    assert_eq!(plain[2..4], [1, 0]);
    assert_eq!(plain[4..12], [0, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn an_answer_says_who_and_what_and_cannot_move_a_cursor() {
    let answer = judge(&good()).unwrap();
    assert_eq!((answer.code().as_str(), answer.flags.names().collect::<Vec<_>>()), ("NOERROR", vec!["aa"]));
    let edns = answer.edns.as_ref().unwrap();
    assert_eq!(edns.nsid.as_deref(), Some(&b"lon\x1b[2Jdon"[..]));
    assert_eq!((edns.payload, edns.version, edns.dnssec_ok), (1232, 0, true));
    assert_eq!(edns.others, [(65001, vec![1, 2])]);
    insta::assert_snapshot!(words(&answer));
}

#[test]
fn what_does_not_fit_is_no_answer() {
    assert_eq!(misfit(b"\x42\x42\x84"), Misfit::NoAnswer);
    assert_eq!(misfit(&query().message(ID).unwrap()), Misfit::NoAnswer, "our own query, sent back");
    let changed = |at: usize, octet: u8| {
        let mut octets = good();
        assert_ne!(octets[at], octet);
        octets[at] = octet;
        octets
    };
    assert_eq!(misfit(&changed(2, 0xa4)), Misfit::NoAnswer, "a NOTIFY");
    assert_eq!(misfit(&changed(1, 0x43)), Misfit::Id);
    assert_eq!(misfit(&changed(13, b'V')), Misfit::Question, "name");
    assert_eq!(misfit(&changed(26, 28)), Misfit::Question, "type");
    assert_eq!(misfit(&changed(28, 3)), Misfit::Question, "class");
    assert_eq!(misfit(&changed(5, 0)), Misfit::Question, "none at all");
    assert_eq!(misfit(&changed(5, 2)), Misfit::Question, "two");
    let cookie = |cookie: &[u8]| [head(AA, [0, 0, 1]), opt(&[(10, cookie)])].concat();
    assert_eq!(misfit(&cookie(b"\x01\x23\x45\x67\x89\xab\xcd\xee12345678")), Misfit::Cookie, "not ours");
    for length in [0, 7, 9, 15, 41] {
        let octets: Vec<u8> = CLIENT.iter().copied().cycle().take(length).collect();
        assert_eq!(misfit(&cookie(&octets)), Misfit::Cookie, "{length} octets");
    }
    for length in [8, 16, 40] {
        let octets: Vec<u8> = CLIENT.iter().copied().cycle().take(length).collect();
        assert!(judge(&cookie(&octets)).is_ok(), "{length} octets");
    }
}

#[test]
fn a_server_that_has_given_a_cookie_must_show_ours() {
    let bare = head(AA, [0, 0, 0]);
    assert!(judge(&bare).is_ok(), "it may know nothing of cookies");
    let mut second = query();
    let known = Cookie::from_octets(&[&CLIENT[..], b"12345678"].concat()).unwrap();
    second.edns.as_mut().unwrap().cookie = Some(known);
    assert_eq!(second.judge(ID, &bare), Err(Misfit::Cookie.into()));
    assert!(second.judge(ID, &good()).is_ok());
}

#[test]
fn a_refusal_may_leave_the_question_out() {
    let mut octets = head(0x8001, [0, 0, 0]);
    octets[5] = 0;
    octets.truncate(12);
    assert_eq!(judge(&octets).unwrap().code(), "FORMERR");
}

#[test]
fn the_code_has_a_part_in_edns() {
    let mut octets = [head(0x8007, [0, 0, 1]), opt(&[])].concat();
    let extended = octets.len() - 6;
    octets[extended] = 1;
    let answer = judge(&octets).unwrap();
    assert_eq!(
        (answer.code().as_str(), answer.wants_cookie(), answer.is_definite()),
        ("BADCOOKIE", true, false)
    );
}

#[test]
fn what_is_malformed_says_where() {
    let faulty = [
        head(AA, [1, 0, 0]),
        [head(AA, [1, 0, 0]), record(16, 1, 0, b"\x05ab")].concat(),
        [head(AA, [0, 2, 0]), record(731, 1, 0, b""), record(1, 1, 0, b"\x01")].concat(),
        [head(AA, [0, 0, 1]), b"\xc0\x80".to_vec()].concat(),
        [head(AA, [0, 0, 2]), opt(&[]), opt(&[])].concat(),
        [head(AA, [0, 0, 1]), opt(&[(3, b"london"), (15, b"\0")])].concat(),
    ];
    let said: Vec<String> =
        faulty.iter().map(|octets| judge(octets).unwrap_err().to_string() + "\n").collect();
    insta::assert_snapshot!(said.concat());
}

/// Types with text in them, whose data is good but for what it would do to a terminal.
#[test]
fn text_of_every_type_is_escaped() {
    let texts: [(u16, &[u8]); 4] = [
        (13, b"\x05\x1b[2Ja\x02\x9b\x07"),
        (35, b"\0\x01\0\x02\x01u\x05\x1b[2Ja\x03!\x07!\0"),
        (257, b"\0\x05issue\x1b[2Ja\xe2\x80\xae"),
        (64, b"\0\x01\0\0\x01\0\x06\x05\x1b[2Ja\xff\0\0\x02\x1b\x07"),
    ];
    let said = texts.map(|(rtype, data)| {
        let answer = judge(&[head(AA, [1, 0, 0]), record(rtype, 1, 1, data)].concat()).unwrap();
        assert!(is_safe(&words(&answer)), "{answer:?}");
        words(&answer)
    });
    insta::assert_snapshot!(said.concat());
}

fn is_safe(text: &str) -> bool {
    text.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\t' | b'\n'))
}

/// Whatever comes of the octets, text on a terminal is harmless, and its amount is bounded.
fn holds(octets: &[u8]) {
    match judge(octets) {
        Ok(answer) => {
            let words = words(&answer);
            assert!(is_safe(&words), "{words:?}");
            assert!(answer.answer.iter().all(|record| !record.data.contains(['\n', '\t'])), "{words:?}");
        }
        Err(rejection) => assert!(is_safe(&rejection.to_string()), "{rejection:?}"),
    }
}

proptest! {
    #[test]
    fn any_octets_are_judged(body in prop::collection::vec(any::<u8>(), 0..600), counts in any::<[u8; 3]>()) {
        holds(&body);
        holds(&[head(AA, counts.map(u16::from)), body].concat());
    }

    #[test]
    fn damage_is_judged(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut octets = good();
        for (at, octet) in damage {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        holds(&octets);
        holds(&octets[..cut.index(octets.len())]);
    }

    #[test]
    fn data_of_any_type_is_judged(rtype in 0..300u16, class in prop::sample::select(vec![1u16, 3, 255]), data in prop::collection::vec(any::<u8>(), 0..80)) {
        holds(&[head(AA, [1, 0, 0]), record(rtype, class, 1, &data)].concat());
    }

    /// What is right comes through: nothing is lost, whatever the text is.
    #[test]
    fn texts_come_through(text in prop::collection::vec(any::<u8>(), 0..=255)) {
        let data = [&[text.len() as u8][..], &text].concat();
        let answer = judge(&[head(AA, [1, 0, 0]), record(16, 1, 1, &data)].concat()).unwrap();
        prop_assert_eq!(unescape(answer.text().unwrap()), text);
    }
}

/// The octets of a quoted text (RFC 1035 section 5.1).
fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        octets.push(match (first, after) {
            (b'\\', [digit, ..]) if digit.is_ascii_digit() => {
                rest = &after[3..];
                std::str::from_utf8(&after[..3]).unwrap().parse().unwrap()
            }
            (b'\\', [escaped, ..]) => {
                rest = &after[1..];
                *escaped
            }
            _ => first,
        });
    }
    octets
}
