//! What is written is read again, and nothing that can be read makes a decoder panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/arbitrary.rs"]
mod arbitrary;

use bgp::session::{ErrorCode, Notification, ShutdownText};
use bgp::wire::capability::AddPath;
use bgp::wire::message::{KEEPALIVE, MAX_EXTENDED_MESSAGE, MAX_MESSAGE, Message};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::nlri::Nlri;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::{Update, Verdict};
use proptest::prelude::*;
use terms::Family;

/// The body of an UPDATE message.
fn body(message: &[u8]) -> Vec<u8> {
    match Message::decode(message).unwrap() {
        Message::Update(body) => body,
        other => panic!("{other:?} is no UPDATE"),
    }
}

/// Header and body of a ROUTE-REFRESH, whatever its length.
fn refresh_message(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).unwrap().to_be_bytes();
    [&[0xff; 16][..], &length, &[5], body].concat()
}

/// RFC 7313 section 5: a mark of the wrong length is answered with the whole message, what is unknown is ignored.
#[test]
fn route_refreshes_of_the_wrong_length() {
    for mark in [1, 2] {
        for body in [&[0, 1, mark][..], &[0, 1, mark, 1, 0]] {
            let message = refresh_message(body);
            let answer = Notification::new(ErrorCode::ROUTE_REFRESH_LENGTH, message.clone());
            assert_eq!(Message::decode(&message), Err(answer));
        }
    }
    for body in [&[0, 1, 0][..], &[0, 1], &[], &[0, 1, 0, 1, 0], &[0, 1, 9]] {
        let error = Message::decode(&refresh_message(body)).unwrap_err().error;
        assert_eq!(error, ErrorCode::BAD_MESSAGE_LENGTH, "{body:?}");
    }
    let unknown = RouteRefresh { subtype: Refresh::Unknown(9), ..RouteRefresh::of(Family::Ipv4) };
    assert_eq!(Message::decode(&refresh_message(&[0, 1, 9, 1, 7, 7])), Ok(Message::RouteRefresh(unknown)));
}

/// A text within a hard reset is shown; a hard reset within another is not followed (RFC 8538 section 3.1).
#[test]
fn hard_resets_as_people_read_them() {
    let bye = "bye".parse().unwrap();
    let shutdown = Notification::decided(ErrorCode::ADMINISTRATIVE_SHUTDOWN, Some(&bye));
    let once = Notification::hard_reset(&shutdown);
    assert_eq!(once.to_string(), "Cease: Hard Reset (6/9), Cease: Administrative Shutdown (6/2) \"bye\"");
    let twice = Notification::hard_reset(&once);
    assert_eq!((twice.wrapped(), twice.shutdown_text()), (None, None));
    assert_eq!(Notification::from(ErrorCode::HARD_RESET).to_string(), "Cease: Hard Reset (6/9)");
}

/// RFC 7911 section 3: whoever has no path identifiers takes them for prefixes, so both directions are told apart.
#[test]
fn path_identifiers_are_where_they_were_agreed() {
    let path = Nlri { prefix: "192.0.2.0/24".parse().unwrap(), path: 7 };
    let session = |receive, send| Negotiated {
        add_path: [(Family::Ipv4, AddPath { receive, send })].into(),
        ..Negotiated::plain(PeerKind::External)
    };
    let update = Update::withdraw(Family::Ipv4, [path]);
    let message = update.encode(&session(false, true)).unwrap();
    assert_eq!(body(&message), [0, 8, 0, 0, 0, 7, 24, 192, 0, 2, 0, 0]);
    assert_eq!(Verdict::decode(&body(&message), &session(true, false)), Verdict::Accept(update.clone()));
    assert_ne!(Verdict::decode(&body(&message), &session(false, true)), Verdict::Accept(update.clone()));
    assert_eq!(body(&update.encode(&session(true, false)).unwrap()), [0, 4, 24, 192, 0, 2, 0, 0]);
}

#[test]
fn a_keepalive_is_one_header() {
    assert_eq!(Message::decode(&KEEPALIVE), Ok(Message::Keepalive));
}

proptest! {
    #[test]
    fn open(open in arbitrary::open()) {
        prop_assert_eq!(Message::decode(&open.encode()), Ok(Message::Open(open)));
    }

    #[test]
    fn update((negotiated, update) in arbitrary::update()) {
        let message = update.encode(&negotiated).unwrap();
        prop_assert_eq!(Verdict::decode(&body(&message), &negotiated), Verdict::Accept(update));
    }

    #[test]
    fn end_of_rib(negotiated in arbitrary::negotiated(), family in arbitrary::family()) {
        let message = Update::end_of_rib(family).encode(&negotiated).unwrap();
        match Verdict::decode(&body(&message), &negotiated) {
            Verdict::Accept(update) => prop_assert_eq!(update.is_end_of_rib(), Some(family)),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn notification(notification in arbitrary::notification()) {
        prop_assert_eq!(Message::decode(&notification.encode()), Ok(Message::Notification(notification)));
    }

    #[test]
    fn shutdown_text(text in "\\PC{1,60}") {
        let text: ShutdownText = text.parse().unwrap();
        let notification = Notification::decided(ErrorCode::ADMINISTRATIVE_SHUTDOWN, Some(&text));
        prop_assert_eq!(notification.shutdown_text(), Some(text));
    }

    #[test]
    fn a_shutdown_text_that_is_too_long_is_cut_between_characters(text in "\\PC{200,400}") {
        let fitting = ShutdownText::fitting(&text).unwrap();
        prop_assert!(fitting.as_str().len() <= 255 && text.starts_with(fitting.as_str()));
        let notification = Notification::decided(ErrorCode::ADMINISTRATIVE_RESET, Some(&fitting));
        prop_assert_eq!(notification.shutdown_text(), Some(fitting));
    }

    #[test]
    fn hard_resets(notification in arbitrary::notification()) {
        let wrapped = Notification::hard_reset(&notification);
        prop_assert_eq!(wrapped.error, ErrorCode::HARD_RESET);
        prop_assert_eq!(wrapped.shutdown_text(), notification.shutdown_text());
        prop_assert_eq!(wrapped.wrapped(), Some(notification));
    }

    #[test]
    fn route_refresh(afi: u16, safi: u8, subtype in 0u8..5) {
        let subtype = [Refresh::Request, Refresh::Begin, Refresh::End, Refresh::Unknown(3), Refresh::Unknown(255)]
            [usize::from(subtype)];
        let refresh = RouteRefresh { afi, subtype, safi };
        prop_assert_eq!(Message::decode(&refresh.encode()), Ok(Message::RouteRefresh(refresh)));
        let spoken = Family::ALL.into_iter().any(|family| refresh == RouteRefresh::about(family, subtype));
        prop_assert_eq!(refresh.family().is_some(), spoken);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets: Vec<u8>, negotiated in arbitrary::negotiated()) {
        let _ = Message::decode(&octets);
        let _ = Verdict::decode(&octets, &negotiated);
    }

    /// Nearly right messages reach further into the decoders than arbitrary ones.
    #[test]
    fn damaged_updates_never_panic(
        (negotiated, update) in arbitrary::update(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let mut octets = body(&update.encode(&negotiated).unwrap());
        for (place, octet) in damage {
            *place.get_mut(&mut octets) = octet;
        }
        let _ = Verdict::decode(&octets, &negotiated);
        let _ = Verdict::decode(&octets[..cut.index(octets.len())], &negotiated);
    }

    #[test]
    fn damaged_opens_never_panic(
        open in arbitrary::open(),
        place: prop::sample::Index,
        octet: u8,
    ) {
        let mut octets = open.encode();
        *place.get_mut(&mut octets) = octet;
        let _ = Message::decode(&octets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn long_update((negotiated, update) in arbitrary::long_update()) {
        let message = update.encode(&negotiated).unwrap();
        prop_assert!(message.len() <= MAX_EXTENDED_MESSAGE);
        prop_assert_eq!(Verdict::decode(&body(&message), &negotiated), Verdict::Accept(update.clone()));
        // RFC 8654 section 4: whoever did not agree is never sent a long one.
        let short = Negotiated { extended_messages: false, ..negotiated };
        prop_assert_eq!(update.encode(&short).is_ok(), message.len() <= MAX_MESSAGE);
    }
}
