//! Transfers and other queries on one connection.

use super::super::tests::{framed, query, read_framed};
use super::*;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use transfer::{Progress, Question, Reader};

/// A zone of several messages that everybody here may have.
fn open_zone() -> BuiltInDns {
    let mut written = primary(&[&zone_text(1, PATIENT)], &[]);
    written.transfers[0].allow.prefixes.push("198.18.0.0/24".parse().unwrap());
    written
}

#[test]
fn who_has_asked_for_a_zone_is_answered_meanwhile() {
    let world = World::new(&open_zone());
    let mut stream = world.namespace.run(|| TcpStream::connect((SERVICE, PORT))).unwrap().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = |id: u16| framed(&Question::Whole.message(id, &name("example.")));
    // More than are sent at a time, and a query behind the first of them.
    let transfers: Vec<u16> = (7..17).collect();
    let queries = [ask(7), framed(&query(1, 6))].into_iter().chain(transfers[1..].iter().map(|&id| ask(id)));
    stream.write_all(&queries.flatten().collect::<Vec<u8>>()).unwrap();
    // Whoever has nothing more to ask gets everything all the same.
    stream.shutdown(Shutdown::Write).unwrap();
    let mut readers: BTreeMap<u16, Reader> =
        transfers.iter().map(|&id| (id, Reader::new(name("example."), id, None, 1 << 24))).collect();
    let mut order = Vec::new();
    while !readers.is_empty() || !order.contains(&1) {
        let message = read_framed(&mut stream);
        let id = u16::from_be_bytes([message[0], message[1]]);
        order.push(id);
        if let Some(reader) = readers.get_mut(&id)
            && let Progress::Whole(_) = reader.read(&message, |_| {}).unwrap()
        {
            readers.remove(&id);
        }
    }
    let place = |id: u16, found: fn(&[u16], u16) -> Option<usize>| found(&order, id).unwrap();
    let last = |order: &[u16], id: u16| order.iter().rposition(|&one| one == id);
    let first = |order: &[u16], id: u16| order.iter().position(|&one| one == id);
    assert!(place(1, first) < place(7, last), "the query does not wait for the transfer: {order:?}");
    assert!(place(8, first) < place(7, last), "nor does another transfer: {order:?}");
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap(), 0);
}
