//! Who is told the same too often: what it is told instead, and who is never meant.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/messages.rs"]
#[allow(dead_code)] // time and limits are of this file
mod messages;

use dns::{
    Arrival, Cookie, Identity, Outcome, RateLimit, RateLimiter, ResponseCode, Server, Silence, Transport,
    Zones, answer, zone,
};
use messages::{AskEdns, CLIENT, NOW, SECRETS, ask, show};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use terms::Timestamp;

/// A server with a limit of one a second, at one moment.
struct Site {
    zones: Zones,
    identity: Identity,
    limiter: RateLimiter,
    now: Timestamp,
}

impl Site {
    fn new(slip: u32) -> Site {
        let zone = |text| Arc::new(zone::parse(text).unwrap());
        let zones = vec![zone(include_str!("zones/example.zone")), zone(include_str!("zones/nsec.zone"))];
        let limit = RateLimit { per_second: 1.try_into().unwrap(), slip };
        Site {
            zones: Zones::new(zones).unwrap(),
            identity: Identity::new(&"london".parse().unwrap(), None),
            limiter: RateLimiter::new(limit, [7; 16]),
            now: Timestamp::ZERO + Duration::from_secs(100),
        }
    }

    fn reply(&mut self, client: IpAddr, message: &[u8], transport: Transport) -> (Outcome, Vec<u8>) {
        let server = Server { zones: &self.zones, identity: &self.identity, secrets: &SECRETS };
        let arrival =
            Arrival { message, client, transport, patience: None, reserved: 0, now: self.now, wall: NOW };
        let mut out = vec![0; 65535];
        let outcome = answer(&server, Some(&mut self.limiter), &arrival, &mut out);
        out.truncate(if let Outcome::Reply { length, .. } = outcome { length } else { 0 });
        (outcome, out)
    }

    /// Whether it is said in full, over UDP.
    fn says(&mut self, name: &str, kind: &str) -> bool {
        let (outcome, _) = self.reply(CLIENT, &ask(name, kind).octets(), Transport::Udp);
        matches!(outcome, Outcome::Reply { slipped: false, .. })
    }
}

fn with_cookie(cookie: &[u8]) -> Vec<u8> {
    let options = vec![(10, cookie.to_vec()), (3, Vec::new())];
    let edns = Some(AskEdns { options, ..AskEdns::default() });
    messages::Ask { edns, ..ask("example.", "SOA") }.octets()
}

#[test]
fn what_counts_as_the_same() {
    let mut site = Site::new(1);
    for (same, names) in [
        ("one name, whatever the type", vec![("www.example.", "A"), ("WWW.example.", "AAAA")]),
        ("no such type of one name", vec![("www.example.", "MX"), ("www.example.", "SRV")]),
        ("no such name of one zone", vec![("x.example.", "A"), ("y.z.example.", "TXT")]),
        ("a wildcard", vec![("x.w.parent.test.", "A"), ("y.w.parent.test.", "A")]),
        ("a referral", vec![("x.wide.parent.test.", "A"), ("y.wide.parent.test.", "A")]),
        ("below a DNAME", vec![("x.moved.parent.test.", "A"), ("y.moved.parent.test.", "A")]),
        ("a refusal", vec![("a.test.", "A"), ("b.test.", "A")]),
    ] {
        let said: Vec<bool> = names.iter().map(|(name, kind)| site.says(name, kind)).collect();
        assert_eq!(said, [true, false], "{same}");
    }
    // All of it is said once more to another network, and a second later.
    let other: IpAddr = "192.0.3.7".parse().unwrap();
    let (outcome, _) = site.reply(other, &ask("x.example.", "A").octets(), Transport::Udp);
    assert!(matches!(outcome, Outcome::Reply { code: ResponseCode::NxDomain, slipped: false, .. }));
    site.now = site.now + Duration::from_secs(1);
    assert!(site.says("x.example.", "A"));
}

#[test]
fn what_is_too_much_is_truncated_or_asks_for_a_cookie() {
    let mut site = Site::new(1);
    let plain = ask("example.", "SOA").octets();
    site.reply(CLIENT, &plain, Transport::Udp);
    let (outcome, reply) = site.reply(CLIENT, &plain, Transport::Udp);
    let slipped = |code, truncated, cookie| Outcome::Reply {
        length: reply.len(),
        code,
        truncated,
        cookie,
        slipped: true,
    };
    assert_eq!(outcome, slipped(ResponseCode::NoError, true, Cookie::None));
    assert_eq!(reply.len(), plain.len(), "nothing is amplified");
    let shown = show(&reply).unwrap();
    assert_eq!((shown.flags.as_str(), shown.answer.len()), ("qr tc", 0));

    let (outcome, reply) = site.reply(CLIENT, &with_cookie(b"8 octets"), Transport::Udp);
    assert!(
        matches!(
            outcome,
            Outcome::Reply { code: ResponseCode::BadCookie, truncated: false, slipped: true, .. }
        ),
        "{outcome:?}"
    );
    assert_eq!(show(&reply).unwrap().code, "BADCOOKIE");
    // The client comes back with it.
    let at = reply.windows(4).position(|octets| octets == [0, 10, 0, 24]).unwrap() + 4;
    let good = with_cookie(&reply[at..at + 24]);
    for _ in 0..10 {
        let (outcome, _) = site.reply(CLIENT, &good, Transport::Udp);
        assert!(
            matches!(outcome, Outcome::Reply { code: ResponseCode::NoError, slipped: false, .. }),
            "{outcome:?}"
        );
        let (outcome, _) = site.reply(CLIENT, &plain, Transport::Tcp);
        assert!(matches!(outcome, Outcome::Reply { slipped: false, .. }), "{outcome:?}");
    }
    // From elsewhere it is worth nothing.
    let other: IpAddr = "192.0.2.8".parse().unwrap();
    let (outcome, _) = site.reply(other, &good, Transport::Udp);
    assert!(matches!(outcome, Outcome::Reply { code: ResponseCode::BadCookie, .. }), "{outcome:?}");
}

/// What is left to others costs them time, and they may say more than they were asked.
#[test]
fn who_asks_for_zones_or_signs_too_often_is_not_heard() {
    let mut notify = ask("example.", "SOA").octets();
    notify[2] = 4 << 3;
    let mut signed = ask("example.", "SOA").octets();
    signed.extend_from_slice(&[0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0]);
    signed[11] = 1;
    for message in [notify, signed, ask("example.", "AXFR").octets()] {
        for slip in [0, 1, 2] {
            let mut site = Site::new(slip);
            let mut outcome = |transport| site.reply(CLIENT, &message, transport).0;
            assert_eq!(outcome(Transport::Udp), Outcome::Aside);
            for _ in 0..3 {
                assert_eq!(outcome(Transport::Udp), Outcome::Silence(Silence::TooOften), "slip {slip}");
                assert_eq!(outcome(Transport::Tcp), Outcome::Aside);
            }
            site.now = site.now + Duration::from_secs(1);
            assert_eq!(site.reply(CLIENT, &message, Transport::Udp).0, Outcome::Aside);
        }
    }
    // Somebody who has us refused does not keep a primary from being heard, nor does a good cookie count.
    let mut site = Site::new(1);
    site.reply(CLIENT, &with_cookie(b"8 octets"), Transport::Udp);
    let (_, reply) = site.reply(CLIENT, &with_cookie(b"8 octets"), Transport::Udp);
    let at = reply.windows(4).position(|octets| octets == [0, 10, 0, 24]).unwrap() + 4;
    let options = vec![(10, reply[at..at + 24].to_vec())];
    let edns = Some(AskEdns { options, ..AskEdns::default() });
    let known = messages::Ask { edns, ..ask("example.", "AXFR") }.octets();
    assert!(site.says("a.test.", "A") && !site.says("b.test.", "A"));
    for _ in 0..3 {
        assert_eq!(site.reply(CLIENT, &known, Transport::Udp).0, Outcome::Aside);
    }
    assert_eq!(site.reply(CLIENT, &ask("example.", "AXFR").octets(), Transport::Udp).0, Outcome::Aside);
}

#[test]
fn without_slips_it_is_silence() {
    let mut site = Site::new(0);
    for message in [ask("example.", "SOA").octets(), with_cookie(b"8 octets"), vec![0; 12]] {
        site.reply(CLIENT, &message, Transport::Udp);
        let (outcome, _) = site.reply(CLIENT, &message, Transport::Udp);
        assert_eq!(outcome, Outcome::Silence(Silence::TooOften), "{message:02x?}");
    }
}
