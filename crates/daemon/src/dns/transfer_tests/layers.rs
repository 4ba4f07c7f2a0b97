//! Many small changes of a large zone, one after the other, while somebody asks.

use super::peers::Changes;
use super::*;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};

/// A zone in which a set and the address beside it say the serial number.
fn large(serial: u32) -> String {
    let head =
        format!("$ORIGIN example.\n$TTL 60\n@ SOA ns1 h {serial} {PATIENT} 5\n NS ns1\nns1 A 198.18.0.53\n");
    let pair = format!("pair MX {serial} target\ntarget A 10.0.0.{serial}\n");
    let names = (0..20_000).map(|n| format!("host{n} A 192.0.2.{}\n", n % 256)).collect::<String>();
    head + &pair + &names
}

/// What the set and the address in a reply say; none before the zone has come.
fn pair(socket: &UdpSocket) -> Option<(u16, u16)> {
    let question = b"\x04pair\x07example\0\0\x0f\0\x01";
    let query = [&[0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question[..]].concat();
    socket.send_to(&query, (SERVICE, PORT)).unwrap();
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply).unwrap();
    let preference = 12 + question.len() + 12;
    let said = u16::from_be_bytes([reply[preference], reply[preference + 1]]);
    (reply[7] == 1 && reply[11] == 1).then(|| (said, u16::from(reply[length - 1])))
}

#[test]
fn every_answer_is_of_one_version_and_a_restart_knows_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let written = secondary(vec![server_at(peers::ADDRESS)]);
    let world = World::new(&written);
    let peer = Peer::knot_primary(&world.namespace, folder.path(), &large(1), Changes::Kept);
    world.wait_until("the first version", || world.serial() == "1");
    let asks = || {
        let socket = UdpSocket::bind((SERVICE, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    let (socket, is_over) = (world.namespace.run(asks).unwrap(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut last = 0;
            while !is_over.load(Ordering::Relaxed) {
                let (set, address) = pair(&socket).unwrap();
                assert_eq!(set, address, "of two versions");
                assert!(set >= last, "an older version came back");
                last = set;
            }
            last
        });
        // Whatever fails, the other one must end.
        let all = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let theirs = || world.dig("@127.0.0.2", "-p 5301 +short example. SOA");
            for serial in 2..13 {
                peer.change(&large(serial));
                world.wait_until("their version", || theirs().contains(&format!(" {serial} 3600")));
            }
            world.wait_until("the last version", || world.serial() == "12");
        }));
        is_over.store(true, Ordering::Relaxed);
        all.unwrap();
        asking.join().unwrap();
    });
    assert_eq!(pair(&socket), Some((12, 12)));
    let (zone, _) = world.shelf.held(&name("example.")).unwrap();
    assert_eq!((zone.serial(), zone.image_serial()), (12, 1), "a layer, and no other image");
    drop(peer);
    let World { folder: state, .. } = world;
    let world = World::with(&written, state);
    assert_eq!(world.serial(), "12", "without a primary");
    let changes = world.dig(&format!("@{SERVICE}"), &format!("-b {SERVICE} example. IXFR=1"));
    assert!(changes.contains("10.0.0.12") && changes.lines().count() < 200, "what has changed: {changes}");
}
