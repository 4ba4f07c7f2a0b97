//! A site of the fleet that errs, or that somebody else has become: it stops in the middle, or has the key and talks nonsense.

use super::stage::{PORT, Place, SITES, Stage, inside, number, offer, read, ring, until};
use super::{accepted, offered};
use crate::handover::tally::Why;
use crate::handover::{Fate, Given, Patience, channel, kernel};
use ::continuity::handover::{Dump, Message};
use linux::tcp::repair;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

fn door() -> SocketAddr {
    SocketAddr::new(SITES[1].parse().unwrap(), PORT.get())
}

async fn knock(stage: &Stage) -> TcpStream {
    stage.hosts[0].run(|| TcpSocket::new_v4().unwrap()).unwrap().connect(door()).await.unwrap()
}

async fn begun(stage: &Stage) -> channel::Channel {
    let ends = channel::Ends { giver: number(1), taker: number(2) };
    channel::Channel::begin(knock(stage).await, ends, &ring(1)).await.unwrap()
}

/// What has come before has left nothing behind: every place of the service is free, and a connection comes.
async fn is_well(stage: &Stage, staying: &mut Place) {
    until(|| staying.takes_in.capacity() == staying.takes_in.max_capacity()).await;
    let before = staying.tally.numbers().taken;
    let (mut client, stream) = stage.call().await;
    let (_, mut channel) = accepted(stage, &stream).await;
    repair::discard(&stream).unwrap();
    channel.say(&Message::Released).await.unwrap();
    let Given { stream, .. } = staying.given.recv().await.unwrap();
    client.write_all(b"goes on").await.unwrap();
    stage.route_to(1);
    assert_eq!(read(&mut TcpStream::from_std(stream).unwrap(), 7).await, b"goes on");
    stage.route_to(0);
    until(|| staying.tally.numbers().taken == before + 1).await;
}

/// The giver stops after each of its words, and hangs up or does not.
#[test]
fn a_giver_that_stops_leaves_nothing_behind() {
    inside(async |mut stage| {
        // What is silent is waited for; what is not has time enough on a busy machine.
        stage.patience = Patience::of(Duration::from_secs(4));
        let mut staying = stage.place(2, false, true, ring(1));
        let hello = [&b"CMHO\x01\x00\x01\x02"[..], &[7; 32]].concat();
        let mut kept = Vec::new();
        for length in [0, 4, 8, 39, 40] {
            for stays in [false, true] {
                let mut stream = knock(&stage).await;
                stream.write_all(&hello[..length]).await.unwrap();
                kept.extend(stays.then_some(stream));
            }
        }
        let silent = begun(&stage).await;
        drop(begun(&stage).await);
        for hangs_up in [true, false] {
            let (mut client, mut stream) = stage.call().await;
            let (flow, mut channel) = accepted(&stage, &stream).await;
            if hangs_up {
                drop(channel);
            } else {
                assert!(channel.hear().await.is_err(), "it does not wait for ever");
            }
            until(|| staying.takes_in.capacity() == staying.takes_in.max_capacity()).await;
            repair::thaw(&stream).unwrap();
            stage.fences[0].unfence(&flow);
            client.write_all(b"here").await.unwrap();
            assert_eq!(read(&mut stream, 4).await, b"here");
        }
        is_well(&stage, &mut staying).await;
        drop((kept, silent));
    });
}

/// It says in its right turn what has no place there: it is hung up on, and people are told.
#[test]
fn a_giver_that_says_what_has_no_place_is_left() {
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        for message in [Message::Begin, Message::Accepted, Message::Released, Message::Withdrawn] {
            let mut channel = begun(&stage).await;
            channel.say(&message).await.unwrap();
            assert!(channel.hear().await.is_err(), "{message:?}");
            let (_client, stream) = stage.call().await;
            let (_, mut channel) = accepted(&stage, &stream).await;
            if !matches!(message, Message::Released | Message::Withdrawn) {
                channel.say(&message).await.unwrap();
                assert!(channel.hear().await.is_err(), "{message:?} to what was accepted");
            }
        }
        until(|| staying.bus.latest().iter().any(|row| row.kind == "handover-distrusted")).await;
        is_well(&stage, &mut staying).await;
    });
}

/// A connection that cannot be, well written and sealed: whatever the kernel makes of it, it harms nobody.
#[test]
fn a_connection_that_cannot_be_does_no_harm() {
    type Change = fn(&mut Dump);
    let changes: [Change; 10] = [
        |dump| dump.segment_size = 0,
        |dump| dump.segment_size = u16::MAX,
        |dump| dump.scales = Some((14, 14)),
        |dump| dump.client = dump.service,
        |dump| dump.client = "0.0.0.0:1".parse().unwrap(),
        |dump| dump.client = "224.0.0.1:1".parse().unwrap(),
        |dump| dump.client.set_port(0),
        |dump| dump.service.set_port(9),
        |dump| (dump.window.theirs, dump.window.largest, dump.window.ours) = (u32::MAX, 0, u32::MAX),
        |dump| (dump.sent.octets, dump.unsent) = (vec![7; Dump::MOST_QUEUED], 3),
    ];
    inside(async |stage| {
        let mut staying = stage.place(2, false, true, ring(1));
        let (_client, stream) = stage.call().await;
        repair::freeze(&stream).unwrap();
        let good = kernel::said(repair::dump(&stream, Dump::MOST_QUEUED).unwrap());
        for change in changes {
            let mut dump = good.clone();
            change(&mut dump);
            let mut channel = begun(&stage).await;
            channel.say(&Message::Offer { state: vec![0xff; 9], dump: dump.clone() }).await.unwrap();
            // What cannot be read is hung up on.
            match channel.hear().await {
                Ok(Message::Accepted) => channel.say(&Message::Withdrawn).await.unwrap(),
                Ok(Message::Refused(_)) | Err(_) => {}
                Ok(other) => panic!("{other:?} to {dump:?}"),
            }
        }
        is_well(&stage, &mut staying).await;
    });
}

/// The taker stops where it should answer, or answers what is none: the connection stays, and goes on.
#[test]
fn a_taker_that_answers_nonsense_is_given_nothing() {
    let nonsense = [None, Some(Message::Begin), Some(Message::Released), Some(Message::Withdrawn)];
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let listener = stage.listen(1, door());
        let count = nonsense.len() as u64;
        for answer in nonsense {
            let taker = async {
                let (stream, _) = listener.accept().await.unwrap();
                let mut channel =
                    channel::Channel::hear_out(stream, number(2), &ring(1), |_| true).await.unwrap();
                offered(&mut channel).await;
                if let Some(answer) = answer {
                    channel.say(&answer).await.unwrap();
                    let _ = channel.hear().await;
                }
            };
            let (mut client, mut stream) = stage.call().await;
            let (fate, ()) = tokio::join!(offer(&leaving, &stream), taker);
            assert_eq!(fate, Fate::Stays);
            client.write_all(b"goes on").await.unwrap();
            assert_eq!(read(&mut stream, 7).await, b"goes on");
        }
        assert_eq!(leaving.tally.numbers().kept, [(Why::Lost, count)].into());
    });
}
