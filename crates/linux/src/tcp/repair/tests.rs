//! A client, and the end of its connection that is taken out of the kernel and put in again.

use super::*;
use crate::Namespace;
use crate::link::{LinkIndex, set_up};
use std::io::{Read, Write};
use std::net::TcpListener;

/// More than any of these connections has in it.
const MOST: usize = 16 << 20;

/// A listener, a client, and the service's end of its connection, in a network of their own.
fn within(work: impl FnOnce(TcpListener, TcpStream, TcpStream) + Send) {
    let namespace = Namespace::new().unwrap();
    set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
    namespace
        .run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (service, _) = listener.accept().unwrap();
            client.set_nodelay(true).unwrap();
            work(listener, client, service);
        })
        .unwrap();
}

fn read(mut stream: &TcpStream, length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).unwrap();
    octets
}

/// Waits until the kernel has so much to read.
fn wait_for(stream: &TcpStream, length: usize) {
    while waiting(stream.as_fd(), libc::FIONREAD).unwrap() < length {
        std::thread::yield_now();
    }
}

#[test]
fn a_connection_goes_on_in_another_socket_with_what_was_unread() {
    within(|listener, mut client, service| {
        client.write_all(b"unread").unwrap();
        wait_for(&service, 6);
        freeze(&service).unwrap();
        let dumped = dump(&service, MOST).unwrap();
        assert_eq!(dumped.received.octets, b"unread");
        assert_eq!(
            (dumped.local, dumped.remote),
            (listener.local_addr().unwrap(), client.local_addr().unwrap())
        );
        assert!(dumped.scales.is_some() && dumped.is_selective && dumped.timestamp.is_some());
        let second = service.try_clone().unwrap();
        discard(&service).unwrap();
        assert!(second.peer_addr().is_err(), "it has ended for whoever has it open");
        let restored = restore(&dumped).unwrap();
        thaw(&restored).unwrap();
        client.write_all(b", and more").unwrap();
        assert_eq!(read(&restored, 16), b"unread, and more");
        (&restored).write_all(b"the answer").unwrap();
        assert_eq!(read(&client, 10), b"the answer");
        drop(restored);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "it ends in order");
    });
}

#[test]
fn what_was_sent_and_not_taken_arrives_once() {
    within(|_listener, client, service| {
        // More than the client's window: part of it has left, part has not.
        service.set_nonblocking(true).unwrap();
        let octets: Vec<u8> = (0..8_u32 << 20).map(|place| (place % 251) as u8).collect();
        let mut written = 0;
        while let Ok(length) = (&service).write(&octets[written..]) {
            written += length;
        }
        freeze(&service).unwrap();
        let dumped = dump(&service, MOST).unwrap();
        assert!(dumped.unsent > 0 && dumped.sent.octets.len() > dumped.unsent as usize, "{}", dumped.unsent);
        discard(&service).unwrap();
        let restored = restore(&dumped).unwrap();
        thaw(&restored).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| (&restored).write_all(rest(&dumped)).unwrap());
            assert!(read(&client, written) == octets[..written]);
        });
        drop(restored);
        assert_eq!((&client).read(&mut [0]).unwrap(), 0, "and nothing more");
    });
}

#[test]
fn a_connection_that_is_thawed_where_it_was_goes_on_and_others_may_listen_beside_it() {
    within(|listener, mut client, service| {
        freeze(&service).unwrap();
        dump(&service, MOST).unwrap();
        thaw(&service).unwrap();
        client.write_all(b"query").unwrap();
        assert_eq!(read(&service, 5), b"query");
        let address = listener.local_addr().unwrap();
        drop(listener);
        TcpListener::bind(address).unwrap();
    });
}

#[test]
fn what_a_frozen_socket_takes_in_after_all_is_noticed() {
    within(|_listener, mut client, service| {
        freeze(&service).unwrap();
        let dumped = dump(&service, MOST).unwrap();
        assert_eq!(expected(&service).unwrap(), dumped.received.next);
        client.write_all(b"late").unwrap();
        wait_for(&service, 4);
        assert_eq!(expected(&service).unwrap(), dumped.received.next.wrapping_add(4));
        thaw(&service).unwrap();
        assert_eq!(read(&service, 4), b"late");
    });
}

#[test]
fn a_connection_that_an_end_has_closed_stays() {
    within(|_listener, client, service| {
        drop(client);
        let mut octet = [0];
        assert_eq!((&service).read(&mut octet).unwrap(), 0);
        freeze(&service).unwrap();
        let error = dump(&service, MOST).unwrap_err();
        assert!(error.to_string().contains("closed"), "{error}");
    });
}

#[test]
fn what_no_kernel_has_said_is_refused() {
    within(|_listener, _client, service| {
        freeze(&service).unwrap();
        let mut dumped = dump(&service, MOST).unwrap();
        discard(&service).unwrap();
        dumped.unsent = 1;
        assert!(restore(&dumped).is_err());
    });
}

#[test]
fn a_connection_with_more_in_it_than_may_be_taken_along_is_not_read() {
    within(|_listener, mut client, service| {
        client.write_all(b"unread").unwrap();
        wait_for(&service, 6);
        freeze(&service).unwrap();
        let queued = queued(&service).unwrap();
        let dumped = dump(&service, queued).unwrap();
        assert_eq!(dumped.sent.octets.len() + dumped.received.octets.len(), queued);
        let error = dump(&service, queued - 1).unwrap_err();
        assert!(error.to_string().contains("octets wait in it"), "{error}");
    });
}
