//! Both ends of a conversation, the `domain` crate as the other end, and what somebody between them could do.

use super::*;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::tsig::Time48;
use domain::tsig;
use proptest::prelude::*;
use terms::{DomainName, SharedKey};

const NOW: WallTime = WallTime(1_800_000_000_000);

fn key(name: &str, secret: &str) -> Arc<Key> {
    let secret = SharedKey::new(secret).unwrap();
    Arc::new(Key::new(name.parse().unwrap(), Algorithm::HmacSha256, secret))
}

fn keys(keys: &[&Arc<Key>]) -> Keys {
    keys.iter().map(|&key| (key.name().clone(), Arc::clone(key))).collect()
}

fn later(seconds: u64) -> WallTime {
    WallTime(NOW.0 + 1000 * seconds)
}

/// A question for a whole zone.
fn request() -> Vec<u8> {
    crate::Question::Whole.message(7, &"example.".parse().unwrap())
}

/// A message of the reply, which nobody mistakes for another.
fn message(number: u8) -> Vec<u8> {
    let mut message = crate::acknowledge(&request(), 0, &[]);
    message.push(number);
    message[..12].copy_from_slice(&[0, 7, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.pop();
    message[3] = number & 0x70;
    message
}

/// A request that was signed, and both ends after it.
fn both_ends(key: &Arc<Key>) -> (Conversation, Conversation) {
    let mut request = request();
    let client = Conversation::open(Arc::clone(key), &mut request, NOW);
    let Ok(Some(server)) = Conversation::accept(&mut request, &keys(&[key]), later(1)) else {
        panic!("it is signed rightly")
    };
    assert_eq!(request, self::request(), "as it was before it was signed");
    (client, server)
}

#[test]
fn a_conversation_is_verified_message_by_message() {
    let key = key("Transfer.Example.", "swordfish");
    let (mut client, mut server) = both_ends(&key);
    for number in 0..3 {
        let mut reply = message(number << 4);
        server.sign(&mut reply, later(2));
        client.verify(&mut reply, later(3)).unwrap();
        assert_eq!(reply, message(number << 4));
    }
    client.close().unwrap();
}

#[test]
fn what_is_changed_repeated_left_out_or_reordered_is_noticed() {
    let key = key("transfer.", "swordfish");
    let (client, mut server) = both_ends(&key);
    let signed: Vec<Vec<u8>> = (0..3)
        .map(|number| {
            let mut reply = message(number << 4);
            server.sign(&mut reply, NOW);
            reply
        })
        .collect();
    let verify = |order: &[usize]| {
        let mut client = client.clone();
        order.iter().try_for_each(|&index| client.verify(&mut signed[index].clone(), NOW))
    };
    verify(&[0, 1, 2]).unwrap();
    for order in [&[1][..], &[0, 0], &[0, 2], &[0, 2, 1]] {
        assert_eq!(verify(order), Err(SignatureError::Wrong), "{order:?}");
    }
    for at in 0..signed[0].len() {
        let mut changed = signed[0].clone();
        changed[at] ^= 1;
        // The number of the message alone is not covered: whoever passes it on may change it.
        let verified = client.clone().verify(&mut changed, NOW);
        assert_eq!(verified.is_ok(), at < 2, "octet {at}: {verified:?}");
    }
}

#[test]
fn a_stream_is_signed_at_its_beginning_its_end_and_every_hundredth_message() {
    let key = key("transfer.", "swordfish");
    let (client, mut server) = both_ends(&key);
    assert_eq!(client.clone().verify(&mut message(0), NOW), Err(SignatureError::Unsigned));
    let mut first = message(0);
    server.sign(&mut first, NOW);
    let mut client = client.clone();
    client.verify(&mut first, NOW).unwrap();
    for _ in 0..99 {
        let plain = message(16);
        server.covered.update(&plain);
        client.verify(&mut plain.clone(), NOW).unwrap();
    }
    assert_eq!(client.clone().close(), Err(SignatureError::Unsigned), "not at its end");
    assert_eq!(client.clone().verify(&mut message(16), NOW), Err(SignatureError::Unsigned), "too many");
    let mut last = message(32);
    server.sign(&mut last, NOW);
    client.verify(&mut last, NOW).unwrap();
    client.close().unwrap();
}

#[test]
fn requests_that_are_not_right_are_told_why() {
    let ours = key("transfer.", "swordfish");
    let judge = |sender: &Arc<Key>, now| {
        let mut request = request();
        let mut client = Conversation::open(Arc::clone(sender), &mut request, NOW);
        let rejection = Conversation::accept(&mut request, &keys(&[&ours]), now).unwrap_err();
        let mut reply = rejection.reply(&request);
        (rejection.why, client.verify(&mut reply, NOW).unwrap_err())
    };
    let (why, told) = judge(&key("transfer.", "another"), NOW);
    assert_eq!((why, told), (SignatureError::Wrong, SignatureError::SignatureRefused));
    let (why, told) = judge(&key("other.", "swordfish"), NOW);
    assert_eq!((why, told), (SignatureError::OtherKey, SignatureError::KeyRefused));
    let (why, told) = judge(&ours, later(301));
    assert_eq!((why, told), (SignatureError::Time, SignatureError::TimeRefused));
    let sha512 = Key::new("transfer.".parse().unwrap(), Algorithm::HmacSha512, SharedKey::new("s").unwrap());
    let (why, told) = judge(&Arc::new(sha512), NOW);
    assert_eq!((why, told), (SignatureError::OtherKey, SignatureError::KeyRefused), "another algorithm");
}

#[test]
fn a_signature_in_the_middle_is_malformed() {
    let key = key("transfer.", "swordfish");
    let mut request = request();
    Conversation::open(Arc::clone(&key), &mut request, NOW);
    // Twice, and then not last.
    let mut twice = request.clone();
    Conversation::open(Arc::clone(&key), &mut twice, NOW);
    let rejection = Conversation::accept(&mut twice, &keys(&[&key]), NOW).unwrap_err();
    assert_eq!((rejection.why, rejection.reply(&twice)[3]), (SignatureError::Malformed, 1));
    let mut behind = request.clone();
    behind.push(0);
    assert!(Conversation::accept(&mut behind, &keys(&[&key]), NOW).is_err());
}

/// A signature of half the length could be found by trying in half of the time to the power of two.
#[test]
fn a_truncated_signature_is_refused() {
    let key = key("transfer.", "swordfish");
    let mut request = request();
    let row = Row::new(NOW, FUDGE);
    let mut context = key.context();
    context.update(&request);
    context.update(&row.variables(&key));
    row.append(&key, &context.sign().as_ref()[..16], &mut request);
    let rejection = Conversation::accept(&mut request, &keys(&[&key]), NOW).unwrap_err();
    let reply = rejection.reply(&request);
    assert_eq!(reply[3], NOTAUTH);
    let error = Split::of(&reply).unwrap().unwrap().row.error;
    assert_eq!(error, BADTRUNC);
}

/// The `domain` crate's own code is the other end: requests of ours, replies of its, and the other way round.
#[test]
fn another_implementation_agrees() {
    let algorithms = [
        (Algorithm::HmacSha1, tsig::Algorithm::Sha1),
        (Algorithm::HmacSha256, tsig::Algorithm::Sha256),
        (Algorithm::HmacSha384, tsig::Algorithm::Sha384),
        (Algorithm::HmacSha512, tsig::Algorithm::Sha512),
    ];
    for (ours, theirs) in algorithms {
        let name: DomainName = "Key.Example.".parse().unwrap();
        let our_key = Arc::new(Key::new(name, ours, SharedKey::new("a secret").unwrap()));
        let their_name = "key.example.".parse().unwrap();
        let their_key = tsig::Key::new(theirs, b"a secret", their_name, None, None).unwrap();
        let now = Time48::from_u64(NOW.0 / 1000);

        let mut request = request();
        let mut client = Conversation::open(Arc::clone(&our_key), &mut request, NOW);
        let mut read = Message::from_octets(request.clone()).unwrap();
        let mut server = tsig::ServerSequence::request(&their_key, &mut read, now).unwrap().unwrap();
        for _ in 0..3 {
            let reply = MessageBuilder::new_vec().start_answer(&read, domain::base::iana::Rcode::NOERROR);
            let mut reply = reply.unwrap().additional();
            server.answer(&mut reply, now).unwrap();
            client.verify(&mut reply.finish(), NOW).unwrap();
        }
        client.close().unwrap();

        let mut question = MessageBuilder::new_vec().question();
        question.push((Name::<Vec<u8>>::root_vec(), Rtype::AXFR)).unwrap();
        let mut question = question.additional();
        let mut client = tsig::ClientSequence::request(&their_key, &mut question, now).unwrap();
        let mut request = question.finish();
        let Ok(Some(mut server)) = Conversation::accept(&mut request, &keys(&[&our_key]), NOW) else {
            panic!("{ours:?}")
        };
        for _ in 0..3 {
            let mut reply = crate::acknowledge(&request, 0, &[]);
            server.sign(&mut reply, NOW);
            let mut reply = Message::from_octets(reply).unwrap();
            client.answer(&mut reply, now).unwrap();
        }
        client.done().unwrap();
    }
}

/// A request for the zone of a name, with the record of a signature whose owner is written as these octets.
fn signed_as(asked: &str, owner: &[u8], algorithm: &[u8], mac: &[u8]) -> Vec<u8> {
    let mut request = crate::Question::Whole.message(7, &asked.parse().unwrap());
    let data = [algorithm, &[0; 8], &(mac.len() as u16).to_be_bytes(), mac, &[0, 7, 0, 0, 0, 0]].concat();
    request.extend_from_slice(owner);
    request.extend_from_slice(&[0, 250, 0, 255, 0, 0, 0, 0]);
    request.extend_from_slice(&(data.len() as u16).to_be_bytes());
    request.extend_from_slice(&data);
    request[11] += 1;
    request
}

/// Whoever writes the address of another under a request has him sent no more than the request had.
#[test]
fn a_rejection_is_no_larger_than_its_request() {
    let long = format!("{}.example.", ["a"; 120].join("."));
    let ours = key(&long, "swordfish");
    let sha256 = b"\x0bhmac-sha256\0";
    let wire: DomainName = long.parse().unwrap();
    let pointer = |at: u16| (0xc000 | at).to_be_bytes();
    let ends: [(&[u8], &str); 4] = [
        (wire.as_wire(), "written out"),
        (&pointer(12), "all of it in the question"),
        (&pointer(14), "the end of the question"),
        (&[&b"\x01b"[..], &pointer(14)].concat(), "a label and the end of the question"),
    ];
    for (owner, title) in ends {
        for mac in [&[][..], &[1; 32]] {
            let request = signed_as(&long, owner, sha256, mac);
            let rejection = Conversation::accept(&mut request.clone(), &keys(&[&ours]), NOW).unwrap_err();
            let reply = rejection.reply(&request);
            assert!(reply.len() <= request.len(), "{title}: {} for {}", reply.len(), request.len());
            let (asked, told) = (Split::of(&request).unwrap().unwrap(), Split::of(&reply).unwrap().unwrap());
            assert_eq!(told.name, asked.name, "{title}");
            assert_ne!(told.row.error, 0, "{title}");
        }
    }
    let request = signed_as(&long, wire.as_wire(), &pointer(12), &[]);
    let rejection = Conversation::accept(&mut request.clone(), &keys(&[&ours]), NOW).unwrap_err();
    assert_eq!(rejection.why, SignatureError::Malformed, "an algorithm is written out");
}

proptest! {
    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let key = key("transfer.", "swordfish");
        let mut message = octets.clone();
        if let Err(rejection) = Conversation::accept(&mut message, &keys(&[&key]), NOW) {
            rejection.reply(&message);
        }
        let (mut client, _) = both_ends(&key);
        prop_assert!(client.verify(&mut octets.clone(), NOW).is_err());
    }
}
