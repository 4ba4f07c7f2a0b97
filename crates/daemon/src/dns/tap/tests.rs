//! The queue and its bounds, and messages that are read back.

use super::message::{Dnstap, frames};
use super::*;
use proptest::prelude::*;
use prost::Message as _;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

fn exchange<'a>(query: &'a [u8], reply: Option<&'a [u8]>) -> Exchange<'a> {
    Exchange {
        client: "192.0.2.1:40000".parse().unwrap(),
        server: "198.18.0.53:53".parse().unwrap(),
        transport: Transport::Udp,
        at: WallTime(1_500),
        query,
        reply,
    }
}

/// Until something holds, however busy the machine is.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} never came");
}

#[test]
fn what_does_not_fit_is_dropped_and_counted_and_the_rest_is_told_to_who_comes_late() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.sock");
    let tap = Tap::start(&DnstapOutput::Socket(path.clone()), &Teller::for_test(), Arc::default()).unwrap();
    let (query, reply) = ([1; 40], [2; 60]);
    // Small ones: the number is the bound.
    for _ in 0..WAITING + 100 {
        tap.tell(&exchange(&query, Some(&reply)));
    }
    assert_eq!((tap.written(), tap.dropped()), (0, 200));
    assert!(tap.account.waiting_octets.load(Ordering::Relaxed) == WAITING * 100);
    let listener = UnixListener::bind(&path).unwrap();
    let (mut reader, _) = listener.accept().unwrap();
    let mut ready = vec![0; super::frames::control(super::frames::Control::Ready).len()];
    reader.read_exact(&mut ready).unwrap();
    reader.write_all(&super::frames::control(super::frames::Control::Accept)).unwrap();
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map(|_| all)
    });
    wait_until("all that waited", || tap.written() == 2 * WAITING as u64);
    assert_eq!(tap.account.waiting_octets.load(Ordering::Relaxed), 0);
    drop(tap);
    let told = reading.join().unwrap().unwrap();
    assert!(told.ends_with(&super::frames::control(super::frames::Control::Stop)), "it ends in order");
}

#[test]
fn large_ones_are_bounded_by_their_octets() {
    let tap =
        Tap::start(&DnstapOutput::Socket("/nowhere/tap.sock".into()), &Teller::for_test(), Arc::default())
            .unwrap();
    let reply = vec![0; 1 << 16];
    for _ in 0..1000 {
        tap.tell(&exchange(&[1; 40], Some(&reply)));
    }
    assert!(tap.account.waiting_octets.load(Ordering::Relaxed) <= WAITING_OCTETS);
    assert!(tap.dropped() >= 2 * (1000 - (WAITING_OCTETS >> 16) as u64), "{}", tap.dropped());
}

#[test]
fn what_nobody_ever_read_leaves_its_room_to_others() {
    let account = Arc::<Account>::default();
    let output = DnstapOutput::Socket("/nowhere/tap.sock".into());
    let tap = Tap::start(&output, &Teller::for_test(), Arc::clone(&account)).unwrap();
    for _ in 0..10 {
        tap.tell(&exchange(&[1; 40], Some(&[2; 60])));
    }
    assert_eq!((account.waiting_octets.load(Ordering::Relaxed), tap.dropped()), (1000, 0));
    drop(tap);
    wait_until("the room", || account.waiting_octets.load(Ordering::Relaxed) == 0);
    wait_until("the count", || account.dropped.load(Ordering::Relaxed) == 20);
}

#[test]
fn a_file_that_cannot_be_written_is_not_begun_anew() {
    // The disk is full.
    let tap =
        Tap::start(&DnstapOutput::File("/dev/full".into()), &Teller::for_test(), Arc::default()).unwrap();
    for _ in 0..10 {
        tap.tell(&exchange(&[1; 40], None));
    }
    wait_until("the end of it", || tap.dropped() == 10);
    assert_eq!((tap.account.waiting_octets.load(Ordering::Relaxed), tap.written()), (0, 0));
}

/// The events of a bus, by kind.
fn told(teller: &Teller) -> Vec<String> {
    teller.bus.latest().iter().map(|row| row.kind.to_string()).collect()
}

/// Takes the offer of whoever comes.
fn accept(listener: &UnixListener) -> UnixStream {
    let (mut reader, _) = listener.accept().unwrap();
    let mut ready = vec![0; super::frames::control(super::frames::Control::Ready).len()];
    reader.read_exact(&mut ready).unwrap();
    reader.write_all(&super::frames::control(super::frames::Control::Accept)).unwrap();
    reader
}

#[test]
fn it_is_said_once_that_nobody_hears_and_that_somebody_does_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.sock");
    let teller = Teller::for_test();
    let tap = Tap::start(&DnstapOutput::Socket(path.clone()), &teller, Arc::default()).unwrap();
    wait_until("the loss", || told(&teller) == ["dnstap-unheard"]);
    assert!(!tap.is_heard());
    let listener = UnixListener::bind(&path).unwrap();
    for _ in 0..2 {
        // It takes nothing, and is asked again.
        drop(listener.accept().unwrap());
    }
    for _ in 0..2 {
        // It goes at the first message.
        let mut reader = accept(&listener);
        tap.tell(&exchange(&[1; 40], None));
        reader
            .read_exact(&mut vec![0; super::frames::control(super::frames::Control::Start).len() + 1])
            .unwrap();
    }
    let reader = accept(&listener);
    wait_until("the reader", || tap.is_heard());
    assert_eq!(told(&teller), ["dnstap-unheard"], "nobody has taken messages and stayed");
    tap.tell(&exchange(&[1; 40], None));
    wait_until("that it stays", || told(&teller) == ["dnstap-unheard", "dnstap-heard"]);
    // Nothing is told meanwhile.
    drop((reader, listener));
    wait_until("its end", || !tap.is_heard());
    wait_until("its end being said", || told(&teller)[2..] == ["dnstap-unheard"]);
    let row = teller.bus.latest().pop().unwrap();
    assert!(row.subject == "dns" && row.text.to_string().contains("tap.sock"), "{row:?}");
}

#[test]
fn nobody_waits_for_a_reader_that_takes_no_calls() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stopped");
    let stopped = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    stopped.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    stopped.listen(0).unwrap();
    let _first = UnixStream::connect(&path).unwrap();
    let (teller, account) = (Teller::for_test(), Arc::<Account>::default());
    let tap = Tap::start(&DnstapOutput::Socket(path), &teller, Arc::clone(&account)).unwrap();
    tap.tell(&exchange(&[1; 40], None));
    wait_until("that nobody hears", || told(&teller) == ["dnstap-unheard"]);
    drop(tap);
    wait_until("its end", || Arc::strong_count(&account) == 1);
    assert_eq!(account.waiting_octets.load(Ordering::Relaxed), 0);
    drop(stopped);
}

#[test]
fn a_file_that_cannot_be_opened_or_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (path, heard) in [(folder.path().join("none/told.fstrm"), false), ("/dev/full".into(), true)] {
        let teller = Teller::for_test();
        let tap = Tap::start(&DnstapOutput::File(path.clone()), &teller, Arc::default()).unwrap();
        tap.tell(&exchange(&[1; 40], None));
        wait_until("what is wrong", || told(&teller) == ["dnstap-unwritten"]);
        wait_until("that nobody hears", || !tap.is_heard());
        if !heard {
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            wait_until("the file", || told(&teller) == ["dnstap-unwritten", "dnstap-heard"]);
        }
    }
}

#[test]
fn its_thread_ends_with_it_whoever_reads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (silent, slow) = (UnixListener::bind(at("silent")).unwrap(), UnixListener::bind(at("slow")).unwrap());
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let outputs = [
        DnstapOutput::Socket(at("nobody")),
        DnstapOutput::Socket(at("silent")),
        DnstapOutput::Socket(at("slow")),
        DnstapOutput::File(at("file")),
        DnstapOutput::File(at("none/file")),
        DnstapOutput::File(at("pipe")),
        DnstapOutput::File("/dev/full".into()),
    ];
    let accounts = outputs.map(|output| {
        let account = Arc::<Account>::default();
        let tap = Tap::start(&output, &Teller::for_test(), Arc::clone(&account)).unwrap();
        // More than fits into the buffer of a socket.
        (0..100).for_each(|_| tap.tell(&exchange(&[1; 4000], Some(&[2; 4000]))));
        (output, account)
    });
    // It takes the offer, and nothing else.
    let _reader = accept(&slow);
    for (output, account) in &accounts {
        wait_until(&format!("the end of {output:?}"), || Arc::strong_count(account) == 1);
        assert_eq!(account.waiting_octets.load(Ordering::Relaxed), 0, "{output:?}");
    }
    drop(silent);
}

#[test]
fn a_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("told.fstrm");
    let tap = Tap::start(&DnstapOutput::File(path.clone()), &Teller::for_test(), Arc::default()).unwrap();
    wait_until("the file", || path.exists());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(tap);
}

proptest! {
    #[test]
    fn an_exchange_reads_back(query: Vec<u8>, reply: Option<Vec<u8>>, port: u16, millis in 0..1u64 << 41, ipv6: bool) {
        let client = if ipv6 { "2001:db8::1" } else { "192.0.2.1" }.parse().unwrap();
        let octets = [&query[..], reply.as_deref().unwrap_or_default()].concat().into_boxed_slice();
        let seen = Seen {
            client: SocketAddr::new(client, port),
            server: SocketAddr::new(client, 53),
            transport: Transport::Tcp,
            at: WallTime(millis),
            octets,
            query: query.len(),
            is_answered: reply.is_some(),
        };
        let mut written = Vec::new();
        frames(&seen, "london", &mut written);
        let mut read = Vec::new();
        let mut rest = &written[..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (frame, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            read.push(Dnstap::decode(frame).unwrap().message.unwrap());
            rest = after;
        }
        prop_assert_eq!(read.len() as u64, seen.messages());
        prop_assert_eq!(read[0].query_message.as_deref(), Some(&query[..]));
        prop_assert_eq!(read[0].query_port, Some(u32::from(port)));
        let back = read[0].query_time_sec.unwrap() * 1000 + u64::from(read[0].query_time_nsec.unwrap()) / 1_000_000;
        prop_assert_eq!(back, millis);
        if let (Some(answered), Some(reply)) = (read.get(1), reply) {
            prop_assert_eq!(answered.response_message.as_deref(), Some(&reply[..]));
        }
    }
}
