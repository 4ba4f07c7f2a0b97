//! Whoever means harm, or does what no service may: it is told why it is left, and stops nobody else.

use super::super::seats::Kind;
use super::super::wire::{Outgoing, Shared};
use super::*;
use linux::pass::MOST_DESCRIPTORS;
use socket2::Protocol;
use std::os::unix::fs::PermissionsExt;

/// A user that nobody has named.
const SOMEBODY: u32 = 64_999;

const MAY_NOT: &str = "uid 64999 may not join: it is not among `users` of `services` in [continuity]";

/// A client that does not read, and a socket whose close waits for that.
fn stubborn() -> (TcpStream, TcpStream) {
    let (client, stream) = connection();
    stream.set_nonblocking(true).unwrap();
    while io::Write::write(&mut &stream, &[0; 1 << 16]).is_ok() {}
    socket2::SockRef::from(&stream).set_linger(Some(PATIENCE)).unwrap();
    (client, stream)
}

#[tokio::test]
async fn a_stranger_that_brings_what_cannot_be_closed_stops_nobody() {
    let (client, stream) = stubborn();
    let mut stranger = Stage::of(Owner::nameless(SOMEBODY), LONG);
    stranger.say(b"join 1 chat 127.0.0.1:19\n", &[stream.as_fd()]).await;
    drop(stream);
    stranger.hears(&format!("refused {MAY_NOT}\n")).await;
    stranger.hears("").await;
    // It is being closed by now.
    tokio::time::sleep(SHORT).await;
    stranger.another().join(19).await;
    assert_eq!(stranger.seats.count(), 1, "it is a stranger until everything is closed");
    let guests: Vec<_> = (0..99).filter_map(|user| stranger.seats.take(Kind::Guest, user)).collect();
    assert_eq!(guests.len(), 64, "services have places of their own");
    drop((guests, client));
    tokio::time::timeout(PATIENCE, &mut stranger.visit).await.unwrap().unwrap();
    assert_eq!(stranger.seats.count(), 0);
}

#[tokio::test]
async fn what_a_service_brings_and_cannot_be_closed_stops_nobody_else() {
    let (client, stream) = stubborn();
    let stage = Stage::new(LONG);
    stage.join(18).await;
    stage.say(b"room\n", &[stream.as_fd()]).await;
    // This is not received any more.
    stage.say(b"room\n", &[stream.as_fd()]).await;
    drop(stream);
    stage.hears("refused an `offer` brings one socket, and nothing else brings any\n").await;
    is_being_closed(stage, client).await;
}

/// It offers what it is not to offer, in its turn.
#[tokio::test]
async fn an_offer_that_is_refused_and_cannot_be_closed_stops_nobody_else() {
    let (client, stream) = stubborn();
    let mut stage = Stage::new(LONG);
    stage.join(18).await;
    offers(&mut stage, stream.as_fd()).await;
    let why = format!("it has offered a connection at {HERE}:{}, where it has not joined", port(&stream));
    drop(stream);
    stage.hears(&format!("refused {why}\n")).await;
    is_being_closed(stage, client).await;
}

/// It offers in a turn that is over.
#[tokio::test]
async fn an_offer_that_comes_late_and_cannot_be_closed_stops_nobody_else() {
    let (client, stream) = stubborn();
    let mut stage = Stage::new(Waits { turn: SHORT, ..LONG });
    stage.join(port(&stream)).await;
    stage.lets_a_turn_lapse().await;
    stage.say(b"offer 1\n", &[stream.as_fd()]).await;
    drop(stream);
    stage.hears("stays 1\n").await;
    // It is still heard.
    stage.say(b"hello\n", &[]).await;
    stage.hears("refused no service says `hello`\n").await;
    is_being_closed(stage, client).await;
}

/// It has the option switched on again when the daemon has switched it off, and leaves.
#[tokio::test]
async fn an_offer_of_a_service_that_leaves_is_not_closed_by_the_driver() {
    let (client, stream) = stubborn();
    let mut stage = Stage::new(LONG);
    stage.join(port(&stream)).await;
    let granted = stage.first_turn().await;
    stage.say(b"offer 1\n", &[stream.as_fd()]).await;
    let offered = granted.await.unwrap().unwrap();
    socket2::SockRef::from(&stream).set_linger(Some(PATIENCE)).unwrap();
    drop(stream);
    stage.say(b"hello\n", &[]).await;
    stage.hears("refused no service says `hello`\n").await;
    while !stage.roster.all().is_empty() {
        tokio::task::yield_now().await;
    }
    offered.stays();
    is_being_closed(stage, client).await;
}

/// The service reads what it was given at once, and closes it before the daemon has.
#[tokio::test]
async fn what_a_service_was_given_is_closed_aside() {
    let (client, stream) = stubborn();
    let stage = Stage::new(LONG);
    let given = Outgoing { octets: Vec::new(), socket: Some(Shared::from(stream)), _underway: None };
    let others = async {
        drop(given);
        stage.join(19).await;
    };
    tokio::time::timeout(PATIENCE, others).await.unwrap();
    drop(client);
}

/// The daemon hangs up, and waits for the close on a thread aside: other services are served meanwhile.
async fn is_being_closed(mut stage: Stage, client: TcpStream) {
    stage.hears("").await;
    tokio::time::sleep(SHORT).await;
    stage.another().join(19).await;
    assert_eq!(stage.seats.count(), 1, "its place is taken until everything is closed");
    drop(client);
    tokio::time::timeout(PATIENCE, &mut stage.visit).await.unwrap().unwrap();
    assert_eq!(stage.seats.count(), 0);
}

#[tokio::test]
async fn a_user_with_no_place_left_is_hung_up_on() {
    for (user, kind) in [(SOMEBODY, Kind::Stranger), (Uid::current().as_raw(), Kind::Guest)] {
        let mut late = Stage::of(Owner::nameless(user), LONG);
        let taken: Vec<_> = std::iter::from_fn(|| late.seats.take(kind, user)).collect();
        late.hears("").await;
        tokio::time::timeout(PATIENCE, &mut late.visit).await.unwrap().unwrap();
        assert_eq!((taken.len(), late.bus.latest().len()), (kind.of_a_user(), 0));
    }
}

#[tokio::test]
async fn what_a_service_must_not_do_ends_it_and_leaves_nothing_behind() {
    let (_client, stream) = connection();
    let joins = format!("join 1 chat {HERE}:{}\n", port(&stream));
    let (pipe, end) = io::pipe().unwrap();
    let long = [&b"offer 1\n"[..], &vec![b'x'; Message::MOST_STATE + 2000]].concat();
    let nothing = &[][..];
    let (pipes, streams) = (&[end.as_fd(); MOST_DESCRIPTORS][..], &[stream.as_fd()][..]);
    type Said<'s> = (&'s [u8], &'s [BorrowedFd<'s>]);
    let cases: [(&[Said<'_>], &str); 14] = [
        (&[(b"join 7 chat 127.0.0.1:9\n", nothing)], "it speaks version 7, and this daemon speaks 1"),
        (
            &[(b"join 1 chat 127.0.0.2:9\n", nothing)],
            "127.0.0.2:9 is at no address of a service of this site",
        ),
        (&[(b"wish 1\n", nothing)], "the first that a service says is `join`"),
        (&[(joins.as_bytes(), pipes)], "an `offer` brings one socket, and nothing else brings any"),
        (&[(joins.as_bytes(), nothing), (b"hello\n", nothing)], "no service says `hello`"),
        (&[(joins.as_bytes(), nothing), (joins.as_bytes(), nothing)], "a service joins once"),
        (
            &[(joins.as_bytes(), nothing), (b"room\n", pipes)],
            "an `offer` brings one socket, and nothing else brings any",
        ),
        (&[(joins.as_bytes(), nothing), (&long, streams)], "a packet is longer than the longest message"),
        (
            &[(joins.as_bytes(), nothing), (b"pass 1\n", nothing)],
            "`offer` and `pass` answer a `turn`, and there was none of this number",
        ),
        (
            &[(joins.as_bytes(), nothing), (b"offer 1\n", streams)],
            "`offer` and `pass` answer a `turn`, and there was none of this number",
        ),
        (
            &[(joins.as_bytes(), nothing), (b"offer 1\n", nothing)],
            "an `offer` brings one socket, and nothing else brings any",
        ),
        (
            &[(joins.as_bytes(), nothing), (b"offer 1\n", pipes)],
            "an `offer` brings one socket, and nothing else brings any",
        ),
        (
            &[(b"join 1 chat\n", nothing)],
            "it joins with 1 to 16 addresses, such as 198.18.0.53:7 and [2001:db8:53::53]:7",
        ),
        (
            &[(b"\xff\n", nothing)],
            "a message is a line of ASCII words, of at most 1024 octets, and a line feed",
        ),
    ];
    for (says, why) in cases {
        let mut stage = Stage::new(LONG);
        for (index, (octets, descriptors)) in says.iter().enumerate() {
            stage.say(octets, descriptors).await;
            if index + 1 < says.len() {
                stage.hears("joined\n").await;
            }
        }
        stage.is_refused(why).await;
    }
    // All that was brought is closed: nobody else has the other end of the pipe.
    drop(end);
    let mut pipe = pipe;
    assert_eq!(io::Read::read(&mut pipe, &mut [0]).unwrap(), 0);
}

#[tokio::test]
async fn only_a_connection_of_its_own_can_be_offered() {
    let (_client, stream) = connection();
    let (_other_client, other) = connection();
    let datagrams = std::net::UdpSocket::bind((HERE, 0)).unwrap();
    let (unix, _end) = std::os::unix::net::UnixStream::pair().unwrap();
    let foreign = format!("it has offered a connection at {HERE}:{}, where it has not joined", port(&other));
    let nothing = "it has offered something that is no TCP socket";
    let file = std::fs::File::open("/dev/null").unwrap();
    let cases = [
        (datagrams.as_fd(), nothing),
        (unix.as_fd(), nothing),
        (file.as_fd(), nothing),
        (other.as_fd(), &foreign),
    ];
    for (socket, why) in cases {
        let mut stage = Stage::new(LONG);
        stage.join(port(&stream)).await;
        offers(&mut stage, socket).await;
        stage.is_refused(why).await;
    }
}

#[tokio::test]
async fn a_connection_in_a_network_of_its_own_is_nobody_elses() {
    if !linux::privileges::can_make_namespaces().unwrap() {
        return eprintln!("SKIPPED: only root may make a network: run the tests as root");
    }
    let away = linux::Namespace::new().unwrap();
    let mut netlink = away.netlink().unwrap();
    linux::link::set_up(&mut netlink, linux::link::LinkIndex::LOOPBACK).unwrap();
    let (_client, stream) = away.run(connection).unwrap();
    let mut stage = Stage::new(LONG);
    stage.join(port(&stream)).await;
    offers(&mut stage, stream.as_fd()).await;
    stage.is_refused("it has offered a socket of another network namespace than the daemon's").await;
}

/// A process of another user: it joins, and prints what it is told.
const JOINS: &str = "import socket, sys
daemon = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
daemon.connect(sys.argv[1])
daemon.send(b'join 1 chat 127.0.0.1:9\\n')
print(daemon.recv(1024).decode(), end='')";

#[tokio::test]
async fn a_process_of_a_user_that_is_not_named_is_not_let_in() {
    if !Uid::current().is_root() {
        return eprintln!("SKIPPED: only root can start a process of another user: run the tests as root");
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let socket = directory.path().join("services.sock");
    let rules = |users: &[u32]| {
        let users = users.iter().map(u32::to_string).collect();
        Some(Rules { socket: socket.clone(), users, addresses: rules().addresses })
    };
    let (tell, ruled) = watch::channel(rules(&[]));
    let (clock, bus) = (Clock::start(), Bus::for_test());
    let (cooperation, _offers) = prepare();
    let roster = Roster::default();
    // It has all the time to read why.
    let waits = Waits { refused: PATIENCE, ..LONG };
    let recess = Recess::default();
    let reception = Reception { rules: ruled, cooperation, recess, roster, waits, clock, bus: bus.clone() };
    let reception = tokio::spawn(reception.run());
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    let says = async || {
        let mut command = tokio::process::Command::new("python3");
        command.args(["-c", JOINS]).arg(&socket).uid(SOMEBODY).current_dir("/");
        String::from_utf8(command.output().await.unwrap().stdout).unwrap()
    };
    assert_eq!(says().await, format!("refused {MAY_NOT}\n"));
    assert!(bus.latest().pop().unwrap().text.ends_with(MAY_NOT));
    tell.send_replace(rules(&[SOMEBODY]));
    assert_eq!(says().await, "joined\n");
    tell.send_replace(None);
    while socket.exists() {
        tokio::task::yield_now().await;
    }
    reception.abort();
}

#[tokio::test]
async fn nobody_takes_the_place_of_another_service() {
    let first = Stage::new(LONG);
    first.join(19).await;
    let mut second = first.another();
    second.say(b"join 1 other 127.0.0.1:20 127.0.0.1:19\n", &[]).await;
    second.is_refused("127.0.0.1:19 has a service already").await;
    let third = first.another();
    third.join(20).await;
    assert!(first.offers.has_room("127.0.0.1:19".parse().unwrap()));
}

#[tokio::test]
async fn whoever_says_nothing_or_may_not_join_is_left() {
    let mut stage = Stage::new(Waits { word: SHORT, ..LONG });
    stage.is_refused("it has not joined in time").await;
}

#[tokio::test]
async fn a_service_that_wishes_without_end_is_asked_once_where_nobody_can_be_reached() {
    let mut stage = Stage::new(LONG);
    stage.join(19).await;
    stage.drain().await;
    stage.say(format!("wish {}\n", u32::MAX).as_bytes(), &[]).await;
    let mut asked = 0;
    while let Ok(wish) = tokio::time::timeout(SHORT, stage.offers.wishes.recv()).await {
        wish.unwrap().refuse();
        asked += 1;
        assert!(asked <= 2 * Session::MOST_AT_ONCE, "it asks again and again");
    }
    // Saying it again makes nobody appear.
    stage.say(b"wish 1\n", &[]).await;
    assert!(tokio::time::timeout(SHORT, stage.offers.wishes.recv()).await.is_err());
    stage.drain().await;
    stage.say(b"wish 1\n", &[]).await;
    stage.turn().await;
}

#[tokio::test]
async fn a_connection_of_several_paths_stays() {
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP));
    let Ok(listener) = socket() else { return eprintln!("SKIPPED: this kernel has no MPTCP") };
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let client = socket().unwrap();
    client.connect(&listener.local_addr().unwrap()).unwrap();
    let stream = listener.accept().unwrap().0;
    assert_eq!(stream.protocol().unwrap(), Some(Protocol::MPTCP));
    let mut stage = Stage::new(LONG);
    stage.join(stream.local_addr().unwrap().as_socket().unwrap().port()).await;
    offers(&mut stage, stream.as_fd()).await;
    stage.hears("stays 1\n").await;
}
