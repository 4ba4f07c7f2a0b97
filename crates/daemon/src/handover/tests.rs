//! Two sites: a client's connection goes from one to the other, and the client notices nothing.

mod hostile;
mod services;
mod stage;

use super::room::Room;
use super::tally::{Numbers, Why};
use super::{Fate, Given, Patience, Vacancy, channel, kernel};
use ::continuity::handover::{Dump, Message, Refusal};
use ::continuity::{Flow, Shim, Visited};
use linux::tcp::repair;
use nix::sys::socket::{setsockopt, sockopt};
use stage::{PATIENCE, PORT, SITES, Stage, inside, number, offer, read, ring, service, until};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

#[test]
fn a_connection_goes_to_the_other_site_and_its_packets_with_it() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let mut staying = stage.place(2, false, true, ring(1));
        let (mut client, mut stream) = stage.call().await;
        client.write_all(b"before").await.unwrap();
        assert_eq!(read(&mut stream, 3).await, b"bef");
        // All the time something is on its way, so that some of it meets the fence.
        let (mut hears, mut says) = client.into_split();
        let speaking = tokio::spawn(async move {
            for line in 0..400 {
                says.write_all(format!("{line:05}").as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_micros(50)).await;
            }
            says
        });
        assert_eq!(offer(&leaving, &stream).await, Fate::Moved);
        assert!(stream.peer_addr().is_err(), "it has ended here");
        let Given { stream, state } = staying.given.recv().await.unwrap();
        assert_eq!(state, b"state");
        let mut stream = TcpStream::from_std(stream).unwrap();
        assert_eq!(read(&mut stream, 3).await, b"ore");
        let expected: String = (0..400).map(|line| format!("{line:05}")).collect();
        assert_eq!(String::from_utf8(read(&mut stream, 2000).await).unwrap(), expected);
        stream.write_all(b"answer").await.unwrap();
        let mut answer = [0; 6];
        hears.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"answer");
        drop(speaking.await.unwrap());
        let Numbers { given, kept, .. } = leaving.tally.numbers();
        assert_eq!((given, kept.len(), staying.tally.numbers().taken), (1, 0, 1));
    });
}

/// A connection stays, for this reason, and goes on.
async fn stays(stage: &Stage, why: Why) {
    let leaving = stage.place(1, true, false, ring(1));
    let (mut client, mut stream) = stage.call().await;
    assert_eq!(offer(&leaving, &stream).await, Fate::Stays);
    client.write_all(b"goes on").await.unwrap();
    assert_eq!(read(&mut stream, 7).await, b"goes on");
    let Numbers { given, kept, .. } = leaving.tally.numbers();
    assert_eq!((given, kept), (0, [(why, 1)].into()));
}

/// Another group of the site is being left: a connection of this one is not touched, and goes with its own.
#[test]
fn a_connection_stays_while_only_others_are_left() {
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        let leaving = stage.place(1, false, false, ring(1));
        let (_client, stream) = stage.call().await;
        let other: SocketAddr = "198.18.0.99:7".parse().unwrap();
        let leave = |also: &[std::net::IpAddr]| {
            let all = also.iter().copied().chain([other.ip()]).collect();
            leaving.situation.send_modify(|now| now.as_mut().unwrap().leaving = all);
        };
        leave(&[]);
        let mut round = leaving.cooperation.rounds([other].into());
        assert!(round.changed().await);
        // A service that has not heard of it yet may ask.
        let wished = leaving.cooperation.turn_in(round.seen(), [service()].into()).await;
        assert!(wished.is_none(), "nobody reaches for another site");
        leave(&[service().ip()]);
        assert_eq!(offer(&leaving, &stream).await, Fate::Moved);
        staying.given.recv().await.unwrap();
        let Numbers { given, kept, .. } = leaving.tally.numbers();
        assert_eq!((given, kept), (1, [].into()));
    });
}

/// Nobody can be reached: the service has the connection all the time, and it is said why it stays.
async fn is_not_asked_for(stage: &Stage) {
    let leaving = stage.place(1, true, false, ring(1));
    let mut round = 0;
    tokio::select! {
        _ = leaving.cooperation.turn(service(), &mut round) => panic!("it would stand still for nothing"),
        () = until(|| leaving.tally.numbers().kept.contains_key(&Why::Unreachable)) => {}
    }
}

#[test]
fn a_connection_stays_where_no_service_takes_it() {
    inside(async |stage| {
        let _staying = stage.place(2, false, false, ring(1));
        stays(&stage, Why::NoService).await;
    });
}

#[test]
fn a_connection_stays_where_the_other_site_is_being_left_too() {
    inside(async |stage| {
        let staying = stage.place(2, true, true, ring(1));
        stays(&stage, Why::Service).await;
        assert_eq!(staying.tally.numbers().taken, 0);
    });
}

#[test]
fn a_connection_stays_where_the_service_has_no_room() {
    inside(async |stage| {
        let staying = stage.place(2, false, true, ring(1));
        let _all = staying.takes_in.try_reserve_many(4).unwrap();
        stays(&stage, Why::Service).await;
    });
}

/// The site has more than one service: that one is full concerns no other.
#[test]
fn a_full_service_bars_no_other_one() {
    inside(async |stage| {
        let staying = stage.place(2, false, true, ring(1));
        let _all = staying.takes_in.try_reserve_many(4).unwrap();
        let other = SocketAddr::new(service().ip(), 8);
        let (takes, mut given) = mpsc::channel(1);
        let _member = staying.cooperation.join(vec![other], &takes, &Vacancy::default());
        let leaving = stage.place(1, true, false, ring(1));
        let (_client, full) = stage.call().await;
        let (_other_client, free) = stage.call_at(other).await;
        assert_eq!(offer(&leaving, &full).await, Fate::Stays);
        assert_eq!(offer(&leaving, &free).await, Fate::Moved);
        given.recv().await.unwrap();
        assert_eq!(leaving.tally.numbers().kept, [(Why::Service, 1)].into());
    });
}

#[test]
fn a_connection_is_not_asked_for_where_the_other_site_has_another_key() {
    inside(async |stage| {
        let _staying = stage.place(2, false, true, ring(2));
        is_not_asked_for(&stage).await;
    });
}

#[test]
fn a_connection_is_not_asked_for_where_nobody_listens() {
    inside(async |stage| is_not_asked_for(&stage).await);
}

#[test]
fn a_door_that_somebody_holds_is_opened_when_it_is_free() {
    inside(async |stage| {
        let door = SocketAddr::new(SITES[1].parse().unwrap(), PORT.get());
        let other = stage.listen(1, door);
        let staying = stage.place(2, false, true, ring(1));
        until(|| staying.bus.latest().iter().any(|row| row.kind == "handover-deaf")).await;
        drop(other);
        until(|| stage.is_open(1)).await;
    });
}

/// What the giver says, with a connection in it.
async fn offered(channel: &mut channel::Channel) -> Message {
    let length = channel.announced().await.unwrap();
    channel.hear_in(&Room::of(length), length).await.unwrap().0
}

/// The second site has the connection of the first one, and waits for a word; its flow, and the way there.
async fn accepted(stage: &Stage, stream: &TcpStream) -> (Flow, channel::Channel) {
    let (flow, channel, answer) = answered(stage, stream).await;
    assert_eq!(answer, Message::Accepted);
    (flow, channel)
}

/// The second site is offered the connection of the first one; its flow, the way there, and what it answers.
async fn answered(stage: &Stage, stream: &TcpStream) -> (Flow, channel::Channel, Message) {
    let flow = Flow::new(stream.peer_addr().unwrap(), service());
    stage.fences[0].fence(&flow, PATIENCE).unwrap();
    repair::freeze(stream).unwrap();
    let dump = kernel::said(repair::dump(stream, Dump::MOST_QUEUED).unwrap());
    let socket = stage.hosts[0].run(|| TcpSocket::new_v4().unwrap()).unwrap();
    let door = SocketAddr::new(SITES[1].parse().unwrap(), PORT.get());
    let ends = channel::Ends { giver: number(1), taker: number(2) };
    let way = socket.connect(door).await.unwrap();
    let mut channel = channel::Channel::begin(way, ends, &ring(1)).await.unwrap();
    channel.say(&Message::Offer { state: Vec::new(), dump }).await.unwrap();
    let answer = channel.hear().await.unwrap();
    (flow, channel, answer)
}

/// Many are offered at the same time: the last place is promised once.
#[test]
fn no_more_are_accepted_than_the_service_has_places_for() {
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        let _all_but_one: Vec<_> =
            (0..3).map(|_| staying.takes_in.clone().try_reserve_owned().unwrap()).collect();
        let [(_one, first), (_other, second)] = [stage.call().await, stage.call().await];
        let (_, mut channel) = accepted(&stage, &first).await;
        assert_eq!(answered(&stage, &second).await.2, Message::Refused(Refusal::Service));
        repair::discard(&first).unwrap();
        channel.say(&Message::Released).await.unwrap();
        staying.given.recv().await.unwrap();
        until(|| staying.tally.numbers().taken == 1).await;
    });
}

/// Its giver has ended it by then: it is lost, and nobody is told that it was taken.
#[test]
fn a_connection_whose_service_leaves_before_it_comes_is_counted_as_broken() {
    inside(async |stage| {
        let staying = stage.place(2, false, true, ring(1));
        let (_client, stream) = stage.call().await;
        let (_, mut channel) = accepted(&stage, &stream).await;
        drop(staying.given);
        repair::discard(&stream).unwrap();
        channel.say(&Message::Released).await.unwrap();
        until(|| staying.tally.numbers() != Numbers::default()).await;
        let Numbers { taken, kept, .. } = staying.tally.numbers();
        assert_eq!((taken, kept), (0, [(Why::Broken, 1)].into()));
    });
}

/// The site file moves the door, or nothing is known for a moment, when a connection has been accepted and its giver has ended it.
#[test]
fn a_door_that_closes_takes_no_connection_along() {
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        let (_client, stream) = stage.call().await;
        let (_, mut channel) = accepted(&stage, &stream).await;
        staying.situation.send_replace(None);
        until(|| !stage.is_open(1)).await;
        repair::discard(&stream).unwrap();
        channel.say(&Message::Released).await.unwrap();
        staying.given.recv().await.unwrap();
        until(|| staying.tally.numbers().taken == 1).await;
    });
}

/// Routing moves the client to the site that has taken the connection and not been released: what it takes in there would be
/// lost where the connection stays.
#[test]
fn a_query_that_reaches_the_other_site_too_early_is_not_lost() {
    inside(async |stage| {
        let _staying = stage.place(2, false, true, ring(1));
        let (mut client, mut stream) = stage.call().await;
        let (flow, mut channel) = accepted(&stage, &stream).await;
        let before = stage.seen(1);
        stage.route_to(1);
        client.write_all(b"query").await.unwrap();
        until(|| stage.seen(1) > before).await;
        // Somebody without the socket would reset it.
        stage.route_to(0);
        channel.say(&Message::Withdrawn).await.unwrap();
        repair::thaw(&stream).unwrap();
        stage.fences[0].unfence(&flow);
        assert_eq!(read(&mut stream, 5).await, b"query");
    });
}

/// What the client has sent to the one site and then to the other reaches its new socket in this order, however it came there.
#[test]
fn what_was_held_at_both_sites_arrives_without_a_gap() {
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        let (mut client, stream) = stage.call().await;
        let (flow, mut channel) = accepted(&stage, &stream).await;
        for (site, words) in [(0, b"first, "), (1, b"second.")] {
            let before = stage.seen(site);
            client.write_all(words).await.unwrap();
            until(|| stage.seen(site) > before).await;
            // Somebody without the socket would reset it.
            stage.route_to(1);
        }
        repair::discard(&stream).unwrap();
        let before = stage.seen(1);
        let packets = stage.hosts[0].run(|| UdpSocket::bind((SITES[0], 0)).unwrap()).unwrap();
        let shim = Shim::sign(Visited::One(number(1)), &flow, &ring(1)).encode();
        for packet in stage.fences[0].unfence(&flow) {
            packets.send_to(&[&shim[..], &packet].concat(), (SITES[1], PORT.get())).unwrap();
        }
        until(|| stage.seen(1) > before).await;
        channel.say(&Message::Released).await.unwrap();
        let Given { stream, .. } = staying.given.recv().await.unwrap();
        let mut stream = TcpStream::from_std(stream).unwrap();
        assert_eq!(read(&mut stream, 14).await, b"first, second.");
        assert_eq!(stage.out_of_order(1), 0);
    });
}

/// A connection that stands still for long while it goes is not sent at all.
#[test]
fn a_connection_in_which_much_waits_stays() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let mut staying = stage.place(2, false, true, ring(1));
        let (mut client, stream) = stage.call().await;
        setsockopt(&stream, sockopt::SndBufForce, &(8 << 20)).unwrap();
        let mut written = 0;
        while repair::queued(&stream).unwrap() <= Dump::MOST_QUEUED {
            stream.writable().await.unwrap();
            written += stream.try_write(&[7; 64 << 10]).unwrap_or(0);
        }
        assert_eq!(offer(&leaving, &stream).await, Fate::Stays);
        assert_eq!(leaving.tally.numbers().kept, [(Why::TooMuch, 1)].into());
        assert_eq!(read(&mut client, written).await, vec![7; written]);
        // Now there is little in it.
        until(|| repair::queued(&stream).unwrap() == 0).await;
        assert_eq!(offer(&leaving, &stream).await, Fate::Moved);
        staying.given.recv().await.unwrap();
    });
}

#[test]
fn what_the_frozen_socket_has_taken_in_after_all_is_not_lost() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let listener = stage.listen(1, SocketAddr::new(SITES[1].parse().unwrap(), PORT.get()));
        let (mut client, mut stream) = stage.call().await;
        let flow = Flow::new(stream.peer_addr().unwrap(), service());
        let taker = async {
            let (call, _) = listener.accept().await.unwrap();
            let mut channel = channel::Channel::hear_out(call, number(2), &ring(1), |_| true).await.unwrap();
            let Message::Offer { dump, .. } = offered(&mut channel).await else { panic!("no offer") };
            // A packet that has passed the fence before it came up is on its way to the socket for long.
            stage.fences[0].unfence(&flow);
            client.write_all(b"late").await.unwrap();
            until(|| repair::expected(&stream).unwrap() != dump.received.next).await;
            channel.say(&Message::Accepted).await.unwrap();
            assert_eq!(channel.hear().await.unwrap(), Message::Withdrawn);
        };
        let (fate, ()) = tokio::join!(offer(&leaving, &stream), taker);
        assert_eq!(fate, Fate::Stays);
        assert_eq!(read(&mut stream, 4).await, b"late");
        assert_eq!(leaving.tally.numbers().kept, [(Why::Changed, 1)].into());
    });
}

#[test]
fn what_was_held_comes_back_where_the_other_site_falls_silent() {
    inside(async |mut stage| {
        stage.patience = Patience::default();
        let leaving = stage.place(1, true, false, ring(1));
        // It answers the call, has the key, and then says nothing.
        let listener = stage.listen(1, SocketAddr::new(SITES[1].parse().unwrap(), PORT.get()));
        let silent = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut channel =
                channel::Channel::hear_out(stream, number(2), &ring(1), |_| true).await.unwrap();
            let offer = offered(&mut channel).await;
            (channel, offer)
        });
        let (mut client, mut stream) = stage.call().await;
        let fate = tokio::spawn(async move { (offer(&leaving, &stream).await, stream, leaving) });
        let kept = silent.await.unwrap();
        client.write_all(b"held").await.unwrap();
        let leaving;
        let fate = fate.await.unwrap();
        assert_eq!(fate.0, Fate::Stays);
        (stream, leaving) = (fate.1, fate.2);
        assert_eq!(read(&mut stream, 4).await, b"held");
        stream.write_all(b"answer").await.unwrap();
        assert_eq!(read(&mut client, 6).await, b"answer");
        assert_eq!(leaving.tally.numbers().kept, [(Why::Late, 1)].into());
        drop(kept);
    });
}

#[test]
fn nothing_is_offered_while_the_site_is_not_left() {
    inside(async |stage| {
        let _staying = stage.place(2, false, true, ring(1));
        let place = stage.place(1, false, false, ring(1));
        let turn =
            tokio::time::timeout(Duration::from_millis(200), place.cooperation.turn(service(), &mut 0)).await;
        assert!(turn.is_err());
        place.situation.send_modify(|now| now.as_mut().unwrap().leaving = [service().ip()].into());
        place.cooperation.turn(service(), &mut 0).await;
    });
}
