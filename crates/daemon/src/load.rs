//! How much the built-in DNS service has to do, once a second.
//!
//! ```text
//!   counters of the DNS threads ──┐
//!                                 ├──> look ──> [check::load] ──load of each service (latest)──> decision loop
//!   /proc/net/udp: drops ─────────┘                                                              metrics, fleet
//! ```
//! Answers per second are the load, because that is what the operator gave the capacity in. Datagrams that the kernel
//! dropped at the service's sockets are the sign of a service that is past its capacity, whatever was said of it.

use crate::clock::Clock;
use crate::dns::{self, Tally};
use check::load::{Look, Overload};
use config::SiteFile;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use terms::{ServiceName, Timestamp};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Where the kernel lists its UDP sockets.
const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What one service has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Answers per second.
    pub(crate) per_second: u64,
    /// Answers per second that it is good for; none where nobody said.
    pub(crate) capacity: Option<u64>,
    /// Datagrams that the kernel has dropped because its queue was full.
    pub(crate) dropped: u64,
    /// Whether it has more to do than it can.
    pub(crate) overloaded: bool,
}

/// The loads of all services that have a built-in DNS service.
pub(crate) type Loads = BTreeMap<ServiceName, Load>;

/// A service to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) service: ServiceName,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) capacity: Option<u64>,
}

impl Watched {
    /// The services of a site file whose load can be measured.
    pub(crate) fn of(site_file: &SiteFile) -> Vec<Watched> {
        let built_in = site_file.services.iter().filter(|service| service.dns.is_some());
        let watched = |service: &config::Service| Watched {
            service: service.name.clone(),
            addresses: service.addresses.clone(),
            capacity: service.capacity,
        };
        built_in.map(watched).collect()
    }
}

/// A service, and what the last look at it showed.
#[derive(Debug)]
struct Gauge {
    watched: Watched,
    overload: Overload,
    /// Answers and drops since the start, and when they were counted.
    before: (u64, u64, Timestamp),
}

impl Gauge {
    fn new(watched: Watched, tallies: &[Tally], now: Timestamp) -> Self {
        let before = (answers(tallies, &watched.service), drops_at(&watched.addresses), now);
        Gauge { overload: Overload::new(watched.capacity), watched, before }
    }

    fn look(&mut self, tallies: &[Tally], now: Timestamp) -> Load {
        let answers = answers(tallies, &self.watched.service);
        let dropped = drops_at(&self.watched.addresses);
        let (answers_before, dropped_before, then) = self.before;
        self.before = (answers, dropped, now);
        let millis = now.since(then).as_millis().max(1);
        let more = u128::from(answers.saturating_sub(answers_before));
        let per_second = u64::try_from(more * 1000 / millis).unwrap_or(u64::MAX);
        self.overload.see(Look { per_second, dropped: dropped.saturating_sub(dropped_before) });
        Load { per_second, capacity: self.watched.capacity, dropped, overloaded: self.overload.is_on() }
    }
}

/// Looks once a second, at the services of the moment, for as long as anybody wants to know.
pub(crate) async fn measure(
    watched: watch::Receiver<Vec<Watched>>,
    tallies: watch::Receiver<Vec<Tally>>,
    clock: Clock,
    loads: watch::Sender<Loads>,
) {
    let mut gauges: Vec<Gauge> = Vec::new();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !loads.is_closed() {
        looks.tick().await;
        let (watched, tallies) = (watched.borrow().clone(), tallies.borrow().clone());
        let now = clock.now();
        // A service that was not there at the last look, or is another one now, is looked at from here on.
        gauges.retain(|gauge| watched.contains(&gauge.watched));
        let seen = gauges.iter_mut().map(|gauge| (gauge.watched.service.clone(), gauge.look(&tallies, now)));
        let seen: Loads = seen.collect();
        let new = watched.into_iter().filter(|watched| !seen.contains_key(&watched.service));
        gauges.extend(new.map(|watched| Gauge::new(watched, &tallies, now)));
        if !(seen.is_empty() && loads.borrow().is_empty()) {
            loads.send_replace(seen);
        }
    }
}

fn answers(tallies: &[Tally], service: &ServiceName) -> u64 {
    dns::total(tallies, service).replies().map(|(_, number)| number).sum()
}

/// What the kernel dropped at the sockets of these addresses.
fn drops_at(addresses: &[IpAddr]) -> u64 {
    // A kernel that does not tell tells of no overload.
    let tables = TABLES.iter().map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.map(|table| drops(&table, addresses)).sum()
}

/// The last column, of the rows whose local address is one of these at the port of DNS.
fn drops(table: &str, addresses: &[IpAddr]) -> u64 {
    let ours: Vec<String> =
        addresses.iter().map(|&address| written(SocketAddr::new(address, dns::PORT))).collect();
    let dropped = |row: &str| {
        let mut columns = row.split_ascii_whitespace();
        let local = columns.nth(1)?;
        ours.iter().any(|address| address == local).then(|| columns.next_back()?.parse::<u64>().ok())?
    };
    table.lines().filter_map(dropped).sum()
}

/// An address as the kernel writes it: words of 32 bits in the order of this machine, and the port.
fn written(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut text = String::new();
    for word in octets.as_chunks().0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "{:08X}", u32::from_ne_bytes(*word));
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
        \x20 142: 350012C6:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 24681 2 0000000000000000 7\n\
        \x20 143: 350012C6:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 24682 2 0000000000000000 5\n\
        \x20 144: 350012C6:0036 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 24683 2 0000000000000000 100\n\
        \x20 145: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 24684 2 0000000000000000 1000\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn drops_are_those_of_our_sockets() {
        let ours: [IpAddr; 1] = ["198.18.0.53".parse().unwrap()];
        assert_eq!(drops(TABLE, &ours), 12);
        assert_eq!(drops(TABLE, &[]), 0);
        assert_eq!(drops("nonsense\n\n a b\n", &ours), 0);
        let six = SocketAddr::new("2001:db8:53::53".parse().unwrap(), 53);
        assert_eq!(written(six), "B80D0120000053000000000053000000:0035");
    }

    #[test]
    fn the_kernel_counts_what_it_drops() {
        // The port of DNS may be taken on this host, so the table is asked for another socket.
        let full = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = full.local_addr().unwrap();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..2000 {
            sender.send_to(&[0; 1400], address).unwrap();
        }
        let table = fs::read_to_string(TABLES[0]).unwrap();
        let row = table.lines().find(|row| row.contains(&written(address))).unwrap();
        assert!(row.split_ascii_whitespace().next_back().unwrap().parse::<u64>().unwrap() > 0, "{row}");
    }
}
