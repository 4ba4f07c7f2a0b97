//! Connections that go to another site and come from one: here the same server is both.

use super::*;
use crate::handover::{Fate, Given, prepare};
use std::num::NonZeroUsize;

#[test]
fn a_connection_goes_between_two_messages_with_what_has_arrived_of_the_next() {
    let (cooperation, mut offers) = prepare();
    let world = World::among(shelf(), &settings(1), &Surroundings { cooperation, ..surroundings() });
    let mut client = world.connect();
    client.write_all(&framed(&query(1, 6))).unwrap();
    assert_eq!(read_framed(&mut client)[..2], [0, 1]);
    // Ten octets of the next query, which the service may have read or not when its turn comes.
    let next = framed(&query(2, 6));
    client.write_all(&next[..10]).unwrap();
    let (socket, state) = loop {
        let (socket, state, fate) = offers.next();
        if state.is_empty() {
            fate.send(Fate::Stays).unwrap();
            continue;
        }
        fate.send(Fate::Moved).unwrap();
        break (socket, state);
    };
    assert_eq!(state, next[..10]);
    // The kernel's part of it stays in one kernel here.
    let stream = TcpStream::from(socket);
    assert!(offers.give(stream.local_addr().unwrap(), Given { stream, state }));
    client.write_all(&next[10..]).unwrap();
    assert_eq!(read_framed(&mut client)[..2], [0, 2]);
    let elsewhere = "198.18.0.54:53".parse().unwrap();
    let stream = client.try_clone().unwrap();
    assert!(!offers.give(elsewhere, Given { stream, state: Vec::new() }), "nobody serves that address");
}

#[test]
fn a_connection_that_stays_is_served_on_and_offered_again() {
    let (cooperation, mut offers) = prepare();
    let world = World::among(shelf(), &settings(1), &Surroundings { cooperation, ..surroundings() });
    let mut client = world.connect();
    for id in 1..4 {
        client.write_all(&framed(&query(id, 6))).unwrap();
        assert_eq!(read_framed(&mut client)[..2], id.to_be_bytes());
        let (_, _, fate) = offers.next();
        fate.send(Fate::Stays).unwrap();
    }
}

#[test]
fn a_service_that_is_full_takes_no_connection_of_another_site() {
    let (cooperation, offers) = prepare();
    let mut settings = settings(1);
    settings.limits.connections = NonZeroUsize::new(2).unwrap();
    let world = World::among(shelf(), &settings, &Surroundings { cooperation, ..surroundings() });
    let ask = || {
        let mut client = world.connect();
        client.write_all(&framed(&query(1, 6))).unwrap();
        read_framed(&mut client);
        client
    };
    let first = ask();
    let at = first.peer_addr().unwrap();
    assert!(offers.has_room(at));
    let second = ask();
    assert!(!offers.has_room(at), "it would cost one of the two its place");
    drop(second);
    while !offers.has_room(at) {
        std::thread::yield_now();
    }
}
