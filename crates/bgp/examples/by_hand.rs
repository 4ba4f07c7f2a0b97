//! Two sessions introduce themselves, and one tells the other a route. The loop in `main` is the whole driver: it
//! carries octets by hand.
//!
//! `cargo run -p bgp --example by_hand`

use bgp::session::{ConnectionId, Direction, Input, Output, Session, Settings};
use std::sync::Arc;
use terms::{Attributes, RouteSet, Timestamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (site, router) = ("64501".parse()?, "64500".parse()?);
    let mut ends = [
        ("site", Session::new(Settings::new(site, router, "10.1.0.10".parse()?), 1)),
        (
            "router",
            Session::new(Settings { passive: true, ..Settings::new(router, site, "10.1.0.1".parse()?) }, 2),
        ),
    ];
    let now = Timestamp::ZERO;
    let route = Attributes::originated("10.1.0.10".parse()?);
    let wanted = RouteSet::from([("198.18.0.0/24".parse()?, route)]);
    ends[0].1.handle(Input::Wanted(Arc::new(wanted)), now);
    ends.iter_mut().for_each(|(_, session)| session.handle(Input::Start, now));

    while let Some((end, output)) = (0..2).find_map(|end| Some((end, ends[end].1.poll_output()?))) {
        let (name, other) = (ends[end].0, 1 - end);
        match output {
            Output::Connect => {
                for (at, direction) in [(other, Direction::Inbound), (end, Direction::Outbound)] {
                    ends[at].1.handle(Input::Connected { connection: ConnectionId(1), direction }, now);
                }
            }
            Output::Send { connection, bytes } => {
                println!("{name:>6} sends {} octets", bytes.len());
                ends[end].1.handle(Input::Written { connection, octets: bytes.len() }, now);
                ends[other].1.handle(Input::Bytes { connection, bytes }, now);
            }
            Output::Close { connection } => ends[other].1.handle(Input::Closed { connection }, now),
            Output::Event(event) => println!("{name:>6}: {event}"),
        }
    }
    println!("told: {:?}; the router heard {:?}", ends[0].1.told().keys(), ends[1].1.received());
    Ok(())
}
