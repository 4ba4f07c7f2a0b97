//! Two ends that have the key, and whoever does not.

use super::*;
use ::continuity::handover::Refusal;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

fn number(number: u8) -> SiteNumber {
    number.try_into().unwrap()
}

fn ring(octet: u8) -> KeyRing {
    KeyRing::new(KeyId::ALL[1], Key::new([octet; 16]))
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

const ENDS: fn() -> Ends = || Ends { giver: number(1), taker: number(2) };

async fn meet(giver: KeyRing, taker: KeyRing, here: u8) -> (Result<Channel, Fault>, Result<Channel, Fault>) {
    let (near, far) = pair().await;
    let hears = async {
        // Whoever is turned away is hung up on.
        Channel::hear_out(far, number(here), &taker, |from| from == number(1)).await
    };
    tokio::join!(Channel::begin(near, ENDS(), &giver), hears)
}

#[tokio::test]
async fn two_sites_of_the_fleet_understand_each_other() {
    let (giver, taker) = meet(ring(7), ring(7), 2).await;
    let (mut giver, mut taker) = (giver.unwrap(), taker.unwrap());
    for _ in 0..3 {
        giver.say(&Message::Released).await.unwrap();
        assert_eq!(taker.hear().await.unwrap(), Message::Released);
        taker.say(&Message::Refused(Refusal::Kernel)).await.unwrap();
        assert_eq!(giver.hear().await.unwrap(), Message::Refused(Refusal::Kernel));
    }
}

#[tokio::test]
async fn whoever_has_another_key_is_not_believed() {
    let (giver, taker) = meet(ring(7), ring(8), 2).await;
    assert!(matches!(taker, Err(Fault::Seal)) && giver.is_err());
    let other = KeyRing::new(KeyId::ALL[2], Key::new([7; 16]));
    assert!(matches!(meet(ring(7), other, 2).await.1, Err(Fault::Key)));
}

#[tokio::test]
async fn whoever_means_another_site_is_not_believed() {
    assert!(matches!(meet(ring(7), ring(7), 3).await.1, Err(Fault::Stranger)));
}

#[tokio::test]
async fn what_is_no_site_is_not_waited_for_and_costs_no_memory() {
    for (octets, is_right) in [
        (
            &b"GET / HTTP/1.1\r\nHost: service.example\r\n\r\n"[..],
            Box::new(|fault: &Fault| matches!(fault, Fault::Version)) as Box<dyn Fn(&Fault) -> bool>,
        ),
        (
            &[&b"CMHO\x01\x01\x01\x02"[..], &[0; 32], &u32::MAX.to_be_bytes()].concat(),
            Box::new(|fault: &Fault| matches!(fault, Fault::Malformed(Malformed::TooLong))),
        ),
        (
            &[&b"CMHO\x01\x01\x01\x02"[..], &[0; 32], &17_u32.to_be_bytes(), &[0; 17]].concat(),
            Box::new(|fault: &Fault| matches!(fault, Fault::Seal)),
        ),
    ] {
        let (mut near, far) = pair().await;
        near.write_all(octets).await.unwrap();
        let heard = Channel::hear_out(far, number(2), &ring(7), |_| true).await.err();
        assert!(heard.as_ref().is_some_and(&is_right), "{heard:?}");
    }
}

/// Somebody between the two, who may repeat, leave out and change what they say.
#[tokio::test]
async fn what_is_repeated_left_out_or_changed_is_not_believed() {
    for fault in ["repeated", "left out", "changed", "sent back"] {
        let (near, mut middle) = pair().await;
        let (mut other, far) = pair().await;
        let ring = ring(7);
        let giver = Channel::begin(near, ENDS(), &ring);
        let taker = Channel::hear_out(far, number(2), &ring, |_| true);
        // Hello and Begin pass: 40 octets and a sealed one, 32 octets back, and a sealed one back.
        let begin = 4 + 1 + AES_256_GCM.tag_len();
        let passing = async {
            for (length, is_to_taker) in
                [(HELLO + RANDOM, true), (RANDOM, false), (begin, true), (begin, false)]
            {
                let mut octets = vec![0; length];
                let (from, to) =
                    if is_to_taker { (&mut middle, &mut other) } else { (&mut other, &mut middle) };
                from.read_exact(&mut octets).await.unwrap();
                to.write_all(&octets).await.unwrap();
            }
        };
        let (giver, taker, ()) = tokio::join!(giver, taker, passing);
        let (mut giver, mut taker) = (giver.unwrap(), taker.unwrap());
        giver.say(&Message::Released).await.unwrap();
        giver.say(&Message::Withdrawn).await.unwrap();
        let mut said = vec![0; 2 * begin];
        middle.read_exact(&mut said).await.unwrap();
        let (first, second) = said.split_at_mut(begin);
        match fault {
            "repeated" => {
                other.write_all(&[&*first, &*first].concat()).await.unwrap();
                assert_eq!(taker.hear().await.unwrap(), Message::Released);
                assert!(matches!(taker.hear().await, Err(Fault::Seal)), "{fault}");
            }
            "left out" => {
                other.write_all(second).await.unwrap();
                assert!(matches!(taker.hear().await, Err(Fault::Seal)), "{fault}");
            }
            "changed" => {
                first[4] ^= 1;
                other.write_all(first).await.unwrap();
                assert!(matches!(taker.hear().await, Err(Fault::Seal)), "{fault}");
            }
            _ => {
                middle.write_all(first).await.unwrap();
                assert!(matches!(giver.hear().await, Err(Fault::Seal)), "{fault}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_long_is_read_before_there_is_room_for_it() {
    let (giver, taker) = meet(ring(7), ring(7), 2).await;
    let (mut giver, mut taker) = (giver.unwrap(), taker.unwrap());
    giver.say(&Message::Withdrawn).await.unwrap();
    let length = taker.announced().await.unwrap();
    let room = Room::of(length);
    let others = room.take(1).unwrap();
    {
        let mut hearing = std::pin::pin!(taker.hear_in(&room, length));
        for _ in 0..10 {
            tokio::select! {
                biased;
                _ = &mut hearing => panic!("it was read where no room was"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(others);
        let (message, share) = hearing.await.unwrap();
        assert_eq!(message, Message::Withdrawn);
        assert!(room.take(1).is_none());
        drop(share);
        assert!(room.take(length).is_some());
    }
    // Whoever waits for an answer reads nothing long at all.
    let long = (Message::SHORT + AES_256_GCM.tag_len() + 1) as u32;
    giver.stream.write_all(&long.to_be_bytes()).await.unwrap();
    assert!(matches!(taker.hear().await, Err(Fault::Malformed(Malformed::TooLong))));
}

#[tokio::test]
async fn what_is_sealed_and_no_message_is_not_read() {
    for octets in [&[][..], &[0], &[9], &[4, 9], &[3, 0], &[1; 2], &[2, 0, 0, 0], &[2; 3000]] {
        let (giver, taker) = meet(ring(7), ring(7), 2).await;
        let (mut giver, mut taker) = (giver.unwrap(), taker.unwrap());
        let (nonce, mut sealed) = (giver.sends.nonce(), octets.to_vec());
        giver.sends.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).unwrap();
        let length = u32::try_from(sealed.len()).unwrap();
        giver.stream.write_all(&[&length.to_be_bytes()[..], &sealed].concat()).await.unwrap();
        let heard = taker.announced().await.unwrap();
        assert!(matches!(taker.hear_whole(heard).await, Err(Fault::Malformed(_))), "{octets:?}");
    }
}
