//! The route shifts in mid-transfer, and back.

use crate::transfer::{Transfer, serve};
use crate::world::{self, World};
use continuity::{Count, Counts};

const OCTETS: u64 = 24 << 20;
const FAMILIES: [usize; 2] = [0, 1];

fn counts(world: &World, site: usize) -> Counts {
    let counts = world.programs[site].counts().unwrap();
    assert!(counts.add_up(), "{counts:?}");
    counts
}

/// All octets arrive, although half of them arrive at a site that knows nothing of the connection.
fn survives(family: usize, over: usize) {
    world::inside(|world| {
        world.tell([&[], &[]], over);
        let server = serve(world, 0, family);
        let transfer = Transfer::start(world, family, OCTETS);
        world.tell([&[transfer.flow], &[]], over);
        transfer.wait_for(OCTETS / 4);
        world.shift_to(1);
        transfer.wait_for(OCTETS / 2);
        let (near, far) = (counts(world, 1), counts(world, 0));
        assert_eq!((near.get(Count::Claimed), near.get(Count::Unsent)), (1, 0), "{near:?}");
        assert!(near.get(Count::Learned) > 1000 && near.get(Count::Oversized) == 0, "{near:?}");
        assert_eq!(far.get(Count::Refused), 0, "{far:?}");
        let (forwarded, received) =
            (world.programs[1].forwarded().unwrap(), world.programs[0].received().unwrap());
        assert_eq!((forwarded[0].flow, received[0].flow), (transfer.flow, transfer.flow));
        assert_eq!((forwarded[0].site.get(), received[0].site.get()), (1, 2));
        world.shift_to(0);
        transfer.wait_for(OCTETS / 4 * 3);
        let back = counts(world, 1);
        assert_eq!(transfer.end().unwrap(), OCTETS);
        server.join().unwrap().unwrap();
        let end = counts(world, 1);
        assert_eq!(back.get(Count::Learned), end.get(Count::Learned), "nothing comes here any more");
        // A busy machine may lose some in the queue of a cable; TCP sends them again.
        let (sent, arrived) = (end.get(Count::Learned) + 1, counts(world, 0).get(Count::Arrived));
        assert!((1000..=sent).contains(&arrived), "{arrived} of {sent} have arrived");
    });
}

#[test]
fn a_transfer_survives_a_shift_and_another_one_back() {
    FAMILIES.into_iter().for_each(|family| survives(family, family));
}

#[test]
fn the_way_between_the_sites_may_be_of_the_other_family() {
    FAMILIES.into_iter().for_each(|family| survives(family, 1 - family));
}

/// What all this is for: without programs that know what to do, the other site ends the connection.
#[test]
fn without_it_the_connection_is_reset() {
    world::inside(|world| {
        for programs in &mut world.programs {
            programs.let_pass().unwrap();
        }
        let _server = serve(world, 0, 0);
        let transfer = Transfer::start(world, 0, OCTETS);
        transfer.wait_for(OCTETS / 4);
        world.shift_to(1);
        let error = transfer.end().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    });
}
