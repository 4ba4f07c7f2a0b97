//! Replies as tables: what is served, the list of RFC 8906, truncation.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/messages.rs"]
mod messages;
#[path = "support/rfc_8906.rs"]
mod rfc_8906;

use dns::{Cookie, Identity, Outcome, ResponseCode, Silence, Transport, Zones, zone};
use messages::{Ask, AskEdns, answer, ask, show};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    Zones::new(vec![
        zone(include_str!("zones/example.zone")),
        zone(include_str!("zones/big.zone")),
        zone(include_str!("zones/nsec.zone")),
        zone(include_str!("zones/opt-out.zone")),
    ])
    .unwrap()
});

fn identity() -> Identity {
    Identity::new(&"london".parse().unwrap(), Some(&"lon-1".parse().unwrap()))
}

impl Ask {
    fn class(self, class: u16) -> Ask {
        Ask { class, ..self }
    }
}

fn reply_to(message: &[u8], transport: Transport) -> (Outcome, Vec<u8>) {
    let mut out = vec![0xee; 65535];
    let outcome = answer(&ZONES, &identity(), message, transport, &mut out);
    out.truncate(if let Outcome::Reply { length, .. } = outcome { length } else { 0 });
    (outcome, out)
}

fn table(rows: &[(&str, Ask)]) -> String {
    let mut table = String::new();
    for (title, ask) in rows {
        let octets = ask.octets();
        let (_, udp) = reply_to(&octets, Transport::Udp);
        let (_, tcp) = reply_to(&octets, Transport::Tcp);
        assert_eq!(udp, tcp, "{title}: small answers are the same over UDP and TCP");
        assert_eq!(udp[..2], octets[..2], "{title}: the id");
        let _ = write!(table, "{title}\n{}", show(&udp).unwrap());
    }
    table
}

#[test]
fn what_is_served() {
    let plain = |name: &str, kind: &str| ("", ask(name, kind));
    let replies = table(&[
        plain("example.", "SOA"),
        plain("example.", "NS"),
        plain("example.", "MX"),
        plain("example.", "TXT"),
        plain("example.", "CAA"),
        plain("www.example.", "A"),
        plain("WwW.ExAmPlE.", "aaaa"),
        plain("www.upper.example.", "TXT"),
        plain("www.example.", "TYPE65280"),
        plain("www.example.", "HTTPS"),
        ("an alias of a service, with the service and its addresses", ask("shop.example.", "HTTPS")),
        ("a service here and elsewhere, each name once", ask("svc.example.", "HTTPS")),
        ("two ports of one host", ask("svc.example.", "SRV")),
        plain("_sip._udp.example.", "SRV"),
        plain("4.example.", "PTR"),
        plain("key.example.", "SSHFP"),
        plain("text.example.", "TXT"),
        plain(r"a\.b.example.", "A"),
        plain("_25._tcp.mail.example.", "TLSA"),
        plain("ptr.example.", "NAPTR"),
        plain("unknown.example.", "TYPE731"),
        plain("generic.example.", "A"),
        plain("host.example.", "HINFO"),
        ("an alias answers for every type", ask("alias.example.", "A")),
        ("and for itself", ask("alias.example.", "CNAME")),
        ("its target is left to the client", ask("inside.example.", "A")),
        ("minimal ANY", ask("www.example.", "ANY")),
        ("no such type", ask("www.example.", "MX")),
        ("only names below it", ask("empty.non.terminal.example.", "A")),
        ("likewise", ask("terminal.example.", "ANY")),
        ("no such name", ask("nobody.example.", "A")),
        ("not even its ancestors", ask("x.y.nobody.example.", "A")),
        ("below a name with records", ask("below.www.example.", "A")),
        ("the other zone", ask("nobody.big.example.", "A")),
        ("DS is a question for the parent", ask("big.example.", "DS")),
        ("and within the child for the child", ask("ns.big.example.", "DS")),
        ("and where there is no parent for the zone", ask("example.", "DS")),
        ("outside", ask("example.com.", "A")),
        ("the root", ask(".", "NS")),
    ]);
    insta::assert_snapshot!(replies);
}

#[test]
fn what_is_not_plain() {
    let signed =
        |name: &str, kind: &str| ask(name, kind).edns(AskEdns { flags: 0x8000, ..AskEdns::default() });
    let replies = table(&[
        ("a wildcard", ask("x.y.parent.test.", "TXT")),
        ("a wildcard without the type", ask("x.y.parent.test.", "A")),
        ("no wildcard: the name exists", ask("host1.parent.test.", "TXT")),
        ("no wildcard: a nearer name exists", ask("x.host1.parent.test.", "TXT")),
        ("a wildcard that is an alias", ask("x.w.parent.test.", "A")),
        ("a chain of aliases", ask("one.parent.test.", "A")),
        ("a circle of aliases", ask("round.parent.test.", "A")),
        ("an alias of nothing", ask("none.parent.test.", "SRV")),
        ("an alias that leads out", ask("out.parent.test.", "A")),
        ("an alias that leads below a cut", ask("down.parent.test.", "A")),
        ("a DNAME", ask("Name.Moved.parent.test.", "A")),
        ("a DNAME to nothing", ask("nobody.moved.parent.test.", "A")),
        ("a DNAME itself", ask("moved.parent.test.", "DNAME")),
        ("a referral", ask("x.sibling.parent.test.", "A")),
        ("a referral with glue", ask("wide.parent.test.", "A")),
        ("behind a cut nothing is seen", ask("hidden.wide.parent.test.", "TXT")),
        ("addresses of an exchange", ask("x.parent.test.", "MX")),
        ("signed", signed("host1.parent.test.", "A")),
        ("signed, no such type", signed("host1.parent.test.", "MX")),
        ("signed, no such name", signed("x.host1.parent.test.", "A")),
        ("signed, by a wildcard", signed("x.w.parent.test.", "A")),
        ("signed, a child with DS", signed("x.away.parent.test.", "A")),
        ("signed, a child without DS", signed("sibling.parent.test.", "A")),
        ("its DS", signed("away.parent.test.", "DS")),
        ("no DS", signed("sibling.parent.test.", "DS")),
        ("the DS of a zone that is served, too", signed("child.parent.test.", "DS")),
        ("hashed, no such name", signed("nobody.child.parent.test.", "A")),
        ("hashed, no such type", signed("www.child.parent.test.", "TXT")),
        ("hashed, by a wildcard", signed("x.wild.child.parent.test.", "AAAA")),
        ("hashed, by a wildcard without the type", signed("x.wild.child.parent.test.", "A")),
        ("hashed, a child that was left out", signed("insecure.child.parent.test.", "A")),
        ("all signatures", signed("www.child.parent.test.", "RRSIG")),
    ]);
    insta::assert_snapshot!(replies);
}

#[test]
fn a_name_that_a_dname_makes_too_long() {
    let code = |letters: usize| {
        let name = format!("{}.long.parent.test.", "y".repeat(letters));
        let (outcome, reply) = reply_to(&ask(&name, "TYPE65280").octets(), Transport::Udp);
        let Outcome::Reply { code, truncated: false, .. } = outcome else { panic!("{outcome:?}") };
        let shown = show(&reply).unwrap();
        assert!(shown.answer[0].contains(" DNAME "), "{shown}");
        (code, shown.answer.len())
    };
    // The target has 204 octets, and a name at most 255.
    assert_eq!(code(50), (ResponseCode::NoError, 2), "its alias is there, and a wildcard stands for it");
    assert_eq!(code(51), (ResponseCode::YxDomain, 1));
    assert_eq!(code(63), (ResponseCode::YxDomain, 1));
}

#[test]
fn a_referral_whose_own_glue_does_not_fit_is_truncated() {
    let wide = ask("wide.parent.test.", "A");
    let edns = |flags| AskEdns { payload: 512, flags, ..AskEdns::default() };
    let truncated = |ask: &Ask| size(ask, Transport::Udp).1;
    assert!(!truncated(&wide));
    assert!(!truncated(&wide.clone().edns(edns(0))));
    assert!(truncated(&wide.edns(edns(0x8000))), "with proofs it does not fit (RFC 9471 section 3.1)");
}

#[test]
fn rfc_8906() {
    let replies = table(&rfc_8906::list());
    insta::assert_snapshot!(replies);
}

#[test]
fn chaos() {
    let chaos = |name: &str, kind: &str| ("", ask(name, kind).class(3));
    let replies = table(&[
        chaos("id.server.", "TXT"),
        chaos("ID.Server.", "TXT"),
        chaos("hostname.bind.", "TXT"),
        chaos("version.server.", "TXT"),
        chaos("version.bind.", "ANY"),
        chaos("id.server.", "A"),
        chaos("authors.bind.", "TXT"),
        chaos("example.", "SOA"),
        ("id.server in class IN", ask("id.server.", "TXT")),
        ("class HESIOD", ask("example.", "SOA").class(4)),
        ("class ANY", ask("example.", "SOA").class(255)),
    ]);
    insta::assert_snapshot!(replies);
}

#[test]
fn a_site_of_one_machine_answers_its_own_name() {
    let identity = Identity::new(&"tokyo".parse().unwrap(), None);
    let mut out = [0; 512];
    let query = ask("hostname.bind.", "TXT").class(3).octets();
    let Outcome::Reply { length, .. } = answer(&ZONES, &identity, &query, Transport::Udp, &mut out) else {
        panic!("no reply")
    };
    assert_eq!(show(&out[..length]).unwrap().answer, [r#"hostname.bind. 0 CH TXT "tokyo""#]);
}

/// Length, TC and number of answers.
fn size(ask: &Ask, transport: Transport) -> (usize, bool, usize) {
    let (outcome, reply) = reply_to(&ask.octets(), transport);
    let Outcome::Reply { length, truncated, .. } = outcome else { panic!("{outcome:?}") };
    let shown = show(&reply).unwrap();
    assert_eq!(shown.flags.contains("tc"), truncated);
    (length, truncated, shown.answer.len())
}

#[test]
fn an_answer_that_does_not_fit_is_left_out_whole() {
    let edns = |ask: Ask, payload| ask.edns(AskEdns { payload, ..AskEdns::default() });
    let medium = ask("medium.big.example.", "A"); // 20 records of 16 octets
    let large = ask("large.big.example.", "AAAA"); // 60 records of 28 octets
    let huge = ask("huge.big.example.", "TXT"); // 230 records of 267 octets
    assert_eq!(size(&medium, Transport::Udp), (12 + 24 + 20 * 16, false, 20));
    assert_eq!(size(&large, Transport::Udp), (12 + 23, true, 0));
    assert_eq!(size(&edns(large.clone(), 4096), Transport::Udp), (12 + 23 + 11, true, 0));
    assert_eq!(size(&large, Transport::Tcp), (12 + 23 + 60 * 28, false, 60));
    assert_eq!(size(&huge, Transport::Tcp), (12 + 22 + 230 * 267, false, 230));
    assert_eq!(size(&edns(huge, 100), Transport::Udp), (12 + 22 + 11, true, 0));
    // With EDNS the OPT record needs 11 octets of the same room.
    let exact = 12 + 24 + 20 * 16 + 11;
    for payload in [512, 513, 1232, 4096] {
        assert_eq!(size(&edns(medium.clone(), payload), Transport::Udp), (exact, false, 20));
    }
}

#[test]
fn what_cannot_be_read_is_a_format_error() {
    let code = |message: &[u8]| match reply_to(message, Transport::Udp) {
        (Outcome::Reply { code, .. }, reply) => {
            show(&reply).unwrap();
            Ok((code, reply.len()))
        }
        (Outcome::Silence(why), _) => Err(why),
        (Outcome::Aside, _) => panic!("for others"),
    };
    let good = ask("example.", "SOA").edns(AskEdns::default()).octets();
    let with = |at: usize, octet: u8| {
        let mut message = good.clone();
        message[at] = octet;
        message
    };
    let bare = 12;
    let question = 12 + 9 + 4;
    let form_err = |length| Ok((ResponseCode::FormErr, length));
    assert_eq!(code(&good), Ok((ResponseCode::NoError, 87)));
    assert_eq!(code(b""), Err(Silence::TooShort));
    assert_eq!(code(&good[..11]), Err(Silence::TooShort));
    assert_eq!(code(&with(2, 0x80)), Err(Silence::AlreadyAReply));
    assert_eq!(code(&good[..12]), form_err(bare)); // no question
    assert_eq!(code(&good[..24]), form_err(bare)); // half a question
    assert_eq!(code(&good[..question]), form_err(question)); // the OPT record is missing
    assert_eq!(code(&good[..question + 10]), form_err(question)); // half an OPT record
    assert_eq!(code(&with(5, 0)), form_err(bare));
    assert_eq!(code(&with(5, 2)), form_err(bare)); // RFC 9619
    assert_eq!(code(&with(7, 1)), form_err(question)); // an answer in a query
    assert_eq!(code(&with(9, 1)), form_err(question)); // an authority in a query
    assert_eq!(code(&with(12, 0xc0)), form_err(bare)); // a pointer in the question
    assert_eq!(code(&with(12, 64)), form_err(bare)); // a label of an unknown kind
    assert_eq!(code(&with(question, 1)), form_err(question)); // OPT below the root
    assert_eq!(code(&with(question + 10, 1)), form_err(question)); // options that are not there
    let mut two = good.clone();
    two.extend_from_slice(&good[question..]);
    two[11] = 2;
    assert_eq!(code(&two), form_err(question)); // two OPT records
    let mut trailing = good.clone();
    trailing.extend_from_slice(b"garbage");
    assert_eq!(code(&trailing), Ok((ResponseCode::NoError, 87)));
    let option =
        ask("example.", "SOA").edns(AskEdns { options: vec![(3, vec![])], ..AskEdns::default() }).octets();
    assert_eq!(code(&option[..option.len() - 1]), form_err(question));
}

/// The data of the COOKIE option of a reply.
fn cookie_of(reply: &[u8]) -> Vec<u8> {
    let at = reply.windows(4).position(|octets| octets == [0, 10, 0, 24]).unwrap();
    reply[at + 4..at + 28].to_vec()
}

#[test]
fn a_cookie_comes_back_whole() {
    let with = |name: &str, data: &[u8]| {
        let options = vec![(10, data.to_vec()), (10, b"ignored".to_vec())];
        ask(name, "A").edns(AskEdns { options, ..AskEdns::default() }).octets()
    };
    let worth = |message: &[u8]| match reply_to(message, Transport::Udp) {
        (Outcome::Reply { code, cookie, .. }, reply) => {
            show(&reply).unwrap();
            (code, cookie, reply)
        }
        (outcome, _) => panic!("{outcome:?}"),
    };
    for (name, says) in [("www.example.", ResponseCode::NoError), ("example.com.", ResponseCode::Refused)] {
        let (code, cookie, reply) = worth(&with(name, b"8 octets"));
        assert_eq!((code, cookie), (says, Cookie::First));
        let given = cookie_of(&reply);
        assert_eq!((given.len(), &given[..8]), (24, &b"8 octets"[..]));
        assert_eq!(worth(&with(name, &given)), (says, Cookie::Good, reply.clone()));
        let mut bent = given.clone();
        bent[23] ^= 1;
        for bad in [&bent[..], &[&b"8 octets"[..], &[7; 8]].concat(), &[&b"8 octets"[..], &[7; 32]].concat()]
        {
            assert_eq!(worth(&with(name, bad)), (says, Cookie::Bad, reply.clone()));
        }
    }
    for length in [0, 7, 9, 15, 41, 255] {
        let (code, cookie, reply) = worth(&with("www.example.", &vec![7; length]));
        let expected = (ResponseCode::FormErr, Cookie::None, 12 + 17 + 11);
        assert_eq!((code, cookie, reply.len()), expected, "{length}");
        // RFC 6891 section 7: whoever asks with EDNS is answered with it.
        assert_eq!(show(&reply).unwrap().edns.unwrap(), "version 0 payload 1232", "{length}");
    }
}

#[test]
fn a_cookie_is_had_without_a_question() {
    let asking = |data: &[u8]| {
        let options = vec![(10, data.to_vec())];
        let message = ask(".", "A").edns(AskEdns { options, ..AskEdns::default() }).octets();
        // Without the question: root, A, IN.
        let mut message = [&message[..12], &message[17..]].concat();
        message[5] = 0;
        message
    };
    for transport in [Transport::Udp, Transport::Tcp] {
        let (outcome, reply) = reply_to(&asking(b"8 octets"), transport);
        let expected = Outcome::Reply {
            length: 12 + 11 + 28,
            code: ResponseCode::NoError,
            truncated: false,
            cookie: Cookie::First,
            slipped: false,
        };
        assert_eq!(outcome, expected);
        assert_eq!(cookie_of(&reply)[..8], *b"8 octets");
    }
    let mut plain = asking(&[]);
    assert!(matches!(reply_to(&plain, Transport::Udp).0, Outcome::Reply { code: ResponseCode::FormErr, .. }));
    plain[11] = 0;
    plain.truncate(12);
    assert!(matches!(reply_to(&plain, Transport::Udp).0, Outcome::Reply { code: ResponseCode::FormErr, .. }));
}

#[test]
fn too_little_room_is_silence() {
    let query = ask("example.", "SOA").edns(AskEdns::default()).octets();
    for room in 0..36 {
        let outcome = answer(&ZONES, &identity(), &query, Transport::Udp, &mut vec![0; room]);
        assert_eq!(outcome, Outcome::Silence(Silence::NoRoom), "{room} octets");
    }
    let outcome = answer(&ZONES, &identity(), &query, Transport::Udp, &mut [0; 36]);
    assert_eq!(
        outcome,
        Outcome::Reply {
            length: 36,
            code: ResponseCode::NoError,
            truncated: true,
            cookie: Cookie::None,
            slipped: false
        }
    );
}

#[test]
fn what_is_about_a_whole_zone_or_signed_is_for_others() {
    let outcome = |message: &[u8]| reply_to(message, Transport::Tcp).0;
    let signed = |mut message: Vec<u8>| {
        message[11] += 1;
        message.extend_from_slice(b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\0");
        message
    };
    let soa = ask("example.", "SOA");
    for ask in [ask("example.", "AXFR"), ask("nowhere.", "IXFR"), soa.clone().flags(0x2000)] {
        assert_eq!(outcome(&ask.octets()), Outcome::Aside, "{ask:?}");
    }
    for ask in [soa.clone(), soa.edns(AskEdns::default())] {
        assert_eq!(outcome(&signed(ask.octets())), Outcome::Aside, "{ask:?}");
    }
    let chaos = outcome(&ask("id.server.", "AXFR").class(3).octets());
    assert!(matches!(chaos, Outcome::Reply { code: ResponseCode::Refused, .. }), "{chaos:?}");
}

#[test]
fn a_zone_that_cannot_be_served_now_answers_servfail_and_no_other_does() {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    let parent = zone("$ORIGIN test.\n@ 60 SOA ns.a. h.a. 1 2 3 4 5\n@ NS ns.a.\nsub NS ns.b.\n");
    let gone = ["gone.".parse().unwrap(), "sub.test.".parse().unwrap()];
    let zones = Zones::with_unavailable(vec![parent], gone.to_vec()).unwrap();
    let code = |name: &str, kind: &str| {
        let mut out = [0; 512];
        match answer(&zones, &identity(), &ask(name, kind).octets(), Transport::Udp, &mut out) {
            Outcome::Reply { code, .. } => code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code("gone.", "SOA"), ResponseCode::ServFail);
    assert_eq!(code("www.gone.", "A"), ResponseCode::ServFail);
    assert_eq!(code("www.sub.test.", "A"), ResponseCode::ServFail);
    assert_eq!(code("sub.test.", "DS"), ResponseCode::NoError, "a question for the parent");
    assert_eq!(code("test.", "SOA"), ResponseCode::NoError);
    assert_eq!(code("elsewhere.", "SOA"), ResponseCode::Refused);
    assert_eq!(zones.iter().count() + zones.unavailable().count(), 3);
    assert!(zones.get(&"TEST.".parse().unwrap()).is_some() && zones.get(&gone[0]).is_none());
}
