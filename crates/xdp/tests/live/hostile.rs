//! What would end a connection that has moved, if the site that it has moved to answered instead of its owner.

use crate::transfer::{Transfer, serve};
use crate::world::{self, PORT, SERVICE, World};
use continuity::Count;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

const OCTETS: u64 = 8 << 20;

/// Somebody who knows the four numbers of a connection sends a SYN in its client's name. Its owner answers with an ACK, as if
/// nothing had moved (RFC 5961 section 4), and the connection goes on.
#[test]
fn a_syn_in_a_clients_name_does_not_end_a_connection_that_has_moved() {
    world::inside(|world| {
        for family in [0, 1] {
            world.shift_to(0);
            world.tell([&[], &[]], family);
            let server = serve(world, 0, family);
            // The other site has a listener, too, which would answer.
            let listen = || std::net::TcpListener::bind(SocketAddr::new(SERVICE[family], PORT)).unwrap();
            let _listener = world.sites[1].run(listen).unwrap();
            let transfer = Transfer::start(world, family, OCTETS);
            world.tell([&[transfer.flow], &[]], family);
            transfer.wait_for(OCTETS / 4);
            world.shift_to(1);
            transfer.wait_for(OCTETS / 2);
            let before = world.programs[1].counts().unwrap().get(Count::Opening);
            for _ in 0..5 {
                world.send_syn(&transfer.flow);
            }
            transfer.wait_for(OCTETS / 4 * 3);
            assert_eq!(transfer.end().unwrap(), OCTETS);
            server.join().unwrap().unwrap();
            assert_eq!(world.programs[1].counts().unwrap().get(Count::Opening), before);
        }
    });
}

/// A router on the way to the other site breaks up what it cannot carry whole, as it may where a client permits it. Nobody can
/// find the owner for all the pieces: the connection does not go on, and is not reset either; it does go on when routing
/// comes back.
#[test]
fn a_segment_in_fragments_is_not_reset_by_a_site_that_has_no_part_in_it() {
    world::inside(|world| {
        world.tell([&[], &[]], 0);
        let server = serve(world, 0, 0);
        world.break_up_on_the_way_to(1);
        let transfer = Transfer::start(world, 0, OCTETS);
        world.tell([&[transfer.flow], &[]], 0);
        transfer.wait_for(OCTETS / 4);
        world.shift_to(1);
        until_dropped(world);
        world.shift_to(0);
        assert_eq!(transfer.end().unwrap(), OCTETS);
        server.join().unwrap().unwrap();
    });
}

/// Some pieces have come to the other site.
fn until_dropped(world: &World) {
    for _ in 0..6000 {
        if world.programs[1].counts().unwrap().get(Count::Oversized) > 0 {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("no fragment has come");
}
