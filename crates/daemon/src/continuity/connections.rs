//! This host's own connections: whatever a socket of the services' addresses has.

use ::continuity::{Filter, Flow, Key};
use linux::tcp::{Ends, each_connection};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// What is said of them.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) connections: u64,
    pub(super) filter: Arc<Filter>,
}

/// Looks at the kernel's list. `room` is how many connections a filter has room for: with more than that in it, more
/// that are not there seem to be.
pub(super) fn look(services: &BTreeSet<IpAddr>, key: &Key, room: u32) -> linux::Result<Owned> {
    let mut flows = Vec::new();
    each_connection(|Ends { local, remote }| {
        if services.contains(&local.ip().to_canonical()) {
            flows.push(Flow::new(remote, local));
        }
    })?;
    Ok(of(&flows, key, room))
}

/// A filter changes its size in steps only: readers change one of the same size in its place.
fn of(flows: &[Flow], key: &Key, room: u32) -> Owned {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let mut filter = Filter::with_room_for(flows.len().max(LEAST).next_power_of_two().min(room));
    flows.iter().for_each(|flow| filter.insert(flow, key));
    Owned { connections: u64::try_from(flows.len()).unwrap_or(u64::MAX), filter: filter.into() }
}

/// No filter is for fewer.
const LEAST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_all_and_grows_in_steps() {
        let key = Key::new([7; 16]);
        let flow = |client: u32| {
            let client = std::net::SocketAddr::new(std::net::Ipv4Addr::from(client).into(), 4711);
            Flow::new(client, "198.18.0.53:53".parse().unwrap())
        };
        let flows: Vec<Flow> = (1..3000).map(flow).collect();
        for number in [0, 1, 256, 257, 2999] {
            let owned = of(&flows[..number], &key, 1000);
            assert_eq!(owned.connections, number as u64);
            assert!(flows[..number].iter().all(|flow| owned.filter.contains(flow, &key)));
        }
        let blocks = |number: usize| of(&flows[..number], &key, 1000).filter.blocks().len();
        assert_eq!([0, 1, 256].map(blocks), [12; 3]);
        assert_eq!([257, 400, 512].map(blocks), [24; 3]);
        assert_eq!([600, 2999].map(blocks), [47; 2], "no more than there is room for");
    }

    #[test]
    fn only_connections_of_a_service_are_its() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // From another address: the client's own socket is no connection of the service.
        let (from, patience) = ("127.0.0.2:0".parse().unwrap(), std::time::Duration::from_secs(5));
        let near = linux::socket::connect_tcp(from, listener.local_addr().unwrap(), patience).unwrap();
        let key = Key::new([7; 16]);
        let here = BTreeSet::from(["127.0.0.1".parse().unwrap()]);
        let owned = look(&here, &key, 1000).unwrap();
        let flow = Flow::new(near.local_addr().unwrap(), listener.local_addr().unwrap());
        assert!(owned.connections >= 1 && owned.filter.contains(&flow, &key));
        let elsewhere = BTreeSet::from(["198.18.0.53".parse().unwrap()]);
        assert_eq!(look(&elsewhere, &key, 1000).unwrap().connections, 0);
    }
}
