//! What is written is read again, and nothing that can be read makes a decoder panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/arbitrary.rs"]
mod arbitrary;

use bgp::session::{ErrorCode, Notification, ShutdownText};
use bgp::wire::message::{KEEPALIVE, Message, RouteRefresh};
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
    fn route_refresh(afi: u16, safi: u8) {
        let refresh = RouteRefresh { afi, safi };
        prop_assert_eq!(Message::decode(&refresh.encode()), Ok(Message::RouteRefresh(refresh)));
        let spoken = Family::ALL.into_iter().any(|family| refresh == RouteRefresh::of(family));
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
