//! What must hold for any octets: the bodies of the fuzz targets, run by the property tests and over the corpora too.

use crate::messages::{answer, ask, show};
use dns::{Identity, Outcome, ResponseCode, Silence, Transport, Zone, Zones, zone};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    Zones::new(vec![
        zone(include_str!("../zones/example.zone")),
        zone(include_str!("../zones/big.zone")),
        zone(include_str!("../zones/nsec.zone")),
        zone(include_str!("../zones/opt-out.zone")),
    ])
    .unwrap()
});

static IDENTITY: LazyLock<Identity> =
    LazyLock::new(|| Identity::new(&"london".parse().unwrap(), Some(&"lon-1".parse().unwrap())));

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

/// Any octets as an image whose length and checksum are right: questions end, whatever the answers are.
pub(crate) fn image(octets: &[u8]) {
    let mut image = octets.to_vec();
    if image.len() >= 64 {
        let length = image.len() as u64;
        image[16..24].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32fast::hash(&image[16..]);
        image[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
    let Ok(zone) = Zone::from_image(image) else { return };
    let apex = zone.apex().to_string();
    let zones = Zones::new(vec![Arc::new(zone)]).unwrap();
    let mut out = vec![0; 65535];
    for name in
        ["", "www.", "nobody.", "x.y.wild.", "a.b.moved.", "one.", "wide.", "a.b.insecure-below.", "*."]
    {
        let Ok(name) = format!("{name}{apex}").replace("..", ".").parse() else { continue };
        for kind in ["A", "NS", "DS", "SOA", "MX", "ANY", "RRSIG"] {
            let mut ask = ask(".", kind);
            ask.name = std::clone::Clone::clone(&name);
            ask.edns = Some(crate::messages::AskEdns { flags: 0x8000, ..Default::default() });
            for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
                answer(&zones, &IDENTITY, &ask.octets(), transport, &mut out);
            }
        }
    }
}

/// Any message, over both transports and with any room.
pub(crate) fn query(message: &[u8]) {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let mut out = vec![0xee; 65535];
        let outcome = answer(&ZONES, &IDENTITY, message, transport, &mut out);
        judge_reply(message, transport, outcome, &out);
        // With less room there is the same header and nothing beyond the end.
        let room = message.iter().fold(0, |sum, &octet| (sum * 31 + usize::from(octet)) % 600);
        let mut small = vec![0xee; room];
        let outcome = answer(&ZONES, &IDENTITY, message, transport, &mut small);
        judge_reply(message, transport, outcome, &small);
    }
}

fn judge_reply(message: &[u8], transport: Transport, outcome: Outcome, out: &[u8]) {
    let (length, code, truncated) = match outcome {
        Outcome::Silence(Silence::TooShort) => return assert!(message.len() < 12),
        Outcome::Silence(Silence::AlreadyAReply) => return assert!(message[2] & 0x80 != 0),
        Outcome::Silence(Silence::TooOften) => panic!("nothing is limited"),
        Outcome::Aside => {
            return assert!(message[2] & 0x78 == 0x20 || message.len() > 16, "NOTIFY, or a question");
        }
        Outcome::Silence(Silence::NoRoom) => return assert!(out.len() < 512),
        Outcome::Reply { length, code, truncated, .. } => (length, code, truncated),
    };
    let reply = &out[..length];
    let shown = show(reply).unwrap();
    assert_eq!(reply[..2], message[..2], "the id is repeated");
    assert_eq!(reply[2] & 0xf9, 0x80 | message[2] & 0x79, "a reply; operation and RD are repeated");
    assert_eq!(reply[3] & 0xf0, 0, "RA, Z, AD and CD are clear");
    assert_eq!(reply[2] & 0x02 != 0, truncated);
    assert_eq!(shown.code, code.to_string());
    let question = &reply[12..];
    match reply[5] {
        0 => assert!(length == 12 || shown.edns.is_some(), "without a question there is at most a cookie"),
        _ => assert!(message[12..].starts_with(&question[..question_length(question)]), "the case is kept"),
    }
    if truncated {
        assert!(shown.answer.is_empty() && shown.authority.is_empty(), "all or nothing");
    }
    let authoritative = shown.flags.contains("aa");
    let leads_on = |record: &String| record.contains(" CNAME ") || record.contains(" DNAME ");
    match code {
        ResponseCode::NoError if !authoritative && !truncated && reply[5] == 1 => {
            assert!(shown.answer.is_empty(), "a referral");
            assert!(shown.authority[0].contains(" NS "), "a referral");
        }
        ResponseCode::NoError => {}
        ResponseCode::NxDomain => {
            assert!(authoritative);
            assert!(shown.answer.first().is_none_or(leads_on), "of the last name on the way");
        }
        ResponseCode::YxDomain => assert!(authoritative && (truncated || shown.answer.iter().any(leads_on))),
        ResponseCode::ServFail => panic!("an image of ours is never damaged"),
        ResponseCode::BadCookie => panic!("nothing is limited"),
        ResponseCode::NotAuth => panic!("whoever has keys says that"),
        ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::Refused | ResponseCode::BadVers => {
            assert!(shown.answer.is_empty() && shown.authority.is_empty() && !authoritative);
        }
    }
    let allowed = match (transport, payload(message)) {
        (Transport::Tcp | Transport::Tls, _) => 65535,
        (Transport::Udp, None) => 512,
        (Transport::Udp, Some(payload)) => usize::from(payload).clamp(512, 1232),
    };
    assert!(length <= allowed, "{length} octets, {allowed} allowed");
    assert_eq!(
        answer(&ZONES, &IDENTITY, reply, transport, &mut [0; 512]),
        Outcome::Silence(Silence::AlreadyAReply),
        "no reply to our own reply"
    );
}

fn question_length(question: &[u8]) -> usize {
    let mut at = 0;
    while question[at] != 0 {
        at += 1 + usize::from(question[at]);
    }
    at + 5
}

/// The payload that a query offers, read by the `domain` crate.
fn payload(message: &[u8]) -> Option<u16> {
    let message = domain::base::Message::from_octets(message).ok()?;
    message.opt().map(|opt| opt.udp_payload_size())
}

/// Any text as a zone file: faults have a place in it, and a zone answers for its SOA record.
pub(crate) fn zone_file(text: &str) {
    match zone::parse(text) {
        Ok(zone) => {
            let (apex, zones) = (zone.apex().to_string(), Zones::new(vec![Arc::new(zone)]).unwrap());
            let query = ask(&apex, "SOA").octets();
            let mut out = vec![0; 65535];
            let outcome = answer(&zones, &IDENTITY, &query, Transport::Tcp, &mut out);
            let Outcome::Reply { length, code: ResponseCode::NoError, truncated: false, .. } = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(show(&out[..length]).unwrap().answer.len(), 1);
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(faults.is_sorted(), "in the order of the file");
            let lines: Vec<&str> = text.split('\n').collect();
            for fault in faults {
                assert!((1..=lines.len()).contains(&fault.line), "{fault}");
                assert!(
                    fault.column >= 1 && fault.column <= lines[fault.line - 1].chars().count() + 1,
                    "{fault}"
                );
                assert!(!fault.message.is_empty() && !fault.hint.is_empty());
            }
        }
    }
}
