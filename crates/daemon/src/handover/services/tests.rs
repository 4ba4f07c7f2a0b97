//! Services of every kind: good ones, slow ones, such as die in the middle, and [`hostile`] ones. None of them has more of
//! the daemon than it may, and nothing that it brought is left behind.

mod hostile;
mod stage;

use super::trust::Owner;
use super::{Reception, Recess, Roster, Rules, Waits};
use crate::clock::Clock;
use crate::events::Bus;
use crate::handover::cooperation::{Fate, Offered, prepare};
use continuity::handover::Message;
use continuity::service::Session;
use linux::pass;
use nix::unistd::Uid;
use socket2::{Domain, Socket, Type};
use stage::{HERE, LONG, PATIENCE, SHORT, Stage, connection, given, port, rules};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use tokio::sync::watch;

#[tokio::test]
async fn a_service_gives_its_connections_and_is_given_others() {
    let mut stage = Stage::new(LONG);
    let (_client, stream) = connection();
    stage.join(port(&stream)).await;
    let here: SocketAddr = stream.local_addr().unwrap();
    let known = stage.roster.all().pop().unwrap();
    assert_eq!((known.name.as_str(), known.addresses, known.is_full), ("chat", vec![here], false));
    stage.drain().await;
    stage.say(b"wish 2\n", &[]).await;
    for (number, fate, told) in [(1, Fate::Stays, "stays 1\n"), (2, Fate::Moved, "moved 2\n")] {
        let granted = stage.turn().await;
        stage.say(format!("offer {number}\nthe state\n of {number}").as_bytes(), &[stream.as_fd()]).await;
        let offered = granted.await.unwrap().unwrap();
        assert_eq!(offered.state, format!("the state\n of {number}").as_bytes());
        let socket = socket2::SockRef::from(&offered.socket).local_addr().unwrap();
        assert_eq!(socket.as_socket(), Some(here));
        offered.fate.send(fate).unwrap();
        stage.hears(told).await;
    }
    stage.offers.end();
    stage.hears("resume\n").await;
    let (client, stream) = connection();
    let ends = (client.local_addr().unwrap(), stream.local_addr().unwrap());
    assert!(stage.offers.give(here, given(stream, b"17\n1024")));
    let (told, mut sockets) = stage.hear().await;
    assert_eq!(told, format!("given {} {}\n17\n1024", ends.0, ends.1));
    let stream = TcpStream::from(sockets.pop().unwrap());
    assert_eq!((stream.peer_addr().unwrap(), sockets.len()), (ends.0, 0));
}

/// It has a turn, and offers this.
async fn offers(stage: &mut Stage, socket: BorrowedFd<'_>) {
    stage.first_turn().await;
    stage.say(b"offer 1\n", &[socket]).await;
}

#[tokio::test]
async fn a_connection_whose_client_has_gone_stays_and_a_listener_goes_nowhere() {
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let mut stage = Stage::new(LONG);
    stage.join(listener.local_addr().unwrap().port()).await;
    offers(&mut stage, listener.as_fd()).await;
    stage.hears("stays 1\n").await;
    let (client, stream) = connection();
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let mut stage = Stage::new(LONG);
    stage.join(port(&stream)).await;
    offers(&mut stage, stream.as_fd()).await;
    stage.hears("stays 1\n").await;
}

#[tokio::test]
async fn a_turn_that_is_not_answered_lapses_and_the_answer_that_comes_late_keeps_the_connection() {
    let (_client, stream) = connection();
    let mut stage = Stage::new(Waits { turn: SHORT, ..LONG });
    stage.join(port(&stream)).await;
    stage.lets_a_turn_lapse().await;
    stage.say(b"offer 1\n", &[stream.as_fd()]).await;
    stage.hears("stays 1\n").await;
    // Sooner or later one is answered in time, whatever has become of the others.
    loop {
        stage.say(b"wish 2\n", &[]).await;
        let (_forgotten, granted) = (stage.turn().await, stage.turn().await);
        let number = stage.turns;
        assert!(number < 100, "no answer is in time any more");
        stage.say(format!("offer {number}\n").as_bytes(), &[stream.as_fd()]).await;
        let offered = granted.await.unwrap();
        let is_in_time = offered.is_some();
        offered.into_iter().for_each(Offered::stays);
        stage.hears(&format!("stays {number}\n")).await;
        if is_in_time {
            break;
        }
    }
}

#[tokio::test]
async fn a_service_that_dies_in_the_middle_leaves_its_connections_to_the_daemon() {
    let (mut client, stream) = connection();
    let here = stream.local_addr().unwrap();
    let mut stage = Stage::new(LONG);
    stage.join(port(&stream)).await;
    let granted = stage.first_turn().await;
    stage.say(b"offer 1\n", &[stream.as_fd()]).await;
    drop(stream);
    let offered = granted.await.unwrap().unwrap();
    assert!(stage.offers.has_room(here));
    let Stage { service, visit, offers, roster, .. } = stage;
    drop(service);
    while offers.has_room(here) {
        tokio::task::yield_now().await;
    }
    assert_eq!(roster.all(), [], "nobody is there any more that would take one");
    // It stays, and nobody serves it: it ends, and the client knows.
    offered.stays();
    tokio::time::timeout(PATIENCE, visit).await.unwrap().unwrap();
    assert_eq!(io::Read::read(&mut client, &mut [0]).unwrap(), 0);
}

#[tokio::test]
async fn a_service_that_does_not_read_is_given_no_more_than_it_has_room_for_and_is_left() {
    let (_client, stream) = connection();
    let here = stream.local_addr().unwrap();
    let mut stage = Stage::new(Waits { word: Duration::from_secs(2), ..LONG });
    stage.join(port(&stream)).await;
    let mut clients = Vec::new();
    while stage.offers.has_room(here) {
        let (client, stream) = connection();
        clients.push(client);
        stage.offers.give(here, given(stream, &vec![b'x'; Message::MOST_STATE]));
        tokio::task::yield_now().await;
        assert!(clients.len() < 100, "its memory is bounded");
    }
    tokio::time::timeout(PATIENCE, &mut stage.visit).await.unwrap().unwrap();
    assert!(stage.bus.latest().pop().unwrap().text.contains("it does not read what it is told"));
    drop(stage);
    for mut client in clients {
        // In order or not: none waits for nobody.
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let end = io::Read::read(&mut client, &mut [0]);
        assert!(
            matches!(&end, Ok(0)) || end.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
        );
    }
}

#[tokio::test]
async fn a_service_that_is_full_is_given_none() {
    let mut stage = Stage::new(LONG);
    let here: SocketAddr = "127.0.0.1:19".parse().unwrap();
    stage.join(19).await;
    assert!(stage.offers.has_room(here));
    assert!(stage.offers.has_room("[::ffff:127.0.0.1]:19".parse().unwrap()), "of a socket for both families");
    stage.say(b"full\n", &[]).await;
    while stage.offers.has_room(here) {
        tokio::task::yield_now().await;
    }
    assert!(stage.roster.all()[0].is_full);
    stage.say(b"room\n", &[]).await;
    while !stage.offers.has_room(here) {
        tokio::task::yield_now().await;
    }
    stage.rules.send_replace(None);
    stage.is_refused("the site file lets no services join any more").await;
}

#[tokio::test]
async fn a_service_has_no_more_turns_at_a_time_than_its_share() {
    let mut stage = Stage::new(LONG);
    stage.join(19).await;
    stage.drain().await;
    stage.say(format!("wish {}\n", u32::MAX).as_bytes(), &[]).await;
    for _ in 0..Session::MOST_AT_ONCE {
        stage.turn().await;
    }
    let more = tokio::time::timeout(SHORT, stage.offers.wishes.recv()).await;
    assert!(more.is_err(), "the others wait until it has answered");
    stage.say(b"pass 3\n", &[]).await;
    stage.turn().await;
}

#[tokio::test]
async fn what_was_wished_is_wished_no_more_in_the_next_round() {
    let mut stage = Stage::new(LONG);
    stage.join(19).await;
    stage.drain().await;
    stage.say(b"wish 2\n", &[]).await;
    stage.turn().await;
    stage.say(b"pass 1\n", &[]).await;
    let second = stage.wish().await;
    stage.drain().await;
    tokio::spawn(second.grant(PATIENCE));
    stage.say(b"wish 1\n", &[]).await;
    stage.turn().await;
    stage.say(b"pass 2\n", &[]).await;
    let more = tokio::time::timeout(SHORT, stage.offers.wishes.recv()).await;
    assert!(more.is_err(), "it wished for one");
}

#[tokio::test]
async fn in_a_recess_no_service_has_a_turn_and_what_is_underway_is_waited_for() {
    let (_client, stream) = connection();
    let mut stage = Stage::new(LONG);
    stage.join(port(&stream)).await;
    stage.drain().await;
    stage.say(b"wish 2\n", &[]).await;
    let granted = stage.turn().await;
    let recess = stage.recess.clone();
    let called = tokio::spawn(async move { recess.quiet().await });
    // It knows by now. What is granted in spite of it comes back.
    tokio::time::sleep(SHORT).await;
    let second = stage.wish().await;
    assert!(second.grant(PATIENCE).await.is_none());
    let more = tokio::time::timeout(SHORT, stage.offers.wishes.recv()).await;
    assert!(more.is_err(), "nobody asks in a recess");
    stage.say(b"offer 1\n", &[stream.as_fd()]).await;
    let offered = granted.await.unwrap().unwrap();
    assert!(!called.is_finished());
    offered.fate.send(Fate::Moved).unwrap();
    tokio::time::timeout(PATIENCE, called).await.unwrap().unwrap();
    // It was said before.
    assert_eq!(pass::receive(&stage.service, &mut [0; 80]).unwrap().0, "moved 1\n".len());
    stage.recess.end();
    stage.turn().await;
}
